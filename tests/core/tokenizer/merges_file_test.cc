#include "core/tokenizer/merges_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/core/tokenizer/random_vocab.h"
#include "tests/core/tokenizer/tiny_tokenizer_json.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::PartsOf;
using ::clm::testing::RandomVocab;
using ::clm::testing::StatusIs;
using ::clm::testing::TinyTokenizerJson;
using ::clm::testing::VocabOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

std::string TinyVocab() { return TinyTokenizerJson()["model"]["vocab"].dump(); }

void ExpectRefused(const std::string& vocab, const std::string& merges, const char* words,
                   absl::StatusCode code = kInvalid) {
  EXPECT_THAT(ParseMergesFiles(vocab, merges).status(), StatusIs(code, HasSubstr(words)));
}

TEST(ParseMergesFilesTest, ReadsVocabularyAndMerges) {
  for (const char* merges :
       {"#version: 0.2\na b\nab c\n", "a b\nab c", "a b\r\nab c\r\n", "a b\n#version x\nab c\n\n"}) {
    const absl::StatusOr<TokenizerDefinition> read = ParseMergesFiles(TinyVocab(), merges);
    ASSERT_OK(read) << merges;
    EXPECT_EQ(read->vocab.fingerprint(), VocabOf({{'a', 'b'}, {256, 'c'}}).fingerprint());
    EXPECT_EQ(read->pattern, kGpt2Pattern);
  }
}

TEST(ParseMergesFilesTest, SpecialsAreGiven) {
  MergesFileOptions options;
  options.specials = {"<pad>", "<|endoftext|>", "<unk>"};
  options.boundary = "<pad>";
  options.pattern = "a+";
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseMergesFiles(TinyVocab(), "a b\nab c\n", options));
  EXPECT_EQ(read.vocab.boundary(), 259U);
  EXPECT_EQ(read.vocab.FindSpecial(260)->text, "<unk>");
  EXPECT_EQ(read.pattern, "a+");
  options.pattern = "(";
  EXPECT_THAT(ParseMergesFiles(TinyVocab(), "", options).status(), StatusIs(kInvalid, HasSubstr("split pattern")));
  options.pattern = "";
  options.specials = {"\xFF"};
  EXPECT_THAT(ParseMergesFiles(TinyVocab(), "", options).status(), StatusIs(kInvalid, HasSubstr("not valid UTF-8")));
  options.specials = {};
  EXPECT_THAT(ParseMergesFiles(TinyVocab(), "", options).status(),
              StatusIs(kInvalid, HasSubstr("has no special \"<pad>\"")));
}

TEST(ParseMergesFilesTest, RefusesBrokenFiles) {
  ExpectRefused("[", "", "vocab.json and merges.txt: vocab.json: not JSON");
  ExpectRefused("[]", "", "vocab.json is not a JSON object");
  ExpectRefused("{\"a\":{\"b\":{\"c\":1}}}", "", "nested deeper than 2", kTooMuch);
  ExpectRefused("{\"a\":\"b\"}", "", "id of \"a\" is not a number");
  ExpectRefused("{\"a\":1,\"a\":2}", "", "occurs twice");
  ExpectRefused(TinyVocab(), "a b\nab\n", "entry 1 \"ab\" is not two tokens and a space");
  ExpectRefused(TinyVocab(), "a b\n\nab c\n", "entry 1 \"\" is not two tokens and a space");
  ExpectRefused(TinyVocab(), "a b\nab \xFF\n", "merges.txt: invalid UTF-8 at offset 7: byte 0xFF");
  ExpectRefused(TinyVocab(), std::string(2 * kMaxBpeMerges + 2, '\n'), "more than 1048576 merges", kTooMuch);
  const std::string large(kMaxTokenizerFileBytes + 1, ' ');
  ExpectRefused(TinyVocab(), large, "67108865 bytes; limit", kTooMuch);
  ExpectRefused(large, "", "the limit is 67108864", kTooMuch);
}

TEST(WriteMergesFilesTest, WhatIsWrittenReadsBackTheSame) {
  for (uint64_t round = 0; round < 10; ++round) {
    const BpeVocab vocab = RandomVocab(round, 25);
    ASSERT_OK_AND_ASSIGN(const MergesFiles files, WriteMergesFiles(vocab));
    ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseMergesFiles(files.vocab_json, files.merges_txt));
    ASSERT_EQ(read.vocab.fingerprint(), vocab.fingerprint()) << "round " << round;
    ASSERT_OK_AND_ASSIGN(const MergesFiles again, WriteMergesFiles(read.vocab));
    ASSERT_EQ(again.vocab_json, files.vocab_json);
    ASSERT_EQ(again.merges_txt, files.merges_txt);
  }
}

TEST(WriteMergesFilesTest, RefusesWhatTheFilesCannotSay) {
  const auto refused = [](BpeVocabParts parts, const char* words) {
    ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(std::move(parts)));
    EXPECT_THAT(WriteMergesFiles(vocab).status(), StatusIs(kInvalid, HasSubstr(words)));
  };
  BpeVocabParts parts = PartsOf({{'a', 'b'}});
  parts.cut_tokens = {256};
  refused(parts, "cannot say that tokens are cut out of text");
  parts.cut_tokens = {};
  parts.whole_pieces = {256};
  refused(parts, "cannot say that tokens are cut out of text, or are whole pieces");
  parts.whole_pieces = {};
  parts.equal_ranks = true;
  refused(parts, "share a rank");
  parts = PartsOf({{'#', 'v'}, {256, 'e'}, {257, 'r'}, {258, 's'}, {259, 'i'}, {260, 'o'}, {261, 'n'}, {262, '!'}});
  refused(parts, "cannot say a merge that begins with \"#version\"");
}

TEST(WriteMergesFilesTest, RefusesSuperwords) {
  BpeVocabParts parts = ::clm::testing::PartsOf({{'a', 'b'}});
  parts.superwords = {.merges = parts.merges, .chunk_bytes = 64};
  parts.merges.clear();
  EXPECT_THAT(WriteMergesFiles(*BpeVocab::Create(std::move(parts))),
              ::clm::testing::StatusIs(absl::StatusCode::kInvalidArgument,
                                       ::testing::HasSubstr("reach over pieces (superwords)")));
}

}  // namespace
}  // namespace clm
