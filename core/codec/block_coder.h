// BlockCoder: one block of bytes to a payload and back, without any state between blocks.
//
// Blocks are independent: that is what makes a frame's bytes the same at every thread count, lets a reader decode any
// block alone and keeps damage inside one block.
//
// Thread-safety: immutable; Encode and Decode may run on any number of threads at once.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/codec/codec_parameters.h"

namespace clm {

class BlockCoder {
 public:
  virtual ~BlockCoder() = default;

  // What a decoder must know; written to the frame's header. A coder decodes what a coder of equal parameters encoded,
  // on every machine.
  virtual const CodecParameters& parameters() const = 0;

  // How many blocks should be in work at once where `processors` compute; more than that for a coder whose blocks wait
  // for lanes that move on together.
  virtual size_t BlocksAtOnce(size_t processors) const { return processors; }

  // Any bytes, also none. CANCELLED or DEADLINE_EXCEEDED from `cancel`; INTERNAL for a predictor that breaks its
  // contract.
  virtual absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const = 0;
  // Exactly `raw_length` bytes. DATA_LOSS when `payload` cannot be what Encode gave for that many bytes. Memory depends
  // on raw_length alone: the caller bounds it.
  virtual absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                             const CancellationToken& cancel) const = 0;
  // What Decode gives for `payload` and expected.size(), by a coder that may be faster where that is `expected`: the
  // way to verify. Nothing that Encode computed is used again.
  virtual absl::StatusOr<std::string> DecodeExpecting(absl::string_view payload, absl::string_view expected,
                                                      const CancellationToken& cancel) const {
    return Decode(payload, expected.size(), cancel);
  }
};

}  // namespace clm
