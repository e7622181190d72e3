// Batch and BatchSource: what a training step consumes.
//
// A step is defined in ORIGINAL bytes: step k owns the symbols whose first byte lies in [k * bytes_per_step,
// (k + 1) * bytes_per_step) of the shuffled document sequence (a boundary symbol belongs to the last byte of its
// document). So two runs on different representations of the same corpus see the same text after the same number of
// steps. The symbols of a step are laid out in rows of `columns`; every symbol is a target exactly once, nothing is
// dropped.
//
// Thread-safety: a BatchSource belongs to one thread. Determinism: the batches are a pure function of corpus, options
// and seed, on every platform.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"

namespace clm {

struct Batch {
  static constexpr int64_t kNoTarget = -1;  // positions that do not count in the loss (padding)

  size_t rows = 0;     // B
  size_t columns = 0;  // T
  // Label offsets: targets[h] holds the symbol h + 1 positions after the input. Plain next-symbol models use one.
  size_t horizons = 1;

  std::vector<SymbolId> inputs;    // [B, T]; padding holds the boundary symbol
  std::vector<int64_t> targets;    // [H, B, T]; kNoTarget where there is none
  std::vector<int32_t> positions;  // [B, T] symbols since the start of the document within this row
  std::vector<int32_t> segments;   // [B, T] number of the document within its row, for document masks; -1 in padding
  std::vector<uint32_t> target_bytes;  // [B, T] ORIGINAL bytes that targets[0] stands for; 0 for boundary and padding

  uint64_t target_count = 0;     // entries of targets[0] that count
  uint64_t original_bytes = 0;   // sum of target_bytes
  uint64_t documents_ended = 0;  // boundary symbols among targets[0]
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual uint32_t vocab_size() const = 0;
  // Steps in one pass over the corpus.
  virtual uint64_t steps_per_epoch() const = 0;
  // The batch of global step `step` (0-based, epochs follow one another, each with its own order). Any step may be
  // asked for in any order: that is what makes resuming exact.
  virtual absl::Status Get(uint64_t step, Batch& batch) = 0;
};

}  // namespace clm
