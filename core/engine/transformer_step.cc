#include "core/engine/transformer_step.h"

#include <algorithm>

#include "core/engine/tables.h"

namespace clm {
namespace {

namespace kernels = engine_kernels;

// Rows whose logits are computed together: enough to keep the multipliers busy, few enough to stay in the cache.
constexpr size_t kHeadRows = 16;
// Symbols whose weight in a sum of values is known to 15 bits.
constexpr int kAttentionWeightBits = 15;
constexpr int kAttentionSumBits = 23;
constexpr int kQueryQuantBits = 13;
constexpr int kKeyScaleSpareBits = 8;

constexpr size_t RoundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// A narrow vector: q[i] = value / (largest / 127), and how it is done.
struct NarrowPlan {
  int shift = 0;
  int32_t factor = 0;
};

NarrowPlan PlanNarrow(uint32_t largest) {
  if (largest == 0) return {};
  NarrowPlan plan;
  plan.shift = ShiftToBits(largest, 16);
  const int64_t peak = RoundShift(largest, plan.shift);
  plan.factor = static_cast<int32_t>((int64_t{127} << 24) / peak);
  return plan;
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
      kv_width_(static_cast<size_t>(weights.config.kv_heads) * head_size_) {
  const size_t qkv = width_ + 2 * kv_width_;
  const size_t padded_width = RoundUp(width_, kPanelColumns);
  const size_t padded_inner = RoundUp(inner_, kPanelColumns);
  const size_t slots = cache.slots();
  residual_.resize(kMaxRows * width_);
  narrow_ = {.values = Buffer<int16_t>(kMaxRows * padded_width), .stride = padded_width, .scales = {}};
  wide_ = {.values = Buffer<int16_t>(kMaxRows * padded_inner), .stride = padded_inner, .scales = {}};
  narrow_.scales.resize(kMaxRows);
  wide_.scales.resize(kMaxRows);
  sum_stride_ = RoundUp(std::max(qkv, 2 * inner_), kPanelRows);
  sums_.resize(kMaxRows * sum_stride_);
  queries_.resize(kMaxRows * qkv);
  const size_t work = std::max(width_, inner_) + kPanelRows;
  for (Buffer<int32_t>* buffer : {&work_a_, &work_b_, &work_c_}) buffer->resize(work);
  dots_.resize(slots);
  scores_.resize(slots);
  shares_.resize(slots);
  query_.resize(RoundUp(head_size_, kPanelColumns));
  sines_.resize(kMaxRows * head_size_ / 2);
  cosines_.resize(kMaxRows * head_size_ / 2);
  head_sums_.resize(kHeadRows * weights.head.panels() * kPanelRows);
  logits_.resize(weights.config.vocab_size);
  const size_t groups = std::max({padded_width, padded_inner, slots}) / kPanelColumns;
  scratch_.resize(DotScratchBytes(kMaxRows, groups));
}

void TransformerStep::Run(std::span<const PlacedRow> rows, absl::FunctionRef<void()> barrier, size_t thread,
                          RowSink sink) {
  Embed(rows);
  for (size_t layer = 0; layer < weights_.layers.size(); ++layer) {
    const TransformerLayer& w = weights_.layers[layer];
    for (size_t row = 0; row < rows.size(); ++row) Norm(w.input_norm, row);
    Multiply(w.qkv, narrow_, rows.size());
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
  const NarrowPlan plan = PlanNarrow(peak);
  kernels::QuantizeNarrow(products, plan.shift, plan.factor, narrow_.row(row), width_);
  if (peak == 0) {
    narrow_.scales[row] = {};
    return;
  }
  // mean square = (squares + epsilon) / d, in units of the shifted stream
  constexpr uint64_t kMaxEpsilon = uint64_t{1} << 60;
  const Uint128 epsilon =
      shift >= 0 ? Uint128{weights_.epsilon >> std::min(2 * shift, 63)} : Uint128{weights_.epsilon} << (-2 * shift);
  const uint64_t sum = static_cast<uint64_t>(squares) + (epsilon > kMaxEpsilon ? kMaxEpsilon : uint64_t(epsilon));
  const int up = (62 - BitWidth(sum)) & ~1;
  const uint64_t root = IntegerSqrt(sum << up);
  narrow_.scales[row] =
      MakeScale(static_cast<uint64_t>(weights_.root_width.mantissa) << 24, static_cast<uint64_t>(plan.factor) * root,
                weights_.root_width.exponent + plan.shift + gain.exponent + up / 2);
}

void TransformerStep::Quantize(const int32_t* values, size_t count, const PackedMatrix& matrix, Scale unit,
                               Activations& out, size_t row) {
  const uint32_t largest = kernels::MaxAbs(values, count);
  if (matrix.wide()) {
    const int shift = ShiftToBits(largest, matrix.activation_bits());
    kernels::QuantizeWide(values, shift, out.row(row), count);
    out.scales[row] = {unit.mantissa, unit.exponent + shift};
    return;
  }
  const NarrowPlan plan = PlanNarrow(largest);
  kernels::QuantizeNarrow(values, plan.shift, plan.factor, out.row(row), count);
  out.scales[row] = largest == 0 ? Scale{}
                                 : MakeScale(static_cast<uint64_t>(unit.mantissa) << 24,
                                             static_cast<uint64_t>(plan.factor), unit.exponent + plan.shift);
}

void TransformerStep::Multiply(const PackedMatrix& matrix, Activations& activations, size_t rows) {
  DotArgs args = matrix.Args();
  args.a = activations.values.data();
  args.a_stride = activations.stride;
  args.rows = rows;
  args.out = sums_.data();
  args.out_stride = sum_stride_;
  args.scratch = scratch_.data();
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
    kernels::RescaleRow(sums, RescaleTo(matrix, narrow_.scales[row], kQueryBits, kQueryLimit), out, turned);
    kernels::Rescale values = RescaleTo(matrix, narrow_.scales[row], kValueBits, kernels::kResidualLimit);
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
      const NarrowPlan key_plan = PlanNarrow(key_size);
      kernels::QuantizeNarrow(key, key_plan.shift, key_plan.factor, query_.data(), head_size_);
      const int64_t key_scale = int64_t{key_size} * weights_.score_scale.mantissa;
      cache_.StoreKey(store, slot, query_.data(), static_cast<int32_t>(RoundShift(key_scale, kKeyScaleSpareBits)));
      const uint32_t value_size = kernels::MaxAbs(value, head_size_);
      const NarrowPlan value_plan = PlanNarrow(value_size);
      kernels::QuantizeNarrow(value, value_plan.shift, value_plan.factor, query_.data(), head_size_);
      cache_.StoreValue(store, slot, query_.data(), static_cast<int32_t>(value_size));
    }
  }
}

void TransformerStep::Attend(std::span<const PlacedRow> rows, size_t layer) {
  const TransformerLayer& w = weights_.layers[layer];
  const auto heads = static_cast<size_t>(weights_.config.heads);
  const size_t group = heads / static_cast<size_t>(weights_.config.kv_heads);
  const size_t query_width = width_ + 2 * kv_width_;
  for (size_t row = 0; row < rows.size(); ++row) {
    const int32_t* queries = queries_.data() + row * query_width;
    int32_t* attended = work_c_.data();
    const View view = ViewAt(rows[row].position);
    for (size_t head = 0; head < heads; ++head) {
      AttendHead(cache_.Head(rows[row].lane, layer, head / group), view, queries + head * head_size_,
                 attended + head * head_size_);
    }
    Quantize(attended, width_, w.out, {1 << 14, -14 - kValueBits}, narrow_, row);
  }
  Multiply(w.out, narrow_, rows.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    kernels::RescaleAdd(sums_.data() + row * sum_stride_,
                        RescaleTo(w.out, narrow_.scales[row], weights_.residual_bits, kernels::kResidualLimit),
                        residual_.data() + row * width_, width_);
  }
}

TransformerStep::View TransformerStep::ViewAt(uint64_t position) const {
  const size_t slots = cache_.slots();
  const size_t window = cache_.shape().window;
  const uint64_t first = position + 1 > window ? position + 1 - window : 0;
  const size_t begin = first % slots;
  const size_t last = position % slots;
  const bool wrapped = begin > last;
  return {.used = position + 1 >= slots ? slots : RoundUp(position + 1, kPanelRows),
          .ranges = {{{begin, (wrapped ? slots : last + 1) - begin}, {0, wrapped ? last + 1 : 0}}}};
}

int TransformerStep::QueryDots(const KvHead& head, const View& view, const int32_t* query) {
  const int shift = ShiftToBits(kernels::MaxAbs(query, head_size_), kQueryQuantBits);
  kernels::QuantizeWide(query, shift, query_.data(), head_size_);
  DotArgs args;
  args.panels = head.keys;
  args.panel_count = view.used / kPanelRows;
  args.panel_stride = cache_.head_groups() * kPanelRows * kPanelColumns;
  args.groups = cache_.head_groups();
  args.row_sums = head.key_sums;
  args.a = query_.data();
  args.a_stride = query_.size();
  args.rows = 1;
  args.wide = true;
  args.out = dots_.data();
  args.out_stride = cache_.slots();
  args.scratch = scratch_.data();
  dot_(args);
  return shift;
}

Scale TransformerStep::SoftmaxOf(const KvHead& head, const View& view, int query_shift) {
  // Query and key have kQueryBits fraction bits each, the score gets kLogBits.
  const int shift = -(kKeyScaleSpareBits + weights_.score_scale.exponent + query_shift + kLogBits - 2 * kQueryBits);
  int32_t largest = -kernels::kResidualLimit;
  for (const Range& range : view.ranges) {
    largest = std::max(largest, kernels::Scores(dots_.data() + range.begin, head.key_scales + range.begin,
                                                ClampShift(shift), scores_.data() + range.begin, range.count));
  }
  kernels::SoftmaxSums sums;
  for (const Range& range : view.ranges) {
    kernels::SoftmaxWeights(scores_.data() + range.begin, largest, head.value_scales + range.begin,
                            dots_.data() + range.begin, range.count, sums);
  }
  const int down =
      std::max(ShiftToBits(sums.largest_scaled, kAttentionWeightBits), ShiftToBits(sums.scaled, kAttentionSumBits));
  std::fill_n(shares_.begin(), view.used, int16_t{0});
  for (const Range& range : view.ranges) {
    kernels::ScaleWeights(dots_.data() + range.begin, head.value_scales + range.begin, down,
                          shares_.data() + range.begin, range.count);
  }
  return MakeScale(1, 127 * sums.weights, down);
}

void TransformerStep::AttendHead(const KvHead& head, const View& view, const int32_t* query, int32_t* out) {
  const int query_shift = QueryDots(head, view, query);
  const Scale scale = SoftmaxOf(head, view, query_shift);
  DotArgs args;
  args.panels = head.values;
  args.panel_count = cache_.head_panels();
  args.panel_stride = cache_.slots() * kPanelRows;
  args.groups = view.used / kPanelColumns;
  args.a = shares_.data();
  args.a_stride = cache_.slots();
  args.rows = 1;
  args.wide = true;
  args.out = work_a_.data();
  args.out_stride = work_a_.size();
  args.scratch = scratch_.data();
  dot_(args);
  kernels::MultiplyRow(work_a_.data(), scale.mantissa, ClampShift(-scale.exponent), out, head_size_);
}

void TransformerStep::FeedForward(const TransformerLayer& layer, size_t rows) {
  for (size_t row = 0; row < rows; ++row) Norm(layer.post_norm, row);
  Multiply(layer.gate_up, narrow_, rows);
  for (size_t row = 0; row < rows; ++row) {
    const int32_t* sums = sums_.data() + row * sum_stride_;
    const Scale scale = narrow_.scales[row];
    kernels::RescaleRow(sums, RescaleTo(layer.gate_up, scale, kGateBits, kMaxGate), work_a_.data(), inner_);
    kernels::Rescale up = RescaleTo(layer.gate_up, scale, kUpBits, kernels::kResidualLimit);
    up.row_scale += inner_;
    kernels::RescaleRow(sums + inner_, up, work_b_.data(), inner_);
    kernels::Silu(work_a_.data(), work_c_.data(), inner_);
    const int silu_shift = ShiftToBits(kernels::MaxAbs(work_c_.data(), inner_), 15);
    const int up_shift = ShiftToBits(kernels::MaxAbs(work_b_.data(), inner_), 15);
    kernels::Products(work_c_.data(), silu_shift, work_b_.data(), up_shift, work_a_.data(), inner_);
    const int exponent = silu_shift + up_shift - (kGateBits + 15) - kUpBits - 14;
    Quantize(work_a_.data(), inner_, layer.down, {1 << 14, exponent}, wide_, row);
  }
  Multiply(layer.down, wide_, rows);
  for (size_t row = 0; row < rows; ++row) {
    kernels::RescaleAdd(sums_.data() + row * sum_stride_,
                        RescaleTo(layer.down, wide_.scales[row], weights_.residual_bits, kernels::kResidualLimit),
                        residual_.data() + row * width_, width_);
  }
}

void TransformerStep::Predict(std::span<const PlacedRow> rows, size_t thread, RowSink sink) {
  for (size_t row = 0; row < rows.size(); ++row) Norm(weights_.final_norm, row);
  DotArgs args = weights_.head.Args();
  args.a_stride = narrow_.stride;
  args.out = head_sums_.data();
  args.out_stride = weights_.head.panels() * kPanelRows;
  args.scratch = scratch_.data();
  for (size_t begin = 0; begin < rows.size(); begin += kHeadRows) {
    args.a = narrow_.row(begin);
    args.rows = std::min(kHeadRows, rows.size() - begin);
    dot_(args);
    for (size_t i = 0; i < args.rows; ++i) {
      kernels::RescaleRow(head_sums_.data() + i * args.out_stride,
                          RescaleTo(weights_.head, narrow_.scales[begin + i], kLogBits, kernels::kResidualLimit),
                          logits_.data(), logits_.size());
      sink(rows[begin + i].index, thread, logits_);
    }
  }
}

}  // namespace clm
