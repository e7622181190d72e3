#include "core/codec/frame_salvage.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/codec/block.h"
#include "core/codec/block_finder.h"

namespace clm {
namespace {

constexpr size_t kZerosAtOnce = size_t{256} << 10;

class Salvage {
 public:
  Salvage(const RandomAccessFile& file, const FrameHeader& header, const BlockCoder& coder,
          const SalvageOptions& options, const ByteSink& sink, const CodecContext& context)
      : file_(file), header_(header), coder_(coder), options_(options), sink_(sink), context_(context) {}

  absl::StatusOr<SalvageSummary> Run(const FoundBlocks& found) {
    const size_t at_once = context_.BlocksAtOnce(coder_, header_.block_bytes);
    const std::span<const FoundBlock> blocks = found.blocks;
    for (size_t i = 0; i < blocks.size(); i += at_once) {
      CLM_RETURN_IF_ERROR(DecodeBatch(blocks.subspan(i, std::min(at_once, blocks.size() - i))));
    }
    summary_.original_bytes = found.original_bytes;
    FinishRanges(blocks);
    summary_.sha256 = sha256_.Finish();
    summary_.sha256_verified = summary_.missing.empty() && found.sha256 == summary_.sha256;
    if (summary_.intact_blocks == 0 && !summary_.missing.empty()) {
      return absl::DataLossError("frame: none of its blocks is intact, nothing can be salvaged");
    }
    return std::move(summary_);
  }

 private:
  absl::Status DecodeBatch(std::span<const FoundBlock> blocks) {
    std::vector<std::string> raw(blocks.size());
    std::vector<absl::Status> results(blocks.size());
    const auto decode = [&](size_t i) {
      results[i] = DecodeOne(blocks[i], raw[i]);
      return absl::OkStatus();
    };
    if (context_.pool != nullptr) {
      CLM_RETURN_IF_ERROR(context_.pool->ParallelFor(blocks.size(), context_.cancel, decode));
    } else {
      for (size_t i = 0; i < blocks.size(); ++i) CLM_RETURN_IF_ERROR(decode(i));
    }
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (absl::IsDataLoss(results[i])) continue;  // one more lost block
      CLM_RETURN_IF_ERROR(results[i]);
      CLM_RETURN_IF_ERROR(Emit(uint64_t{blocks[i].header.index} * header_.block_bytes, raw[i]));
    }
    return absl::OkStatus();
  }

  absl::Status DecodeOne(const FoundBlock& block, std::string& raw) const {
    CLM_RETURN_IF_ERROR(context_.cancel.Check());
    std::string bytes;
    CLM_RETURN_IF_ERROR(file_.Read(block.offset, block.header.total_bytes(), bytes));
    if (bytes.size() != block.header.total_bytes()) return absl::DataLossError("the file has shrunk");
    const BlockPlace place = {.index = block.header.index, .offset = block.offset};
    CLM_ASSIGN_OR_RETURN(raw, DecodeBlock(bytes, block.header, place, coder_, context_.cancel));
    return absl::OkStatus();
  }

  absl::Status Emit(uint64_t begin, absl::string_view raw) {
    if (raw.size() > options_.max_original_bytes || begin > options_.max_original_bytes - raw.size()) {
      return absl::ResourceExhaustedError(absl::StrCat("the frame holds bytes up to ", begin + raw.size(),
                                                       ", the limit is ", options_.max_original_bytes));
    }
    if (begin > summary_.written_bytes) {
      summary_.missing.push_back({.begin = summary_.written_bytes, .end = begin});
      CLM_RETURN_IF_ERROR(WriteZeros(begin - summary_.written_bytes));
    }
    ++summary_.intact_blocks;
    summary_.intact_bytes += raw.size();
    return Write(raw);
  }

  absl::Status WriteZeros(uint64_t count) {
    const std::string zeros(std::min<uint64_t>(count, kZerosAtOnce), '\0');
    while (count > 0) {
      CLM_RETURN_IF_ERROR(context_.cancel.Check());
      const absl::string_view piece = absl::string_view(zeros).substr(0, count);
      CLM_RETURN_IF_ERROR(Write(piece));
      count -= piece.size();
    }
    return absl::OkStatus();
  }

  absl::Status Write(absl::string_view bytes) {
    sha256_.Update(bytes);
    summary_.written_bytes += bytes.size();
    return sink_(bytes);
  }

  // What is missing behind the last intact block, and the sums.
  void FinishRanges(std::span<const FoundBlock> blocks) {
    const uint64_t end = summary_.original_bytes.value_or(MissingRange::kUnknownEnd);
    if (end > summary_.written_bytes) summary_.missing.push_back({.begin = summary_.written_bytes, .end = end});
    // Behind the last block that is known, if the length is not.
    const uint64_t known_blocks = summary_.original_bytes.has_value()
                                      ? BlockCountOf(*summary_.original_bytes, header_.block_bytes)
                                  : blocks.empty() ? 0
                                                   : uint64_t{blocks.back().header.index} + 1;
    const uint64_t known_bytes = summary_.original_bytes.value_or(summary_.written_bytes);
    summary_.lost_blocks = known_blocks - summary_.intact_blocks;
    summary_.lost_bytes = known_bytes - summary_.intact_bytes;
  }

  const RandomAccessFile& file_;
  const FrameHeader& header_;
  const BlockCoder& coder_;
  const SalvageOptions& options_;
  const ByteSink& sink_;
  const CodecContext& context_;
  Sha256 sha256_;
  SalvageSummary summary_;
};

}  // namespace

absl::StatusOr<SalvageSummary> SalvageFrame(const RandomAccessFile& file, const CodecSet& codecs,
                                            const SalvageOptions& options, const ByteSink& sink,
                                            const CodecContext& context) {
  std::string start;
  CLM_RETURN_IF_ERROR(file.Read(0, kFrameHeaderBytes, start));
  CLM_ASSIGN_OR_RETURN(const FrameHeader header, ParseFrameHeader(start));
  CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const BlockCoder> coder, codecs.Find(header.codec));
  CLM_ASSIGN_OR_RETURN(const FoundBlocks found, FindBlocks(file, header, context.cancel));
  return Salvage(file, header, *coder, options, sink, context).Run(found);
}

}  // namespace clm
