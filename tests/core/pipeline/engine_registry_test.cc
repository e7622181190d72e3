#include "core/pipeline/engine_registry.h"

#include "core/codec/frame_encoder.h"
#include "core/codec/model_coders.h"
#include "tests/core/pipeline/engine_fixture.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class EngineRegistryTest : public EngineTest {
 protected:
  EngineRegistry registry_{*store_, 1};
};

TEST_F(EngineRegistryTest, AModelIsMadeOnce) {
  const ArtifactId id = MakeCheckpoint(1);
  ASSERT_OK_AND_ASSIGN(const RegisteredEngine first, registry_.Get(id, 0, {}));
  ASSERT_OK_AND_ASSIGN(const RegisteredEngine second, registry_.Get(id, 0, {}));
  EXPECT_EQ(first.model, second.model);
  EXPECT_EQ(registry_.lanes_in_use(), 0U);
}

TEST_F(EngineRegistryTest, OnlyTheLastUsedAreKept) {
  const ArtifactId id = MakeCheckpoint(1);
  const auto first = registry_.Get(id, 0, {})->model;
  for (uint64_t seed = 2; seed < 6; ++seed) EXPECT_TRUE(registry_.Get(MakeCheckpoint(seed), 0, {}).ok());
  EXPECT_NE(registry_.Get(id, 0, {})->model, first);
}

TEST_F(EngineRegistryTest, EachWindowIsAPredictorOfItsOwn) {
  const ArtifactId id = MakeCheckpoint(1);
  ASSERT_OK_AND_ASSIGN(const RegisteredEngine whole, registry_.Get(id, 0, {}));
  ASSERT_OK_AND_ASSIGN(const RegisteredEngine same, registry_.Get(id, 32, {}));
  ASSERT_OK_AND_ASSIGN(const RegisteredEngine part, registry_.Get(id, 5, {}));
  EXPECT_EQ(whole.window, 32U);
  EXPECT_EQ(same.model, whole.model);
  EXPECT_EQ(part.engine, whole.engine);
  EXPECT_EQ(part.model->parameters().window_symbols, 5U);
  EXPECT_NE(part.model->parameters().predictor, whole.model->parameters().predictor);
  ASSERT_OK_AND_ASSIGN(const auto coder, MakeModelCoder(CodecId::kProbability, part.model, 0));
  EngineRegistry other(*store_, 1);
  EXPECT_OK(other.Find(coder->parameters(), {}));
  CodecParameters wrong = coder->parameters();
  wrong.window_symbols = 6;
  EXPECT_THAT(other.Find(wrong, {}), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(registry_.Get(id, 33, {}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("window is 33")));
}

TEST_F(EngineRegistryTest, AFrameFindsItsCheckpoint) {
  MakeCheckpoint(1);
  const ArtifactId id = MakeCheckpoint(2);
  MakeCheckpoint(3, std::string(64, 'e'));  // cannot be used
  ASSERT_OK_AND_ASSIGN(const RegisteredEngine engine, registry_.Get(id, 0, {}));
  EngineRegistry other(*store_, 2);
  for (const CodecId codec : {CodecId::kProbability, CodecId::kRankAns, CodecId::kRankAdaptive, CodecId::kMixed}) {
    ASSERT_OK_AND_ASSIGN(const auto coder, MakeModelCoder(codec, engine.model, 17));
    ASSERT_OK_AND_ASSIGN(const auto found, other.Find(coder->parameters(), {}));
    EXPECT_EQ(found->parameters(), coder->parameters());
    ASSERT_OK_AND_ASSIGN(const std::string payload, coder->Encode("the cat sees the 12 birds", {}));
    ASSERT_OK_AND_ASSIGN(const std::string text, found->Decode(payload, 25, {}));
    EXPECT_EQ(text, "the cat sees the 12 birds");
  }
}

TEST_F(EngineRegistryTest, AFrameOfAnUnknownCheckpointIsRefusedByFingerprint) {
  MakeCheckpoint(1);
  CodecParameters wanted;
  wanted.codec = CodecId::kProbability;
  wanted.predictor.fill(0xAB);
  EXPECT_THAT(registry_.Find(wanted, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("abababababababab")));
}

TEST_F(EngineRegistryTest, ADifferentCanaryIsNamed) {
  ASSERT_OK_AND_ASSIGN(const RegisteredEngine engine, registry_.Get(MakeCheckpoint(1), 0, {}));
  CodecParameters wanted = (*MakeModelCoder(CodecId::kProbability, engine.model, 0))->parameters();
  wanted.canary[0] ^= 1;
  EXPECT_THAT(registry_.Find(wanted, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("computes other numbers here")));
}

}  // namespace
}  // namespace clm
