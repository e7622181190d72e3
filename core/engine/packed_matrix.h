// PackedMatrix: a weight matrix quantised to int8 and laid out for kernels/dot.h.
//
//   w[r][c] = round(weight[r][c] / (row_scale[r] * 2^exponent)), in [-127, 127]
//
// Each row has its own scale, a 16-bit multiple of one power of two for the whole matrix: small enough to multiply by,
// fine enough that the largest weight of every row comes close to 127. Built with IEEE multiplication, division and
// rounding in double alone, so the same weights give the same integers on every platform.
//
// The proof: Create() refuses a matrix with a row where 256 * sum |w| reaches 2^31. For all others no partial sum of a
// product with bytes can overflow, in whatever order it is taken.
//
// Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/huge_pages.h"
#include "core/engine/kernels/dot.h"

namespace clm {

struct MatrixShape {
  absl::string_view name;  // for errors
  size_t rows = 0;
  size_t columns = 0;
  // What all weights are multiplied by first.
  double factor = 1.0;
};

class PackedMatrix {
 public:
  // `weights` is [rows, columns]. INVALID_ARGUMENT naming matrix, row and value: not finite, or the proof fails.
  static absl::StatusOr<PackedMatrix> Create(std::span<const float> weights, const MatrixShape& shape);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  size_t panels() const { return row_scales_.size() / kPanelRows; }
  size_t groups() const { return (columns_ + kPanelColumns - 1) / kPanelColumns; }
  int exponent() const { return exponent_; }
  // [panels() * 16]; the last ones stand for no row and are 1.
  const int32_t* row_scales() const { return row_scales_.data(); }
  int8_t weight(size_t row, size_t column) const { return panels_[IndexOf(row, column)]; }
  uint64_t bytes() const { return panels_.size() + 2 * sizeof(int32_t) * row_scales_.size(); }

  // The arguments of a product with this matrix; activations and output are the caller's to fill in.
  DotArgs Args() const;

  // Appends everything that decides products to `out`.
  void Serialize(std::string& out) const;

 private:
  explicit PackedMatrix(const MatrixShape& shape);

  size_t IndexOf(size_t row, size_t column) const {
    return ((row / kPanelRows * groups() + column / kPanelColumns) * kPanelRows + row % kPanelRows) * kPanelColumns +
           column % kPanelColumns;
  }

  size_t rows_;
  size_t columns_;
  int exponent_ = 0;
  std::vector<int8_t, HugePageAllocator<int8_t>> panels_;
  std::vector<int32_t> row_scales_;
  std::vector<int32_t> row_sums_;
};

// Vectors that are stored as int16 with one power of two: value = v * 2^exponent, the largest |v| in [2^14, 2^15).
struct QuantizedVector {
  std::vector<int16_t> values;
  int exponent = 0;
};
// INVALID_ARGUMENT naming `name` for values that are not finite.
absl::StatusOr<QuantizedVector> QuantizeVector(std::span<const float> values, absl::string_view name);

}  // namespace clm
