// What the store promises about crashes and failing disks, tried at every operation.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/artifact/artifact_store.h"
#include "core/base/fault_file_system.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::MemoryFolder;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::AnyOf;
using ::testing::IsEmpty;
using CrashKind = FaultFileSystem::CrashKind;

// A store on a disk that fails.
class World {
 public:
  World() { Reopen(); }

  void Reopen() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<ArtifactStore>> store =
        ArtifactStore::Open(files_, folder_.File("data/store"), clock_, {.sweep = true});
    ASSERT_OK(store);
    store_ = *std::move(store);
  }
  absl::StatusOr<ArtifactId> Save(const std::vector<ArtifactId>& parents) {
    CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, store_->NewDraft(ArtifactKind::kCorpus));
    CLM_RETURN_IF_ERROR(draft.WriteFile("a.ids", "first file"));
    CLM_RETURN_IF_ERROR(draft.WriteFile("b.ids", "second file"));
    return draft.Commit({.parents = parents});
  }
  ArtifactId SaveParent() {
    ArtifactDraft draft = store_->NewDraft(ArtifactKind::kTokenizer).value();
    EXPECT_OK(draft.WriteFile("tokenizer.json", "{}"));
    return draft.Commit({}).value();
  }
  // The store is usable, and holds nothing that is not whole.
  void CheckSound() {
    absl::StatusOr<ArtifactPage> page = store_->List({});
    ASSERT_OK(page);
    for (const auto& manifest : page->artifacts) EXPECT_OK(store_->Verify(manifest->id, CancellationToken()));
    for (const ArtifactKind kind : kAllArtifactKinds) {  // nothing was left out of the list
      absl::StatusOr<std::vector<std::string>> names =
          files_.List(JoinPath(folder_.File("data/store"), ArtifactKindName(kind)));
      ASSERT_OK(names);
      for (const std::string& hex : *names) {
        EXPECT_OK(store_->Get(*ArtifactId::Create(kind, hex)));
      }
    }
    EXPECT_THAT(*files_.List(folder_.File("data/store/tmp")), IsEmpty());
    ArtifactDraft draft = store_->NewDraft(ArtifactKind::kBlob).value();
    EXPECT_OK(draft.WriteFile("data", "after the crash"));
    EXPECT_OK(draft.Commit({}));
  }

  FaultFileSystem& files() { return files_; }
  ArtifactStore& store() { return *store_; }

 private:
  TemporaryDirectory folder_{MemoryFolder()};
  FakeClock clock_;
  FaultFileSystem files_{PosixFileSystem(), folder_.path()};
  std::unique_ptr<ArtifactStore> store_;
};

class ArtifactStoreCrashTest : public ::testing::TestWithParam<CrashKind> {
 protected:
  ArtifactStoreCrashTest() {
    SetLogSink([](const std::string&) {});  // drafts that cannot be removed during a power cut
  }
  ~ArtifactStoreCrashTest() override { SetLogSink(nullptr); }

  // Runs `action` on a fresh world once for every operation n at which the power fails, then `check` after a restart.
  // `check` learns whether the action reported success.
  static void CutPowerEverywhere(CrashKind kind, const std::function<void(World&)>& prepare,
                                 const std::function<absl::Status(World&)>& action,
                                 const std::function<void(World&, bool)>& check) {
    bool reached = true;
    uint64_t n = 1;
    for (; reached; ++n) {
      SCOPED_TRACE(n);
      World world;
      prepare(world);
      world.files().FailFrom(n, absl::InternalError("power cut"));
      const absl::Status status = action(world);
      reached = world.files().fault_happened();
      if (!reached) {
        EXPECT_OK(status);
      }
      world.files().Crash(kind);
      ASSERT_NO_FATAL_FAILURE(world.Reopen());
      world.CheckSound();
      check(world, status.ok());
    }
    EXPECT_GT(n, 3u);
  }
};

TEST_P(ArtifactStoreCrashTest, OpeningCanBeInterruptedAnywhere) {
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    TemporaryDirectory folder(MemoryFolder());
    FakeClock clock;
    FaultFileSystem files(PosixFileSystem(), folder.path());
    files.FailFrom(n, absl::InternalError("power cut"));
    const bool ok = ArtifactStore::Open(files, folder.File("a/b"), clock, {.sweep = true}).ok();
    reached = files.fault_happened();
    EXPECT_EQ(ok, !reached) << n;
    files.Crash(GetParam());
    EXPECT_OK(ArtifactStore::Open(files, folder.File("a/b"), clock, {.sweep = true})) << n;
  }
}

TEST_P(ArtifactStoreCrashTest, ACommitIsWholeOrAbsentAndStaysOnceReported) {
  absl::StatusOr<ArtifactId> id = absl::UnknownError("not run");
  CutPowerEverywhere(
      GetParam(), [](World&) {},
      [&](World& world) {
        id = world.Save({});
        return id.status();
      },
      [&](World& world, bool ok) {
        if (ok) {
          EXPECT_OK(world.store().Verify(*id, CancellationToken()));
        }
        const absl::StatusOr<ArtifactId> again = world.Save({});
        EXPECT_OK(again);
        EXPECT_OK(world.store().Verify(*again, CancellationToken()));
      });
}

TEST_P(ArtifactStoreCrashTest, ASecondCommitOfTheSameContentIsAsDurableAsTheFirst) {
  // The first process dies between the rename and the sync of the folder; the second reports the artifact as stored.
  uint64_t operations = 0;
  {
    World world;
    const uint64_t before = world.files().operation_count();
    ASSERT_OK(world.Save({}));
    operations = world.files().operation_count() - before;
  }
  World world;
  world.files().FailFrom(operations, absl::InternalError("killed"));  // the last one: the sync
  EXPECT_THAT(world.Save({}), StatusIs(absl::StatusCode::kInternal));
  world.files().ClearFaults();
  ASSERT_NO_FATAL_FAILURE(world.Reopen());
  ASSERT_OK_AND_ASSIGN(const ArtifactId id, world.Save({}));
  world.files().Crash(GetParam());
  ASSERT_NO_FATAL_FAILURE(world.Reopen());
  EXPECT_OK(world.store().Verify(id, CancellationToken()));
}

TEST_P(ArtifactStoreCrashTest, ADeletionIsDoneOrNot) {
  ArtifactId id;
  CutPowerEverywhere(
      GetParam(), [&](World& world) { id = world.Save({}).value(); },
      [&](World& world) { return world.store().Delete(id).status(); },
      [&](World& world, bool ok) {
        const absl::Status found = world.store().Get(id).status();
        EXPECT_THAT(found, AnyOf(IsOk(), StatusIs(absl::StatusCode::kNotFound)));
        if (ok) {
          EXPECT_THAT(found, StatusIs(absl::StatusCode::kNotFound));
        }
      });
}

TEST_P(ArtifactStoreCrashTest, APinStaysOnceReported) {
  ArtifactId id;
  CutPowerEverywhere(
      GetParam(), [&](World& world) { id = world.Save({}).value(); },
      [&](World& world) { return world.store().Pin(id, "job"); },
      [&](World& world, bool ok) {
        ASSERT_OK_AND_ASSIGN(const std::vector<std::string> pins, world.store().Pins(id));
        if (ok) {
          EXPECT_EQ(pins.size(), 1u);
        }
        EXPECT_EQ(world.store().Delete(id).ok(), pins.empty());
      });
}

TEST_P(ArtifactStoreCrashTest, AnUnpinStaysOnceReported) {
  ArtifactId id;
  CutPowerEverywhere(
      GetParam(),
      [&](World& world) {
        id = world.Save({}).value();
        EXPECT_OK(world.store().Pin(id, "job"));
      },
      [&](World& world) { return world.store().Unpin(id, "job"); },
      [&](World& world, bool ok) {
        if (ok) {
          EXPECT_THAT(*world.store().Pins(id), IsEmpty());
        }
      });
}

TEST_P(ArtifactStoreCrashTest, OneFailingOperationLeavesTheStoreSoundAndTheCommitRepeatable) {
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    SCOPED_TRACE(n);
    World world;
    const ArtifactId parent = world.SaveParent();
    world.files().FailOperation(n, absl::ResourceExhaustedError("no space left"));
    const absl::StatusOr<ArtifactId> id = world.Save({parent});
    reached = world.files().fault_happened();
    if (!reached) {
      EXPECT_OK(id);
    }
    if (!id.ok()) {
      EXPECT_THAT(id, StatusIs(absl::StatusCode::kResourceExhausted));
    }
    world.files().ClearFaults();
    EXPECT_OK(world.Save({parent}));
    EXPECT_THAT(world.store().Delete(parent), StatusIs(absl::StatusCode::kFailedPrecondition));
    ASSERT_NO_FATAL_FAILURE(world.Reopen());
    world.CheckSound();
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ArtifactStoreCrashTest,
                         ::testing::Values(CrashKind::kLosesNames, CrashKind::kKeepsNames));

TEST(ArtifactStoreSpaceTest, AFullDiskRefusesCommitsAndFreesWhatTheyTook) {
  World world;
  const ArtifactId kept = world.SaveParent();
  world.files().SpaceLimit(800);
  ArtifactDraft draft = world.store().NewDraft(ArtifactKind::kBlob).value();
  EXPECT_THAT(draft.WriteFile("data", std::string(1000, 'x')), StatusIs(absl::StatusCode::kResourceExhausted));
  draft = world.store().NewDraft(ArtifactKind::kBlob).value();
  EXPECT_OK(draft.WriteFile("data", "x"));
  EXPECT_OK(world.store().Verify(kept, CancellationToken()));
  world.files().SpaceLimit(~uint64_t{0});
  EXPECT_OK(draft.Commit({}));
}

}  // namespace
}  // namespace clm
