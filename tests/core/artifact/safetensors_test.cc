#include "core/artifact/safetensors.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/byte_writer.h"
#include "core/base/rng.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A file of this header and data.
std::string File(const std::string& header, const std::string& data) {
  ByteWriter out;
  out.WriteU64(header.size());
  out.WriteBytes(header);
  out.WriteBytes(data);
  return out.Take();
}
std::string FileOf(const std::string& entries, size_t data_bytes) {
  return File("{" + entries + "}", std::string(data_bytes, 'd'));
}

class SafetensorsTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Write(const std::vector<TensorView>& tensors,
                                    const std::map<std::string, std::string>& metadata = {}) {
    const absl::Status status = WriteSafetensors(files_, folder_.File("model.safetensors"), tensors, metadata);
    if (!status.ok()) return status;
    return ReadFile(files_, folder_.File("model.safetensors"), 1 << 20);
  }
  static void ExpectRefused(const std::string& file, const std::string& part) {
    EXPECT_THAT(SafetensorsFile::Parse(file), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(part))) << file;
  }

  TemporaryDirectory folder_;
  FileSystem& files_ = PosixFileSystem();
};

TEST_F(SafetensorsTest, WritesTheDocumentedBytes) {
  const std::string floats(8, 'f');
  ASSERT_OK_AND_ASSIGN(const std::string file, Write({{"b", TensorType::kU8, {3}, "xyz"},
                                                      {"a", TensorType::kU8, {}, "s"},
                                                      {"w", TensorType::kF32, {2, 1}, floats}},
                                                     {{"format", "pt"}}));
  std::string header =
      R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"U8","shape":[],"data_offsets":[8,9]},"b":{"dtype":"U8","shape":[3],"data_offsets":[9,12]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  EXPECT_EQ(file, File(header, floats + "sxyz"));
}

TEST_F(SafetensorsTest, EveryTypeComesBack) {
  std::vector<TensorView> tensors;
  const std::string data(48, 'x');
  for (int type = 0; type <= static_cast<int>(TensorType::kU64); ++type) {
    const auto tensor_type = static_cast<TensorType>(type);
    tensors.push_back({absl::StrCat("t.", TensorTypeName(tensor_type)),
                       tensor_type,
                       {2, 3},
                       absl::string_view(data).substr(0, 6 * TensorTypeBytes(tensor_type))});
  }
  tensors.push_back({"empty", TensorType::kF32, {5, 0, 2}, ""});
  ASSERT_OK(Write(tensors, {{"key \"quoted\"", "\xc3\xa9\n"}}));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(files_, folder_.File("model.safetensors")));
  EXPECT_EQ(file.tensors().size(), tensors.size());
  for (const TensorView& want : tensors) {
    const TensorView* found = file.Find(want.name);
    ASSERT_NE(found, nullptr) << want.name;
    EXPECT_EQ(found->type, want.type);
    EXPECT_EQ(found->shape, want.shape);
    EXPECT_EQ(found->bytes, want.bytes);
    // Memory is mapped at a page, so a tensor's place in the file is its alignment.
    EXPECT_EQ(reinterpret_cast<uintptr_t>(found->bytes.data()) % TensorTypeBytes(want.type), 0u) << want.name;
  }
  EXPECT_EQ(file.Find("t"), nullptr);
  EXPECT_EQ(file.metadata().at("key \"quoted\""), "\xc3\xa9\n");
}

TEST_F(SafetensorsTest, AFileWithoutTensorsIsValid) {
  ASSERT_OK_AND_ASSIGN(const std::string file, Write({}));
  EXPECT_EQ(file, File("{}      ", ""));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile parsed, SafetensorsFile::Parse(file));
  EXPECT_THAT(parsed.tensors(), IsEmpty());
}

TEST_F(SafetensorsTest, ReadsTensorsInAnyOrderOfTheFile) {
  const std::string file = FileOf(R"("b":{"data_offsets":[0,2],"shape":[2],"dtype":"I8"},)"
                                  R"("e":{"data_offsets":[2,2],"shape":[0],"dtype":"I8"},)"
                                  R"("a":{"dtype":"I16","shape":[1,1],"data_offsets":[2,4]})",
                                  4);
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile parsed, SafetensorsFile::Parse(file));
  ASSERT_EQ(parsed.tensors().size(), 3u);
  EXPECT_EQ(parsed.tensors()[0].name, "a");
  EXPECT_THAT(parsed.tensors()[0].shape, ElementsAre(1, 1));
  EXPECT_EQ(parsed.tensors()[1].bytes.size(), 2u);
}

TEST_F(SafetensorsTest, RefusesFilesThatAreTooShort) {
  ASSERT_OK_AND_ASSIGN(const std::string file, Write({{"a", TensorType::kU8, {4}, "1234"}}));
  for (size_t length = 0; length < file.size(); ++length) {
    ASSERT_THAT(SafetensorsFile::Parse(file.substr(0, length)), StatusIs(absl::StatusCode::kDataLoss)) << length;
  }
  ExpectRefused(file + "x", "the file has 5");
}

TEST_F(SafetensorsTest, RefusesHostileHeaders) {
  ByteWriter bomb;
  bomb.WriteU64(~uint64_t{0});
  bomb.WriteBytes("{}");
  ExpectRefused(bomb.Take(), "limit is 100000000");
  ByteWriter beyond;
  beyond.WriteU64(100'000'001);
  ExpectRefused(beyond.Take(), "100000001");
  ExpectRefused(File("", ""), "'{'");
  ExpectRefused(File(" {}", ""), "'{'");
  ExpectRefused(File("[]", ""), "'{'");
  ExpectRefused(File("{}{}", ""), "header");
  ExpectRefused(File(std::string(100000, '{'), ""), "header");
  ExpectRefused(File("{\"a\":" + std::string(100000, '[') + "}", ""), "deeper than 3");
  ExpectRefused(File("{\"\xff\":1}", ""), "header");
}

TEST_F(SafetensorsTest, RefusesBadEntries) {
  const auto entry = [](const std::string& type, const std::string& shape, const std::string& offsets) {
    return absl::StrCat("\"a\":{\"dtype\":", type, ",\"shape\":", shape, ",\"data_offsets\":", offsets, "}");
  };
  EXPECT_OK(SafetensorsFile::Parse(FileOf(entry("\"U8\"", "[4]", "[0,4]"), 4)));
  const auto refused = [&](const std::string& type, const std::string& shape, const std::string& offsets,
                           const std::string& part) { ExpectRefused(FileOf(entry(type, shape, offsets), 4), part); };
  refused("\"u8\"", "[4]", "[0,4]", "unknown dtype");
  refused("8", "[4]", "[0,4]", "unknown dtype");
  refused("\"U8\"", "[-4]", "[0,4]", "integers from 0");
  refused("\"U8\"", "[4.0]", "[0,4]", "integers from 0");
  refused("\"U8\"", "[\"4\"]", "[0,4]", "integers from 0");
  refused("\"U8\"", "4", "[0,4]", "not a list");
  refused("\"U8\"", "[4]", "[0,4,4]", "[begin, end]");
  refused("\"U8\"", "[4]", "[0]", "[begin, end]");
  refused("\"U8\"", "[4]", "[4,0]", "[begin, end]");
  refused("\"U8\"", "[4]", "[-1,3]", "integers from 0");
  refused("\"U8\"", "[4]", "[0,3]", "spans 3 bytes, its shape takes 4");
  refused("\"U16\"", "[4]", "[0,4]", "its shape takes 8");
  refused("\"U8\"", "[5]", "[0,5]", "the file has 4");
  refused("\"U8\"", "[3]", "[1,4]", "hole");
  refused("\"U8\"", "[3]", "[0,3]", "the file has 4");
  refused("\"U8\"", "[18446744073709551615]", "[0,18446744073709551615]", "the file has 4");
  // 2^32 * 2^32 wraps to 0 in 64 bits.
  refused("\"U8\"", "[4294967296,4294967296]", "[0,0]", "more than 2^64-1");
  refused("\"U64\"", "[2305843009213693952]", "[0,0]", "more than 2^64-1");
  refused("\"U8\"", "[18446744073709551616]", "[0,4]", "integers from 0");
  ExpectRefused(FileOf("\"a\":5", 0), "exactly dtype, shape and data_offsets");
  ExpectRefused(FileOf("\"a\":{\"dtype\":\"U8\",\"shape\":[0]}", 0), "exactly");
  ExpectRefused(FileOf("\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":1}", 0), "exactly");
  ExpectRefused(FileOf("\"\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", 0), "empty name");
}

TEST_F(SafetensorsTest, RefusesOverlapsHolesAndDoubles) {
  const auto tensor = [](const char* name, int begin, int end) {
    return absl::StrCat("\"", name, "\":{\"dtype\":\"U8\",\"shape\":[", end - begin, "],\"data_offsets\":[", begin, ",",
                        end, "]}");
  };
  EXPECT_OK(SafetensorsFile::Parse(FileOf(tensor("a", 0, 4) + "," + tensor("b", 4, 8), 8)));
  ExpectRefused(FileOf(tensor("a", 0, 4) + "," + tensor("b", 3, 8), 8), "inside the one before");
  ExpectRefused(FileOf(tensor("a", 0, 8) + "," + tensor("b", 0, 8), 8), "inside the one before");
  ExpectRefused(FileOf(tensor("a", 0, 3) + "," + tensor("b", 4, 8), 8), "hole");
  ExpectRefused(FileOf(tensor("a", 0, 4) + "," + tensor("a", 4, 8), 8), "occurs twice");
  ExpectRefused(FileOf(tensor("a", 0, 4) + ",\"\\u0061\":" + tensor("", 4, 8).substr(3), 8), "occurs twice");
}

TEST_F(SafetensorsTest, RefusesBadMetadata) {
  EXPECT_OK(SafetensorsFile::Parse(FileOf(R"("__metadata__":{"a":"b"})", 0)));
  ExpectRefused(FileOf(R"("__metadata__":{"a":1})", 0), "not a string");
  ExpectRefused(FileOf(R"("__metadata__":"a")", 0), "not an object");
  ExpectRefused(FileOf(R"("__metadata__":{"a":"b","a":"c"})", 0), "occurs twice");
}

TEST_F(SafetensorsTest, DamageNeverLeadsOutsideTheFile) {
  ASSERT_OK_AND_ASSIGN(const std::string file,
                       Write({{"a", TensorType::kU8, {4}, "1234"}, {"b", TensorType::kF32, {2}, "12345678"}}));
  CounterRng rng(1, "safetensors_test", 0);
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = file;
    const uint64_t changes = 1 + rng.NextBelow(3);
    for (uint64_t i = 0; i < changes; ++i) {
      damaged[rng.NextBelow(damaged.size())] = static_cast<char>("0123456789[]{},:\"\\ \xff"[rng.NextBelow(20)]);
    }
    const absl::StatusOr<SafetensorsFile> parsed = SafetensorsFile::Parse(damaged);
    if (!parsed.ok()) continue;
    for (const TensorView& tensor : parsed->tensors()) {
      ASSERT_GE(tensor.bytes.data(), damaged.data());
      ASSERT_LE(tensor.bytes.data() + tensor.bytes.size(), damaged.data() + damaged.size());
    }
  }
}

TEST_F(SafetensorsTest, TheWriterRefusesWhatTheReaderWould) {
  const auto refused = [&](const std::vector<TensorView>& tensors, const char* part) {
    EXPECT_THAT(Write(tensors), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(part)));
  };
  refused({{"a", TensorType::kU8, {3}, "1234"}}, "its shape takes 3");
  refused({{"a", TensorType::kU8, {~uint64_t{0}, 2}, ""}}, "more than 2^64-1");
  refused({{"", TensorType::kU8, {0}, ""}}, "name");
  refused({{"__metadata__", TensorType::kU8, {0}, ""}}, "name");
  refused({{"\xff", TensorType::kU8, {0}, ""}}, "name");
  refused({{"a", TensorType::kU8, {0}, ""}, {"a", TensorType::kF32, {0}, ""}}, "occurs twice");
  EXPECT_THAT(Write({}, {{"a", "\xff"}}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("metadata")));
}

TEST_F(SafetensorsTest, OpenNamesTheFile) {
  EXPECT_THAT(SafetensorsFile::Open(files_, folder_.File("none")), StatusIs(absl::StatusCode::kNotFound));
  const auto file = files_.Create(folder_.File("bad")).value();
  ASSERT_OK(file->Append("short"));
  EXPECT_THAT(SafetensorsFile::Open(files_, folder_.File("bad")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(folder_.File("bad"))));
}

}  // namespace
}  // namespace clm
