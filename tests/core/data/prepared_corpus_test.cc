#include "core/data/prepared_corpus.h"

#include "core/base/digest.h"
#include "tests/core/data/plain_write.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A corpus of one two-byte document per split with a token stream, and a coordinate stream in all but validation.
class PreparedCorpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write(kTokenizerFileName, "the tokenizer");
    Write(kUniverseFileName, "the universe");
    report_.tokenizer_sha256 = Sha256Hex("the tokenizer");
    report_.universe_sha256 = Sha256Hex("the universe");
    report_.round_trip_verified = true;
    for (const Split split : kAllSplits) {
      report_.split(split) = {.documents = 1, .original_bytes = 2, .documents_sha256 = std::string(64, '0')};
      WriteStream(split, "token", "", {1, 2});
      if (split != Split::kValidation) WriteStream(split, "coordinate", report_.universe_sha256, {3});
    }
    WriteReport();
  }

  void Write(const std::string& name, const std::string& content) {
    ASSERT_OK(testing::PlainWrite(files_, directory_.File(name), content));
  }
  void WriteReport() { Write(kPrepareReportFileName, *PrepareReportToJson(report_)); }
  void WriteStream(Split split, const std::string& kind, const std::string& universe, std::vector<SymbolId> symbols) {
    ASSERT_OK_AND_ASSIGN(const auto writer,
                         IdStreamWriter::Create(files_, directory_.File(IdStreamFileName(split, kind)),
                                                {.vocab_size = 10,
                                                 .boundary = 9,
                                                 .tokenizer_sha256 = report_.tokenizer_sha256,
                                                 .universe_sha256 = universe}));
    ASSERT_OK(writer->AppendDocument(symbols, 2));
    ASSERT_OK_AND_ASSIGN(const IdStreamHeader header, writer->Finish());
    report_.split(split).symbols[kind] = header.symbols;
  }
  absl::StatusOr<PreparedCorpus> Open() { return PreparedCorpus::Open(files_, directory_.path()); }

  FileSystem& files_ = PosixFileSystem();
  testing::TemporaryDirectory directory_;
  PrepareReport report_;
};

TEST_F(PreparedCorpusTest, StreamsOpenByNameAndSplit) {
  ASSERT_OK_AND_ASSIGN(const PreparedCorpus corpus, Open());
  EXPECT_TRUE(corpus.has_universe());
  EXPECT_EQ(corpus.report(), report_);
  EXPECT_THAT(corpus.Kinds(), ElementsAre("token"));
  for (const Split split : kAllSplits) {
    ASSERT_OK_AND_ASSIGN(const auto stream, corpus.OpenStream(split, "token"));
    EXPECT_EQ(stream->symbols(), 3U);
  }
  ASSERT_OK_AND_ASSIGN(const auto stream, corpus.OpenStream(Split::kBuild, "coordinate"));
  EXPECT_EQ(stream->symbols(), 2U);
}

TEST_F(PreparedCorpusTest, AMissingRepresentationIsNotFoundNamingThoseThatAre) {
  ASSERT_OK_AND_ASSIGN(const PreparedCorpus corpus, Open());
  EXPECT_THAT(corpus.OpenStream(Split::kValidation, "coordinate"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("it has token")));
}

TEST_F(PreparedCorpusTest, AReplacedTokenizerOrUniverseIsNoticed) {
  Write(kTokenizerFileName, "another tokenizer");
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("tokenizer.json")));
  Write(kTokenizerFileName, "the tokenizer");
  Write(kUniverseFileName, "another universe");
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("universe.json")));
}

TEST_F(PreparedCorpusTest, AReplacedStreamIsNoticed) {
  ASSERT_OK_AND_ASSIGN(const PreparedCorpus corpus, Open());
  WriteStream(Split::kBuild, "coordinate", std::string(64, '7'), {3});
  EXPECT_THAT(corpus.OpenStream(Split::kBuild, "coordinate"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another universe")));
  WriteStream(Split::kBuild, "token", "", {1, 2, 3});
  EXPECT_THAT(corpus.OpenStream(Split::kBuild, "token"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("report says")));
  report_.tokenizer_sha256 = std::string(64, '8');
  WriteStream(Split::kBuild, "token", "", {1, 2});
  EXPECT_THAT(corpus.OpenStream(Split::kBuild, "token"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another tokenizer")));
}

TEST_F(PreparedCorpusTest, AnUnverifiedOrMissingReportIsRefused) {
  report_.round_trip_verified = false;
  WriteReport();
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("round trip")));
  ASSERT_OK(files_.RemoveFile(directory_.File(kPrepareReportFileName)));
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace clm
