// Frame: the layout of compressed output, version 1 (docs/formats/frame.md has the same drawing with reasons).
//
//   header   magic "CLMF" | version u8 = 1 | codec u8 | flags u16 = 0 | header length u32 = 84
//            original length u64 | block size u32 | block count u32      all ones in length and count: not known yet
//            predictor 16 B | representation 16 B | canary 8 B
//            window u32 | top-k u32 | P u8 | boundary policy u8 | reserved u16 = 0
//            header CRC-32C u32 of everything above
//   block    index u32 | raw length u32 | coded length u32 | codec u8 | payload
//            CRC-32C u32 of this block so far | CRC-32C u32 of the raw bytes
//   footer   marker u32 = 2^32 - 1 | block offsets u64[count]
//            original length u64 | block count u32 | SHA-256 of the original 32 B
//            CRC-32C u32 of the footer so far | end magic "FMLC"
//
// All numbers little-endian. Every block but the last is exactly `block size` long before coding. A block's codec is
// the header's or stored; a coded payload is shorter than the raw bytes, a stored one as long.
//
// Every bit is covered by a checksum or has one legal value. Nothing is allocated for a length before that length is
// known to be within block size, which is at most 16 MiB.
//
// Errors: DATA_LOSS for anything but a well-formed frame; UNIMPLEMENTED for a later version, an unknown flag or codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/digest.h"
#include "core/base/progress.h"
#include "core/base/thread_pool.h"
#include "core/codec/block_coder.h"
#include "core/codec/codec_parameters.h"

namespace clm {

inline constexpr absl::string_view kFrameMagic = "CLMF";
inline constexpr absl::string_view kFrameEndMagic = "FMLC";
inline constexpr uint8_t kFrameVersion = 1;
inline constexpr size_t kFrameHeaderBytes = 84;
inline constexpr size_t kBlockHeaderBytes = 13;
inline constexpr size_t kBlockTrailerBytes = 8;
inline constexpr size_t kBlockOverheadBytes = kBlockHeaderBytes + kBlockTrailerBytes;
inline constexpr size_t kFooterTailBytes = 52;  // what follows the offsets
inline constexpr uint32_t kFooterMarker = std::numeric_limits<uint32_t>::max();
inline constexpr uint32_t kMinBlockBytes = 4096;
inline constexpr uint32_t kMaxBlockBytes = uint32_t{16} << 20;
inline constexpr uint32_t kDefaultBlockBytes = uint32_t{1} << 20;
inline constexpr uint32_t kMaxBlockCount = kFooterMarker - 1;

struct FrameHeader {
  CodecParameters codec;
  uint32_t block_bytes = kDefaultBlockBytes;
  std::optional<uint64_t> original_bytes = {};  // empty: only the footer knows

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

struct BlockHeader {
  uint32_t index = 0;
  uint32_t raw_bytes = 0;
  uint32_t coded_bytes = 0;
  CodecId codec = CodecId::kStored;

  // From the first byte of this block to the first of the next.
  size_t total_bytes() const { return kBlockOverheadBytes + coded_bytes; }
};

struct FrameFooter {
  std::vector<uint64_t> block_offsets;  // from the start of the frame
  uint64_t original_bytes = 0;
  Sha256Digest sha256{};  // of the original
};

// ceil(original_bytes / block_bytes). Requires block_bytes > 0.
uint64_t BlockCountOf(uint64_t original_bytes, uint32_t block_bytes);
// 4 + 8 * blocks + kFooterTailBytes.
uint64_t FooterBytes(uint64_t blocks);

std::string SerializeFrameHeader(const FrameHeader& header);
// `data` starts at the frame's first byte; what follows the header is not looked at.
absl::StatusOr<FrameHeader> ParseFrameHeader(absl::string_view data);

std::string SerializeFrameFooter(const FrameFooter& footer);
// `data` is the whole footer of a frame with `blocks` blocks. Checks it in itself; the offsets are the caller's to
// compare.
absl::StatusOr<FrameFooter> ParseFrameFooter(absl::string_view data, uint64_t blocks);

// "frame block 3 at byte 1234: <what>", DATA_LOSS.
absl::Status BlockDamage(uint64_t index, uint64_t offset, absl::string_view what);

// Where output goes, in order. An error stops the operation and is returned from it.
using ByteSink = std::function<absl::Status(absl::string_view)>;

// What a running operation may use.
struct CodecContext {
  ThreadPool* pool = nullptr;  // not owned; null: the caller's thread alone
  size_t processors = 0;       // for coders that compute by themselves; 0: as many as the pool has threads
  CancellationToken cancel = {};
  ProgressSink progress = {};  // phase "compress" or "decompress", unit "bytes" of the original

  // Blocks of `coder` in work at once, at least 1. More than processors only as far as they stay within 64 MiB.
  size_t BlocksAtOnce(const BlockCoder& coder, uint32_t block_bytes) const;
};

}  // namespace clm
