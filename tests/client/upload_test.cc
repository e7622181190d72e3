#include "client/upload.h"

#include "core/base/file_io.h"
#include "tests/client/fake_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm::client {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;

class UploadTest : public ::testing::Test {
 protected:
  UploadTest() {
    session_.options().address = server_.address();
    EXPECT_OK(WriteFileAtomically(PosixFileSystem(), path_, content_));
  }

  const std::string content_ = std::string(600'000, 'x') + "end";
  FakeServer server_;
  Session session_;
  clm::testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.File("corpus.txt");
};

TEST_F(UploadTest, SendsTheWholeFileWithItsDigest) {
  ASSERT_OK_AND_ASSIGN(const v1::Artifact artifact, UploadFile(session_, path_));
  EXPECT_EQ(server_.uploaded, content_);
  EXPECT_EQ(server_.upload_sha256, Sha256Hex(content_));
  EXPECT_EQ(artifact.name(), "artifacts/blob/" + Sha256Hex(content_));
}

TEST_F(UploadTest, GoesOnWhereABrokenUploadStopped) {
  server_.committed_bytes = 300'000;
  ASSERT_OK(UploadFile(session_, path_));
  EXPECT_EQ(server_.first_upload_offset, 300'000u);
  EXPECT_EQ(server_.uploaded, content_.substr(300'000));
}

TEST_F(UploadTest, DoesNotSendWhatIsThere) {
  server_.artifact.set_name("artifacts/blob/known");
  v1::ArtifactFile& file = *server_.artifact.add_files();
  file.set_name("corpus.txt");
  file.set_sha256(Sha256Hex(content_));
  ASSERT_OK_AND_ASSIGN(const v1::Artifact artifact, UploadFile(session_, path_));
  EXPECT_EQ(artifact.name(), "artifacts/blob/known");
  EXPECT_TRUE(server_.uploaded.empty());
}

TEST_F(UploadTest, StdinIsRefused) {
  EXPECT_THAT(UploadFile(session_, "-"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm::client
