#include "tests/integration/server_fixture.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/rng.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace clm::testing {
namespace {

constexpr int kDefaultKillRounds = 2;
constexpr absl::Duration kJobDeadline = absl::Seconds(120);
constexpr absl::Duration kPoll = absl::Milliseconds(5);
// What is shown of the server's log when a test failed.
constexpr size_t kShownLogBytes = 8000;

}  // namespace

int KillRounds() {
  const char* text = std::getenv("CLM_KILL_ROUNDS");
  int rounds = 0;
  return text != nullptr && absl::SimpleAtoi(text, &rounds) && rounds > 0 ? rounds : kDefaultKillRounds;
}

std::string MakeCorpus(int documents) {
  static constexpr const char* kWords[] = {"the",   "river", "runs",   "under", "an",        "old", "bridge", "where",
                                           "light", "falls", "slowly", "and",   "caf\u00e9", "is",  "open",   "again"};
  std::string corpus;
  for (int i = 0; i < documents; ++i) {
    CounterRng rng(1, "corpus", static_cast<uint64_t>(i));
    absl::StrAppend(&corpus, "{\"text\": \"Document ", i, ":");
    for (int word = 0; word < 25; ++word) absl::StrAppend(&corpus, " ", kWords[rng.NextBelow(std::size(kWords))]);
    absl::StrAppend(&corpus, ".\\n\"}\n");
  }
  return corpus;
}

std::string RandomBytes(size_t size) {
  CounterRng rng(2, "bytes", 0);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(rng.NextU32() & 0xff);
  return bytes;
}

bool IsFinal(const v1::Job& job) {
  return job.state() == v1::JOB_STATE_SUCCEEDED || job.state() == v1::JOB_STATE_FAILED ||
         job.state() == v1::JOB_STATE_CANCELLED;
}

std::vector<std::string> IntegrationTest::Arguments(const std::vector<std::string>& flags) const {
  std::vector<std::string> arguments = {"--data_dir=" + DataDir(), "--listen_address=127.0.0.1:0",
                                        "--metrics_address=", absl::StrCat("--worker_path=", CLM_WORKER_PROGRAM),
                                        "--device=cpu"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return arguments;
}

bool IntegrationTest::StartServer(const std::vector<std::string>& flags) {
  server_ = std::make_unique<ServerProcess>(Arguments(flags), LogPath());
  const std::string address = server_->WaitForAddress();
  if (address.empty()) return false;
  // A channel of its own: ports may come back, and a shared one would wait before it connects again.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Windows stay small, so that a caller that does not read stops the server soon.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  jobs_ = v1::JobService::NewStub(channel_);
  artifacts_ = v1::ArtifactService::NewStub(channel_);
  compression_ = v1::CompressionService::NewStub(channel_);
  models_ = v1::ModelService::NewStub(channel_);
  admin_ = v1::AdminService::NewStub(channel_);
  return true;
}

void IntegrationTest::KillServer() {
  server_->Signal(SIGKILL);
  EXPECT_EQ(server_->Wait(), -SIGKILL);
}

int IntegrationTest::DrainServer() {
  server_->Signal(SIGTERM);
  return server_->Wait();
}

void IntegrationTest::TearDown() {
  server_.reset();
  if (!HasFailure()) return;
  const std::string log = ReadFile(LogPath());
  const size_t begin = log.size() - std::min(log.size(), kShownLogBytes);
  std::fprintf(stderr, "---- end of the server's log\n%s----\n", log.c_str() + begin);
}

std::string IntegrationTest::ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool IntegrationTest::HasTorch() {
  v1::Capabilities capabilities;
  const grpc::Status status =
      Unary(*admin_, &v1::AdminService::Stub::GetCapabilities, v1::GetCapabilitiesRequest(), capabilities);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return !capabilities.libtorch_version().empty();
}

bool IntegrationTest::IsServing() {
  const auto stub = grpc::health::v1::Health::NewStub(channel_);
  const auto context = NewContext(/*seconds=*/20);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(context.get(), {}, &response);
  return status.ok() && response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
}

std::string IntegrationTest::UploadCorpus(int documents) {
  const std::string corpus = MakeCorpus(documents);
  v1::UploadArtifactRequest::Start start;
  start.set_upload_id("corpus-upload");
  start.set_file_name("corpus.jsonl");
  start.set_total_size_bytes(corpus.size());
  const UploadAnswer answer = Upload(*artifacts_, start, corpus);
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  return answer.artifact.name();
}

v1::SubmitJobRequest IntegrationTest::PrepareRequest(const std::string& blob, const std::string& request_id) const {
  v1::SubmitJobRequest request;
  request.set_request_id(request_id);
  v1::PrepareSpec& spec = *request.mutable_spec()->mutable_prepare();
  spec.mutable_source()->add_artifacts(blob);
  spec.mutable_split()->set_validation_per_10000(1500);
  spec.mutable_split()->set_selection_per_10000(1000);
  spec.mutable_tokenizer()->set_vocab_size(300);
  spec.mutable_universe()->set_nodes_per_layer(32);
  return request;
}

v1::SubmitJobRequest IntegrationTest::TrainRequest(const std::string& corpus, const std::string& representation,
                                                   int steps) const {
  v1::SubmitJobRequest request;
  v1::TrainSpec& spec = *request.mutable_spec()->mutable_train();
  spec.set_corpus(corpus);
  spec.set_representation(representation);
  spec.mutable_model()->set_hidden_size(16);
  spec.mutable_model()->set_layers(1);
  spec.mutable_model()->set_heads(2);
  spec.mutable_model()->set_intermediate_size(24);
  spec.mutable_model()->set_context(32);
  spec.set_bytes_per_step(1024);
  spec.set_total_bytes(uint64_t{1024} * static_cast<uint64_t>(steps));
  spec.set_device("cpu");
  // Often, so that a kill loses little, and progress is told soon.
  spec.set_checkpoint_every_steps(16);
  spec.set_eval_every_steps(8);
  spec.set_eval_bytes(512);
  return request;
}

grpc::Status IntegrationTest::TrySubmit(const v1::SubmitJobRequest& request, v1::Job& job) {
  using Stub = v1::CompressionService::Stub;
  if (request.spec().has_prepare()) return Unary(*compression_, &Stub::Prepare, request, job);
  if (request.spec().has_train()) return Unary(*compression_, &Stub::Train, request, job);
  return Unary(*compression_, &Stub::EvaluateBPB, request, job);
}

v1::Job IntegrationTest::Submit(const v1::SubmitJobRequest& request) {
  v1::Job job;
  const grpc::Status status = TrySubmit(request, job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return job;
}

v1::Job IntegrationTest::GetJob(const std::string& name) {
  v1::GetJobRequest request;
  request.set_job(name);
  v1::Job job;
  const grpc::Status status = Unary(*jobs_, &v1::JobService::Stub::GetJob, request, job);
  EXPECT_TRUE(status.ok()) << name << ": " << status.error_message();
  return job;
}

v1::Job IntegrationTest::WaitUntil(const std::string& name, const std::function<bool(const v1::Job&)>& done) {
  const absl::Time deadline = absl::Now() + kJobDeadline;
  v1::Job job = GetJob(name);
  while (!job.name().empty() && !IsFinal(job) && !done(job)) {
    if (absl::Now() > deadline) {
      ADD_FAILURE() << "the job takes too long: " << job.ShortDebugString();
      return job;
    }
    absl::SleepFor(kPoll);
    job = GetJob(name);
  }
  return job;
}

v1::Job IntegrationTest::Await(const std::string& name) {
  return WaitUntil(name, [](const v1::Job&) { return false; });
}

v1::Job IntegrationTest::Run(const v1::SubmitJobRequest& request) {
  const v1::Job job = Await(Submit(request).name());
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.ShortDebugString();
  return job;
}

v1::PrepareResult IntegrationTest::Prepare(int documents) {
  return Run(PrepareRequest(UploadCorpus(documents))).result().prepare();
}

}  // namespace clm::testing
