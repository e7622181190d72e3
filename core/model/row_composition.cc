#include "core/model/row_composition.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/byte_writer.h"
#include "core/base/digest.h"

namespace clm {
namespace {

// Weight of a leaf in an output row at the start: the first decides how the symbol begins.
constexpr double kFirstLeafGate = 1.0;
constexpr double kOtherLeafGate = 0.3;

}  // namespace

absl::StatusOr<RowComposition> RowComposition::Create(std::span<const std::vector<SymbolId>> leaves,
                                                      bool base_residuals) {
  RowComposition result;
  result.base_residuals_ = base_residuals;
  while (result.base_size_ < leaves.size() && leaves[result.base_size_] == std::vector<SymbolId>{result.base_size_}) {
    ++result.base_size_;
  }
  if (result.base_size_ == 0) return absl::InvalidArgumentError("row composition: id 0 is not its own single leaf");
  result.offsets_.push_back(0);
  for (size_t id = 0; id < leaves.size(); ++id) {
    const size_t used = std::min(leaves[id].size(), kMaxLeaves);
    if (used == 0) return absl::InvalidArgumentError(absl::StrCat("row composition: id ", id, " has no leaves"));
    for (size_t j = 0; j < used; ++j) {
      if (leaves[id][j] >= result.base_size_) {
        return absl::InvalidArgumentError(absl::StrCat("row composition: id ", id, " has leaf ", leaves[id][j],
                                                       ", base symbols end at ", result.base_size_));
      }
      result.leaves_.push_back(leaves[id][j]);
    }
    result.offsets_.push_back(result.leaves_.size());
  }
  return result;
}

ParameterLayout RowComposition::Layout(const ModelConfig& config) const {
  ParameterLayout layout = ParameterLayout::Body(config);
  const int64_t d = config.hidden_size;
  const auto table = [&](const char* name, int64_t rows, double deviation, double constant, bool joined) {
    layout.Add({.name = name,
                .rows = rows,
                .columns = d,
                .group = ParameterGroup::kTable,
                .init_deviation = deviation,
                .init_constant = constant},
               joined);
  };
  table("composition.base.weight", base_size_, 1.0 / std::sqrt(static_cast<double>(d)), 0, false);
  table("composition.input_gates", kMaxLeaves, 0, 1.0, false);
  table("composition.first_output_gate", 1, 0, kFirstLeafGate, false);
  table("composition.other_output_gates", kMaxLeaves - 1, 0, kOtherLeafGate, true);
  const auto residual = [&](const char* name, int64_t rows) {
    if (rows == 0) return;
    layout.Add({.name = name, .rows = rows, .columns = d, .group = ParameterGroup::kResidual});
  };
  residual("composition.input_residual", int64_t{vocab_size()} - base_size_);
  residual("composition.output_residual", int64_t{vocab_size()} - first_output_residual());
  return layout;
}

std::string RowComposition::Fingerprint() const {
  ByteWriter out;
  out.WriteBytes("clm row composition 1");
  out.WriteU32(base_size_);
  out.WriteU8(base_residuals_ ? 1 : 0);
  for (size_t id = 0; id + 1 < offsets_.size(); ++id) {
    const std::span<const SymbolId> row = leaves(static_cast<SymbolId>(id));
    out.WriteU32(static_cast<uint32_t>(row.size()));
    for (const SymbolId leaf : row) out.WriteU32(leaf);
  }
  return Sha256Hex(out.view());
}

}  // namespace clm
