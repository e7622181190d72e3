#include "core/model/transformer/composed_tables.h"

#include <cmath>
#include <utility>

namespace clm {
namespace {

at::Tensor ToDevice(std::vector<int64_t>& values, at::Device device) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kLong).clone().to(device);
}

}  // namespace

ComposedTables::ComposedTables(const ParameterLayout& layout, std::shared_ptr<const RowComposition> composition,
                               int64_t width, at::Device device)
    : layout_(layout),
      composition_(std::move(composition)),
      input_(at::zeros({int64_t{composition_->vocab_size()}, width}, at::device(device).dtype(at::kFloat))),
      output_(at::zeros_like(input_)) {
  for (size_t j = 0; j < RowComposition::kMaxLeaves; ++j) {
    std::vector<int64_t> rows;
    std::vector<int64_t> leaves;
    std::vector<float> scale;
    for (SymbolId id = 0; id < composition_->vocab_size(); ++id) {
      const std::span<const SymbolId> of_id = composition_->leaves(id);
      // Base symbols are set in Compose(): their output row has no gate.
      if (id < composition_->base_size() || j >= of_id.size()) continue;
      rows.push_back(id);
      leaves.push_back(of_id[j]);
      scale.push_back(1.0F / std::sqrt(static_cast<float>(of_id.size())));
    }
    if (rows.empty()) break;
    const auto count = static_cast<int64_t>(scale.size());
    positions_.push_back({ToDevice(rows, device), ToDevice(leaves, device),
                          at::from_blob(scale.data(), {count, 1}, at::kFloat).clone().to(device)});
  }
}

void ComposedTables::EnableGradients() {
  input_gradient_ = at::zeros_like(input_);
  output_gradient_ = at::zeros_like(output_);
}

ComposedTables::Factors ComposedTables::FactorsOf(const at::Tensor& flat) const {
  const auto view = [&](const char* name, int64_t rows) {
    const ParameterSpec& spec = layout_.Find(name);
    return flat.narrow(0, spec.offset, rows * spec.columns).view({rows, spec.columns});
  };
  constexpr auto kLeaves = static_cast<int64_t>(RowComposition::kMaxLeaves);
  const int64_t vocab = composition_->vocab_size();
  Factors factors{view("composition.base.weight", composition_->base_size()),
                  view("composition.input_gates", kLeaves),
                  view("composition.first_output_gate", kLeaves),
                  {},
                  {}};
  const int64_t in_rows = vocab - composition_->base_size();
  const int64_t out_rows = vocab - composition_->first_output_residual();
  if (in_rows > 0) factors.input_residual = view("composition.input_residual", in_rows);
  if (out_rows > 0) factors.output_residual = view("composition.output_residual", out_rows);
  return factors;
}

void ComposedTables::Compose(const at::Tensor& weights) {
  const c10::NoGradGuard no_grad;
  const Factors f = FactorsOf(weights);
  const int64_t base = composition_->base_size();
  const int64_t vocab = composition_->vocab_size();
  at::Tensor base_input = input_.narrow(0, 0, base);
  at::mul_out(base_input, f.base, f.input_gates[0]);
  output_.narrow(0, 0, base).copy_(f.base);
  if (f.input_residual.defined()) {
    input_.narrow(0, base, vocab - base).copy_(f.input_residual);
    output_.narrow(0, base, vocab - base).zero_();
  }
  if (f.output_residual.defined()) {
    const int64_t first = composition_->first_output_residual();
    output_.narrow(0, first, vocab - first).add_(f.output_residual);
  }
  for (size_t j = 0; j < positions_.size(); ++j) {
    const Position& p = positions_[j];
    const at::Tensor rows = f.base.index_select(0, p.leaves);
    const auto position = static_cast<int64_t>(j);
    input_.index_add_(0, p.rows, rows * f.input_gates[position] * p.scale);
    output_.index_add_(0, p.rows, rows * f.output_gates[position]);
  }
}

void ComposedTables::Backward(const at::Tensor& weights, at::Tensor& gradients) const {
  const c10::NoGradGuard no_grad;
  const Factors f = FactorsOf(weights);
  Factors g = FactorsOf(gradients);
  const int64_t base = composition_->base_size();
  const int64_t vocab = composition_->vocab_size();
  const at::Tensor base_input = input_gradient_.narrow(0, 0, base);
  g.base.addcmul_(base_input, f.input_gates[0].expand_as(base_input));
  g.base.add_(output_gradient_.narrow(0, 0, base));
  g.input_gates[0].add_((base_input * f.base).sum(0));
  if (g.input_residual.defined()) g.input_residual.add_(input_gradient_.narrow(0, base, vocab - base));
  if (g.output_residual.defined()) {
    const int64_t first = composition_->first_output_residual();
    g.output_residual.add_(output_gradient_.narrow(0, first, vocab - first));
  }
  for (size_t j = 0; j < positions_.size(); ++j) {
    const Position& p = positions_[j];
    const auto position = static_cast<int64_t>(j);
    const at::Tensor rows = f.base.index_select(0, p.leaves);
    const at::Tensor d_input = input_gradient_.index_select(0, p.rows) * p.scale;
    const at::Tensor d_output = output_gradient_.index_select(0, p.rows);
    g.base.index_add_(0, p.leaves, d_input * f.input_gates[position] + d_output * f.output_gates[position]);
    g.input_gates[position].add_((d_input * rows).sum(0));
    g.output_gates[position].add_((d_output * rows).sum(0));
  }
}

}  // namespace clm
