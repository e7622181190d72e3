#include "server/service/compress_handler.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/service/chunks.h"

namespace clm {
namespace {

constexpr uint32_t kMinBlockBytes = 4096;
constexpr uint32_t kMaxBlockBytes = 16777216;
constexpr uint64_t kMaxCompareBytes = uint64_t{64} << 20;
// What the built-in predictor sees.
constexpr char kRepresentation[] = "byte";

absl::Status CheckStart(const v1::CompressRequest::Start& start) {
  const uint32_t block = start.block_size_bytes();
  if (block != 0 && (block < kMinBlockBytes || block > kMaxBlockBytes)) {
    return InvalidField("start.block_size_bytes",
                        absl::StrCat(block, " is not in [", kMinBlockBytes, ", ", kMaxBlockBytes, "]"));
  }
  if (!v1::VerifyMode_IsValid(start.verify())) {
    return InvalidField("start.verify", absl::StrCat(start.verify(), " is no mode of this version"));
  }
  if (!v1::Codec_IsValid(start.codec())) {
    return InvalidField("start.codec", absl::StrCat(start.codec(), " is no codec of this version"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status HandleCompress(Operations& operations, Metrics& metrics, const Call& call,
                            MessageReader<v1::CompressRequest>& reader, MessageWriter<v1::CompressResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const v1::CompressRequest first, ReadStart(reader));
  const v1::CompressRequest::Start& start = first.start();
  CLM_RETURN_IF_ERROR(CheckStart(start));
  ChunkReader chunks(reader, "data", [](v1::CompressRequest& request) {
    return request.has_data() ? request.mutable_data() : nullptr;
  });
  const auto source = [&](std::string& chunk) -> absl::StatusOr<bool> {
    CLM_ASSIGN_OR_RETURN(const bool more, chunks.Next(chunk));
    if (start.compare() && chunks.total_bytes() > kMaxCompareBytes) {
      return WithReason(absl::ResourceExhaustedError(absl::StrCat("compare takes inputs up to ", kMaxCompareBytes,
                                                                  " bytes, this one is longer")),
                        "COMPARE_INPUT_TOO_LONG");
    }
    return more;
  };
  uint64_t frame_bytes = 0;
  const auto sink = [&](absl::string_view frame) {
    frame_bytes += frame.size();
    return WriteChunks(writer, frame,
                       [](v1::CompressResponse& response) -> std::string& { return *response.mutable_frame(); });
  };
  CLM_ASSIGN_OR_RETURN(v1::CompressResponse::Summary summary, operations.Compress(start, source, sink, call.cancel()));
  metrics.Add(kOriginalBytes, {"compress", kRepresentation}, static_cast<double>(chunks.total_bytes()));
  metrics.Add(kFrameBytes, {"compress", kRepresentation}, static_cast<double>(frame_bytes));
  v1::CompressResponse last;
  *last.mutable_summary() = std::move(summary);
  const uint64_t original = chunks.total_bytes();
  last.mutable_summary()->set_bits_per_byte(
      original == 0 ? 0 : static_cast<double>(frame_bytes) * 8 / static_cast<double>(original));
  last.mutable_summary()->set_seconds(absl::ToDoubleSeconds(call.elapsed()));
  return writer.Write(last);
}

}  // namespace clm
