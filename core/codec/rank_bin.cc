#include "core/codec/rank_bin.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// floor(x) of x = count * 2^precision_bits / total as a double division rounds it to 53 bits, in integers. With
// x = q + r / total and b = bit_width(q), doubles near q are 2^(b - 53) apart, so x becomes q + 1 when
// (total - r) / total <= 2^(b - 54); a tie goes to q + 1, whose last bit is even.
uint64_t WidthOf(uint32_t count, uint64_t total, int precision_bits) {
  const absl::uint128 scaled = absl::uint128(count) << precision_bits;
  const auto quotient = static_cast<uint64_t>(scaled / total);
  const auto remainder = static_cast<uint64_t>(scaled % total);
  if (remainder == 0) return quotient;
  const int shift = 54 - static_cast<int>(std::bit_width(quotient));
  const bool rounds_up = (absl::uint128(total - remainder) << shift) <= total;
  return quotient + (rounds_up ? 1 : 0);
}

// The coder's state: `head` < 2^(2P), and at least 2^P unless no words are left.
class Coder {
 public:
  Coder(int precision_bits, std::vector<uint32_t> words)
      : precision_bits_(precision_bits), mask_((uint64_t{1} << precision_bits) - 1), words_(std::move(words)) {
    while (!words_.empty() && (head_ >> precision_bits_) == 0) Refill();
  }

  // Requires width >= 1 and start + width <= 2^P.
  void Push(uint64_t start, uint64_t width) {
    if ((head_ >> precision_bits_) >= width) {
      words_.push_back(static_cast<uint32_t>(head_ & mask_));
      head_ >>= precision_bits_;
    }
    head_ = ((head_ / width) << precision_bits_) + head_ % width + start;
  }
  uint64_t Slot() const { return head_ & mask_; }
  // Requires start <= Slot() < start + width.
  void Pop(uint64_t start, uint64_t width) {
    head_ = (head_ >> precision_bits_) * width + Slot() - start;
    if ((head_ >> precision_bits_) == 0 && !words_.empty()) Refill();
  }
  bool AtStart() const { return head_ == 0 && words_.empty(); }

  std::vector<uint32_t> Finish() && {
    for (; head_ != 0; head_ >>= precision_bits_) words_.push_back(static_cast<uint32_t>(head_ & mask_));
    return std::move(words_);
  }

 private:
  void Refill() {
    head_ = (head_ << precision_bits_) | words_.back();
    words_.pop_back();
  }

  const int precision_bits_;
  const uint64_t mask_;
  uint64_t head_ = 0;
  std::vector<uint32_t> words_;
};

// starts[i] = widths[0] + ... + widths[i - 1]; one more than there are widths.
std::vector<uint64_t> StartsOf(std::span<const uint64_t> widths) {
  std::vector<uint64_t> starts = {0};
  starts.reserve(widths.size() + 1);
  for (const uint64_t width : widths) starts.push_back(starts.back() + width);
  return starts;
}

absl::Status CheckPrecision(int64_t precision_bits, absl::StatusCode code) {
  if (precision_bits >= kMinRankBinPrecision && precision_bits <= kMaxRankBinPrecision) return absl::OkStatus();
  return absl::Status(code, absl::StrCat("precision ", precision_bits, " of the .bin is not in [", kMinRankBinPrecision,
                                         ", ", kMaxRankBinPrecision, "]"));
}

absl::Status Damage(absl::string_view what) { return absl::DataLossError(absl::StrCat("the .bin ", what)); }

absl::Status CheckCounts(const RankBin& bin) {
  uint64_t total = 0;
  for (size_t i = 0; i < bin.counts.size(); ++i) {
    const uint32_t count = bin.counts[i];
    if (count == 0) return Damage(absl::StrCat("counts symbol ", i, " zero times"));
    if (i > 0 && count > bin.counts[i - 1]) return Damage(absl::StrCat("counts rise at symbol ", i));
    total += count;
  }
  if (total != bin.length) return Damage(absl::StrCat("counts ", total, " symbols but says ", bin.length));
  if (bin.length > uint64_t{1} << bin.precision_bits) {
    return Damage(absl::StrCat("has ", bin.length, " symbols, too many for a precision of ", bin.precision_bits));
  }
  const std::vector<uint64_t> widths = RankBinWidths(bin.counts, bin.precision_bits);
  uint64_t sum = 0;
  for (const uint64_t width : widths) sum += width;
  if (sum > uint64_t{1} << bin.precision_bits) return Damage("has widths of more than the whole");
  return absl::OkStatus();
}

absl::Status CheckDistinct(std::span<const RankSymbol> symbols) {
  std::vector<RankSymbol> sorted(symbols.begin(), symbols.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  return twice == sorted.end() ? absl::OkStatus() : Damage(absl::StrCat("lists symbol ", *twice, " twice"));
}

absl::Status CheckWords(const RankBin& bin) {
  for (size_t i = 0; i < bin.words.size(); ++i) {
    if (bin.words[i] >> (bin.precision_bits - 1) > 1) {
      return Damage(absl::StrCat("word ", i, " has more than ", bin.precision_bits, " bits"));
    }
  }
  if (!bin.words.empty() && bin.words.back() == 0) return Damage("ends in an empty word");
  return absl::OkStatus();
}

// Big-endian numbers; the caller has checked that they are there.
uint32_t TakeU32(absl::string_view& data) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = (value << 8) | static_cast<uint8_t>(data[i]);
  data.remove_prefix(4);
  return value;
}

void AppendU32(uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(static_cast<uint8_t>(value >> shift)));
}

// By falling count, equal ones in the order in which they first come.
void BuildTable(std::span<const RankSymbol> message, RankBin& bin, absl::flat_hash_map<RankSymbol, uint32_t>& index) {
  std::vector<std::pair<RankSymbol, uint32_t>> table;
  for (const RankSymbol symbol : message) {
    const auto [found, is_new] = index.try_emplace(symbol, static_cast<uint32_t>(table.size()));
    if (is_new) table.emplace_back(symbol, 0);
    ++table[found->second].second;
  }
  std::stable_sort(table.begin(), table.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [symbol, count] : table) {
    index[symbol] = static_cast<uint32_t>(bin.symbols.size());
    bin.symbols.push_back(symbol);
    bin.counts.push_back(count);
  }
}

// Slots to table entries: the upper 12 bits say between which to search.
class SlotFinder {
 public:
  SlotFinder(std::span<const uint64_t> starts, int precision_bits)
      : starts_(starts), shift_(std::max(precision_bits - 12, 0)) {
    const size_t buckets = size_t{1} << (precision_bits - shift_);
    first_.reserve(buckets + 1);
    for (size_t bucket = 0; bucket <= buckets; ++bucket) {
      const auto above = std::upper_bound(starts.begin(), starts.end(), uint64_t{bucket} << shift_);
      first_.push_back(static_cast<size_t>(above - starts.begin()));
    }
  }

  // The entry whose interval holds `slot`; starts.size() - 1 for a slot above all of them.
  size_t Find(uint64_t slot) const {
    const size_t bucket = slot >> shift_;
    const auto begin = starts_.begin() + static_cast<std::ptrdiff_t>(first_[bucket]);
    const auto end = starts_.begin() + static_cast<std::ptrdiff_t>(first_[bucket + 1]);
    return static_cast<size_t>(std::upper_bound(begin, end, slot) - starts_.begin()) - 1;
  }

 private:
  const std::span<const uint64_t> starts_;
  const int shift_;
  std::vector<size_t> first_;  // of each bucket, how many starts are at or below its first slot
};

}  // namespace

std::vector<uint64_t> RankBinWidths(std::span<const uint32_t> counts, int precision_bits) {
  uint64_t total = 0;
  for (const uint32_t count : counts) total += count;
  std::vector<uint64_t> widths;
  if (total == 0) return widths;
  widths.reserve(counts.size());
  for (const uint32_t count : counts) widths.push_back(WidthOf(count, total, precision_bits));
  return widths;
}

absl::StatusOr<RankBin> EncodeRankBin(std::span<const RankSymbol> symbols, int precision_bits) {
  CLM_RETURN_IF_ERROR(CheckPrecision(precision_bits, absl::StatusCode::kInvalidArgument));
  const uint64_t limit = std::min((uint64_t{1} << precision_bits), uint64_t{0xffffffff});
  if (symbols.size() > limit) {
    return absl::InvalidArgumentError(
        absl::StrCat(symbols.size(), " symbols at a precision of ", precision_bits, " bits, the limit is ", limit));
  }
  RankBin bin;
  bin.precision_bits = precision_bits;
  bin.length = static_cast<uint32_t>(symbols.size());
  absl::flat_hash_map<RankSymbol, uint32_t> index;
  BuildTable(symbols, bin, index);
  const std::vector<uint64_t> widths = RankBinWidths(bin.counts, precision_bits);
  const std::vector<uint64_t> starts = StartsOf(widths);
  Coder coder(precision_bits, {});
  for (size_t i = symbols.size(); i-- > 0;) {
    const uint32_t entry = index.find(symbols[i])->second;
    coder.Push(starts[entry], widths[entry]);
  }
  bin.words = std::move(coder).Finish();
  return bin;
}

absl::StatusOr<std::vector<RankSymbol>> DecodeRankBin(const RankBin& bin, uint32_t max_symbols) {
  CLM_RETURN_IF_ERROR(CheckRankBin(bin));
  if (bin.length > max_symbols) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the .bin holds ", bin.length, " symbols, the limit is ", max_symbols));
  }
  const std::vector<uint64_t> widths = RankBinWidths(bin.counts, bin.precision_bits);
  const std::vector<uint64_t> starts = StartsOf(widths);
  const SlotFinder finder(starts, bin.precision_bits);
  std::vector<uint32_t> left = bin.counts;
  Coder coder(bin.precision_bits, bin.words);
  std::vector<RankSymbol> symbols(bin.length);
  for (size_t i = 0; i < symbols.size(); ++i) {
    const size_t entry = finder.Find(coder.Slot());
    if (entry >= widths.size() || left[entry]-- == 0) {
      return Damage(absl::StrCat("holds no such symbol at position ", i, " of ", bin.length));
    }
    symbols[i] = bin.symbols[entry];
    coder.Pop(starts[entry], widths[entry]);
  }
  if (!coder.AtStart()) return Damage("does not end in the initial state");
  return symbols;
}

absl::Status CheckRankBin(const RankBin& bin) {
  CLM_RETURN_IF_ERROR(CheckPrecision(bin.precision_bits, absl::StatusCode::kDataLoss));
  if (bin.symbols.size() != bin.counts.size()) {
    return Damage(absl::StrCat("has ", bin.symbols.size(), " symbols and ", bin.counts.size(), " counts"));
  }
  if (bin.length == 0 && !bin.words.empty()) {
    return Damage(absl::StrCat("has ", bin.words.size(), " words for no symbols"));
  }
  CLM_RETURN_IF_ERROR(CheckCounts(bin));
  CLM_RETURN_IF_ERROR(CheckDistinct(bin.symbols));
  return CheckWords(bin);
}

absl::StatusOr<std::string> WriteRankBin(const RankBin& bin) {
  if (const absl::Status status = CheckRankBin(bin); !status.ok()) {
    return absl::InvalidArgumentError(status.message());
  }
  const auto first_one = std::find(bin.counts.begin(), bin.counts.end(), 1U);
  const std::span<const uint32_t> stored(bin.counts.begin(), first_one);
  std::string out;
  out.reserve(kRankBinHeaderBytes + 4 * (bin.symbols.size() + stored.size() + bin.words.size()));
  for (const size_t number : {bin.symbols.size(), stored.size(), bin.words.size(), size_t{bin.length}}) {
    AppendU32(static_cast<uint32_t>(number), out);
  }
  AppendU32(static_cast<uint32_t>(bin.precision_bits), out);
  for (const RankSymbol symbol : bin.symbols) AppendU32(static_cast<uint32_t>(symbol), out);
  for (const uint32_t count : stored) AppendU32(count, out);
  for (const uint32_t word : bin.words) AppendU32(word, out);
  return out;
}

absl::StatusOr<RankBin> ParseRankBin(absl::string_view data) {
  if (data.size() < kRankBinHeaderBytes) {
    return Damage(absl::StrCat("is ", data.size(), " bytes long, its header alone takes ", kRankBinHeaderBytes));
  }
  const size_t total_bytes = data.size();
  const uint64_t symbols = TakeU32(data);
  const uint64_t counts = TakeU32(data);
  const uint64_t words = TakeU32(data);
  RankBin bin;
  bin.length = TakeU32(data);
  const uint32_t precision = TakeU32(data);
  CLM_RETURN_IF_ERROR(CheckPrecision(precision, absl::StatusCode::kDataLoss));
  bin.precision_bits = static_cast<int>(precision);
  if (counts > symbols) return Damage(absl::StrCat("has ", counts, " counts for ", symbols, " symbols"));
  if (symbols > bin.length) return Damage(absl::StrCat("has ", symbols, " symbols in a text of ", bin.length));
  if (const uint64_t need = kRankBinHeaderBytes + 4 * (symbols + counts + words); need != total_bytes) {
    return Damage(absl::StrCat("is ", total_bytes, " bytes long, its header says ", need));
  }
  for (uint64_t i = 0; i < symbols; ++i) bin.symbols.push_back(static_cast<RankSymbol>(TakeU32(data)));
  for (uint64_t i = 0; i < counts; ++i) {
    bin.counts.push_back(TakeU32(data));
    if (bin.counts.back() == 1) return Damage(absl::StrCat("stores a count of 1 for symbol ", i));
  }
  bin.counts.resize(symbols, 1);
  for (uint64_t i = 0; i < words; ++i) bin.words.push_back(TakeU32(data));
  CLM_RETURN_IF_ERROR(CheckRankBin(bin));
  return bin;
}

}  // namespace clm
