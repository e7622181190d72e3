// Session: what every command of `clm` shares: global options, the channel, and how results and errors reach the user.
//
// Results go to stdout, everything else (progress, notes, errors) to stderr, so that output can be piped.
// Thread-safety: one thread, but Interrupt handling as documented at InterruptScope.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace clm::client {

// Documented in docs/protocol.md.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitUnavailable = 3,
  kExitNotFound = 4,
  kExitExhausted = 5,
  kExitDataLoss = 6,
  kExitSalvaged = 7,
  kExitInterrupted = 130,
};

struct GlobalOptions {
  std::string address = "127.0.0.1:50551";
  std::string output = "text";  // or "json"
  bool quiet = false;           // no progress, no notes
  // Seconds a unary call may take.
  double timeout_seconds = 60;
};

class Session {
 public:
  GlobalOptions& options() { return options_; }
  const GlobalOptions& options() const { return options_; }
  bool json() const { return options_.output == "json"; }

  // Connected lazily, once.
  std::shared_ptr<grpc::Channel> channel();

  // A context with the unary deadline.
  std::unique_ptr<grpc::ClientContext> UnaryContext() const;

  // Prints the error with its reason and returns its exit code; kExitOk for OK.
  int Report(const grpc::Status& status) const;
  int Report(const absl::Status& status) const;

  // What ends a unary command: reports an error, else prints `message` as JSON or calls `print` for people. Returns the
  // exit code.
  int Answer(const grpc::Status& status, const google::protobuf::Message& message,
             const std::function<void()>& print) const;

  // Prints `message` as one JSON object (proto field names) on stdout.
  void PrintJson(const google::protobuf::Message& message) const;
  // A line for people on stderr; nothing with --quiet.
  void Note(const std::string& line) const;

  // What the process will exit with; set by the command that ran.
  int exit_code = kExitOk;

 private:
  GlobalOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
};

absl::Status ToAbsl(const grpc::Status& status);
int ExitCodeOf(absl::StatusCode code);

// Blocks SIGINT in the calling thread and all later ones; call first thing in main().
void InstallInterruptHandling();

// While it lives, Ctrl-C calls `on_interrupt` once (on another thread) instead of ending the process.
class InterruptScope {
 public:
  explicit InterruptScope(std::function<void()> on_interrupt);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  bool interrupted() const;
};

}  // namespace clm::client
