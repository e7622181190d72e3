// EngineStepper: the engine as what Generate runs on. The same text on every machine, and with temperature 0 the
// symbols of rank 0 that the coders see.
//
// Logits are natural logarithms of probabilities up to a constant, the largest 0; those within 177 nats of it keep
// their order exactly, so ties are the engine's own. Thread-safety: not thread-safe. Ownership: shares the model.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/engine/engine_session.h"
#include "core/predict/next_symbol_model.h"

namespace clm {

class EngineStepper final : public NextSymbolModel {
 public:
  // On one thread: one symbol at a time is too little work to share. The errors of EngineSession::Create.
  static absl::StatusOr<std::unique_ptr<EngineStepper>> Create(std::shared_ptr<const EngineModel> model);

  uint32_t vocab_size() const override { return session_->model().vocab_size(); }
  void Reset() override { session_->Reset(0); }
  absl::Status Feed(std::span<const SymbolId> symbols, std::vector<float>& logits) override;

 private:
  explicit EngineStepper(std::unique_ptr<EngineSession> session) : session_(std::move(session)) {}

  const std::unique_ptr<EngineSession> session_;
  std::vector<SymbolInterval> intervals_;
};

}  // namespace clm
