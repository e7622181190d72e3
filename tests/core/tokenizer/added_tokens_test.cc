#include "core/tokenizer/added_tokens.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/tokenizer/bpe_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

const Json kVocab = {{"a", 0}, {"b", 1}, {"<s>", 2}};

Json Entry(uint64_t id, const std::string& text, bool special = true, bool normalized = false) {
  return {{"id", id},        {"content", text},    {"single_word", false},    {"lstrip", false},
          {"rstrip", false}, {"special", special}, {"normalized", normalized}};
}

Json List(const std::vector<Json>& entries) { return entries; }

void ExpectRefused(const Json& list, const char* words, absl::StatusCode code = kInvalid) {
  EXPECT_THAT(ReadAddedTokens(list, kVocab).status(), StatusIs(code, HasSubstr(words))) << list.dump();
}

TEST(ReadAddedTokensTest, ReadsSpecialAndOtherTokens) {
  ASSERT_OK_AND_ASSIGN(const std::vector<AddedToken> tokens,
                       ReadAddedTokens(List({Entry(2, "<s>"), Entry(3, "  ", false, true)}), kVocab));
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_TRUE(tokens[0].special && tokens[0].in_vocab && !tokens[0].normalized);
  EXPECT_TRUE(!tokens[1].special && !tokens[1].in_vocab && tokens[1].normalized);
  EXPECT_EQ(tokens[1].id, 3U);
  ASSERT_OK_AND_ASSIGN(const std::vector<AddedToken> none, ReadAddedTokens(nullptr, kVocab));
  EXPECT_TRUE(none.empty());
}

TEST(ReadAddedTokensTest, RefusesBrokenEntries) {
  ExpectRefused("x", "added_tokens is not a list");
  ExpectRefused(List({5}), "has an entry without content");
  Json entry = Entry(3, "<x>");
  entry["content"] = 5;
  ExpectRefused(List({entry}), "has an entry without content");
  ExpectRefused(List({Entry(3, "")}), "of 0 bytes; range [1, 256]");
  ExpectRefused(List({Entry(3, std::string(257, 'x'))}), "of 257 bytes; range [1, 256]");
  ExpectRefused(List({Entry(kMaxBpeVocabSize, "<x>")}), "id of \"<x>\" is 1048576; limit 1048575", kTooMuch);
  ExpectRefused(List({Entry(3, "<x>"), Entry(4, "<x>")}), "has \"<x>\" twice");
  entry = Entry(3, "<x>");
  entry["odd"] = 1;
  ExpectRefused(List({entry}), "\"odd\" whose effect is not known");
  ExpectRefused(List(std::vector<Json>(kMaxBpeSpecials + 1, Entry(3, "<x>"))), "4097 entries; limit 4096", kTooMuch);
}

TEST(ReadAddedTokensTest, RefusesFlagsThatLoseText) {
  for (const char* flag : {"lstrip", "rstrip", "single_word"}) {
    for (const bool special : {false, true}) {
      Json entry = Entry(3, "<x>", special);
      entry[flag] = true;
      ExpectRefused(List({entry}), flag);
    }
  }
}

TEST(ReadAddedTokensTest, IdsAreThoseThatTokenizersWouldGive) {
  EXPECT_OK(ReadAddedTokens(List({Entry(3, "<x>"), Entry(2, "<s>"), Entry(4, "<y>")}), kVocab));
  ExpectRefused(List({Entry(1, "<s>")}), "\"<s>\" has id 1, expected 2 as in model.vocab");
  ExpectRefused(List({Entry(4, "<x>")}),
                "\"<x>\" has id 4, expected 3: tokens that model.vocab lacks are numbered behind it");
  ExpectRefused(List({Entry(3, "<x>"), Entry(5, "<y>")}), "\"<y>\" has id 5, expected 4");
  Json gap = kVocab;
  gap["<e>"] = 9;  // the entries are counted, not the ids, until an added token lies behind them
  EXPECT_OK(ReadAddedTokens(List({Entry(4, "<x>")}), gap));
  EXPECT_OK(ReadAddedTokens(List({Entry(9, "<e>"), Entry(10, "<x>")}), gap));
}

TEST(ReadAddedTokensTest, TokensOfDifferentPassesMustNotOverlap) {
  const auto pair = [](const char* first, const char* second) {
    return List({Entry(3, first, false, false), Entry(4, second, false, true)});
  };
  EXPECT_OK(ReadAddedTokens(pair("xy", "zw"), kVocab));
  ExpectRefused(pair("xy", "yz"), "\"yz\" is normalized and overlaps \"xy\"");
  ExpectRefused(pair("yz", "xy"), "\"xy\" is normalized and overlaps \"yz\"");
  ExpectRefused(pair("x", "axb"), "overlaps");
  ExpectRefused(pair("axb", "x"), "overlaps");
  EXPECT_OK(ReadAddedTokens(List({Entry(3, "xy", false, true), Entry(4, "yz", false, true)}), kVocab));
}

TEST(ReadAddedTokensTest, ComparingThePassesIsBounded) {
  std::vector<Json> entries;
  for (uint64_t i = 0; i < 4000; ++i) entries.push_back(Entry(3 + i, absl::StrCat("<0000", i, ">"), true, i % 2 == 0));
  ExpectRefused(List(entries), "limit of the product 100000000", kTooMuch);
}

}  // namespace
}  // namespace clm
