#include "core/tokenizer/record_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MemoryFolder;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

void Write(const std::string& path, const std::vector<std::string>& records) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RecordWriter> writer, RecordWriter::Create(PosixFileSystem(), path));
  for (const std::string& record : records) ASSERT_OK(writer->Append(record));
  EXPECT_EQ(writer->records(), records.size());
  ASSERT_OK(writer->Finish(/*sync=*/true));
}

absl::Status Read(const std::string& path, std::vector<std::string>& records) {
  absl::StatusOr<std::unique_ptr<RecordReader>> reader = RecordReader::Open(PosixFileSystem(), path);
  if (!reader.ok()) return reader.status();
  absl::string_view record;
  while (true) {
    const absl::StatusOr<bool> is_there = (*reader)->Next(record);
    if (!is_there.ok()) return is_there.status();
    if (!*is_there) return absl::OkStatus();
    records.emplace_back(record);
  }
}

TEST(VarintTest, RoundTripsAtEveryLength) {
  std::string all;
  std::vector<uint64_t> values;
  for (int bits = 0; bits < 64; ++bits) {
    for (const uint64_t value : {uint64_t{1} << bits, (uint64_t{1} << bits) - 1}) values.push_back(value);
  }
  values.push_back(UINT64_MAX);
  for (const uint64_t value : values) AppendVarint(value, all);
  absl::string_view rest = all;
  for (const uint64_t want : values) {
    uint64_t value = 0;
    ASSERT_TRUE(TakeVarint(rest, value));
    EXPECT_EQ(value, want);
  }
  uint64_t value = 0;
  EXPECT_FALSE(TakeVarint(rest, value));
  rest = "\xFF\xFF";
  EXPECT_FALSE(TakeVarint(rest, value));
  EXPECT_EQ(rest.size(), 2);
}

TEST(RecordFileTest, RoundTripsRecordsOfAnyLength) {
  const TemporaryDirectory folder(MemoryFolder());
  std::vector<std::string> records = {
      "", "a", std::string(kRecordBlockBytes, 'b'), "c", std::string(3 * kRecordBlockBytes, 'd'), std::string(1, '\0')};
  for (int i = 0; i < 20'000; ++i) records.push_back("record " + std::to_string(i));
  Write(folder.File("records"), records);
  std::vector<std::string> got;
  ASSERT_OK(Read(folder.File("records"), got));
  EXPECT_EQ(got, records);
  Write(folder.File("empty"), {});
  got.clear();
  ASSERT_OK(Read(folder.File("empty"), got));
  EXPECT_TRUE(got.empty());
}

TEST(RecordFileTest, NoticesDamageAnywhere) {
  const TemporaryDirectory folder(MemoryFolder());
  Write(folder.File("records"), {"first", "second"});
  ASSERT_OK_AND_ASSIGN(const std::string sound, ReadFile(PosixFileSystem(), folder.File("records"), 1000));
  std::vector<std::string> got;
  for (size_t at = 0; at < sound.size(); ++at) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File("damaged"), damaged));
    EXPECT_THAT(Read(folder.File("damaged"), got), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("damaged")));
    ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File("short"), sound.substr(0, at)));
    EXPECT_EQ(Read(folder.File("short"), got).ok(), at == 0) << "cut at " << at;
  }
}

}  // namespace
}  // namespace clm
