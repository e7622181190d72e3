#include "core/tokenizer/tokenizer_file.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/base/rng.h"
#include "core/text/pretokenizer.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/core/tokenizer/tiny_tokenizer_json.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::PartsOf;
using ::clm::testing::StatusIs;
using ::clm::testing::TinyTokenizerJson;
using ::clm::testing::VocabOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

void ExpectRefused(const Json& file, const char* words, absl::StatusCode code = kInvalid) {
  EXPECT_THAT(ParseTokenizerJson(file.dump()).status(), StatusIs(code, HasSubstr(words)));
}

void ExpectModelRefused(const char* key, const Json& value, const char* words) {
  Json file = TinyTokenizerJson();
  file["model"][key] = value;
  ExpectRefused(file, words);
}

TEST(ParseTokenizerJsonTest, ReadsVocabularyMergesAndSpecials) {
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseTokenizerJson(TinyTokenizerJson().dump()));
  EXPECT_EQ(read.pattern, kGpt2Pattern);
  EXPECT_EQ(read.vocab.fingerprint(), VocabOf({{'a', 'b'}, {256, 'c'}}).fingerprint());
}

TEST(ParseTokenizerJsonTest, OlderAndNewerFormsMeanTheSame) {
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition want, ParseTokenizerJson(TinyTokenizerJson().dump()));
  Json file = TinyTokenizerJson();
  file["model"].erase("type");  // files of before 2020
  file["model"]["merges"] = Json::array({Json::array({"a", "b"}), Json::array({"ab", "c"})});
  file["model"]["dropout"] = 0.0;
  file["model"]["continuing_subword_prefix"] = "";
  file["model"]["unk_token"] = "<|endoftext|>";  // never reached: every byte has a token
  file["model"]["vocab"].erase("<|endoftext|>");
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition got, ParseTokenizerJson(file.dump()));
  EXPECT_EQ(got.vocab.fingerprint(), want.vocab.fingerprint());
}

TEST(ParseTokenizerJsonTest, SaysWhichFileAndWhatIsNotDone) {
  Json file = TinyTokenizerJson();
  file["normalizer"] = {{"type", "NFC"}};
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseTokenizerJson(file.dump()));
  EXPECT_THAT(read.not_applied, ElementsAre(HasSubstr("NFC is not applied")));
  ExpectModelRefused("type", "Unigram", "tokenizer.json: model.type is \"\\\"Unigram\\\"\"");
}

TEST(ParseTokenizerJsonTest, RefusesWhatIsNotJsonOrTooLarge) {
  EXPECT_THAT(ParseTokenizerJson("").status(), StatusIs(kInvalid));
  EXPECT_THAT(ParseTokenizerJson("{\"model\":").status(), StatusIs(kInvalid, HasSubstr("not JSON")));
  EXPECT_THAT(ParseTokenizerJson("[]").status(), StatusIs(kInvalid, HasSubstr("not a JSON object")));
  EXPECT_THAT(ParseTokenizerJson(std::string(100'000, '[')).status(), StatusIs(kTooMuch, HasSubstr("nested")));
  EXPECT_THAT(ParseTokenizerJson(std::string(kMaxTokenizerFileBytes + 1, ' ')).status(), StatusIs(kTooMuch));
  std::string twice = TinyTokenizerJson().dump();
  twice.insert(twice.find("\"abc\":"), "\"abc\":5,");
  EXPECT_THAT(ParseTokenizerJson(twice).status(), StatusIs(kInvalid, HasSubstr("\"abc\" occurs twice")));
}

TEST(ParseTokenizerJsonTest, EveryTruncationIsRefused) {
  const std::string text = TinyTokenizerJson().dump();
  for (size_t size = 0; size < text.size(); size += 37) {
    ASSERT_FALSE(ParseTokenizerJson(absl::string_view(text).substr(0, size)).ok()) << size;
  }
}

// Whatever is read is a tokenizer whose file reads back; nothing crashes.
TEST(ParseTokenizerJsonTest, DamagedFilesAreReadAsTokenizersOrRefused) {
  const std::string text = TinyTokenizerJson().dump();
  for (uint64_t round = 0; round < 400; ++round) {
    CounterRng rng(6, "tokenizer_file_test", round);
    std::string damaged = text;
    const uint64_t edits = 1 + rng.NextBelow(3);
    for (uint64_t i = 0; i < edits; ++i) {
      damaged[rng.NextBelow(damaged.size())] =
          round % 2 == 0 ? static_cast<char>(rng.NextBelow(256)) : text[rng.NextBelow(text.size())];
    }
    const absl::StatusOr<TokenizerDefinition> read = ParseTokenizerJson(damaged);
    if (!read.ok()) continue;
    ASSERT_OK_AND_ASSIGN(const std::string json, WriteTokenizerJson(read->vocab, read->pattern));
    EXPECT_OK(ParseTokenizerJson(json)) << "round " << round;
  }
}

TEST(WriteTokenizerJsonTest, WhatIsWrittenReadsBackTheSame) {
  for (uint64_t round = 0; round < 20; ++round) {
    BpeVocabParts parts = clm::testing::RandomParts(round, 25);
    if (round % 2 == 1) {  // a special in the middle, with characters that JSON escapes
      parts.specials.push_back({'z', "<\"\\\n\xC3\xA9>"});
      parts.tokens.push_back("z");
    }
    ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(parts));
    const absl::string_view pattern = round % 3 == 0 ? kWholeDocumentPattern : kGpt2Pattern;
    ASSERT_OK_AND_ASSIGN(const std::string json, WriteTokenizerJson(vocab, pattern));
    ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseTokenizerJson(json));
    ASSERT_EQ(read.vocab.fingerprint(), vocab.fingerprint()) << "round " << round;
    ASSERT_EQ(read.pattern, pattern);
    ASSERT_OK_AND_ASSIGN(const std::string again, WriteTokenizerJson(read.vocab, pattern));
    ASSERT_EQ(again, json);
  }
}

TEST(WriteTokenizerJsonTest, RefusesWhatTheFormatCannotSay) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}});
  parts.specials[0].text = "ab";
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(parts));
  EXPECT_THAT(WriteTokenizerJson(vocab, kGpt2Pattern), StatusIs(kInvalid, HasSubstr("id 257 is spelt like another")));
  EXPECT_THAT(WriteTokenizerJson(vocab, "\\b"), StatusIs(kInvalid, HasSubstr("split pattern")));
}

TEST(WriteTokenizerJsonTest, AFileOverTheLimitIsRefused) {
  BpeVocabParts parts = PartsOf({});
  parts.tokens.emplace_back(kMaxTokenizerFileBytes, 'x');
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(std::move(parts)));
  EXPECT_THAT(WriteTokenizerJson(vocab, kGpt2Pattern), StatusIs(kTooMuch, HasSubstr("limit 67108864")));
}

BpeVocab WithSuperwords() {
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {256, ' '}, {257, 256}});
  parts.superwords = {.merges = {parts.merges[1], parts.merges[2]}, .chunk_bytes = 64};
  parts.merges.resize(1);
  return *BpeVocab::Create(std::move(parts));
}

TEST(WriteTokenizerJsonTest, SuperwordsReadBackTheSameUnderAVersionOfTheirOwn) {
  const BpeVocab vocab = WithSuperwords();
  ASSERT_OK_AND_ASSIGN(const std::string text, WriteTokenizerJson(vocab, kGpt2Pattern));
  const Json file = Json::parse(text);
  EXPECT_EQ(file["version"], "clm-superwords-1") << "tokenizers knows 1.0 only";
  EXPECT_EQ(file["model"]["merges"], Json::array({"a b"}));
  EXPECT_EQ(file["superwords"], Json::parse(R"({"chunk_bytes":64,"merges":["ab \u0120","ab\u0120 ab"]})"));
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseTokenizerJson(text));
  EXPECT_EQ(read.vocab.fingerprint(), vocab.fingerprint());
}

TEST(ParseTokenizerJsonTest, RefusesSuperwordsThatAreNone) {
  const Json good = Json::parse(*WriteTokenizerJson(WithSuperwords(), kGpt2Pattern));
  const auto refused = [&good](const char* key, const Json& value, const char* words) {
    Json file = good;
    file["superwords"][key] = value;
    ExpectRefused(file, words);
  };
  refused("chunk_bytes", 1, "superword chunk_bytes is 1; range [2, 1048576]");
  refused("chunk_bytes", -1, "superwords.chunk_bytes is \"-1\"; range [2, 1048576]");
  refused("chunk_bytes", uint64_t{1} << 40, "superwords.chunk_bytes is");
  refused("merges", Json::array(), "superwords.merges is missing or empty");
  refused("merges", Json::array({"ab x y"}), "superwords.merges entry 0");
  refused("merges", Json::array({"ab nothing"}), "superwords.merges entry 0 names");
  refused("rule", 1, "superwords has a field \"rule\" whose effect is not known");
  Json file = good;
  file["version"] = "1.0";
  ExpectRefused(file, "version is \"\\\"1.0\\\"\"");
  file = good;
  file.erase("superwords");
  ExpectRefused(file, "version is");
  file = good;
  file["superwords"] = 7;
  ExpectRefused(file, "superwords is not an object");
}

}  // namespace
}  // namespace clm
