#include "core/pipeline/document_split.h"

#include <set>

#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

using SplitDocumentsTest = PipelineTest;

TEST_F(SplitDocumentsTest, DocumentAndCopyLieOnOneSide) {
  const std::string path = WriteInput("a.jsonl", Sentences() + Sentences());
  ASSERT_OK_AND_ASSIGN(const SpooledSplits splits, SplitDocuments({path}, {}, {}, Context()));
  std::array<std::set<std::string>, 3> sides;
  uint64_t documents = 0;
  for (const Split split : kAllSplits) {
    const DocumentSpool& spool = splits.spool(split);
    documents += spool.documents();
    EXPECT_GT(spool.documents(), 0u);
    for (uint64_t d = 0; d < spool.documents(); ++d) {
      sides[static_cast<size_t>(split)].insert(std::string(spool.Document(d)));
    }
  }
  EXPECT_EQ(documents, 800u);
  EXPECT_EQ(sides[0].size() + sides[1].size() + sides[2].size(), 400u);
  EXPECT_EQ(splits.stats.documents, 800u);
}

TEST_F(SplitDocumentsTest, NoDocumentsAreRefused) {
  const std::string path = WriteInput("empty.jsonl", "");
  EXPECT_THAT(SplitDocuments({path}, {}, {}, Context()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no documents")));
}

TEST_F(SplitDocumentsTest, AnEmptySideIsNamed) {
  const std::string path = WriteInput("one.txt", "a single document");
  EXPECT_THAT(SplitDocuments({path}, {}, {}, Context()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("validation")));
}

}  // namespace
}  // namespace clm
