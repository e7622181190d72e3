#include "core/tokenizer/count_store.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/fault_file_system.h"
#include "core/base/rng.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MemoryFolder;
using ::clm::testing::RandomLetters;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using Counts = std::map<std::string, uint64_t>;

Counts CountsOf(CountStore& store) {
  Counts counts;
  EXPECT_OK(store.Visit({}, [&](absl::string_view piece, uint64_t count) {
    EXPECT_TRUE(counts.emplace(piece, count).second) << "visited twice: " << piece;
    return absl::OkStatus();
  }));
  return counts;
}

void AddRandom(uint64_t seed, int pieces, CountStore& store, Counts& counts) {
  CounterRng rng(seed, "count_store_test", 0);
  for (int i = 0; i < pieces; ++i) {
    const std::string piece = RandomLetters(rng, 1 + rng.NextBelow(20), 3);
    const uint64_t count = 1 + rng.NextBelow(3);
    ASSERT_OK(store.Add(piece, count));
    counts[piece] += count;
  }
}

TEST(CountStoreTest, RunsCountAsMemoryDoes) {
  const TemporaryDirectory folder(MemoryFolder());
  ScratchFolder scratch(PosixFileSystem(), folder.File("scratch"));
  CountStore store(&scratch, 160'000);
  Counts want;
  AddRandom(1, 10'000, store, want);
  EXPECT_GT(store.runs().size(), 2);
  EXPECT_LE(store.in_memory().memory_bytes(), 160'000);
  EXPECT_EQ(CountsOf(store), want);
  EXPECT_EQ(CountsOf(store), want) << "a second time";
  AddRandom(2, 100, store, want);
  EXPECT_EQ(CountsOf(store), want) << "after more";
}

// More runs than can be read at once are merged in steps.
TEST(CountStoreTest, ManyRunsAreMerged) {
  const TemporaryDirectory folder(MemoryFolder());
  ScratchFolder scratch(PosixFileSystem(), folder.File("scratch"));
  CountStore store(&scratch, SIZE_MAX);
  Counts want;
  for (uint64_t run = 0; run < 150; ++run) {
    AddRandom(run, 20, store, want);
    ASSERT_OK(store.Spill());
  }
  EXPECT_EQ(store.runs().size(), 150);
  EXPECT_EQ(CountsOf(store), want);
  EXPECT_LE(store.runs().size(), 64);
}

TEST(CountStoreTest, TakesAndAbsorbsOthers) {
  const TemporaryDirectory folder(MemoryFolder());
  ScratchFolder scratch(PosixFileSystem(), folder.File("scratch"));
  for (const bool spills : {false, true}) {
    CountStore to(spills ? &scratch : nullptr, 160'000);
    CountStore taken(spills ? &scratch : nullptr, 160'000);
    CountStore absorbed(&scratch, 130'000);
    Counts want;
    AddRandom(1, 3'000, to, want);
    AddRandom(2, 5'000, taken, want);
    AddRandom(3, 5'000, absorbed, want);
    ASSERT_OK(to.Take(taken));
    ASSERT_OK(to.Absorb(absorbed, PosixFileSystem()));
    EXPECT_EQ(CountsOf(to), want);
    EXPECT_TRUE(CountsOf(taken).empty());
  }
}

TEST(CountStoreTest, ReportsFailuresOfTheDisk) {
  const TemporaryDirectory folder(MemoryFolder());
  for (uint64_t n = 1;; ++n) {
    FaultFileSystem files(PosixFileSystem(), folder.path());
    ScratchFolder scratch(files, folder.File("scratch"));
    CountStore store(&scratch, SIZE_MAX);
    files.FailOperation(n, absl::ResourceExhaustedError("no space"));
    absl::Status status;
    for (const char* piece : {"a", "b"}) {
      if (status.ok()) status = store.Add(piece, 1);
      if (status.ok()) status = store.Spill();
    }
    if (!files.fault_happened()) break;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted)) << "operation " << n;
  }
}

TEST(ScratchFolderTest, LeavesNothing) {
  const TemporaryDirectory folder(MemoryFolder());
  {
    ScratchFolder scratch(PosixFileSystem(), folder.File("scratch"));
    EXPECT_FALSE(PosixFileSystem().Exists(folder.File("scratch")));
    ASSERT_OK_AND_ASSIGN(const std::string first, scratch.NewPath());
    ASSERT_OK_AND_ASSIGN(const std::string second, scratch.NewPath());
    EXPECT_NE(first, second);
    EXPECT_TRUE(PosixFileSystem().Exists(folder.File("scratch")));
  }
  EXPECT_FALSE(PosixFileSystem().Exists(folder.File("scratch")));
}

}  // namespace
}  // namespace clm
