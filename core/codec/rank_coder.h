// Rank coding: sequences of ranks and misses to payloads and back. Two forms:
//
//   static     (RANK_ANS)       table length varint | table | rANS payload (core/entropy/rans.h, P = 24)
//              table: a binary-coder payload (core/entropy/binary_coder.h) of the number of different symbols, then of
//              each, in rising order, its distance to the one before and how often it comes, as adaptive Elias codes.
//              Frequencies follow from the counts by NormalizeWeights.
//   adaptive   (RANK_ADAPTIVE)  a binary-coder payload: whether it is a hit, then the rank as an Elias code or the id
//              as a path down a tree. Every decision is coded with what came of it so far, in the context of the two
//              symbols before; nothing is stored but the decisions and, after them, sixteen zeros.
//
// No symbols: no bytes. Both are functions of the symbols and the alphabet alone, and each sequence has one legal
// payload. Nearly all damage is found (counts that do not come true; a wrong end, except one time in 2^16), but that a
// text is right is for checksums to say.
// What ranks cost against coding with the probabilities themselves: docs/method.md.
//
// Cost: linear; per symbol a search of log2(different symbols) steps (static) or log2(vocab_size) decisions (adaptive).
// Memory: static 24 bytes per symbol and 32 per different symbol; adaptive 4 bytes per symbol of the vocabulary, at
// most 1 MiB, and the output. Thread-safety: free functions without state. Errors: encoding INVALID_ARGUMENT for a
// symbol that the alphabet does not hold or an alphabet that is not valid; decoding DATA_LOSS for whatever encoding
// `count` symbols of this alphabet cannot have given. Nothing is allocated beyond what `count` asks for: the caller
// bounds it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/codec/rank_symbol.h"

namespace clm {

// At most this many symbols at once: above it the frequencies of the static form no longer fit.
inline constexpr size_t kMaxRankSymbols = size_t{1} << 24;

absl::StatusOr<std::string> EncodeRanksStatic(std::span<const RankSymbol> symbols, const RankAlphabet& alphabet);
// Exactly `count` symbols. INVALID_ARGUMENT for count > kMaxRankSymbols.
absl::StatusOr<std::vector<RankSymbol>> DecodeRanksStatic(absl::string_view payload, size_t count,
                                                          const RankAlphabet& alphabet);

absl::StatusOr<std::string> EncodeRanksAdaptive(std::span<const RankSymbol> symbols, const RankAlphabet& alphabet);
// Exactly `count` symbols. INVALID_ARGUMENT for count > kMaxRankSymbols.
absl::StatusOr<std::vector<RankSymbol>> DecodeRanksAdaptive(absl::string_view payload, size_t count,
                                                            const RankAlphabet& alphabet);

}  // namespace clm
