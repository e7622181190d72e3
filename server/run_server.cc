#include "server/run_server.h"

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "core/base/log.h"
#include "server/config/config.h"

namespace clm {
namespace {

constexpr int kBadConfig = 2;

// Blocks the signals that end the server, so that only WaitForSignal() sees them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A peer that closes its connection is an error of a write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// The next of `signals`, or 0 when none comes in 50 ms.
int WaitForSignal(const sigset_t& signals) {
  constexpr timespec kTick = {.tv_sec = 0, .tv_nsec = 50'000'000};
  const int signal = sigtimedwait(&signals, nullptr, &kTick);
  return signal > 0 ? signal : 0;
}

void ServeUntilSignal(Server& server, const sigset_t& signals) {
  int signal = 0;
  while ((signal = WaitForSignal(signals)) == 0) {
  }
  Log(LogLevel::kInfo, "draining", {{"signal", signal}});
  std::atomic<bool> drained{false};
  std::thread drain([&] {
    server.Drain();
    drained = true;
  });
  while (!drained) {
    if (WaitForSignal(signals) != 0) _exit(1);
  }
  drain.join();
}

void Announce(const Server& server, const v1::ServerConfig& config) {
  std::printf("clm_server listening on %s, ", server.address().c_str());
  if (server.metrics_port() != 0) std::printf("metrics on port %d, ", server.metrics_port());
  std::printf("data in %s\n", config.data_dir().c_str());
  std::fflush(stdout);
}

}  // namespace

void KeepMessageMemory() {
  // glibc's defaults give a buffer of 128 KiB or more back to the kernel when it is freed, and the next message's pages
  // are cleared again: a quarter of the time of a stream. Models and whole documents stay above the limit.
  constexpr int kMappedBytes = 4 << 20;
  constexpr int kKeptBytes = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kMappedBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
}

int RunServer(int argc, const char* const* argv, const ServerParts& parts) {
  KeepMessageMemory();
  // For the workers, which inherit it: OpenMP threads that spin while they wait slow training down a hundredfold when
  // the processors have other work too.
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  const absl::StatusOr<CommandLine> line = ParseCommandLine(argc, argv, ProcessEnvironment());
  if (!line.ok()) {
    std::fprintf(stderr, "clm_server: %s\n", std::string(line.status().message()).c_str());
    return kBadConfig;
  }
  if (line->action != CommandLine::Action::kRun) {
    const bool check = line->action == CommandLine::Action::kCheckConfig;
    std::fputs(check ? "the configuration is good\n" : line->text.c_str(), stdout);
    return 0;
  }
  const sigset_t signals = BlockSignals();
  LogLevel level = LogLevel::kInfo;
  if (ParseLogLevel(line->config.log_level(), level)) SetLogLevel(level);
  const absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(line->config, parts);
  if (!server.ok()) {
    std::fprintf(stderr, "clm_server: %s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  Announce(**server, line->config);
  ServeUntilSignal(**server, signals);
  return 0;
}

}  // namespace clm
