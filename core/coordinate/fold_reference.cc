#include "core/coordinate/fold_reference.h"

#include <map>
#include <optional>
#include <utility>

namespace clm {
namespace {

struct FlaggedSymbol {
  SymbolId id = 0;
  bool starts_pretoken = false;
};

bool MayJoin(JoinRule rule, std::span<const FlaggedSymbol> symbols, size_t left) {
  const bool right_starts = symbols[left + 1].starts_pretoken;
  const bool next_starts = left + 2 == symbols.size() || symbols[left + 2].starts_pretoken;
  if (rule == JoinRule::kAny) return true;
  if (rule == JoinRule::kWithinPretoken) return !right_starts;
  return symbols[left].starts_pretoken && right_starts && next_starts;
}

std::vector<FlaggedSymbol> FoldLayer(const Universe& universe, int layer, const std::vector<FlaggedSymbol>& symbols) {
  std::map<std::pair<SymbolId, SymbolId>, SymbolId> table;
  SymbolId id = universe.FirstId(layer);
  for (const SymbolPair& pair : universe.Pairs(layer)) table[{pair.left, pair.right}] = id++;

  std::vector<FlaggedSymbol> folded;
  size_t i = 0;
  while (i < symbols.size()) {
    if (i + 1 < symbols.size() && MayJoin(universe.Rule(layer), symbols, i)) {
      const auto found = table.find({symbols[i].id, symbols[i + 1].id});
      if (found != table.end()) {
        folded.push_back({.id = found->second, .starts_pretoken = symbols[i].starts_pretoken});
        i += 2;
        continue;
      }
    }
    folded.push_back(symbols[i++]);
  }
  return folded;
}

}  // namespace

std::vector<SymbolId> FoldReference(const Universe& universe, std::span<const SymbolId> ids,
                                    std::span<const uint8_t> pretoken_starts) {
  std::vector<FlaggedSymbol> symbols;
  symbols.reserve(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool starts = universe.needs_pretoken_starts() && (pretoken_starts[i] != 0 || universe.IsBoundary(ids[i]));
    symbols.push_back({.id = ids[i], .starts_pretoken = starts});
  }
  for (int layer = 1; layer <= universe.layer_count(); ++layer) symbols = FoldLayer(universe, layer, symbols);
  std::vector<SymbolId> out;
  out.reserve(symbols.size());
  for (const FlaggedSymbol& symbol : symbols) out.push_back(symbol.id);
  return out;
}

}  // namespace clm
