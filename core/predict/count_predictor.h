// CountPredictor: the built-in byte predictor behind the interface that evaluation, generation and model-based coders
// use.
//
// Each lane is a CountModel; Frequencies() costs about 100 times an Update(), because it visits all 255 decisions of
// a byte. The frame's own coder uses CountModel's fused steps instead and gives the same intervals.
//
// Determinism, memory: as count_model.h says, per lane. Thread-safety: not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/predict/count_model.h"
#include "core/predict/symbol_predictor.h"

namespace clm {

class CountPredictor final : public SymbolPredictor {
 public:
  // INVALID_ARGUMENT for options out of range or no lanes.
  static absl::StatusOr<std::unique_ptr<CountPredictor>> Create(const CountModelOptions& options, size_t lanes);

  uint32_t vocab_size() const override { return CountModel::kVocabSize; }
  size_t lanes() const override { return lanes_.size(); }
  int precision_bits() const override { return lanes_.front().precision_bits(); }
  std::string fingerprint() const override { return lanes_.front().fingerprint(); }
  void Frequencies(size_t lane, std::span<uint32_t> out) override { lanes_[lane].Frequencies(out); }
  void Update(size_t lane, SymbolId symbol) override { lanes_[lane].EncodeStep(static_cast<uint8_t>(symbol)); }
  void Reset(size_t lane) override { lanes_[lane].Reset(); }
  std::unique_ptr<SymbolPredictor> Clone() const override;

 private:
  CountPredictor(const CountModelOptions& options, size_t lanes);
  CountPredictor(const CountPredictor&) = default;

  std::vector<CountModel> lanes_;
};

}  // namespace clm
