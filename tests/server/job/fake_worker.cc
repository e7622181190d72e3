// A worker for tests. It obeys the words in the job's prepare.source.paths, one after the other:
//
//   steps=N        N units of work, each a line in <work_dir>/steps and a progress event; goes on where an earlier
//   attempt ended log=TEXT       a line on stderr line=TEXT      a log_line event result         the result event:
//   corpus "steps:<lines in steps>" error=MESSAGE  an error event FAILED_PRECONDITION exit=N         ends with status N
//   signal=N       ends by signal N
//   die_until=N    ends by SIGKILL unless this is at least the N-th attempt
//   wait           waits for SIGTERM, then sends an error event CANCELLED and ends with status 1
//   stubborn       ignores SIGTERM and waits
//   garbage        writes a length of 4 GiB to the event pipe and waits
//   orphan         leaves a child behind that keeps all descriptors open
//
// While it works, SIGTERM makes it stop in order: error event CANCELLED, status 1.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "clm/v1/job.pb.h"
#include "google/protobuf/text_format.h"
#include "server/job/worker_event_reader.h"

namespace {

std::atomic<bool> terminated{false};
int event_fd = -1;
std::string work_dir;

void OnTerminate(int) { terminated = true; }

void WriteAll(const std::string& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = write(event_fd, bytes.data() + done, bytes.size() - done);
    if (count <= 0) _exit(9);
    done += static_cast<size_t>(count);
  }
}

void Send(const clm::v1::WorkerEvent& event) { WriteAll(clm::FrameWorkerEvent(event)); }

void SendError(int code, const std::string& message) {
  clm::v1::WorkerEvent event;
  event.mutable_error()->set_code(code);
  event.mutable_error()->set_message(message);
  Send(event);
}

[[noreturn]] void StopInOrder() {
  constexpr int kCancelled = 1;
  SendError(kCancelled, "the caller cancelled");
  _exit(1);
}

[[noreturn]] void WaitForever() {
  // Blocked but while it waits: a signal between the look and the wait would be slept over.
  sigset_t terminate;
  sigset_t before;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  sigprocmask(SIG_BLOCK, &terminate, &before);
  while (true) {
    if (terminated) StopInOrder();
    sigsuspend(&before);
  }
}

int CountLines(const std::string& path) {
  std::ifstream in(path);
  int lines = 0;
  for (std::string line; std::getline(in, line);) ++lines;
  return lines;
}

void Step(int total) {
  const std::string path = work_dir + "/steps";
  for (int done = CountLines(path); done < total; ++done) {
    if (terminated) StopInOrder();
    std::ofstream(path, std::ios::app) << "step " << done << "\n";
    clm::v1::WorkerEvent event;
    auto& progress = *event.mutable_progress();
    progress.set_phase("steps");
    progress.set_unit("steps");
    progress.set_done_units(static_cast<uint64_t>(done) + 1);
    progress.set_total_units(static_cast<uint64_t>(total));
    Send(event);
    usleep(500);  // a step of real work takes time, so that kills fall between steps and into them
  }
}

void SendResult() {
  clm::v1::WorkerEvent event;
  event.mutable_result()->mutable_prepare()->set_corpus(absl::StrCat("steps:", CountLines(work_dir + "/steps")));
  Send(event);
}

void DieUntil(int wanted_attempt) {
  const std::string path = work_dir + "/attempts";
  std::ofstream(path, std::ios::app) << "attempt\n";
  if (CountLines(path) < wanted_attempt) {
    std::fprintf(stderr, "dying in attempt %d\n", CountLines(path));
    std::raise(SIGKILL);
  }
}

void Obey(const std::string& name, const std::string& value) {
  constexpr int kFailedPrecondition = 9;
  int number = 0;
  if (!value.empty() && !absl::SimpleAtoi(value, &number)) number = 0;
  if (name == "steps") Step(number);
  if (name == "log") std::fprintf(stderr, "%s\n", value.c_str());
  if (name == "line") {
    clm::v1::WorkerEvent event;
    event.set_log_line(value);
    Send(event);
  }
  if (name == "result") SendResult();
  if (name == "error") SendError(kFailedPrecondition, value);
  if (name == "exit") _exit(number);
  if (name == "signal") {
    std::signal(number, SIG_DFL);  // a sanitizer's handler would turn the death into an exit
    std::raise(number);
  }
  if (name == "die_until") DieUntil(number);
  if (name == "wait") WaitForever();
  if (name == "stubborn") {
    std::signal(SIGTERM, SIG_IGN);
    WaitForever();
  }
  if (name == "garbage") {
    WriteAll("\xff\xff\xff\xff");
    WaitForever();
  }
  if (name == "orphan" && fork() == 0) WaitForever();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGTERM, OnTerminate);
  std::string job_file;
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--job_file=")) job_file = std::string(argument);
    if (absl::ConsumePrefix(&argument, "--work_dir=")) work_dir = std::string(argument);
    if (absl::ConsumePrefix(&argument, "--event_fd=") && !absl::SimpleAtoi(argument, &event_fd)) return 2;
  }
  std::ifstream in(job_file);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  clm::v1::JobSpec spec;
  if (!google::protobuf::TextFormat::ParseFromString(text, &spec)) return 2;
  for (const std::string& word : spec.prepare().source().paths()) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(word, absl::MaxSplits('=', 1));
    Obey(parts.first, parts.second);
  }
  return 0;
}
