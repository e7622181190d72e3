// clm_server as a child process, and a look at its workers.
//
// The process dies with the thread that started it. Its stderr goes to a file, its stdout is read for the line that
// tells its address. Thread-safety: none.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace clm::testing {

class ServerProcess {
 public:
  // What Wait() returns when the process had to be killed because it did not end in kDeadlineSeconds.
  static constexpr int kHung = -1000;
  static constexpr int kDeadlineSeconds = 60;

  // Starts CLM_SERVER_PROGRAM; what it says to stderr is appended to the file `log_path`.
  ServerProcess(const std::vector<std::string>& arguments, const std::string& log_path);
  ~ServerProcess();  // kills a process that still runs
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // "host:port" once the server listens; empty when it ended or took too long.
  std::string WaitForAddress();
  // The exit status; -signal when a signal ended it; kHung. Once.
  int Wait();
  void Signal(int signal) const;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;  // 0 once it was waited for
  int out_ = -1;
};

// Process ids of the clm_worker processes that `server` started and that still run.
std::vector<pid_t> WorkersOf(pid_t server);

}  // namespace clm::testing
