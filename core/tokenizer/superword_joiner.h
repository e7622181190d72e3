// SuperwordJoiner: the second stage of encoding with a vocabulary that has superwords.
//
// The first stage gives the tokens of every piece. Here the pieces of a document are gathered in chunks, as the trainer
// gathers them (text_counter.h): a chunk ends behind the first piece with a line feed in it, before a piece with which
// it would have more than chunk_bytes, and at the end of the document. In a chunk, the superword merges work in the
// order of their ranks, each everywhere from left to right: what the trainer did to its chunks while it learned them.
//
// A merged token has the start flag of its left part.
//
// Thread-safety: one thread; the tables are shared and must outlive it. Cost: linear in the tokens of a chunk, n log n
// for chunks of up to 2^16 tokens. Memory: 40 bytes per token of the longest chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/pair_ranks.h"

namespace clm {

// The merges by pair. Requires a vocabulary with superwords, which must outlive it. Immutable.
class SuperwordTable {
 public:
  static constexpr uint32_t kNone = PairRanks::kNone;

  explicit SuperwordTable(const BpeVocab& vocab);

  uint32_t RankOf(SymbolId left, SymbolId right) const { return ranks_.Find(left, right); }
  SymbolId ResultOf(uint32_t rank) const { return vocab_.superwords().merges[rank - 1].result; }
  uint32_t max_rank() const { return static_cast<uint32_t>(vocab_.superwords().merges.size()); }
  size_t chunk_bytes() const { return vocab_.superwords().chunk_bytes; }

 private:
  const BpeVocab& vocab_;
  PairRanks ranks_;  // from 1
};

// Merges the tokens of one chunk.
class SuperwordMerger {
 public:
  explicit SuperwordMerger(const SuperwordTable& table) : table_(table) {}

  // Leaves the result in front and returns how many tokens it has. `starts`: as many flags, or none. Requires fewer
  // than 2^32 - 1 tokens.
  size_t Merge(std::span<SymbolId> ids, std::span<uint8_t> starts);

 private:
  static constexpr uint32_t kNil = UINT32_MAX;

  // The neighbours of a token; kNil where there is none.
  struct Link {
    uint32_t previous = kNil;
    uint32_t next = kNil;
    bool is_taken = false;  // by its left neighbour
  };

  uint32_t RankAt(uint32_t position) const;
  // Joins the pair at `position`, which has this rank, and offers the pairs on both sides of it.
  void Join(uint32_t position, uint32_t rank);
  void Offer(uint32_t position);
  void MergeByHeap();
  void MergeByRank();
  void MergePass(uint32_t rank);

  const SuperwordTable& table_;
  std::span<SymbolId> ids_;
  std::vector<Link> links_;
  bool by_rank_ = false;
  std::vector<uint64_t> heap_;  // rank << 32 | position; the least in front
  // Places by rank, the last one offered first. For long chunks.
  struct Place {
    uint32_t position = 0;
    uint32_t next = kNil;
  };
  std::vector<uint32_t> first_place_;
  std::vector<Place> places_;
};

class SuperwordJoiner {
 public:
  // The chunk that is being gathered, of one document. Its bytes are fewer than chunk_bytes between two calls.
  struct Chunk {
    std::vector<SymbolId> ids;
    std::vector<uint8_t> starts;
    size_t bytes = 0;
  };
  struct Output {
    std::vector<SymbolId>& ids;
    std::vector<uint8_t>* starts;  // may be null
  };

  explicit SuperwordJoiner(const SuperwordTable& table) : table_(table), merger_(table) {}

  // Pieces of `text` that end at `ends`, in tokens: `starts` has a flag of 1 at the first of each piece. Appends the
  // chunks that they complete.
  void Add(absl::string_view text, std::span<const uint32_t> ends, std::span<const SymbolId> ids,
           std::span<const uint8_t> starts, Chunk& chunk, const Output& out);
  // The end of the chunk, if one is open.
  void Close(Chunk& chunk, const Output& out);

 private:
  const SuperwordTable& table_;
  SuperwordMerger merger_;
};

}  // namespace clm
