#include "core/engine/packed_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/byte_writer.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr int kMaxWeight = 127;
constexpr int64_t kMaxRowSize = (int64_t{1} << 23) - 1;
constexpr int kRowScaleBits = 16;
// Exponents of scales stay in here: weights beyond are as good as infinite, below as good as zero.
constexpr int kMaxExponent = 64;

absl::StatusOr<double> LargestOf(std::span<const float> values, absl::string_view name) {
  double largest = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double size = std::fabs(static_cast<double>(values[i]));
    if (!(size < 0x1p48)) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": value ", i, " is ", values[i], ", must be below 2^48"));
    }
    largest = std::max(largest, size);
  }
  return largest;
}

// The least e >= -kMaxExponent with value < 2^e.
int ExponentAbove(double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  return value == 0 ? -kMaxExponent : std::max(exponent, -kMaxExponent);
}

}  // namespace

PackedMatrix::PackedMatrix(const MatrixShape& shape) : rows_(shape.rows), columns_(shape.columns) {
  const size_t padded = (rows_ + kPanelRows - 1) / kPanelRows * kPanelRows;
  row_scales_.assign(padded, 1);
  row_sums_.assign(padded, 0);
  panels_.assign(padded * groups() * kPanelColumns, 0);
}

absl::StatusOr<PackedMatrix> PackedMatrix::Create(std::span<const float> weights, const MatrixShape& shape) {
  PackedMatrix matrix(shape);
  CLM_ASSIGN_OR_RETURN(const double largest, LargestOf(weights, shape.name));
  matrix.exponent_ = ExponentAbove(largest * shape.factor / kMaxWeight) - kRowScaleBits;
  const double unit = std::ldexp(1.0, matrix.exponent_);
  for (size_t row = 0; row < shape.rows; ++row) {
    const std::span<const float> values = weights.subspan(row * shape.columns, shape.columns);
    double row_largest = 0;
    for (const float value : values) row_largest = std::max(row_largest, std::fabs(static_cast<double>(value)));
    const double wanted = std::ceil(row_largest * shape.factor / kMaxWeight / unit);
    const auto scale = static_cast<int32_t>(std::clamp(wanted, 1.0, 65535.0));
    matrix.row_scales_[row] = scale;
    int64_t size = 0;
    for (size_t column = 0; column < shape.columns; ++column) {
      const double quotient = std::nearbyint(static_cast<double>(values[column]) * shape.factor / (scale * unit));
      const auto weight = static_cast<int>(std::clamp(quotient, -127.0, 127.0));
      matrix.panels_[matrix.IndexOf(row, column)] = static_cast<int8_t>(weight);
      matrix.row_sums_[row] += weight;
      size += std::abs(weight);
    }
    if (size > kMaxRowSize) {
      return absl::InvalidArgumentError(absl::StrCat(shape.name, ": the weights of row ", row, " sum to ", size,
                                                     " in size, the limit is ", kMaxRowSize,
                                                     ": a product with bytes could reach 2^31"));
    }
  }
  return matrix;
}

DotArgs PackedMatrix::Args() const {
  DotArgs args;
  args.panels = panels_.data();
  args.panel_count = panels();
  args.panel_stride = groups() * kPanelRows * kPanelColumns;
  args.groups = groups();
  args.row_sums = row_sums_.data();
  return args;
}

void PackedMatrix::Serialize(std::string& out) const {
  ByteWriter header;
  header.WriteU64(rows_);
  header.WriteU64(columns_);
  header.WriteU32(static_cast<uint32_t>(exponent_));
  for (const int32_t scale : row_scales_) header.WriteU32(static_cast<uint32_t>(scale));
  out += header.Take();
  for (size_t row = 0; row < rows_; ++row) {
    for (size_t column = 0; column < columns_; ++column) out.push_back(static_cast<char>(weight(row, column)));
  }
}

absl::StatusOr<QuantizedVector> QuantizeVector(std::span<const float> values, absl::string_view name) {
  CLM_ASSIGN_OR_RETURN(const double largest, LargestOf(values, name));
  QuantizedVector vector;
  vector.exponent = ExponentAbove(largest) - 15;
  const double unit = std::ldexp(1.0, vector.exponent);
  for (const float value : values) {
    const double rounded = std::nearbyint(static_cast<double>(value) / unit);
    vector.values.push_back(static_cast<int16_t>(std::clamp(rounded, -32767.0, 32767.0)));
  }
  return vector;
}

}  // namespace clm
