#include "core/codec/codec_set.h"

#include <memory>

#include "core/codec/adaptive_coder.h"
#include "core/codec/count_coder.h"
#include "core/codec/probability_coder.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::CoderOf;
using ::clm::testing::Order0Predictor;
using ::clm::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

CodecParameters Probability(char version) { return CoderOf(std::make_unique<Order0Predictor>(version))->parameters(); }

CodecSet WithOrder0() {
  CodecSet codecs = CodecSet::BuiltIn();
  codecs.Add(CoderOf(std::make_unique<Order0Predictor>('0')));
  return codecs;
}

TEST(CodecSetTest, FindsExactlyWhatIsAskedFor) {
  const CodecSet codecs = WithOrder0();
  EXPECT_OK(codecs.Find(CodecParameters{}));
  EXPECT_OK(codecs.Find(CountCoder().parameters()));
  EXPECT_OK(codecs.Find(AdaptiveCoder().parameters()));
  EXPECT_OK(codecs.Find(Probability('0')));
}

TEST(CodecSetTest, AnotherPredictorIsNamedWithBothFingerprints) {
  EXPECT_THAT(WithOrder0().Find(Probability('1')),
              StatusIs(absl::StatusCode::kFailedPrecondition, AllOf(HasSubstr(ToHex(Probability('1').predictor)),
                                                                    HasSubstr(ToHex(Probability('0').predictor)))));
}

TEST(CodecSetTest, NoPredictorAtAllIsNamedToo) {
  EXPECT_THAT(CodecSet::BuiltIn().Find(Probability('1')),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(ToHex(Probability('1').predictor)), HasSubstr("none is here"))));
}

TEST(CodecSetTest, RepresentationCanaryAndSettingsAreCompared) {
  const CodecSet codecs = WithOrder0();
  CodecParameters wanted = Probability('0');
  wanted.canary[0] ^= 1;
  EXPECT_THAT(codecs.Find(wanted), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("canary")));
  EXPECT_TRUE(IsCanaryFailure(codecs.Find(wanted).status()));
  wanted = Probability('0');
  wanted.representation[3] = 9;
  EXPECT_THAT(codecs.Find(wanted),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("representation 000000090")));
  wanted = Probability('0');
  wanted.top_k = 40;
  EXPECT_THAT(codecs.Find(wanted), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("top-k 40")));
  EXPECT_FALSE(IsCanaryFailure(codecs.Find(wanted).status()));
}

}  // namespace
}  // namespace clm
