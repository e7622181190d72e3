#include "server/job/worker_event_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"

namespace clm {

absl::StatusOr<std::vector<v1::WorkerEvent>> WorkerEventReader::Feed(absl::string_view bytes) {
  if (!broken_.ok()) return broken_;
  buffer_.append(bytes.data(), bytes.size());
  std::vector<v1::WorkerEvent> events;
  size_t used = 0;
  while (true) {
    ByteReader in(absl::string_view(buffer_).substr(used));
    uint32_t length = 0;
    if (!in.ReadU32(length)) break;
    if (length > kMaxEventBytes) {
      broken_ = absl::DataLossError(
          absl::StrCat("the worker announced an event of ", length, " bytes, the limit is ", kMaxEventBytes));
      return broken_;
    }
    absl::string_view payload;
    if (!in.ReadBytes(length, payload)) break;
    v1::WorkerEvent event;
    if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
      broken_ = absl::DataLossError(absl::StrCat("the worker sent an event of ", length, " bytes that is not one"));
      return broken_;
    }
    events.push_back(std::move(event));
    used += in.position();
  }
  buffer_.erase(0, used);
  return events;
}

std::string FrameWorkerEvent(const v1::WorkerEvent& event) {
  const std::string payload = event.SerializeAsString();
  ByteWriter out;
  out.WriteU32(static_cast<uint32_t>(payload.size()));
  out.WriteBytes(payload);
  return out.Take();
}

}  // namespace clm
