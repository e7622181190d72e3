// CountCoder: blocks coded with the built-in CountModel and rANS. Codec id kCount; needs no checkpoint.
//
//   payload   a rANS payload (core/entropy/rans.h): one interval per byte, P = 20
//
// Each block starts from a fresh model whose tables are sized by the block's length, so a small block costs little.
// Memory per running call: 8 bytes per byte of the block to encode, and the model's tables: 5 MiB for a small block,
// 26 MiB from 128 KiB on, plus the block's length.
#pragma once

#include <cstddef>
#include <string>

#include "core/codec/block_coder.h"

namespace clm {

class CountCoder final : public BlockCoder {
 public:
  static constexpr int kPrecisionBits = 20;

  CountCoder();

  const CodecParameters& parameters() const override { return parameters_; }
  absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const override;
  absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                     const CancellationToken& cancel) const override;

 private:
  const CodecParameters parameters_;
};

}  // namespace clm
