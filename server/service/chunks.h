// Chunks: between streams of messages and the sources and sinks of Operations.
//
// Rules that all streaming calls share: the first message opens the stream, every other one carries data, at most
// kMaxChunkInBytes of it; answers carry at most kMaxChunkOutBytes.
// Thread-safety: none; one call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "server/service/error_detail.h"
#include "server/service/streams.h"

namespace clm {

inline constexpr size_t kMaxChunkInBytes = size_t{1} << 20;
inline constexpr size_t kMaxChunkOutBytes = size_t{256} << 10;

// The first message of a stream. INVALID_ARGUMENT unless it carries `start`.
template <typename Request>
absl::StatusOr<Request> ReadStart(MessageReader<Request>& reader) {
  Request first;
  CLM_ASSIGN_OR_RETURN(const bool there, reader.Read(first));
  if (!there || !first.has_start()) return InvalidField("start", "the first message must carry it");
  return first;
}

// The data of the messages after the first. `data_of(message)` gives the data of a message, or null when it carries
// something else; `field` is its name in the contract.
template <typename Request, typename DataOf>
class ChunkReader {
 public:
  ChunkReader(MessageReader<Request>& reader, absl::string_view field, DataOf data_of)
      : reader_(reader), field_(field), data_of_(data_of) {}

  // false at the end of the stream. INVALID_ARGUMENT for a message without data or with too much of it.
  absl::StatusOr<bool> Next(std::string& chunk) {
    chunk.clear();
    CLM_ASSIGN_OR_RETURN(const bool there, reader_.Read(message_));
    if (!there) return false;
    std::string* data = data_of_(message_);
    if (data == nullptr) return InvalidField(field_, "every message after the first must carry it");
    if (data->size() > kMaxChunkInBytes) {
      return InvalidField(field_, absl::StrCat("has ", data->size(), " bytes, the limit is ", kMaxChunkInBytes));
    }
    total_bytes_ += data->size();
    chunk.swap(*data);
    return true;
  }

  uint64_t total_bytes() const { return total_bytes_; }

 private:
  MessageReader<Request>& reader_;
  const std::string field_;
  const DataOf data_of_;
  Request message_;
  uint64_t total_bytes_ = 0;
};

// Writes `bytes` in messages of at most kMaxChunkOutBytes each. `data_of(message)` gives the field to fill.
template <typename Response, typename DataOf>
absl::Status WriteChunks(MessageWriter<Response>& writer, absl::string_view bytes, DataOf data_of) {
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, kMaxChunkOutBytes);
    Response response;
    data_of(response).assign(piece.data(), piece.size());
    CLM_RETURN_IF_ERROR(writer.Write(response));
    bytes.remove_prefix(piece.size());
  }
  return absl::OkStatus();
}

}  // namespace clm
