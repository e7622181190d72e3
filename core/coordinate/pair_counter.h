// Counts the pairs of adjacent symbols in packed streams, exactly and with bounded work however the symbols were
// chosen.
//
// A stream is a run of packed symbols with separators between documents and after the last (symbol_pair.h). Pairs
// across a separator and pairs that the join rule forbids are not counted.
//
// Overlap: in `a a a a` raw counting finds (a, a) three times, exact counting twice, as often as it can fold.
//
// Method: a small vocabulary is counted in a dense table of vocab^2 counts; a larger one by radix-sorting the keys of
// each shard into runs of (pair, count) and merging the runs. Both add up per-shard counts, so the result depends on
// neither the number of threads nor the order of shards. Memory: 16 bytes for each symbol of the shards being counted
// at once, or 8 vocab^2 bytes per thread when dense.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/coordinate/symbol_pair.h"

namespace clm {

enum class PairOverlap : uint8_t { kRaw, kExact };

struct PairCount {
  SymbolPair pair;
  uint64_t count = 0;

  friend bool operator==(const PairCount&, const PairCount&) = default;
};

struct PairCountOptions {
  uint32_t vocab_size = 0;  // ids in the streams are below this
  JoinRule rule = JoinRule::kAny;
  PairOverlap overlap = PairOverlap::kRaw;
};

// A piece of the corpus: whole documents, each followed by a separator.
using SymbolShard = std::vector<PackedSymbol>;

// Every pair with a count above zero, ascending by (left, right). CANCELLED as the token says.
absl::StatusOr<std::vector<PairCount>> CountPairs(std::span<const SymbolShard> shards, const PairCountOptions& options,
                                                  ThreadPool& pool, const CancellationToken& cancel);

// Occurrences of each id below `vocab_size`, separators left out.
absl::StatusOr<std::vector<uint64_t>> CountSymbols(std::span<const SymbolShard> shards, uint32_t vocab_size,
                                                   ThreadPool& pool, const CancellationToken& cancel);

// The count of `pair` in `counts`, which must be ascending; 0 if it is not there.
uint64_t FindCount(std::span<const PairCount> counts, const SymbolPair& pair);

}  // namespace clm
