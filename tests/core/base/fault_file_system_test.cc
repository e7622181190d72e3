#include "core/base/fault_file_system.h"

#include <fstream>
#include <memory>
#include <string>

#include "core/base/status_macros.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MemoryFolder;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using CrashKind = FaultFileSystem::CrashKind;

class FaultFileSystemTest : public ::testing::Test {
 protected:
  std::string Path(absl::string_view name) const { return folder_.File(name); }
  std::string Read(absl::string_view name) { return ReadFile(files_, Path(name), 1000).value_or("none"); }
  std::vector<std::string> Names() { return *files_.List(folder_.path()); }

  std::unique_ptr<WritableFile> Write(absl::string_view name, absl::string_view data) {
    auto file = files_.Create(Path(name));
    EXPECT_OK(file);
    EXPECT_OK((*file)->Append(data));
    return *std::move(file);
  }
  void WriteDurably(absl::string_view name, absl::string_view data) {
    EXPECT_OK(Write(name, data)->Sync());
    EXPECT_OK(files_.SyncDirectory(Path(name).substr(0, Path(name).rfind('/'))));
  }

  TemporaryDirectory folder_{MemoryFolder()};
  FaultFileSystem files_{PosixFileSystem(), folder_.path()};
};

TEST_F(FaultFileSystemTest, WithoutFaultsItIsTheFileSystemBelow) {
  EXPECT_OK(files_.MakeDirectories(Path("d/e")));
  const auto file = Write("d/e/f", "text");
  EXPECT_OK(file->Sync());
  EXPECT_OK(file->Close());
  EXPECT_EQ((*files_.Map(Path("d/e/f")))->data(), "text");
  EXPECT_OK(files_.Truncate(Path("d/e/f"), 2));
  EXPECT_OK(files_.Rename(Path("d/e"), Path("g")));
  EXPECT_EQ(Read("g/f"), "te");
  EXPECT_OK(files_.RemoveFile(Path("g/f")));
  EXPECT_OK(files_.RemoveTree(Path("g")));
  EXPECT_THAT(Names(), ElementsAre("d"));
  EXPECT_THAT(files_.RemoveFile(Path("none")), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(FaultFileSystemTest, DataIsLostUnlessSynced) {
  WriteDurably("a", "kept");
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Append(Path("a")));
  ASSERT_OK(file->Append(" lost"));
  EXPECT_EQ(Read("a"), "kept lost");
  files_.Crash(CrashKind::kKeepsNames);
  EXPECT_EQ(Read("a"), "kept");
}

TEST_F(FaultFileSystemTest, TruncationIsLostUnlessSynced) {
  WriteDurably("a", "kept");
  Write("a", "new");
  files_.Crash(CrashKind::kKeepsNames);
  EXPECT_EQ(Read("a"), "kept");
}

TEST_F(FaultFileSystemTest, NamesAreLostUnlessTheirFolderIsSynced) {
  EXPECT_OK(Write("a", "data")->Sync());
  EXPECT_OK(files_.MakeDirectories(Path("d")));
  files_.Crash(CrashKind::kLosesNames);
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(FaultFileSystemTest, NamesMaySurviveWithoutTheirData) {
  Write("a", "data");
  files_.Crash(CrashKind::kKeepsNames);
  EXPECT_EQ(Read("a"), "");
}

TEST_F(FaultFileSystemTest, RemovalIsUndoneUnlessTheFolderIsSynced) {
  WriteDurably("a", "data");
  EXPECT_OK(files_.RemoveFile(Path("a")));
  files_.Crash(CrashKind::kLosesNames);
  EXPECT_EQ(Read("a"), "data");
  EXPECT_OK(files_.RemoveFile(Path("a")));
  EXPECT_OK(files_.SyncDirectory(folder_.path()));
  files_.Crash(CrashKind::kLosesNames);
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(FaultFileSystemTest, RenameIsUndoneOrDoneAsAWhole) {
  for (const char* synced : {"", "from", "to"}) {
    ASSERT_OK(files_.MakeDirectories(Path("from")));
    ASSERT_OK(files_.MakeDirectories(Path("to")));
    ASSERT_OK(files_.SyncDirectory(folder_.path()));
    WriteDurably("from/a", "data");
    ASSERT_OK(files_.Rename(Path("from/a"), Path("to/b")));
    if (*synced != '\0') {
      ASSERT_OK(files_.SyncDirectory(Path(synced)));
    }
    files_.Crash(CrashKind::kLosesNames);
    EXPECT_EQ(Read("from/a"), *synced == '\0' ? "data" : "none") << synced;
    EXPECT_EQ(Read("to/b"), *synced == '\0' ? "none" : "data") << synced;
    ASSERT_OK(files_.RemoveTree(Path("from")));
    ASSERT_OK(files_.RemoveTree(Path("to")));
    ASSERT_OK(files_.SyncDirectory(folder_.path()));
  }
}

TEST_F(FaultFileSystemTest, RenameOverAFileBringsTheOldOneBack) {
  WriteDurably("state", "old");
  EXPECT_OK(Write("state.tmp", "new")->Sync());
  ASSERT_OK(files_.Rename(Path("state.tmp"), Path("state")));
  EXPECT_EQ(Read("state"), "new");
  files_.Crash(CrashKind::kLosesNames);
  EXPECT_EQ(Read("state"), "old");
}

TEST_F(FaultFileSystemTest, TheNthOperationFailsAndOnlyIt) {
  files_.FailOperation(3, absl::InternalError("third"));
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Create(Path("a")));
  EXPECT_OK(file->Append("x"));
  EXPECT_FALSE(files_.fault_happened());
  EXPECT_THAT(file->Sync(), StatusIs(absl::StatusCode::kInternal, "third"));
  EXPECT_TRUE(files_.fault_happened());
  EXPECT_OK(file->Sync());
  EXPECT_EQ(files_.operation_count(), 4u);
}

TEST_F(FaultFileSystemTest, FromTheNthOperationOnAllFail) {
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Create(Path("a")));
  files_.FailFrom(2, absl::InternalError("power cut"));
  EXPECT_OK(file->Append("x"));
  const auto failed = StatusIs(absl::StatusCode::kInternal, "power cut");
  EXPECT_THAT(file->Sync(), failed);
  EXPECT_THAT(file->Close(), failed);
  EXPECT_THAT(files_.Create(Path("b")), failed);
  EXPECT_THAT(files_.Append(Path("b")), failed);
  EXPECT_THAT(files_.MakeDirectories(Path("d")), failed);
  EXPECT_THAT(files_.Truncate(Path("a"), 0), failed);
  EXPECT_THAT(files_.Rename(Path("a"), Path("b")), failed);
  EXPECT_THAT(files_.RemoveFile(Path("a")), failed);
  EXPECT_THAT(files_.RemoveTree(Path("a")), failed);
  EXPECT_THAT(files_.SyncDirectory(folder_.path()), failed);
  EXPECT_THAT(Names(), ElementsAre("a"));
  files_.ClearFaults();
  EXPECT_OK(files_.RemoveTree(Path("a")));
}

TEST_F(FaultFileSystemTest, AFailingWriteLeavesAHalf) {
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Create(Path("a")));
  files_.FailOperation(1, absl::InternalError("torn"));
  EXPECT_THAT(file->Append("123456"), StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Read("a"), "123");
}

TEST_F(FaultFileSystemTest, RemovingATreeCanStopInTheMiddle) {
  ASSERT_OK(files_.MakeDirectories(Path("d")));
  for (const char* name : {"d/1", "d/2", "d/3"}) ASSERT_OK(Write(name, "x")->Close());
  files_.FailFrom(2, absl::InternalError("power cut"));
  EXPECT_THAT(files_.RemoveTree(Path("d")), StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(*files_.List(Path("d")), ElementsAre("1", "2"));
}

TEST_F(FaultFileSystemTest, TheDiskIsFullAtItsLimit) {
  files_.SpaceLimit(10);
  const auto file = Write("a", "123456");
  EXPECT_THAT(file->Append("78901"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("no space left")));
  EXPECT_EQ(Read("a"), "1234567890");
  EXPECT_OK(files_.Truncate(Path("a"), 4));
  const auto other = Write("b", "12345");
  EXPECT_THAT(other->Append("67"), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_OK(files_.RemoveFile(Path("a")));
  EXPECT_OK(other->Append("7890"));
  EXPECT_OK(files_.Rename(Path("b"), Path("c")));
  EXPECT_THAT(other->Append("x"), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(FaultFileSystemTest, OldHandlesAreDeadAfterACrash) {
  const auto file = Write("a", "data");
  files_.Crash(CrashKind::kKeepsNames);
  EXPECT_THAT(file->Append("x"), StatusIs(absl::StatusCode::kInternal, HasSubstr("crash")));
  EXPECT_THAT(file->Sync(), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(FaultFileSystemTest, NoticesFilesThatOthersWrote) {
  std::ofstream(Path("a")) << "data";
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Append(Path("a")));
  ASSERT_OK(file->Sync());
  ASSERT_OK(files_.SyncDirectory(folder_.path()));
  files_.Crash(CrashKind::kLosesNames);
  EXPECT_EQ(Read("a"), "data");
}

TEST_F(FaultFileSystemTest, SyncFollowsARenamedFile) {
  const auto file = Write("a", "data");
  ASSERT_OK(files_.Rename(Path("a"), Path("b")));
  ASSERT_OK(file->Sync());
  ASSERT_OK(files_.SyncDirectory(folder_.path()));
  files_.Crash(CrashKind::kLosesNames);
  EXPECT_EQ(Read("b"), "data");
}

TEST(FaultFileSystemImportTest, WhatWasThereBeforeIsSynced) {
  TemporaryDirectory folder(MemoryFolder());
  ASSERT_OK(PosixFileSystem().MakeDirectories(folder.File("d")));
  std::ofstream(folder.File("d/a")) << "data";
  FaultFileSystem files(PosixFileSystem(), folder.path());
  files.Crash(CrashKind::kLosesNames);
  EXPECT_EQ(*ReadFile(files, folder.File("d/a"), 100), "data");
}

TEST(FaultFileSystemImportTest, OtherFoldersArePassedThrough) {
  TemporaryDirectory folder(MemoryFolder());
  TemporaryDirectory other(MemoryFolder());
  FaultFileSystem files(PosixFileSystem(), folder.path());
  files.FailFrom(1, absl::InternalError("power cut"));
  EXPECT_OK(files.Create(other.File("a")));
  EXPECT_OK(files.MakeDirectories(other.File("d")));
  EXPECT_EQ(files.operation_count(), 0u);
}

}  // namespace
}  // namespace clm
