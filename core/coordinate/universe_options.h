// UniverseOptions: how a universe is learned. Stored with it, so that a file says how it was made.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/coordinate/symbol_pair.h"

namespace clm {

// What makes one pair a better coordinate than another.
enum class PairStrategy : uint8_t {
  kCount,  // how often it occurs
  kPmi,    // count * ln(count * N / (count_left * count_right)): the likelihood a unigram model gains by joining it
  kConditional,  // count * max(P(right | left), P(left | right)): how surely its parts come together
  // Learns a universe by each of the others and keeps the one that costs least on the selection documents
  // (universe_cost.h); needs some.
  kAuto,
};

struct UniverseOptions {
  // Passes of pair folding, as long as the text still has pairs to give. 0 keeps the plain symbols. Range [0, 255],
  // together with superword_layers. Many thin layers beat few fat ones at the same number of coordinates: counts are
  // refreshed between layers, so that chosen pairs do not overlap and block each other.
  int layers = 2;
  // Coordinates kept per layer. Each adds one embedding row and one softmax column to a model. 0 keeps the plain
  // symbols. Range [0, 524288].
  int nodes_per_layer = 4096;
  // Layers added behind the others that join whole pretokens only, scored by kPmi, and their coordinates each. Need
  // constraint kWithinPretoken. Range [0, 255] and [0, 524288].
  int superword_layers = 0;
  int superword_nodes_per_layer = 128;
  // A pair seen fewer times than this in the build documents is never a candidate. Range [1, 2^62].
  int64_t min_count = 2;
  // A pair seen fewer times than this in the selection documents is dropped. 0 asks for none of them. Range [0, 2^62].
  int64_t selection_min_count = 0;
  // A chosen pair that the layer then folds fewer times than this is replaced by the next candidate. 0 and 1 turn it
  // off. Range [0, 2^62].
  int64_t active_min_count = 0;
  PairOverlap overlap = PairOverlap::kRaw;
  PairStrategy strategy = PairStrategy::kCount;
  // kAny or kWithinPretoken. Coordinates that stay inside pretokens are easier for a model to learn.
  JoinRule constraint = JoinRule::kAny;
  // Base symbols a coordinate may stand for. Range [2, 1048576].
  int64_t max_expansion_length = 1048576;

  // True if learning reads selection documents.
  bool needs_selection() const { return selection_min_count > 0 || strategy == PairStrategy::kAuto; }

  // INVALID_ARGUMENT, naming field, value and range.
  absl::Status Validate() const;

  friend bool operator==(const UniverseOptions&, const UniverseOptions&) = default;
};

// Named settings. INVALID_ARGUMENT listing the names for any other.
//   "pairs" 2 layers of 4096 by count, joining anywhere: the plainest universe, fewest options
//   "w"     32 layers of 128 inside pretokens: best bits per byte
//   "ws"    32 layers of 96 inside pretokens, then 8 of 128 over whole ones: fewest symbols at nearly the same cost
absl::StatusOr<UniverseOptions> UniversePreset(absl::string_view name);

// The words that files and messages use.
absl::string_view NameOf(JoinRule rule);          // "any", "within_pretoken", "whole_pretokens"
absl::string_view NameOf(PairStrategy strategy);  // "count", "pmi", "conditional", "auto"
absl::string_view NameOf(PairOverlap overlap);    // "raw", "exact"
// INVALID_ARGUMENT naming the word and the ones there are.
absl::StatusOr<JoinRule> ParseJoinRule(absl::string_view name);
absl::StatusOr<PairStrategy> ParsePairStrategy(absl::string_view name);
absl::StatusOr<PairOverlap> ParsePairOverlap(absl::string_view name);

}  // namespace clm
