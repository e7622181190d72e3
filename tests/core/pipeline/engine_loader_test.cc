#include "core/pipeline/engine_loader.h"

#include "tests/core/pipeline/engine_fixture.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class LoadEngineTest : public EngineTest {};

TEST_F(LoadEngineTest, ACheckpointGivesModelAndRepresentation) {
  const ArtifactId id = MakeCheckpoint(1);
  ASSERT_OK_AND_ASSIGN(const LoadedEngine engine, LoadEngine(*store_, id, {}));
  EXPECT_EQ(engine.checkpoint, id);
  EXPECT_EQ(engine.representation->fingerprint(), representation_->fingerprint());
  EXPECT_EQ(engine.model->vocab_size(), representation_->layout().vocab_size);
  EXPECT_GT(engine.checkpoint_bytes, 4 * engine.model->parameter_count());
  ASSERT_OK_AND_ASSIGN(const LoadedEngine other, LoadEngine(*store_, MakeCheckpoint(2), {}));
  EXPECT_NE(engine.model->fingerprint(), other.model->fingerprint());
}

TEST_F(LoadEngineTest, OtherArtifactsAreRefusedByName) {
  EXPECT_THAT(LoadEngine(*store_, corpus_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no checkpoint")));
}

TEST_F(LoadEngineTest, ACheckpointOfAnotherRepresentationIsRefused) {
  EXPECT_THAT(LoadEngine(*store_, MakeCheckpoint(1, std::string(64, 'e')), {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(std::string(64, 'e'))));
}

}  // namespace
}  // namespace clm
