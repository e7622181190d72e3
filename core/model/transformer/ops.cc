#include "core/model/transformer/ops.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/model/transformer/kernels.h"

namespace clm {
namespace {

// Rows per task: about 16k values, enough to pay for waking a thread.
template <typename Args>
void RunRows(const Args& args, int64_t rows, int64_t row_cost) {
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, row_cost));
  at::parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) { kernels::Run(args, begin, end); });
}

struct HeadViews {
  at::Tensor q;  // [rows, Hq, length, hd]
  at::Tensor k;  // [rows, Hk, length, hd]
  at::Tensor v;
};

HeadViews SplitHeads(const at::Tensor& qkv, const TokenSpan& span, const AttentionShape& shape) {
  const at::Tensor all = qkv.narrow(0, span.offset, span.rows * span.length)
                             .view({span.rows, span.length, shape.heads + 2 * shape.kv_heads, shape.head_size})
                             .transpose(1, 2);
  return {all.narrow(1, 0, shape.heads), all.narrow(1, shape.heads, shape.kv_heads),
          all.narrow(1, shape.heads + shape.kv_heads, shape.kv_heads)};
}

// Every group of query heads reads one head of keys and values.
at::Tensor RepeatHeads(const at::Tensor& x, const AttentionShape& shape) {
  return shape.heads == shape.kv_heads ? x : x.repeat_interleave(shape.heads / shape.kv_heads, 1);
}
at::Tensor SumHeads(const at::Tensor& dx, const AttentionShape& shape) {
  if (shape.heads == shape.kv_heads) return dx;
  const at::IntArrayRef sizes = dx.sizes();
  return dx.reshape({sizes[0], shape.kv_heads, shape.heads / shape.kv_heads, sizes[2], sizes[3]}).sum(2);
}

at::Tensor AttendedView(const at::Tensor& attended, const TokenSpan& span, const AttentionShape& shape) {
  return attended.narrow(0, span.offset, span.rows * span.length)
      .view({span.rows, span.length, shape.heads, shape.head_size})
      .transpose(1, 2);
}

double AttentionScale(const AttentionShape& shape) { return 1.0 / std::sqrt(static_cast<double>(shape.head_size)); }

struct HeadGradients {
  at::Tensor q, k, v;  // [rows, Hq, length, hd]: before the sum over groups
};

// With P = softmax(scale Q K^T): dV = P^T dO, dS = P * (dO V^T - sum(dO * O)), dQ = scale dS K, dK = scale dS^T Q.
HeadGradients GenericAttentionBackward(const at::Tensor& dout, const HeadViews& heads, const at::Tensor& out,
                                       double scale) {
  const int64_t length = out.size(2);
  const at::Tensor future = at::ones({length, length}, out.options().dtype(at::kBool)).triu(1);
  const at::Tensor scores = at::matmul(heads.q, heads.k.transpose(-2, -1)).mul(scale);
  const at::Tensor p = at::softmax(scores.masked_fill(future, -INFINITY), -1);
  const at::Tensor dp = at::matmul(dout, heads.v.transpose(-2, -1));
  const at::Tensor ds = p * (dp - (dout * out).sum(-1, /*keepdim=*/true)) * scale;
  return {at::matmul(ds, heads.k), at::matmul(ds.transpose(-2, -1), heads.q), at::matmul(p.transpose(-2, -1), dout)};
}

}  // namespace

RotaryTable RotaryTable::Create(int64_t positions, int64_t head_size, double theta, at::Device device) {
  const int64_t half = head_size / 2;
  RotaryTable table{at::empty({positions, half}), at::empty({positions, half})};
  auto* cosine = table.cosine.data_ptr<float>();
  auto* sine = table.sine.data_ptr<float>();
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t j = 0; j < half; ++j) {
      const double angle =
          static_cast<double>(position) * std::pow(theta, -static_cast<double>(j) / static_cast<double>(half));
      cosine[position * half + j] = static_cast<float>(std::cos(angle));
      sine[position * half + j] = static_cast<float>(std::sin(angle));
    }
  }
  return {table.cosine.to(device), table.sine.to(device)};
}

void Ops::RmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps, at::Tensor& y, at::Tensor& inv) const {
  if (!fused_) {
    inv.copy_(at::rsqrt(x.square().mean(-1).add(eps)));
    at::mul_out(y, x * inv.unsqueeze(-1), weight);
    return;
  }
  const kernels::RmsNormForward args{
      x.const_data_ptr<float>(), weight.const_data_ptr<float>(), y.data_ptr<float>(), inv.data_ptr<float>(), x.size(1),
      static_cast<float>(eps)};
  RunRows(args, x.size(0), x.size(1));
}

void Ops::RmsNormBackward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inv,
                          at::Tensor& dx, at::Tensor& dweight) const {
  if (!fused_) {
    const at::Tensor scale = inv.unsqueeze(-1);
    const at::Tensor g = dy * weight;
    dweight.add_((dy * x * scale).sum(0));
    dx.add_(g * scale - x * scale.pow(3) * (g * x).mean(-1, /*keepdim=*/true));
    return;
  }
  // Blocks of fixed size, each with its own sum for the weight, added in order: the same for any thread count.
  constexpr int64_t kBlockRows = 64;
  const int64_t rows = x.size(0);
  const int64_t width = x.size(1);
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  at::Tensor partial = at::zeros({blocks, width});
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const kernels::RmsNormBackward args{dy.const_data_ptr<float>(),
                                          x.const_data_ptr<float>(),
                                          weight.const_data_ptr<float>(),
                                          inv.const_data_ptr<float>(),
                                          dx.data_ptr<float>(),
                                          partial.data_ptr<float>() + block * width,
                                          width};
      kernels::Run(args, block * kBlockRows, std::min(rows, (block + 1) * kBlockRows));
    }
  });
  dweight.add_(partial.sum(0));
}

void Ops::SwiGlu(const at::Tensor& gate_up, at::Tensor& activation) const {
  const int64_t width = activation.size(1);
  if (!fused_) {
    at::mul_out(activation, at::silu(gate_up.narrow(1, 0, width)), gate_up.narrow(1, width, width));
    return;
  }
  const kernels::SwiGluForward args{gate_up.const_data_ptr<float>(), activation.data_ptr<float>(), width};
  RunRows(args, gate_up.size(0), 4 * width);
}

void Ops::SwiGluBackward(const at::Tensor& dactivation, at::Tensor& gate_up) const {
  const int64_t width = dactivation.size(1);
  if (!fused_) {
    at::Tensor gate = gate_up.narrow(1, 0, width);
    at::Tensor up = gate_up.narrow(1, width, width);
    const at::Tensor dgate = at::silu_backward(dactivation * up, gate);
    up.copy_(dactivation * at::silu(gate));
    gate.copy_(dgate);
    return;
  }
  const kernels::SwiGluBackward args{dactivation.const_data_ptr<float>(), gate_up.data_ptr<float>(), width};
  RunRows(args, gate_up.size(0), 6 * width);
}

void Ops::Rotate(at::Tensor& qkv, const at::Tensor& positions, const RotaryTable& table, const AttentionShape& shape,
                 bool inverse) const {
  const int64_t half = shape.head_size / 2;
  const int64_t heads = shape.heads + shape.kv_heads;  // q and k lie side by side; v follows
  if (!fused_) {
    const at::Tensor cosine = table.cosine.index_select(0, positions).unsqueeze(1);
    const at::Tensor sine = table.sine.index_select(0, positions).unsqueeze(1).mul(inverse ? -1.0 : 1.0);
    at::Tensor rows = qkv.view({qkv.size(0), heads + shape.kv_heads, shape.head_size}).narrow(1, 0, heads);
    const at::Tensor low = rows.narrow(2, 0, half).clone();
    const at::Tensor high = rows.narrow(2, half, half).clone();
    rows.narrow(2, 0, half).copy_(low * cosine - high * sine);
    rows.narrow(2, half, half).copy_(high * cosine + low * sine);
    return;
  }
  const kernels::Rotate args{qkv.data_ptr<float>(),
                             table.cosine.const_data_ptr<float>(),
                             table.sine.const_data_ptr<float>(),
                             positions.const_data_ptr<int32_t>(),
                             qkv.size(1),
                             heads,
                             half,
                             inverse};
  RunRows(args, qkv.size(0), 2 * heads * half);
}

void Ops::Attend(const at::Tensor& qkv, const std::vector<TokenSpan>& spans, const AttentionShape& shape,
                 AttentionSaved* saved, at::Tensor& attended) const {
  if (saved != nullptr) *saved = {};
  for (const TokenSpan& span : spans) {
    const HeadViews heads = SplitHeads(qkv, span, shape);
    const at::Tensor k = RepeatHeads(heads.k, shape);
    const at::Tensor v = RepeatHeads(heads.v, shape);
    at::Tensor out;
    at::Tensor logsumexp;
    if (fused_) {
      std::tie(out, logsumexp) =
          at::_scaled_dot_product_flash_attention_for_cpu(heads.q, k, v, /*dropout_p=*/0.0, /*is_causal=*/true);
    } else {
      out = at::scaled_dot_product_attention(heads.q, k, v, /*attn_mask=*/{}, /*dropout_p=*/0.0, /*is_causal=*/true);
    }
    AttendedView(attended, span, shape).copy_(out);
    if (saved != nullptr) {
      saved->out.push_back(std::move(out));
      saved->logsumexp.push_back(std::move(logsumexp));
    }
  }
}

void Ops::AttendBackward(const at::Tensor& dattended, const at::Tensor& qkv, const std::vector<TokenSpan>& spans,
                         const AttentionShape& shape, const AttentionSaved& saved, at::Tensor& dqkv) const {
  for (size_t i = 0; i < spans.size(); ++i) {
    HeadViews heads = SplitHeads(qkv, spans[i], shape);
    heads.k = RepeatHeads(heads.k, shape);
    heads.v = RepeatHeads(heads.v, shape);
    const at::Tensor dout = AttendedView(dattended, spans[i], shape);
    HeadGradients gradients;
    if (fused_) {
      std::tie(gradients.q, gradients.k, gradients.v) = at::_scaled_dot_product_flash_attention_for_cpu_backward(
          dout, heads.q, heads.k, heads.v, saved.out[i], saved.logsumexp[i], /*dropout_p=*/0.0, /*is_causal=*/true);
    } else {
      gradients = GenericAttentionBackward(dout, heads, saved.out[i], AttentionScale(shape));
    }
    HeadViews target = SplitHeads(dqkv, spans[i], shape);
    target.q.copy_(gradients.q);
    target.k.copy_(SumHeads(gradients.k, shape));
    target.v.copy_(SumHeads(gradients.v, shape));
  }
}

void Ops::Gather(const at::Tensor& table, const at::Tensor& ids, at::Tensor& out) const {
  at::index_select_out(out, table, 0, ids);
}

void Ops::ScatterAdd(const at::Tensor& dx, const at::Tensor& ids, at::Tensor& dtable) const {
  if (!fused_) {
    dtable.index_add_(0, ids, dx);
    return;
  }
  const int64_t width = dx.size(1);
  const auto* id = ids.const_data_ptr<int64_t>();
  const auto* source = dx.const_data_ptr<float>();
  auto* target = dtable.data_ptr<float>();
  for (int64_t n = 0; n < dx.size(0); ++n) {
    float* row = target + id[n] * width;
    const float* add = source + n * width;
    for (int64_t j = 0; j < width; ++j) row[j] += add[j];
  }
}

void Ops::SoftmaxNats(at::Tensor& logits, const at::Tensor& targets, float scale, bool gradient, double* nats) const {
  const int64_t rows = logits.size(0);
  if (fused_) {
    const kernels::SoftmaxNats args{
        logits.data_ptr<float>(), targets.const_data_ptr<int64_t>(), nats, logits.size(1), scale, gradient};
    RunRows(args, rows, 4 * logits.size(1));
    return;
  }
  const at::Tensor counted = targets.ge(0).unsqueeze(1);
  const at::Tensor index = targets.clamp_min(0).unsqueeze(1);
  const at::Tensor wide = logits.to(at::kDouble);
  const at::Tensor values = (wide.logsumexp(1, /*keepdim=*/true) - wide.gather(1, index)).mul(counted);
  const at::Tensor host = values.squeeze(1).to(at::kCPU).contiguous();
  std::copy_n(host.const_data_ptr<double>(), rows, nats);
  if (!gradient) return;
  at::Tensor p = at::softmax(logits, 1);
  p.scatter_add_(1, index, at::full({rows, 1}, -1.0F, p.options()));
  logits.copy_(p.mul_(scale).mul_(counted));
}

}  // namespace clm
