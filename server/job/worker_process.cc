#include "server/job/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/file_io.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr int kLockFd = kWorkerEventFd + 1;
constexpr int kCannotRun = 127;  // the shell's status for the same thing

absl::Status SystemError(absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(errno)));
}

struct Pipe {
  OwnedFd read;
  OwnedFd write;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("cannot make a pipe");
  Pipe pipe{OwnedFd(ends[0]), OwnedFd(ends[1])};
  fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

// Takes the folder's lock once no process of an earlier attempt holds it.
absl::StatusOr<OwnedFd> LockWorkFolder(const WorkerCommand& command) {
  const std::string path = JoinPath(command.directory, "LOCK");
  OwnedFd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.open()) return SystemError(absl::StrCat("cannot open ", path));
  const absl::Time deadline = absl::Now() + command.lock_timeout;
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (absl::Now() >= deadline) {
      return absl::UnavailableError(absl::StrCat("an earlier worker still holds ", path));
    }
    // The holder has been killed already; the kernel needs a moment to bury it.
    absl::SleepFor(absl::Milliseconds(5));
  }
  return lock;
}

// Everything that the child needs, made before the fork: between fork and exec only async-signal-safe calls are
// allowed.
struct ChildPlan {
  std::vector<char*> argv;
  int null_fd;
  int events_fd;
  int log_fd;
  int lock_fd;
  pid_t parent;
  std::string failure;
};

[[noreturn]] void RunChild(const ChildPlan& plan) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(kCannotRun);  // the parent died before the line above
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD}) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Sources first move out of the way of the targets 0 .. 4.
  const int null_fd = fcntl(plan.null_fd, F_DUPFD, kLockFd + 1);
  const int events_fd = fcntl(plan.events_fd, F_DUPFD, kLockFd + 1);
  const int log_fd = fcntl(plan.log_fd, F_DUPFD, kLockFd + 1);
  const int lock_fd = fcntl(plan.lock_fd, F_DUPFD, kLockFd + 1);
  dup2(null_fd, STDIN_FILENO);
  dup2(log_fd, STDOUT_FILENO);
  dup2(log_fd, STDERR_FILENO);
  dup2(events_fd, kWorkerEventFd);
  dup2(lock_fd, kLockFd);
  close_range(kLockFd + 1, ~0U, 0);
  execv(plan.argv[0], plan.argv.data());
  const ssize_t ignored = write(STDERR_FILENO, plan.failure.data(), plan.failure.size());
  static_cast<void>(ignored);
  _exit(kCannotRun);
}

// Reads what is there; closes `fd` at the end of the stream.
void Drain(OwnedFd& fd, std::string& out) {
  constexpr size_t kMaxPerRound = size_t{1} << 20;  // so that a chatty worker cannot keep us from looking around
  std::array<char, 65536> buffer;
  size_t total = 0;
  while (fd.open() && total < kMaxPerRound) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count > 0) {
      out.append(buffer.data(), static_cast<size_t>(count));
      total += static_cast<size_t>(count);
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      fd.Close();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

}  // namespace

OwnedFd::~OwnedFd() { Close(); }
OwnedFd::OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}
void OwnedFd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

WorkerProcess::WorkerProcess(pid_t pid, OwnedFd events, OwnedFd log)
    : pid_(pid),
      life_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
      events_(std::move(events)),
      log_(std::move(log)) {}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept
    : pid_(other.pid_),
      life_(std::move(other.life_)),
      events_(std::move(other.events_)),
      log_(std::move(other.log_)),
      exited_(std::exchange(other.exited_, true)),
      exit_(other.exit_) {}

WorkerProcess::~WorkerProcess() {
  if (exited_) return;
  Signal(SIGKILL);
  Wait();
}

absl::StatusOr<WorkerProcess> WorkerProcess::Start(const WorkerCommand& command) {
  CLM_ASSIGN_OR_RETURN(const OwnedFd lock, LockWorkFolder(command));
  CLM_ASSIGN_OR_RETURN(Pipe events, MakePipe());
  CLM_ASSIGN_OR_RETURN(Pipe log, MakePipe());
  const OwnedFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.open()) return SystemError("cannot open /dev/null");

  std::vector<std::string> strings = {command.program};
  strings.insert(strings.end(), command.arguments.begin(), command.arguments.end());
  ChildPlan plan{.argv = {},
                 .null_fd = null.get(),
                 .events_fd = events.write.get(),
                 .log_fd = log.write.get(),
                 .lock_fd = lock.get(),
                 .parent = getpid(),
                 .failure = absl::StrCat("cannot run ", command.program, "\n")};
  for (std::string& argument : strings) plan.argv.push_back(argument.data());
  plan.argv.push_back(nullptr);

  const pid_t pid = fork();
  if (pid < 0) return SystemError("cannot start a process");
  if (pid == 0) RunChild(plan);
  setpgid(pid, pid);  // both sides do it, so that no Signal() comes too early
  return WorkerProcess(pid, std::move(events.read), std::move(log.read));
}

bool WorkerProcess::Exited() {
  if (exited_) return true;
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return false;
  // What the worker left behind would hold the pipes and the lock. Until the next line but one, its process id cannot
  // be anybody else's.
  kill(-pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exited_ = true;
  exit_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  exit_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return true;
}

bool WorkerProcess::Read(absl::Duration timeout, std::string& events, std::string& log) {
  const bool exited = Exited();  // before reading: what an ended worker wrote is all there
  std::array<pollfd, 3> waits = {pollfd{events_.get(), POLLIN, 0}, pollfd{log_.get(), POLLIN, 0},
                                 pollfd{life_.get(), POLLIN, 0}};
  if (!exited) {
    poll(waits.data(), waits.size(), static_cast<int>(absl::ToInt64Milliseconds(timeout)));
  }
  const size_t before = events.size() + log.size();
  Drain(events_, events);
  Drain(log_, log);
  return !exited || events.size() + log.size() > before;
}

void WorkerProcess::Signal(int signal) {
  if (!exited_) kill(-pid_, signal);
}

WorkerExit WorkerProcess::Wait() {
  if (exited_) return exit_;
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  Exited();
  return exit_;
}

}  // namespace clm
