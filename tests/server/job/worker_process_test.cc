#include "server/job/worker_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class WorkerProcessTest : public ::testing::Test {
 protected:
  // A shell script as worker; the event pipe is descriptor 3.
  WorkerCommand Script(const std::string& script) {
    WorkerCommand command;
    command.program = "/bin/sh";
    command.arguments = {"-c", script};
    command.directory = directory_.path();
    return command;
  }

  struct Outcome {
    std::string events;
    std::string log;
    WorkerExit exit;
  };
  static Outcome Finish(WorkerProcess& worker) {
    Outcome outcome;
    while (worker.Read(absl::Seconds(10), outcome.events, outcome.log)) {
    }
    outcome.exit = worker.Wait();
    return outcome;
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(WorkerProcessTest, EventsLogAndStatusComeApart) {
  ASSERT_OK_AND_ASSIGN(WorkerProcess worker,
                       WorkerProcess::Start(Script("echo event >&3; echo out; echo err >&2; exit 7")));
  const Outcome outcome = Finish(worker);
  EXPECT_EQ(outcome.events, "event\n");
  EXPECT_EQ(outcome.log, "out\nerr\n");
  EXPECT_EQ(outcome.exit.status, 7);
  EXPECT_EQ(outcome.exit.signal, 0);
}

TEST_F(WorkerProcessTest, LargeOutputIsReadToTheEnd) {
  ASSERT_OK_AND_ASSIGN(WorkerProcess worker,
                       WorkerProcess::Start(Script("head -c 3000000 /dev/zero >&3; head -c 2000000 /dev/zero")));
  const Outcome outcome = Finish(worker);
  EXPECT_EQ(outcome.events.size(), 3000000u);
  EXPECT_EQ(outcome.log.size(), 2000000u);
}

TEST_F(WorkerProcessTest, SignalIsReported) {
  ASSERT_OK_AND_ASSIGN(WorkerProcess worker, WorkerProcess::Start(Script("kill -SEGV $$")));
  EXPECT_EQ(Finish(worker).exit.signal, SIGSEGV);
}

TEST_F(WorkerProcessTest, SignalReachesChildrenOfTheWorkerToo) {
  ASSERT_OK_AND_ASSIGN(WorkerProcess worker, WorkerProcess::Start(Script("cat /dev/zero >/dev/null & wait")));
  worker.Signal(SIGTERM);
  EXPECT_EQ(Finish(worker).exit.signal, SIGTERM);
}

TEST_F(WorkerProcessTest, ChildrenLeftBehindDoNotKeepThePipesOpen) {
  ASSERT_OK_AND_ASSIGN(WorkerProcess worker, WorkerProcess::Start(Script("tail -f /dev/null & echo done")));
  const Outcome outcome = Finish(worker);
  EXPECT_EQ(outcome.log, "done\n");
  EXPECT_EQ(outcome.exit.status, 0);
}

TEST_F(WorkerProcessTest, ProgramThatCannotBeRunEndsWith127AndALine) {
  WorkerCommand command = Script("");
  command.program = "/nowhere/clm_worker";
  ASSERT_OK_AND_ASSIGN(WorkerProcess worker, WorkerProcess::Start(command));
  const Outcome outcome = Finish(worker);
  EXPECT_EQ(outcome.exit.status, 127);
  EXPECT_THAT(outcome.log, HasSubstr("/nowhere/clm_worker"));
}

TEST_F(WorkerProcessTest, WorkerInheritsNothingButItsPipesAndItsLock) {
  ASSERT_OK_AND_ASSIGN(WorkerProcess worker, WorkerProcess::Start(Script("ls /proc/self/fd")));
  // 0 to 4, and the one that ls reads the folder through.
  EXPECT_EQ(Finish(worker).log, "0\n1\n2\n3\n4\n5\n");
}

TEST_F(WorkerProcessTest, SecondAttemptWaitsForTheFirst) {
  ASSERT_OK_AND_ASSIGN(WorkerProcess first, WorkerProcess::Start(Script("tail -f /dev/null")));
  WorkerCommand second = Script("exit 0");
  second.lock_timeout = absl::Milliseconds(20);
  EXPECT_THAT(WorkerProcess::Start(second), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("LOCK")));
  first.Signal(SIGKILL);
  Finish(first);
  ASSERT_OK_AND_ASSIGN(WorkerProcess again, WorkerProcess::Start(second));
  EXPECT_EQ(Finish(again).exit.status, 0);
}

TEST_F(WorkerProcessTest, DestructionEndsTheWorker) {
  pid_t pid = 0;
  {
    ASSERT_OK_AND_ASSIGN(WorkerProcess worker, WorkerProcess::Start(Script("tail -f /dev/null")));
    pid = worker.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_NE(kill(pid, 0), 0);
}

}  // namespace
}  // namespace clm
