#include "server/service/serve.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/log.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

constexpr char kRequestIdKey[] = "x-request-id";
constexpr size_t kMaxRequestIdLength = 64;

bool IsRequestId(absl::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestIdLength && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

// Unique among the processes of a machine: start of the process, process id, number of the call.
std::string NewRequestId() {
  static const std::string kPrefix =
      absl::StrCat(absl::Hex(absl::ToUnixMillis(absl::Now())), "-", absl::Hex(getpid()), "-");
  static std::atomic<uint64_t> next{1};
  return absl::StrCat(kPrefix, next.fetch_add(1));
}

std::string RequestIdOf(const grpc::ServerContext& context) {
  const auto found = context.client_metadata().find(kRequestIdKey);
  if (found != context.client_metadata().end()) {
    const absl::string_view id(found->second.data(), found->second.size());
    if (IsRequestId(id)) return std::string(id);
  }
  return NewRequestId();
}

absl::Time DeadlineOf(const grpc::ServerContext& context) {
  const std::chrono::system_clock::time_point deadline = context.deadline();
  return deadline == std::chrono::system_clock::time_point::max() ? absl::InfiniteFuture() : absl::FromChrono(deadline);
}

// No exception of a library may end the process for all callers.
absl::Status RunGuarded(const std::function<absl::Status(Call&)>& handle, Call& call) {
  try {
    return handle(call);
  } catch (const std::bad_alloc&) {
    return WithReason(absl::ResourceExhaustedError("out of memory"), "OUT_OF_MEMORY");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("unexpected: ", error.what()));
  }
}

absl::Status RunAdmitted(const CallRuntime& runtime, Call& call, grpc::ServerContext& context,
                         const std::function<absl::Status(Call&)>& handle) {
  const LabelValues method = {call.method()};
  runtime.metrics->Add(kCallsInFlight, method, 1);
  const absl::Time deadline = DeadlineOf(context);
  absl::Status status;
  {
    const CallWatchdog::Registration registration(
        *runtime.watchdog,
        {.call = &call,
         .caller_gone = [&context] { return context.IsCancelled(); },
         .cut = [&context] { context.TryCancel(); },
         .caller_deadline = deadline,
         .time_limit = deadline == absl::InfiniteFuture() ? runtime.default_deadline : absl::InfiniteDuration()});
    status = RunGuarded(handle, call);
  }
  runtime.metrics->Add(kCallsInFlight, method, -1);
  // A handler may have answered with something else because its token was cancelled.
  if (!status.ok() && call.idle_cut()) return serve_internal::PeerGone(call);
  return status;
}

void Record(const CallRuntime& runtime, const Call& call, const grpc::ServerContext& context,
            const absl::Status& status) {
  const double seconds = absl::ToDoubleSeconds(call.elapsed());
  const std::string code = absl::StatusCodeToString(status.code());
  runtime.metrics->Observe(kCallDuration, {call.method(), code}, seconds);
  const bool ours = status.code() == absl::StatusCode::kInternal || status.code() == absl::StatusCode::kDataLoss;
  Log(ours ? LogLevel::kError : LogLevel::kInfo, "call",
      {{"method", call.method()},
       {"code", code},
       {"seconds", seconds},
       {"request_id", call.request_id()},
       {"peer", context.peer()},
       {"error", status.ok() ? std::string() : std::string(status.message().substr(0, 512))}});
}

}  // namespace

namespace serve_internal {

absl::Status PeerGone(const Call& call) {
  if (call.idle_cut()) {
    return WithReason(absl::DeadlineExceededError("the peer neither sent nor received for the idle timeout"),
                      "IDLE_TIMEOUT");
  }
  const absl::Status status = call.cancel().Check();
  return status.ok() ? absl::CancelledError("the caller is gone") : status;
}

}  // namespace serve_internal

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), ShortMessage(status),
          ToErrorStatus(status).SerializeAsString()};
}

grpc::Status Serve(const CallRuntime& runtime, absl::string_view method, grpc::ServerContext& context,
                   const std::function<absl::Status(Call&)>& handle) {
  Call call(method, RequestIdOf(context));
  context.AddInitialMetadata(kRequestIdKey, call.request_id());
  absl::Status status = runtime.admission->Enter(method);
  if (status.ok()) {
    status = RunAdmitted(runtime, call, context, handle);
    // Counted before the place is free, so that a drained server has told everything.
    Record(runtime, call, context, status);
    runtime.admission->Leave(method);
  } else {
    runtime.metrics->Add(kCallsRejected, {call.method(), ReasonOf(status)}, 1);
    Record(runtime, call, context, status);
  }
  if (const auto delay = RetryDelayOf(status)) {
    context.AddTrailingMetadata("grpc-retry-pushback-ms", absl::StrCat(absl::ToInt64Milliseconds(*delay)));
  }
  return ToGrpc(status);
}

}  // namespace clm
