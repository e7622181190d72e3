#include "core/coordinate/pair_counter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "core/base/status_macros.h"

namespace clm {
namespace {

// Counts of a table this wide stay in the second-level cache.
constexpr uint32_t kDenseVocabLimit = 1024;
constexpr size_t kCancelInterval = size_t{1} << 16;
constexpr int kRadixBits = 11;

bool RuleAllows(JoinRule rule, PackedSymbol left, PackedSymbol right, PackedSymbol next) {
  if (rule == JoinRule::kAny) return true;
  if (rule == JoinRule::kWithinPretoken) return (right & kPretokenStart) == 0;
  return (left & right & next & kPretokenStart) != 0;
}

// Calls sink(left, right) for each pair that counts. Stops early, with the token's status, when cancelled.
template <typename Sink>
absl::Status ForEachPair(const SymbolShard& shard, const PairCountOptions& options, const CancellationToken& cancel,
                         Sink sink) {
  // A separator follows the last symbol, so shard[t + 2] exists whenever t and t + 1 hold symbols.
  size_t last_self_pair = shard.size();  // where a self-pair was counted last; shard.size() if nowhere
  for (size_t t = 0; t + 1 < shard.size(); ++t) {
    if (t % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    if (shard[t] == kPackedSeparator || shard[t + 1] == kPackedSeparator) continue;
    if (!RuleAllows(options.rule, shard[t], shard[t + 1], shard[t + 2])) continue;
    const SymbolId left = shard[t] & kIdMask;
    const SymbolId right = shard[t + 1] & kIdMask;
    if (options.overlap == PairOverlap::kExact && left == right) {
      if (last_self_pair + 1 == t) continue;  // its left symbol is the right one of the pair just counted
      last_self_pair = t;
    }
    sink(left, right);
  }
  return absl::OkStatus();
}

// Ascending. Digits that all keys share are skipped.
void RadixSort(std::vector<uint64_t>& keys, std::vector<uint64_t>& scratch, int key_bits) {
  scratch.resize(keys.size());
  for (int shift = 0; shift < key_bits; shift += kRadixBits) {
    std::array<size_t, size_t{1} << kRadixBits> starts{};
    constexpr uint64_t kDigitMask = (uint64_t{1} << kRadixBits) - 1;
    for (const uint64_t key : keys) ++starts[key >> shift & kDigitMask];
    size_t begin = 0;
    for (size_t& start : starts) begin += std::exchange(start, begin);
    for (const uint64_t key : keys) scratch[starts[key >> shift & kDigitMask]++] = key;
    keys.swap(scratch);
  }
}

std::vector<PairCount> RunsOfSortedKeys(std::span<const uint64_t> keys, int id_bits) {
  std::vector<PairCount> runs;
  const uint64_t right_mask = (uint64_t{1} << id_bits) - 1;
  size_t i = 0;
  while (i < keys.size()) {
    size_t end = i + 1;
    while (end < keys.size() && keys[end] == keys[i]) ++end;
    const SymbolPair pair = {static_cast<SymbolId>(keys[i] >> id_bits), static_cast<SymbolId>(keys[i] & right_mask)};
    runs.push_back({.pair = pair, .count = end - i});
    i = end;
  }
  return runs;
}

std::vector<PairCount> MergeRuns(const std::vector<PairCount>& a, const std::vector<PairCount>& b) {
  std::vector<PairCount> merged;
  merged.reserve(a.size() + b.size());
  const auto key_of = [](const PairCount& entry) { return PairKey(entry.pair.left, entry.pair.right); };
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const uint64_t key_a = key_of(a[i]);
    const uint64_t key_b = key_of(b[j]);
    if (key_a == key_b) {
      merged.push_back({.pair = a[i].pair, .count = a[i].count + b[j].count});
      ++i;
      ++j;
    } else {
      merged.push_back(key_a < key_b ? a[i++] : b[j++]);
    }
  }
  merged.insert(merged.end(), a.begin() + static_cast<ptrdiff_t>(i), a.end());
  merged.insert(merged.end(), b.begin() + static_cast<ptrdiff_t>(j), b.end());
  return merged;
}

absl::StatusOr<std::vector<PairCount>> CountSorted(std::span<const SymbolShard> shards, const PairCountOptions& options,
                                                   ThreadPool& pool, const CancellationToken& cancel) {
  const int id_bits = static_cast<int>(std::bit_width(options.vocab_size));
  std::vector<std::vector<PairCount>> runs(shards.size());
  const absl::Status sorted = pool.ParallelFor(shards.size(), cancel, [&](size_t s) -> absl::Status {
    std::vector<uint64_t> keys;
    keys.reserve(shards[s].size());
    const auto add_key = [&](SymbolId left, SymbolId right) { keys.push_back(uint64_t{left} << id_bits | right); };
    CLM_RETURN_IF_ERROR(ForEachPair(shards[s], options, cancel, add_key));
    std::vector<uint64_t> scratch;
    RadixSort(keys, scratch, 2 * id_bits);
    runs[s] = RunsOfSortedKeys(keys, id_bits);
    return absl::OkStatus();
  });
  CLM_RETURN_IF_ERROR(sorted);
  while (runs.size() > 1) {
    std::vector<std::vector<PairCount>> merged((runs.size() + 1) / 2);
    CLM_RETURN_IF_ERROR(pool.ParallelFor(merged.size(), cancel, [&](size_t i) -> absl::Status {
      const bool has_partner = 2 * i + 1 < runs.size();
      merged[i] = has_partner ? MergeRuns(runs[2 * i], runs[2 * i + 1]) : std::move(runs[2 * i]);
      return absl::OkStatus();
    }));
    runs = std::move(merged);
  }
  return runs.empty() ? std::vector<PairCount>() : std::move(runs.front());
}

// Shard s belongs to group s % groups; each group counts into a table of its own, and tables are added up.
template <typename CountShard>
absl::StatusOr<std::vector<uint64_t>> CountInGroups(std::span<const SymbolShard> shards, size_t table_size,
                                                    ThreadPool& pool, const CancellationToken& cancel,
                                                    CountShard count_shard) {
  const size_t groups = std::max<size_t>(1, std::min(pool.threads(), shards.size()));
  std::vector<std::vector<uint64_t>> tables(groups);
  const absl::Status counted = pool.ParallelFor(groups, cancel, [&](size_t g) -> absl::Status {
    tables[g].resize(table_size);
    for (size_t s = g; s < shards.size(); s += groups) CLM_RETURN_IF_ERROR(count_shard(shards[s], tables[g]));
    return absl::OkStatus();
  });
  CLM_RETURN_IF_ERROR(counted);
  for (size_t g = 1; g < groups; ++g) {
    for (size_t i = 0; i < table_size; ++i) tables[0][i] += tables[g][i];
  }
  return std::move(tables[0]);
}

absl::StatusOr<std::vector<PairCount>> CountDense(std::span<const SymbolShard> shards, const PairCountOptions& options,
                                                  ThreadPool& pool, const CancellationToken& cancel) {
  const size_t vocab_size = options.vocab_size;
  const auto count_shard = [&](const SymbolShard& shard, std::vector<uint64_t>& table) {
    return ForEachPair(shard, options, cancel,
                       [&](SymbolId left, SymbolId right) { ++table[left * vocab_size + right]; });
  };
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> table,
                       CountInGroups(shards, vocab_size * vocab_size, pool, cancel, count_shard));
  std::vector<PairCount> counts;
  for (size_t i = 0; i < table.size(); ++i) {
    if (table[i] == 0) continue;
    const SymbolPair pair = {static_cast<SymbolId>(i / vocab_size), static_cast<SymbolId>(i % vocab_size)};
    counts.push_back({.pair = pair, .count = table[i]});
  }
  return counts;
}

}  // namespace

absl::StatusOr<std::vector<PairCount>> CountPairs(std::span<const SymbolShard> shards, const PairCountOptions& options,
                                                  ThreadPool& pool, const CancellationToken& cancel) {
  size_t symbols = 0;
  for (const SymbolShard& shard : shards) symbols += shard.size();
  const uint64_t cells = uint64_t{options.vocab_size} * options.vocab_size;
  const bool dense = options.vocab_size <= kDenseVocabLimit && cells <= 4 * symbols;
  return dense ? CountDense(shards, options, pool, cancel) : CountSorted(shards, options, pool, cancel);
}

absl::StatusOr<std::vector<uint64_t>> CountSymbols(std::span<const SymbolShard> shards, uint32_t vocab_size,
                                                   ThreadPool& pool, const CancellationToken& cancel) {
  return CountInGroups(shards, vocab_size, pool, cancel,
                       [&](const SymbolShard& shard, std::vector<uint64_t>& table) -> absl::Status {
                         CLM_RETURN_IF_ERROR(cancel.Check());
                         for (const PackedSymbol symbol : shard) {
                           if (symbol != kPackedSeparator) ++table[symbol & kIdMask];
                         }
                         return absl::OkStatus();
                       });
}

uint64_t FindCount(std::span<const PairCount> counts, const SymbolPair& pair) {
  const uint64_t key = PairKey(pair.left, pair.right);
  const auto found = std::lower_bound(counts.begin(), counts.end(), key, [](const PairCount& entry, uint64_t wanted) {
    return PairKey(entry.pair.left, entry.pair.right) < wanted;
  });
  return found != counts.end() && found->pair == pair ? found->count : 0;
}

}  // namespace clm
