#include "core/model/transformer/transformer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace clm {
namespace {

// Logits of one chunk: large enough for full speed of the matrix product, small enough for the cache.
constexpr int64_t kChunkFloats = int64_t{1} << 20;

ParameterLayout LayoutOf(const ModelConfig& config, const RowComposition* composition) {
  return composition == nullptr ? ParameterLayout::Plain(config) : composition->Layout(config);
}

// Rows of `first` and what is stored behind it, as one matrix.
at::Tensor Joined(const at::Tensor& flat, const ParameterSpec& first, int64_t rows) {
  return flat.narrow(0, first.offset, rows * first.columns).view({rows, first.columns});
}

}  // namespace

Workspace::Buffers Workspace::Narrow(int64_t n) const {
  const auto rows = [n](const at::Tensor& t) { return t.defined() ? t.narrow(0, 0, n) : t; };
  Buffers narrow = buffers_;
  for (Layer& layer : narrow.layers) {
    for (at::Tensor* t : {&layer.residual_in, &layer.inv_in, &layer.normed_in, &layer.qkv, &layer.attended,
                          &layer.residual_mid, &layer.inv_mid, &layer.normed_mid, &layer.gate_up, &layer.activation}) {
      *t = rows(*t);
    }
  }
  for (at::Tensor* t :
       {&narrow.ids, &narrow.targets, &narrow.positions, &narrow.residual_out, &narrow.inv_out, &narrow.hidden,
        &narrow.d_hidden, &narrow.d_normed, &narrow.d_qkv, &narrow.d_activation, &narrow.dx}) {
    *t = rows(*t);
  }
  return narrow;
}

Transformer::Transformer(const ModelConfig& config, at::Device device,
                         std::shared_ptr<const RowComposition> composition)
    : config_(config),
      layout_(LayoutOf(config, composition.get())),
      device_(device),
      ops_(/*fused=*/device.is_cpu()),
      rotary_(RotaryTable::Create(config.max_positions, config.head_size(), config.rope_theta, device)),
      weights_(at::zeros({layout_.total()}, at::device(device).dtype(at::kFloat))),
      views_(ViewsOf(weights_)) {
  if (composition == nullptr) return;
  CLM_CHECK(!config.tie_embeddings && composition->vocab_size() == config.vocab_size);
  composed_ = std::make_unique<ComposedTables>(layout_, std::move(composition), config.hidden_size, device);
  views_.input_table = composed_->input();
  views_.output_table = composed_->output();
}

AttentionShape Transformer::attention_shape() const {
  return {.heads = config_.heads, .kv_heads = config_.kv_heads, .head_size = config_.head_size()};
}

at::Tensor Transformer::ViewOf(const at::Tensor& flat, const ParameterSpec& spec) {
  return flat.narrow(0, spec.offset, spec.size()).view(spec.shape());
}

TransformerViews Transformer::ViewsOf(const at::Tensor& flat) const {
  TransformerViews views;
  for (int layer = 0; layer < config_.layers; ++layer) {
    const auto spec = [&](const char* name) -> const ParameterSpec& {
      return layout_.Find(absl::StrCat("model.layers.", layer, ".", name));
    };
    views.layers.push_back(
        {.input_norm = ViewOf(flat, spec("input_layernorm.weight")),
         .qkv = Joined(flat, spec("self_attn.q_proj.weight"), attention_shape().row_width()),
         .out = ViewOf(flat, spec("self_attn.o_proj.weight")),
         .post_norm = ViewOf(flat, spec("post_attention_layernorm.weight")),
         .gate_up = Joined(flat, spec("mlp.gate_proj.weight"), int64_t{2} * config_.intermediate_size),
         .down = ViewOf(flat, spec("mlp.down_proj.weight"))});
  }
  views.final_norm = ViewOf(flat, layout_.Find("model.norm.weight"));
  if (!layout_.Contains("model.embed_tokens.weight")) return views;
  views.input_table = ViewOf(flat, layout_.Find("model.embed_tokens.weight"));
  views.output_table = config_.tie_embeddings ? views.input_table : ViewOf(flat, layout_.Find("lm_head.weight"));
  return views;
}

void Transformer::Initialise(uint64_t seed) {
  at::Tensor host = at::zeros({layout_.total()}, at::kFloat);
  layout_.Initialise(seed, {host.data_ptr<float>(), static_cast<size_t>(layout_.total())});
  weights_.copy_(host);
  RefreshTables();
}

void Transformer::EnableGradients() {
  CLM_CHECK(!gradients_.defined());
  gradients_ = at::zeros_like(weights_);
  gradient_views_ = ViewsOf(gradients_);
  if (composed_ == nullptr) return;
  composed_->EnableGradients();
  gradient_views_.input_table = composed_->input_gradient();
  gradient_views_.output_table = composed_->output_gradient();
}

void Transformer::ZeroGradients() {
  gradients_.zero_();
  if (composed_ == nullptr) return;
  composed_->input_gradient().zero_();
  composed_->output_gradient().zero_();
}

void Transformer::RefreshTables() {
  if (composed_ != nullptr) composed_->Compose(weights_);
}

void Transformer::FinishGradients() {
  if (composed_ != nullptr) composed_->Backward(weights_, gradients_);
}

int64_t Transformer::ChunkRows() const { return std::clamp<int64_t>(kChunkFloats / config_.vocab_size, 16, 1024); }

void Transformer::Reserve(int64_t n, bool keep_layers, Workspace& workspace) const {
  const bool enough = n <= workspace.capacity_ && (workspace.keeps_layers_ || !keep_layers);
  if (enough && workspace.buffers_.ids.defined()) return;
  workspace.capacity_ = std::max(n, workspace.capacity_);
  workspace.keeps_layers_ = workspace.keeps_layers_ || keep_layers;
  const int64_t rows = workspace.capacity_;
  const int64_t d = config_.hidden_size;
  const int64_t f = config_.intermediate_size;
  const int64_t qkv = attention_shape().row_width();
  const auto make = [&](int64_t width) { return at::empty({rows, width}, weights_.options()); };
  const auto column = [&](at::ScalarType type) { return at::empty({rows}, weights_.options().dtype(type)); };
  Workspace::Buffers& b = workspace.buffers_;
  b = {};
  b.layers.resize(workspace.keeps_layers_ ? static_cast<size_t>(config_.layers) : 1);
  for (Workspace::Layer& layer : b.layers) {
    layer.residual_in = make(d);
    layer.inv_in = column(at::kFloat);
    layer.normed_in = make(d);
    layer.qkv = make(qkv);
    layer.attended = make(d);
    layer.residual_mid = make(d);
    layer.inv_mid = column(at::kFloat);
    layer.normed_mid = make(d);
    layer.gate_up = make(2 * f);
    layer.activation = make(f);
  }
  b.ids = column(at::kLong);
  b.targets = column(at::kLong);
  b.positions = column(at::kInt);
  b.residual_out = make(d);
  b.inv_out = column(at::kFloat);
  b.hidden = make(d);
  if (workspace.keeps_layers_) {
    b.d_hidden = make(d);
    b.d_normed = make(d);
    b.d_qkv = make(qkv);
    b.d_activation = make(f);
    b.dx = make(d);
  }
  b.logits = at::empty({ChunkRows(), int64_t{config_.vocab_size}}, weights_.options());
}

void Transformer::Upload(const TokenBatch& batch, Workspace::Buffers& buffers) const {
  std::vector<int32_t> positions;
  positions.reserve(batch.inputs.size());
  for (const TokenSpan& span : batch.spans) {
    CLM_CHECK(span.length <= config_.max_positions);
    for (int64_t i = 0; i < span.rows * span.length; ++i) positions.push_back(static_cast<int32_t>(i % span.length));
  }
  CLM_CHECK(static_cast<int64_t>(positions.size()) == batch.size() && batch.targets.size() == batch.inputs.size());
  const auto host = [&](const auto& values, at::ScalarType type) {
    return at::from_blob(const_cast<void*>(static_cast<const void*>(values.data())), {batch.size()}, type);
  };
  buffers.ids.copy_(host(batch.inputs, at::kLong));
  buffers.targets.copy_(host(batch.targets, at::kLong));
  buffers.positions.copy_(host(positions, at::kInt));
}

void Transformer::AttentionBlock(const TokenBatch& batch, int layer, bool keep, Workspace::Layer& a,
                                 const at::Tensor& positions) const {
  const LayerWeights& w = views_.layers[static_cast<size_t>(layer)];
  ops_.RmsNorm(a.residual_in, w.input_norm, config_.rms_norm_eps, a.normed_in, a.inv_in);
  at::mm_out(a.qkv, a.normed_in, w.qkv.t());
  ops_.Rotate(a.qkv, positions, rotary_, attention_shape(), /*inverse=*/false);
  ops_.Attend(a.qkv, batch.spans, attention_shape(), keep ? &a.attention : nullptr, a.attended);
  at::addmm_out(a.residual_mid, a.residual_in, a.attended, w.out.t());
}

void Transformer::FeedForwardBlock(int layer, Workspace::Layer& a, at::Tensor& out) const {
  const LayerWeights& w = views_.layers[static_cast<size_t>(layer)];
  ops_.RmsNorm(a.residual_mid, w.post_norm, config_.rms_norm_eps, a.normed_mid, a.inv_mid);
  at::mm_out(a.gate_up, a.normed_mid, w.gate_up.t());
  ops_.SwiGlu(a.gate_up, a.activation);
  at::addmm_out(out, a.residual_mid, a.activation, w.down.t());
}

void Transformer::Forward(const TokenBatch& batch, bool keep, Workspace::Buffers& b) const {
  Upload(batch, b);
  const auto slot = [&](int layer) -> Workspace::Layer& { return b.layers[keep ? static_cast<size_t>(layer) : 0]; };
  ops_.Gather(views_.input_table, b.ids, slot(0).residual_in);
  for (int layer = 0; layer < config_.layers; ++layer) {
    Workspace::Layer& a = slot(layer);
    AttentionBlock(batch, layer, keep, a, b.positions);
    const bool last = layer + 1 == config_.layers;
    FeedForwardBlock(layer, a, last ? b.residual_out : slot(layer + 1).residual_in);
  }
  ops_.RmsNorm(b.residual_out, views_.final_norm, config_.rms_norm_eps, b.hidden, b.inv_out);
}

void Transformer::Score(const TokenBatch& batch, Workspace& workspace, std::span<double> nats) const {
  CLM_CHECK(static_cast<int64_t>(nats.size()) == batch.size());
  const c10::NoGradGuard no_grad;
  Reserve(batch.size(), /*keep_layers=*/false, workspace);
  Workspace::Buffers b = workspace.Narrow(batch.size());
  Forward(batch, /*keep=*/false, b);
  for (int64_t begin = 0; begin < batch.size(); begin += ChunkRows()) {
    const int64_t rows = std::min(ChunkRows(), batch.size() - begin);
    at::Tensor logits = b.logits.narrow(0, 0, rows);
    at::mm_out(logits, b.hidden.narrow(0, begin, rows), views_.output_table.t());
    ops_.SoftmaxNats(logits, b.targets.narrow(0, begin, rows), 0.0F, /*gradient=*/false,
                     nats.data() + static_cast<size_t>(begin));
  }
}

at::Tensor Transformer::Logits(const TokenBatch& batch, Workspace& workspace) const {
  const c10::NoGradGuard no_grad;
  Reserve(batch.size(), /*keep_layers=*/false, workspace);
  Workspace::Buffers b = workspace.Narrow(batch.size());
  Forward(batch, /*keep=*/false, b);
  return at::mm(b.hidden, views_.output_table.t());
}

double Transformer::AccumulateGradients(const TokenBatch& batch, float scale, Workspace& workspace) {
  const c10::NoGradGuard no_grad;
  Reserve(batch.size(), /*keep_layers=*/true, workspace);
  Workspace::Buffers b = workspace.Narrow(batch.size());
  Forward(batch, /*keep=*/true, b);
  double total = 0;
  std::vector<double> nats(static_cast<size_t>(ChunkRows()));
  for (int64_t begin = 0; begin < batch.size(); begin += ChunkRows()) {
    const int64_t rows = std::min(ChunkRows(), batch.size() - begin);
    at::Tensor logits = b.logits.narrow(0, 0, rows);
    const at::Tensor hidden = b.hidden.narrow(0, begin, rows);
    at::Tensor d_hidden = b.d_hidden.narrow(0, begin, rows);
    at::mm_out(logits, hidden, views_.output_table.t());
    ops_.SoftmaxNats(logits, b.targets.narrow(0, begin, rows), scale, /*gradient=*/true, nats.data());
    for (int64_t row = 0; row < rows; ++row) total += nats[static_cast<size_t>(row)];
    at::mm_out(d_hidden, logits, views_.output_table);
    gradient_views_.output_table.addmm_(logits.t(), hidden);
  }
  b.dx.zero_();
  ops_.RmsNormBackward(b.d_hidden, b.residual_out, views_.final_norm, b.inv_out, b.dx, gradient_views_.final_norm);
  for (int layer = config_.layers - 1; layer >= 0; --layer) {
    LayerBackward(batch, layer, b.layers[static_cast<size_t>(layer)], b);
  }
  ops_.ScatterAdd(b.dx, b.ids, gradient_views_.input_table);
  return total;
}

// In: b.dx = gradient by the layer's output. Out: b.dx = gradient by its input.
void Transformer::LayerBackward(const TokenBatch& batch, int layer, Workspace::Layer& a, Workspace::Buffers& b) {
  const LayerWeights& w = views_.layers[static_cast<size_t>(layer)];
  LayerWeights& g = gradient_views_.layers[static_cast<size_t>(layer)];
  at::mm_out(b.d_activation, b.dx, w.down);
  g.down.addmm_(b.dx.t(), a.activation);
  ops_.SwiGluBackward(b.d_activation, a.gate_up);
  at::mm_out(b.d_normed, a.gate_up, w.gate_up);
  g.gate_up.addmm_(a.gate_up.t(), a.normed_mid);
  ops_.RmsNormBackward(b.d_normed, a.residual_mid, w.post_norm, a.inv_mid, b.dx, g.post_norm);

  at::Tensor& d_attended = b.d_normed;  // the same shape, and free until the end of the layer
  at::mm_out(d_attended, b.dx, w.out);
  g.out.addmm_(b.dx.t(), a.attended);
  ops_.AttendBackward(d_attended, a.qkv, batch.spans, attention_shape(), a.attention, b.d_qkv);
  ops_.Rotate(b.d_qkv, b.positions, rotary_, attention_shape(), /*inverse=*/true);
  at::mm_out(b.d_normed, b.d_qkv, w.qkv);
  g.qkv.addmm_(b.d_qkv.t(), a.normed_in);
  ops_.RmsNormBackward(b.d_normed, a.residual_in, w.input_norm, a.inv_in, b.dx, g.input_norm);
}

}  // namespace clm
