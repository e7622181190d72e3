// BpeTrainer: learns the merges of a byte-level BPE from documents.
//
// The rule: while the vocabulary has room, join the pair of adjacent tokens with the highest count, of equals the one
// with the lowest left id, then the lowest right id; stop when no pair counts min_pair_count. A count is the number of
// places in all pieces where the pair stands (in `aaaa`, `a a` stands three times). Merging works from left to right.
//
// Superwords (after Liu et al. 2025, arXiv 2503.13423): with superword_from, the rule works on pieces until there are
// that many bytes and merges, then on chunks (text_counter.h: lines, cut between pieces where they are long) in the
// tokens that their pieces have become, so that tokens may reach over several pieces. A pair in a chunk that spells a
// token is left alone: the token stands for text inside one piece.
//
// Pieces are counted once per different piece, so memory grows with different text, not with text. Thread-safety: one
// thread per trainer; AddDocuments and Train use the threads they are given. Determinism: the result depends on the
// multiset of documents and the options that shape it only: not on their order, on threads, on how documents come in,
// on memory_limit_bytes or on interruptions; on every platform with the same Unicode classes (core/text). Cost: linear
// in the text, then about linear in the different pieces.
//
// Memory: without a limit about 50 bytes per different piece, 15 per byte of them and 8 MiB per thread. With
// memory_limit_bytes, tables, indices and buffers together stay below the limit however much different text there is.
// Not counted are the longest piece (4 times), 64 KiB per thread and the caller's documents. What does not fit goes to
// files: counts as sorted runs that hold each piece once (count_store.h), then the words that pieces and chunks have
// become, once, and twice while they are copied (spilling_learner.h). RESOURCE_EXHAUSTED only when so many pairs share
// the highest count that the limit does not hold them.
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
#include "core/base/file_io.h"
#include "core/base/progress.h"
#include "core/base/thread_pool.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/count_store.h"
#include "core/tokenizer/merge_learner.h"
#include "core/tokenizer/text_counter.h"

namespace clm {

struct BpeTrainerOptions {
  // Entries in all: 256 bytes, merges, specials. Fewer when the text dries up. Range [256 + specials,
  // kMaxBpeVocabSize].
  uint32_t vocab_size = 4096;
  // Pairs that stand in fewer places are not joined. Range [1, 2^62].
  uint64_t min_pair_count = 2;
  // Pairs that would make a longer token are not joined. Range [2, 65536].
  size_t max_token_bytes = 1024;
  // As in core/text/pretokenizer.h.
  std::string pattern{kGpt2Pattern.data(), kGpt2Pattern.size()};
  // Take the last ids, in this order. The first one is the boundary. At least one.
  std::vector<std::string> special_tokens = {"<|endoftext|>"};
  // Sum of the lengths of different pieces, and of one piece. Range [1, 2^31]; with memory_limit_bytes [1, 2^40].
  uint64_t max_distinct_bytes = uint64_t{1} << 30;
  // See above. 0: no limit; else at least kLeastMemory + 192 * vocab_size. Needs scratch_folder.
  uint64_t memory_limit_bytes = 0;
  // A folder for this trainer alone; made when it is needed, removed with the trainer.
  std::string scratch_folder = {};
  // Bytes and merges that are learned inside pieces; the others are superwords. 0: no superwords; else range [256,
  // vocab_size - specials].
  uint32_t superword_from = 0;
  // Longest chunk, in bytes, unless one piece is longer. Range [2, 2^20].
  size_t superword_chunk_bytes = 512;

  static constexpr uint64_t kLeastMemory = uint64_t{64} << 20;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

// What a run of Train may use, and where it may go on.
struct BpeTrainRun {
  CancellationToken cancel = {};
  ProgressSink progress = {};     // phase "train_tokenizer", unit "tokens", at most one report per 64 merges
  ThreadPool* threads = nullptr;  // null: the caller's alone
  // A file for the merges inside pieces so far: read when it is there (and of the same counts and options, else
  // FAILED_PRECONDITION), written every save_every merges and when they end, removed by nobody. Empty: none. A run that
  // was stopped in the superword stage goes on at the beginning of that stage.
  std::string state_path = {};
  uint32_t save_every = 4096;
};

class BpeTrainer {
 public:
  // `files` must outlive the trainer.
  static absl::StatusOr<BpeTrainer> Create(const BpeTrainerOptions& options, FileSystem& files = PosixFileSystem());
  // A trainer with the counts that Save() wrote. FAILED_PRECONDITION when they were counted with another pattern or
  // other chunks; DATA_LOSS for a damaged file.
  static absl::StatusOr<BpeTrainer> Load(const BpeTrainerOptions& options, const std::string& path,
                                         FileSystem& files = PosixFileSystem());

  BpeTrainer(BpeTrainer&&) = default;
  BpeTrainer& operator=(BpeTrainer&&) = default;

  // Counts a document. RESOURCE_EXHAUSTED over max_distinct_bytes; CANCELLED; the trainer is then useless.
  absl::Status AddDocument(absl::string_view document, const CancellationToken& cancel = {});
  // The same for many, on all `threads`.
  absl::Status AddDocuments(std::span<const absl::string_view> documents, ThreadPool& threads,
                            const CancellationToken& cancel = {});
  // The same for one that comes in parts: Push() them, then Finish(). In between, Save() and Train() are refused with
  // FAILED_PRECONDITION, and no other document may be added.
  absl::Status Push(absl::string_view text, const CancellationToken& cancel = {});
  absl::Status Finish(const CancellationToken& cancel = {});
  // Adds what `other` counted, as if its documents had come here. INVALID_ARGUMENT when it has another pattern or other
  // chunks.
  absl::Status Absorb(const BpeTrainer& other);
  // Writes the counts to a file, whole or not at all.
  absl::Status Save(const std::string& path, const CancellationToken& cancel = {});

  uint64_t document_bytes() const;

  // Learns from what was counted; may be called again after more documents. INVALID_ARGUMENT when no document had any
  // bytes; CANCELLED.
  absl::StatusOr<BpeVocab> Train(const CancellationToken& cancel = {}, const ProgressSink& progress = {});
  absl::StatusOr<BpeVocab> Train(const BpeTrainRun& run);

 private:
  enum class Unit : uint8_t { kPiece, kChunk };

  BpeTrainer(const BpeTrainerOptions& options, FileSystem& files) : options_(options), files_(&files) {}

  // The counter of a thread; makes it and those before it.
  TextCounter& Counter(size_t shard);
  CountStore& StoreOf(size_t shard, Unit unit);
  // Everything into the first shard.
  absl::Status MergeShards(ThreadPool* threads);
  absl::Status LoadRecord(absl::string_view record);
  absl::Status CheckClosed() const;

  // What merges are learned from and by which rules.
  absl::StatusOr<std::string> Identity(const CancellationToken& cancel);
  // `inside`: how many of the merges are those of pieces.
  absl::Status LearnStages(const BpeTrainRun& run, const std::string& identity, BpeLearned& learned, size_t& inside);
  absl::Status LearnStage(Unit unit, const MergeLearnerOptions& options, const BpeTrainRun& run, BpeLearned& learned);
  absl::Status LearnSpilled(Unit unit, const MergeLearnerOptions& options, const BpeTrainRun& run, BpeLearned& learned);
  // Calls visit for every different piece or chunk, in the tokens of `learned`.
  absl::Status VisitWords(Unit unit, const BpeLearned& learned, const CancellationToken& cancel,
                          const std::function<absl::Status(std::span<const SymbolId>, uint64_t)>& visit);
  absl::StatusOr<BpeVocab> MakeVocab(BpeLearned learned, size_t inside) const;

  BpeTrainerOptions options_;
  FileSystem* files_;
  std::unique_ptr<const Pretokenizer> pretokenizer_;
  std::unique_ptr<ScratchFolder> scratch_;  // null without a limit on memory
  std::vector<TextCounter> shards_;         // one per thread that counted
  uint64_t loaded_bytes_ = 0;               // of documents whose counts came otherwise
};

}  // namespace clm
