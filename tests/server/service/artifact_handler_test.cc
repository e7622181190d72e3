#include "server/service/artifact_handler.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/service/chunks.h"
#include "server/service/error_detail.h"
#include "tests/server/service/message_streams.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::FakeReader;
using ::clm::testing::FakeWriter;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class ArtifactHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    handler_.reset();
    uploads_.reset();
    store_.reset();
    ASSERT_OK_AND_ASSIGN(
        store_, ArtifactStore::Open(PosixFileSystem(), directory_.File("store"), SystemClock(), {.sweep = true}));
    UploadLimits limits;
    limits.max_size_bytes = 8 << 20;
    ASSERT_OK_AND_ASSIGN(uploads_, UploadSessions::Open(*store_, limits));
    JobJournalOptions journal_options;
    journal_options.path = directory_.File("journal.sqlite");
    jobs_.reset();
    ASSERT_OK_AND_ASSIGN(auto journal, JobJournal::Open(journal_options));
    ASSERT_OK_AND_ASSIGN(jobs_, JobTable::Open(std::move(journal), {}));
    handler_ = std::make_unique<ArtifactHandler>(*store_, *uploads_, *jobs_, metrics_);
  }

  using Requests = std::deque<v1::UploadArtifactRequest>;

  static v1::UploadArtifactRequest Start(uint64_t total = 0) {
    v1::UploadArtifactRequest request;
    request.mutable_start()->set_upload_id("upload-1");
    request.mutable_start()->set_total_size_bytes(total);
    return request;
  }
  static v1::UploadArtifactRequest Data(uint64_t offset, const std::string& data) {
    v1::UploadArtifactRequest request;
    request.set_offset_bytes(offset);
    request.set_data(data);
    return request;
  }
  static v1::UploadArtifactRequest Finish(const std::string& content) {
    v1::UploadArtifactRequest request;
    request.mutable_finish()->set_sha256(Sha256Hex(content));
    return request;
  }
  absl::StatusOr<v1::UploadArtifactResponse> Upload(Requests requests, absl::Status end = absl::OkStatus()) {
    FakeReader<v1::UploadArtifactRequest> reader(std::move(requests), std::move(end));
    return handler_->Upload(Call("m", "id"), reader);
  }
  v1::Artifact UploadWhole(const std::string& content) {
    Requests requests = {Start()};
    for (size_t position = 0; position < content.size(); position += kMaxChunkInBytes) {
      requests.push_back(Data(position, content.substr(position, kMaxChunkInBytes)));
    }
    requests.push_back(Finish(content));
    return Upload(std::move(requests)).value().artifact();
  }
  absl::StatusOr<uint64_t> Committed() {
    v1::GetUploadStatusRequest request;
    request.set_upload_id("upload-1");
    const auto status = handler_->UploadStatus(request);
    if (!status.ok()) return status.status();
    return status->committed_size_bytes();
  }

  absl::Status Download(const std::string& artifact, uint64_t offset = 0) {
    v1::DownloadArtifactRequest request;
    request.set_artifact(artifact);
    request.set_offset_bytes(offset);
    downloaded_.messages.clear();
    return handler_->Download(Call("m", "id"), request, downloaded_);
  }
  std::string DownloadedBytes() const {
    std::string bytes;
    for (const auto& message : downloaded_.messages) bytes += message.data();
    return bytes;
  }

  testing::TemporaryDirectory directory_;
  Metrics metrics_;
  std::unique_ptr<ArtifactStore> store_;
  std::unique_ptr<UploadSessions> uploads_;
  std::unique_ptr<JobTable> jobs_;
  std::unique_ptr<ArtifactHandler> handler_;
  FakeWriter<v1::DownloadArtifactResponse> downloaded_;
};

TEST_F(ArtifactHandlerTest, UploadedFileComesBack) {
  std::string content(3 << 20, 'x');
  for (size_t i = 0; i < content.size(); i += 1000) content[i] = static_cast<char>(i);
  const v1::Artifact artifact = UploadWhole(content);
  EXPECT_EQ(artifact.kind(), v1::ARTIFACT_KIND_BLOB);
  ASSERT_EQ(artifact.files_size(), 1);
  EXPECT_EQ(artifact.files(0).name(), "data");
  EXPECT_EQ(artifact.files(0).sha256(), Sha256Hex(content));
  EXPECT_EQ(artifact.total_size_bytes(), content.size());
  ASSERT_OK(Download(artifact.name()));
  EXPECT_EQ(DownloadedBytes(), content);
  EXPECT_EQ(downloaded_.messages[0].file().sha256(), Sha256Hex(content));
  for (const auto& message : downloaded_.messages) EXPECT_LE(message.data().size(), kMaxChunkOutBytes);
  ASSERT_OK(Download(artifact.name(), content.size() - 5));
  EXPECT_EQ(DownloadedBytes(), content.substr(content.size() - 5));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_artifact_bytes{kind=\"blob\"} 3145728"));
}

TEST_F(ArtifactHandlerTest, BrokenUploadGoesOnWhereItWas) {
  EXPECT_THAT(Upload({Start(), Data(0, "hello ")}, absl::CancelledError("gone")),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Committed().value(), 6u);
  Open();
  EXPECT_EQ(Committed().value(), 6u);
  ASSERT_OK_AND_ASSIGN(const auto response, Upload({Start(), Data(6, "world"), Finish("hello world")}));
  ASSERT_OK(Download(response.artifact().name()));
  EXPECT_EQ(DownloadedBytes(), "hello world");
  EXPECT_THAT(Committed(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ArtifactHandlerTest, StreamWithoutFinishKeepsTheUpload) {
  const absl::Status status = Upload({Start(1 << 30 >> 8), Data(0, std::string(1000, 'x'))}).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1000 bytes")));
  EXPECT_EQ(ReasonOf(status), "UPLOAD_UNFINISHED");
  EXPECT_EQ(Committed().value(), 1000u);
}

TEST_F(ArtifactHandlerTest, SizesThatDisagreeAreRefused) {
  EXPECT_THAT(Upload({Start(8 << 20), Data(0, "short"), Finish("short")}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Upload({Start(uint64_t{1} << 30)}), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Upload({Start(), Data(99, "x")}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("99")));
  EXPECT_THAT(Upload({Start(), Data(5, std::string(kMaxChunkInBytes + 1, 'x'))}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1048577")));
}

TEST_F(ArtifactHandlerTest, FileLongerThanTheLimitIsRefusedThoughNothingWasDeclared) {
  Requests requests = {Start()};
  for (uint64_t i = 0; i < 9; ++i) requests.push_back(Data(i << 20, std::string(kMaxChunkInBytes, 'x')));
  EXPECT_THAT(Upload(std::move(requests)), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(ArtifactHandlerTest, WrongDigestDropsTheUpload) {
  EXPECT_THAT(Upload({Start(), Data(0, "hello"), Finish("other")}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Committed(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ArtifactHandlerTest, BreaksOfTheUploadProtocolAreNamed) {
  EXPECT_THAT(Upload({}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start")));
  EXPECT_THAT(Upload({Data(0, "x")}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start")));
  EXPECT_THAT(Upload({Start(), Start()}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start")));
  v1::UploadArtifactRequest start = Start();
  start.mutable_start()->set_upload_id("short");
  EXPECT_THAT(Upload({start}), StatusIs(absl::StatusCode::kInvalidArgument));
  start = Start();
  start.mutable_start()->set_file_name("../escape");
  EXPECT_THAT(Upload({start}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("escape")));
  start = Start();
  for (int i = 0; i < 17; ++i) (*start.mutable_start()->mutable_attributes())[absl::StrCat(i)] = "v";
  EXPECT_THAT(Upload({start}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("attributes")));
  start = Start();
  (*start.mutable_start()->mutable_attributes())["k"] = std::string(1024, 'v');
  EXPECT_THAT(Upload({start}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1025")));
}

TEST_F(ArtifactHandlerTest, DownloadErrorsAreToldApart) {
  const v1::Artifact artifact = UploadWhole("hello");
  EXPECT_THAT(Download("0123456789abcdef"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Download("xyz"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Download(artifact.name(), 6), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("6")));
  EXPECT_OK(Download(artifact.name(), 5));
  v1::DownloadArtifactRequest request;
  request.set_artifact(artifact.name());
  request.set_file_name("other");
  EXPECT_THAT(handler_->Download(Call("m", "id"), request, downloaded_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("other")));
}

TEST_F(ArtifactHandlerTest, DamagedFileIsDataLossAlsoAfterItWasGoodOnce) {
  const v1::Artifact artifact = UploadWhole("hello");
  ASSERT_OK(Download(artifact.name()));
  const std::string path = store_->Path(store_->Resolve(artifact.name()).value(), "data").value();
  std::ofstream(path) << "jello";
  EXPECT_THAT(Download(artifact.name()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("data")));
  Open();
  EXPECT_THAT(Download(artifact.name()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ArtifactHandlerTest, ArtifactsAreListedDescribedPinnedAndDeleted) {
  const v1::Artifact first = UploadWhole("one");
  UploadWhole("two");
  v1::ListArtifactsRequest list;
  list.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(v1::ListArtifactsResponse page, handler_->List(list));
  EXPECT_EQ(page.artifacts_size(), 1);
  list.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(page, handler_->List(list));
  EXPECT_EQ(page.artifacts_size(), 1);
  EXPECT_EQ(page.next_page_token(), "");
  list = {};
  list.set_kind(v1::ARTIFACT_KIND_CORPUS);
  EXPECT_EQ(handler_->List(list)->artifacts_size(), 0);
  list.set_kind(static_cast<v1::ArtifactKind>(11));
  EXPECT_THAT(handler_->List(list), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("kind")));

  v1::PinArtifactRequest pin;
  pin.set_artifact(first.name());
  pin.set_label("keep");
  EXPECT_THAT(handler_->Pin(pin)->pins(), ::testing::ElementsAre("keep"));
  v1::DeleteArtifactRequest remove;
  remove.set_artifact(first.name());
  EXPECT_THAT(handler_->Delete(remove), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("keep")));
  pin.set_remove(true);
  EXPECT_EQ(handler_->Pin(pin)->pins_size(), 0);
  EXPECT_GE(handler_->Delete(remove)->freed_bytes(), 3u);
  EXPECT_THAT(handler_->Get(first.name()), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ArtifactHandlerTest, InputsOfUnfinishedJobsStay) {
  const v1::Artifact input = UploadWhole("read by a job");
  const v1::Artifact other = UploadWhole("read by nobody");
  v1::SubmitJobRequest request;
  // As people name artifacts: by the first digits.
  request.mutable_spec()->mutable_prepare()->mutable_source()->add_artifacts(
      input.name().substr(input.name().rfind('/') + 1, 10));
  ASSERT_OK_AND_ASSIGN(const v1::Job job, jobs_->Submit(request));
  v1::DeleteArtifactRequest remove;
  remove.set_artifact(input.name());
  const absl::Status refused = handler_->Delete(remove).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(job.name())));
  EXPECT_EQ(ReasonOf(refused), "ARTIFACT_IN_USE");
  ASSERT_OK(jobs_->Claim());
  EXPECT_THAT(handler_->Delete(remove), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is running")));
  Open();  // the same after a restart
  EXPECT_THAT(handler_->Delete(remove), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(job.name())));
  remove.set_artifact(other.name());
  EXPECT_OK(handler_->Delete(remove));
  ASSERT_OK(jobs_->Cancel(job.name()));
  remove.set_artifact(input.name());
  EXPECT_OK(handler_->Delete(remove));
}

}  // namespace
}  // namespace clm
