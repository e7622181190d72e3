// PairCounter: how often each pair of adjacent symbols occurs, exactly, in bounded memory.
//
// Overlap: in `a a a a` raw counting finds (a, a) three times, exact counting twice, as often as it can fold. Pairs
// across a separator and pairs that the join rule forbids are not counted.
//
// Method: the keys of a batch of chunks are partitioned by the high bits of a hash, then each partition is counted into
// a table of its own, small enough for a cache, by one thread. Few symbols are counted in a square table first. Over
// its memory limit the counter writes its tables, partition by partition, to a scratch file and starts empty ones;
// Visit() adds up the files, one partition at a time. Counts are sums, so neither threads nor batches nor limits change
// them.
//
// Memory: 16 bytes for each slot of the tables, which are at least a quarter full once they grew, and 8 bytes for each
// symbol of a batch. With a limit: at most that, whatever the number of pairs. Hostile pairs: a table that has to probe
// long is rehashed under another seed, so that no choice of symbols makes counting slow. Thread-safety: one thread
// calls; the methods that take a pool use it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/file_io.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/coordinate/symbol_pair.h"
#include "core/coordinate/symbol_stream.h"

namespace clm {

struct PairCountOptions {
  uint32_t vocab_size = 0;  // ids in the streams are below this
  JoinRule rule = JoinRule::kAny;
  PairOverlap overlap = PairOverlap::kRaw;
};

// A pair (PairKey) and its count. 0: nothing there.
struct PairCount {
  uint64_t key = ~uint64_t{0};
  uint64_t count = 0;

  SymbolPair pair() const { return {static_cast<SymbolId>(key >> 32), static_cast<SymbolId>(key)}; }

  friend bool operator==(const PairCount&, const PairCount&) = default;
};

// Keys that one thread collected.
struct PairKeys {
  std::vector<uint64_t> keys;
  std::vector<uint64_t> weights;  // empty: 1 each

  void Add(SymbolId left, SymbolId right) { keys.push_back(PairKey(left, right)); }
  void Clear() {
    keys.clear();
    weights.clear();
    ends.clear();
  }

  std::vector<uint32_t> ends;  // by partition, once partitioned
  // Room of Partition(), to be used again.
  std::vector<uint64_t> other_keys;
  std::vector<uint64_t> other_weights;
};

// One partition: open addressing, linear probing.
class PairCountTable {
 public:
  void Add(uint64_t key, uint64_t count);
  // Whether the next new pair makes the table grow, and what its memory will be then.
  bool is_full() const { return size_ * 8 >= slots_.size() * 5; }
  uint64_t grown_bytes() const;
  // Null if the pair was never added.
  const PairCount* Find(uint64_t key) const;
  PairCount* Find(uint64_t key) { return const_cast<PairCount*>(std::as_const(*this).Find(key)); }

  std::span<const PairCount> slots() const { return slots_; }
  // Slots in use, those with count 0 included.
  size_t size() const { return size_; }
  uint64_t memory_bytes() const { return slots_.size() * sizeof(PairCount); }
  void Clear();

 private:
  size_t SlotOf(uint64_t key) const;
  void Grow();
  bool Refill(const std::vector<PairCount>& old);

  std::vector<PairCount> slots_;  // a power of two; empty slots have the key ~0
  size_t size_ = 0;
  int shift_ = 64;
  uint64_t seed_ = 0;
};

class PairCounter {
 public:
  struct Options {
    // Symbols there will be to count; decides the number of partitions.
    uint64_t expected_symbols = 0;
    // Of tables and batches. 0: no limit, no files.
    uint64_t memory_limit_bytes = 0;
    FileSystem* files = nullptr;
    std::string folder = {};  // must exist
    std::string name = "pairs";
  };

  PairCounter() : PairCounter(Options()) {}
  explicit PairCounter(Options options);
  ~PairCounter();
  PairCounter(const PairCounter&) = delete;
  PairCounter& operator=(const PairCounter&) = delete;

  // Forgets every count and file.
  void Clear();
  // Takes on the partitions of another counter. Requires an empty counter.
  void MatchPartitions(const PairCounter& other);

  // Adds what `stream` holds.
  absl::Status Count(const SymbolStream& stream, const PairCountOptions& options, ThreadPool& pool,
                     const CancellationToken& cancel);

  // Adds or subtracts the keys of batches, which Partition() was called for. What is not there is not subtracted.
  // Subtract() requires !is_spilled().
  void Partition(PairKeys& batch) const;
  // The same, from one batch to another.
  void Partition(const PairKeys& batch, PairKeys& partitioned) const;
  absl::Status Add(std::span<const PairKeys> batches, ThreadPool& pool, const CancellationToken& cancel);
  absl::Status Subtract(std::span<const PairKeys> batches, ThreadPool& pool, const CancellationToken& cancel);

  // Calls visit(partition, slots) once for each partition, from several threads, in any order. Slots with count 0 hold
  // nothing.
  using Visitor = std::function<absl::Status(size_t partition, std::span<const PairCount> slots)>;
  absl::Status Visit(ThreadPool& pool, const CancellationToken& cancel, const Visitor& visit) const;

  // Drops the pairs that `keep` refuses, and gives their memory back. Requires !is_spilled().
  using Filter = std::function<bool(const PairCount&)>;
  absl::Status Retain(const Filter& keep, ThreadPool& pool, const CancellationToken& cancel);
  // Takes over what `keep` accepts of a counter with as many partitions, neither being spilled.
  absl::Status Absorb(const PairCounter& other, const Filter& keep, ThreadPool& pool, const CancellationToken& cancel);

  // Everything that was counted of a partition, read back if it was spilled, in `scratch`.
  absl::StatusOr<const PairCountTable*> Load(size_t partition, PairCountTable& scratch) const;
  size_t PartitionOf(uint64_t key) const;

  // Requires !is_spilled().
  uint64_t Find(const SymbolPair& pair) const;
  void Forget(const SymbolPair& pair);

  bool is_spilled() const { return !runs_.empty(); }
  size_t partitions() const { return tables_.size(); }
  uint64_t memory_bytes() const;
  // Chunks whose keys are collected at once.
  size_t batch_chunks(size_t threads, size_t chunk_symbols) const;

 private:
  // Tables that were written to a file, one partition behind the other.
  struct Run {
    std::string path;
    std::unique_ptr<RandomAccessFile> reader;
    std::vector<uint64_t> ends;  // by partition, in pairs
  };

  absl::Status CountDense(const SymbolStream& stream, const PairCountOptions& options, ThreadPool& pool,
                          const CancellationToken& cancel);
  absl::Status CountHashed(const SymbolStream& stream, const PairCountOptions& options, ThreadPool& pool,
                           const CancellationToken& cancel);
  // The keys of a chunk, partitioned in parts. `room`: for the keys of one.
  void CollectKeys(const SymbolChunk& chunk, const PairCountOptions& options, bool first_is_taken, PairKeys& room,
                   std::span<PairKeys> parts) const;
  // Where a partition goes on to add batches.
  struct Place {
    size_t batch = 0;
    uint32_t key = 0;  // of the partition in the batch
  };
  // False when tables would grow over the limit. `used_bytes`: of all tables.
  bool AddPartition(std::span<const PairKeys> batches, size_t partition, std::atomic<uint64_t>& used_bytes,
                    Place& place);
  bool CountsDense(const SymbolStream& stream, uint32_t vocab_size, size_t threads) const;
  // A quarter of the limit is for batches.
  uint64_t table_limit_bytes() const { return options_.memory_limit_bytes / 4 * 3; }
  absl::Status Spill();
  absl::Status ReadRuns(size_t partition, PairCountTable& table) const;

  Options options_;
  int partition_bits_ = 0;
  std::vector<PairCountTable> tables_;
  std::vector<Run> runs_;
};

// Occurrences of each id below `vocab_size`, separators left out.
absl::StatusOr<std::vector<uint64_t>> CountSymbols(const SymbolStream& stream, uint32_t vocab_size, ThreadPool& pool,
                                                   const CancellationToken& cancel);

// True if the rule lets (left, right) fold when `next` follows; never across a separator.
inline bool RuleAllows(JoinRule rule, PackedSymbol left, PackedSymbol right, PackedSymbol next) {
  if (left == kPackedSeparator || right == kPackedSeparator) return false;
  if (rule == JoinRule::kAny) return true;
  if (rule == JoinRule::kWithinPretoken) return (right & kPretokenStart) == 0;
  return (left & right & next & kPretokenStart) != 0;
}

}  // namespace clm
