// TokenBatch: the symbols of one forward pass, packed without padding.
//
// Sequences lie one behind the other in a flat list of N symbols; a span says where equal-length sequences sit.
// Attention never crosses a sequence, and a symbol's position is its index within its sequence. So a row of several
// documents can be one sequence (documents see their predecessors) or several (they do not), and short rows cost what
// they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/types.h"

namespace clm {

// `rows` sequences of `length` symbols each, from `offset` on.
struct TokenSpan {
  int64_t offset = 0;
  int64_t rows = 0;
  int64_t length = 0;
  friend bool operator==(const TokenSpan&, const TokenSpan&) = default;
};

struct TokenBatch {
  static constexpr int64_t kNoTarget = -1;

  std::vector<int64_t> inputs;   // [N]
  std::vector<int64_t> targets;  // [N]; kNoTarget does not count
  std::vector<TokenSpan> spans;  // cover [0, N) in order

  int64_t size() const { return static_cast<int64_t>(inputs.size()); }
  void Clear() {
    inputs.clear();
    targets.clear();
    spans.clear();
  }
  // Says that the last `length` symbols of `inputs` are one sequence. Requires length >= 1. Joins the span before it
  // when the lengths agree.
  void EndSequence(int64_t length) {
    if (!spans.empty() && spans.back().length == length) {
      ++spans.back().rows;
    } else {
      spans.push_back({size() - length, 1, length});
    }
  }
};

}  // namespace clm
