// ProbabilityCoder: blocks coded with the distributions of a model and rANS. Codec id kProbability.
//
//   payload   a rANS payload (core/entropy/rans.h): one interval per symbol of the block, P = the predictor's precision
//
// The block's symbols are those of the model's representation; they end where its bytes do, so their number is not
// stored. The boundary and other specials are never coded but cost their share. Each block starts from the predictor's
// initial state.
//
// Memory per running call: 12 bytes per symbol to encode, the block to decode.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/codec/block_coder.h"
#include "core/codec/coding_model.h"

namespace clm {

class ProbabilityCoder final : public BlockCoder {
 public:
  explicit ProbabilityCoder(std::shared_ptr<const CodingModel> model);

  const CodecParameters& parameters() const override { return parameters_; }
  size_t BlocksAtOnce(size_t /*processors*/) const override { return model_->lanes().lanes(); }
  // INTERNAL for intervals that no distribution has.
  absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const override;
  absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                     const CancellationToken& cancel) const override;
  // Takes the symbols of `expected` as guesses, so that the predictor can go through many at once.
  absl::StatusOr<std::string> DecodeExpecting(absl::string_view payload, absl::string_view expected,
                                              const CancellationToken& cancel) const override;

 private:
  // From a run of the predictor over `symbols`.
  absl::StatusOr<std::vector<SymbolInterval>> IntervalsOf(std::span<const SymbolId> symbols,
                                                          const CancellationToken& cancel) const;
  // The bytes of `payload` if its symbols are `symbols`, whose intervals are given: the data decide at each of them.
  std::optional<std::string> DecodeGuessed(absl::string_view payload, std::span<const SymbolId> symbols,
                                           std::span<const SymbolInterval> intervals, size_t raw_length) const;

  const std::shared_ptr<const CodingModel> model_;
  const CodecParameters parameters_;
};

}  // namespace clm
