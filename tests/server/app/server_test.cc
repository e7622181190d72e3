#include "server/server.h"

#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "clm/v1/artifact.grpc.pb.h"
#include "clm/v1/job.grpc.pb.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/log.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "server/config/config.h"
#include "tests/server/service/fake_operations.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kError);
    config_ = DefaultConfig();
    config_.set_data_dir(directory_.File("data"));
    config_.set_listen_address("127.0.0.1:0");
    config_.clear_metrics_address();
    config_.set_worker_path(CLM_FAKE_WORKER);
    config_.set_drain_seconds(5);
    parts_.make_operations = [](const v1::ServerConfig&, ArtifactStore&,
                                Metrics&) -> absl::StatusOr<std::unique_ptr<Operations>> {
      return std::make_unique<testing::FakeOperations>();
    };
    parts_.make_spec_check = [](const v1::ServerConfig&, ArtifactStore&) -> JobSpecCheck {
      return [](const v1::JobSpec&) { return absl::OkStatus(); };
    };
  }

  void Start() {
    server_.reset();
    ASSERT_OK_AND_ASSIGN(server_, Server::Start(config_, parts_));
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    jobs_ = v1::JobService::NewStub(channel_);
    compression_ = v1::CompressionService::NewStub(channel_);
  }

  v1::Job Submit(const std::vector<std::string>& words) {
    v1::SubmitJobRequest request;
    for (const std::string& word : words) request.mutable_spec()->mutable_prepare()->mutable_source()->add_paths(word);
    grpc::ClientContext context;
    v1::Job job;
    const grpc::Status status = compression_->Prepare(&context, request, &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job;
  }
  // The job after its watch ended, and the status of the watch.
  std::pair<v1::Job, grpc::Status> Watch(const std::string& name) {
    grpc::ClientContext context;
    v1::WatchJobRequest request;
    request.set_job(name);
    const auto reader = jobs_->WatchJob(&context, request);
    v1::JobEvent event;
    v1::Job last;
    while (reader->Read(&event)) last = event.job();
    return {last, reader->Finish()};
  }
  grpc::health::v1::HealthCheckResponse::ServingStatus Health(const std::string& service) {
    const auto stub = grpc::health::v1::Health::NewStub(channel_);
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse response;
    const grpc::Status status = stub->Check(&context, request, &response);
    return status.ok() ? response.status() : grpc::health::v1::HealthCheckResponse::SERVICE_UNKNOWN;
  }

  testing::TemporaryDirectory directory_;
  v1::ServerConfig config_;
  ServerParts parts_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::CompressionService::Stub> compression_;
};

TEST_F(ServerTest, JobGoesFromSubmissionToSuccess) {
  Start();
  const v1::Job job = Submit({"steps=3", "result"});
  EXPECT_EQ(job.state(), v1::JOB_STATE_QUEUED);
  const auto [last, status] = Watch(job.name());
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(last.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(last.result().prepare().corpus(), "steps:3");
}

TEST_F(ServerTest, MetricsEndpointIsThereWhenAskedFor) {
  Start();
  EXPECT_EQ(server_->metrics_port(), 0);
  server_.reset();
  config_.set_metrics_address("127.0.0.1:0");
  Start();
  EXPECT_GT(server_->metrics_port(), 0);
}

TEST_F(ServerTest, HealthHasOneNamePerService) {
  Start();
  using Response = grpc::health::v1::HealthCheckResponse;
  for (const char* name : {"", "liveness", "clm.v1.CompressionService", "clm.v1.JobService", "clm.v1.ArtifactService",
                           "clm.v1.ModelService", "clm.v1.AdminService"}) {
    EXPECT_EQ(Health(name), Response::SERVING) << name;
  }
  EXPECT_EQ(Health("no.such.Service"), Response::SERVICE_UNKNOWN);
}

TEST_F(ServerTest, CapabilitiesTellTheLimits) {
  config_.set_max_queued_jobs(7);
  Start();
  const auto admin = v1::AdminService::NewStub(channel_);
  grpc::ClientContext context;
  v1::Capabilities capabilities;
  ASSERT_TRUE(admin->GetCapabilities(&context, {}, &capabilities).ok());
  EXPECT_EQ(capabilities.max_queued_jobs(), 7u);
  EXPECT_EQ(capabilities.max_prompt_bytes(), 1048576u);
  EXPECT_THAT(capabilities.representations(), ::testing::ElementsAre("byte"));
  EXPECT_GE(capabilities.processors(), 1u);
  EXPECT_NE(capabilities.version(), "");
}

TEST_F(ServerTest, SecondServerOnTheSameFolderIsRefusedByName) {
  Start();
  EXPECT_THAT(Server::Start(config_, parts_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(config_.data_dir())));
  EXPECT_EQ(Health(""), grpc::health::v1::HealthCheckResponse::SERVING) << "the first one goes on";
}

TEST_F(ServerTest, PortThatIsTakenIsNamed) {
  Start();
  v1::ServerConfig other = config_;
  other.set_data_dir(directory_.File("other"));
  other.set_listen_address(server_->address());
  EXPECT_THAT(Server::Start(other, parts_), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(server_->address())));
}

TEST_F(ServerTest, MissingWorkerIsSaidAtOnce) {
  config_.set_worker_path("/nowhere/clm_worker");
  EXPECT_THAT(Server::Start(config_, parts_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("/nowhere/clm_worker")));
}

TEST_F(ServerTest, NothingIsWrittenOutsideTheDataFolder) {
  Start();
  Watch(Submit({"steps=1", "result"}).name());
  server_.reset();
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    names.insert(entry.path().filename().string());
  }
  EXPECT_EQ(names, std::set<std::string>{"data"});
  names.clear();
  for (const auto& entry : std::filesystem::directory_iterator(config_.data_dir())) {
    names.insert(entry.path().filename().string());
  }
  EXPECT_EQ(names, (std::set<std::string>{"LOCK", "artifacts", "jobs", "journal.sqlite"}));
}

TEST_F(ServerTest, DrainEndsWatchesQueuesJobsAgainAndTheNextServerFinishesThem) {
  Start();
  const v1::Job job = Submit({"steps=300", "result"});
  std::pair<v1::Job, grpc::Status> watched;
  std::thread watcher([&] { watched = Watch(job.name()); });
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_job(job.name());
  const auto running = jobs_->WatchJob(&context, request);
  v1::JobEvent event;
  while (running->Read(&event) && !event.job().has_progress()) {
  }
  server_->Drain();
  watcher.join();
  EXPECT_EQ(watched.second.error_code(), grpc::StatusCode::UNAVAILABLE) << watched.second.error_message();
  Start();
  const auto [last, status] = Watch(job.name());
  EXPECT_EQ(last.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(last.result().prepare().corpus(), "steps:300");
}

TEST_F(ServerTest, FullQueueIsRefusedWithPushback) {
  config_.set_max_queued_jobs(1);
  Start();
  const v1::Job running = Submit({"wait"});
  grpc::ClientContext watch_context;
  v1::WatchJobRequest watch;
  watch.set_job(running.name());
  const auto events = jobs_->WatchJob(&watch_context, watch);
  v1::JobEvent event;
  while (events->Read(&event) && event.job().state() != v1::JOB_STATE_RUNNING) {
  }
  Submit({"wait"});
  v1::SubmitJobRequest request;
  request.mutable_spec()->mutable_prepare();
  grpc::ClientContext context;
  v1::Job job;
  EXPECT_EQ(compression_->Prepare(&context, request, &job).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1u);
}

TEST_F(ServerTest, FrameThatClaimsAGibibyteIsRefusedAndTheServerGoesOn) {
  Start();
  const auto artifacts = v1::ArtifactService::NewStub(channel_);
  grpc::ClientContext context;
  v1::UploadArtifactResponse response;
  const auto writer = artifacts->UploadArtifact(&context, &response);
  v1::UploadArtifactRequest request;
  request.mutable_start()->set_upload_id("upload-1");
  request.mutable_start()->set_total_size_bytes(uint64_t{1} << 30);
  writer->Write(request);
  request.set_data(std::string(1000, 'x'));
  writer->Write(request);
  request.mutable_finish()->set_sha256(std::string(64, '0'));
  writer->Write(request);
  writer->WritesDone();
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Health(""), grpc::health::v1::HealthCheckResponse::SERVING);
}

}  // namespace
}  // namespace clm
