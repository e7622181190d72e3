// The two implementations of every operation agree; transformer_test.cc compares both with differentiation.
#include "core/model/transformer/ops.h"

#include <gtest/gtest.h>

#include <vector>

namespace clm {
namespace {

constexpr int64_t kSymbols = 70;  // more than one block of the norm's gradient

void ExpectClose(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_LT((a - b).abs().max().item<double>(), 1e-4 * (1 + b.abs().max().item<double>()));
}

class OpsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    at::manual_seed(5);
  }
  const Ops fused_{true};
  const Ops generic_{false};
};

TEST_F(OpsTest, RmsNormAgrees) {
  const at::Tensor x = at::randn({kSymbols, 20});
  const at::Tensor weight = at::randn({20});
  const at::Tensor dy = at::randn({kSymbols, 20});
  std::vector<std::vector<at::Tensor>> results;
  for (const Ops* ops : {&fused_, &generic_}) {
    at::Tensor y = at::empty_like(x);
    at::Tensor inv = at::empty({kSymbols});
    at::Tensor dx = at::ones_like(x);
    at::Tensor dweight = at::ones_like(weight);
    ops->RmsNorm(x, weight, 1e-5, y, inv);
    ops->RmsNormBackward(dy, x, weight, inv, dx, dweight);
    results.push_back({y, inv, dx, dweight});
  }
  for (size_t i = 0; i < 4; ++i) ExpectClose(results[0][i], results[1][i]);
}

TEST_F(OpsTest, AttentionAgreesWithGroupedHeads) {
  const AttentionShape shape{.heads = 4, .kv_heads = 2, .head_size = 6};
  const std::vector<TokenSpan> spans = {{0, 3, 20}, {60, 1, 1}, {61, 1, 9}};
  const RotaryTable table = RotaryTable::Create(20, 6, 100.0, at::kCPU);
  std::vector<int32_t> position;
  for (const TokenSpan& span : spans) {
    for (int64_t i = 0; i < span.rows * span.length; ++i) position.push_back(static_cast<int32_t>(i % span.length));
  }
  const at::Tensor positions = at::tensor(position);
  const at::Tensor source = at::randn({kSymbols, shape.row_width()});
  const at::Tensor dout = at::randn({kSymbols, 24});
  std::vector<std::vector<at::Tensor>> results;
  for (const Ops* ops : {&fused_, &generic_}) {
    at::Tensor qkv = source.clone();
    ops->Rotate(qkv, positions, table, shape, false);
    at::Tensor out = at::empty({kSymbols, 24});
    AttentionSaved saved;
    ops->Attend(qkv, spans, shape, &saved, out);
    at::Tensor dqkv = at::empty_like(qkv);
    ops->AttendBackward(dout, qkv, spans, shape, saved, dqkv);
    ops->Rotate(dqkv, positions, table, shape, true);
    results.push_back({qkv, out, dqkv});
  }
  for (size_t i = 0; i < 3; ++i) ExpectClose(results[0][i], results[1][i]);
}

TEST_F(OpsTest, SwiGluAgrees) {
  const at::Tensor gate_up = at::randn({kSymbols, 26});
  const at::Tensor dout = at::randn({kSymbols, 13});
  std::vector<std::vector<at::Tensor>> results;
  for (const Ops* ops : {&fused_, &generic_}) {
    at::Tensor out = at::empty({kSymbols, 13});
    at::Tensor gradient = gate_up.clone();
    ops->SwiGlu(gate_up, out);
    ops->SwiGluBackward(dout, gradient);
    results.push_back({out, gradient});
  }
  for (size_t i = 0; i < 2; ++i) ExpectClose(results[0][i], results[1][i]);
}

TEST_F(OpsTest, SoftmaxNatsAndTablesAgree) {
  const at::Tensor logits = at::randn({kSymbols, 19});
  const at::Tensor targets = at::randint(-1, 19, {kSymbols}, at::kLong);
  const at::Tensor rows = at::randn({kSymbols, 4});
  std::vector<std::vector<at::Tensor>> results;
  for (const Ops* ops : {&fused_, &generic_}) {
    at::Tensor gradient = logits.clone();
    at::Tensor nats = at::empty({kSymbols}, at::kDouble);
    ops->SoftmaxNats(gradient, targets, 0.3F, true, nats.data_ptr<double>());
    at::Tensor table = at::ones({19, 4});
    ops->ScatterAdd(rows, targets.clamp_min(0), table);
    at::Tensor gathered = at::empty({kSymbols, 4});
    ops->Gather(table, targets.clamp_min(0), gathered);
    results.push_back({gradient, nats, table, gathered});
  }
  for (size_t i = 0; i < 4; ++i) ExpectClose(results[0][i], results[1][i]);
}

}  // namespace
}  // namespace clm
