#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, EvaluatePrintsBpbWithItsInterval) {
  v1::EvaluateResult& result = *server_.job.mutable_result()->mutable_evaluate();
  result.mutable_bits_per_byte()->set_value(2.125);
  result.mutable_bits_per_byte()->set_low(2.1);
  result.mutable_bits_per_byte()->set_high(2.15);
  result.set_original_bytes(100);
  EXPECT_EQ(server_.Run({"evaluate", "k0", "--split", "selection"}, AddEvaluate), 0);
  EXPECT_THAT(server_.output(), HasSubstr("2.1250 [2.1000, 2.1500]"));
  EXPECT_EQ(server_.submitted.spec().evaluate().split(), "selection");
}

}  // namespace
}  // namespace clm::client
