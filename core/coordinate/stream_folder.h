// StreamFolder: folds a whole SymbolStream by one layer, on all threads, and keeps counts of its pairs up to date.
//
// Chunks are folded alone, whatever lies across their ends: SymbolStream::TakenFirsts() finds for each whether its
// first symbol belongs to a fold of the chunk before, so the result is that of one pass.
//
// Thread-safety: one thread calls. Memory: a few bytes per symbol of a batch of chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/thread_pool.h"
#include "core/coordinate/fold_kernel.h"
#include "core/coordinate/pair_counter.h"
#include "core/coordinate/symbol_stream.h"

namespace clm {

// Counts that follow the folds: `counts` loses the pairs that vanish, `fresh` gains those that come. Both have as many
// partitions and neither is spilled. When they outgrow the limit together, tracking stops and both must be thrown away.
struct PairTracking {
  PairCounter* counts = nullptr;
  PairCounter* fresh = nullptr;
  uint64_t memory_limit_bytes = 0;  // 0: no limit
  bool failed = false;
};

// One layer. Requires a sealed stream.
struct StreamFold {
  const PairTable* table = nullptr;
  JoinRule rule = JoinRule::kAny;
};

// Folds `stream` and returns how often each pair of the table was folded, by weight. `tracking` may be null; the counts
// are then raw ones of pairs that `fold.rule` allows. After an error the stream must not be used any more.
absl::StatusOr<std::vector<uint64_t>> FoldStream(const StreamFold& fold, SymbolStream& stream, PairTracking* tracking,
                                                 ThreadPool& pool, const CancellationToken& cancel);

// The same number of folds, with the stream left as it is.
absl::StatusOr<std::vector<uint64_t>> CountFolds(const StreamFold& fold, const SymbolStream& stream, ThreadPool& pool,
                                                 const CancellationToken& cancel);

}  // namespace clm
