// Transformer: weights, forward pass and gradients of the Llama-like network.
//
//   x = rows of the input table
//   per layer:  x += Wo attend(rotate(Wqkv norm(x)));  x += Wdown swiglu(Wgate_up norm(x))
//   logits = Wout norm(x)
//
// Gradients are derived by hand and accumulate into one flat array beside the flat weights, so a step may be cut into
// micro-batches of any size. The logits of a batch never exist at once: the loss runs over chunks of rows.
//
// Thread-safety: const methods may run concurrently when every caller brings its own Workspace; nothing else.
// Internal to core/model and core/train (LibTorch types). Methods may throw c10::Error.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/checkpoint/parameter_layout.h"
#include "core/model/row_composition.h"
#include "core/model/token_batch.h"
#include "core/model/transformer/composed_tables.h"
#include "core/model/transformer/ops.h"

namespace clm {

// The matrices of one layer: views into the flat array.
struct LayerWeights {
  at::Tensor input_norm;  // [d]
  at::Tensor qkv;         // [(Hq + 2 Hk) hd, d]
  at::Tensor out;         // [d, d]
  at::Tensor post_norm;   // [d]
  at::Tensor gate_up;     // [2F, d]
  at::Tensor down;        // [d, F]
};

struct TransformerViews {
  std::vector<LayerWeights> layers;
  at::Tensor final_norm;    // [d]
  at::Tensor input_table;   // [V, d]
  at::Tensor output_table;  // [V, d]; the same tensor when tied
};

// Buffers of one forward (and backward) pass; grows to the largest batch it has seen and is reused.
class Workspace {
 public:
  struct Layer {
    at::Tensor residual_in;   // [N, d]
    at::Tensor inv_in;        // [N]
    at::Tensor normed_in;     // [N, d]
    at::Tensor qkv;           // [N, (Hq + 2 Hk) hd], rotated
    at::Tensor attended;      // [N, d]
    at::Tensor residual_mid;  // [N, d]
    at::Tensor inv_mid;       // [N]
    at::Tensor normed_mid;    // [N, d]
    at::Tensor gate_up;       // [N, 2F]
    at::Tensor activation;    // [N, F]
    AttentionSaved attention;
  };

 private:
  friend class Transformer;
  struct Buffers {
    std::vector<Layer> layers;
    at::Tensor ids, targets, positions;                      // [N]
    at::Tensor residual_out, inv_out, hidden;                // [N, d], [N], [N, d]
    at::Tensor d_hidden, d_normed, d_qkv, d_activation, dx;  // gradients
    at::Tensor logits;                                       // [chunk, V]
  };
  // The first N rows of every buffer.
  Buffers Narrow(int64_t n) const;

  int64_t capacity_ = 0;
  bool keeps_layers_ = false;
  Buffers buffers_;
};

class Transformer {
 public:
  // `composition` may be null: plain tables. Requires a valid config; a composition forbids tied tables.
  Transformer(const ModelConfig& config, at::Device device, std::shared_ptr<const RowComposition> composition);

  const ModelConfig& config() const { return config_; }
  const ParameterLayout& layout() const { return layout_; }
  // Null with plain tables.
  const RowComposition* composition() const { return composed_ == nullptr ? nullptr : &composed_->composition(); }
  at::Device device() const { return device_; }
  AttentionShape attention_shape() const;
  const RotaryTable& rotary() const { return rotary_; }
  const Ops& ops() const { return ops_; }
  const TransformerViews& views() const { return views_; }
  at::Tensor& weights() { return weights_; }
  const at::Tensor& weights() const { return weights_; }
  // [total] zeros until something is accumulated; empty before EnableGradients().
  at::Tensor& gradients() { return gradients_; }

  // Runs the readable ATen implementation of every operation, for tests.
  void UseGenericOps() { ops_ = Ops(/*fused=*/false); }

  void Initialise(uint64_t seed);
  // The tensor of a named parameter: a view.
  at::Tensor Parameter(const ParameterSpec& spec) const { return ViewOf(weights_, spec); }

  // Allocates gradients. Once.
  void EnableGradients();
  void ZeroGradients();
  // Forward and backward of `batch`; adds scale * d(sum of nats) to the gradients (those by composed tables stay in the
  // tables until FinishGradients). Returns the summed nats.
  double AccumulateGradients(const TokenBatch& batch, float scale, Workspace& workspace);
  // Call once per step after the last AccumulateGradients.
  void FinishGradients();
  // Call after every change of weights(): recomputes composed tables. Without composition it does nothing.
  void RefreshTables();

  // nats [N] of every target of `batch`, 0 where there is none.
  void Score(const TokenBatch& batch, Workspace& workspace, std::span<double> nats) const;
  // Logits [N, V] of every position; for tests and small vocabularies.
  at::Tensor Logits(const TokenBatch& batch, Workspace& workspace) const;

 private:
  static at::Tensor ViewOf(const at::Tensor& flat, const ParameterSpec& spec);
  // Views into `flat`; the tables are left undefined with composition.
  TransformerViews ViewsOf(const at::Tensor& flat) const;
  void Reserve(int64_t n, bool keep_layers, Workspace& workspace) const;
  void Upload(const TokenBatch& batch, Workspace::Buffers& buffers) const;
  // Fills buffers.hidden [N, d], the input of the output table.
  void Forward(const TokenBatch& batch, bool keep, Workspace::Buffers& buffers) const;
  void AttentionBlock(const TokenBatch& batch, int layer, bool keep, Workspace::Layer& at_layer,
                      const at::Tensor& positions) const;
  void FeedForwardBlock(int layer, Workspace::Layer& at_layer, at::Tensor& out) const;
  void LayerBackward(const TokenBatch& batch, int layer, Workspace::Layer& at_layer, Workspace::Buffers& buffers);
  // Rows of the loss done at once.
  int64_t ChunkRows() const;

  const ModelConfig config_;
  const ParameterLayout layout_;
  const at::Device device_;
  Ops ops_;
  RotaryTable rotary_;
  at::Tensor weights_;
  at::Tensor gradients_;
  std::unique_ptr<ComposedTables> composed_;  // null with plain tables
  TransformerViews views_;
  TransformerViews gradient_views_;
};

}  // namespace clm
