#include "core/coordinate/stream_folder.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/base/status_macros.h"
#include "core/coordinate/pair_delta.h"
#include "core/coordinate/worker_pool.h"

namespace clm {
namespace {

constexpr size_t kBatchChunks = 16;

absl::StatusOr<std::vector<bool>> TakenByFolds(const StreamFold& fold, const SymbolStream& stream, ThreadPool& pool,
                                               const CancellationToken& cancel) {
  return stream.TakenFirsts([&](PackedSymbol left, PackedSymbol right,
                                PackedSymbol next) { return IsFoldable(*fold.table, fold.rule, left, right, next); },
                            pool, cancel);
}

void CountUses(const PairTable& table, const SymbolChunk& chunk, std::span<const FoldMatch> matches,
               std::vector<uint64_t>& uses) {
  if (chunk.weights.empty()) {
    for (const FoldMatch& match : matches) ++uses[(match.symbol & kIdMask) - table.first_id()];
    return;
  }
  size_t document = 0;
  size_t at = 0;
  for (const FoldMatch& match : matches) {
    for (; at < match.position; ++at) document += size_t{chunk.symbols[at] == kPackedSeparator};
    uses[(match.symbol & kIdMask) - table.first_id()] += chunk.weights[document];
  }
}

// What a thread needs and finds.
struct FoldWorker {
  std::vector<uint64_t> uses;  // by pair
  std::vector<FoldMatch> room;
};
using FoldWorkers = WorkerPool<FoldWorker>;

// What is found of one chunk.
struct Deltas {
  PairKeys* removed = nullptr;
  PairKeys* added = nullptr;
};

std::vector<uint64_t> SumOfUses(FoldWorkers& workers, size_t size) {
  std::vector<uint64_t> total(size);
  for (const FoldWorker& worker : workers.workers()) {
    for (size_t i = 0; i < size; ++i) total[i] += worker.uses[i];
  }
  return total;
}

absl::Status Track(std::span<const PairKeys> removed, std::span<const PairKeys> added, PairTracking& tracking,
                   ThreadPool& pool, const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(tracking.counts->Subtract(removed, pool, cancel));
  CLM_RETURN_IF_ERROR(tracking.fresh->Add(added, pool, cancel));
  const uint64_t bytes = tracking.counts->memory_bytes() + tracking.fresh->memory_bytes();
  tracking.failed = tracking.memory_limit_bytes > 0 && bytes > tracking.memory_limit_bytes;
  return absl::OkStatus();
}

absl::Status TrackEdges(const SymbolStream::Edges& before, const SymbolStream& stream, JoinRule rule,
                        PairTracking& tracking, ThreadPool& pool, const CancellationToken& cancel) {
  std::array<PairKeys, 2> keys;
  CollectEdgeDeltas(before, stream.edges(), rule, keys[0], keys[1]);
  tracking.counts->Partition(keys[0]);
  tracking.counts->Partition(keys[1]);
  return Track(std::span(keys).first(1), std::span(keys).last(1), tracking, pool, cancel);
}

// `counts` may be null: then there are no deltas.
void FoldChunk(const StreamFold& fold, bool first_is_taken, FoldWorker& worker, const PairCounter* counts,
               const Deltas& deltas, SymbolChunk& chunk) {
  const std::span<const FoldMatch> matches =
      FindFolds(*fold.table, fold.rule, chunk.symbols, first_is_taken, worker.room);
  CountUses(*fold.table, chunk, matches, worker.uses);
  if (counts != nullptr) {
    deltas.removed->Clear();
    deltas.added->Clear();
    CollectPairDeltas(chunk, fold.rule, first_is_taken, matches, *deltas.removed, *deltas.added);
    counts->Partition(*deltas.removed);
    counts->Partition(*deltas.added);
  }
  const size_t size = ApplyFolds(matches, first_is_taken, chunk.size(), chunk.symbols);
  chunk.symbols.resize(size + kFoldLookahead);
}

// Batch by batch: counts change between two.
absl::Status FoldAndTrack(const StreamFold& fold, const std::vector<bool>& taken, FoldWorkers& workers,
                          SymbolStream& stream, PairTracking& tracking, ThreadPool& pool,
                          const CancellationToken& cancel) {
  const size_t step = std::max(kBatchChunks, 4 * pool.threads());
  std::vector<PairKeys> removed(std::min(step, stream.chunk_count()));
  std::vector<PairKeys> added(removed.size());
  for (size_t begin = 0; begin < stream.chunk_count(); begin += step) {
    const size_t chunks = std::min(stream.chunk_count() - begin, step);
    const PairCounter* const counts = tracking.failed ? nullptr : tracking.counts;
    CLM_RETURN_IF_ERROR(stream.Rewrite(begin, begin + chunks, pool, cancel, [&](size_t index, SymbolChunk& chunk) {
      const auto worker = workers.Borrow();
      FoldChunk(fold, taken[index], *worker, counts, {&removed[index - begin], &added[index - begin]}, chunk);
      return absl::OkStatus();
    }));
    if (counts == nullptr) continue;
    CLM_RETURN_IF_ERROR(
        Track(std::span(removed).first(chunks), std::span(added).first(chunks), tracking, pool, cancel));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<uint64_t>> FoldStream(const StreamFold& fold, SymbolStream& stream, PairTracking* tracking,
                                                 ThreadPool& pool, const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const std::vector<bool> taken, TakenByFolds(fold, stream, pool, cancel));
  FoldWorkers workers([&] { return FoldWorker{.uses = std::vector<uint64_t>(fold.table->size()), .room = {}}; });
  const SymbolStream::Edges before = tracking == nullptr ? SymbolStream::Edges() : stream.edges();
  CLM_RETURN_IF_ERROR(stream.BeginRewrite());
  if (tracking != nullptr) {
    CLM_RETURN_IF_ERROR(FoldAndTrack(fold, taken, workers, stream, *tracking, pool, cancel));
  } else {
    CLM_RETURN_IF_ERROR(stream.Rewrite(0, stream.chunk_count(), pool, cancel, [&](size_t index, SymbolChunk& chunk) {
      const auto worker = workers.Borrow();
      FoldChunk(fold, taken[index], *worker, nullptr, {}, chunk);
      return absl::OkStatus();
    }));
  }
  CLM_RETURN_IF_ERROR(stream.EndRewrite());
  if (tracking != nullptr && !tracking->failed) {
    CLM_RETURN_IF_ERROR(TrackEdges(before, stream, fold.rule, *tracking, pool, cancel));
  }
  return SumOfUses(workers, fold.table->size());
}

absl::StatusOr<std::vector<uint64_t>> CountFolds(const StreamFold& fold, const SymbolStream& stream, ThreadPool& pool,
                                                 const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const std::vector<bool> taken, TakenByFolds(fold, stream, pool, cancel));
  FoldWorkers workers([&] { return FoldWorker{.uses = std::vector<uint64_t>(fold.table->size()), .room = {}}; });
  CLM_RETURN_IF_ERROR(stream.Visit(0, stream.chunk_count(), pool, cancel, [&](size_t index, const SymbolChunk& chunk) {
    const auto worker = workers.Borrow();
    const std::span<const FoldMatch> matches =
        FindFolds(*fold.table, fold.rule, chunk.symbols, taken[index], worker->room);
    CountUses(*fold.table, chunk, matches, worker->uses);
    return absl::OkStatus();
  }));
  return SumOfUses(workers, fold.table->size());
}

}  // namespace clm
