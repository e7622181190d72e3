// SalvageFrame: every intact block of a damaged frame, and what is missing.
//
//   CLM_ASSIGN_OR_RETURN(const SalvageSummary summary, SalvageFrame(file, codecs, options, sink, context));
//   if (!summary.complete()) ...   // summary.missing lists what is zeros or not there
//
// What is given to the sink keeps its place: lost blocks between intact ones are zeros, so that every byte stands at
// its offset in the original; behind the last intact block nothing is made up. Which blocks count as intact says
// block_finder.h; each is proven by both of its checksums.
//
// Needs an intact header and the frame's own coder. Errors: those of ParseFrameHeader and CodecSet::Find; DATA_LOSS
// when blocks are missing and none is intact; RESOURCE_EXHAUSTED above options.max_original_bytes; CANCELLED or
// DEADLINE_EXCEEDED; those of file and sink.
// Thread-safety: a function; it runs blocks on context.pool. Memory: blocks in work at once, 32 bytes per block, and 16
// per missing range.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/file_io.h"
#include "core/codec/codec_set.h"
#include "core/codec/frame.h"

namespace clm {

struct SalvageOptions {
  // Give out no more than this, zeros included.
  uint64_t max_original_bytes = std::numeric_limits<uint64_t>::max();
};

// Bytes [begin, end) of the original.
struct MissingRange {
  static constexpr uint64_t kUnknownEnd = std::numeric_limits<uint64_t>::max();
  uint64_t begin = 0;
  uint64_t end = 0;  // kUnknownEnd: nothing is left that says how long the original was

  friend bool operator==(const MissingRange&, const MissingRange&) = default;
};

struct SalvageSummary {
  std::optional<uint64_t> original_bytes = {};  // where it is known
  uint64_t written_bytes = 0;                   // to the sink, zeros included
  uint64_t intact_bytes = 0;
  uint64_t intact_blocks = 0;
  // As far as is known: 0 behind the last block that is known when the length of the original is not.
  uint64_t lost_bytes = 0;
  uint64_t lost_blocks = 0;
  std::vector<MissingRange> missing = {};  // in order, none next to another
  Sha256Digest sha256{};                   // of what was written
  bool sha256_verified = false;            // nothing is missing and this is the frame's

  bool complete() const { return sha256_verified; }
};

absl::StatusOr<SalvageSummary> SalvageFrame(const RandomAccessFile& file, const CodecSet& codecs,
                                            const SalvageOptions& options, const ByteSink& sink,
                                            const CodecContext& context);

}  // namespace clm
