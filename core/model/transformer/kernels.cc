#include "core/model/transformer/kernels.h"

#include <cmath>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/model/transformer/kernels.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set; must come first
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace clm::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::ScalableTag<float>;

inline int64_t LaneCount() { return static_cast<int64_t>(hn::Lanes(FloatTag())); }

// Sum over j of term(j) for j in [0, width): whole vectors first, then the rest one by one.
inline float SumVector(hn::Vec<FloatTag> sum) { return hn::GetLane(hn::SumOfLanes(FloatTag(), sum)); }

inline float SquaredSum(const float* x, int64_t width) {
  const FloatTag tag;
  auto sum = hn::Zero(tag);
  int64_t j = 0;
  for (; j + LaneCount() <= width; j += LaneCount()) {
    const auto value = hn::LoadU(tag, x + j);
    sum = hn::MulAdd(value, value, sum);
  }
  float total = SumVector(sum);
  for (; j < width; ++j) total += x[j] * x[j];
  return total;
}

void RmsNormForwardRows(const RmsNormForward& args, int64_t begin_row, int64_t end_row) {
  const FloatTag tag;
  for (int64_t row = begin_row; row < end_row; ++row) {
    const float* x = args.x + row * args.width;
    float* y = args.y + row * args.width;
    const float inv = 1.0F / std::sqrt(SquaredSum(x, args.width) / static_cast<float>(args.width) + args.eps);
    args.inv[row] = inv;
    int64_t j = 0;
    for (; j + LaneCount() <= args.width; j += LaneCount()) {
      const auto scaled = hn::Mul(hn::LoadU(tag, x + j), hn::Set(tag, inv));
      hn::StoreU(hn::Mul(scaled, hn::LoadU(tag, args.weight + j)), tag, y + j);
    }
    for (; j < args.width; ++j) y[j] = x[j] * inv * args.weight[j];
  }
}

// With g = dy * weight: dx = inv * g - x * inv^3 / width * sum(g * x), dweight = sum over rows of dy * x * inv.
void RmsNormBackwardRows(const RmsNormBackward& args, int64_t begin_row, int64_t end_row) {
  const FloatTag tag;
  for (int64_t row = begin_row; row < end_row; ++row) {
    const float* dy = args.dy + row * args.width;
    const float* x = args.x + row * args.width;
    float* dx = args.dx + row * args.width;
    const float inv = args.inv[row];
    auto dots = hn::Zero(tag);
    int64_t j = 0;
    for (; j + LaneCount() <= args.width; j += LaneCount()) {
      const auto product = hn::Mul(hn::LoadU(tag, dy + j), hn::LoadU(tag, x + j));
      dots = hn::MulAdd(product, hn::LoadU(tag, args.weight + j), dots);
      const auto dweight = hn::LoadU(tag, args.dweight + j);
      hn::StoreU(hn::MulAdd(product, hn::Set(tag, inv), dweight), tag, args.dweight + j);
    }
    float dot = SumVector(dots);
    for (; j < args.width; ++j) {
      dot += dy[j] * x[j] * args.weight[j];
      args.dweight[j] += dy[j] * x[j] * inv;
    }
    const float slope = -dot * inv * inv * inv / static_cast<float>(args.width);
    for (j = 0; j + LaneCount() <= args.width; j += LaneCount()) {
      const auto g = hn::Mul(hn::LoadU(tag, dy + j), hn::LoadU(tag, args.weight + j));
      const auto sum = hn::MulAdd(g, hn::Set(tag, inv), hn::LoadU(tag, dx + j));
      hn::StoreU(hn::MulAdd(hn::LoadU(tag, x + j), hn::Set(tag, slope), sum), tag, dx + j);
    }
    for (; j < args.width; ++j) dx[j] += dy[j] * args.weight[j] * inv + x[j] * slope;
  }
}

// 1 / (1 + exp(-x)). exp overflows to infinity for x < -88, which gives the right limit 0.
inline hn::Vec<FloatTag> Sigmoid(hn::Vec<FloatTag> x) {
  const FloatTag tag;
  const auto one = hn::Set(tag, 1.0F);
  return hn::Div(one, hn::Add(one, hn::Exp(tag, hn::Neg(x))));
}
inline float SigmoidScalar(float x) { return 1.0F / (1.0F + std::exp(-x)); }

void SwiGluForwardRows(const SwiGluForward& args, int64_t begin_row, int64_t end_row) {
  const FloatTag tag;
  for (int64_t row = begin_row; row < end_row; ++row) {
    const float* gate = args.gate_up + row * 2 * args.width;
    const float* up = gate + args.width;
    float* out = args.activation + row * args.width;
    int64_t j = 0;
    for (; j + LaneCount() <= args.width; j += LaneCount()) {
      const auto g = hn::LoadU(tag, gate + j);
      hn::StoreU(hn::Mul(hn::Mul(g, Sigmoid(g)), hn::LoadU(tag, up + j)), tag, out + j);
    }
    for (; j < args.width; ++j) out[j] = gate[j] * SigmoidScalar(gate[j]) * up[j];
  }
}

// With s = sigmoid(g): d silu / dg = s * (1 + g * (1 - s)).
void SwiGluBackwardRows(const SwiGluBackward& args, int64_t begin_row, int64_t end_row) {
  const FloatTag tag;
  const auto one = hn::Set(tag, 1.0F);
  for (int64_t row = begin_row; row < end_row; ++row) {
    float* gate = args.gate_up + row * 2 * args.width;
    float* up = gate + args.width;
    const float* dout = args.dactivation + row * args.width;
    int64_t j = 0;
    for (; j + LaneCount() <= args.width; j += LaneCount()) {
      const auto g = hn::LoadU(tag, gate + j);
      const auto d = hn::LoadU(tag, dout + j);
      const auto s = Sigmoid(g);
      const auto slope = hn::Mul(s, hn::MulAdd(g, hn::Sub(one, s), one));
      const auto dgate = hn::Mul(hn::Mul(d, hn::LoadU(tag, up + j)), slope);
      hn::StoreU(hn::Mul(d, hn::Mul(g, s)), tag, up + j);
      hn::StoreU(dgate, tag, gate + j);
    }
    for (; j < args.width; ++j) {
      const float s = SigmoidScalar(gate[j]);
      const float dgate = dout[j] * up[j] * s * (1.0F + gate[j] * (1.0F - s));
      up[j] = dout[j] * gate[j] * s;
      gate[j] = dgate;
    }
  }
}

void RotateRows(const Rotate& args, int64_t begin_row, int64_t end_row) {
  const FloatTag tag;
  const int64_t half = args.half;
  for (int64_t row = begin_row; row < end_row; ++row) {
    const float* cosine = args.cosine + args.position[row] * half;
    const float* sine = args.sine + args.position[row] * half;
    const float sign = args.inverse ? -1.0F : 1.0F;
    for (int64_t head = 0; head < args.heads; ++head) {
      float* low = args.rows + row * args.stride + head * 2 * half;
      float* high = low + half;
      int64_t j = 0;
      for (; j + LaneCount() <= half; j += LaneCount()) {
        const auto a = hn::LoadU(tag, low + j);
        const auto b = hn::LoadU(tag, high + j);
        const auto c = hn::LoadU(tag, cosine + j);
        const auto s = hn::Mul(hn::LoadU(tag, sine + j), hn::Set(tag, sign));
        hn::StoreU(hn::NegMulAdd(b, s, hn::Mul(a, c)), tag, low + j);
        hn::StoreU(hn::MulAdd(a, s, hn::Mul(b, c)), tag, high + j);
      }
      for (; j < half; ++j) {
        const float a = low[j];
        const float s = sign * sine[j];
        low[j] = a * cosine[j] - high[j] * s;
        high[j] = high[j] * cosine[j] + a * s;
      }
    }
  }
}

inline float Maximum(const float* x, int64_t width) {
  const FloatTag tag;
  auto best = hn::Set(tag, x[0]);
  int64_t j = 0;
  for (; j + LaneCount() <= width; j += LaneCount()) best = hn::Max(best, hn::LoadU(tag, x + j));
  float maximum = hn::GetLane(hn::MaxOfLanes(tag, best));
  for (; j < width; ++j) maximum = x[j] > maximum ? x[j] : maximum;
  return maximum;
}

// Replaces x by exp(x - maximum) when `store`; returns the sum.
inline float ExponentialSum(float* x, int64_t width, float maximum, bool store) {
  const FloatTag tag;
  auto sum = hn::Zero(tag);
  int64_t j = 0;
  for (; j + LaneCount() <= width; j += LaneCount()) {
    const auto value = hn::Exp(tag, hn::Sub(hn::LoadU(tag, x + j), hn::Set(tag, maximum)));
    sum = hn::Add(sum, value);
    if (store) hn::StoreU(value, tag, x + j);
  }
  float total = SumVector(sum);
  for (; j < width; ++j) {
    const float value = std::exp(x[j] - maximum);
    total += value;
    if (store) x[j] = value;
  }
  return total;
}

inline void Scale(float* x, int64_t width, float factor) {
  const FloatTag tag;
  int64_t j = 0;
  for (; j + LaneCount() <= width; j += LaneCount()) {
    hn::StoreU(hn::Mul(hn::LoadU(tag, x + j), hn::Set(tag, factor)), tag, x + j);
  }
  for (; j < width; ++j) x[j] *= factor;
}

void SoftmaxNatsRows(const SoftmaxNats& args, int64_t begin_row, int64_t end_row) {
  for (int64_t row = begin_row; row < end_row; ++row) {
    float* logits = args.logits + row * args.width;
    const int64_t target = args.target[row];
    args.nats[row] = 0;
    if (target < 0) {
      if (args.gradient) {
        for (int64_t j = 0; j < args.width; ++j) logits[j] = 0.0F;
      }
      continue;
    }
    const float maximum = Maximum(logits, args.width);
    const double distance = static_cast<double>(maximum) - static_cast<double>(logits[target]);
    const float sum = ExponentialSum(logits, args.width, maximum, args.gradient);
    args.nats[row] = distance + std::log(static_cast<double>(sum));
    if (args.gradient) {
      Scale(logits, args.width, args.scale / sum);
      logits[target] -= args.scale;
    }
  }
}

double SumOfSquaresRange(const float* values, int64_t begin, int64_t end) {
  constexpr int64_t kBlock = 1024;  // float sums of a block, double sums of blocks
  double total = 0;
  for (int64_t at = begin; at < end; at += kBlock) {
    total += static_cast<double>(SquaredSum(values + at, at + kBlock < end ? kBlock : end - at));
  }
  return total;
}

}  // namespace clm::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace clm::kernels {

HWY_EXPORT(RmsNormForwardRows);
HWY_EXPORT(RmsNormBackwardRows);
HWY_EXPORT(SwiGluForwardRows);
HWY_EXPORT(SwiGluBackwardRows);
HWY_EXPORT(RotateRows);
HWY_EXPORT(SoftmaxNatsRows);
HWY_EXPORT(SumOfSquaresRange);

void Run(const RmsNormForward& args, int64_t begin_row, int64_t end_row) {
  HWY_DYNAMIC_DISPATCH(RmsNormForwardRows)(args, begin_row, end_row);
}
void Run(const RmsNormBackward& args, int64_t begin_row, int64_t end_row) {
  HWY_DYNAMIC_DISPATCH(RmsNormBackwardRows)(args, begin_row, end_row);
}
void Run(const SwiGluForward& args, int64_t begin_row, int64_t end_row) {
  HWY_DYNAMIC_DISPATCH(SwiGluForwardRows)(args, begin_row, end_row);
}
void Run(const SwiGluBackward& args, int64_t begin_row, int64_t end_row) {
  HWY_DYNAMIC_DISPATCH(SwiGluBackwardRows)(args, begin_row, end_row);
}
void Run(const Rotate& args, int64_t begin_row, int64_t end_row) {
  HWY_DYNAMIC_DISPATCH(RotateRows)(args, begin_row, end_row);
}
void Run(const SoftmaxNats& args, int64_t begin_row, int64_t end_row) {
  HWY_DYNAMIC_DISPATCH(SoftmaxNatsRows)(args, begin_row, end_row);
}
double SumOfSquares(const float* values, int64_t begin, int64_t end) {
  return HWY_DYNAMIC_DISPATCH(SumOfSquaresRange)(values, begin, end);
}

}  // namespace clm::kernels
#endif
