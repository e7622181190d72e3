// clm_worker: carries out one job and ends.
//
//   clm_worker --job_file=FILE --data_dir=DIR --work_dir=DIR [--event_fd=N] [--threads=N]
//
// FILE is a clm.v1.JobSpec as text. Artifacts go to DIR's store; progress, log lines and the result go to the event
// descriptor as clm.v1.WorkerEvent (server/worker/event_pipe.h), or, without one, as log lines to stderr. SIGTERM and
// SIGINT ask the job to stop; what it has saved in its working folder lets the next attempt continue. Exit status: 0
// when the result was sent, 1 when an error was, 2 for wrong usage.

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <exception>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "google/protobuf/text_format.h"
#include "server/convert/result_convert.h"
#include "server/worker/event_pipe.h"
#include "server/worker/run_job.h"

namespace clm {
namespace {

constexpr uint64_t kMaxJobFileBytes = uint64_t{64} << 20;

struct Flags {
  std::string job_file;
  std::string data_dir;
  std::string work_dir;
  int event_fd = -1;
  size_t threads = 0;
};

// SIGTERM and SIGINT reach one thread that waits for them; blocks them everywhere else.
void CancelOnSignals(const CancellationSource& source) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set, source]() mutable {
    int signal_number = 0;
    while (sigwait(&set, &signal_number) != 0) {
    }
    Log(LogLevel::kInfo, "asked to stop", {{"signal", signal_number}});
    source.Cancel();
  }).detach();
}

absl::StatusOr<v1::JobSpec> ReadSpec(const std::string& path) {
  CLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(PosixFileSystem(), path, kMaxJobFileBytes));
  v1::JobSpec spec;
  if (!google::protobuf::TextFormat::ParseFromString(text, &spec)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no clm.v1.JobSpec in text format"));
  }
  return spec;
}

absl::StatusOr<v1::JobResult> Run(const Flags& flags, const CancellationToken& cancel, EventPipe& events) {
  CLM_ASSIGN_OR_RETURN(const v1::JobSpec spec, ReadSpec(flags.job_file));
  CLM_RETURN_IF_ERROR(PosixFileSystem().MakeDirectories(flags.work_dir));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<ArtifactStore> store,
                       ArtifactStore::Open(PosixFileSystem(), JoinPath(flags.data_dir, "artifacts"), SystemClock(),
                                           ArtifactStoreOptions()));
  ThreadPool threads(flags.threads > 0 ? flags.threads : AvailableThreads());
  const PipelineContext context{.files = PosixFileSystem(),
                                .store = *store,
                                .clock = SystemClock(),
                                .threads = threads,
                                .cancel = cancel,
                                .progress =
                                    [&events](const Progress& progress) {
                                      v1::WorkerEvent event;
                                      *event.mutable_progress() = ToProto(progress);
                                      events.Send(event);
                                    },
                                .work_folder = flags.work_dir};
  return RunJob(spec, context);
}

// Sends the end of the story and returns the exit status.
int Finish(const absl::StatusOr<v1::JobResult>& result, EventPipe& events) {
  v1::WorkerEvent event;
  if (result.ok()) {
    *event.mutable_result() = *result;
    Log(LogLevel::kInfo, "job done");
  } else {
    event.mutable_error()->set_code(static_cast<int>(result.status().code()));
    event.mutable_error()->set_message(std::string(result.status().message()));
    Log(LogLevel::kError, "job failed", {{"error", result.status().ToString()}});
  }
  events.Send(event);
  return result.ok() ? 0 : 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Carries out one CLM job", "clm_worker");
  Flags flags;
  app.add_option("--job_file", flags.job_file, "clm.v1.JobSpec as text")->required();
  app.add_option("--data_dir", flags.data_dir, "Data folder of the server")->required();
  app.add_option("--work_dir", flags.work_dir, "Working folder of the job")->required();
  app.add_option("--event_fd", flags.event_fd, "Descriptor for events; without it only the log tells");
  app.add_option("--threads", flags.threads, "0 for all that the process may use");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  signal(SIGPIPE, SIG_IGN);
  const CancellationSource source;
  CancelOnSignals(source);
  EventPipe events(flags.event_fd);
  return Finish(Run(flags, source.token(), events), events);
}

}  // namespace
}  // namespace clm

int main(int argc, char** argv) {
  try {
    return clm::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "clm_worker: %s\n", error.what());
    return 1;
  }
}
