#include "core/codec/rank_coder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/codec/adaptive_bits.h"
#include "core/entropy/cdf.h"
#include "core/entropy/rans.h"

namespace clm {
namespace {

constexpr int kPrecisionBits = kMaxPrecisionBits;

// A symbol and how often it comes.
struct TableEntry {
  RankSymbol symbol = 0;
  uint32_t count = 0;
};

absl::Status CheckAlphabet(const RankAlphabet& alphabet, size_t count) {
  if (!alphabet.IsValid()) {
    return absl::InvalidArgumentError(absl::StrCat("a rank alphabet of ", alphabet.vocab_size, " symbols and top ",
                                                   alphabet.top_k,
                                                   ": symbols must be in [1, 2147483648], top in [0, symbols]"));
  }
  if (count > kMaxRankSymbols) {
    return absl::InvalidArgumentError(absl::StrCat(count, " ranks at once, the limit is ", kMaxRankSymbols));
  }
  return absl::OkStatus();
}

absl::Status CheckSymbols(std::span<const RankSymbol> symbols, const RankAlphabet& alphabet) {
  CLM_RETURN_IF_ERROR(CheckAlphabet(alphabet, symbols.size()));
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (alphabet.Contains(symbols[i])) continue;
    return absl::InvalidArgumentError(absl::StrCat("rank symbol ", symbols[i], " at position ", i,
                                                   " is not of the alphabet of ", alphabet.vocab_size,
                                                   " symbols and top ", alphabet.top_k));
  }
  return absl::OkStatus();
}

absl::Status TableDamage(absl::string_view what) { return absl::DataLossError(absl::StrCat("the rank table ", what)); }

// The codes of the static form's table, for both directions.
class TableCode {
 public:
  explicit TableCode(const RankAlphabet& alphabet) : previous_(-static_cast<int64_t>(alphabet.top_k) - 1) {}

  template <typename Coder>
  uint64_t CodeSize(Coder& coder, uint64_t size) {
    return sizes_.Code(coder, 0, size);
  }
  // Returns the symbol's distance to the one before, 0 for one that is too far.
  template <typename Coder>
  uint64_t CodeSymbol(Coder& coder, int64_t symbol) {
    const uint64_t distance = distances_.Code(coder, previous_ < 0 ? 0 : 1, static_cast<uint64_t>(symbol - previous_));
    previous_ += static_cast<int64_t>(distance);
    return distance;
  }
  template <typename Coder>
  uint64_t CodeCount(Coder& coder, uint64_t count) {
    return counts_.Code(coder, previous_ < 0 ? 0 : 1, count);
  }
  int64_t symbol() const { return previous_; }

 private:
  int64_t previous_;
  AdaptiveElias sizes_{1};
  AdaptiveElias distances_{2};
  AdaptiveElias counts_{2};
};

std::string WriteTable(std::span<const TableEntry> table, const RankAlphabet& alphabet) {
  BitWriter out;
  TableCode code(alphabet);
  code.CodeSize(out, table.size());
  for (const TableEntry& entry : table) {
    code.CodeSymbol(out, entry.symbol);
    code.CodeCount(out, entry.count);
  }
  return out.Finish();
}

// `count`: what the entries' counts sum to.
absl::StatusOr<std::vector<TableEntry>> ReadTable(absl::string_view data, size_t count, const RankAlphabet& alphabet) {
  BitReader in(data);
  TableCode code(alphabet);
  const uint64_t size = code.CodeSize(in, 1);
  if (size == 0 || size > count) return TableDamage(absl::StrCat("has ", size, " entries for ", count, " symbols"));
  std::vector<TableEntry> table;
  uint64_t left = count;
  for (uint64_t i = 0; i < size; ++i) {
    if (in.PastEnd()) return TableDamage("ends early");
    if (code.CodeSymbol(in, code.symbol() + 1) == 0 || code.symbol() >= int64_t{alphabet.vocab_size}) {
      return TableDamage("holds a symbol beyond the vocabulary");
    }
    const uint64_t times = code.CodeCount(in, 1);
    if (times == 0 || times > left) return TableDamage(absl::StrCat("counts more than ", count, " symbols"));
    left -= times;
    table.push_back({.symbol = static_cast<RankSymbol>(code.symbol()), .count = static_cast<uint32_t>(times)});
  }
  if (left != 0) return TableDamage(absl::StrCat("counts ", count - left, " of ", count, " symbols"));
  if (!in.Finished()) return TableDamage("does not end where it should");
  return table;
}

// Rising by symbol.
std::vector<TableEntry> CountSymbols(std::span<const RankSymbol> symbols) {
  absl::flat_hash_map<RankSymbol, uint32_t> counts;
  for (const RankSymbol symbol : symbols) ++counts[symbol];
  std::vector<TableEntry> table;
  table.reserve(counts.size());
  for (const auto& [symbol, count] : counts) table.push_back({.symbol = symbol, .count = count});
  std::sort(table.begin(), table.end(), [](const TableEntry& a, const TableEntry& b) { return a.symbol < b.symbol; });
  return table;
}

std::vector<uint32_t> CumulativeOf(std::span<const TableEntry> table) {
  std::vector<uint32_t> weights;
  weights.reserve(table.size());
  for (const TableEntry& entry : table) weights.push_back(entry.count);
  std::vector<uint32_t> frequencies(weights.size());
  NormalizeWeights(weights, kPrecisionBits, frequencies);
  std::vector<uint32_t> cumulative(weights.size() + 1);
  Accumulate(frequencies, cumulative);
  return cumulative;
}

// Slots to entries: the upper bits of a slot say between which entries to search.
class SlotIndex {
 public:
  explicit SlotIndex(std::vector<uint32_t> cumulative) : cumulative_(std::move(cumulative)), first_(kBuckets + 1) {
    size_t entry = 0;
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      while (cumulative_[entry + 1] <= bucket << kShift) ++entry;
      first_[bucket] = static_cast<uint32_t>(entry);
    }
    first_[kBuckets] = static_cast<uint32_t>(cumulative_.size() - 2);
  }

  // Requires slot < 2^kPrecisionBits.
  size_t Find(uint32_t slot) const {
    const size_t bucket = slot >> kShift;
    const size_t low = first_[bucket];
    const std::span<const uint32_t> range(cumulative_.data() + low, first_[bucket + 1] - low + 2);
    return low + FindSymbol(range, slot);
  }
  SymbolInterval Interval(size_t entry) const {
    return {.start = cumulative_[entry], .frequency = cumulative_[entry + 1] - cumulative_[entry]};
  }

 private:
  static constexpr int kShift = 12;
  static constexpr size_t kBuckets = size_t{1} << (kPrecisionBits - kShift);

  std::vector<uint32_t> cumulative_;
  std::vector<uint32_t> first_;  // of each bucket, the entry that holds its first slot
};

void AppendVarint(size_t value, std::string& out) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<char>(static_cast<uint8_t>(value | 128)));
  out.push_back(static_cast<char>(static_cast<uint8_t>(value)));
}

// Removes the number at the front of `data`; false unless it is there in its shortest form and below 2^35.
bool TakeVarint(absl::string_view& data, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < std::min<size_t>(data.size(), 5); ++i) {
    const auto byte = static_cast<uint8_t>(data[i]);
    value |= uint64_t{byte & 127U} << (7 * i);
    if (byte >= 128) continue;
    data.remove_prefix(i + 1);
    return byte != 0 || i == 0;
  }
  return false;
}

absl::StatusOr<std::vector<RankSymbol>> DecodeWithTable(absl::string_view payload, size_t count,
                                                        std::span<const TableEntry> table) {
  RansDecoder decoder(payload, kPrecisionBits);
  if (!decoder.Start()) return absl::DataLossError("the ranks begin with no valid state");
  const SlotIndex index(CumulativeOf(table));
  std::vector<uint32_t> left;  // of each entry, how often it has yet to come
  left.reserve(table.size());
  for (const TableEntry& entry : table) left.push_back(entry.count);
  std::vector<RankSymbol> symbols(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t entry = index.Find(decoder.Slot());
    if (left[entry]-- == 0 || !decoder.Take(index.Interval(entry))) {
      return absl::DataLossError(absl::StrCat("the ranks go wrong after ", i, " of ", count, " symbols"));
    }
    symbols[i] = table[entry].symbol;
  }
  if (!decoder.Finished()) return absl::DataLossError("the ranks do not end in the initial state");
  return symbols;
}

// Sixteen zeros after the last symbol: what a decoder that went wrong does not find.
template <typename Coder>
bool CodeEnd(Coder& coder) {
  for (int i = 0; i < 16; ++i) {
    if (CodeEvenBit(coder, 0) != 0) return false;
  }
  return true;
}

// The codes of the adaptive form, for both directions.
class AdaptiveCode {
 public:
  explicit AdaptiveCode(const RankAlphabet& alphabet)
      : misses_(static_cast<int>(std::bit_width(alphabet.vocab_size - 1))) {}

  // Codes `symbol` (ignored when reading). The result may be outside the alphabet when reading.
  template <typename Coder>
  int64_t Code(Coder& coder, RankSymbol symbol) {
    int64_t came = 0;
    if (hits_[context_].Code(coder, IsHit(symbol) ? 1 : 0) != 0) {
      const uint64_t rank = IsHit(symbol) ? uint64_t{RankOfHit(symbol)} + 1 : 1;
      came = -static_cast<int64_t>(ranks_.Code(coder, context_, rank));
      if (came == 0) came = -static_cast<int64_t>(AdaptiveElias::kMaxValue);
    } else {
      came = misses_.Code(coder, IsHit(symbol) ? 0 : SymbolOfMiss(symbol));
    }
    context_ = (context_ % kClasses) * kClasses + ClassOf(came);
    return came;
  }

 private:
  static constexpr size_t kClasses = 5;

  static size_t ClassOf(int64_t symbol) {
    if (symbol >= 0) return 4;
    if (symbol == -1) return 0;
    if (symbol >= -3) return 1;
    return symbol >= -10 ? 2 : 3;
  }

  size_t context_ = 0;  // classes of the last two symbols
  std::array<AdaptiveBit, kClasses * kClasses> hits_{};
  AdaptiveElias ranks_{kClasses * kClasses};
  AdaptiveTree misses_;
};

}  // namespace

absl::StatusOr<std::string> EncodeRanksStatic(std::span<const RankSymbol> symbols, const RankAlphabet& alphabet) {
  CLM_RETURN_IF_ERROR(CheckSymbols(symbols, alphabet));
  if (symbols.empty()) return std::string();
  const std::vector<TableEntry> table = CountSymbols(symbols);
  const std::vector<uint32_t> cumulative = CumulativeOf(table);
  absl::flat_hash_map<RankSymbol, SymbolInterval> intervals;
  intervals.reserve(table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    intervals[table[i].symbol] = {.start = cumulative[i], .frequency = cumulative[i + 1] - cumulative[i]};
  }
  RansEncoder encoder(kPrecisionBits);
  encoder.Reserve(symbols.size());
  for (const RankSymbol symbol : symbols) encoder.Add(intervals.find(symbol)->second);
  const std::string table_bytes = WriteTable(table, alphabet);
  std::string payload;
  AppendVarint(table_bytes.size(), payload);
  absl::StrAppend(&payload, table_bytes, encoder.Finish());
  return payload;
}

absl::StatusOr<std::vector<RankSymbol>> DecodeRanksStatic(absl::string_view payload, size_t count,
                                                          const RankAlphabet& alphabet) {
  CLM_RETURN_IF_ERROR(CheckAlphabet(alphabet, count));
  if (count == 0) {
    if (!payload.empty()) return absl::DataLossError("no ranks, but bytes for some");
    return std::vector<RankSymbol>();
  }
  uint64_t table_bytes = 0;
  if (!TakeVarint(payload, table_bytes) || table_bytes > payload.size()) {
    return absl::DataLossError("the rank table's length is not within the payload");
  }
  CLM_ASSIGN_OR_RETURN(const std::vector<TableEntry> table, ReadTable(payload.substr(0, table_bytes), count, alphabet));
  return DecodeWithTable(payload.substr(table_bytes), count, table);
}

absl::StatusOr<std::string> EncodeRanksAdaptive(std::span<const RankSymbol> symbols, const RankAlphabet& alphabet) {
  CLM_RETURN_IF_ERROR(CheckSymbols(symbols, alphabet));
  if (symbols.empty()) return std::string();
  BitWriter out;
  AdaptiveCode code(alphabet);
  for (const RankSymbol symbol : symbols) code.Code(out, symbol);
  CodeEnd(out);
  return out.Finish();
}

absl::StatusOr<std::vector<RankSymbol>> DecodeRanksAdaptive(absl::string_view payload, size_t count,
                                                            const RankAlphabet& alphabet) {
  CLM_RETURN_IF_ERROR(CheckAlphabet(alphabet, count));
  if (count == 0) {
    if (!payload.empty()) return absl::DataLossError("no ranks, but bytes for some");
    return std::vector<RankSymbol>();
  }
  BitReader in(payload);
  AdaptiveCode code(alphabet);
  std::vector<RankSymbol> symbols(count);
  for (size_t i = 0; i < count; ++i) {
    const int64_t symbol = code.Code(in, 0);
    if (in.PastEnd() || symbol >= int64_t{alphabet.vocab_size} || symbol < -int64_t{alphabet.top_k}) {
      return absl::DataLossError(absl::StrCat("the ranks go wrong after ", i, " of ", count, " symbols"));
    }
    symbols[i] = static_cast<RankSymbol>(symbol);
  }
  if (!CodeEnd(in) || !in.Finished()) return absl::DataLossError("the ranks do not end where they should");
  return symbols;
}

}  // namespace clm
