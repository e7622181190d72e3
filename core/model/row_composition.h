// RowComposition: vocabulary rows built from the rows of a symbol's parts while a model is trained.
//
// A coordinate c stands for base symbols b_0 .. b_{k-1}. With E the table of base rows, shared by input and output:
//
//   input row   x(c) = k^(-1/2) * sum_j a_j * E[b_j] + R_in[c]       base symbol: x(b) = a_0 * E[b]
//   output row  o(c) = sum_j g_j * E[b_j] + R_out[c]                 base symbol: o(b) = E[b] (+ R_out[b] on request)
//
// a and g are vectors of width d per leaf position j < kMaxLeaves (products are elementwise), R the part that is not
// compositional, zero at the start. On a stored model the rows are folded into two plain tables, so nothing of this is
// seen outside training. For a vocabulary without coordinates and with base residuals this is a tied table plus an
// untied correction of the output side.
//
// Immutable; thread-safe; no LibTorch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/parameter_layout.h"

namespace clm {

class RowComposition {
 public:
  // Leaves beyond this many contribute nothing to a row (its residual stands in for them).
  static constexpr size_t kMaxLeaves = 16;

  // `leaves[id]` are the base symbols of id, left to right. Ids below some base size are their own single leaf; all
  // others have at least one leaf below that size. INVALID_ARGUMENT naming the first id that breaks this.
  // `base_residuals`: base symbols have output residuals too.
  static absl::StatusOr<RowComposition> Create(std::span<const std::vector<SymbolId>> leaves, bool base_residuals);

  uint32_t vocab_size() const { return static_cast<uint32_t>(offsets_.size() - 1); }
  uint32_t base_size() const { return base_size_; }
  bool base_residuals() const { return base_residuals_; }
  // At most kMaxLeaves.
  std::span<const SymbolId> leaves(SymbolId id) const {
    return std::span(leaves_).subspan(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }
  // First id that has an output residual; input residuals start at base_size().
  uint32_t first_output_residual() const { return base_residuals_ ? 0 : base_size_; }

  // Body plus the factored tables, under names that start with "composition.".
  ParameterLayout Layout(const ModelConfig& config) const;

  // 64 hex digits over leaves and options.
  std::string Fingerprint() const;

 private:
  RowComposition() = default;

  uint32_t base_size_ = 0;
  bool base_residuals_ = false;
  std::vector<size_t> offsets_;  // [V + 1]
  std::vector<SymbolId> leaves_;
};

}  // namespace clm
