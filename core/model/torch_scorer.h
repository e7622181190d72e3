// TorchScorer: the SequenceScorer of a transformer.
//
// A document is one sequence that starts from the boundary symbol. Longer ones are cut into windows of W =
// max_positions inputs that start every `stride` symbols; a window scores the targets that no earlier window scored, so
// each symbol is scored once, with at least W - stride symbols before it from the second window on. Documents (windows)
// are packed side by side without padding, longest first; none sees another.
//
// Determinism: a document's nats do not depend on its company to 1e-6 relative (the library's matrix products round
// differently for other shapes). Sums are float64 on the host.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/model/scorer_options.h"
#include "core/model/token_batch.h"
#include "core/model/transformer/transformer.h"
#include "core/predict/sequence_scorer.h"

namespace clm {

// Internal to core/model and core/train (LibTorch types): others get one from Model::NewScorer().
class TorchScorer final : public SequenceScorer {
 public:
  // Requires options that are valid for the model. The weights are read at each Score().
  TorchScorer(std::shared_ptr<const Transformer> model, const ScorerOptions& options);

  uint32_t vocab_size() const override { return model_->config().vocab_size; }
  std::string description() const override;
  absl::StatusOr<std::vector<ScoredDocument>> Score(std::span<const std::vector<SymbolId>> documents,
                                                    const CancellationToken& cancel) override;

 private:
  // Inputs [begin, end) of a document (input 0 is the boundary, input i symbol i - 1; input i predicts symbol i).
  // Targets below `first_target` only give context.
  struct Window {
    size_t document;
    size_t begin;
    size_t end;
    size_t first_target;
    size_t length() const { return end - begin; }
  };
  std::vector<Window> CutWindows(std::span<const std::vector<SymbolId>> documents) const;
  // Scores windows [begin, end) together into nats[i], one per window.
  void ScoreTogether(std::span<const std::vector<SymbolId>> documents, std::span<const Window> windows,
                     std::span<double> nats);

  const std::shared_ptr<const Transformer> model_;
  const ScorerOptions options_;
  const size_t window_;
  const size_t stride_;
  Workspace workspace_;
  TokenBatch batch_;
};

}  // namespace clm
