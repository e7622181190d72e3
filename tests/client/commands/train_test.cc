#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, TrainSendsOnlyWhatWasAskedFor) {
  EXPECT_EQ(server_.Run({"train", "c0", "--bytes", "1000", "--hidden-size", "64", "--untied"}, AddTrain), 0);
  const v1::TrainSpec& spec = server_.submitted.spec().train();
  EXPECT_EQ(spec.corpus(), "c0");
  EXPECT_EQ(spec.total_bytes(), 1000u);
  EXPECT_EQ(spec.model().hidden_size(), 64u);
  EXPECT_EQ(spec.model().layers(), 0u);
  EXPECT_TRUE(spec.model().has_tie_embeddings());
  EXPECT_FALSE(spec.model().tie_embeddings());
}

TEST_F(CommandTest, TrainNeedsACorpusAndBytes) { EXPECT_EQ(server_.Run({"train", "c0"}, AddTrain), kExitUsage); }

}  // namespace
}  // namespace clm::client
