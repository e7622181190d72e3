// VocabLayout: which ids of a vocabulary mean what.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"

namespace clm {

// A run of ids with one meaning: [begin, end).
struct VocabRange {
  std::string meaning;  // "byte", "token", "coordinate_layer_1", "special"
  SymbolId begin = 0;
  SymbolId end = 0;
};

struct VocabLayout {
  uint32_t vocab_size = 0;
  // Ends every document and conditions the first symbol of each; always < vocab_size.
  SymbolId boundary = 0;
  // Ordered, disjoint, covering [0, vocab_size).
  std::vector<VocabRange> ranges;

  // INVALID_ARGUMENT naming the first range that breaks the rules above.
  absl::Status Validate() const;
};

}  // namespace clm
