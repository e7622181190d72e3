// FindBlocks: where the intact blocks of a damaged frame lie.
//
// A block counts when the checksum of its coded bytes is right and its place in the frame is proven:
//
//   1. The footer is intact: it says where each block begins. A block that lies elsewhere, because bytes were lost or
//      added before it, is searched by its index and length.
//   2. It is not: blocks are walked from the header on, each saying where the next begins; a damaged one too, when the
//      block after it is where its length points.
//   3. Where even that length is damaged, what follows is searched. Blocks found so count when, side by side, they are
//      longer than the largest block or end at an intact footer. Shorter runs may be the content of a stored block (a
//      frame within a frame), whose blocks must not be taken for those of the frame around it.
//
// Cost: linear in the file. At most eight times its length is read to be checksummed; what then is left counts as lost,
// but only made-up files get there. Thread-safety: a function. Memory: 32 bytes per block found, and one block.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/digest.h"
#include "core/base/file_io.h"
#include "core/codec/frame.h"

namespace clm {

struct FoundBlock {
  BlockHeader header;
  uint64_t offset = 0;  // in bytes from the start of the frame
};

struct FoundBlocks {
  std::vector<FoundBlock> blocks;  // index and offset increase
  // Of the original, from what is intact of header, footer and last block.
  std::optional<uint64_t> original_bytes;
  std::optional<Sha256Digest> sha256;
};

// `header` is the frame's own, intact. Errors of the file, and of `cancel`; damage is none.
absl::StatusOr<FoundBlocks> FindBlocks(const RandomAccessFile& file, const FrameHeader& header,
                                       const CancellationToken& cancel);

}  // namespace clm
