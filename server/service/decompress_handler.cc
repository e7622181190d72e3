#include "server/service/decompress_handler.h"

#include "core/base/status_macros.h"
#include "server/service/chunks.h"

namespace clm {
namespace {

constexpr char kRepresentation[] = "byte";

absl::Status CheckStart(const v1::DecompressRequest::Start& start) {
  if (start.salvage() && (start.offset_bytes() != 0 || start.length_bytes() != 0)) {
    return InvalidField("start.salvage", "does not go with a range: what is missing is told of the whole");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status HandleDecompress(Operations& operations, Metrics& metrics, const Call& call,
                              MessageReader<v1::DecompressRequest>& reader,
                              MessageWriter<v1::DecompressResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const v1::DecompressRequest first, ReadStart(reader));
  CLM_RETURN_IF_ERROR(CheckStart(first.start()));
  ChunkReader chunks(reader, "frame", [](v1::DecompressRequest& request) {
    return request.has_frame() ? request.mutable_frame() : nullptr;
  });
  uint64_t decoded_bytes = 0;
  const auto sink = [&](absl::string_view bytes) {
    decoded_bytes += bytes.size();
    return WriteChunks(writer, bytes,
                       [](v1::DecompressResponse& response) -> std::string& { return *response.mutable_data(); });
  };
  CLM_ASSIGN_OR_RETURN(v1::DecompressResponse::Summary summary,
                       operations.Decompress(
                           first.start(), [&](std::string& chunk) { return chunks.Next(chunk); }, sink, call.cancel()));
  metrics.Add(kDecodedBytes, {"decompress", kRepresentation}, static_cast<double>(decoded_bytes));
  metrics.Add(kFrameBytes, {"decompress", kRepresentation}, static_cast<double>(chunks.total_bytes()));
  v1::DecompressResponse last;
  *last.mutable_summary() = std::move(summary);
  last.mutable_summary()->set_seconds(absl::ToDoubleSeconds(call.elapsed()));
  return writer.Write(last);
}

}  // namespace clm
