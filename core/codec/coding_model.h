// CodingModel: a predictor on lanes that many callers share, and the representation whose symbols it predicts. What all
// coders that use a model have in common.
//
// Thread-safety: immutable but for the scheduler, which any number of threads may use at once. Ownership: owns the
// predictor, shares the representation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/codec/codec_parameters.h"
#include "core/predict/lane_scheduler.h"
#include "core/predict/symbol_predictor.h"
#include "core/representation/representation.h"

namespace clm {

class CodingModel {
 public:
  // `window` is how many symbols the predictor looks back on, 0 for no limit; it goes into frames. INVALID_ARGUMENT for
  // a representation that loses bytes, a predictor that does not know all of its symbols but the boundary, has no lane,
  // or a precision outside [12, 24].
  static absl::StatusOr<std::shared_ptr<const CodingModel>> Create(std::unique_ptr<SymbolPredictor> predictor,
                                                                   std::shared_ptr<const Representation> representation,
                                                                   uint32_t window = 0);
  // Of a predictor of bytes.
  static absl::StatusOr<std::shared_ptr<const CodingModel>> OfBytes(std::unique_ptr<SymbolPredictor> predictor);

  // The symbols of one block. INTERNAL when the representation gives one that the predictor does not know.
  absl::StatusOr<std::vector<SymbolId>> SymbolsOf(absl::string_view raw) const;
  // Appends the bytes of one more symbol of a block of `raw_length` bytes. DATA_LOSS for a symbol without bytes, and
  // for bytes beyond the end of the block.
  absl::Status AppendBytes(SymbolId symbol, size_t raw_length, std::string& raw) const;

  // The parameters that describe the model, for a coder to add what is its own.
  const CodecParameters& parameters() const { return parameters_; }
  const Representation& representation() const { return *representation_; }
  LaneScheduler& lanes() const { return *lanes_; }
  uint32_t vocab_size() const { return vocab_size_; }

 private:
  CodingModel(std::unique_ptr<SymbolPredictor> predictor, std::shared_ptr<const Representation> representation,
              uint32_t window);

  const std::shared_ptr<const Representation> representation_;
  const uint32_t vocab_size_;
  CodecParameters parameters_;
  const std::unique_ptr<LaneScheduler> lanes_;
};

}  // namespace clm
