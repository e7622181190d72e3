#include "core/tokenizer/tokenizer_model.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/tokenizer/bpe_reference.h"
#include "core/tokenizer/tokenizer_file.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/core/tokenizer/tiny_tokenizer_json.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::PartsOf;
using ::clm::testing::StatusIs;
using ::clm::testing::TinyTokenizerJson;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

void ExpectRefused(const Json& file, const char* words, absl::StatusCode code = kInvalid) {
  EXPECT_THAT(ReadTokenizerModel(file, "").status(), StatusIs(code, HasSubstr(words)));
}

Json WithModel(const char* key, const Json& value) {
  Json file = TinyTokenizerJson();
  file["model"][key] = value;
  return file;
}

Json Added(SymbolId id, const char* text, bool special) {
  return {{"id", id}, {"content", text}, {"special", special}, {"normalized", false}};
}

// Written and read again, it is the same.
void ExpectRoundTrip(const BpeVocab& vocab) {
  ASSERT_OK_AND_ASSIGN(const std::string json, WriteTokenizerJson(vocab, ""));
  const TokenizerFileOptions options{vocab.FindSpecial(vocab.boundary())->text};
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseTokenizerJson(json, options));
  EXPECT_EQ(read.vocab.fingerprint(), vocab.fingerprint());
}

TEST(ReadTokenizerModelTest, RefusesModelsThatAreNotExact) {
  ExpectRefused(WithModel("type", "Unigram"), "model.type is \"\\\"Unigram\\\"\"");
  ExpectRefused(WithModel("dropout", 0.1), "model.dropout is set");
  ExpectRefused(WithModel("continuing_subword_prefix", "##"), "model.continuing_subword_prefix is set");
  ExpectRefused(WithModel("end_of_word_suffix", "</w>"), "model.end_of_word_suffix is set");
  ExpectRefused(WithModel("surprise", 1), "\"surprise\" whose effect is not known");
  ExpectRefused(WithModel("vocab", 3), "model.vocab is missing");
  ExpectRefused(WithModel("merges", nullptr), "model.merges is missing");
  Json file = TinyTokenizerJson();
  file.erase("model");
  ExpectRefused(file, "model is missing");
}

TEST(ReadTokenizerModelTest, WhatIsNeverReachedMayBeSet) {
  Json file = WithModel("byte_fallback", true);
  file["model"]["fuse_unk"] = true;
  file["model"]["unk_token"] = "<unk>";
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, ReadTokenizerModel(file, ""));
  ASSERT_OK_AND_ASSIGN(const BpeVocab plain, ReadTokenizerModel(TinyTokenizerJson(), ""));
  EXPECT_EQ(vocab.fingerprint(), plain.fingerprint());
}

TEST(ReadTokenizerModelTest, IgnoreMergesMakesWholePiecesOfWhatMergingMisses) {
  Json file = WithModel("ignore_merges", true);
  ASSERT_OK_AND_ASSIGN(const BpeVocab no_difference, ReadTokenizerModel(file, ""));
  EXPECT_THAT(no_difference.whole_pieces(), ElementsAre());
  file["model"]["merges"].erase(1);  // "abc" is now reached by ignore_merges alone
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, ReadTokenizerModel(file, ""));
  EXPECT_THAT(vocab.whole_pieces(), ElementsAre(257));
  EXPECT_THAT(BpeEncodeReference(vocab, "abc"), ElementsAre(257));
  EXPECT_THAT(BpeEncodeReference(vocab, "abcd"), ElementsAre(256, 'c', 'd'));
  ExpectRoundTrip(vocab);
  file["model"]["ignore_merges"] = false;
  ASSERT_OK_AND_ASSIGN(const BpeVocab merged, ReadTokenizerModel(file, ""));
  EXPECT_THAT(BpeEncodeReference(merged, "abc"), ElementsAre(256, 'c'));
}

TEST(ReadTokenizerModelTest, SeveralMergesMayMakeOneToken) {
  Json file = WithModel("merges", {"a b", "b c", "ab c", "a bc"});
  file["model"]["vocab"]["bc"] = 259;
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, ReadTokenizerModel(file, ""));
  EXPECT_EQ(vocab.merges().size(), 4U);
  EXPECT_EQ(vocab.FindMerge('a', 259)->result, 257U);
  EXPECT_EQ(vocab.FindMerge('a', 259)->rank, 3U);
  ExpectRoundTrip(vocab);
}

TEST(ReadTokenizerModelTest, RefusesBrokenVocabularies) {
  Json file = TinyTokenizerJson();
  file["model"]["vocab"]["ab"] = 255;
  ExpectRefused(file, "model.vocab gives id 255 to");
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

TEST(ReadTokenizerModelTest, IdsThatAreLeftOutAreUnused) {
  Json file = TinyTokenizerJson();
  file["model"]["vocab"]["xy"] = 262;
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, ReadTokenizerModel(file, ""));
  EXPECT_EQ(vocab.size(), 263U);
  EXPECT_TRUE(vocab.IsSpecial(260));
  EXPECT_EQ(vocab.FindSpecial(260)->text, "");
  ExpectRoundTrip(vocab);
  file["model"]["vocab"]["xy"] = 259 + kMaxBpeSpecials + 1;
  ExpectRefused(file, "model.vocab has 4097 unused ids; limit 4096", kTooMuch);
}

TEST(ReadTokenizerModelTest, RefusesBrokenMerges) {
  const auto refused = [](const Json& merges, const char* words) { ExpectRefused(WithModel("merges", merges), words); };
  refused({"a b", "ab d"}, "entry 1 makes \"abd\", which is not in model.vocab");
  refused({"a b", "xyz c"}, "entry 1 names \"xyz\", which is not in model.vocab");
  refused({"a b", "a b"}, "merge 1, \"a\" with \"b\", occurs twice");
  refused({"ab"}, "entry 0 \"ab\" is not two tokens and a space");
  refused({"a b c"}, "is not two tokens and a space");
  refused(Json::array({Json::array({"a", "b", "c"})}), "entry 0 is neither \"a b\" nor [a, b]");
  refused(Json::array({7}), "entry 0 is neither \"a b\" nor [a, b]");
}

TEST(ReadTokenizerModelTest, AddedTokensThatAreNotSpecialAreCutOutOfText) {
  Json file = TinyTokenizerJson();
  file["added_tokens"].push_back(Added(259, "  ", false));
  file["added_tokens"].push_back(Added(260, "bc", false));
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, ReadTokenizerModel(file, ""));
  EXPECT_THAT(vocab.cut_tokens(), ElementsAre(259, 260));
  EXPECT_EQ(vocab.TokenBytes(259), "  ");
  ExpectRoundTrip(vocab);
  file["added_tokens"][2] = Added(256, "ab", false);  // an ordinary token that is also cut
  ASSERT_OK_AND_ASSIGN(const BpeVocab both, ReadTokenizerModel(file, ""));
  EXPECT_THAT(both.cut_tokens(), ElementsAre(256, 259));
  EXPECT_EQ(both.FindMerge('a', 'b')->result, 256U);
  ExpectRoundTrip(both);
  file["added_tokens"][2] = Added(260, "\xC3\xA9", false);  // in model.vocab that is byte 0xE9
  ExpectRefused(file, "has id 260, expected 233 as in model.vocab");
  file["added_tokens"][2] = Added(233, "\xC3\xA9", false);
  ExpectRefused(file, "spelt like a token of model.vocab that stands for other bytes");
  file["added_tokens"].erase(2);
  file["model"]["vocab"]["xy"] = 260;
  file["added_tokens"][1] = Added(260, "yz", false);
  ExpectRefused(file, "uses id 260 of \"xy\" in model.vocab");
}

TEST(ReadTokenizerModelTest, TheBoundaryIsFoundOrNamed) {
  Json file = TinyTokenizerJson();
  file["added_tokens"].push_back(Added(259, "<pad>", true));
  ASSERT_OK_AND_ASSIGN(const BpeVocab by_default, ReadTokenizerModel(file, ""));
  EXPECT_EQ(by_default.boundary(), 258U);
  ASSERT_OK_AND_ASSIGN(const BpeVocab named, ReadTokenizerModel(file, "<pad>"));
  EXPECT_EQ(named.boundary(), 259U);
  EXPECT_THAT(ReadTokenizerModel(file, "<eos>").status(),
              StatusIs(kInvalid, HasSubstr("has no special \"<eos>\" to end documents with")));
  file = TinyTokenizerJson();
  file["model"]["vocab"].erase("<|endoftext|>");
  file["added_tokens"] = Json::array();
  ExpectRefused(file, "has 0 special tokens and none is");
  file["added_tokens"] = {Added(258, "</s>", true), Added(259, "cut", false)};
  ASSERT_OK_AND_ASSIGN(const BpeVocab only, ReadTokenizerModel(file, ""));
  EXPECT_EQ(only.boundary(), 258U);
}

TEST(SpellTokenizerTest, RefusesWhatTheFormatCannotSay) {
  const auto refused = [](const BpeVocabParts& parts, const char* words) {
    ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(parts));
    EXPECT_THAT(SpellTokenizer(vocab).status(), StatusIs(kInvalid, HasSubstr(words)));
  };
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {0xE2, 0x82}, {257, 0xAC}});
  parts.equal_ranks = true;
  refused(parts, "cannot say that merges share a rank");
  parts.equal_ranks = false;
  parts.cut_tokens = {0xFF};
  refused(parts, "cut out of text: \"\\xff\" is not UTF-8");
  parts.cut_tokens = {258};  // made of two bytes, spelt with two other characters
  refused(parts, "cannot say that the token 258, \"\xE2\x82\xAC\", is cut out of text and merged too");
  parts.cut_tokens = {};
  parts.tokens.push_back("xyz");
  parts.tokens.push_back("zyx");
  parts.whole_pieces = {260};
  refused(parts, "cannot say that only some of the tokens");
  parts.whole_pieces = {};
  parts.tokens.push_back("ab");
  parts.cut_tokens = {262};
  refused(parts, "cannot say that the token 262 is cut out of text: another is spelt \"ab\"");
  parts.tokens[262] = "\xC3\xA9\xC3\xA9";  // in model.vocab it would be the bytes 0xE9 0xE9
  ASSERT_OK_AND_ASSIGN(const BpeVocab last, BpeVocab::Create(parts));
  ExpectRoundTrip(last);
  parts.tokens.push_back("c_");
  refused(parts, "has id 262, expected 263");
}

}  // namespace
}  // namespace clm
