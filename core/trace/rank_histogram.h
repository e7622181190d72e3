// The histogram of ranks as a picture: how many per cent of the symbols had which rank.
//
// SVG 1.1, 960 x 288, without scripts, fonts or anything from elsewhere. x runs from -2 to 40 as in the source; misses
// stand at -1, and what ranks above 40 add up to is written beside them. Every bar says its share when pointed at.
// Source: "A Compression View of Large Language Models", 2024, figure 4.
//
// Thread-safety: a function without state. Determinism: equal shares give equal bytes.
#pragma once

#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace clm {

// `percent` as RankHistogram() gives it. `title` may hold anything; it is escaped.
std::string RankHistogramSvg(std::span<const double> percent, absl::string_view title);

}  // namespace clm
