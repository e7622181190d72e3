#include "core/trace/trace_statistics.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/codec/rank_coder.h"

namespace clm {

TraceStatistics StatisticsOf(std::span<const TraceRow> rows, uint64_t original_bytes) {
  TraceStatistics statistics;
  statistics.symbols = rows.size();
  statistics.original_bytes = original_bytes;
  for (const TraceRow& row : rows) {
    ++(row.rank == kMissRank ? statistics.misses : statistics.hits);
    if (row.rank == 0) ++statistics.perfect;
    statistics.bits += row.bits;
    statistics.entropy += row.entropy;
  }
  return statistics;
}

RankBinSizes SizesOf(const RankBin& bin) {
  const auto stored = std::find(bin.counts.begin(), bin.counts.end(), 1U) - bin.counts.begin();
  RankBinSizes sizes;
  sizes.symbol_table_bytes = 4 * bin.symbols.size();
  sizes.count_table_bytes = 4 * static_cast<uint64_t>(stored);
  sizes.payload_bytes = 4 * bin.words.size();
  return sizes;
}

absl::StatusOr<RankCosts> CostsOf(const Trace& trace) {
  const std::vector<RankSymbol> symbols = RankSymbolsOf(trace.rows);
  const RankAlphabet alphabet = {.vocab_size = trace.vocab_size, .top_k = trace.top_n};
  CLM_ASSIGN_OR_RETURN(const std::string with_table, EncodeRanksStatic(symbols, alphabet));
  CLM_ASSIGN_OR_RETURN(const std::string adaptive, EncodeRanksAdaptive(symbols, alphabet));
  CLM_ASSIGN_OR_RETURN(const RankBin bin, EncodeRankBin(symbols));
  double bits = 0;
  for (const TraceRow& row : trace.rows) bits += row.bits;
  RankCosts costs;
  costs.probability_bytes = static_cast<uint64_t>(std::ceil(bits / 8));
  costs.rank_static_bytes = with_table.size();
  costs.rank_adaptive_bytes = adaptive.size();
  costs.rank_bin_bytes = SizesOf(bin).total_bytes();
  return costs;
}

std::string StatisticsText(const TraceStatistics& statistics, const RankCosts& costs, const RankBinSizes& sizes) {
  const auto kilobytes = [](uint64_t bytes) { return static_cast<double>(bytes) / 1000; };
  std::string out;
  absl::StrAppendFormat(&out, "original          %d bytes\n", statistics.original_bytes);
  absl::StrAppendFormat(&out, "symbols           %d\n", statistics.symbols);
  absl::StrAppendFormat(&out, "hits              %d (%.1f %%)\n", statistics.hits, statistics.hit_percent());
  absl::StrAppendFormat(&out, "perfect hits      %d (%.1f %%)\n", statistics.perfect, statistics.perfect_percent());
  absl::StrAppendFormat(&out, "misses            %d (%.1f %%)\n", statistics.misses, statistics.miss_percent());
  absl::StrAppendFormat(&out, "bits per symbol   %.4f\n", statistics.bits_per_symbol());
  absl::StrAppendFormat(&out, "bits per byte     %.4f\n", statistics.bits_per_byte());
  absl::StrAppendFormat(&out, "probabilities     %.1f kB\n", kilobytes(costs.probability_bytes));
  absl::StrAppendFormat(&out, "ranks, adaptive   %.1f kB\n", kilobytes(costs.rank_adaptive_bytes));
  absl::StrAppendFormat(&out, "ranks, static     %.1f kB\n", kilobytes(costs.rank_static_bytes));
  absl::StrAppendFormat(&out, "ranks, .bin       %.1f kB (symbols %.1f, counts %.1f, payload %.1f)\n",
                        kilobytes(sizes.total_bytes()), kilobytes(sizes.symbol_table_bytes),
                        kilobytes(sizes.count_table_bytes), kilobytes(sizes.payload_bytes));
  return out;
}

std::vector<double> RankHistogram(std::span<const TraceRow> rows) {
  std::vector<uint64_t> counts(1);
  for (const TraceRow& row : rows) {
    const auto bar = static_cast<size_t>(int64_t{row.rank} + 1);
    if (bar >= counts.size()) counts.resize(bar + 1);
    ++counts[bar];
  }
  std::vector<double> percent;
  percent.reserve(counts.size());
  const double scale = rows.empty() ? 0 : 100 / static_cast<double>(rows.size());
  for (const uint64_t count : counts) percent.push_back(scale * static_cast<double>(count));
  return percent;
}

}  // namespace clm
