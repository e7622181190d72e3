#include "core/data/input_stream.h"

#include "core/base/rng.h"
#include "core/base/status_macros.h"
#include "tests/core/data/compression.h"
#include "tests/core/data/plain_write.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::Gzip;
using ::clm::testing::StatusIs;
using ::clm::testing::Zstd;
using ::testing::HasSubstr;

// Bytes that compress to about half.
std::string SomeBytes(size_t size) {
  CounterRng rng(7, "test", 0);
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(rng.NextBelow(16)));
  return bytes;
}

class InputStreamTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> ReadAll(const std::string& name, const std::string& stored) {
    const std::string path = directory_.File(name);
    CLM_RETURN_IF_ERROR(testing::PlainWrite(PosixFileSystem(), path, stored));
    CLM_ASSIGN_OR_RETURN(const auto stream, OpenInput(PosixFileSystem(), path));
    std::string all;
    std::string chunk;
    do {
      CLM_RETURN_IF_ERROR(stream->Read(chunk));
      EXPECT_LE(chunk.size(), InputStream::kChunkBytes);
      all += chunk;
    } while (!chunk.empty());
    EXPECT_EQ(stream->stored_bytes_read(), stored.size());
    return all;
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(InputStreamTest, EveryKindGivesTheBytesBack) {
  for (const size_t size : {size_t{0}, size_t{1}, InputStream::kChunkBytes, 3 * InputStream::kChunkBytes + 17}) {
    const std::string bytes = SomeBytes(size);
    ASSERT_OK_AND_ASSIGN(const std::string plain, ReadAll("a.txt", bytes));
    ASSERT_OK_AND_ASSIGN(const std::string gzip, ReadAll("a.txt.gz", Gzip(bytes)));
    ASSERT_OK_AND_ASSIGN(const std::string zstd, ReadAll("a.txt.zst", Zstd(bytes)));
    EXPECT_TRUE(plain == bytes && gzip == bytes && zstd == bytes) << size;
  }
}

TEST_F(InputStreamTest, MembersAndFramesAreJoined) {
  const std::string big = SomeBytes(300'000);
  ASSERT_OK_AND_ASSIGN(const std::string gzip, ReadAll("a.gz", Gzip("one ") + Gzip("") + Gzip(big)));
  EXPECT_EQ(gzip, "one " + big);
  ASSERT_OK_AND_ASSIGN(const std::string zstd, ReadAll("a.zst", Zstd("one ") + Zstd("") + Zstd(big)));
  EXPECT_EQ(zstd, "one " + big);
  ASSERT_OK_AND_ASSIGN(const std::string padded, ReadAll("b.gz", Gzip("text") + std::string(1'000, '\0')));
  EXPECT_EQ(padded, "text");
}

TEST_F(InputStreamTest, HighlyCompressibleDataIsReadInChunks) {
  const std::string bytes(5'000'000, 'a');
  ASSERT_OK_AND_ASSIGN(const std::string gzip, ReadAll("a.gz", Gzip(bytes)));
  EXPECT_TRUE(gzip == bytes);
  ASSERT_OK_AND_ASSIGN(const std::string zstd, ReadAll("a.zst", Zstd(bytes)));
  EXPECT_TRUE(zstd == bytes);
}

TEST_F(InputStreamTest, EveryTruncationIsDataLossNamingTheFile) {
  const std::string text = SomeBytes(100);
  for (const auto& [name, stored] : {std::pair{"a.gz", Gzip(text)}, std::pair{"a.zst", Zstd(text)}}) {
    for (size_t length = 0; length < stored.size(); ++length) {
      const auto read = ReadAll(name, stored.substr(0, length));
      ASSERT_THAT(read, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(name))) << length;
    }
  }
}

TEST_F(InputStreamTest, DamageIsDataLossNamingTheFile) {
  std::string gzip = Gzip(SomeBytes(500));
  gzip[gzip.size() - 6] = static_cast<char>(gzip[gzip.size() - 6] ^ 1);  // in the CRC
  EXPECT_THAT(ReadAll("a.gz", gzip), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.gz")));
  EXPECT_THAT(ReadAll("b.gz", "plain text"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("b.gz")));
  EXPECT_THAT(ReadAll("c.gz", Gzip("text") + "garbage"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("member 2")));
  EXPECT_THAT(ReadAll("d.zst", "plain text"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("d.zst")));
}

TEST_F(InputStreamTest, AMissingFileIsNotFound) {
  EXPECT_THAT(OpenInput(PosixFileSystem(), directory_.File("none.gz")), StatusIs(absl::StatusCode::kNotFound));
}

TEST(WithoutCompressionSuffixTest, OneSuffixIsTakenOff) {
  EXPECT_EQ(WithoutCompressionSuffix("a.jsonl.gz"), "a.jsonl");
  EXPECT_EQ(WithoutCompressionSuffix("a.jsonl.zst"), "a.jsonl");
  EXPECT_EQ(WithoutCompressionSuffix("a.txt"), "a.txt");
}

}  // namespace
}  // namespace clm
