#include "core/codec/block_finder.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "core/base/byte_reader.h"
#include "core/base/status_macros.h"
#include "core/codec/block.h"
#include "core/codec/frame_reader.h"

namespace clm {
namespace {

constexpr size_t kWindowBytes = size_t{1} << 20;
constexpr uint64_t kReadTimes = 8;  // bytes that may be read, in lengths of the file

uint32_t U32At(absl::string_view data, size_t at) {
  ByteReader in(data.substr(at));
  uint32_t value = 0;
  (void)in.ReadU32(value);  // the caller has checked the length
  return value;
}

class Finder {
 public:
  Finder(const RandomAccessFile& file, const FrameHeader& header, const CancellationToken& cancel)
      : file_(file), header_(header), cancel_(cancel), budget_(kReadTimes * file.size_bytes()) {
    found_.original_bytes = header.original_bytes;
  }

  absl::StatusOr<FoundBlocks> Find() {
    absl::StatusOr<FrameFooter> footer = ReadFrameFooter(file_);
    if (footer.ok() && Fits(*footer)) {
      Take(*footer);
      footer_ = *std::move(footer);
      CLM_RETURN_IF_ERROR(FindByFooter());
    } else {
      CLM_RETURN_IF_ERROR(Walk());
    }
    return std::move(found_);
  }

 private:
  // Blocks side by side, and where they end.
  struct Run {
    uint64_t begin = 0;
    uint64_t end = 0;
    uint64_t next_index = 0;
    std::vector<FoundBlock> blocks;
    bool last_block_seen = false;
    std::optional<FrameFooter> footer;
  };
  // What a search looks for.
  struct Wanted {
    uint64_t begin = 0;  // where to look
    uint64_t end = 0;
    uint64_t lost_begin = 0;  // where block first_index would be
    uint64_t first_index = 0;
    uint64_t end_index = 0;
  };

  bool Fits(const FrameFooter& footer) const {
    return BlockCountOf(footer.original_bytes, header_.block_bytes) == footer.block_offsets.size() &&
           header_.original_bytes.value_or(footer.original_bytes) == footer.original_bytes;
  }
  void Take(const FrameFooter& footer) {
    found_.original_bytes = footer.original_bytes;
    found_.sha256 = footer.sha256;
  }

  // The length that block `index` must have; none when nothing says which block is the last.
  std::optional<uint64_t> RawBytesOf(uint64_t index) const {
    if (!found_.original_bytes.has_value()) return std::nullopt;
    const uint64_t begin = index * header_.block_bytes;
    if (begin >= *found_.original_bytes) return 0;
    return std::min<uint64_t>(header_.block_bytes, *found_.original_bytes - begin);
  }

  // The whole length of block `index` by the footer; none for the last one, and without a footer.
  std::optional<uint64_t> TotalBytesOf(uint64_t index) const {
    if (!footer_.has_value() || index + 1 >= footer_->block_offsets.size()) return std::nullopt;
    return footer_->block_offsets[index + 1] - footer_->block_offsets[index];
  }

  // The header at `offset`, if it can be that of block `index`; intact or not.
  absl::StatusOr<std::optional<BlockHeader>> HeaderAt(uint64_t offset, uint64_t index) const {
    std::string bytes;
    CLM_RETURN_IF_ERROR(file_.Read(offset, kBlockHeaderBytes, bytes));
    return Plausible(bytes, index);
  }
  std::optional<BlockHeader> Plausible(absl::string_view bytes, uint64_t index) const {
    if (index >= kFooterMarker || bytes.size() < kBlockHeaderBytes) return std::nullopt;
    const BlockPlace place = {.index = static_cast<uint32_t>(index), .offset = 0};
    const absl::StatusOr<BlockHeader> header = ParseBlockHeader(bytes, header_, place);
    if (!header.ok() || RawBytesOf(index).value_or(header->raw_bytes) != header->raw_bytes) return std::nullopt;
    if (TotalBytesOf(index).value_or(header->total_bytes()) != header->total_bytes()) return std::nullopt;
    return *header;
  }

  bool Spend(uint64_t bytes) {
    const bool can = bytes <= budget_;
    budget_ -= can ? bytes : budget_;
    return can;
  }

  absl::StatusOr<bool> IsIntact(uint64_t offset, const BlockHeader& header) {
    CLM_RETURN_IF_ERROR(cancel_.Check());
    if (offset + header.total_bytes() > file_.size_bytes() || !Spend(header.total_bytes())) return false;
    std::string block;
    CLM_RETURN_IF_ERROR(file_.Read(offset, header.total_bytes(), block));
    return block.size() == header.total_bytes() &&
           CheckCodedChecksum(block, {.index = header.index, .offset = offset}).ok();
  }

  // Block `index` at `offset`, if an intact one is there.
  absl::StatusOr<std::optional<FoundBlock>> BlockAt(uint64_t offset, uint64_t index) {
    CLM_ASSIGN_OR_RETURN(const std::optional<BlockHeader> header, HeaderAt(offset, index));
    if (!header.has_value()) return std::nullopt;
    CLM_ASSIGN_OR_RETURN(const bool is_intact, IsIntact(offset, *header));
    if (!is_intact) return std::nullopt;
    return FoundBlock{.header = *header, .offset = offset};
  }

  // The footer of `blocks` blocks that begins at `offset`, if an intact one does.
  absl::StatusOr<std::optional<FrameFooter>> FooterAt(uint64_t offset, uint64_t blocks) {
    const uint64_t length = FooterBytes(blocks);
    if (offset > file_.size_bytes() || length > file_.size_bytes() - offset) return std::nullopt;
    std::string marker;
    CLM_RETURN_IF_ERROR(file_.Read(offset, 4, marker));
    if (U32At(marker, 0) != kFooterMarker || !Spend(length)) return std::nullopt;
    std::string bytes;
    CLM_RETURN_IF_ERROR(file_.Read(offset, length, bytes));
    absl::StatusOr<FrameFooter> footer = ParseFrameFooter(bytes, blocks);
    if (!footer.ok() || !Fits(*footer)) return std::nullopt;
    return *std::move(footer);
  }

  absl::Status FindByFooter();
  absl::Status FindBetween(uint64_t first_index, uint64_t end_index, uint64_t begin, uint64_t end,
                           std::vector<FoundBlock>& blocks);
  absl::Status Walk();
  absl::Status WalkRun(Run& run);
  absl::StatusOr<bool> PassDamage(Run& run);
  absl::StatusOr<std::optional<FoundBlock>> Search(const Wanted& wanted);
  absl::StatusOr<std::optional<FoundBlock>> SearchWindow(absl::string_view window, uint64_t offset,
                                                         const Wanted& wanted);

  const RandomAccessFile& file_;
  const FrameHeader& header_;
  const CancellationToken& cancel_;
  uint64_t budget_;
  std::optional<FrameFooter> footer_;
  FoundBlocks found_;
};

absl::Status Finder::FindByFooter() {
  const std::vector<uint64_t>& offsets = footer_->block_offsets;
  std::vector<FoundBlock> all;
  uint64_t done = 0;  // blocks that are found or given up
  uint64_t end = kFrameHeaderBytes;
  for (uint64_t index = 0; index < offsets.size(); ++index) {
    if (offsets[index] < end) continue;
    CLM_ASSIGN_OR_RETURN(const std::optional<FoundBlock> block, BlockAt(offsets[index], index));
    if (!block.has_value()) continue;
    CLM_RETURN_IF_ERROR(FindBetween(done, index, end, block->offset, all));
    all.push_back(*block);
    done = index + 1;
    end = block->offset + block->header.total_bytes();
  }
  const uint64_t footer_begin = file_.size_bytes() - FooterBytes(offsets.size());
  CLM_RETURN_IF_ERROR(FindBetween(done, offsets.size(), end, footer_begin, all));
  found_.blocks = std::move(all);
  return absl::OkStatus();
}

// Blocks that do not lie where the footer says.
absl::Status Finder::FindBetween(uint64_t first_index, uint64_t end_index, uint64_t begin, uint64_t end,
                                 std::vector<FoundBlock>& blocks) {
  while (first_index < end_index && begin < end) {
    CLM_ASSIGN_OR_RETURN(
        const std::optional<FoundBlock> block,
        Search({.begin = begin, .end = end, .lost_begin = begin, .first_index = first_index, .end_index = end_index}));
    if (!block.has_value()) break;
    blocks.push_back(*block);
    first_index = uint64_t{block->header.index} + 1;
    begin = block->offset + block->header.total_bytes();
  }
  return absl::OkStatus();
}

absl::Status Finder::Walk() {
  Run run = {.begin = kFrameHeaderBytes, .end = kFrameHeaderBytes, .next_index = 0, .blocks = {}, .footer = {}};
  uint64_t next_index = 0;                  // after the blocks found
  uint64_t proven_end = kFrameHeaderBytes;  // of the last of them
  bool is_proven = true;
  while (true) {
    CLM_RETURN_IF_ERROR(WalkRun(run));
    if (is_proven || run.footer.has_value() || run.end - run.begin > header_.block_bytes) {
      found_.blocks.insert(found_.blocks.end(), run.blocks.begin(), run.blocks.end());
      next_index = run.next_index;
      proven_end = run.end;
      if (run.last_block_seen) {
        const BlockHeader& last = run.blocks.back().header;
        found_.original_bytes = uint64_t{last.index} * header_.block_bytes + last.raw_bytes;
      }
      if (run.footer.has_value()) Take(*run.footer);
      if (run.footer.has_value() || run.last_block_seen) return absl::OkStatus();
    }
    // Every lost block took some room.
    const uint64_t size = file_.size_bytes();
    const uint64_t room = (size - std::min(size, proven_end)) / (kBlockOverheadBytes + 1);
    const uint64_t blocks =
        found_.original_bytes.has_value() ? BlockCountOf(*found_.original_bytes, header_.block_bytes) : kMaxBlockCount;
    CLM_ASSIGN_OR_RETURN(const std::optional<FoundBlock> next,
                         Search({.begin = run.end,
                                 .end = size,
                                 .lost_begin = proven_end,
                                 .first_index = next_index,
                                 .end_index = std::min(blocks, next_index + room + 1)}));
    if (!next.has_value()) return absl::OkStatus();
    run = {.begin = next->offset, .end = next->offset, .next_index = next->header.index, .blocks = {}, .footer = {}};
    is_proven = false;
  }
}

// From run.end on as far as one block says where the next is.
absl::Status Finder::WalkRun(Run& run) {
  while (!run.last_block_seen) {
    CLM_ASSIGN_OR_RETURN(const std::optional<FoundBlock> block, BlockAt(run.end, run.next_index));
    if (block.has_value()) {
      run.blocks.push_back(*block);
      run.end += block->header.total_bytes();
      ++run.next_index;
      run.last_block_seen = block->header.raw_bytes < header_.block_bytes;
      continue;
    }
    CLM_ASSIGN_OR_RETURN(run.footer, FooterAt(run.end, run.next_index));
    if (run.footer.has_value()) return absl::OkStatus();
    CLM_ASSIGN_OR_RETURN(const bool passed, PassDamage(run));
    if (!passed) return absl::OkStatus();
  }
  CLM_ASSIGN_OR_RETURN(run.footer, FooterAt(run.end, run.next_index));
  return absl::OkStatus();
}

// Whether the length of the damaged block at run.end is right: then its successor or the footer follows it.
absl::StatusOr<bool> Finder::PassDamage(Run& run) {
  CLM_ASSIGN_OR_RETURN(const std::optional<BlockHeader> damaged, HeaderAt(run.end, run.next_index));
  if (!damaged.has_value()) return false;
  const uint64_t after = run.end + damaged->total_bytes();
  CLM_ASSIGN_OR_RETURN(const std::optional<FoundBlock> next, BlockAt(after, run.next_index + 1));
  CLM_ASSIGN_OR_RETURN(const std::optional<FrameFooter> footer, FooterAt(after, run.next_index + 1));
  if (!next.has_value() && !footer.has_value()) return false;
  run.end = after;
  ++run.next_index;
  return true;
}

absl::StatusOr<std::optional<FoundBlock>> Finder::Search(const Wanted& wanted) {
  std::string window;
  for (uint64_t offset = wanted.begin; offset + kBlockOverheadBytes < wanted.end; offset += kWindowBytes) {
    CLM_RETURN_IF_ERROR(cancel_.Check());
    const uint64_t length = std::min<uint64_t>(wanted.end - offset, kWindowBytes + kBlockHeaderBytes - 1);
    CLM_RETURN_IF_ERROR(file_.Read(offset, length, window));
    CLM_ASSIGN_OR_RETURN(std::optional<FoundBlock> block, SearchWindow(window, offset, wanted));
    if (block.has_value() || budget_ == 0) return block;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<FoundBlock>> Finder::SearchWindow(absl::string_view window, uint64_t offset,
                                                               const Wanted& wanted) {
  for (size_t at = 0; at + kBlockHeaderBytes <= window.size(); ++at) {
    const uint64_t index = U32At(window, at);
    if (index < wanted.first_index || index >= wanted.end_index) continue;
    const std::optional<BlockHeader> header = Plausible(window.substr(at, kBlockHeaderBytes), index);
    if (!header.has_value() || offset + at + header->total_bytes() > wanted.end) continue;
    // The blocks that are lost before it took some room, too; where the footer counts them, they may have lost it.
    const bool has_room = (index - wanted.first_index) * (kBlockOverheadBytes + 1) <= offset + at - wanted.lost_begin;
    if (!has_room && !footer_.has_value()) continue;
    CLM_ASSIGN_OR_RETURN(const bool is_intact, IsIntact(offset + at, *header));
    if (is_intact) return FoundBlock{.header = *header, .offset = offset + at};
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<FoundBlocks> FindBlocks(const RandomAccessFile& file, const FrameHeader& header,
                                       const CancellationToken& cancel) {
  return Finder(file, header, cancel).Find();
}

}  // namespace clm
