// MergeLearner: the loop behind BpeTrainer. Joins the best pair of neighbouring tokens in every word, again and again.
//
// It works in rounds. No join makes an older pair more frequent, and the pairs a join brings about are no more frequent
// than the joined one; so the best count only falls, and a pair below some floor need not be looked at before the best
// is below it too. A round counts all pairs, sets a floor, indexes the places of the pairs at or above it, and joins
// while the best of them is not below. Pairs below the floor, most of all pairs by far, cost nothing but the count.
//
// No two merges give the same bytes, so each makes a new token: until a string is joined, what happens inside it
// depends on nothing outside, so all its places that are not cut across are joined by the same merge. Where words begin
// as tokens of an earlier stage this does not hold; a pair that spells a token there is then left alone.
//
// Determinism: depends on the multiset of (word, count) only, not on the order of Add(), on threads or on memory.
// Thread-safety: one thread; Learn() uses the threads it is given. Cost: about linear in the tokens of different words.
// Memory: 4 bytes per token and per word, 4 MiB per thread (at most 8), and the index of a round: 4 bytes per place and
// 32 to 64 per pair, of the pairs at or above the floor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/progress.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/pair_index.h"
#include "core/tokenizer/word_cells.h"

namespace clm {

// What a trainer learns.
struct BpeLearned {
  std::vector<std::string> tokens;  // bytes 0..255, then results of merges
  std::vector<BpeMerge> merges;
};
// The bytes 0..255 and nothing else.
BpeLearned BytesOnly();

struct MergeLearnerOptions {
  uint32_t max_tokens = 0;  // bytes included; >= 256
  uint64_t min_pair_count = 2;
  size_t max_token_bytes = 1024;
  // Memory of the index of a round, 0 for any. The floor is as high as it takes, and a round ends when it is full.
  size_t max_index_bytes = 0;
  // Called with what was learned so far, whenever the number of merges is a multiple of save_every (0: never). Its
  // error ends the learning.
  size_t save_every = 0;
  std::function<absl::Status(const BpeLearned&)> save = {};
};

class MergeLearner {
 public:
  // `bytes` and `pieces`: what Add() will be given in all; a hint.
  MergeLearner(const MergeLearnerOptions& options, size_t bytes, size_t pieces);
  // Goes on after what was learned before, with words that are given as its tokens. Pairs that spell one of the tokens
  // are left alone: words may be cut otherwise than those it was learned from.
  MergeLearner(const MergeLearnerOptions& options, BpeLearned learned);

  // A word that occurs `count` > 0 times. Requires fewer than 2^32 tokens and words in all.
  void Add(absl::string_view piece, uint64_t count) { words_.Add(piece, count); }
  void AddTokens(std::span<const SymbolId> tokens, uint64_t count) { words_.AddTokens(tokens, count); }
  bool HasRoomFor(size_t tokens) const { return words_.cells() + tokens + 2 <= WordCells::kMaxCells; }
  // Room for as many.
  void Reserve(size_t tokens, size_t words) { words_.Reserve(tokens, words); }

  // Runs the loop, once. `threads` may be null. CANCELLED; RESOURCE_EXHAUSTED when max_index_bytes is too little for
  // the pairs that share the highest count. After an error, what was learned so far is right and may be taken.
  absl::Status Learn(const CancellationToken& cancel, const ProgressSink& progress, ThreadPool* threads = nullptr);

  const BpeLearned& learned() const { return learned_; }
  BpeLearned TakeLearned() { return std::move(learned_); }
  std::vector<std::string> TakeTokens() { return std::move(learned_.tokens); }
  std::vector<BpeMerge> TakeMerges() { return std::move(learned_.merges); }
  // The words as they are, those of one token left out. Ends what Learn() may do.
  const WordCells& CompactWords();

 private:
  struct Candidate {
    uint64_t count = 0;
    TokenPairKey key = 0;

    // Order of a max-heap: the best candidate is the greatest.
    friend bool operator<(const Candidate& a, const Candidate& b) {
      return a.count != b.count ? a.count < b.count : a.key > b.key;
    }
  };
  // What stands beside the places of the running merge, by token.
  struct Neighbour {
    uint64_t count = 0;
    uint32_t places = 0;
    uint32_t next = 0;  // where in the pool the next place goes; kNoList: nowhere
  };
  // Pairs that fall into one bucket count at most as much as it.
  struct Bucket {
    uint64_t count = 0;
    uint64_t places = 0;
  };
  using Buckets = std::vector<Bucket>;
  // Which buckets are at or above the floor: one bit each.
  using BucketSet = std::vector<uint64_t>;

  size_t BucketOf(SymbolId left, SymbolId right) const { return MixPair(KeyOfPair(left, right)) >> bucket_shift_; }
  bool HasRoom() const { return learned_.tokens.size() < options_.max_tokens; }
  absl::Status StartRound(ThreadPool* threads);
  Buckets CountBuckets(const std::vector<size_t>& cuts, ThreadPool* threads) const;
  void ChooseFloor(const Buckets& buckets, uint64_t best);
  BucketSet BucketsFromFloor(const Buckets& buckets) const;
  // The pairs at or above the floor and how many places each part of the words has for them.
  std::vector<PairIndex> CountPairs(const BucketSet& buckets, const std::vector<size_t>& cuts,
                                    ThreadPool* threads) const;
  bool MergeParts(std::vector<PairIndex>& parts);
  void FillPlaces(const BucketSet& buckets, const std::vector<size_t>& cuts, std::vector<PairIndex>& parts,
                  ThreadPool* threads);
  bool IsTooLong(SymbolId left, SymbolId right) const {
    return 2 * longest_ > options_.max_token_bytes &&
           learned_.tokens[left].size() + learned_.tokens[right].size() > options_.max_token_bytes;
  }
  bool IsOver(const PairIndex& pairs) const {
    return options_.max_index_bytes != 0 && pairs.memory_bytes() > options_.max_index_bytes;
  }
  bool IndexFits() const {
    return options_.max_index_bytes == 0 ||
           pool_.size() * sizeof(uint32_t) + heap_.size() * sizeof(Candidate) + pairs_.memory_bytes() <=
               options_.max_index_bytes;
  }

  // The best pair whose count is up to date; false when none is at or above the floor.
  bool PopBest(Candidate& best);
  // Joins the pair everywhere, as a new token; unless it spells one.
  void Join(const Candidate& best);
  void JoinPlaces(std::span<const uint32_t> places, const BpeMerge& merge);
  void CountNeighbours(const BpeMerge& merge);
  void Lower(TokenPairKey key, uint64_t count);
  uint32_t AddPair(TokenPairKey key, uint64_t count, uint32_t places);
  void AddPlaces(uint32_t begin, uint32_t places, SymbolId result);
  void ForgetNeighbours();

  MergeLearnerOptions options_;
  WordCells words_;
  BpeLearned learned_;
  size_t longest_ = 1;  // bytes of a token
  bool may_spell_ = false;
  absl::flat_hash_set<std::string> spelled_;  // the tokens, when may_spell_

  // Of the running round.
  int bucket_shift_ = 0;  // of a mixed pair to its bucket
  uint64_t floor_ = UINT64_MAX;
  bool is_dry_ = true;  // no pair is left at or above the floor
  PairIndex pairs_;     // all at or above the floor, and others that were
  std::vector<uint32_t> pool_;
  std::vector<Candidate> heap_;

  // Of the running merge.
  std::vector<Neighbour> before_;  // by token
  std::vector<Neighbour> behind_;
  std::vector<SymbolId> touched_before_;
  std::vector<SymbolId> touched_behind_;
  Neighbour self_;  // the new token before the new token
  bool has_new_pairs_ = false;
  bool is_full_ = false;  // the index is; the round ends with this merge
};

}  // namespace clm
