#include "core/codec/rank_block_coder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/base/byte_writer.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AllBytes;
using ::clm::testing::Noise;
using ::clm::testing::Order0Predictor;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

std::shared_ptr<const CodingModel> Bytes() { return *CodingModel::OfBytes(std::make_unique<Order0Predictor>()); }

class RankBlockCoderTest : public ::testing::TestWithParam<RankForm> {};

TEST_P(RankBlockCoderTest, RoundTripsWithAnyTopK) {
  const auto model = Bytes();
  for (const uint32_t top_k : {0U, 1U, 128U, 257U}) {
    ASSERT_OK_AND_ASSIGN(const auto coder, RankBlockCoder::Create(model, GetParam(), top_k));
    EXPECT_EQ(coder->parameters().top_k, top_k);
    for (const std::string& raw : {std::string(), std::string("x"), Words(1, 1500), AllBytes(1), Noise(3, 500)}) {
      ASSERT_OK_AND_ASSIGN(const std::string payload, coder->Encode(raw, {}));
      EXPECT_EQ(*coder->Decode(payload, raw.size(), {}), raw) << top_k;
    }
  }
}

TEST_P(RankBlockCoderTest, ClaimsThatCannotBeAreDataLoss) {
  ASSERT_OK_AND_ASSIGN(const auto coder, RankBlockCoder::Create(Bytes(), GetParam()));
  EXPECT_THAT(coder->Decode("123", 3, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("number of symbols")));
  ByteWriter many;
  many.WriteU32(0xFFFFFFFF);
  EXPECT_THAT(coder->Decode(many.view(), 100, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("4294967295")));
  ASSERT_OK_AND_ASSIGN(const std::string payload, coder->Encode("abc", {}));
  EXPECT_THAT(coder->Decode(payload, 4, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("3 of 4")));
  EXPECT_THAT(coder->Decode(payload, 3, {}), ::testing::Property(&absl::StatusOr<std::string>::ok, true));
}

TEST_P(RankBlockCoderTest, StopsWhenCancelled) {
  ASSERT_OK_AND_ASSIGN(const auto coder, RankBlockCoder::Create(Bytes(), GetParam()));
  ASSERT_OK_AND_ASSIGN(const std::string payload, coder->Encode("abc", {}));
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(coder->Encode("abc", source.token()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(coder->Decode(payload, 3, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

TEST_P(RankBlockCoderTest, MoreRanksThanSymbolsAreRefused) {
  EXPECT_THAT(RankBlockCoder::Create(Bytes(), GetParam(), 258),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("top_k is 258")));
}

INSTANTIATE_TEST_SUITE_P(Forms, RankBlockCoderTest, ::testing::Values(RankForm::kStatic, RankForm::kAdaptive),
                         [](const auto& form) { return form.param == RankForm::kStatic ? "Static" : "Adaptive"; });

}  // namespace
}  // namespace clm
