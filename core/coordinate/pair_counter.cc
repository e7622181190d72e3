#include "core/coordinate/pair_counter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/coordinate/worker_pool.h"

namespace clm {
namespace {

// A square table of this many symbols stays in the second-level cache.
constexpr uint32_t kDenseVocabLimit = 512;
constexpr int kMaxPartitionBits = 12;
constexpr int kUsualPartitionBits = 8;
// Partitions pay for streams of more symbols than this.
constexpr uint64_t kSymbolsPerPartition = 4096;
constexpr size_t kMinSlots = 16;
constexpr size_t kMaxProbes = 128;
constexpr size_t kBatchChunks = 16;
// Keys that are partitioned at once: they stay in the second-level cache.
constexpr size_t kPartKeys = size_t{1} << 14;
constexpr size_t kReadPairs = 4096;
constexpr uint64_t kEmptyKey = ~uint64_t{0};

// Odd constants of about half ones; what matters is that high bits depend on every bit of the key.
uint64_t Mix(uint64_t key) { return (key ^ key >> 32 ^ key >> 17) * 0x9E3779B97F4A7C15U; }

// Calls sink(left, right, weight) for each pair that counts. `first_is_taken` is for exact overlaps: a self-pair that
// was counted before the chunk took its first symbol.
template <bool kWeighted, typename Sink>
void ForEachPair(const SymbolChunk& chunk, const PairCountOptions& options, bool first_is_taken, Sink sink) {
  const std::vector<PackedSymbol>& s = chunk.symbols;
  const size_t size = chunk.size();
  size_t free_from = first_is_taken ? 1 : 0;
  size_t document = 0;
  const bool exact = options.overlap == PairOverlap::kExact;
  for (size_t t = 0; t < size; ++t) {
    if (kWeighted && s[t] == kPackedSeparator) ++document;
    if (!RuleAllows(options.rule, s[t], s[t + 1], s[t + 2])) continue;
    const SymbolId left = s[t] & kIdMask;
    const SymbolId right = s[t + 1] & kIdMask;
    if (exact && left == right) {
      if (t < free_from) continue;
      free_from = t + 2;
    }
    sink(left, right, kWeighted ? chunk.weights[document] : 1);
  }
}

template <typename Sink>
void ForEachPair(const SymbolChunk& chunk, const PairCountOptions& options, bool first_is_taken, Sink sink) {
  if (chunk.weights.empty()) return ForEachPair<false>(chunk, options, first_is_taken, sink);
  return ForEachPair<true>(chunk, options, first_is_taken, sink);
}

// Self-pairs that exact counting finds at the end of a chunk reach into the next one.
absl::StatusOr<std::vector<bool>> TakenBySelfPairs(const SymbolStream& stream, const PairCountOptions& options,
                                                   ThreadPool& pool, const CancellationToken& cancel) {
  if (options.overlap == PairOverlap::kRaw) return std::vector<bool>(stream.chunk_count());
  const auto is_self_pair = [&](PackedSymbol left, PackedSymbol right, PackedSymbol next) {
    return (left & kIdMask) == (right & kIdMask) && RuleAllows(options.rule, left, right, next);
  };
  return stream.TakenFirsts(is_self_pair, pool, cancel);
}

}  // namespace

size_t PairCountTable::SlotOf(uint64_t key) const { return static_cast<size_t>(Mix(Mix(key) ^ seed_) >> shift_); }

uint64_t PairCountTable::grown_bytes() const { return std::max(kMinSlots, 2 * slots_.size()) * sizeof(PairCount); }

void PairCountTable::Add(uint64_t key, uint64_t count) {
  if (is_full()) Grow();
  size_t slot = SlotOf(key);
  for (size_t probes = 0;; ++probes) {
    PairCount& entry = slots_[slot];
    if (entry.key == key) {
      entry.count += count;
      return;
    }
    if (entry.key == kEmptyKey) {
      entry = {.key = key, .count = count};
      ++size_;
      return;
    }
    slot = (slot + 1) & (slots_.size() - 1);
    if (probes == kMaxProbes) {
      Grow();
      slot = SlotOf(key);
      probes = 0;
    }
  }
}

const PairCount* PairCountTable::Find(uint64_t key) const {
  if (slots_.empty()) return nullptr;
  size_t slot = SlotOf(key);
  while (slots_[slot].key != key) {
    if (slots_[slot].key == kEmptyKey) return nullptr;
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return &slots_[slot];
}

// A crowded table gets room. One that is not crowded but probes long met keys that its seed does not spread.
void PairCountTable::Grow() {
  const bool crowded = size_ * 2 >= slots_.size();
  const std::vector<PairCount> old = std::move(slots_);
  size_t slots = std::max(kMinSlots, crowded ? old.size() * 2 : old.size());
  if (!crowded) seed_ += 0xA24BAED4963EE407U;
  while (true) {
    slots_.assign(slots, {});
    shift_ = 64 - std::countr_zero(slots);
    if (Refill(old)) return;
    seed_ += 0xA24BAED4963EE407U;
  }
}

bool PairCountTable::Refill(const std::vector<PairCount>& old) {
  for (const PairCount& entry : old) {
    if (entry.key == kEmptyKey) continue;
    size_t slot = SlotOf(entry.key);
    size_t probes = 0;
    while (slots_[slot].key != kEmptyKey) {
      slot = (slot + 1) & (slots_.size() - 1);
      if (++probes > kMaxProbes) return false;
    }
    slots_[slot] = entry;
  }
  return true;
}

void PairCountTable::Clear() {
  slots_ = std::vector<PairCount>();  // an empty list would keep the memory
  size_ = 0;
  shift_ = 64;
}

PairCounter::PairCounter(Options options) : options_(std::move(options)) {
  const uint64_t usual = options_.expected_symbols / kSymbolsPerPartition;
  partition_bits_ = std::min(kUsualPartitionBits, static_cast<int>(std::bit_width(usual)));
  if (options_.memory_limit_bytes > 0) {
    // Even if no pair occurs twice, one partition has to fit in a part of the limit.
    const uint64_t worst = options_.expected_symbols * 4 * sizeof(PairCount);
    const uint64_t parts = worst / std::max<uint64_t>(options_.memory_limit_bytes / 8, 1);
    partition_bits_ = std::max(partition_bits_, std::min(kMaxPartitionBits, static_cast<int>(std::bit_width(parts))));
  }
  tables_.resize(size_t{1} << partition_bits_);
}

PairCounter::~PairCounter() { Clear(); }

void PairCounter::Clear() {
  for (PairCountTable& table : tables_) table.Clear();
  for (Run& run : runs_) {
    run.reader.reset();
    options_.files->RemoveFile(run.path).IgnoreError();
  }
  runs_.clear();
}

void PairCounter::MatchPartitions(const PairCounter& other) {
  partition_bits_ = other.partition_bits_;
  tables_.resize(other.tables_.size());
}

size_t PairCounter::PartitionOf(uint64_t key) const {
  return static_cast<size_t>(Mix(key) >> 32 >> (32 - partition_bits_));
}

uint64_t PairCounter::memory_bytes() const {
  uint64_t bytes = 0;
  for (const PairCountTable& table : tables_) bytes += table.memory_bytes();
  return bytes;
}

size_t PairCounter::batch_chunks(size_t threads, size_t chunk_symbols) const {
  const size_t usual = std::max(kBatchChunks, 4 * threads);
  if (options_.memory_limit_bytes == 0) return usual;
  // Keys, and the copy in which they are partitioned.
  const uint64_t chunk_bytes = uint64_t{chunk_symbols} * 2 * sizeof(uint64_t);
  return std::clamp<size_t>(static_cast<size_t>(options_.memory_limit_bytes / 4 / chunk_bytes), 1, usual);
}

void PairCounter::Partition(PairKeys& batch) const {
  PairKeys partitioned = {.keys = std::move(batch.other_keys),
                          .weights = std::move(batch.other_weights),
                          .ends = std::move(batch.ends),
                          .other_keys = {},
                          .other_weights = {}};
  Partition(batch, partitioned);
  partitioned.other_keys = std::move(batch.keys);
  partitioned.other_weights = std::move(batch.weights);
  batch = std::move(partitioned);
}

void PairCounter::Partition(const PairKeys& batch, PairKeys& partitioned) const {
  std::vector<uint32_t>& ends = partitioned.ends;
  ends.assign(partitions() + 1, 0);
  for (const uint64_t key : batch.keys) ++ends[PartitionOf(key)];
  uint32_t begin = 0;
  for (uint32_t& end : ends) begin += std::exchange(end, begin);
  partitioned.keys.resize(batch.keys.size());
  partitioned.weights.resize(batch.weights.size());
  uint64_t* const keys = partitioned.keys.data();
  for (size_t i = 0; i < batch.keys.size(); ++i) {
    const uint32_t to = ends[PartitionOf(batch.keys[i])]++;
    keys[to] = batch.keys[i];
    if (!batch.weights.empty()) partitioned.weights[to] = batch.weights[i];
  }
  // Each entry now is the end of its partition; entry p + 1 becomes that, entry 0 the begin of the first.
  std::rotate(ends.begin(), ends.end() - 1, ends.end());
  ends[0] = 0;
}

absl::Status PairCounter::Add(std::span<const PairKeys> batches, ThreadPool& pool, const CancellationToken& cancel) {
  std::vector<Place> places(partitions());
  while (true) {
    std::atomic<uint64_t> used_bytes = memory_bytes();
    std::atomic<bool> is_over = false;
    CLM_RETURN_IF_ERROR(pool.ParallelFor(partitions(), cancel, [&](size_t p) {
      if (!AddPartition(batches, p, used_bytes, places[p])) is_over = true;
      return absl::OkStatus();
    }));
    if (!is_over) return absl::OkStatus();
    CLM_RETURN_IF_ERROR(Spill());
  }
}

bool PairCounter::AddPartition(std::span<const PairKeys> batches, size_t partition, std::atomic<uint64_t>& used_bytes,
                               Place& place) {
  PairCountTable& table = tables_[partition];
  const bool is_limited = options_.memory_limit_bytes > 0;
  for (; place.batch < batches.size(); ++place.batch, place.key = 0) {
    const PairKeys& batch = batches[place.batch];
    const uint32_t end = batch.ends[partition + 1];
    for (uint32_t i = batch.ends[partition] + place.key; i < end; ++i) {
      const uint64_t before = table.memory_bytes();
      uint64_t more = 0;
      if (is_limited && table.is_full()) {
        // Old slots stay until the new ones are filled. An empty table may always grow, so that adding ends.
        more = table.grown_bytes();
        if (used_bytes.fetch_add(more) + more > table_limit_bytes() && before > 0) {
          used_bytes -= more;
          place.key = i - batch.ends[partition];
          return false;
        }
      }
      table.Add(batch.keys[i], batch.weights.empty() ? 1 : batch.weights[i]);
      if (is_limited && table.memory_bytes() != before) used_bytes += table.memory_bytes() - before - more;
    }
  }
  return true;
}

absl::Status PairCounter::Subtract(std::span<const PairKeys> batches, ThreadPool& pool,
                                   const CancellationToken& cancel) {
  CLM_CHECK(!is_spilled());
  return pool.ParallelFor(partitions(), cancel, [&](size_t p) {
    for (const PairKeys& batch : batches) {
      for (uint32_t i = batch.ends[p]; i < batch.ends[p + 1]; ++i) {
        PairCount* const entry = tables_[p].Find(batch.keys[i]);
        if (entry == nullptr || entry->count == 0) continue;
        entry->count -= batch.weights.empty() ? 1 : batch.weights[i];
      }
    }
    return absl::OkStatus();
  });
}

absl::Status PairCounter::Count(const SymbolStream& stream, const PairCountOptions& options, ThreadPool& pool,
                                const CancellationToken& cancel) {
  return CountsDense(stream, options.vocab_size, pool.threads()) ? CountDense(stream, options, pool, cancel)
                                                                 : CountHashed(stream, options, pool, cancel);
}

bool PairCounter::CountsDense(const SymbolStream& stream, uint32_t vocab_size, size_t threads) const {
  const uint64_t cells = uint64_t{vocab_size} * vocab_size;
  if (vocab_size > kDenseVocabLimit || cells > 4 * stream.symbol_count()) return false;
  return options_.memory_limit_bytes == 0 || threads * cells * sizeof(uint64_t) <= options_.memory_limit_bytes / 4;
}

// Each thread counts into a table of its own, and tables are added up.
absl::Status PairCounter::CountDense(const SymbolStream& stream, const PairCountOptions& options, ThreadPool& pool,
                                     const CancellationToken& cancel) {
  const size_t vocab_size = options.vocab_size;
  CLM_ASSIGN_OR_RETURN(const std::vector<bool> taken, TakenBySelfPairs(stream, options, pool, cancel));
  WorkerPool<std::vector<uint64_t>> squares([&] { return std::vector<uint64_t>(vocab_size * vocab_size); });
  CLM_RETURN_IF_ERROR(stream.Visit(0, stream.chunk_count(), pool, cancel, [&](size_t index, const SymbolChunk& chunk) {
    const auto square = squares.Borrow();
    uint64_t* const counts = square->data();
    ForEachPair(chunk, options, taken[index],
                [&](SymbolId left, SymbolId right, uint64_t n) { counts[left * vocab_size + right] += n; });
    return absl::OkStatus();
  }));
  for (size_t cell = 0; cell < vocab_size * vocab_size; ++cell) {
    uint64_t count = 0;
    for (const std::vector<uint64_t>& square : squares.workers()) count += square[cell];
    if (count == 0) continue;
    const uint64_t key = PairKey(static_cast<SymbolId>(cell / vocab_size), static_cast<SymbolId>(cell % vocab_size));
    tables_[PartitionOf(key)].Add(key, count);
  }
  const bool is_over = options_.memory_limit_bytes > 0 && memory_bytes() > table_limit_bytes();
  return is_over ? Spill() : absl::OkStatus();
}

absl::Status PairCounter::CountHashed(const SymbolStream& stream, const PairCountOptions& options, ThreadPool& pool,
                                      const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const std::vector<bool> taken, TakenBySelfPairs(stream, options, pool, cancel));
  const size_t step = std::min(batch_chunks(pool.threads(), stream.chunk_symbols()), stream.chunk_count());
  const size_t parts = (stream.chunk_symbols() + kPartKeys - 1) / kPartKeys;  // of a chunk
  std::vector<PairKeys> batches(step * parts);
  WorkerPool<PairKeys> rooms([] { return PairKeys(); });
  for (size_t begin = 0; begin < stream.chunk_count(); begin += step) {
    const size_t end = std::min(stream.chunk_count(), begin + step);
    CLM_RETURN_IF_ERROR(stream.Visit(begin, end, pool, cancel, [&](size_t index, const SymbolChunk& chunk) {
      const auto room = rooms.Borrow();
      CollectKeys(chunk, options, taken[index], *room, std::span(batches).subspan((index - begin) * parts, parts));
      return absl::OkStatus();
    }));
    CLM_RETURN_IF_ERROR(Add(std::span(batches).first((end - begin) * parts), pool, cancel));
  }
  return absl::OkStatus();
}

// The last part takes what the others leave: chunks with weights may be longer than others.
void PairCounter::CollectKeys(const SymbolChunk& chunk, const PairCountOptions& options, bool first_is_taken,
                              PairKeys& room, std::span<PairKeys> parts) const {
  const bool weighted = !chunk.weights.empty();
  size_t part = 0;
  room.Clear();
  const auto flush = [&] {
    Partition(room, parts[part++]);
    room.Clear();
  };
  ForEachPair(chunk, options, first_is_taken, [&](SymbolId left, SymbolId right, uint64_t n) {
    room.Add(left, right);
    if (weighted) room.weights.push_back(n);
    if (room.keys.size() == kPartKeys && part + 1 < parts.size()) flush();
  });
  while (part < parts.size()) flush();
}

absl::Status PairCounter::Spill() {
  CLM_CHECK(options_.files != nullptr);
  Run& run = runs_.emplace_back();
  run.path = JoinPath(options_.folder, absl::StrCat(options_.name, "-", runs_.size(), ".scratch"));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, options_.files->Create(run.path));
  uint64_t end = 0;
  std::vector<PairCount> pairs;
  for (PairCountTable& table : tables_) {
    pairs.clear();
    for (const PairCount& entry : table.slots()) {
      if (entry.count > 0) pairs.push_back(entry);
    }
    table.Clear();
    CLM_RETURN_IF_ERROR(file->Append({reinterpret_cast<const char*>(pairs.data()), pairs.size() * sizeof(PairCount)}));
    end += pairs.size();
    run.ends.push_back(end);
  }
  CLM_RETURN_IF_ERROR(file->Close());
  CLM_ASSIGN_OR_RETURN(run.reader, options_.files->Open(run.path));
  return absl::OkStatus();
}

absl::Status PairCounter::ReadRuns(size_t partition, PairCountTable& table) const {
  std::string content;
  for (const Run& run : runs_) {
    const uint64_t end = run.ends[partition];
    for (uint64_t i = partition == 0 ? 0 : run.ends[partition - 1]; i < end; i += kReadPairs) {
      const size_t pairs = static_cast<size_t>(std::min<uint64_t>(kReadPairs, end - i));
      CLM_RETURN_IF_ERROR(run.reader->Read(i * sizeof(PairCount), pairs * sizeof(PairCount), content));
      if (content.size() != pairs * sizeof(PairCount)) {
        return absl::DataLossError(absl::StrCat("the scratch file ", run.path, " was cut"));
      }
      for (size_t p = 0; p < pairs; ++p) {
        PairCount entry;
        std::memcpy(&entry, content.data() + p * sizeof(PairCount), sizeof(PairCount));
        table.Add(entry.key, entry.count);
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<const PairCountTable*> PairCounter::Load(size_t partition, PairCountTable& scratch) const {
  if (!is_spilled()) return &tables_[partition];
  scratch.Clear();
  CLM_RETURN_IF_ERROR(ReadRuns(partition, scratch));
  for (const PairCount& entry : tables_[partition].slots()) {
    if (entry.count > 0) scratch.Add(entry.key, entry.count);
  }
  return &scratch;
}

absl::Status PairCounter::Visit(ThreadPool& pool, const CancellationToken& cancel, const Visitor& visit) const {
  return pool.ParallelFor(partitions(), cancel, [&](size_t p) -> absl::Status {
    PairCountTable scratch;
    CLM_ASSIGN_OR_RETURN(const PairCountTable* const table, Load(p, scratch));
    return visit(p, table->slots());
  });
}

absl::Status PairCounter::Retain(const Filter& keep, ThreadPool& pool, const CancellationToken& cancel) {
  CLM_CHECK(!is_spilled());
  return pool.ParallelFor(partitions(), cancel, [&](size_t p) {
    PairCountTable kept;
    for (const PairCount& entry : std::as_const(tables_[p]).slots()) {
      if (entry.count > 0 && keep(entry)) kept.Add(entry.key, entry.count);
    }
    tables_[p] = std::move(kept);
    return absl::OkStatus();
  });
}

absl::Status PairCounter::Absorb(const PairCounter& other, const Filter& keep, ThreadPool& pool,
                                 const CancellationToken& cancel) {
  CLM_CHECK(!is_spilled() && !other.is_spilled() && partitions() == other.partitions());
  return pool.ParallelFor(partitions(), cancel, [&](size_t p) {
    for (const PairCount& entry : other.tables_[p].slots()) {
      if (entry.count > 0 && keep(entry)) tables_[p].Add(entry.key, entry.count);
    }
    return absl::OkStatus();
  });
}

uint64_t PairCounter::Find(const SymbolPair& pair) const {
  const uint64_t key = PairKey(pair.left, pair.right);
  const PairCount* const entry = tables_[PartitionOf(key)].Find(key);
  return entry == nullptr ? 0 : entry->count;
}

void PairCounter::Forget(const SymbolPair& pair) {
  const uint64_t key = PairKey(pair.left, pair.right);
  PairCount* const entry = tables_[PartitionOf(key)].Find(key);
  if (entry != nullptr) entry->count = 0;
}

absl::StatusOr<std::vector<uint64_t>> CountSymbols(const SymbolStream& stream, uint32_t vocab_size, ThreadPool& pool,
                                                   const CancellationToken& cancel) {
  WorkerPool<std::vector<uint64_t>> counts([&] { return std::vector<uint64_t>(vocab_size); });
  CLM_RETURN_IF_ERROR(stream.Visit(0, stream.chunk_count(), pool, cancel, [&](size_t, const SymbolChunk& chunk) {
    const auto worker = counts.Borrow();
    uint64_t* const of_id = worker->data();
    size_t document = 0;
    for (size_t t = 0; t < chunk.size(); ++t) {
      if (chunk.symbols[t] == kPackedSeparator) {
        ++document;
      } else {
        of_id[chunk.symbols[t] & kIdMask] += chunk.weights.empty() ? 1 : chunk.weights[document];
      }
    }
    return absl::OkStatus();
  }));
  std::vector<uint64_t> total(vocab_size);
  for (const std::vector<uint64_t>& part : counts.workers()) {
    for (size_t id = 0; id < vocab_size; ++id) total[id] += part[id];
  }
  return total;
}

}  // namespace clm
