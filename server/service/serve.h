// Serve: the one way into every call of the service.
//
//   grpc::Status GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request, v1::Job* response) override {
//     return ServeUnary(runtime_, "JobService/GetJob", *context, *response, [&](Call&) { return
//     table_.Get(request->job()); });
//   }
//
// Around each handler, once and for all kinds of calls: request id (taken from the metadata "x-request-id", or new;
// sent back), admission, default deadline, cancellation within about 50 ms, idle timeout, timing and counting, access
// log line, absl::Status to grpc::Status with details, and a last net under exceptions of libraries.
//
// A stream whose peer neither reads nor writes for the idle timeout, and a blocked one whose time limit has passed, are
// cut by resetting the stream: such a caller sees CANCELLED; log and metrics say DEADLINE_EXCEEDED. Thread-safety: any
// thread. Ownership: the runtime outlives all calls.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/metrics/metrics.h"
#include "server/service/admission.h"
#include "server/service/call.h"
#include "server/service/call_watchdog.h"
#include "server/service/streams.h"

namespace clm {

// What all calls share. Not owned.
struct CallRuntime {
  Metrics* metrics;
  CallAdmission* admission;
  CallWatchdog* watchdog;
  // For calls without a deadline of their own; InfiniteDuration for none.
  absl::Duration default_deadline = absl::Seconds(3600);
};

// Code by number, the message, and the details of error_detail.h.
grpc::Status ToGrpc(const absl::Status& status);

grpc::Status Serve(const CallRuntime& runtime, absl::string_view method, grpc::ServerContext& context,
                   const std::function<absl::Status(Call&)>& handle);

namespace serve_internal {

// Why a read or write failed.
absl::Status PeerGone(const Call& call);

template <typename Stream, typename Message>
class GrpcReader final : public MessageReader<Message> {
 public:
  GrpcReader(Call& call, grpc::ServerContext& context, Stream& stream)
      : call_(call), context_(context), stream_(stream) {}

  absl::StatusOr<bool> Read(Message& message) override {
    const Call::PeerWait wait(call_);
    if (stream_.Read(&message)) return true;
    // A half-closed stream ends in the same way as a broken one. Just after gRPC has refused an oversized message the
    // call may not look cancelled yet; then a handler may take this for the end, but nothing that it still writes
    // reaches the caller, who gets RESOURCE_EXHAUSTED from gRPC.
    if (context_.IsCancelled() || call_.cancel().cancelled()) return PeerGone(call_);
    return false;
  }

 private:
  Call& call_;
  grpc::ServerContext& context_;
  Stream& stream_;
};

template <typename Stream, typename Message>
class GrpcWriter final : public MessageWriter<Message> {
 public:
  GrpcWriter(Call& call, Stream& stream) : call_(call), stream_(stream) {}

  absl::Status Write(const Message& message) override {
    const Call::PeerWait wait(call_);
    return stream_.Write(message) ? absl::OkStatus() : PeerGone(call_);
  }

 private:
  Call& call_;
  Stream& stream_;
};

}  // namespace serve_internal

// handle: absl::StatusOr<Response>(Call&).
template <typename Response, typename Handle>
grpc::Status ServeUnary(const CallRuntime& runtime, absl::string_view method, grpc::ServerContext& context,
                        Response& response, Handle&& handle) {
  return Serve(runtime, method, context, [&](Call& call) -> absl::Status {
    absl::StatusOr<Response> result = handle(call);
    if (!result.ok()) return std::move(result).status();
    response = *std::move(result);
    return absl::OkStatus();
  });
}

// handle: absl::Status(Call&, MessageWriter<Response>&).
template <typename Response, typename Handle>
grpc::Status ServeServerStream(const CallRuntime& runtime, absl::string_view method, grpc::ServerContext& context,
                               grpc::ServerWriter<Response>& stream, Handle&& handle) {
  return Serve(runtime, method, context, [&](Call& call) -> absl::Status {
    serve_internal::GrpcWriter<grpc::ServerWriter<Response>, Response> writer(call, stream);
    return handle(call, writer);
  });
}

// handle: absl::StatusOr<Response>(Call&, MessageReader<Request>&).
template <typename Request, typename Response, typename Handle>
grpc::Status ServeClientStream(const CallRuntime& runtime, absl::string_view method, grpc::ServerContext& context,
                               grpc::ServerReader<Request>& stream, Response& response, Handle&& handle) {
  return Serve(runtime, method, context, [&](Call& call) -> absl::Status {
    serve_internal::GrpcReader<grpc::ServerReader<Request>, Request> reader(call, context, stream);
    absl::StatusOr<Response> result = handle(call, reader);
    if (!result.ok()) return std::move(result).status();
    response = *std::move(result);
    return absl::OkStatus();
  });
}

// handle: absl::Status(Call&, MessageReader<Request>&, MessageWriter<Response>&).
template <typename Request, typename Response, typename Handle>
grpc::Status ServeBidi(const CallRuntime& runtime, absl::string_view method, grpc::ServerContext& context,
                       grpc::ServerReaderWriter<Response, Request>& stream, Handle&& handle) {
  return Serve(runtime, method, context, [&](Call& call) -> absl::Status {
    using Stream = grpc::ServerReaderWriter<Response, Request>;
    serve_internal::GrpcReader<Stream, Request> reader(call, context, stream);
    serve_internal::GrpcWriter<Stream, Response> writer(call, stream);
    return handle(call, reader, writer);
  });
}

}  // namespace clm
