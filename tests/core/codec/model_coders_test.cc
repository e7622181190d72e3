#include "core/codec/model_coders.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Order0Predictor;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

constexpr CodecId kWithModel[] = {CodecId::kProbability, CodecId::kRankAns, CodecId::kRankAdaptive, CodecId::kMixed};

TEST(ModelCodersTest, EachIsOfItsCodecAndNamesTheModel) {
  const auto model = *CodingModel::OfBytes(std::make_unique<Order0Predictor>());
  for (const CodecId codec : kWithModel) {
    EXPECT_TRUE(NeedsModel(codec));
    ASSERT_OK_AND_ASSIGN(const auto coder, MakeModelCoder(codec, model, 5));
    EXPECT_EQ(coder->parameters().codec, codec);
    EXPECT_EQ(coder->parameters().predictor, PredictorOf(codec, model->parameters().predictor));
    EXPECT_EQ(coder->BlocksAtOnce(7), model->lanes().lanes());
  }
}

TEST(ModelCodersTest, BuiltInCodecsNeedNoModel) {
  const auto model = *CodingModel::OfBytes(std::make_unique<Order0Predictor>());
  for (const CodecId codec : {CodecId::kStored, CodecId::kCount, CodecId::kAdaptive}) {
    EXPECT_FALSE(NeedsModel(codec));
    EXPECT_THAT(MakeModelCoder(codec, model, 0),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(CodecName(codec))));
  }
}

}  // namespace
}  // namespace clm
