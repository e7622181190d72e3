// IntegrationTest: a server of one's own on a fresh data folder, with stubs, small documents and small jobs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/integration/calls.h"
#include "tests/integration/server_process.h"
#include "tests/testing/temporary_directory.h"

namespace clm::testing {

// How often the tests that kill processes do so: CLM_KILL_ROUNDS, 2 when it is not set.
int KillRounds();

// `documents` JSONL lines of some 150 bytes of text, all different.
std::string MakeCorpus(int documents);

// `size` bytes that no coder makes smaller.
std::string RandomBytes(size_t size);

bool IsFinal(const v1::Job& job);

class IntegrationTest : public ::testing::Test {
 protected:
  // Starts a server and connects to it; `flags` come after those that every test needs. Whether it listens.
  [[nodiscard]] bool StartServer(const std::vector<std::string>& flags = {});
  // SIGKILL, as a crash or the kernel's memory killer would do it.
  void KillServer();
  // SIGTERM; the exit status (ServerProcess::Wait).
  int DrainServer();
  void TearDown() override;  // shows the server's log when the test failed

  std::vector<std::string> Arguments(const std::vector<std::string>& flags) const;
  std::string DataDir() const { return directory_.File("data"); }
  std::string LogPath() const { return directory_.File("server.log"); }
  static std::string ReadFile(const std::string& path);

  bool HasTorch();
  // Whether the health service says SERVING.
  bool IsServing();

  // Name of the blob with MakeCorpus(documents).
  std::string UploadCorpus(int documents = 300);
  v1::SubmitJobRequest PrepareRequest(const std::string& blob, const std::string& request_id = "") const;
  // A tiny model; each step reads 1 KiB.
  v1::SubmitJobRequest TrainRequest(const std::string& corpus, const std::string& representation, int steps) const;

  // The call that fits the task.
  grpc::Status TrySubmit(const v1::SubmitJobRequest& request, v1::Job& job);
  v1::Job Submit(const v1::SubmitJobRequest& request);
  v1::Job GetJob(const std::string& name);
  // Waits for a state of the job that `done` accepts, or for its end.
  v1::Job WaitUntil(const std::string& name, const std::function<bool(const v1::Job&)>& done);
  // Waits for the end.
  v1::Job Await(const std::string& name);
  // Submits and waits; the job must succeed.
  v1::Job Run(const v1::SubmitJobRequest& request);
  // Uploads and prepares the corpus.
  v1::PrepareResult Prepare(int documents = 300);

  TemporaryDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::ArtifactService::Stub> artifacts_;
  std::unique_ptr<v1::CompressionService::Stub> compression_;
  std::unique_ptr<v1::ModelService::Stub> models_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

}  // namespace clm::testing
