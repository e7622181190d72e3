// What the files of this folder share: a pair of symbols, the rule that says where pairs may fold, and the packed form
// in which streams of symbols are counted and folded.
#pragma once

#include <cstdint>

#include "core/base/types.h"

namespace clm {

// The two symbols a coordinate stands for, left first.
struct SymbolPair {
  SymbolId left = 0;
  SymbolId right = 0;

  friend bool operator==(const SymbolPair&, const SymbolPair&) = default;
};

// Where the pairs of a layer may fold. A pretoken is a piece of text (roughly a word with the space before it) that the
// base tokenizer never crosses; the first base symbol of each carries a start flag, and a folded symbol keeps the flag
// of its left child. The numbers are stored in files.
enum class JoinRule : uint8_t {
  kAny = 0,             // anywhere inside a document
  kWithinPretoken = 1,  // only inside a pretoken: the right symbol starts none
  kWholePretokens = 2,  // only whole pretokens: left, right and whatever follows right all start one
};

// How occurrences of a pair of equal symbols count where they overlap: in `a a a a` all three, or the two that can
// fold.
enum class PairOverlap : uint8_t { kRaw, kExact };

// No symbol: larger than every valid id.
inline constexpr SymbolId kNoSymbol = 0xFFFFFFFFU;

// A packed symbol is an id (< 2^31 - 1) with the start flag in the top bit. Separators stand between documents and in
// place of boundary symbols; they start a pretoken and equal no id.
using PackedSymbol = uint32_t;
inline constexpr PackedSymbol kPretokenStart = 0x80000000U;
inline constexpr PackedSymbol kIdMask = 0x7FFFFFFFU;
inline constexpr PackedSymbol kPackedSeparator = 0xFFFFFFFFU;

inline constexpr uint64_t PairKey(SymbolId left, SymbolId right) { return uint64_t{left} << 32 | right; }

}  // namespace clm
