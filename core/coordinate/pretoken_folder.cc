#include "core/coordinate/pretoken_folder.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"

namespace clm {
namespace {

// The pairs of the layers with the first coordinate of each; later ones are linked from it.
struct DistinctPairs {
  std::vector<SymbolPair> pairs;
  std::vector<SymbolId> ids;
  std::vector<SymbolId> later;  // by id - first id
};

DistinctPairs CollectPairs(const Universe& universe, int first_layer, int last_layer) {
  DistinctPairs distinct;
  absl::flat_hash_map<uint64_t, SymbolId> newest;
  const SymbolId first_id = universe.FirstId(first_layer);
  SymbolId id = first_id;
  for (int layer = first_layer; layer <= last_layer; ++layer) {
    for (const SymbolPair& pair : universe.Pairs(layer)) {
      distinct.later.push_back(kNoSymbol);
      const auto [entry, is_new] = newest.try_emplace(PairKey(pair.left, pair.right), id);
      if (is_new) {
        distinct.pairs.push_back(pair);
        distinct.ids.push_back(id);
      } else {
        distinct.later[entry->second - first_id] = id;
        entry->second = id;
      }
      ++id;
    }
  }
  return distinct;
}

}  // namespace

PretokenFolder::PretokenFolder(const Universe& universe, int first_layer, int last_layer)
    : table_({}, 0), first_id_(universe.FirstId(first_layer)) {
  DistinctPairs distinct = CollectPairs(universe, first_layer, last_layer);
  table_ = PairTable(distinct.pairs, distinct.ids);
  later_ = std::move(distinct.later);
  for (int layer = first_layer; layer <= last_layer; ++layer) {
    layer_ends_.push_back(universe.FirstId(layer) + static_cast<SymbolId>(universe.Pairs(layer).size()));
  }
}

SymbolId PretokenFolder::FindFrom(SymbolId low, SymbolId left, SymbolId right) const {
  SymbolId id = table_.Find(left, right);
  while (id < low) id = later_[id - first_id_];
  return id;
}

size_t PretokenFolder::FoldPretoken(std::span<SymbolId> symbols, std::vector<SymbolId>& found) const {
  size_t size = symbols.size();
  SymbolId low = first_id_;
  while (size > 1) {
    found.resize(size - 1);
    SymbolId earliest = kNoSymbol;
    for (size_t t = 0; t + 1 < size; ++t) {
      found[t] = FindFrom(low, symbols[t], symbols[t + 1]);
      earliest = std::min(earliest, found[t]);
    }
    if (earliest == kNoSymbol) break;
    // Everything found below the end of the earliest layer belongs to it.
    low = *std::upper_bound(layer_ends_.begin(), layer_ends_.end(), earliest);
    size_t write = 0;
    for (size_t read = 0; read < size;) {
      const bool folds = read + 1 < size && found[read] < low;
      symbols[write++] = folds ? found[read] : symbols[read];
      read += folds ? 2 : 1;
    }
    size = write;
  }
  return size;
}

size_t PretokenFolder::FoldInPlace(std::span<PackedSymbol> symbols) const {
  std::vector<SymbolId> found;
  size_t write = 0;
  size_t begin = 0;
  while (begin < symbols.size()) {
    const PackedSymbol first = symbols[begin];
    size_t end = begin + 1;
    while (end < symbols.size() && (symbols[end] & kPretokenStart) == 0) ++end;
    size_t size = end - begin;
    if (size == 2) {
      const SymbolId id = FindFrom(first_id_, first & kIdMask, symbols[begin + 1]);
      const bool folds = id != kNoSymbol;
      symbols[write] = folds ? id | (first & kPretokenStart) : first;
      symbols[write + 1] = symbols[begin + 1];
      write += folds ? 1 : 2;
    } else {
      if (size > 2) {
        symbols[begin] &= kIdMask;
        size = FoldPretoken(symbols.subspan(begin, size), found);
        symbols[begin] |= first & kPretokenStart;
      }
      for (size_t i = 0; i < size; ++i) symbols[write + i] = symbols[begin + i];
      write += size;
    }
    begin = end;
  }
  return write;
}

}  // namespace clm
