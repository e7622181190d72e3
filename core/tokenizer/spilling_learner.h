// SpillingLearner: a MergeLearner for more words than memory can hold, with the same result.
//
// The words lie in a scratch file. What MergeLearner does with pairs, this does with words: while the best count is at
// or above a floor, only words with a pair at or above the floor can change. So a round reads the file, takes the words
// with such pairs into a MergeLearner, copies the others to the next file, learns down to the floor, and writes the
// words that it took behind them. The floor is the lowest whose words fit. Counts of pairs are needed for the choice
// only, and bounds of them are enough: sums over up to 2^20 buckets. When even the words of the best pairs do not fit,
// the exact best of them is joined alone while the file is copied.
//
// Determinism: as MergeLearner. Thread-safety: one thread; Learn() uses the threads it is given.
// Memory: max_word_cells and max_index_bytes as they say, up to 16 MiB for buckets, what MergeLearner needs per thread,
// about 150 bytes per token of the vocabulary, and the longest word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/progress.h"
#include "core/base/thread_pool.h"
#include "core/tokenizer/count_store.h"
#include "core/tokenizer/merge_learner.h"
#include "core/tokenizer/record_file.h"

namespace clm {

struct SpillingLearnerOptions {
  MergeLearnerOptions learner;       // max_index_bytes included
  size_t max_word_cells = SIZE_MAX;  // in memory at a time: tokens and words, four bytes each
};

class SpillingLearner {
 public:
  // Goes on after `learned`. `scratch` must outlive the learner.
  SpillingLearner(const SpillingLearnerOptions& options, BpeLearned learned, ScratchFolder& scratch);

  // A word in tokens, which occurs `count` > 0 times.
  absl::Status AddTokens(std::span<const SymbolId> tokens, uint64_t count);

  // As MergeLearner::Learn; also errors of the file system, DATA_LOSS for a damaged scratch file.
  absl::Status Learn(const CancellationToken& cancel, const ProgressSink& progress, ThreadPool* threads = nullptr);

  const BpeLearned& learned() const { return learned_; }
  BpeLearned TakeLearned() { return std::move(learned_); }
  // Floors tried so far, and pairs joined without memory for their words.
  uint64_t rounds() const { return rounds_; }
  uint64_t lone_joins() const { return lone_joins_; }

 private:
  struct Word {
    std::vector<SymbolId> tokens;
    uint64_t count = 0;
  };
  // The words and what is known of their pairs.
  struct WordFile {
    std::string path;
    std::unique_ptr<RecordWriter> writer;
    std::vector<uint64_t> buckets;  // sums of counts
    bool has_pairs = false;
    PairIndex pairs;  // if so, all of them with their counts
    uint64_t cells = 0;
  };

  bool HasRoom() const {
    return learned_.tokens.size() < options_.learner.max_tokens && ceiling_ >= options_.learner.min_pair_count;
  }
  bool IsOver(const PairIndex& pairs) const {
    return options_.learner.max_index_bytes != 0 && pairs.memory_bytes() > options_.learner.max_index_bytes;
  }
  size_t BucketOf(SymbolId left, SymbolId right) const { return MixPair(KeyOfPair(left, right)) >> bucket_shift_; }
  absl::Status Append(WordFile& file, std::span<const SymbolId> tokens, uint64_t count);
  absl::StatusOr<WordFile> NewFile(bool has_pairs) const;
  absl::Status StartFirstFile();
  absl::Status VisitFile(const CancellationToken& cancel, const std::function<absl::Status(const Word&)>& visit) const;
  absl::Status ReplaceFile(WordFile next);
  uint64_t Bound(const Word& word) const;
  absl::StatusOr<uint64_t> ChooseFloor(const CancellationToken& cancel);
  absl::Status LearnDownTo(uint64_t floor, const CancellationToken& cancel, const ProgressSink& progress,
                           ThreadPool* threads);
  absl::Status JoinBestAlone(const CancellationToken& cancel);
  absl::Status CountPairsFrom(uint64_t floor, const CancellationToken& cancel, PairIndex& pairs) const;
  absl::Status JoinInFile(const BpeMerge& merge, const CancellationToken& cancel);
  bool IsRefused(TokenPairKey key) const;

  SpillingLearnerOptions options_;
  BpeLearned learned_;
  ScratchFolder& scratch_;
  const int bucket_shift_;  // of a mixed pair to its bucket
  WordFile words_;
  uint64_t ceiling_ = UINT64_MAX;  // no pair that may be joined counts more
  uint64_t rounds_ = 0;
  uint64_t lone_joins_ = 0;
  uint64_t patience_ = 1;  // how many pairs to join alone before floors are tried again
};

}  // namespace clm
