#include "server/convert/compress_plan.h"

#include "core/codec/frame.h"
#include "tests/core/pipeline/engine_fixture.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class CompressPlanTest : public EngineTest {
 protected:
  absl::StatusOr<CompressPlan> Plan(const v1::CompressRequest::Start& start) {
    return PlanCompress(start, *store_, engines_, {});
  }

  EngineRegistry engines_{*store_, 1};
};

TEST_F(CompressPlanTest, TheSmallestFrameIsTheDefault) {
  v1::CompressRequest::Start start;
  ASSERT_OK_AND_ASSIGN(const CompressPlan built_in, Plan(start));
  EXPECT_EQ(built_in.codec, v1::CODEC_ADAPTIVE);
  EXPECT_EQ(built_in.block_bytes, kDefaultBlockBytes);
  start.set_checkpoint(MakeCheckpoint(1).Name());
  ASSERT_OK_AND_ASSIGN(const CompressPlan plan, Plan(start));
  EXPECT_EQ(plan.codec, v1::CODEC_MIXED);
  EXPECT_EQ(plan.coder->parameters().codec, CodecId::kMixed);
  EXPECT_GT(plan.checkpoint_bytes, 0U);
}

TEST_F(CompressPlanTest, ABudgetChoosesWhatFits) {
  v1::CompressRequest::Start start;
  start.set_checkpoint(MakeCheckpoint(1).Name());
  start.set_original_bytes(1 << 20);
  const auto chosen = [&](double seconds) {
    start.set_budget_seconds(seconds);
    return Plan(start)->codec;
  };
  EXPECT_EQ(chosen(1000), v1::CODEC_MIXED);
  EXPECT_EQ(chosen(50), v1::CODEC_PROBABILITY);
  EXPECT_EQ(chosen(3), v1::CODEC_ADAPTIVE);
  EXPECT_EQ(chosen(1.2), v1::CODEC_COUNT);
  EXPECT_EQ(chosen(0.001), v1::CODEC_STORED);
}

TEST_F(CompressPlanTest, CodecsOfACheckpointTakeSmallBlocks) {
  v1::CompressRequest::Start start;
  start.set_checkpoint(MakeCheckpoint(1).Name());
  start.set_codec(v1::CODEC_RANK_ANS);
  start.set_top_k(9);
  ASSERT_OK_AND_ASSIGN(const CompressPlan plan, Plan(start));
  EXPECT_EQ(plan.block_bytes, 32768U);
  EXPECT_EQ(plan.coder->parameters().top_k, 9U);
  EXPECT_EQ(plan.coder->parameters().window_symbols, 32U);
  // Of a length that is known, blocks for all 32 lanes once, or twice.
  start.set_original_bytes(1'234'097);
  EXPECT_EQ(Plan(start)->block_bytes, 38566U);
  start.set_original_bytes(1'600'000);
  EXPECT_EQ(Plan(start)->block_bytes, 25000U);
  start.set_block_size_bytes(5000);
  EXPECT_EQ(Plan(start)->block_bytes, 5000U);
  start.set_window_symbols(7);
  EXPECT_EQ(Plan(start)->coder->parameters().window_symbols, 7U);
}

TEST_F(CompressPlanTest, FieldsThatDoNotGoTogetherAreNamed) {
  v1::CompressRequest::Start start;
  start.set_codec(v1::CODEC_PROBABILITY);
  EXPECT_THAT(Plan(start), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start.checkpoint")));
  v1::CompressRequest::Start windowed;
  windowed.set_window_symbols(7);
  EXPECT_THAT(Plan(windowed), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start.window_symbols")));
  start.set_checkpoint(MakeCheckpoint(1).Name());
  start.set_codec(v1::CODEC_COUNT);
  EXPECT_THAT(Plan(start), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is of no use to CODEC_COUNT")));
  start.set_codec(v1::CODEC_RANK_ANS);
  start.set_top_k(100'000);
  EXPECT_THAT(Plan(start), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start.top_k: 100000")));
  start.set_window_symbols(33);
  EXPECT_THAT(Plan(start), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("window is 33, must be in [0, 32]")));
  start.set_budget_seconds(1);
  EXPECT_THAT(Plan(start), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start.original_bytes")));
  start.set_budget_seconds(-1);
  EXPECT_THAT(Plan(start), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start.budget_seconds")));
}

}  // namespace
}  // namespace clm
