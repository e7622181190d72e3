// Composed tables against their formula, differentiated by LibTorch.
#include "core/model/transformer/composed_tables.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

constexpr int64_t kWidth = 6;

class ComposedTablesTest : public ::testing::TestWithParam<bool> {
 protected:
  ComposedTablesTest() {
    const std::vector<std::vector<SymbolId>> leaves = {{0}, {1}, {2}, {0, 1}, {2, 0, 1}, {1, 1}};
    composition_ = std::make_shared<RowComposition>(*RowComposition::Create(leaves, GetParam()));
    ModelConfig config;
    config.vocab_size = 6;
    config.hidden_size = kWidth;
    config.heads = config.kv_heads = 3;
    config.layers = 1;
    layout_ = composition_->Layout(config);
    weights_ = at::randn({layout_.total()});
  }

  // Row `id` of the input and output tables, straight from the formula.
  std::pair<at::Tensor, at::Tensor> Rows(const at::Tensor& flat, SymbolId id) const {
    const auto part = [&](const char* name, int64_t rows) {
      return flat.narrow(0, layout_.Find(name).offset, rows * kWidth).view({rows, kWidth});
    };
    const at::Tensor base = part("composition.base.weight", 3);
    const at::Tensor a = part("composition.input_gates", 16);
    const at::Tensor g = part("composition.first_output_gate", 16);
    const int64_t first = GetParam() ? 0 : 3;
    const at::Tensor out_residual = part("composition.output_residual", 6 - first);
    if (id < 3) {
      const at::Tensor out = base[id];
      return {a[0] * base[id], GetParam() ? out + out_residual[id] : out};
    }
    at::Tensor in = part("composition.input_residual", 3)[id - 3];
    at::Tensor out = out_residual[id - first];
    const std::span<const SymbolId> leaves = composition_->leaves(id);
    for (size_t j = 0; j < leaves.size(); ++j) {
      const auto position = static_cast<int64_t>(j);
      in = in + a[position] * base[leaves[j]] / std::sqrt(static_cast<double>(leaves.size()));
      out = out + g[position] * base[leaves[j]];
    }
    return {in, out};
  }

  std::shared_ptr<const RowComposition> composition_;
  ParameterLayout layout_ = ParameterLayout::Body(ModelConfig());
  at::Tensor weights_;
};

TEST_P(ComposedTablesTest, RowsAndGradientsFollowTheFormula) {
  ComposedTables tables(layout_, composition_, kWidth, at::kCPU);
  tables.EnableGradients();
  tables.Compose(weights_);
  const at::Tensor d_input = at::randn({6, kWidth});
  const at::Tensor d_output = at::randn({6, kWidth});
  at::Tensor leaf = weights_.clone().set_requires_grad(true);
  at::Tensor loss = at::zeros({});
  for (SymbolId id = 0; id < 6; ++id) {
    const auto [in, out] = Rows(leaf, id);
    EXPECT_LT((tables.input()[id] - in).abs().max().item<double>(), 1e-5) << id;
    EXPECT_LT((tables.output()[id] - out).abs().max().item<double>(), 1e-5) << id;
    loss = loss + (in * d_input[id]).sum() + (out * d_output[id]).sum();
  }
  loss.backward();
  tables.input_gradient().copy_(d_input);
  tables.output_gradient().copy_(d_output);
  at::Tensor gradients = at::zeros_like(weights_);
  tables.Backward(weights_, gradients);
  EXPECT_LT((gradients - leaf.grad()).abs().max().item<double>(), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(BaseResiduals, ComposedTablesTest, ::testing::Bool());

}  // namespace
}  // namespace clm
