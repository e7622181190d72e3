#include "tests/integration/server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/check.h"

namespace clm::testing {
namespace {

constexpr char kAnnouncement[] = "clm_server listening on ";

std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The parent in the text of /proc/<pid>/stat: "pid (name) state parent ..."; 0 when the process is gone.
pid_t ParentIn(const std::string& stat) {
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(stat.substr(name_end + 1));
  char state = 'X';
  pid_t parent = 0;
  rest >> state >> parent;
  return state == 'Z' || state == 'X' ? 0 : parent;
}

}  // namespace

ServerProcess::ServerProcess(const std::vector<std::string>& arguments, const std::string& log_path) {
  int ends[2];
  CLM_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  CLM_CHECK(log >= 0);
  std::vector<std::string> strings = {CLM_SERVER_PROGRAM};
  strings.insert(strings.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(strings.size() + 1);
  for (std::string& text : strings) argv.push_back(text.data());
  argv.push_back(nullptr);
  pid_ = fork();
  CLM_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  close(log);
  out_ = ends[0];
}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(out_);
}

std::string ServerProcess::WaitForAddress() {
  const absl::Time deadline = absl::Now() + absl::Seconds(kDeadlineSeconds);
  std::string output;
  while (output.find('\n') == std::string::npos) {
    pollfd ready = {.fd = out_, .events = POLLIN, .revents = 0};
    if (absl::Now() > deadline) return "";
    if (poll(&ready, 1, /*timeout=*/100) <= 0) continue;
    char buffer[512];
    const ssize_t count = read(out_, buffer, sizeof(buffer));
    if (count <= 0) return "";
    output.append(buffer, static_cast<size_t>(count));
  }
  if (output.rfind(kAnnouncement, 0) != 0) return "";
  const size_t begin = sizeof(kAnnouncement) - 1;
  return output.substr(begin, output.find(',', begin) - begin);
}

int ServerProcess::Wait() {
  const absl::Time deadline = absl::Now() + absl::Seconds(kDeadlineSeconds);
  bool hung = false;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (!hung && absl::Now() > deadline) {
      hung = true;
      kill(pid_, SIGKILL);
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  pid_ = 0;
  if (hung) return kHung;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void ServerProcess::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

std::vector<pid_t> WorkersOf(pid_t server) {
  std::vector<pid_t> workers;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; entry != end; entry.increment(error)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->path().filename().string(), &pid)) continue;
    if (ParentIn(ReadWhole(entry->path() / "stat")) != server) continue;
    const std::string command = ReadWhole(entry->path() / "cmdline");
    if (command.substr(0, command.find('\0')).find("clm_worker") != std::string::npos) workers.push_back(pid);
  }
  return workers;
}

}  // namespace clm::testing
