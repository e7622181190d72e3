// TransformerStep: carries rows through the layers of a transformer, with memory for one thread.
//
// Every value of a row is computed from that row and its lane's cache alone, so rows may be grouped in any way.
//
// Thread-safety: one instance per thread; instances share the weights, and the cache as long as their lanes differ or a
// barrier lies between writing and reading it. Internal to core/engine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/huge_pages.h"
#include "core/engine/kernels/row_kernels.h"
#include "core/engine/kv_cache.h"
#include "core/engine/network.h"
#include "core/engine/transformer_weights.h"

namespace clm {

// A row and where it stands.
struct PlacedRow {
  uint32_t lane = 0;
  SymbolId symbol = 0;
  uint64_t position = 0;  // symbols of the lane before it
  size_t index = 0;       // for the sink
};

class TransformerStep {
 public:
  // Rows that are taken through the layers together.
  static constexpr size_t kMaxRows = 32;

  TransformerStep(const TransformerWeights& weights, DotFunction dot, KvCache& cache);

  // At most kMaxRows rows. `barrier` is called once per layer between the writing and the reading of the cache. Rows of
  // the sink are their `index`; `thread` is handed on to it.
  void Run(std::span<const PlacedRow> rows, absl::FunctionRef<void()> barrier, size_t thread, RowSink sink);

 private:
  template <typename T>
  using Buffer = std::vector<T, HugePageAllocator<T>>;

  // Rows of the matrix product whose input is done at once.
  struct Activations {
    Buffer<uint8_t> values;  // [kMaxRows][stride]
    size_t stride = 0;
    std::vector<Scale> scales;  // [kMaxRows]
    uint8_t* row(size_t index) { return values.data() + index * stride; }
  };

  void Embed(std::span<const PlacedRow> rows);
  // inputs_[row] <- norm of residual row.
  void Norm(const QuantizedVector& gain, size_t row);
  // out[row] <- values [count] of scale `unit`.
  static void Quantize(const int32_t* values, size_t count, Scale unit, Activations& out, size_t row);
  // sums_ <- product of the first `rows` activations.
  void Multiply(const PackedMatrix& matrix, Activations& activations, size_t rows);
  void StoreKeysAndValues(std::span<const PlacedRow> rows, size_t layer);
  void Attend(std::span<const PlacedRow> rows, size_t layer);
  // `rows` are neighbours of one lane, the first of them row `first` of the step: their keys and values are gone
  // through together, by all heads that share them.
  void AttendLane(std::span<const PlacedRow> rows, size_t first, size_t layer);
  // The slots that a position looks back on: one range of the ring or two.
  struct Range {
    size_t begin;
    size_t count;
  };
  using View = std::array<Range, 2>;
  View ViewAt(uint64_t position) const;
  // dots_[i] <- keys in the first `used` slots times query i, which was shifted by query_shifts_[i].
  void QueryDots(const KvHead& head, size_t used, size_t queries);
  // shares_[i] <- softmax of dots_[i], times the scales of the values; returns what turns sums of them into values.
  Scale SoftmaxOf(const KvHead& head, const View& view, size_t used, size_t i);
  // value_sums_[i] <- shares_[i] times the values in the first `used` slots.
  void ValueSums(const KvHead& head, size_t used, size_t queries);
  void FeedForward(const TransformerLayer& layer, size_t rows);
  void Predict(std::span<const PlacedRow> rows, size_t thread, RowSink sink);
  engine_kernels::Rescale RescaleTo(const PackedMatrix& matrix, Scale activation, int bits, int32_t limit) const;

  const TransformerWeights& weights_;
  const DotFunction dot_;
  KvCache& cache_;
  const size_t width_;      // d
  const size_t inner_;      // F
  const size_t head_size_;  // hd
  const size_t kv_width_;   // Hk hd

  Buffer<int32_t> residual_;  // [kMaxRows][d]
  Activations inputs_;        // inputs of d values
  Activations inner_inputs_;  // inputs of F values
  Buffer<int32_t> sums_;      // [kMaxRows][sum_stride_]
  size_t sum_stride_;
  Buffer<int32_t> queries_;   // [kMaxRows][qkv rows]
  Buffer<int32_t> attended_;  // [kMaxRows][d]
  Buffer<int32_t> work_a_, work_b_, work_c_;
  const size_t group_;               // query heads that share a head of keys and values
  const size_t batch_;               // queries that go through the cache together, a multiple of group_
  const size_t query_stride_;        // hd, padded
  const size_t value_stride_;        // hd, padded to panels
  const uint32_t largest_share_;     // in sums of values
  Buffer<uint8_t> query_;            // [batch_][query_stride_]
  std::vector<int> query_shifts_;    // [batch_]
  std::vector<Scale> value_scales_;  // [batch_]
  Buffer<int32_t> dots_;             // [batch_][slots]
  Buffer<uint8_t> shares_;           // [batch_][slots]
  Buffer<int32_t> value_sums_;       // [batch_][value_stride_]
  Buffer<int32_t> scores_;           // [slots]
  Buffer<int16_t> sines_, cosines_;  // [kMaxRows][hd / 2]
  Buffer<int32_t> head_sums_;        // [kHeadRows][padded V]
  Buffer<int32_t> logits_;           // [V]
};

}  // namespace clm
