#include "server/registry/checkpoint_registry.h"

#include "absl/strings/str_cat.h"
#include "server/metrics/metric_names.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

// A model that is nothing but its size.
class SizedModel final : public LoadedModel {
 public:
  SizedModel(const ArtifactId& id, uint64_t bytes) {
    checkpoint_ = id;
    facts_.resident_bytes = bytes;
    facts_.device = "cpu";
  }
  absl::StatusOr<std::unique_ptr<SequenceScorer>> NewScorer(uint32_t) const override {
    return absl::UnimplementedError("no scorer");
  }
  absl::StatusOr<std::unique_ptr<NextSymbolModel>> NewStepper() const override {
    return absl::UnimplementedError("no stepper");
  }
};

class CheckpointRegistryTest : public PipelineTest {
 protected:
  static constexpr uint64_t kModelBytes = 1000;

  ArtifactId Commit(const std::string& name) {
    auto draft = store_->NewDraft(ArtifactKind::kCheckpoint);
    EXPECT_TRUE(draft.ok());
    EXPECT_OK(draft->WriteFile("weights", std::string(kModelBytes - name.size(), 'w') + name));
    const auto id = draft->Commit({});
    EXPECT_TRUE(id.ok()) << id.status();
    return *id;
  }

  int loads_ = 0;
  Metrics metrics_;
  // Room for two.
  CheckpointRegistry registry_{
      *store_,
      [this](const ArtifactId& id,
             const CancellationToken& cancel) -> absl::StatusOr<std::shared_ptr<const LoadedModel>> {
        ++loads_;
        if (absl::Status status = cancel.Check(); !status.ok()) return status;
        return std::make_shared<const SizedModel>(id, kModelBytes);
      },
      2 * kModelBytes, metrics_, clock_};
};

TEST_F(CheckpointRegistryTest, AModelIsLoadedOnce) {
  const ArtifactId id = Commit("a");
  ASSERT_OK(registry_.Acquire(id, {}));
  ASSERT_OK(registry_.Acquire(id, {}));
  EXPECT_EQ(loads_, 1);
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_models_loaded{device=\"cpu\"} 1"));
}

TEST_F(CheckpointRegistryTest, TheLeastRecentlyUsedMakesRoom) {
  const ArtifactId a = Commit("a");
  const ArtifactId b = Commit("b");
  ASSERT_OK(registry_.Acquire(a, {}));
  ASSERT_OK(registry_.Acquire(b, {}));
  ASSERT_OK(registry_.Acquire(a, {}));
  ASSERT_OK(registry_.Acquire(Commit("c"), {}));
  const std::vector<LoadedModelInfo> models = registry_.List();
  ASSERT_EQ(models.size(), 2u);
  for (const LoadedModelInfo& info : models) EXPECT_NE(info.model->checkpoint(), b);
  EXPECT_THAT(metrics_.Expose(), Not(HasSubstr(b.ShortId())));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_model_evictions_total{reason=\"budget\"} 1"));
}

TEST_F(CheckpointRegistryTest, WhatIsHeldOrKeptStaysAndTheRefusalNamesIt) {
  const ArtifactId held = Commit("held");
  const ArtifactId kept = Commit("kept");
  ASSERT_OK_AND_ASSIGN(const CheckpointRegistry::Handle handle, registry_.Acquire(held, {}));
  ASSERT_OK(registry_.Load(kept, {}));
  EXPECT_THAT(registry_.Acquire(Commit("new"), {}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       ::testing::AllOf(HasSubstr(held.ShortId()), HasSubstr(kept.ShortId()))));
}

TEST_F(CheckpointRegistryTest, UnloadGivesTheBytesBackOnceNobodyHoldsThem) {
  const ArtifactId id = Commit("a");
  {
    ASSERT_OK_AND_ASSIGN(const CheckpointRegistry::Handle handle, registry_.Acquire(id, {}));
    EXPECT_EQ(registry_.List()[0].holders, 1u);
    EXPECT_THAT(registry_.Unload(id), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("1 calls")));
  }
  ASSERT_OK_AND_ASSIGN(const uint64_t freed, registry_.Unload(id));
  EXPECT_EQ(freed, kModelBytes);
  EXPECT_THAT(registry_.Unload(id), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(CheckpointRegistryTest, AFailedLoadLeavesNothing) {
  cancel_.Cancel();
  EXPECT_THAT(registry_.Acquire(Commit("a"), cancel_.token()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(registry_.List().empty());
}

}  // namespace
}  // namespace clm
