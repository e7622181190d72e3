// ProbabilityCoder: blocks coded with the distributions of any SymbolPredictor over bytes and rANS. Codec id
// kProbability.
//
//   payload   a rANS payload (core/entropy/rans.h): one interval per byte, P = the predictor's precision
//
// Symbols 0 to 255 of the predictor are the bytes; further symbols (a boundary) are never coded but cost their share.
// Each block starts from the predictor's initial state. Every table is checked before it is used.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/codec/block_coder.h"
#include "core/predict/symbol_predictor.h"

namespace clm {

class ProbabilityCoder final : public BlockCoder {
 public:
  // `prototype` is cloned for every block, possibly from several threads at once: its Clone() must allow that.
  // INVALID_ARGUMENT for fewer than 256 symbols, no lane, or a precision outside [12, 24].
  static absl::StatusOr<std::shared_ptr<const ProbabilityCoder>> Create(std::unique_ptr<SymbolPredictor> prototype);

  const CodecParameters& parameters() const override { return parameters_; }
  absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const override;
  absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                     const CancellationToken& cancel) const override;

 private:
  ProbabilityCoder(std::unique_ptr<SymbolPredictor> prototype, const CodecParameters& parameters)
      : prototype_(std::move(prototype)), parameters_(parameters) {}

  const std::unique_ptr<SymbolPredictor> prototype_;
  const CodecParameters parameters_;
};

}  // namespace clm
