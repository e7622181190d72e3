#include "core/coordinate/universe_import.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

std::vector<UniverseLayer> LayersOf(const Universe& universe) {
  std::vector<UniverseLayer> layers;
  for (int layer = 1; layer <= universe.layer_count(); ++layer) {
    const std::span<const SymbolPair> pairs = universe.Pairs(layer);
    layers.push_back({.rule = universe.Rule(layer), .pairs = {pairs.begin(), pairs.end()}});
  }
  return layers;
}

}  // namespace

absl::StatusOr<LearnedUniverse> ImportUniverse(const UniverseFile& file, const ImportTarget& target) {
  const Universe& universe = file.universe;
  if (universe.base_size() != target.base_size) {
    return absl::FailedPreconditionError(absl::StrCat("the universe has ", universe.base_size(),
                                                      " base symbols, the documents have ", target.base_size));
  }
  if (file.tokenizer_sha256 != target.tokenizer_sha256) {
    return absl::FailedPreconditionError(absl::StrCat("the universe was learned with tokenizer '",
                                                      file.tokenizer_sha256, "', the documents have '",
                                                      target.tokenizer_sha256, "'"));
  }
  std::vector<SymbolId> boundary_ids = target.boundary_ids;
  std::sort(boundary_ids.begin(), boundary_ids.end());
  const std::span<const SymbolId> own = universe.boundary_ids();
  if (!own.empty() && !std::equal(own.begin(), own.end(), boundary_ids.begin(), boundary_ids.end())) {
    return absl::FailedPreconditionError(absl::StrCat("the universe has the boundaries [", absl::StrJoin(own, ", "),
                                                      "], the documents have [", absl::StrJoin(boundary_ids, ", "),
                                                      "]"));
  }
  CLM_ASSIGN_OR_RETURN(const Universe bounded,
                       Universe::Create(target.base_size, std::move(boundary_ids), LayersOf(universe)));
  return LearnedUniverse{
      .universe = bounded, .frequencies = file.frequencies, .layers = file.stats, .strategy = file.options.strategy};
}

absl::StatusOr<ReducedUniverse> DropUnused(const LearnedUniverse& learned, std::span<const SymbolId> unused) {
  const Universe& universe = learned.universe;
  const uint32_t base_size = universe.base_size();
  std::vector<SymbolId> new_ids(universe.vocab_size());
  std::vector<UniverseLayer> layers;
  std::vector<uint64_t> frequencies;
  std::vector<UniverseLayerStats> stats;
  SymbolId next = 0;
  for (; next < base_size; ++next) new_ids[next] = next;
  for (int layer = 1; layer <= universe.layer_count(); ++layer) {
    UniverseLayer kept = {.rule = universe.Rule(layer), .pairs = {}};
    SymbolId id = universe.FirstId(layer);
    for (const SymbolPair& pair : universe.Pairs(layer)) {
      const bool drops = std::binary_search(unused.begin(), unused.end(), id);
      const SymbolPair children = {new_ids[pair.left], new_ids[pair.right]};
      if (!drops && (children.left == kNoSymbol || children.right == kNoSymbol)) {
        return absl::InvalidArgumentError(
            absl::StrCat("coordinate ", id, " stays and needs (", pair.left, ", ", pair.right, "), of which one goes"));
      }
      new_ids[id] = drops ? kNoSymbol : next++;
      if (!drops) kept.pairs.push_back(children);
      if (!drops) frequencies.push_back(learned.frequencies[id - base_size]);
      ++id;
    }
    if (kept.pairs.empty()) continue;
    layers.push_back(std::move(kept));
    stats.push_back(learned.layers[static_cast<size_t>(layer) - 1]);
  }
  const std::span<const SymbolId> boundaries = universe.boundary_ids();
  CLM_ASSIGN_OR_RETURN(const Universe reduced,
                       Universe::Create(base_size, {boundaries.begin(), boundaries.end()}, std::move(layers)));
  return ReducedUniverse{.learned = {.universe = reduced,
                                     .frequencies = std::move(frequencies),
                                     .layers = std::move(stats),
                                     .strategy = learned.strategy},
                         .new_ids = std::move(new_ids)};
}

}  // namespace clm
