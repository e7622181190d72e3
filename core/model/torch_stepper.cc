#include "core/model/torch_stepper.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/model/torch_status.h"

namespace clm {

TorchStepper::TorchStepper(std::shared_ptr<const Transformer> model, int stride)
    : model_(std::move(model)),
      window_(static_cast<size_t>(model_->config().max_positions)),
      stride_(stride > 0 ? static_cast<size_t>(stride) : std::max<size_t>(1, window_ / 2)) {
  const AttentionShape shape = model_->attention_shape();
  const std::vector<int64_t> sizes = {1, shape.kv_heads, static_cast<int64_t>(window_), shape.head_size};
  for (int layer = 0; layer < model_->config().layers; ++layer) {
    caches_.push_back({at::zeros(sizes, model_->weights().options()), at::zeros(sizes, model_->weights().options())});
  }
}

void TorchStepper::Reset() {
  history_.clear();
  cached_ = 0;
}

void TorchStepper::Slide() {
  history_.erase(history_.begin(), history_.begin() + static_cast<ptrdiff_t>(std::min(stride_, history_.size())));
  cached_ = 0;
}

absl::Status TorchStepper::Feed(std::span<const SymbolId> symbols, std::vector<float>& logits) {
  if (symbols.empty()) return absl::InvalidArgumentError("feed: no symbols");
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i] >= vocab_size()) {
      return absl::OutOfRangeError(
          absl::StrCat("feed: symbol ", symbols[i], " at position ", i, ", the vocabulary has ", vocab_size()));
    }
  }
  // Whole windows that would slide away again are never computed: only the last one matters for these logits.
  for (const SymbolId symbol : symbols) {
    if (history_.size() == window_) Slide();
    history_.push_back(symbol);
  }
  return CatchTorch("feed", [&] {
    const c10::NoGradGuard no_grad;
    const at::Tensor hidden = Extend(history_.size());
    const at::Tensor row = at::mm(hidden, model_->views().output_table.t()).to(at::kCPU).contiguous();
    logits.resize(vocab_size());
    std::copy_n(row.const_data_ptr<float>(), logits.size(), logits.begin());
    return absl::OkStatus();
  });
}

at::Tensor TorchStepper::Extend(size_t end) {
  const ModelConfig& config = model_->config();
  const Ops& ops = model_->ops();
  const AttentionShape shape = model_->attention_shape();
  const auto count = static_cast<int64_t>(end - cached_);
  std::vector<int64_t> ids(history_.begin() + static_cast<ptrdiff_t>(cached_), history_.end());
  const at::Tensor index = at::from_blob(ids.data(), {count}, at::kLong).to(model_->device());
  const at::Tensor positions =
      at::arange(static_cast<int64_t>(cached_), static_cast<int64_t>(end), index.options().dtype(at::kInt));
  at::Tensor x = model_->views().input_table.index_select(0, index);
  at::Tensor normed = at::empty_like(x);
  at::Tensor inv = at::empty({count}, x.options());
  at::Tensor activation = at::empty({count, config.intermediate_size}, x.options());
  for (size_t layer = 0; layer < caches_.size(); ++layer) {
    const LayerWeights& w = model_->views().layers[layer];
    ops.RmsNorm(x, w.input_norm, config.rms_norm_eps, normed, inv);
    at::Tensor qkv = at::mm(normed, w.qkv.t());
    ops.Rotate(qkv, positions, model_->rotary(), shape, /*inverse=*/false);
    x = at::addmm(x, Attend(qkv, count, caches_[layer]), w.out.t());
    ops.RmsNorm(x, w.post_norm, config.rms_norm_eps, normed, inv);
    ops.SwiGlu(at::mm(normed, w.gate_up.t()), activation);
    x = at::addmm(x, activation, w.down.t());
  }
  cached_ = end;
  const at::Tensor last = x.narrow(0, count - 1, 1).contiguous();
  at::Tensor hidden = at::empty_like(last);
  at::Tensor last_inv = at::empty({1}, x.options());
  ops.RmsNorm(last, model_->views().final_norm, config.rms_norm_eps, hidden, last_inv);
  return hidden;
}

at::Tensor TorchStepper::Attend(const at::Tensor& qkv, int64_t count, LayerCache& cache) const {
  const AttentionShape shape = model_->attention_shape();
  const at::Tensor heads = qkv.view({1, count, shape.heads + 2 * shape.kv_heads, shape.head_size}).transpose(1, 2);
  const auto past = static_cast<int64_t>(cached_);
  cache.keys.narrow(2, past, count).copy_(heads.narrow(1, shape.heads, shape.kv_heads));
  cache.values.narrow(2, past, count).copy_(heads.narrow(1, shape.heads + shape.kv_heads, shape.kv_heads));
  const at::Tensor keys = cache.keys.narrow(2, 0, past + count);
  const at::Tensor values = cache.values.narrow(2, 0, past + count);
  at::Tensor mask;  // [count, past + count]: true where input i may look
  if (count > 1) mask = at::ones({count, past + count}, qkv.options().dtype(at::kBool)).tril(past);
  const at::Tensor out = at::scaled_dot_product_attention(
      heads.narrow(1, 0, shape.heads), keys, values, mask.defined() ? std::make_optional(mask) : std::nullopt,
      /*dropout_p=*/0.0, /*is_causal=*/false, /*scale=*/std::nullopt, /*enable_gqa=*/shape.heads != shape.kv_heads);
  return out.transpose(1, 2).reshape({count, shape.heads * shape.head_size});
}

}  // namespace clm
