// Pumps a bidirectional stream: one thread sends the input in pieces, the calling thread receives.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/session.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"

namespace clm::client {

inline constexpr size_t kStreamChunkBytes = 256 << 10;

// Sends `start`, then what `read` returns (empty at the end) as messages made by `make_part`, and gives every response
// to `receive`. `read` runs on the sending thread. Ctrl-C cancels the call. The first error of input, server or
// receiver is returned; the others are consequences of it.
template <typename Request, typename Response>
absl::Status PumpStream(grpc::ClientContext& context, grpc::ClientReaderWriterInterface<Request, Response>& stream,
                        const Request& start, const std::function<absl::StatusOr<std::string>()>& read,
                        const std::function<Request(std::string)>& make_part,
                        const std::function<absl::Status(const Response&)>& receive) {
  const InterruptScope scope([&context] { context.TryCancel(); });
  absl::Status sent;
  std::thread sender([&] {
    bool open = stream.Write(start);
    while (open) {
      absl::StatusOr<std::string> data = read();
      if (!data.ok()) {
        sent = data.status();
        context.TryCancel();
        return;
      }
      if (data->empty()) break;
      open = stream.Write(make_part(*std::move(data)));
    }
    stream.WritesDone();
  });
  absl::Status received;
  Response response;
  while (received.ok() && stream.Read(&response)) received = receive(response);
  if (!received.ok()) context.TryCancel();
  sender.join();
  while (stream.Read(&response)) {
  }
  const grpc::Status finished = stream.Finish();
  if (!sent.ok()) return sent;
  return received.ok() ? ToAbsl(finished) : received;
}

}  // namespace clm::client
