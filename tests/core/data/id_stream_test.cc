#include "core/data/id_stream.h"

#include <cstring>

#include "core/base/byte_writer.h"
#include "core/base/checksum.h"
#include "core/base/fault_file_system.h"
#include "core/base/status_macros.h"
#include "tests/core/data/plain_write.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct TestDocument {
  std::vector<SymbolId> symbols;
  uint64_t bytes = 0;
};

class IdStreamTest : public ::testing::Test {
 protected:
  IdStreamOptions Options(uint32_t vocab) const { return {.vocab_size = vocab, .boundary = vocab - 1}; }

  void Write(const std::vector<TestDocument>& documents, const IdStreamOptions& options) {
    ASSERT_OK_AND_ASSIGN(const auto writer, IdStreamWriter::Create(files_, path_, options));
    for (const TestDocument& document : documents) {
      ASSERT_OK(writer->AppendDocument(document.symbols, document.bytes));
    }
    ASSERT_OK(writer->Finish());
    ASSERT_OK_AND_ASSIGN(stored_, ReadFile(files_, path_, 1 << 24));
  }
  absl::StatusOr<std::unique_ptr<IdStream>> Open() { return IdStream::Open(files_, path_); }

  // Damage. Each writes the changed file.
  void Save() { ASSERT_OK(testing::PlainWrite(files_, path_, stored_)); }
  void Overwrite(size_t offset, const std::string& bytes) {
    stored_.replace(offset, bytes.size(), bytes);
    Save();
  }
  void SetU16(size_t offset, uint16_t value) {
    ByteWriter out;
    out.WriteU16(value);
    Overwrite(offset, out.Take());
  }
  void SetU64(size_t offset, uint64_t value) {
    ByteWriter out;
    out.WriteU64(value);
    Overwrite(offset, out.Take());
  }
  // Makes both checksums right again, so that only the rules themselves can refuse.
  void FixChecksums() {
    ByteWriter body;
    body.WriteU32(Crc32c(absl::string_view(stored_).substr(64)));
    Overwrite(56, body.Take());
    ByteWriter header;
    header.WriteU32(Crc32c(absl::string_view(stored_).substr(0, 60)));
    Overwrite(60, header.Take());
  }

  FileSystem& files_ = PosixFileSystem();
  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.File("build.token.ids");
  std::string stored_;
};

TEST_F(IdStreamTest, DocumentsComeBackWithTheirBordersAndBytes) {
  for (const uint32_t vocab : {uint32_t{300}, uint32_t{65'536}, uint32_t{65'537}, uint32_t{1} << 31}) {
    const std::vector<TestDocument> documents = {{{1, 2, 3}, 7}, {{}, 0}, {{vocab - 2}, 1}};
    Write(documents, Options(vocab));
    ASSERT_OK_AND_ASSIGN(const auto stream, Open());
    EXPECT_EQ(stream->documents(), 3U);
    EXPECT_EQ(stream->symbols(), 7U);
    EXPECT_EQ(stream->original_bytes(), 8U);
    EXPECT_EQ(stream->header().width(), vocab <= 65'536 ? 2U : 4U);
    std::vector<SymbolId> symbols;
    for (size_t d = 0; d < documents.size(); ++d) {
      stream->ReadDocument(d, symbols);
      std::vector<SymbolId> want = documents[d].symbols;
      want.push_back(vocab - 1);
      EXPECT_EQ(symbols, want);
      EXPECT_EQ(stream->DocumentBytes(d), documents[d].bytes);
    }
    stream->Read(2, 3, symbols);
    EXPECT_THAT(symbols, ElementsAre(3, vocab - 1, vocab - 1));
  }
}

// The layout of docs/formats/ids.md, byte by byte.
TEST_F(IdStreamTest, TheFileIsExactlyThatOfTheFormatPage) {
  IdStreamOptions options = Options(300);
  options.tokenizer_sha256 = "0123456789abcdef" + std::string(48, '0');
  options.universe_sha256 = "fedcba9876543210" + std::string(48, '0');
  Write({{{1, 258}, 5}}, options);
  ByteWriter body;
  for (const uint16_t id : std::initializer_list<uint16_t>{1, 258, 299, 0})
    body.WriteU16(id);  // ids, boundary, padding
  for (const uint64_t offset : std::initializer_list<uint64_t>{0, 0, 3, 5}) body.WriteU64(offset);
  ByteWriter file;
  file.WriteBytes("CLMI");
  file.WriteU16(1);
  file.WriteU8(2);
  file.WriteU8(0);
  file.WriteU32(300);
  file.WriteU32(299);
  file.WriteU64(3);
  file.WriteU64(1);
  file.WriteU64(5);
  file.WriteBytes("\xfe\xdc\xba\x98\x76\x54\x32\x10");
  file.WriteBytes("\x01\x23\x45\x67\x89\xab\xcd\xef");
  file.WriteU32(Crc32c(body.view()));
  file.WriteU32(Crc32c(file.view()));
  file.WriteBytes(body.view());
  EXPECT_EQ(stored_, file.Take());
}

TEST_F(IdStreamTest, AStreamWithoutDocumentsIsValid) {
  Write({}, Options(257));
  ASSERT_OK_AND_ASSIGN(const auto stream, Open());
  EXPECT_EQ(stream->documents(), 0U);
  EXPECT_EQ(stream->symbols(), 0U);
}

TEST_F(IdStreamTest, LargeStreamsSpillAndPartsAreRemoved) {
  ASSERT_OK_AND_ASSIGN(const auto writer, IdStreamWriter::Create(files_, path_, Options(70'000)));
  std::vector<SymbolId> symbols(400'000);
  for (size_t i = 0; i < symbols.size(); ++i) symbols[i] = static_cast<SymbolId>(i % 69'999);
  for (int d = 0; d < 3; ++d) ASSERT_OK(writer->AppendDocument(symbols, symbols.size()));
  ASSERT_OK_AND_ASSIGN(const IdStreamHeader header, writer->Finish());
  EXPECT_EQ(header.symbols, 3 * 400'001U);
  ASSERT_OK_AND_ASSIGN(const auto stream, Open());
  for (uint64_t i = 0; i < symbols.size(); ++i) ASSERT_EQ(stream->At(stream->SymbolOffset(2) + i), symbols[i]);
  ASSERT_OK_AND_ASSIGN(const auto names, files_.List(directory_.path()));
  EXPECT_THAT(names, ElementsAre("build.token.ids"));
}

TEST_F(IdStreamTest, AnAbandonedWriterLeavesNothing) {
  { ASSERT_OK_AND_ASSIGN(const auto writer, IdStreamWriter::Create(files_, path_, Options(10))); }
  ASSERT_OK_AND_ASSIGN(const auto names, files_.List(directory_.path()));
  EXPECT_THAT(names, ElementsAre());
}

TEST_F(IdStreamTest, AFailureAtAnyOperationIsReportedAndNeverLeavesAFileThatLooksComplete) {
  const auto write = [](FileSystem& files, const std::string& path) -> absl::Status {
    CLM_ASSIGN_OR_RETURN(const auto writer, IdStreamWriter::Create(files, path, {.vocab_size = 10, .boundary = 9}));
    CLM_RETURN_IF_ERROR(writer->AppendDocument(std::vector<SymbolId>{1, 2}, 2));
    return writer->Finish().status();
  };
  for (uint64_t n = 1; true; ++n) {
    testing::TemporaryDirectory directory;
    FaultFileSystem faulty(PosixFileSystem(), directory.path());
    faulty.FailFrom(n, absl::ResourceExhaustedError("disk full"));
    const absl::Status status = write(faulty, directory.File("a.ids"));
    const bool failed = faulty.fault_happened();
    const auto stream = IdStream::Open(PosixFileSystem(), directory.File("a.ids"));
    ASSERT_EQ(status.ok(), !failed) << n;
    if (stream.ok()) {
      EXPECT_EQ((*stream)->symbols(), 3U) << n;
    }
    if (!failed) {
      EXPECT_GT(n, 10U);
      EXPECT_OK(stream);
      break;
    }
  }
}

TEST_F(IdStreamTest, TheWriterRefusesWhatTheReaderWould) {
  ASSERT_OK_AND_ASSIGN(const auto writer, IdStreamWriter::Create(files_, path_, Options(10)));
  EXPECT_THAT(writer->AppendDocument(std::vector<SymbolId>{1, 10}, 1),
              StatusIs(absl::StatusCode::kOutOfRange, AllOf(HasSubstr("position 1"), HasSubstr("id 10"))));
  EXPECT_THAT(writer->AppendDocument(std::vector<SymbolId>{9}, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("boundary symbol 9")));
}

TEST_F(IdStreamTest, OptionsOutOfRangeAreNamed) {
  const auto create = [this](const IdStreamOptions& options) {
    return IdStreamWriter::Create(files_, path_, options).status();
  };
  EXPECT_THAT(create({.vocab_size = 0}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("vocab_size is 0")));
  EXPECT_THAT(create({.vocab_size = (uint32_t{1} << 31) + 1}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(create({.vocab_size = 5, .boundary = 5}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("boundary is 5")));
  EXPECT_THAT(create({.vocab_size = 5, .boundary = 4, .tokenizer_sha256 = "12"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"12\"")));
}

TEST_F(IdStreamTest, EveryTruncationAndEveryFlippedByteIsRefused) {
  Write({{{1, 2, 3}, 7}, {{4}, 1}}, Options(300));
  const std::string good = stored_;
  for (size_t length = 0; length < good.size(); ++length) {
    stored_ = good.substr(0, length);
    Save();
    ASSERT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss)) << length;
  }
  for (size_t i = 0; i < good.size(); ++i) {
    stored_ = good;
    stored_[i] = static_cast<char>(stored_[i] ^ 0x40);
    Save();
    ASSERT_FALSE(Open().ok()) << i;
  }
  stored_ = good + "x";
  Save();
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(IdStreamTest, AnUnknownVersionIsNamed) {
  Write({{{1}, 1}}, Options(300));
  SetU16(4, 2);
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("version 2, this program reads 1")));
}

TEST_F(IdStreamTest, BrokenRulesAreRefusedEvenWithGoodChecksums) {
  const size_t ids = 64;
  const size_t offsets = 64 + 16;  // 6 ids of 2 bytes, padded to 16
  struct Damage {
    size_t offset;
    bool wide;
    uint64_t value;
    const char* message;
  };
  const std::vector<Damage> damages = {
      {ids, false, 300, "id 300 is not below vocab 300"},
      {ids, false, 299, "only boundary"},
      {ids + 6, false, 1, "only boundary"},
      {offsets, true, 1, "first offsets"},
      {offsets + 16, true, 6, "only boundary"},
      {offsets + 16, true, 0, "symbol offsets do not grow"},
      {offsets + 16, true, uint64_t{1} << 60, "symbol offsets do not grow"},
      {offsets + 24, true, 9, "byte offsets decrease"},
      {offsets + 40, true, 9, "not the totals"},
      {16, true, 9, "not what 9 symbols"},
      {24, true, UINT64_MAX, "documents take"},
      {16, true, UINT64_MAX, "documents take"},
  };
  for (const Damage& damage : damages) {
    Write({{{1, 2, 3}, 7}, {{4}, 1}}, Options(300));
    damage.wide ? SetU64(damage.offset, damage.value) : SetU16(damage.offset, static_cast<uint16_t>(damage.value));
    FixChecksums();
    EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(damage.message)));
  }
}

TEST(DigestPrefixTest, EightBytesOfHexOrZeros) {
  ASSERT_OK_AND_ASSIGN(const auto none, DigestPrefix(""));
  EXPECT_EQ(none, (std::array<uint8_t, 8>{}));
  ASSERT_OK_AND_ASSIGN(const auto some, DigestPrefix("00ff" + std::string(60, '1')));
  EXPECT_EQ(some, (std::array<uint8_t, 8>{0x00, 0xff, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11}));
  EXPECT_FALSE(DigestPrefix(std::string(64, 'g')).ok());
  EXPECT_FALSE(DigestPrefix(std::string(63, '0')).ok());
}

}  // namespace
}  // namespace clm
