#include "core/coordinate/stream_folder.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/base/status_macros.h"
#include "core/coordinate/pair_delta.h"

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

// What the threads of one batch found, by chunk of the batch.
struct Batch {
  Batch(size_t chunks, size_t pairs)
      : uses(chunks, std::vector<uint64_t>(pairs)), room(chunks), removed(chunks), added(chunks) {}

  std::vector<std::vector<uint64_t>> uses;  // added up over batches
  std::vector<std::vector<FoldMatch>> room;
  std::vector<PairKeys> removed;
  std::vector<PairKeys> added;
};

std::vector<uint64_t> Sum(const std::vector<std::vector<uint64_t>>& parts, size_t size) {
  std::vector<uint64_t> total(size);
  for (const std::vector<uint64_t>& part : parts) {
    for (size_t i = 0; i < size; ++i) total[i] += part[i];
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

void FoldChunk(const StreamFold& fold, bool first_is_taken, const PairTracking* tracking, size_t slot, Batch& batch,
               SymbolChunk& chunk) {
  const std::span<const FoldMatch> matches =
      FindFolds(*fold.table, fold.rule, chunk.symbols, first_is_taken, batch.room[slot]);
  CountUses(*fold.table, chunk, matches, batch.uses[slot]);
  if (tracking != nullptr) {
    batch.removed[slot].Clear();
    batch.added[slot].Clear();
    CollectPairDeltas(chunk, fold.rule, first_is_taken, matches, batch.removed[slot], batch.added[slot]);
    tracking->counts->Partition(batch.removed[slot]);
    tracking->counts->Partition(batch.added[slot]);
  }
  const size_t size = ApplyFolds(matches, first_is_taken, chunk.size(), chunk.symbols);
  chunk.symbols.resize(size + kFoldLookahead);
}

}  // namespace

absl::StatusOr<std::vector<uint64_t>> FoldStream(const StreamFold& fold, SymbolStream& stream, PairTracking* tracking,
                                                 ThreadPool& pool, const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const std::vector<bool> taken, TakenByFolds(fold, stream, pool, cancel));
  const SymbolStream::Edges before = tracking == nullptr ? SymbolStream::Edges() : stream.edges();
  const size_t step = std::max(kBatchChunks, 4 * pool.threads());
  Batch batch(std::min(step, stream.chunk_count()), fold.table->size());
  CLM_RETURN_IF_ERROR(stream.BeginRewrite());
  for (size_t begin = 0; begin < stream.chunk_count(); begin += step) {
    const size_t end = std::min(stream.chunk_count(), begin + step);
    const PairTracking* const tracked = tracking == nullptr || tracking->failed ? nullptr : tracking;
    CLM_RETURN_IF_ERROR(stream.Rewrite(begin, end, pool, cancel, [&](size_t index, SymbolChunk& chunk) {
      FoldChunk(fold, taken[index], tracked, index - begin, batch, chunk);
      return absl::OkStatus();
    }));
    if (tracked == nullptr) continue;
    const size_t chunks = end - begin;
    CLM_RETURN_IF_ERROR(
        Track(std::span(batch.removed).first(chunks), std::span(batch.added).first(chunks), *tracking, pool, cancel));
  }
  CLM_RETURN_IF_ERROR(stream.EndRewrite());
  if (tracking != nullptr && !tracking->failed) {
    CLM_RETURN_IF_ERROR(TrackEdges(before, stream, fold.rule, *tracking, pool, cancel));
  }
  return Sum(batch.uses, fold.table->size());
}

absl::StatusOr<std::vector<uint64_t>> CountFolds(const StreamFold& fold, const SymbolStream& stream, ThreadPool& pool,
                                                 const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const std::vector<bool> taken, TakenByFolds(fold, stream, pool, cancel));
  const size_t step = std::max(kBatchChunks, 4 * pool.threads());
  Batch batch(std::min(step, stream.chunk_count()), fold.table->size());
  for (size_t begin = 0; begin < stream.chunk_count(); begin += step) {
    const size_t end = std::min(stream.chunk_count(), begin + step);
    CLM_RETURN_IF_ERROR(stream.Visit(begin, end, pool, cancel, [&](size_t index, const SymbolChunk& chunk) {
      const size_t slot = index - begin;
      CountUses(*fold.table, chunk, FindFolds(*fold.table, fold.rule, chunk.symbols, taken[index], batch.room[slot]),
                batch.uses[slot]);
      return absl::OkStatus();
    }));
  }
  return Sum(batch.uses, fold.table->size());
}

}  // namespace clm
