#include "client/session.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "clm/v1/error_detail.pb.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "nlohmann/json.hpp"

namespace clm::client {
namespace {

// Above the server's default, so that its own limit is the one that speaks.
constexpr int kMaxReceiveBytes = 256 << 20;

// The reason of the status' ErrorInfo, "" when there is none.
std::string ReasonOf(const grpc::Status& status) {
  v1::ErrorStatus detail;
  if (!detail.ParseFromString(status.error_details())) return "";
  for (const google::protobuf::Any& any : detail.details()) {
    v1::ErrorInfo info;
    if (any.type_url() == "type.googleapis.com/google.rpc.ErrorInfo" && info.ParseFromString(any.value())) {
      return info.reason();
    }
  }
  return "";
}

// Who hears about Ctrl-C. One listener at a time.
struct InterruptState {
  absl::Mutex mu;
  std::function<void()> listener ABSL_GUARDED_BY(mu);
  bool interrupted ABSL_GUARDED_BY(mu) = false;
};

InterruptState& Interrupts() {
  static InterruptState* const kState = new InterruptState;  // never destroyed: the waiting thread may outlive main
  return *kState;
}

void WaitForInterrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  while (true) {
    int signal_number = 0;
    if (sigwait(&set, &signal_number) != 0) continue;
    InterruptState& state = Interrupts();
    absl::MutexLock lock(&state.mu);
    if (state.listener == nullptr || state.interrupted) _exit(kExitInterrupted);  // nobody to ask, or asked twice
    state.interrupted = true;
    state.listener();
  }
}

}  // namespace

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

int ExitCodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return kExitUnavailable;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kResourceExhausted:
      return kExitExhausted;
    case absl::StatusCode::kDataLoss:
      return kExitDataLoss;
    default:
      return kExitFailed;
  }
}

std::shared_ptr<grpc::Channel> Session::channel() {
  if (channel_ == nullptr) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
    channel_ = grpc::CreateCustomChannel(options_.address, grpc::InsecureChannelCredentials(), arguments);
  }
  return channel_;
}

std::unique_ptr<grpc::ClientContext> Session::UnaryContext() const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::milliseconds(static_cast<int64_t>(options_.timeout_seconds * 1000)));
  return context;
}

int Session::Report(const absl::Status& status) const {
  return Report(grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message())));
}

int Session::Report(const grpc::Status& status) const {
  if (status.ok()) return kExitOk;
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const std::string reason = ReasonOf(status);
  if (json()) {
    const nlohmann::json error = {
        {"error", {{"code", absl::StatusCodeToString(code)}, {"message", status.error_message()}, {"reason", reason}}}};
    const std::string text = error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::fprintf(stderr, "%s\n", text.c_str());
  } else {
    std::fprintf(stderr, "clm: %s: %s%s\n", absl::StatusCodeToString(code).c_str(), status.error_message().c_str(),
                 reason.empty() ? "" : absl::StrCat(" [", reason, "]").c_str());
    if (code == absl::StatusCode::kUnavailable) {
      std::fprintf(stderr, "clm: is a server running at %s? --address or CLM_ADDRESS names another\n",
                   options_.address.c_str());
    }
  }
  return ExitCodeOf(code);
}

int Session::Answer(const grpc::Status& status, const google::protobuf::Message& message,
                    const std::function<void()>& print) const {
  if (!status.ok()) return Report(status);
  if (json()) {
    PrintJson(message);
  } else {
    print();
  }
  return kExitOk;
}

void Session::PrintJson(const google::protobuf::Message& message) const {
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  print.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, print);
  if (!status.ok()) text = "{}";
  std::printf("%s\n", text.c_str());
}

void Session::Note(const std::string& line) const {
  if (!options_.quiet) std::fprintf(stderr, "%s\n", line.c_str());
}

void InstallInterruptHandling() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread(WaitForInterrupts).detach();
}

InterruptScope::InterruptScope(std::function<void()> on_interrupt) {
  InterruptState& state = Interrupts();
  absl::MutexLock lock(&state.mu);
  state.listener = std::move(on_interrupt);
  state.interrupted = false;
}

InterruptScope::~InterruptScope() {
  InterruptState& state = Interrupts();
  absl::MutexLock lock(&state.mu);
  state.listener = nullptr;
}

bool InterruptScope::interrupted() const {
  InterruptState& state = Interrupts();
  absl::MutexLock lock(&state.mu);
  return state.interrupted;
}

}  // namespace clm::client
