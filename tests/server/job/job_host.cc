// job_host <data_dir> <worker> <count> <slots> <steps>: journal, table and runner of a server, without gRPC, to be
// killed.
//
// Submits `count` jobs of `steps` steps with request ids r0, r1, ...; prints "ack <request> <job>" after each, then
// "done" once all of them succeeded. Started again in the same folder it submits the same and goes on.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "server/job/job_journal.h"
#include "server/job/job_runner.h"
#include "server/job/job_table.h"

namespace clm {
namespace {

bool WaitUntilSucceeded(JobTable& table, const std::string& name) {
  uint64_t cursor = 0;
  while (true) {
    const auto events = table.WaitForEvents(name, cursor, absl::Seconds(30));
    if (!events.ok() || (events->events.empty() && !events->final)) return false;
    if (!events->events.empty()) cursor = events->events.back().cursor();
    if (events->final) return table.Get(name)->state() == v1::JOB_STATE_SUCCEEDED;
  }
}

int Run(const std::string& data_dir, const std::string& worker, int count, int slots, int steps) {
  SetLogLevel(LogLevel::kError);
  auto journal = JobJournal::Open({.path = data_dir + "/journal.sqlite", .max_size_bytes = 0, .on_commit = {}});
  if (!journal.ok()) return 3;
  auto table = JobTable::Open(*std::move(journal), {.max_queued_jobs = 1000});
  if (!table.ok()) return 4;
  JobRunnerOptions options;
  options.worker_path = worker;
  options.data_dir = data_dir;
  options.slots = static_cast<uint32_t>(slots);
  options.max_resumes = 100;
  JobRunner runner(**table, options);
  if (!runner.Start().ok()) return 5;
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    v1::SubmitJobRequest request;
    request.set_request_id(absl::StrCat("r", i));
    auto& source = *request.mutable_spec()->mutable_prepare()->mutable_source();
    source.add_paths(absl::StrCat("steps=", steps));
    source.add_paths("result");
    const auto job = (*table)->Submit(request);
    if (!job.ok()) return 6;
    names.push_back(job->name());
    std::printf("ack r%d %s\n", i, names.back().c_str());
    std::fflush(stdout);
  }
  for (const std::string& name : names) {
    if (!WaitUntilSucceeded(**table, name)) return 7;
  }
  std::printf("done\n");
  std::fflush(stdout);
  return 0;
}

}  // namespace
}  // namespace clm

int main(int argc, char** argv) {
  int count = 0;
  int slots = 0;
  int steps = 0;
  if (argc != 6 || !absl::SimpleAtoi(argv[3], &count) || !absl::SimpleAtoi(argv[4], &slots) ||
      !absl::SimpleAtoi(argv[5], &steps)) {
    return 2;
  }
  return clm::Run(argv[1], argv[2], count, slots, steps);
}
