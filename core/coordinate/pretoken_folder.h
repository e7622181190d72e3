// PretokenFolder: folds with a run of consecutive layers that all stay inside pretokens, one pretoken at a time.
//
// Pretokens are short and thin layers many, so instead of one pass of the text per layer, each pretoken asks one table
// of all layers which of its pairs is folded earliest, applies that layer left to right, and goes on with later layers
// until no pair is left. The result is that of the passes: a layer that none of the pairs belongs to changes nothing.
//
// Thread-safety: immutable. Ownership: copies what it needs of the universe.
// Cost of a pretoken of n symbols: at most min(n, layers) rounds of n lookups; one symbol costs nothing.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/coordinate/pair_table.h"
#include "core/coordinate/symbol_pair.h"
#include "core/coordinate/universe.h"

namespace clm {

class PretokenFolder {
 public:
  // Layers first_layer to last_layer of `universe`, both included. Requires that all have the rule kWithinPretoken.
  PretokenFolder(const Universe& universe, int first_layer, int last_layer);

  // Folds whole pretokens in place and returns how many symbols are left at the front. The first symbol begins a
  // pretoken whether it has the flag or not; flags stay with the first symbol of each pretoken.
  size_t FoldInPlace(std::span<PackedSymbol> symbols) const;

 private:
  // The first coordinate with id >= low that stands for (left, right); kNoSymbol if there is none.
  SymbolId FindFrom(SymbolId low, SymbolId left, SymbolId right) const;
  // Folds one pretoken, without flags.
  size_t FoldPretoken(std::span<SymbolId> symbols, std::vector<SymbolId>& found) const;

  PairTable table_;  // of every pair the first coordinate
  SymbolId first_id_;
  std::vector<SymbolId> layer_ends_;  // ascending; the first id behind each layer
  std::vector<SymbolId> later_;       // by id - first_id_: the next coordinate with the same pair, mostly none
};

}  // namespace clm
