// MergeLearner: the loop behind BpeTrainer. Keeps every different piece as a linked list of tokens, every pair with its
// count and the places where it may stand, and a heap of pairs; a merge touches only the places of its pair.
//
// No two merges give the same bytes, so each makes a new token: until a string is joined, what happens inside it
// depends on nothing outside, so all its places that are not cut across are joined by the same merge.
//
// Determinism: depends on the set of (piece, count) only, not on the order of Add(). Thread-safety: one thread.
// Cost: O(N log N) for N bytes of different pieces, whatever they hold. Memory: about 60 bytes per byte of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/progress.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

struct MergeLearnerOptions {
  uint32_t max_tokens = 0;  // bytes included; >= 256
  uint64_t min_pair_count = 2;
  size_t max_token_bytes = 1024;
};

class MergeLearner {
 public:
  // `bytes` and `pieces`: what Add() will be given in all; the bytes must be below 2^32.
  MergeLearner(const MergeLearnerOptions& options, size_t bytes, size_t pieces);

  // A piece that occurs `count` > 0 times.
  void Add(absl::string_view piece, uint64_t count);

  // Runs the loop, once. CANCELLED.
  absl::Status Learn(const CancellationToken& cancel, const ProgressSink& progress);

  // Bytes 0..255, then results of merges.
  std::vector<std::string> TakeTokens() { return std::move(tokens_); }
  std::vector<BpeMerge> TakeMerges() { return std::move(merges_); }

 private:
  struct Pair {
    SymbolId left = 0;
    SymbolId right = 0;
    uint64_t count = 0;
    std::vector<uint32_t> places;  // where it stands, or stood; ascending
    bool refused = false;          // its token would be too long
  };
  struct Candidate {
    uint64_t count = 0;
    SymbolId left = 0;
    SymbolId right = 0;

    // Order of a max-heap: the best candidate is the greatest.
    friend bool operator<(const Candidate& a, const Candidate& b) {
      if (a.count != b.count) return a.count < b.count;
      if (a.left != b.left) return a.left > b.left;
      return a.right > b.right;
    }
  };

  void CountAllPairs();
  Pair& PairOf(SymbolId left, SymbolId right);
  void AddPlace(uint32_t place);
  void RemovePlace(uint32_t place);
  void PushCandidate(const Pair& pair);
  // The best pair whose count is up to date; false when none counts min_pair_count.
  bool PopBest(Candidate& best);
  // Joins the pair everywhere, as a new token.
  void Join(const Candidate& best);
  void JoinAt(uint32_t place, SymbolId result);

  MergeLearnerOptions options_;
  // By position in all pieces put end to end: the token that begins there (kNone: none does), and its neighbours in the
  // same piece (kNone: none).
  std::vector<SymbolId> ids_;
  std::vector<uint32_t> next_;
  std::vector<uint32_t> previous_;
  std::vector<uint32_t> piece_of_;
  std::vector<uint64_t> piece_counts_;

  absl::flat_hash_map<uint64_t, uint32_t> pair_index_;  // left << 32 | right
  std::vector<Pair> pairs_;
  std::vector<uint32_t> grown_;  // pairs that the running merge gave places to
  std::vector<Candidate> heap_;

  std::vector<std::string> tokens_;
  std::vector<BpeMerge> merges_;
};

}  // namespace clm
