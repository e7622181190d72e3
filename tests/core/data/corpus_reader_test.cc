#include "core/data/corpus_reader.h"

#include "core/base/status_macros.h"
#include "tests/core/data/compression.h"
#include "tests/core/data/plain_write.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CorpusReaderTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& content) {
    const std::string path = directory_.File(name);
    ASSERT_OK(PosixFileSystem().MakeDirectories(path.substr(0, path.rfind('/'))));
    ASSERT_OK(testing::PlainWrite(PosixFileSystem(), path, content));
  }
  // Reads everything; documents_ and stats_ keep what came before an error.
  absl::Status Read(std::vector<std::string> inputs, const CorpusReaderOptions& options = {}) {
    for (std::string& input : inputs) input = directory_.File(input);
    CLM_ASSIGN_OR_RETURN(const auto reader, DocumentReader::Open(PosixFileSystem(), inputs, options, cancel_.token()));
    documents_.clear();
    places_.clear();
    Document document;
    absl::Status status;
    while (true) {
      const absl::StatusOr<bool> more = reader->Next(document);
      status = more.status();
      if (!more.ok() || !*more) break;
      documents_.push_back(document.bytes);
      places_.push_back(document.path.substr(directory_.path().size() + 1) + ":" + std::to_string(document.place));
    }
    stats_ = reader->stats();
    if (!status.ok()) {
      EXPECT_EQ(reader->Next(document).status(), status) << "the error must repeat";
    }
    return status;
  }

  testing::TemporaryDirectory directory_;
  CancellationSource cancel_;
  std::vector<std::string> documents_;
  std::vector<std::string> places_;
  CorpusReaderStats stats_;
};

TEST_F(CorpusReaderTest, ATextFileIsOneDocumentByteForByte) {
  std::string all = "\xEF\xBB\xBF\r\n";
  for (int b = 0; b < 256; ++b) all.push_back(static_cast<char>(b));
  Write("in/a.txt", all);
  Write("in/b.txt", "");
  Write("in/c", "plain\n");
  ASSERT_OK(Read({"in"}));
  EXPECT_THAT(documents_, ElementsAre(all, "", "plain\n"));
  EXPECT_EQ(stats_.documents, 3U);
  EXPECT_EQ(stats_.original_bytes, all.size() + 6);
  EXPECT_EQ(stats_.stored_bytes_read, stats_.stored_bytes_total);
}

TEST_F(CorpusReaderTest, JsonlFieldsAreDocumentsAndBadLinesAreReportedWithFileAndLine) {
  Write("a.jsonl",
        "\xEF\xBB\xBF{\"text\":\"one\"}\n\n{\"text\":5}\r\n{broken\n{\"text\":\"\"}\n{\"text\":\"last\\n\"}");
  ASSERT_OK(Read({"a.jsonl"}));
  EXPECT_THAT(documents_, ElementsAre("one", "", "last\n"));
  EXPECT_THAT(places_, ElementsAre("a.jsonl:1", "a.jsonl:5", "a.jsonl:6"));
  EXPECT_EQ(stats_.blank_lines, 1U);
  EXPECT_EQ(stats_.bad_lines, 2U);
  ASSERT_EQ(stats_.bad_line_examples.size(), 2U);
  EXPECT_THAT(stats_.bad_line_examples[0].ToString(), HasSubstr("a.jsonl:3: field \"text\" is a number"));
  EXPECT_THAT(stats_.bad_line_examples[1].ToString(), HasSubstr("a.jsonl:4: not valid JSON"));
}

TEST_F(CorpusReaderTest, MoreBadLinesThanAllowedIsAnError) {
  Write("a.jsonl", "{\"text\":\"one\"}\nx\ny\n");
  CorpusReaderOptions options;
  options.max_bad_lines = 1;
  EXPECT_THAT(Read({"a.jsonl"}, options),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("a.jsonl:2"), HasSubstr("a.jsonl:3"))));
  options.max_bad_lines = 2;
  EXPECT_OK(Read({"a.jsonl"}, options));
}

TEST_F(CorpusReaderTest, ManyBadLinesKeepAFewExamples) {
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += "x\n";
  Write("a.jsonl", lines);
  ASSERT_OK(Read({"a.jsonl"}));
  EXPECT_EQ(stats_.bad_lines, 500U);
  EXPECT_EQ(stats_.bad_line_examples.size(), CorpusReaderStats::kMaxExamples);
}

TEST_F(CorpusReaderTest, LongLinesAndLongTextsInJsonlAreBadLines) {
  Write("a.jsonl", "{\"text\":\"" + std::string(100, 'x') + "\"}\n{\"text\":\"ok\"}\n{\"text\":\"toolong\"}\n");
  CorpusReaderOptions options;
  options.max_line_bytes = 50;
  options.max_document_bytes = 6;
  ASSERT_OK(Read({"a.jsonl"}, options));
  EXPECT_THAT(documents_, ElementsAre("ok"));
  ASSERT_EQ(stats_.bad_line_examples.size(), 2U);
  EXPECT_THAT(stats_.bad_line_examples[0].ToString(), AllOf(HasSubstr(":1:"), HasSubstr("longer than 50 bytes")));
  EXPECT_THAT(stats_.bad_line_examples[1].ToString(), AllOf(HasSubstr(":3:"), HasSubstr("7 bytes, the limit is 6")));
}

TEST_F(CorpusReaderTest, CompressedFilesGiveTheSameDocuments) {
  const std::string lines = "{\"body\":\"one\"}\n{\"body\":\"two\"}\n";
  Write("a.jsonl.gz", testing::Gzip(lines));
  Write("b.ndjson.zst", testing::Zstd(lines));
  Write("c.txt.gz", testing::Gzip("text") + testing::Gzip(" more"));
  CorpusReaderOptions options;
  options.text_field = "body";
  ASSERT_OK(Read({"*"}, options));
  EXPECT_THAT(documents_, ElementsAre("one", "two", "one", "two", "text more"));
}

TEST_F(CorpusReaderTest, ATruncatedFileIsDataLossNamingIt) {
  const std::string stored = testing::Gzip(std::string(1'000, 'x') + "\n");
  Write("cut.txt.gz", stored.substr(0, stored.size() - 3));
  EXPECT_THAT(Read({"cut.txt.gz"}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut.txt.gz")));
}

TEST_F(CorpusReaderTest, LinesOfText) {
  Write("a.txt", "one\r\n\ntwo\nthree");
  CorpusReaderOptions options;
  options.text_split = TextSplit::kLines;
  ASSERT_OK(Read({"a.txt"}, options));
  EXPECT_THAT(documents_, ElementsAre("one\r", "two", "three"));
  EXPECT_THAT(places_, ElementsAre("a.txt:1", "a.txt:3", "a.txt:4"));
  EXPECT_EQ(stats_.empty_pieces, 1U);
}

TEST_F(CorpusReaderTest, ParagraphsOfText) {
  Write("a.txt", "\n\none\nmore\n\n\r\ntwo\r\n\r\nthree\n");
  CorpusReaderOptions options;
  options.text_split = TextSplit::kBlankLines;
  ASSERT_OK(Read({"a.txt"}, options));
  EXPECT_THAT(documents_, ElementsAre("one\nmore", "two\r", "three"));
  EXPECT_THAT(places_, ElementsAre("a.txt:3", "a.txt:7", "a.txt:9"));
}

TEST_F(CorpusReaderTest, PiecesBetweenASeparator) {
  Write("a.txt", "one<|end|>two\n<|end|><|end|>three<|end");
  CorpusReaderOptions options;
  options.text_split = TextSplit::kSeparator;
  options.document_separator = "<|end|>";
  ASSERT_OK(Read({"a.txt"}, options));
  EXPECT_THAT(documents_, ElementsAre("one", "two\n", "three<|end"));
  EXPECT_EQ(stats_.empty_pieces, 1U);
}

TEST_F(CorpusReaderTest, TextOverTheLimitIsAnErrorWithItsPlace) {
  Write("a.txt", "1234567\n1\n");
  CorpusReaderOptions options;
  options.max_document_bytes = 6;
  for (const TextSplit split : {TextSplit::kWholeFile, TextSplit::kLines, TextSplit::kBlankLines}) {
    options.text_split = split;
    EXPECT_THAT(Read({"a.txt"}, options),
                StatusIs(absl::StatusCode::kResourceExhausted, AllOf(HasSubstr("a.txt:1"), HasSubstr("6 bytes"))));
  }
}

TEST_F(CorpusReaderTest, ABombStopsAtTheCorpusLimit) {
  Write("a.txt.gz", testing::Gzip(std::string(1'000'000, '\n') + std::string(1'000, 'x')));
  CorpusReaderOptions options;
  options.max_corpus_bytes = 100'000;
  EXPECT_THAT(Read({"a.txt.gz"}, options),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("max_corpus_bytes")));
}

TEST_F(CorpusReaderTest, ReadingStopsAfterMaxDocuments) {
  Write("a.jsonl", "{\"text\":\"1\"}\n{\"text\":\"2\"}\n{\"text\":\"3\"}\n");
  CorpusReaderOptions options;
  options.max_documents = 2;
  ASSERT_OK(Read({"a.jsonl"}, options));
  EXPECT_THAT(documents_, ElementsAre("1", "2"));
}

TEST_F(CorpusReaderTest, CancellingEndsTheReading) {
  Write("a.txt", "x");
  cancel_.Cancel();
  EXPECT_THAT(Read({"a.txt"}), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(CorpusReaderTest, OptionsOutOfRangeAreNamed) {
  Write("a.txt", "x");
  CorpusReaderOptions options;
  options.text_split = TextSplit::kSeparator;
  EXPECT_THAT(Read({"a.txt"}, options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("document_separator")));
  options = {};
  options.text_field = "";
  EXPECT_THAT(Read({"a.txt"}, options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("text_field")));
  options = {};
  options.max_line_bytes = uint64_t{4} << 30;
  EXPECT_THAT(Read({"a.txt"}, options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_line_bytes")));
  options = {};
  options.max_document_bytes = 0;
  EXPECT_THAT(Read({"a.txt"}, options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_document_bytes")));
}

}  // namespace
}  // namespace clm
