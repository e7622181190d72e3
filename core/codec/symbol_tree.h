// SymbolTree: the symbols of a vocabulary in the order of their bytes, so that those which begin with the same bits are
// neighbours. What a distribution over symbols says about the next bit is then a ratio of two sums.
//
// Symbols without bytes (the boundary, specials) are left out.
// Thread-safety: immutable. Ownership: points into the representation, which must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/representation/representation.h"

namespace clm {

class SymbolTree {
 public:
  // The symbols that begin with the same `depth` bytes and the same upper bits of the next one: [begin, end) of
  // order().
  struct Node {
    size_t begin = 0;
    size_t end = 0;
    size_t depth = 0;
  };

  // Of the symbols below vocab_size.
  SymbolTree(const Representation& representation, uint32_t vocab_size);

  std::span<const SymbolId> order() const { return order_; }
  // Where a symbol stands in order(); SIZE_MAX for one without bytes.
  size_t PlaceOf(SymbolId symbol) const { return symbol < places_.size() ? places_[symbol] : SIZE_MAX; }

  Node Root() const { return {.begin = 0, .end = order_.size(), .depth = 0}; }
  // The end of the symbols that have no more bytes than the node's; they come first.
  size_t EndOfOwn(const Node& node) const;
  // The first symbol that has a one at `shift` of its next byte. Requires that all of the node have a next byte and
  // agree on the bits above `shift`.
  size_t Split(const Node& node, int shift) const;

 private:
  std::vector<SymbolId> order_;
  std::vector<absl::string_view> bytes_;  // of order_
  std::vector<size_t> places_;            // by symbol
};

}  // namespace clm
