// What kill -9 leaves behind, of a worker and of the server: nothing acknowledged is lost, nothing runs twice at once,
// every unfinished job continues. CLM_KILL_ROUNDS sets how often (default 8).
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "core/base/file_io.h"
#include "core/base/log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/job/job_journal.h"
#include "server/job/worker_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

constexpr int kJobs = 4;
constexpr int kSlots = 2;
constexpr int kSteps = 30;

int Rounds() {
  int rounds = 8;
  if (const char* text = std::getenv("CLM_KILL_ROUNDS"); text != nullptr && !absl::SimpleAtoi(text, &rounds))
    rounds = 8;
  return rounds;
}

// A host process with its output read line by line.
class Host {
 public:
  explicit Host(const std::string& data_dir) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      execl(CLM_JOB_HOST, CLM_JOB_HOST, data_dir.c_str(), CLM_FAKE_WORKER, absl::StrCat(kJobs).c_str(),
            absl::StrCat(kSlots).c_str(), absl::StrCat(kSteps).c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    out_ = OwnedFd(ends[0]);
  }
  ~Host() { Kill(); }

  // Reads until the host ends or `deadline` passes; a full line "ack <request> <job>" is a promise.
  void Listen(absl::Time deadline) {
    fcntl(out_.get(), F_SETFL, O_NONBLOCK);
    char buffer[4096];
    while (absl::Now() < deadline) {
      const ssize_t count = read(out_.get(), buffer, sizeof(buffer));
      if (count == 0) return;
      if (count > 0) text_.append(buffer, static_cast<size_t>(count));
    }
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
    Listen(absl::InfiniteFuture());  // what was said before the end counts
  }
  // Waits for the end; whether everything succeeded.
  bool Finish() {
    fcntl(out_.get(), F_SETFL, 0);
    char buffer[4096];
    for (ssize_t count = 0; (count = read(out_.get(), buffer, sizeof(buffer))) > 0;) {
      text_.append(buffer, static_cast<size_t>(count));
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && text_.find("done\n") != std::string::npos;
  }

  std::map<std::string, std::string> Acknowledged() const {
    std::map<std::string, std::string> jobs;
    std::vector<std::string> lines = absl::StrSplit(text_, '\n');
    lines.pop_back();  // the unfinished one
    for (const std::string& line : lines) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      if (words.size() == 3 && words[0] == "ack") jobs[words[1]] = words[2];
    }
    return jobs;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  OwnedFd out_;
  std::string text_;
};

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override { SetLogLevel(LogLevel::kError); }

  static std::vector<JobRecord> Records(const std::string& data_dir) {
    auto journal = JobJournal::Open({.path = data_dir + "/journal.sqlite", .max_size_bytes = 0, .on_commit = {}});
    return journal.ok() ? (*journal)->Load().value() : std::vector<JobRecord>();
  }

  // Every job is there once, succeeded, and did each step once, in order.
  static void ExpectAllDone(const std::string& data_dir, const std::map<std::string, std::string>& acknowledged) {
    const std::vector<JobRecord> records = Records(data_dir);
    ASSERT_EQ(records.size(), static_cast<size_t>(kJobs));
    std::map<std::string, std::string> stored;
    for (const JobRecord& record : records) {
      stored[record.job.request_id()] = record.job.name();
      EXPECT_EQ(record.job.state(), v1::JOB_STATE_SUCCEEDED) << record.job.DebugString();
      EXPECT_EQ(record.job.result().prepare().corpus(), absl::StrCat("steps:", kSteps));
      std::string want;
      for (int i = 0; i < kSteps; ++i) absl::StrAppend(&want, "step ", i, "\n");
      EXPECT_EQ(ReadFile(PosixFileSystem(), absl::StrCat(data_dir, "/", record.job.name(), "/steps"), 1 << 20).value(),
                want);
    }
    for (const auto& [request, name] : acknowledged) EXPECT_EQ(stored[request], name) << request;
  }

  // Pids of workers that work below `data_dir`.
  static std::vector<pid_t> Workers(const std::string& data_dir) {
    std::vector<pid_t> pids;
    const std::vector<std::string> names = PosixFileSystem().List("/proc").value();
    for (const std::string& name : names) {
      pid_t pid = 0;
      if (!absl::SimpleAtoi(name, &pid)) continue;
      const auto arguments = ReadProcFile(absl::StrCat("/proc/", name, "/cmdline"));
      if (arguments.find(CLM_FAKE_WORKER) == 0 && arguments.find(data_dir) != std::string::npos) pids.push_back(pid);
    }
    return pids;
  }

  static std::string ReadProcFile(const std::string& path) {
    const OwnedFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char buffer[4096];
    const ssize_t count = file.open() ? read(file.get(), buffer, sizeof(buffer)) : 0;
    return count > 0 ? std::string(buffer, static_cast<size_t>(count)) : std::string();
  }

  std::mt19937 random_{20260301};
};

TEST_F(KillTest, ServerKilledAtRandomMomentsLosesNothing) {
  for (int round = 0; round < Rounds(); ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    const testing::TemporaryDirectory directory;
    std::map<std::string, std::string> acknowledged;
    for (int kill = 0; kill < 3; ++kill) {
      Host host(directory.path());
      host.Listen(absl::Now() + absl::Microseconds(random_() % 60'000));
      host.Kill();
      for (const auto& [request, name] : host.Acknowledged()) {
        const auto [known, fresh] = acknowledged.emplace(request, name);
        EXPECT_EQ(known->second, name) << request << " became another job";
      }
      const std::vector<JobRecord> records = Records(directory.path());
      EXPECT_GE(records.size(), acknowledged.size()) << "an acknowledged job is gone";
    }
    Host last(directory.path());
    ASSERT_TRUE(last.Finish());
    ExpectAllDone(directory.path(), acknowledged);
  }
}

TEST_F(KillTest, WorkersDieWithTheirServer) {
  const testing::TemporaryDirectory directory;
  Host host(directory.path());
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (Workers(directory.path()).empty() && absl::Now() < deadline) host.Listen(absl::Now() + absl::Milliseconds(1));
  ASSERT_FALSE(Workers(directory.path()).empty());
  host.Kill();
  while (!Workers(directory.path()).empty() && absl::Now() < deadline) {
  }
  EXPECT_TRUE(Workers(directory.path()).empty());
}

TEST_F(KillTest, WorkersKilledAtRandomMomentsContinue) {
  for (int round = 0; round < Rounds(); ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    const testing::TemporaryDirectory directory;
    Host host(directory.path());
    for (int killed = 0; killed < 4; ++killed) {
      host.Listen(absl::Now() + absl::Microseconds(random_() % 15'000));
      const std::vector<pid_t> workers = Workers(directory.path());
      if (!workers.empty()) kill(workers[random_() % workers.size()], SIGKILL);
    }
    ASSERT_TRUE(host.Finish());
    ExpectAllDone(directory.path(), host.Acknowledged());
  }
}

}  // namespace
}  // namespace clm
