// StoredBlock: the block as it is; what a block falls back to when nothing makes it smaller or its coding failed its
// verification.
#pragma once

#include <cstddef>
#include <string>

#include "core/codec/block_coder.h"

namespace clm {

class StoredBlock final : public BlockCoder {
 public:
  const CodecParameters& parameters() const override { return parameters_; }
  absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const override;
  absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                     const CancellationToken& cancel) const override;

 private:
  const CodecParameters parameters_ = {};
};

}  // namespace clm
