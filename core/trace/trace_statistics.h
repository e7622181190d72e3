// TraceStatistics: a trace in numbers.
//
// Shares count every row, those that the predictor was not asked for as misses: hits + misses = 100 %.
// Thread-safety: functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/codec/rank_bin.h"
#include "core/trace/trace.h"

namespace clm {

struct TraceStatistics {
  uint64_t symbols = 0;
  uint64_t original_bytes = 0;
  uint64_t hits = 0;     // rank below top_n
  uint64_t misses = 0;   // the others
  uint64_t perfect = 0;  // rank 0
  double bits = 0;       // of all rows that were asked for: what the predictor's own distribution needs
  double entropy = 0;    // expected bits of the same rows; 0 when the trace has none

  // Of the symbols; 0 without any.
  double hit_percent() const { return Percent(hits); }
  double miss_percent() const { return Percent(misses); }
  double perfect_percent() const { return Percent(perfect); }
  double bits_per_symbol() const { return symbols == 0 ? 0 : bits / static_cast<double>(symbols); }
  double bits_per_byte() const { return original_bytes == 0 ? 0 : bits / static_cast<double>(original_bytes); }

 private:
  double Percent(uint64_t part) const {
    return symbols == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(symbols);
  }
};

TraceStatistics StatisticsOf(std::span<const TraceRow> rows, uint64_t original_bytes);

// The parts of a .bin file, each in bytes; together the file.
struct RankBinSizes {
  uint64_t header_bytes = kRankBinHeaderBytes;
  uint64_t symbol_table_bytes = 0;
  uint64_t count_table_bytes = 0;  // without the ones at the end, which are not stored
  uint64_t payload_bytes = 0;

  uint64_t total_bytes() const { return header_bytes + symbol_table_bytes + count_table_bytes + payload_bytes; }
};
RankBinSizes SizesOf(const RankBin& bin);

// What the same rows cost coded in each way, in bytes.
struct RankCosts {
  uint64_t probability_bytes = 0;  // the predictor's own distribution: the bits of the rows, rounded up
  uint64_t rank_static_bytes = 0;
  uint64_t rank_adaptive_bytes = 0;
  uint64_t rank_bin_bytes = 0;  // the .bin file
};
// As the rank coders.
absl::StatusOr<RankCosts> CostsOf(const Trace& trace);

// For people: one line per number, each with its unit.
std::string StatisticsText(const TraceStatistics& statistics, const RankCosts& costs, const RankBinSizes& sizes);

// percent[0] is the misses' share, percent[1 + r] that of rank r, for the ranks up to the highest that comes. They sum
// to 100, or to 0 without rows.
std::vector<double> RankHistogram(std::span<const TraceRow> rows);

}  // namespace clm
