// clm_server as a process: what it prints, how signals end it.
#include "server/run_server.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clm/v1/job.grpc.pb.h"
#include "clm/v1/service.grpc.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/job/worker_process.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::testing::HasSubstr;

class ServerProcess {
 public:
  explicit ServerProcess(const std::vector<std::string>& arguments) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    std::vector<std::string> strings = {CLM_FAKE_SERVER};
    strings.insert(strings.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& text : strings) argv.push_back(text.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    out_ = OwnedFd(ends[0]);
  }
  ~ServerProcess() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  // Reads until `text` has come, or the output ends.
  bool WaitForOutput(const std::string& text) {
    char buffer[4096];
    while (output_.find(text) == std::string::npos) {
      const ssize_t count = read(out_.get(), buffer, sizeof(buffer));
      if (count <= 0) return false;
      output_.append(buffer, static_cast<size_t>(count));
    }
    return true;
  }
  // The rest of the output, then the exit status; -signal when a signal ended it.
  int Wait() {
    char buffer[4096];
    for (ssize_t count = 0; (count = read(out_.get(), buffer, sizeof(buffer))) > 0;) {
      output_.append(buffer, static_cast<size_t>(count));
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  void Signal(int signal) const { kill(pid_, signal); }
  const std::string& output() const { return output_; }

  // From "clm_server listening on ADDRESS, ...".
  std::string Address() const {
    const std::vector<std::string> words = absl::StrSplit(output_, absl::ByAnyChar(" ,\n"));
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == "on" && i > 0 && words[i - 1] == "listening") return words[i + 1];
    }
    return "";
  }

 private:
  pid_t pid_ = 0;
  OwnedFd out_;
  std::string output_;
};

class RunServerTest : public ::testing::Test {
 protected:
  std::vector<std::string> Arguments() const {
    return {"--data_dir=" + directory_.File("data"), "--listen_address=127.0.0.1:0",
            "--metrics_address=", absl::StrCat("--worker_path=", CLM_FAKE_WORKER), "--drain_seconds=20"};
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(RunServerTest, PrintsOneLineWhenReadyAndDrainsOnSigterm) {
  ServerProcess server(Arguments());
  ASSERT_TRUE(server.WaitForOutput("data in ")) << server.output();
  EXPECT_THAT(server.output(), HasSubstr("clm_server listening on 127.0.0.1:"));
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0) << server.output();
}

TEST_F(RunServerTest, SecondSignalEndsAtOnce) {
  ServerProcess server(Arguments());
  ASSERT_TRUE(server.WaitForOutput("data in ")) << server.output();
  const auto channel = grpc::CreateChannel(server.Address(), grpc::InsecureChannelCredentials());
  // An open stream that its client never ends would hold the drain for 20 s.
  const auto stub = v1::CompressionService::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = stub->Encode(&context);
  v1::EncodeRequest start;
  start.mutable_start()->mutable_representation()->set_kind("byte");
  stream->Write(start);
  v1::EncodeResponse header;
  ASSERT_TRUE(stream->Read(&header));
  server.Signal(SIGTERM);
  ASSERT_TRUE(server.WaitForOutput("draining")) << server.output();
  server.Signal(SIGINT);
  EXPECT_EQ(server.Wait(), 1) << server.output();
}

TEST_F(RunServerTest, AnswersAboutTheConfigurationWithoutStarting) {
  ServerProcess good({"--check_config"});
  EXPECT_EQ(good.Wait(), 0);
  EXPECT_THAT(good.output(), HasSubstr("good"));
  ServerProcess bad({"--check_config", "--max_running_jobs=0"});
  EXPECT_EQ(bad.Wait(), 2);
  EXPECT_THAT(bad.output(), HasSubstr("max_running_jobs: 0 is not in [1, 64]"));
  ServerProcess version({"--version"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_THAT(version.output(), HasSubstr("clm_server 0."));
}

TEST_F(RunServerTest, SecondProcessOnTheSameFolderIsRefused) {
  ServerProcess first(Arguments());
  ASSERT_TRUE(first.WaitForOutput("data in ")) << first.output();
  ServerProcess second(Arguments());
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_THAT(second.output(), HasSubstr(directory_.File("data")));
}

TEST_F(RunServerTest, KilledServerContinuesItsJobAtTheNextStart) {
  std::string name;
  {
    ServerProcess server(Arguments());
    ASSERT_TRUE(server.WaitForOutput("data in ")) << server.output();
    const auto channel = grpc::CreateChannel(server.Address(), grpc::InsecureChannelCredentials());
    v1::SubmitJobRequest request;
    request.mutable_spec()->mutable_prepare()->mutable_source()->add_paths("steps=100");
    request.mutable_spec()->mutable_prepare()->mutable_source()->add_paths("result");
    grpc::ClientContext context;
    v1::Job job;
    ASSERT_TRUE(v1::CompressionService::NewStub(channel)->Prepare(&context, request, &job).ok());
    name = job.name();
    server.Signal(SIGKILL);
    EXPECT_EQ(server.Wait(), -SIGKILL);
  }
  ServerProcess server(Arguments());
  ASSERT_TRUE(server.WaitForOutput("data in ")) << server.output();
  const auto channel = grpc::CreateChannel(server.Address(), grpc::InsecureChannelCredentials());
  const auto jobs = v1::JobService::NewStub(channel);
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_job(name);
  const auto events = jobs->WatchJob(&context, request);
  v1::JobEvent event;
  while (events->Read(&event)) {
  }
  EXPECT_EQ(event.job().state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(event.job().result().prepare().corpus(), "steps:100");
}

}  // namespace
}  // namespace clm
