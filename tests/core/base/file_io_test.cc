#include "core/base/file_io.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/fault_file_system.h"
#include "core/base/status_macros.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::MemoryFolder;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kLimit = 1 << 20;

absl::Status Write(FileSystem& files, const std::string& path, absl::string_view data) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create(path));
  CLM_RETURN_IF_ERROR(file->Append(data));
  return file->Close();
}

class PosixFileSystemTest : public ::testing::Test {
 protected:
  std::string Path(absl::string_view name) const { return folder_.File(name); }
  std::string Read(absl::string_view name) { return ReadFile(files_, Path(name), kLimit).value_or("unreadable"); }

  TemporaryDirectory folder_;
  FileSystem& files_ = PosixFileSystem();
};

TEST_F(PosixFileSystemTest, CreateTruncatesAndAppendKeeps) {
  ASSERT_OK(Write(files_, Path("a"), "first"));
  ASSERT_OK(Write(files_, Path("a"), "2nd"));
  EXPECT_EQ(Read("a"), "2nd");
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Append(Path("a")));
  ASSERT_OK(file->Append(" and more"));
  ASSERT_OK(file->Append(""));
  ASSERT_OK(file->Sync());
  ASSERT_OK(file->Close());
  ASSERT_OK(file->Close());
  EXPECT_EQ(Read("a"), "2nd and more");
  EXPECT_THAT(*files_.SizeBytes(Path("a")), 12u);
}

TEST_F(PosixFileSystemTest, ReadsAtAnyOffset) {
  ASSERT_OK(Write(files_, Path("a"), "0123456789"));
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Open(Path("a")));
  EXPECT_EQ(file->size_bytes(), 10u);
  std::string out;
  EXPECT_OK(file->Read(3, 4, out));
  EXPECT_EQ(out, "3456");
  EXPECT_OK(file->Read(8, 100, out));
  EXPECT_EQ(out, "89");
  EXPECT_OK(file->Read(10, 1, out));
  EXPECT_EQ(out, "");
  EXPECT_OK(file->Read(~uint64_t{0}, ~size_t{0}, out));
  EXPECT_EQ(out, "");
}

TEST_F(PosixFileSystemTest, MapsWholeFilesAlsoEmptyOnes) {
  ASSERT_OK(Write(files_, Path("a"), std::string("x\0y", 3)));
  ASSERT_OK(Write(files_, Path("empty"), ""));
  EXPECT_EQ((*files_.Map(Path("a")))->data(), absl::string_view("x\0y", 3));
  EXPECT_EQ((*files_.Map(Path("empty")))->data(), "");
}

TEST_F(PosixFileSystemTest, ErrorsCarryCodeOperationAndPath) {
  EXPECT_THAT(files_.Open(Path("none")),
              StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr("open"), HasSubstr("none"))));
  EXPECT_THAT(files_.Map(Path("none")), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(files_.Create(Path("no/folder")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("create")));
  EXPECT_THAT(files_.SizeBytes(Path("none")), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(files_.List(Path("none")), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(files_.RemoveFile(Path("none")), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(files_.Rename(Path("none"), Path("b")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("none to ")));
  EXPECT_THAT(files_.Truncate(Path("none"), 0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(files_.SyncDirectory(Path("none")), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(files_.RemoveTree(Path("none")));
}

TEST_F(PosixFileSystemTest, ReadsRegularFilesOnly) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(files_.Open(Path("pipe")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("regular file")));
  EXPECT_THAT(files_.Open(folder_.path()), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a folder")));
  EXPECT_THAT(files_.Map(folder_.path()), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(PosixFileSystemTest, AFullDiskIsResourceExhausted) {
  if (!files_.Exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Append("/dev/full"));
  EXPECT_THAT(file->Append("x"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("No space left")));
}

TEST_F(PosixFileSystemTest, KeepsFolders) {
  EXPECT_OK(files_.MakeDirectories(Path("a/b/c")));
  EXPECT_OK(files_.MakeDirectories(Path("a/b/c")));
  ASSERT_OK(Write(files_, Path("a/2"), ""));
  ASSERT_OK(Write(files_, Path("a/1"), ""));
  EXPECT_THAT(*files_.List(Path("a")), ElementsAre("1", "2", "b"));
  EXPECT_TRUE(*files_.IsDirectory(Path("a/b")));
  EXPECT_FALSE(*files_.IsDirectory(Path("a/1")));
  EXPECT_OK(files_.SyncDirectory(Path("a")));
  EXPECT_THAT(files_.MakeDirectories(Path("a/1/x")), ::testing::Not(IsOk()));
  EXPECT_OK(files_.Rename(Path("a/1"), Path("a/2")));
  EXPECT_OK(files_.RemoveTree(Path("a")));
  EXPECT_FALSE(files_.Exists(Path("a")));
}

TEST_F(PosixFileSystemTest, TruncatesToTheSizeAsked) {
  ASSERT_OK(Write(files_, Path("a"), "0123456789"));
  EXPECT_OK(files_.Truncate(Path("a"), 4));
  EXPECT_EQ(Read("a"), "0123");
}

TEST_F(PosixFileSystemTest, ReadFileKeepsItsLimit) {
  ASSERT_OK(Write(files_, Path("a"), "0123456789"));
  EXPECT_OK(ReadFile(files_, Path("a"), 10));
  EXPECT_THAT(ReadFile(files_, Path("a"), 9),
              StatusIs(absl::StatusCode::kResourceExhausted, AllOf(HasSubstr("10 bytes"), HasSubstr("limit is 9"))));
}

TEST(JoinPathTest, PutsOneSlashBetween) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "/b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

TEST(LockFolderTest, RefusesTheSecondHolderByNameAndNumber) {
  TemporaryDirectory folder;
  {
    ASSERT_OK_AND_ASSIGN(const auto lock, LockFolder(folder.path()));
    EXPECT_THAT(LockFolder(folder.path()),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr(folder.path()), HasSubstr(absl::StrCat("process ", getpid())))));
  }
  EXPECT_OK(LockFolder(folder.path()));
  EXPECT_THAT(LockFolder(folder.File("none")), StatusIs(absl::StatusCode::kNotFound));
}

TEST(LockFolderTest, HoldsAgainstAnotherProcessAndEndsWithIt) {
  TemporaryDirectory folder;
  int ready[2];
  int done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = LockFolder(folder.path());
    const char byte = lock.ok() ? 'y' : 'n';
    char ignored = 0;
    const bool spoke = write(ready[1], &byte, 1) == 1 && read(done[0], &ignored, 1) == 1;
    _exit(spoke ? 0 : 1);  // without giving the lock back
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_THAT(LockFolder(folder.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(absl::StrCat(child))));
  ASSERT_EQ(write(done[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_OK(LockFolder(folder.path()));
  for (const int fd : {ready[0], ready[1], done[0], done[1]}) close(fd);
}

// ---- what a crash leaves, at every operation

class PublishTest : public ::testing::TestWithParam<FaultFileSystem::CrashKind> {};

TEST_P(PublishTest, AtomicWriteLeavesTheOldOrTheNewContent) {
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    TemporaryDirectory folder(MemoryFolder());
    const std::string path = folder.File("state");
    ASSERT_OK(Write(PosixFileSystem(), path, "old"));
    FaultFileSystem files(PosixFileSystem(), folder.path());
    files.FailFrom(n, absl::InternalError("power cut"));
    const absl::Status status = WriteFileAtomically(files, path, "new");
    reached = files.fault_happened();
    EXPECT_EQ(status.ok(), !reached);
    files.Crash(GetParam());
    const std::string content = ReadFile(files, path, kLimit).value_or("unreadable");
    EXPECT_TRUE(content == "new" || (!status.ok() && content == "old")) << n << ": " << content;
  }
}

TEST_P(PublishTest, AtomicWriteThatFailsLeavesTheOldContentAndNoRubbish) {
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    TemporaryDirectory folder(MemoryFolder());
    const std::string path = folder.File("state");
    ASSERT_OK(Write(PosixFileSystem(), path, "old"));
    FaultFileSystem files(PosixFileSystem(), folder.path());
    files.FailOperation(n, absl::ResourceExhaustedError("no space left"));
    const absl::Status status = WriteFileAtomically(files, path, "new");
    reached = files.fault_happened();
    if (!reached) break;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_THAT(*files.List(folder.path()), ElementsAre("state"));
  }
}

TEST_P(PublishTest, DirectoryIsThereWholeOrNotAtAll) {
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    TemporaryDirectory folder(MemoryFolder());
    ASSERT_OK(PosixFileSystem().MakeDirectories(folder.File("tmp")));
    ASSERT_OK(PosixFileSystem().MakeDirectories(folder.File("out")));
    FaultFileSystem files(PosixFileSystem(), folder.path());
    const std::string draft = folder.File("tmp/draft");
    ASSERT_OK(files.MakeDirectories(draft + "/inner"));
    ASSERT_OK(Write(files, draft + "/a", "one"));
    ASSERT_OK(Write(files, draft + "/inner/b", "two"));
    files.FailFrom(n, absl::InternalError("power cut"));
    const absl::Status status = PublishDirectory(files, draft, folder.File("out/final"));
    reached = files.fault_happened();
    files.Crash(GetParam());
    if (!status.ok() && !files.Exists(folder.File("out/final"))) continue;
    EXPECT_EQ(ReadFile(files, folder.File("out/final/a"), kLimit).value_or("unreadable"), "one") << n;
    EXPECT_EQ(ReadFile(files, folder.File("out/final/inner/b"), kLimit).value_or("unreadable"), "two") << n;
    EXPECT_FALSE(files.Exists(draft)) << n;
  }
}

TEST_P(PublishTest, DurableDirectoriesSurvive) {
  TemporaryDirectory folder(MemoryFolder());
  FaultFileSystem files(PosixFileSystem(), folder.path());
  ASSERT_OK(MakeDurableDirectories(files, folder.File("a/b/c")));
  ASSERT_OK(MakeDurableDirectories(files, folder.File("a/b/c")));
  ASSERT_OK(files.MakeDirectories(folder.File("a/b/d")));
  files.Crash(GetParam());
  EXPECT_TRUE(files.Exists(folder.File("a/b/c")));
}

INSTANTIATE_TEST_SUITE_P(Kinds, PublishTest,
                         ::testing::Values(FaultFileSystem::CrashKind::kLosesNames,
                                           FaultFileSystem::CrashKind::kKeepsNames));

TEST(PublishDirectoryTest, RefusesAnExistingTarget) {
  TemporaryDirectory folder(MemoryFolder());
  FileSystem& files = PosixFileSystem();
  ASSERT_OK(files.MakeDirectories(folder.File("from")));
  ASSERT_OK(files.MakeDirectories(folder.File("to")));
  EXPECT_THAT(PublishDirectory(files, folder.File("from"), folder.File("to")),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("to exists")));
}

}  // namespace
}  // namespace clm
