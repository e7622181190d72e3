// The engine behind the interfaces of core/predict: EnginePredictor for coders and generation, EngineScorer for BPB.
//
// Thread-safety and determinism: as engine_session.h says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/engine/engine_session.h"
#include "core/predict/sequence_scorer.h"
#include "core/predict/symbol_predictor.h"

namespace clm {

class EnginePredictor final : public SymbolPredictor {
 public:
  // The errors of EngineSession::Create.
  static absl::StatusOr<std::unique_ptr<EnginePredictor>> Create(std::shared_ptr<const EngineModel> model,
                                                                 const EngineSessionOptions& options);

  uint32_t vocab_size() const override { return session_->model().vocab_size(); }
  size_t lanes() const override { return session_->lanes(); }
  int precision_bits() const override { return session_->model().precision_bits(); }
  std::string fingerprint() const override {
    return FingerprintOf(session_->model().fingerprint(), session_->window());
  }
  // That of a predictor which looks back on `window` symbols, by the model's.
  static std::string FingerprintOf(absl::string_view model, uint32_t window);

  void Frequencies(size_t lane, std::span<uint32_t> out) override;
  SymbolInterval Interval(size_t lane, SymbolId symbol) override;
  SymbolId Find(size_t lane, uint32_t slot, SymbolInterval& interval) override;
  uint32_t RankOf(size_t lane, SymbolId symbol) override;
  SymbolId SymbolOfRank(size_t lane, uint32_t rank) override;
  void AskLanes(size_t count, absl::FunctionRef<void(size_t)> ask) override { session_->InParallel(count, ask); }

  void Update(size_t lane, SymbolId symbol) override;
  void UpdateLanes(std::span<const LaneUpdate> updates) override;
  void ScoreLanes(std::span<const LaneText> texts) override;
  void Reset(size_t lane) override { session_->Reset(static_cast<uint32_t>(lane)); }
  std::unique_ptr<SymbolPredictor> Clone() const override;

  EngineSession& session() { return *session_; }

 private:
  explicit EnginePredictor(std::unique_ptr<EngineSession> session) : session_(std::move(session)) {}

  const std::unique_ptr<EngineSession> session_;
};

// What the integers cost: nats of the intervals that a coder would be given, the window sliding by single symbols.
class EngineScorer final : public SequenceScorer {
 public:
  // `options.lanes` documents are scored at once. The errors of EngineSession::Create.
  static absl::StatusOr<std::unique_ptr<EngineScorer>> Create(std::shared_ptr<const EngineModel> model,
                                                              const EngineSessionOptions& options);

  uint32_t vocab_size() const override { return session_->model().vocab_size(); }
  std::string description() const override;
  absl::StatusOr<std::vector<ScoredDocument>> Score(std::span<const std::vector<SymbolId>> documents,
                                                    const CancellationToken& cancel) override;

 private:
  explicit EngineScorer(std::unique_ptr<EngineSession> session) : session_(std::move(session)) {}

  absl::Status ScoreTogether(std::span<const std::vector<SymbolId>> documents, std::span<const size_t> chosen,
                             const CancellationToken& cancel, std::vector<ScoredDocument>& results);

  const std::unique_ptr<EngineSession> session_;
};

}  // namespace clm
