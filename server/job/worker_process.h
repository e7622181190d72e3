// WorkerProcess: one child process with an event pipe, a captured stderr, and a life that ends with its parent's.
//
//   CLM_ASSIGN_OR_RETURN(WorkerProcess worker, WorkerProcess::Start(command));
//   while (worker.Read(absl::Milliseconds(50), events, log)) { ... }
//   const WorkerExit exit = worker.Wait();
//
// The child gets: its own process group (a terminal's Ctrl-C does not reach it), the event pipe's write end as
// descriptor kWorkerEventFd, stdin from /dev/null, stdout and stderr into one pipe, no other descriptor but a lock on
// its working folder, default signal handlers, and SIGKILL when the THREAD that started it ends. So Start() is called
// on a thread that lives until the worker is waited for. The lock (flock on `<directory>/LOCK`) is held by the child,
// not by us: while any process of an earlier attempt lives, Start() waits, so two attempts never write to the same
// folder. Thread-safety: none; one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace clm {

inline constexpr int kWorkerEventFd = 3;

struct WorkerCommand {
  std::string program;                 // path
  std::vector<std::string> arguments;  // without the program
  std::string directory;               // working folder; must exist
  // How long to wait for an earlier attempt to be gone.
  absl::Duration lock_timeout = absl::Seconds(10);
};

// How a process ended: by itself with a status, or by a signal.
struct WorkerExit {
  int status = 0;
  int signal = 0;
};

// A file descriptor that is closed on destruction.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd();
  OwnedFd(OwnedFd&& other) noexcept;
  OwnedFd& operator=(OwnedFd&& other) noexcept;

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

class WorkerProcess {
 public:
  // INTERNAL when the system refuses a pipe or a process; UNAVAILABLE when an earlier attempt is still alive after
  // lock_timeout. A program that cannot be run shows as exit status 127 with a line in the log.
  static absl::StatusOr<WorkerProcess> Start(const WorkerCommand& command);

  // A worker that still runs is killed and waited for.
  ~WorkerProcess();
  WorkerProcess(WorkerProcess&& other) noexcept;
  WorkerProcess& operator=(WorkerProcess&&) = delete;

  pid_t pid() const { return pid_; }

  // Appends what the worker wrote, waiting up to `timeout` for the first byte. false once the worker has ended and
  // everything it wrote has been read.
  bool Read(absl::Duration timeout, std::string& events, std::string& log);

  // Sends `signal` to the worker and all that it started.
  void Signal(int signal);

  // Waits for the end of the process, and ends what it left behind.
  WorkerExit Wait();

 private:
  WorkerProcess(pid_t pid, OwnedFd events, OwnedFd log);
  bool Exited();

  pid_t pid_;
  OwnedFd
      life_;  // pidfd, readable once the process has ended; not open on kernels without it (then Read() notices late)
  OwnedFd events_;
  OwnedFd log_;
  bool exited_ = false;
  WorkerExit exit_;
};

}  // namespace clm
