#include "core/artifact/upload_session.h"

#include <cctype>
#include <memory>
#include <string>
#include <vector>

#include "core/base/digest.h"
#include "core/base/fault_file_system.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::MemoryFolder;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using CrashKind = FaultFileSystem::CrashKind;

constexpr char kUpload[] = "upload-1";

class UploadSessionTest : public ::testing::Test {
 protected:
  UploadSessionTest() { Reopen(); }

  void Reopen() {
    uploads_.reset();
    store_ = ArtifactStore::Open(files_, folder_.File("store"), clock_, {.sweep = true}).value();
    uploads_ = UploadSessions::Open(*store_, {.max_size_bytes = 100, .max_uploads = 3}).value();
  }
  std::string ReadBlob(const ArtifactId& id, absl::string_view name) {
    return ReadFile(files_, store_->Path(id, name).value(), 1000).value();
  }

  TemporaryDirectory folder_{MemoryFolder()};
  FakeClock clock_;
  FaultFileSystem files_{PosixFileSystem(), folder_.path()};
  std::unique_ptr<ArtifactStore> store_;
  std::unique_ptr<UploadSessions> uploads_;
};

TEST_F(UploadSessionTest, PiecesBecomeABlob) {
  ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(kUpload, 11));
  EXPECT_OK(session->WriteAt(0, "hello "));
  EXPECT_OK(session->WriteAt(6, "world"));
  EXPECT_EQ(session->committed_size_bytes(), 11u);
  FinishUploadOptions finish{.sha256 = Sha256Hex("hello world"), .file_name = "greeting.txt"};
  finish.attributes = {{"source", "test"}};
  ASSERT_OK_AND_ASSIGN(const ArtifactId id, session->Finish(finish));
  EXPECT_EQ(id.kind(), ArtifactKind::kBlob);
  EXPECT_EQ(ReadBlob(id, "greeting.txt"), "hello world");
  EXPECT_EQ((*store_->Get(id))->attributes.at("source"), "test");
  EXPECT_THAT(uploads_->CommittedSize(kUpload), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(session->WriteAt(11, "!"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(session->Finish(finish), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(UploadSessionTest, TheSameFileTwiceIsOneBlob) {
  std::vector<ArtifactId> ids;
  for (const char* name : {"upload-1", "upload-2"}) {
    ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(name, 0));
    ASSERT_OK(session->WriteAt(0, "same"));
    ASSERT_OK_AND_ASSIGN(ids.emplace_back(), session->Finish({.sha256 = Sha256Hex("same")}));
  }
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(store_->List({})->artifacts.size(), 1u);
}

TEST_F(UploadSessionTest, AnEmptyFileIsAFile) {
  ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(kUpload, 0));
  ASSERT_OK_AND_ASSIGN(const ArtifactId id, session->Finish({.sha256 = Sha256Hex("")}));
  EXPECT_EQ(ReadBlob(id, "data"), "");
}

TEST_F(UploadSessionTest, GoesOnAfterARestart) {
  ASSERT_OK((*uploads_->Begin(kUpload, 0))->WriteAt(0, "first "));
  Reopen();
  EXPECT_EQ(*uploads_->CommittedSize(kUpload), 6u);
  ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(kUpload, 0));
  EXPECT_EQ(session->committed_size_bytes(), 6u);
  EXPECT_OK(session->WriteAt(6, "second"));
  ASSERT_OK_AND_ASSIGN(const ArtifactId id, session->Finish({.sha256 = Sha256Hex("first second")}));
  EXPECT_EQ(ReadBlob(id, "data"), "first second");
}

TEST_F(UploadSessionTest, OffsetMustBeTheCommittedSize) {
  ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(kUpload, 0));
  ASSERT_OK(session->WriteAt(0, "12345"));
  for (const uint64_t offset : {uint64_t{0}, uint64_t{4}, uint64_t{6}, ~uint64_t{0}}) {
    EXPECT_THAT(session->WriteAt(offset, "x"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the upload has 5 bytes")));
  }
  EXPECT_EQ(session->committed_size_bytes(), 5u);
}

TEST_F(UploadSessionTest, KeepsItsLimits) {
  EXPECT_THAT(uploads_->Begin(kUpload, 101),
              StatusIs(absl::StatusCode::kResourceExhausted, AllOf(HasSubstr("101"), HasSubstr("100"))));
  {
    ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(kUpload, 0));
    EXPECT_OK(session->WriteAt(0, std::string(99, 'x')));
    EXPECT_THAT(session->WriteAt(99, "xx"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("101 bytes")));
    EXPECT_OK(session->WriteAt(99, "x"));
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin("declared-5", 5));
    EXPECT_THAT(session->WriteAt(0, "123456"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("limit is 5")));
    EXPECT_OK(session->WriteAt(0, "1234"));
    EXPECT_THAT(session->Finish({.sha256 = Sha256Hex("1234")}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("declared were 5")));
    EXPECT_OK(session->WriteAt(4, "5"));
  }
  EXPECT_THAT(uploads_->Begin(kUpload, 50), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("already has 100")));
  ASSERT_OK(uploads_->Begin("upload-3", 0));
  EXPECT_THAT(uploads_->Begin("upload-4", 0),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("3 unfinished uploads")));
  ASSERT_OK(uploads_->Drop("upload-3"));
  EXPECT_OK(uploads_->Begin("upload-4", 0));
}

TEST_F(UploadSessionTest, RefusesBadNames) {
  for (const std::string& id : {std::string(), std::string("short"), std::string("../../../x"),
                                std::string("a.b.c.d.e"), std::string(65, 'a')}) {
    EXPECT_THAT(uploads_->Begin(id, 0), StatusIs(absl::StatusCode::kInvalidArgument)) << id;
    EXPECT_THAT(uploads_->CommittedSize(id), StatusIs(absl::StatusCode::kInvalidArgument)) << id;
    EXPECT_THAT(uploads_->Drop(id), StatusIs(absl::StatusCode::kInvalidArgument)) << id;
  }
  EXPECT_THAT(uploads_->CommittedSize("unknown-upload"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(uploads_->Drop("unknown-upload"));
}

TEST_F(UploadSessionTest, AWrongDigestDropsTheUpload) {
  ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(kUpload, 0));
  ASSERT_OK(session->WriteAt(0, "damaged on the way"));
  EXPECT_THAT(session->Finish({.sha256 = Sha256Hex("other")}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(Sha256Hex("other"))));
  EXPECT_THAT(uploads_->CommittedSize(kUpload), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(files_.Exists(folder_.File("store/uploads/upload-1")));
}

TEST_F(UploadSessionTest, ARefusedFinishCanBeRepeated) {
  ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(kUpload, 0));
  ASSERT_OK(session->WriteAt(0, "data"));
  const std::string sha256 = Sha256Hex("data");
  EXPECT_THAT(session->Finish({.sha256 = "abc"}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("sha256")));
  EXPECT_THAT(session->Finish({.sha256 = sha256, .file_name = "../x"}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(session->Finish({.sha256 = sha256, .file_name = "renamed", .attributes = {{"", ""}}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(session->WriteAt(4, " and more"));
  std::string upper = Sha256Hex("data and more");
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_OK(session->Finish({.sha256 = upper, .file_name = "renamed"}));
}

TEST_F(UploadSessionTest, OneSessionPerUpload) {
  ASSERT_OK_AND_ASSIGN(auto session, uploads_->Begin(kUpload, 0));
  EXPECT_THAT(uploads_->Begin(kUpload, 0), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(kUpload)));
  EXPECT_THAT(uploads_->Drop(kUpload), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(session->WriteAt(0, "abc"));
  EXPECT_EQ(*uploads_->CommittedSize(kUpload), 3u);
  session.reset();
  EXPECT_OK(uploads_->Begin(kUpload, 0));
}

TEST_F(UploadSessionTest, IdleUploadsAreDropped) {
  ASSERT_OK((*uploads_->Begin("upload-old", 0))->WriteAt(0, "x"));
  clock_.Advance(absl::Hours(2));
  ASSERT_OK((*uploads_->Begin("upload-new", 0))->WriteAt(0, "x"));
  ASSERT_OK_AND_ASSIGN(const auto open, uploads_->Begin("upload-open", 0));
  EXPECT_EQ(*uploads_->DropIdle(absl::Hours(1)), 1u);
  EXPECT_THAT(uploads_->CommittedSize("upload-old"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(*uploads_->CommittedSize("upload-new"), 1u);
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(*uploads_->DropIdle(absl::Hours(1)), 1u);
  EXPECT_OK(open->WriteAt(0, "x"));
}

TEST_F(UploadSessionTest, AFullDiskKeepsWhatFitted) {
  ASSERT_OK_AND_ASSIGN(const auto session, uploads_->Begin(kUpload, 0));
  ASSERT_OK(session->WriteAt(0, "0123"));
  files_.SpaceLimit(7 + *files_.SizeBytes(folder_.File("store/STORE")));
  EXPECT_THAT(session->WriteAt(4, "456789"), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(session->committed_size_bytes(), 7u);
  files_.SpaceLimit(~uint64_t{0});
  EXPECT_OK(session->WriteAt(7, "789"));
  EXPECT_OK(session->Finish({.sha256 = Sha256Hex("0123456789")}));
}

TEST_F(UploadSessionTest, LimitsAreValidated) {
  EXPECT_THAT(UploadSessions::Open(*store_, {.max_size_bytes = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(UploadSessions::Open(*store_, {.max_uploads = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(UploadSessions::Open(*store_, {.max_uploads = 65537}), StatusIs(absl::StatusCode::kInvalidArgument));
}

class UploadCrashTest : public ::testing::TestWithParam<CrashKind> {
 protected:
  UploadCrashTest() {
    SetLogSink([](const std::string&) {});
  }
  ~UploadCrashTest() override { SetLogSink(nullptr); }
};

// The client's side of the contract: ask what is there, send the rest, finish.
absl::StatusOr<ArtifactId> SendRest(UploadSessions& uploads, const std::string& text) {
  CLM_ASSIGN_OR_RETURN(const auto session, uploads.Begin(kUpload, text.size()));
  const uint64_t have = session->committed_size_bytes();
  if (text.compare(0, have, text, 0, have) != 0) return absl::InternalError("more bytes than were sent");
  CLM_RETURN_IF_ERROR(session->WriteAt(have, text.substr(have)));
  return session->Finish({.sha256 = Sha256Hex(text), .file_name = "text"});
}

TEST_P(UploadCrashTest, WhatWasReportedSurvivesAPowerCutAnywhere) {
  const std::string text = "0123456789";
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    SCOPED_TRACE(n);
    TemporaryDirectory folder(MemoryFolder());
    FakeClock clock;
    FaultFileSystem files(PosixFileSystem(), folder.path());
    auto store = ArtifactStore::Open(files, folder.File("store"), clock, {.sweep = true}).value();
    auto uploads = UploadSessions::Open(*store, {}).value();
    ASSERT_OK((*uploads->Begin(kUpload, 10))->WriteAt(0, "0123"));
    ASSERT_EQ(*uploads->CommittedSize(kUpload), 4u);
    files.FailFrom(n, absl::InternalError("power cut"));
    const absl::StatusOr<ArtifactId> id = SendRest(*uploads, text);
    reached = files.fault_happened();
    EXPECT_TRUE(id.ok() || reached);
    uploads.reset();
    files.Crash(GetParam());
    store = ArtifactStore::Open(files, folder.File("store"), clock, {.sweep = true}).value();
    uploads = UploadSessions::Open(*store, {}).value();
    const absl::StatusOr<uint64_t> size = uploads->CommittedSize(kUpload);
    const bool is_stored = !store->List({})->artifacts.empty();
    if (id.ok()) {
      EXPECT_TRUE(is_stored);
    }
    // The upload has all that was reported, or it is stored.
    if (!is_stored) {
      ASSERT_OK(size);
      EXPECT_GE(*size, 4u);
    }
    EXPECT_THAT(SendRest(*uploads, text), IsOk());
    EXPECT_OK(store->Verify(store->List({})->artifacts[0]->id, CancellationToken()));
  }
}

TEST_P(UploadCrashTest, OneFailingOperationNeverLosesReportedBytes) {
  const std::string text = "0123456789";
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    SCOPED_TRACE(n);
    TemporaryDirectory folder(MemoryFolder());
    FakeClock clock;
    FaultFileSystem files(PosixFileSystem(), folder.path());
    auto store = ArtifactStore::Open(files, folder.File("store"), clock, {.sweep = true}).value();
    auto uploads = UploadSessions::Open(*store, {}).value();
    ASSERT_OK((*uploads->Begin(kUpload, 10))->WriteAt(0, "0123"));
    files.FailOperation(n, absl::ResourceExhaustedError("no space left"));
    const absl::StatusOr<ArtifactId> first = SendRest(*uploads, text);
    reached = files.fault_happened();
    EXPECT_TRUE(first.ok() || reached);
    files.ClearFaults();
    if (!first.ok() && store->List({})->artifacts.empty()) {
      ASSERT_OK_AND_ASSIGN(const uint64_t size, uploads->CommittedSize(kUpload));
      EXPECT_GE(size, 4u);
    }
    EXPECT_THAT(SendRest(*uploads, text), IsOk());
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, UploadCrashTest, ::testing::Values(CrashKind::kLosesNames, CrashKind::kKeepsNames));

}  // namespace
}  // namespace clm
