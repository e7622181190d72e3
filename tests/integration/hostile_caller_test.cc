// Callers that are wrong, gone or malicious get an answer that says so, and nobody else notices.
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "tests/integration/server_fixture.h"

namespace clm::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class HostileCallerTest : public IntegrationTest {
 protected:
  // Every test ends with a server that serves.
  void TearDown() override {
    EXPECT_TRUE(IsServing());
    EXPECT_EQ(DrainServer(), 0);
    IntegrationTest::TearDown();
  }

  template <typename Stub, typename Request, typename Response>
  void ExpectRefused(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const Request& request) {
    Response response;
    const grpc::Status status = Unary(stub, method, request, response);
    EXPECT_THAT(status.error_code(), AnyOf(grpc::StatusCode::NOT_FOUND, grpc::StatusCode::INVALID_ARGUMENT))
        << Request::descriptor()->full_name() << " " << request.ShortDebugString().substr(0, 200) << ": "
        << status.error_message();
    EXPECT_LT(status.error_message().size(), 2000u) << "an answer must not repeat what a caller made up";
  }

  void ExpectJobCallsRefuse(const std::string& id) {
    using Stub = v1::JobService::Stub;
    v1::GetJobRequest get;
    get.set_job(id);
    ExpectRefused(*jobs_, &Stub::GetJob, get);
    v1::CancelJobRequest cancel;
    cancel.set_job(id);
    ExpectRefused(*jobs_, &Stub::CancelJob, cancel);
    v1::ResumeJobRequest resume;
    resume.set_job(id);
    ExpectRefused(*jobs_, &Stub::ResumeJob, resume);
    v1::DeleteJobRequest remove;
    remove.set_job(id);
    ExpectRefused(*jobs_, &Stub::DeleteJob, remove);
  }

  void ExpectArtifactCallsRefuse(const std::string& id) {
    using Stub = v1::ArtifactService::Stub;
    v1::GetUploadStatusRequest upload;
    upload.set_upload_id(id);
    ExpectRefused(*artifacts_, &Stub::GetUploadStatus, upload);
    v1::GetArtifactRequest get;
    get.set_artifact(id);
    ExpectRefused(*artifacts_, &Stub::GetArtifact, get);
    v1::DeleteArtifactRequest remove;
    remove.set_artifact(id);
    ExpectRefused(*artifacts_, &Stub::DeleteArtifact, remove);
    v1::PinArtifactRequest pin;
    pin.set_artifact(id);
    pin.set_label("mine");
    ExpectRefused(*artifacts_, &Stub::PinArtifact, pin);
    pin.set_remove(true);
    ExpectRefused(*artifacts_, &Stub::PinArtifact, pin);
  }

  void ExpectModelCallsRefuse(const std::string& id) {
    using Stub = v1::CompressionService::Stub;
    ExpectRefused(*compression_, &Stub::Prepare, PrepareRequest(id));
    ExpectRefused(*compression_, &Stub::Train, TrainRequest(id, "token", 1));
    v1::SubmitJobRequest evaluate;
    evaluate.mutable_spec()->mutable_evaluate()->set_checkpoint(id);
    ExpectRefused(*compression_, &Stub::EvaluateBPB, evaluate);
    v1::CompareRequest compare;
    compare.set_baseline(id);
    compare.set_candidate(id);
    ExpectRefused(*compression_, &Stub::Compare, compare);
    v1::LoadModelRequest load;
    load.set_checkpoint(id);
    ExpectRefused(*models_, &v1::ModelService::Stub::LoadModel, load);
    v1::UnloadModelRequest unload;
    unload.set_checkpoint(id);
    ExpectRefused(*models_, &v1::ModelService::Stub::UnloadModel, unload);
  }

  // Repeats the call that `ask` makes until a place is free for it; calls that ended may still hold theirs for a
  // moment.
  static grpc::Status OnceAdmitted(const std::function<grpc::Status()>& ask) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    grpc::Status status = ask();
    while (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(20));
      status = ask();
    }
    return status;
  }
};

TEST_F(HostileCallerTest, UnknownNamesAreRefusedByEveryCall) {
  ASSERT_TRUE(StartServer());
  const std::string zeros(64, '0');
  for (const std::string& id :
       {std::string(), std::string("no-such-thing"), zeros, "artifacts/checkpoint/" + zeros, "jobs/" + zeros,
        std::string("../../../../etc/passwd"), std::string("artifacts/blob/../../journal.sqlite"), std::string("%s%n"),
        std::string(1000, 'x')}) {
    ExpectJobCallsRefuse(id);
    ExpectArtifactCallsRefuse(id);
    ExpectModelCallsRefuse(id);
    v1::GenerateRequest generate;
    generate.set_checkpoint(id);
    EXPECT_THAT(Generate(*compression_, generate).status.error_code(),
                AnyOf(grpc::StatusCode::NOT_FOUND, grpc::StatusCode::INVALID_ARGUMENT));
  }
  v1::ListJobsRequest jobs;
  jobs.set_page_token("made-up");
  ExpectRefused(*jobs_, &v1::JobService::Stub::ListJobs, jobs);
  v1::ListArtifactsRequest artifacts;
  artifacts.set_page_token("made-up");
  ExpectRefused(*artifacts_, &v1::ArtifactService::Stub::ListArtifacts, artifacts);
}

// Trailing metadata has a limit too: an answer that repeats a long name would arrive as something else.
TEST_F(HostileCallerTest, LongTextIsRefusedWithAShortAnswer) {
  ASSERT_TRUE(StartServer());
  const std::string text(100'000, 'x');
  ExpectJobCallsRefuse(text);
  ExpectArtifactCallsRefuse(text);
  ExpectModelCallsRefuse(text);
  const std::string blob = UploadCorpus();
  const v1::PrepareResult prepared = Run(PrepareRequest(blob)).result().prepare();
  v1::PinArtifactRequest pin;
  pin.set_artifact(prepared.tokenizer());
  pin.set_label(text);
  ExpectRefused(*artifacts_, &v1::ArtifactService::Stub::PinArtifact, pin);
  using Stub = v1::CompressionService::Stub;
  v1::SubmitJobRequest prepare = PrepareRequest(blob);
  prepare.mutable_spec()->mutable_prepare()->mutable_universe()->set_strategy(text);
  ExpectRefused(*compression_, &Stub::Prepare, prepare);
  ExpectRefused(*compression_, &Stub::Prepare, PrepareRequest(blob, /*request_id=*/text));
  ExpectRefused(*compression_, &Stub::Train, TrainRequest(prepared.corpus(), text, 1));
  v1::SubmitJobRequest train = TrainRequest(prepared.corpus(), "token", 1);
  train.mutable_spec()->mutable_train()->set_device(text);
  ExpectRefused(*compression_, &Stub::Train, train);
  train = TrainRequest(prepared.corpus(), "token", 1);
  train.mutable_spec()->mutable_train()->mutable_optimizer()->set_schedule(text);
  ExpectRefused(*compression_, &Stub::Train, train);
  train = TrainRequest(prepared.corpus(), "token", 1);
  train.set_display_name(text);
  ExpectRefused(*compression_, &Stub::Train, train);
  v1::RepresentationRef ref;
  ref.set_kind(text);
  ref.set_artifact(prepared.tokenizer());
  EXPECT_EQ(Encode(*compression_, ref, "a").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(HostileCallerTest, EmptyInputIsAnEmptyFrameAndAnEmptyFrameIsDamage) {
  ASSERT_TRUE(StartServer());
  const CompressAnswer compressed = Compress(*compression_, "", 0);
  ASSERT_TRUE(compressed.status.ok()) << compressed.status.error_message();
  EXPECT_EQ(compressed.summary.blocks(), 0u);
  EXPECT_EQ(compressed.summary.bits_per_byte(), 0);
  const DecompressAnswer decompressed = Decompress(*compression_, compressed.frame);
  ASSERT_TRUE(decompressed.status.ok()) << decompressed.status.error_message();
  EXPECT_EQ(decompressed.data, "");
  const DecompressAnswer empty = Decompress(*compression_, "");
  EXPECT_EQ(empty.status.error_code(), grpc::StatusCode::DATA_LOSS) << empty.status.error_message();
}

TEST_F(HostileCallerTest, FlippedBitIsDataLossNamingTheBlock) {
  ASSERT_TRUE(StartServer());
  constexpr uint32_t kBlockBytes = 4096;
  CompressAnswer compressed = Compress(*compression_, RandomBytes(size_t{3} * kBlockBytes), kBlockBytes);
  ASSERT_TRUE(compressed.status.ok()) << compressed.status.error_message();
  ASSERT_EQ(compressed.summary.stored_blocks(), 3u);
  compressed.frame[compressed.frame.size() / 2] ^= 0x10;
  const DecompressAnswer damaged = Decompress(*compression_, compressed.frame);
  EXPECT_EQ(damaged.status.error_code(), grpc::StatusCode::DATA_LOSS) << damaged.status.error_message();
  EXPECT_THAT(damaged.status.error_message(), HasSubstr("frame block 1"));
  EXPECT_LE(damaged.data.size(), kBlockBytes) << "only the block before it was intact";
}

TEST_F(HostileCallerTest, UploadThatEndsBeforeItsLengthPublishesNothing) {
  ASSERT_TRUE(StartServer());
  v1::UploadArtifactRequest::Start start;
  start.set_upload_id("short-upload");
  start.set_total_size_bytes(uint64_t{1} << 30);
  const UploadAnswer answer = Upload(*artifacts_, start, RandomBytes(1000));
  EXPECT_THAT(answer.status.error_code(), AnyOf(grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::DATA_LOSS))
      << answer.status.error_message();
  v1::ListArtifactsResponse artifacts;
  const grpc::Status listed =
      Unary(*artifacts_, &v1::ArtifactService::Stub::ListArtifacts, v1::ListArtifactsRequest(), artifacts);
  ASSERT_TRUE(listed.ok()) << listed.error_message();
  EXPECT_EQ(artifacts.artifacts_size(), 0);
}

TEST_F(HostileCallerTest, MessageAboveTheLimitEndsOnlyItsCall) {
  ASSERT_TRUE(StartServer({"--max_message_bytes=65536"}));
  const std::string large(100'000, 'x');
  v1::GetJobRequest get;
  get.set_job(large);
  v1::Job job;
  EXPECT_EQ(Unary(*jobs_, &v1::JobService::Stub::GetJob, get, job).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  std::vector<v1::CompressRequest> requests(2);
  requests[0].mutable_start();
  requests[1].set_data(large);
  const auto context = NewContext();
  const auto stream = compression_->Compress(context.get());
  const grpc::Status status =
      Exchange<v1::CompressRequest, v1::CompressResponse>(*stream, requests, [](const v1::CompressResponse&) {});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_TRUE(Compress(*compression_, large, 0).status.ok()) << "the same bytes in pieces";
}

TEST_F(HostileCallerTest, CancelledCallsGiveTheirPlacesBack) {
  ASSERT_TRUE(StartServer());
  v1::CompressRequest start;
  start.mutable_start();
  v1::CompressRequest data;
  data.set_data(RandomBytes(size_t{1} << 20));
  // More than may run at the same time.
  for (int i = 0; i < 20; ++i) {
    const auto context = NewContext();
    const auto stream = compression_->Compress(context.get());
    stream->Write(start);
    if (i % 2 == 0) stream->Write(data);
    context->TryCancel();
    const grpc::Status status = stream->Finish();
    EXPECT_THAT(status.error_code(), AnyOf(grpc::StatusCode::CANCELLED, grpc::StatusCode::RESOURCE_EXHAUSTED))
        << status.error_message();
  }
  const grpc::Status status = OnceAdmitted([this] { return Compress(*compression_, "what comes after", 0).status; });
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(HostileCallerTest, CallerThatStopsReadingIsCut) {
  ASSERT_TRUE(StartServer({"--idle_timeout_seconds=1", "--max_concurrent_calls=1"}));
  v1::CompressRequest request;
  request.mutable_start()->set_block_size_bytes(65536);
  request.mutable_start()->set_verify(v1::VERIFY_MODE_NONE);
  const auto context = NewContext();
  const auto stream = compression_->Compress(context.get());
  ASSERT_TRUE(stream->Write(request));
  request.set_data(RandomBytes(size_t{256} << 10));
  const absl::Time begin = absl::Now();
  // Many times what the network holds back for a reader; the write that finds the call cut fails.
  bool open = true;
  for (int i = 0; open && i < 256; ++i) open = stream->Write(request);
  EXPECT_FALSE(open) << "the server took everything from a caller that reads nothing";
  v1::CompressResponse response;
  while (stream->Read(&response)) {
  }
  const grpc::Status status = stream->Finish();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(kCallSeconds / 2)) << "only the caller's own deadline ended it";
  EXPECT_THAT(status.error_code(), AnyOf(grpc::StatusCode::CANCELLED, grpc::StatusCode::DEADLINE_EXCEEDED))
      << status.error_message();
  const grpc::Status after = OnceAdmitted([this] { return Compress(*compression_, "what comes after", 0).status; });
  EXPECT_TRUE(after.ok()) << after.error_message();
}

TEST_F(HostileCallerTest, DamagedTokenizerIsDataLoss) {
  ASSERT_TRUE(StartServer());
  v1::RepresentationRef ref;
  ref.set_kind("token");
  ref.set_artifact(Prepare().tokenizer());
  EXPECT_EQ(DrainServer(), 0);
  const std::string path = absl::StrCat(DataDir(), "/", ref.artifact(), "/tokenizer.json");
  std::string content = ReadFile(path);
  ASSERT_GT(content.size(), 100u) << path;
  content[content.size() / 2] ^= 0x01;
  std::filesystem::permissions(path, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::ofstream(path, std::ios::binary) << content;
  ASSERT_TRUE(StartServer());
  const EncodeAnswer answer = Encode(*compression_, ref, "The river runs.");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::DATA_LOSS) << answer.status.error_message();
  EXPECT_THAT(answer.status.error_message(), HasSubstr("tokenizer.json"));
  EXPECT_EQ(answer.symbols, "");
}

}  // namespace
}  // namespace clm::testing
