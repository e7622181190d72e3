// The hand-derived gradients and the fused kernels against two slow twins: the generic ATen operations, and LibTorch's
// own differentiation of a transformer written down plainly.
#include "core/model/transformer/transformer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"

namespace clm {
namespace {

ModelConfig SmallConfig() {
  ModelConfig config;
  config.vocab_size = 37;  // not a multiple of any vector width, so that the scalar tails run
  config.hidden_size = 40;
  config.intermediate_size = 23;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.max_positions = 12;
  config.rope_theta = 100.0;
  config.boundary = 36;
  return config;
}

TokenBatch RandomBatch(const ModelConfig& config, const std::vector<int64_t>& lengths, uint64_t seed) {
  CounterRng rng(seed, "batch", 0);
  TokenBatch batch;
  for (const int64_t length : lengths) {
    for (int64_t i = 0; i < length; ++i) {
      batch.inputs.push_back(static_cast<int64_t>(rng.NextBelow(config.vocab_size)));
      const bool counts = rng.NextBelow(5) != 0;
      batch.targets.push_back(counts ? static_cast<int64_t>(rng.NextBelow(config.vocab_size)) : TokenBatch::kNoTarget);
    }
    batch.EndSequence(length);
  }
  return batch;
}

at::Tensor PlainRmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  return x * at::rsqrt(x.square().mean(-1, true) + eps) * weight;
}

at::Tensor PlainRotate(const at::Tensor& x, double theta) {  // [length, heads, hd]
  const int64_t length = x.size(0);
  const int64_t half = x.size(2) / 2;
  const at::Tensor frequency = at::pow(theta, -at::arange(half, at::kDouble) / static_cast<double>(half));
  const at::Tensor angle = at::outer(at::arange(length, at::kDouble), frequency).to(at::kFloat).unsqueeze(1);
  const at::Tensor low = x.narrow(2, 0, half);
  const at::Tensor high = x.narrow(2, half, half);
  return at::cat({low * angle.cos() - high * angle.sin(), high * angle.cos() + low * angle.sin()}, 2);
}

// One sequence through the network, differentiable. Returns logits [length, V].
at::Tensor PlainForward(const Transformer& model, const std::function<at::Tensor(const std::string&)>& weight,
                        const at::Tensor& ids) {
  const ModelConfig& config = model.config();
  const int64_t length = ids.size(0);
  const int64_t hd = config.head_size();
  const at::Tensor future = at::ones({length, length}, at::kBool).triu(1);
  at::Tensor x = weight("model.embed_tokens.weight").index_select(0, ids);
  for (int layer = 0; layer < config.layers; ++layer) {
    const auto w = [&](const char* name) { return weight(absl::StrCat("model.layers.", layer, ".", name, ".weight")); };
    const at::Tensor y = PlainRmsNorm(x, w("input_layernorm"), config.rms_norm_eps);
    const at::Tensor q = PlainRotate(at::linear(y, w("self_attn.q_proj")).view({length, -1, hd}), config.rope_theta);
    const at::Tensor k = PlainRotate(at::linear(y, w("self_attn.k_proj")).view({length, -1, hd}), config.rope_theta);
    const at::Tensor v = at::linear(y, w("self_attn.v_proj")).view({length, -1, hd});
    std::vector<at::Tensor> heads;
    for (int64_t head = 0; head < config.heads; ++head) {
      const int64_t group = head * config.kv_heads / config.heads;
      const at::Tensor scores =
          at::matmul(q.select(1, head), k.select(1, group).t()) / std::sqrt(static_cast<double>(hd));
      heads.push_back(at::matmul(at::softmax(scores.masked_fill(future, -INFINITY), -1), v.select(1, group)));
    }
    x = x + at::linear(at::cat(heads, 1), w("self_attn.o_proj"));
    const at::Tensor z = PlainRmsNorm(x, w("post_attention_layernorm"), config.rms_norm_eps);
    x = x +
        at::linear(at::silu(at::linear(z, w("mlp.gate_proj"))) * at::linear(z, w("mlp.up_proj")), w("mlp.down_proj"));
  }
  return at::linear(PlainRmsNorm(x, weight("model.norm.weight"), config.rms_norm_eps),
                    weight(config.tie_embeddings ? "model.embed_tokens.weight" : "lm_head.weight"));
}

struct PlainResult {
  double nats = 0;
  at::Tensor gradient;  // flat
};

PlainResult Differentiate(Transformer& model, const TokenBatch& batch, double scale) {
  at::Tensor leaf = model.weights().detach().clone().set_requires_grad(true);
  const auto weight = [&](const std::string& name) {
    const ParameterSpec& spec = model.layout().Find(name);
    return leaf.narrow(0, spec.offset, spec.size()).view(spec.shape());
  };
  at::Tensor total = at::zeros({}, at::kFloat);
  for (const TokenSpan& span : batch.spans) {
    for (int64_t row = 0; row < span.rows; ++row) {
      const size_t begin = static_cast<size_t>(span.offset + row * span.length);
      const std::vector<int64_t> ids(batch.inputs.begin() + static_cast<ptrdiff_t>(begin),
                                     batch.inputs.begin() + static_cast<ptrdiff_t>(begin) + span.length);
      const at::Tensor log_p = at::log_softmax(PlainForward(model, weight, at::tensor(ids)), -1);
      for (int64_t i = 0; i < span.length; ++i) {
        const int64_t target = batch.targets[begin + static_cast<size_t>(i)];
        if (target >= 0) total = total - log_p[i][target];
      }
    }
  }
  total.mul(scale).backward();
  return {total.item<double>(), leaf.grad()};
}

double RelativeDifference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm().clamp_min(1e-20)).item<double>();
}

class TransformerGradientTest : public ::testing::TestWithParam<bool> {};

TEST_P(TransformerGradientTest, AgreesWithDifferentiationOfThePlainNetwork) {
  ModelConfig config = SmallConfig();
  config.tie_embeddings = GetParam();
  Transformer model(config, at::kCPU, nullptr);
  model.Initialise(11);
  model.EnableGradients();
  const TokenBatch batch = RandomBatch(config, {12, 12, 7, 1, 12}, 3);
  ASSERT_EQ(batch.spans.size(), 4U);
  const PlainResult want = Differentiate(model, batch, 0.01);
  for (const bool generic : {false, true}) {
    if (generic) model.UseGenericOps();
    Workspace workspace;
    model.ZeroGradients();
    const double nats = model.AccumulateGradients(batch, 0.01F, workspace);
    EXPECT_NEAR(nats, want.nats, 1e-4 * want.nats);
    for (const ParameterSpec& spec : model.layout().parameters()) {
      const auto part = [&](const at::Tensor& flat) { return flat.narrow(0, spec.offset, spec.size()); };
      EXPECT_LT(RelativeDifference(part(model.gradients()), part(want.gradient)), 2e-5) << spec.name << " " << generic;
    }
  }
}

TEST_P(TransformerGradientTest, MicroBatchesAddUpToTheWholeBatch) {
  ModelConfig config = SmallConfig();
  config.tie_embeddings = GetParam();
  Transformer model(config, at::kCPU, nullptr);
  model.Initialise(5);
  model.EnableGradients();
  Workspace workspace;
  const double together = model.AccumulateGradients(RandomBatch(config, {12, 12}, 9), 1.0F, workspace);
  const at::Tensor want = model.gradients().clone();
  const TokenBatch all = RandomBatch(config, {12, 12}, 9);
  model.ZeroGradients();
  double apart = 0;
  for (const ptrdiff_t begin : {0, 12}) {
    TokenBatch half;
    half.inputs.assign(all.inputs.begin() + begin, all.inputs.begin() + begin + 12);
    half.targets.assign(all.targets.begin() + begin, all.targets.begin() + begin + 12);
    half.EndSequence(12);
    apart += model.AccumulateGradients(half, 1.0F, workspace);
  }
  EXPECT_NEAR(apart, together, 1e-6 * together);
  EXPECT_LT(RelativeDifference(model.gradients(), want), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Tables, TransformerGradientTest, ::testing::Bool(),
                         [](const auto& tied) { return tied.param ? "Tied" : "Untied"; });

TEST(TransformerTest, ScoreIsTheLossOfTheSameBatchAndZeroWithoutTarget) {
  const ModelConfig config = SmallConfig();
  Transformer model(config, at::kCPU, nullptr);
  model.Initialise(5);
  model.EnableGradients();
  const TokenBatch batch = RandomBatch(config, {9, 4}, 21);
  Workspace workspace;
  std::vector<double> nats(13, -1);
  model.Score(batch, workspace, nats);
  double sum = 0;
  for (size_t i = 0; i < nats.size(); ++i) {
    EXPECT_EQ(nats[i] == 0, batch.targets[i] < 0) << i;
    sum += nats[i];
  }
  EXPECT_NEAR(sum, model.AccumulateGradients(batch, 1.0F, workspace), 1e-6 * sum);
}

TEST(TransformerTest, ASequenceDoesNotSeeItsNeighbours) {
  const ModelConfig config = SmallConfig();
  Transformer model(config, at::kCPU, nullptr);
  model.Initialise(5);
  Workspace workspace;
  const TokenBatch one = RandomBatch(config, {6, 12, 6}, 1);
  TokenBatch other = one;
  for (size_t i = 0; i < 6; ++i) other.inputs[i] = (other.inputs[i] + 1) % config.vocab_size;
  const at::Tensor a = model.Logits(one, workspace);
  const at::Tensor b = model.Logits(other, workspace);
  EXPECT_LT(RelativeDifference(a.narrow(0, 6, 18), b.narrow(0, 6, 18)), 1e-6);
  EXPECT_GT(RelativeDifference(a.narrow(0, 0, 6), b.narrow(0, 0, 6)), 1e-3);
}

TEST(TransformerTest, InitialisationDependsOnSeedAndNameOnly) {
  ModelConfig config = SmallConfig();
  Transformer small(config, at::kCPU, nullptr);
  small.Initialise(1);
  config.vocab_size = 50;
  Transformer large(config, at::kCPU, nullptr);
  large.Initialise(1);
  const auto table = [](const Transformer& model) { return model.views().input_table; };
  EXPECT_TRUE(at::equal(table(small), table(large).narrow(0, 0, 37)));
  EXPECT_TRUE(at::equal(small.views().layers[1].qkv, large.views().layers[1].qkv));
  large.Initialise(2);
  EXPECT_FALSE(at::equal(small.views().layers[1].qkv, large.views().layers[1].qkv));
  EXPECT_NEAR(table(small).std().item<double>(), 1 / std::sqrt(40.0), 0.01);
}

}  // namespace
}  // namespace clm
