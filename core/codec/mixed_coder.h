// MixedCoder: blocks coded with what a model and the built-in AdaptiveModel say together. Codec id kMixed.
//
//   payload   a binary-coder payload (core/entropy/binary_coder.h) of the steps of core/codec/mixed_model.h
//
// Smaller than either alone, because the model knows the language and the AdaptiveModel the text at hand; slower,
// because every step needs the whole distribution and the second model. Large blocks pay: the AdaptiveModel starts anew
// in each.
//
// Memory per running call: what MixedModel says.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/codec/block_coder.h"
#include "core/codec/coding_model.h"
#include "core/codec/symbol_tree.h"

namespace clm {

class MixedCoder final : public BlockCoder {
 public:
  explicit MixedCoder(std::shared_ptr<const CodingModel> model);

  // What the mixture with the predictor `model` is called in frames.
  static ShortFingerprint PredictorOf(const ShortFingerprint& model);

  const CodecParameters& parameters() const override { return parameters_; }
  size_t BlocksAtOnce(size_t /*processors*/) const override { return model_->lanes().lanes(); }
  absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const override;
  absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                     const CancellationToken& cancel) const override;

 private:
  absl::StatusOr<std::string> EncodeMixed(absl::string_view raw, const CancellationToken& cancel) const;
  absl::StatusOr<std::string> DecodeMixed(absl::string_view payload, size_t raw_length,
                                          const CancellationToken& cancel) const;

  const std::shared_ptr<const CodingModel> model_;
  const SymbolTree tree_;
  const std::shared_ptr<const BlockCoder> adaptive_;
  const CodecParameters parameters_;
};

}  // namespace clm
