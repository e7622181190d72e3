// AdaptiveCoder: blocks coded bit by bit with the built-in AdaptiveModel. Codec id kAdaptive; needs no checkpoint.
//
//   payload   what core/entropy/binary_coder.h makes of the bits of all bytes, the most significant bit first
//
// Each block starts from a fresh model whose tables are sized by the block's length, so a small block costs little.
// Memory per running call: the payload and the model's tables, 3 MiB for a block of 4 KiB and 27 MiB plus at most twice
// the block's length from 128 KiB on.
#pragma once

#include <cstddef>
#include <string>

#include "core/codec/block_coder.h"

namespace clm {

class AdaptiveCoder final : public BlockCoder {
 public:
  AdaptiveCoder();

  const CodecParameters& parameters() const override { return parameters_; }
  absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const override;
  absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                     const CancellationToken& cancel) const override;

 private:
  const CodecParameters parameters_;
};

}  // namespace clm
