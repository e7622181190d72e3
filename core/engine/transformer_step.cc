#include "core/engine/transformer_step.h"

#include <algorithm>

#include "core/engine/tables.h"

namespace clm {
namespace {

namespace kernels = engine_kernels;

// Rows whose logits are computed together: enough to keep the multipliers busy, few enough to stay in the cache.
constexpr size_t kHeadRows = 16;
// Queries that go through the keys and values of a lane together: their sums are as many panels as stay in registers.
constexpr size_t kAttentionRows = 12;
// What a position contributes to a sum of values is its weight times the scale of its value, as a share of the largest,
// which takes one byte. In long windows less: shares times values of 7 bits stay below 2^31 in all.
constexpr uint32_t LargestShare(size_t window) {
  return static_cast<uint32_t>(std::min<size_t>(255, (size_t{1} << 24) / window));
}
constexpr int kAttentionScaleBits = 15;
constexpr int kKeyScaleSpareBits = 8;

constexpr size_t RoundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// How a vector becomes bytes: q[i] = value / (largest / 127).
struct ByteScaling {
  int shift = 0;
  int32_t factor = 0;
};

ByteScaling ScalingToBytes(uint32_t largest) {
  if (largest == 0) return {};
  ByteScaling by;
  by.shift = ShiftToBits(largest, 16);
  const int64_t peak = RoundShift(largest, by.shift);
  by.factor = static_cast<int32_t>((int64_t{127} << 24) / peak);
  return by;
}

// So that what is left takes 7 bits and a sign. A power of two, unlike in ByteScaling: scores need no other factor.
int QueryShift(uint32_t largest) {
  const int shift = ShiftToBits(largest, 7);
  return RoundShift(largest, shift) > 127 ? shift + 1 : shift;
}

int ClampShift(int shift) { return std::clamp(shift, 1, 62); }

}  // namespace

TransformerStep::TransformerStep(const TransformerWeights& weights, DotFunction dot, KvCache& cache)
    : weights_(weights),
      dot_(dot),
      cache_(cache),
      width_(static_cast<size_t>(weights.config.hidden_size)),
      inner_(static_cast<size_t>(weights.config.intermediate_size)),
      head_size_(static_cast<size_t>(weights.config.head_size())),
      kv_width_(static_cast<size_t>(weights.config.kv_heads) * head_size_),
      group_(static_cast<size_t>(weights.config.heads / weights.config.kv_heads)),
      batch_(std::max<size_t>(1, kAttentionRows / group_) * group_),
      query_stride_(RoundUp(head_size_, kPanelColumns)),
      value_stride_(RoundUp(head_size_, kPanelRows)),
      largest_share_(LargestShare(cache.shape().window)) {
  const size_t qkv = width_ + 2 * kv_width_;
  const size_t padded_width = RoundUp(width_, kPanelColumns);
  const size_t padded_inner = RoundUp(inner_, kPanelColumns);
  const size_t slots = cache.slots();
  residual_.resize(kMaxRows * width_);
  inputs_ = {.values = Buffer<uint8_t>(kMaxRows * padded_width), .stride = padded_width, .scales = {}};
  inner_inputs_ = {.values = Buffer<uint8_t>(kMaxRows * padded_inner), .stride = padded_inner, .scales = {}};
  inputs_.scales.resize(kMaxRows);
  inner_inputs_.scales.resize(kMaxRows);
  sum_stride_ = RoundUp(std::max(qkv, 2 * inner_), kPanelRows);
  sums_.resize(kMaxRows * sum_stride_);
  queries_.resize(kMaxRows * qkv);
  const size_t work = std::max(width_, inner_) + kPanelRows;
  for (Buffer<int32_t>* buffer : {&work_a_, &work_b_, &work_c_}) buffer->resize(work);
  attended_.resize(kMaxRows * width_);
  query_.resize(batch_ * query_stride_);
  query_shifts_.resize(batch_);
  value_scales_.resize(batch_);
  dots_.resize(batch_ * slots);
  shares_.resize(batch_ * slots);
  value_sums_.resize(batch_ * value_stride_);
  scores_.resize(slots);
  sines_.resize(kMaxRows * head_size_ / 2);
  cosines_.resize(kMaxRows * head_size_ / 2);
  head_sums_.resize(kHeadRows * weights.head.panels() * kPanelRows);
  logits_.resize(weights.config.vocab_size);
}

void TransformerStep::Run(std::span<const PlacedRow> rows, absl::FunctionRef<void()> barrier, size_t thread,
                          RowSink sink) {
  Embed(rows);
  for (size_t layer = 0; layer < weights_.layers.size(); ++layer) {
    const TransformerLayer& w = weights_.layers[layer];
    for (size_t row = 0; row < rows.size(); ++row) Norm(w.input_norm, row);
    Multiply(w.qkv, inputs_, rows.size());
    StoreKeysAndValues(rows, layer);
    barrier();
    Attend(rows, layer);
    FeedForward(w, rows.size());
  }
  Predict(rows, thread, sink);
}

void TransformerStep::Embed(std::span<const PlacedRow> rows) {
  const size_t half = head_size_ / 2;
  for (size_t row = 0; row < rows.size(); ++row) {
    const int16_t* from = weights_.embedding.values.data() + rows[row].symbol * width_;
    int32_t* to = residual_.data() + row * width_;
    for (size_t i = 0; i < width_; ++i) to[i] = from[i] * (1 << kResidualSpareBits);
    for (size_t pair = 0; pair < half; ++pair) {
      const uint64_t phase = rows[row].position * weights_.rotary_steps[pair];  // whole turns fall off the top
      const SineCosinePair turn = SineCosine(static_cast<uint32_t>(phase >> 32));
      sines_[row * half + pair] = turn.sine;
      cosines_[row * half + pair] = turn.cosine;
    }
  }
}

void TransformerStep::Norm(const QuantizedVector& gain, size_t row) {
  const int32_t* x = residual_.data() + row * width_;
  int32_t* products = work_a_.data();
  const uint32_t largest = kernels::MaxAbs(x, width_);
  const int shift = BitWidth(largest) - 15;
  const int64_t squares = kernels::NormProducts(x, largest == 0 ? 0 : shift, gain.values.data(), products, width_);
  const uint32_t peak = kernels::MaxAbs(products, width_);
  const ByteScaling by = ScalingToBytes(peak);
  kernels::Quantize(products, by.shift, by.factor, inputs_.row(row), width_);
  if (peak == 0) {
    inputs_.scales[row] = {};
    return;
  }
  // mean square = (squares + epsilon) / d, in units of the shifted stream
  constexpr uint64_t kMaxEpsilon = uint64_t{1} << 60;
  const Uint128 epsilon =
      shift >= 0 ? Uint128{weights_.epsilon >> std::min(2 * shift, 63)} : Uint128{weights_.epsilon} << (-2 * shift);
  const uint64_t sum = static_cast<uint64_t>(squares) + (epsilon > kMaxEpsilon ? kMaxEpsilon : uint64_t(epsilon));
  const int up = (62 - BitWidth(sum)) & ~1;
  const uint64_t root = IntegerSqrt(sum << up);
  inputs_.scales[row] =
      MakeScale(static_cast<uint64_t>(weights_.root_width.mantissa) << 24, static_cast<uint64_t>(by.factor) * root,
                weights_.root_width.exponent + by.shift + gain.exponent + up / 2);
}

void TransformerStep::Quantize(const int32_t* values, size_t count, Scale unit, Activations& out, size_t row) {
  const uint32_t largest = kernels::MaxAbs(values, count);
  const ByteScaling by = ScalingToBytes(largest);
  kernels::Quantize(values, by.shift, by.factor, out.row(row), count);
  out.scales[row] = largest == 0 ? Scale{}
                                 : MakeScale(static_cast<uint64_t>(unit.mantissa) << 24,
                                             static_cast<uint64_t>(by.factor), unit.exponent + by.shift);
}

void TransformerStep::Multiply(const PackedMatrix& matrix, Activations& activations, size_t rows) {
  DotArgs args = matrix.Args();
  args.a = activations.values.data();
  args.a_stride = activations.stride;
  args.rows = rows;
  args.out = sums_.data();
  args.out_stride = sum_stride_;
  dot_(args);
}

kernels::Rescale TransformerStep::RescaleTo(const PackedMatrix& matrix, Scale activation, int bits,
                                            int32_t limit) const {
  const int shift = -(matrix.exponent() + activation.exponent + bits);
  return {.row_scale = matrix.row_scales(),
          .mantissa = shift > 62 ? 0 : activation.mantissa,
          .shift = ClampShift(shift),
          .limit = limit};
}

void TransformerStep::StoreKeysAndValues(std::span<const PlacedRow> rows, size_t layer) {
  const PackedMatrix& matrix = weights_.layers[layer].qkv;
  const size_t turned = width_ + kv_width_;
  const auto heads = static_cast<size_t>(weights_.config.heads);
  const auto kv_heads = static_cast<size_t>(weights_.config.kv_heads);
  for (size_t row = 0; row < rows.size(); ++row) {
    const int32_t* sums = sums_.data() + row * sum_stride_;
    int32_t* out = queries_.data() + row * (turned + kv_width_);
    kernels::RescaleRow(sums, RescaleTo(matrix, inputs_.scales[row], kQueryBits, kQueryLimit), out, turned);
    kernels::Rescale values = RescaleTo(matrix, inputs_.scales[row], kValueBits, kernels::kResidualLimit);
    values.row_scale += turned;
    kernels::RescaleRow(sums + turned, values, out + turned, kv_width_);
    const size_t half = head_size_ / 2;
    kernels::Rotate(out, heads + kv_heads, half, sines_.data() + row * half, cosines_.data() + row * half);
    const size_t slot = rows[row].position % cache_.slots();
    for (size_t head = 0; head < kv_heads; ++head) {
      const KvHead store = cache_.Head(rows[row].lane, layer, head);
      const int32_t* key = out + width_ + head * head_size_;
      const int32_t* value = out + turned + head * head_size_;
      const uint32_t key_size = kernels::MaxAbs(key, head_size_);
      const ByteScaling by_key = ScalingToBytes(key_size);
      kernels::Quantize(key, by_key.shift, by_key.factor, query_.data(), head_size_);
      const int64_t key_scale = int64_t{key_size} * weights_.score_scale.mantissa;
      cache_.StoreKey(store, slot, query_.data(), static_cast<int32_t>(RoundShift(key_scale, kKeyScaleSpareBits)));
      const uint32_t value_size = kernels::MaxAbs(value, head_size_);
      const ByteScaling by_value = ScalingToBytes(value_size);
      kernels::Quantize(value, by_value.shift, by_value.factor, query_.data(), head_size_);
      cache_.StoreValue(store, slot, query_.data(), static_cast<int32_t>(value_size));
    }
  }
}

void TransformerStep::Attend(std::span<const PlacedRow> rows, size_t layer) {
  const TransformerLayer& w = weights_.layers[layer];
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin + 1;
    while (end < rows.size() && rows[end].lane == rows[begin].lane && (end - begin + 1) * group_ <= batch_) ++end;
    AttendLane(rows.subspan(begin, end - begin), begin, layer);
    begin = end;
  }
  for (size_t row = 0; row < rows.size(); ++row) {
    Quantize(attended_.data() + row * width_, width_, {1 << 14, -14 - kValueBits}, inputs_, row);
  }
  Multiply(w.out, inputs_, rows.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    kernels::RescaleAdd(sums_.data() + row * sum_stride_,
                        RescaleTo(w.out, inputs_.scales[row], weights_.residual_bits, kernels::kResidualLimit),
                        residual_.data() + row * width_, width_);
  }
}

void TransformerStep::AttendLane(std::span<const PlacedRow> rows, size_t first, size_t layer) {
  const size_t slots = cache_.slots();
  const size_t written = rows.back().position + 1;
  const size_t used = written >= slots ? slots : RoundUp(written, kPanelRows);
  const size_t queries = rows.size() * group_;
  const auto kv_heads = static_cast<size_t>(weights_.config.kv_heads);
  for (size_t kv_head = 0; kv_head < kv_heads; ++kv_head) {
    const KvHead head = cache_.Head(rows.front().lane, layer, kv_head);
    const size_t offset = kv_head * group_ * head_size_;
    for (size_t i = 0; i < queries; ++i) {
      const int32_t* query =
          queries_.data() + (first + i / group_) * (width_ + 2 * kv_width_) + offset + i % group_ * head_size_;
      query_shifts_[i] = QueryShift(kernels::MaxAbs(query, head_size_));
      kernels::QuantizeByShift(query, query_shifts_[i], query_.data() + i * query_stride_, head_size_);
    }
    QueryDots(head, used, queries);
    for (size_t i = 0; i < queries; ++i) {
      value_scales_[i] = SoftmaxOf(head, ViewAt(rows[i / group_].position), used, i);
    }
    ValueSums(head, used, queries);
    for (size_t i = 0; i < queries; ++i) {
      kernels::MultiplyRow(
          value_sums_.data() + i * value_stride_, value_scales_[i].mantissa, ClampShift(-value_scales_[i].exponent),
          attended_.data() + (first + i / group_) * width_ + offset + i % group_ * head_size_, head_size_);
    }
  }
}

TransformerStep::View TransformerStep::ViewAt(uint64_t position) const {
  const size_t slots = cache_.slots();
  const size_t window = cache_.shape().window;
  const uint64_t first = position + 1 > window ? position + 1 - window : 0;
  const size_t begin = first % slots;
  const size_t last = position % slots;
  const bool wrapped = begin > last;
  return {{{begin, (wrapped ? slots : last + 1) - begin}, {0, wrapped ? last + 1 : 0}}};
}

void TransformerStep::QueryDots(const KvHead& head, size_t used, size_t queries) {
  DotArgs args;
  args.panels = head.keys;
  args.panel_count = used / kPanelRows;
  args.panel_stride = cache_.head_groups() * kPanelRows * kPanelColumns;
  args.groups = cache_.head_groups();
  args.row_sums = head.key_sums;
  args.a = query_.data();
  args.a_stride = query_stride_;
  args.rows = queries;
  args.out = dots_.data();
  args.out_stride = cache_.slots();
  dot_(args);
}

Scale TransformerStep::SoftmaxOf(const KvHead& head, const View& view, size_t used, size_t i) {
  int32_t* dots = dots_.data() + i * cache_.slots();
  uint8_t* shares = shares_.data() + i * cache_.slots();
  // Query and key have kQueryBits fraction bits each, the score gets kLogBits.
  const int shift =
      -(kKeyScaleSpareBits + weights_.score_scale.exponent + query_shifts_[i] + kLogBits - 2 * kQueryBits);
  kernels::SoftmaxInput input = {
      .scores = nullptr, .scale = nullptr, .largest = -kernels::kResidualLimit, .scale_shift = 0};
  uint32_t largest_scale = 0;
  for (const Range& range : view) {
    input.largest =
        std::max(input.largest, kernels::Scores(dots + range.begin, head.key_scales + range.begin, ClampShift(shift),
                                                scores_.data() + range.begin, range.count));
    largest_scale = std::max(largest_scale, kernels::MaxAbs(head.value_scales + range.begin, range.count));
  }
  input.scale_shift = ShiftToBits(largest_scale, kAttentionScaleBits);
  kernels::SoftmaxSums sums;
  for (const Range& range : view) {
    input.scores = scores_.data() + range.begin;
    input.scale = head.value_scales + range.begin;
    kernels::SoftmaxWeights(input, dots + range.begin, range.count, sums);
  }
  std::fill_n(shares, used, uint8_t{0});
  if (sums.largest_scaled == 0) return {};
  const auto factor = static_cast<int32_t>((largest_share_ << 16) / sums.largest_scaled);
  for (const Range& range : view) {
    kernels::ScaleWeights(dots + range.begin, factor, shares + range.begin, range.count);
  }
  const int cut = ShiftToBits(sums.weights, 30);  // of windows above 2^15
  return MakeScale(1, 127 * static_cast<uint64_t>(factor) * (sums.weights >> cut),
                   16 + kAttentionScaleBits + input.scale_shift - cut);
}

void TransformerStep::ValueSums(const KvHead& head, size_t used, size_t queries) {
  DotArgs args;
  args.panels = head.values;
  args.panel_count = cache_.head_panels();
  args.panel_stride = cache_.slots() * kPanelRows;
  args.groups = used / kPanelColumns;
  args.a = shares_.data();
  args.a_stride = cache_.slots();
  args.rows = queries;
  args.out = value_sums_.data();
  args.out_stride = value_stride_;
  dot_(args);
}

void TransformerStep::FeedForward(const TransformerLayer& layer, size_t rows) {
  for (size_t row = 0; row < rows; ++row) Norm(layer.post_norm, row);
  Multiply(layer.gate_up, inputs_, rows);
  for (size_t row = 0; row < rows; ++row) {
    const int32_t* sums = sums_.data() + row * sum_stride_;
    const Scale scale = inputs_.scales[row];
    kernels::RescaleRow(sums, RescaleTo(layer.gate_up, scale, kGateBits, kMaxGate), work_a_.data(), inner_);
    kernels::Rescale up = RescaleTo(layer.gate_up, scale, kUpBits, kernels::kResidualLimit);
    up.row_scale += inner_;
    kernels::RescaleRow(sums + inner_, up, work_b_.data(), inner_);
    kernels::Silu(work_a_.data(), work_c_.data(), inner_);
    const int silu_shift = ShiftToBits(kernels::MaxAbs(work_c_.data(), inner_), 15);
    const int up_shift = ShiftToBits(kernels::MaxAbs(work_b_.data(), inner_), 15);
    kernels::Products(work_c_.data(), silu_shift, work_b_.data(), up_shift, work_a_.data(), inner_);
    const int exponent = silu_shift + up_shift - (kGateBits + 15) - kUpBits - 14;
    Quantize(work_a_.data(), inner_, {1 << 14, exponent}, inner_inputs_, row);
  }
  Multiply(layer.down, inner_inputs_, rows);
  for (size_t row = 0; row < rows; ++row) {
    kernels::RescaleAdd(
        sums_.data() + row * sum_stride_,
        RescaleTo(layer.down, inner_inputs_.scales[row], weights_.residual_bits, kernels::kResidualLimit),
        residual_.data() + row * width_, width_);
  }
}

void TransformerStep::Predict(std::span<const PlacedRow> rows, size_t thread, RowSink sink) {
  for (size_t row = 0; row < rows.size(); ++row) Norm(weights_.final_norm, row);
  DotArgs args = weights_.head.Args();
  args.a_stride = inputs_.stride;
  args.out = head_sums_.data();
  args.out_stride = weights_.head.panels() * kPanelRows;
  for (size_t begin = 0; begin < rows.size(); begin += kHeadRows) {
    args.a = inputs_.row(begin);
    args.rows = std::min(kHeadRows, rows.size() - begin);
    dot_(args);
    for (size_t i = 0; i < args.rows; ++i) {
      kernels::RescaleRow(head_sums_.data() + i * args.out_stride,
                          RescaleTo(weights_.head, inputs_.scales[begin + i], kLogBits, kernels::kResidualLimit),
                          logits_.data(), logits_.size());
      sink(rows[begin + i].index, thread, logits_);
    }
  }
}

}  // namespace clm
