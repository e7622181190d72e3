#include "core/codec/symbol_tree.h"

#include <algorithm>
#include <cstdint>

namespace clm {

SymbolTree::SymbolTree(const Representation& representation, uint32_t vocab_size) : places_(vocab_size, SIZE_MAX) {
  const uint32_t known = std::min(vocab_size, representation.layout().vocab_size);
  for (SymbolId symbol = 0; symbol < known; ++symbol) {
    if (!representation.SymbolBytes(symbol).empty()) order_.push_back(symbol);
  }
  // absl::string_view compares bytes as unsigned numbers.
  std::stable_sort(order_.begin(), order_.end(), [&](SymbolId a, SymbolId b) {
    return representation.SymbolBytes(a) < representation.SymbolBytes(b);
  });
  for (size_t place = 0; place < order_.size(); ++place) {
    places_[order_[place]] = place;
    bytes_.push_back(representation.SymbolBytes(order_[place]));
  }
}

size_t SymbolTree::EndOfOwn(const Node& node) const {
  size_t end = node.begin;
  while (end < node.end && bytes_[end].size() == node.depth) ++end;
  return end;
}

size_t SymbolTree::Split(const Node& node, int shift) const {
  const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(node.begin);
  const auto last = bytes_.begin() + static_cast<std::ptrdiff_t>(node.end);
  const auto split = std::partition_point(first, last, [&](absl::string_view bytes) {
    return (static_cast<uint8_t>(bytes[node.depth]) >> shift & 1) == 0;
  });
  return static_cast<size_t>(split - bytes_.begin());
}

}  // namespace clm
