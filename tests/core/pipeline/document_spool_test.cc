#include "core/pipeline/document_spool.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

class DocumentSpoolTest : public ::testing::Test {
 protected:
  absl::Status Write(const std::vector<std::string>& documents) {
    const auto writer = DocumentSpoolWriter::Create(PosixFileSystem(), path_);
    if (!writer.ok()) return writer.status();
    for (const std::string& document : documents) {
      if (const absl::Status status = (*writer)->Append(document); !status.ok()) return status;
    }
    return (*writer)->Finish();
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.File("spool");
};

TEST_F(DocumentSpoolTest, EveryDocumentComesBackWithItsBytes) {
  const std::vector<std::string> documents = {"", "abc", std::string("\0\xff", 2), std::string(3'000'000, 'x'), ""};
  ASSERT_OK(Write(documents));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<DocumentSpool> spool, DocumentSpool::Open(PosixFileSystem(), path_));
  ASSERT_EQ(spool->documents(), documents.size());
  EXPECT_EQ(spool->bytes(), 3'000'005u);
  for (size_t d = 0; d < documents.size(); ++d) EXPECT_EQ(spool->Document(d), documents[d]);
}

TEST_F(DocumentSpoolTest, NoDocumentsAreAnEmptyFile) {
  ASSERT_OK(Write({}));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<DocumentSpool> spool, DocumentSpool::Open(PosixFileSystem(), path_));
  EXPECT_EQ(spool->documents(), 0u);
}

TEST_F(DocumentSpoolTest, ACutFileIsRefused) {
  ASSERT_OK(Write({"abc", "defgh"}));
  ASSERT_OK(PosixFileSystem().Truncate(path_, 8 + 3 + 8 + 2));
  EXPECT_THAT(DocumentSpool::Open(PosixFileSystem(), path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("document 1")));
}

}  // namespace
}  // namespace clm
