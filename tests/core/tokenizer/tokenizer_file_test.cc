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

TEST(ParseTokenizerJsonTest, RefusesModelsThatAreNotExact) {
  ExpectModelRefused("type", "Unigram", "model.type is \"\\\"Unigram\\\"\"");
  ExpectModelRefused("dropout", 0.1, "model.dropout is set");
  ExpectModelRefused("continuing_subword_prefix", "##", "model.continuing_subword_prefix is set");
  ExpectModelRefused("end_of_word_suffix", "</w>", "model.end_of_word_suffix is set");
  ExpectModelRefused("byte_fallback", true, "model.byte_fallback is set");
  ExpectModelRefused("byte_fallback", "yes", "model.byte_fallback is set");
  ExpectModelRefused("surprise", 1, "\"surprise\" whose effect is not known");
  ExpectModelRefused("vocab", 3, "model.vocab is missing");
  ExpectModelRefused("merges", nullptr, "model.merges is missing");
  Json file = TinyTokenizerJson();
  file.erase("model");
  ExpectRefused(file, "model is missing");
}

TEST(ParseTokenizerJsonTest, IgnoreMergesIsReadWhenItChangesNothing) {
  Json file = TinyTokenizerJson();
  file["model"]["ignore_merges"] = true;
  EXPECT_OK(ParseTokenizerJson(file.dump()));
  file["model"]["merges"].erase(1);  // "abc" is now reached by ignore_merges alone
  ExpectRefused(file, "model.ignore_merges is set and changes ids: merging does not lead to token 257, \"abc\"");
  file["model"]["ignore_merges"] = false;
  EXPECT_OK(ParseTokenizerJson(file.dump()));
}

TEST(ParseTokenizerJsonTest, RefusesBrokenVocabularies) {
  Json file = TinyTokenizerJson();
  file["model"]["vocab"]["ab"] = 255;
  ExpectRefused(file, "model.vocab gives id 255 to");
  file["model"]["vocab"]["ab"] = 300;
  ExpectRefused(file, "model.vocab has a gap: \"ab\" has id 300 of 259 entries");
  file["model"]["vocab"]["ab"] = uint64_t{1} << 40;
  ExpectRefused(file, "id of \"ab\" is 1099511627776; limit 1048575", kTooMuch);
  file["model"]["vocab"]["ab"] = -1;
  ExpectRefused(file, "id of \"ab\" is not a number >= 0");
  file["model"]["vocab"]["ab"] = "256";
  ExpectRefused(file, "id of \"ab\" is not a number >= 0");

  file = TinyTokenizerJson();
  file["model"]["vocab"].erase("q");
  file["model"]["vocab"]["qq"] = 'q';
  ExpectRefused(file, "model.vocab has no token for byte 0x71, which would be lost");
  file["model"]["unk_token"] = "<unk>";
  ExpectRefused(file, "which would become unk_token");

  file = TinyTokenizerJson();
  file["model"]["vocab"].erase("ab");
  file["model"]["vocab"]["a b"] = 256;  // a space is spelt U+0120
  ExpectRefused(file, "token \"a b\" has a character that stands for no byte");
}

TEST(ParseTokenizerJsonTest, RefusesBrokenMerges) {
  ExpectModelRefused("merges", {"a b", "ab d"}, "entry 1 makes \"abd\", which is not in model.vocab");
  ExpectModelRefused("merges", {"a b", "xyz c"}, "entry 1 names \"xyz\", which is not in model.vocab");
  ExpectModelRefused("merges", {"a b", "a b"}, "merge 1, \"a\" with \"b\", occurs twice");
  ExpectModelRefused("merges", {"ab"}, "entry 0 \"ab\" is not two tokens and a space");
  ExpectModelRefused("merges", {"a b c"}, "is not two tokens and a space");
  ExpectModelRefused("merges", Json::array({Json::array({"a", "b", "c"})}), "entry 0 is neither \"a b\" nor [a, b]");
  ExpectModelRefused("merges", Json::array({7}), "entry 0 is neither \"a b\" nor [a, b]");
}

TEST(ParseTokenizerJsonTest, RefusesAddedTokensThatAreNotPlainSpecials) {
  const auto refused = [](const char* key, const Json& value, const char* words) {
    Json file = TinyTokenizerJson();
    file["added_tokens"][0][key] = value;
    ExpectRefused(file, words);
  };
  refused("special", false, "\"<|endoftext|>\" is not special: such tokens are cut out of text before BPE");
  refused("lstrip", true, "\"<|endoftext|>\" has lstrip");
  refused("rstrip", true, "\"<|endoftext|>\" has rstrip");
  refused("single_word", true, "\"<|endoftext|>\" has single_word");
  refused("content", 5, "has an entry without content");
  refused("id", 259, "has id 259, expected 258 as in model.vocab");
  Json file = TinyTokenizerJson();
  file["added_tokens"].push_back({{"id", 260}, {"content", "<pad>"}, {"special", true}});
  ExpectRefused(file, "\"<pad>\" has id 260, expected 259: ids have no gaps");
  file["added_tokens"] = {{{"id", 0}, {"content", "!"}, {"special", true}}};  // "!" is byte 0x21, id 33
  ExpectRefused(file, "\"!\" has id 0, expected 33");
  file["added_tokens"][0]["id"] = 33;
  ExpectRefused(file, "no token for byte 0x21");
}

TEST(ParseTokenizerJsonTest, TheBoundaryIsFoundOrNamed) {
  Json file = TinyTokenizerJson();
  file["added_tokens"].push_back({{"id", 259}, {"content", "<pad>"}, {"special", true}});
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition by_default, ParseTokenizerJson(file.dump()));
  EXPECT_EQ(by_default.vocab.boundary(), 258);
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition named, ParseTokenizerJson(file.dump(), {.boundary = "<pad>"}));
  EXPECT_EQ(named.vocab.boundary(), 259);
  EXPECT_THAT(ParseTokenizerJson(file.dump(), {.boundary = "<eos>"}).status(),
              StatusIs(kInvalid, HasSubstr("has no \"<eos>\" to end documents with")));
  file = TinyTokenizerJson();
  file["model"]["vocab"].erase("<|endoftext|>");
  file["added_tokens"] = Json::array();
  ExpectRefused(file, "has 0 special tokens and none is");
  file["added_tokens"] = {{{"id", 258}, {"content", "</s>"}, {"special", true}}};
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition only, ParseTokenizerJson(file.dump()));
  EXPECT_EQ(only.vocab.boundary(), 258);
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
  EXPECT_THAT(WriteTokenizerJson(vocab, "\\w+"), StatusIs(kInvalid, HasSubstr("pattern")));
}

TEST(WriteTokenizerJsonTest, AFileOverTheLimitIsRefused) {
  BpeVocabParts parts = PartsOf({});
  parts.tokens.emplace_back(kMaxTokenizerFileBytes, 'x');
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(std::move(parts)));
  EXPECT_THAT(WriteTokenizerJson(vocab, kGpt2Pattern), StatusIs(kTooMuch, HasSubstr("limit 67108864")));
}

}  // namespace
}  // namespace clm
