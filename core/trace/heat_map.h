// The heat map of a trace: the text itself, coloured by how surprised the predictor was.
//
// One XHTML page, black, two columns of the same text: by the depth of the rank and by the probability. A token's
// colour is inferno(0.5 + 0.5 v): v = 1 for a miss; by depth min(rank, 16) / 16; by probability 1 - sqrt(p). Pointing
// at a token tells its number, rank, probability and bits. No scripts, nothing from elsewhere.
//
// A character that is split over tokens is shown with the token that completes it; a token without a whole character of
// its own shows as a dot. Bytes that are no UTF-8 are shown as \xHH.
// Source: "A Compression View of Large Language Models", 2024, figure 5; colours: S. van der Walt, N. Smith, the
// colormap inferno (CC0).
//
// Thread-safety: functions without state. Determinism: equal rows give equal bytes. Size: about 250 bytes per row.
// Errors: RESOURCE_EXHAUSTED above kMaxHeatMapRows; INVALID_ARGUMENT for a token that the representation does not know.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/representation/representation.h"
#include "core/trace/trace.h"

namespace clm {

inline constexpr size_t kMaxHeatMapRows = size_t{1} << 17;

// Red, green, blue of the colormap at `value`, which is clamped to [0, 1].
std::array<uint8_t, 3> Inferno(double value);

// v of a row by the depth of its rank and by its probability; both in [0, 1].
double DepthHeat(const TraceRow& row);
double ProbabilityHeat(const TraceRow& row);

absl::StatusOr<std::string> HeatMapHtml(const Representation& representation, std::span<const TraceRow> rows,
                                        absl::string_view title);

}  // namespace clm
