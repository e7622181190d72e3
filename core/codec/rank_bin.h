// RankBin: the .bin file of "A Compression View of Large Language Models" (github.com/ijm/LLM-compression, 2024), read
// and written so that its scripts and we understand each other's files. docs/formats/rank_bin.md has the same drawing.
//
//   u32 S alphabet | u32 K counts stored | u32 W words | u32 N symbols | u32 P precision      all big-endian
//   S x i32 symbols | K x u32 counts | W x u32 words                                         20 + 4 (S + K + W) bytes
//
// Symbols are RankSymbols by falling count, equal ones in the order in which they first come; the counts of 1 at the
// end are left out. Width i of 2^P is what counts[i] * 2^P / N gives in double precision, rounded down: the integer
// quotient for N < 2^21, where the two are proven equal (docs/formats/rank_bin.md); above, at most 1 more. Words hold P
// bits.
//
// The file names no model, tokenizer, window or top-N and has no checksum: what is read is UNVERIFIED. Nearly all
// damage is found all the same, because the coder must end in its initial state with every word used and every count
// come true; a changed symbol of the table is not. Frames (frame.h) are the format to keep things in.
//
// Stages: EncodeRankBin and DecodeRankBin are rangeEncode and rangeDecode, WriteRankBin and ParseRankBin are binOfRange
// and binToRange.
//
// Cost: linear in the symbols, log2(S) each. Memory: the file and 16 bytes per symbol.
// Thread-safety: free functions without state.
// Errors: DATA_LOSS for whatever no encoder can have written, before anything is allocated for it; INVALID_ARGUMENT for
// what cannot be encoded; RESOURCE_EXHAUSTED above a limit of the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/codec/rank_symbol.h"

namespace clm {

inline constexpr int kMinRankBinPrecision = 8;
inline constexpr int kMaxRankBinPrecision = 32;
inline constexpr size_t kRankBinHeaderBytes = 20;
// A file of one symbol may stand for any number of it: what a reader allows unless it says otherwise.
inline constexpr uint32_t kDefaultMaxRankBinSymbols = uint32_t{1} << 26;

struct RankBin {
  int precision_bits = kMaxRankBinPrecision;
  uint32_t length = 0;              // symbols coded
  std::vector<RankSymbol> symbols;  // the alphabet
  std::vector<uint32_t> counts;     // of each, ones included; they sum to `length`
  std::vector<uint32_t> words;      // each below 2^precision_bits

  friend bool operator==(const RankBin&, const RankBin&) = default;
};

// The width of each symbol in units of 2^-precision_bits; at most 2^32, and together at most 2^precision_bits.
// Empty when nothing was counted. Requires 8 <= precision_bits <= 32.
std::vector<uint64_t> RankBinWidths(std::span<const uint32_t> counts, int precision_bits);

// INVALID_ARGUMENT for a precision outside [8, 32] or more than 2^precision_bits symbols (one would get no width).
absl::StatusOr<RankBin> EncodeRankBin(std::span<const RankSymbol> symbols, int precision_bits = kMaxRankBinPrecision);
// RESOURCE_EXHAUSTED for more than `max_symbols`.
absl::StatusOr<std::vector<RankSymbol>> DecodeRankBin(const RankBin& bin,
                                                      uint32_t max_symbols = kDefaultMaxRankBinSymbols);

// DATA_LOSS, naming field, value and limit, unless some encoder could have written this table and as many words.
absl::Status CheckRankBin(const RankBin& bin);

// INVALID_ARGUMENT for one that CheckRankBin refuses.
absl::StatusOr<std::string> WriteRankBin(const RankBin& bin);
// One whole file. What it gives has passed CheckRankBin.
absl::StatusOr<RankBin> ParseRankBin(absl::string_view data);

}  // namespace clm
