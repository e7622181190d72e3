#include "server/worker/event_pipe.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/base/byte_writer.h"

namespace clm {
namespace {

bool WriteAll(int fd, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t written = write(fd, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

void EventPipe::Send(const v1::WorkerEvent& event) {
  if (fd_ < 0) return;
  const std::string body = event.SerializeAsString();
  ByteWriter framed;
  framed.WriteU32(static_cast<uint32_t>(body.size()));
  framed.WriteBytes(body);
  absl::MutexLock lock(&mu_);
  if (!broken_ && !WriteAll(fd_, framed.view())) broken_ = true;
}

}  // namespace clm
