#include "core/tokenizer/rank_file.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "core/text/pretokenizer.h"
#include "core/text/split_rules.h"
#include "core/tokenizer/bpe_reference.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/core/tokenizer/rank_twin.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::PartsOf;
using ::clm::testing::RandomLetters;
using ::clm::testing::RankEncode;
using ::clm::testing::RankTokens;
using ::clm::testing::StatusIs;
using ::clm::testing::VocabOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

std::string FileOf(const std::vector<std::string>& tokens) {
  std::string file;
  for (size_t rank = 0; rank < tokens.size(); ++rank) {
    if (!tokens[rank].empty()) absl::StrAppend(&file, absl::Base64Escape(tokens[rank]), " ", rank, "\n");
  }
  return file;
}

RankFileOptions Options(SymbolId boundary) { return {"", std::string(kGpt2Pattern), {{boundary, "<end>"}}, "<end>"}; }

TEST(ParseRankFileTest, ReadsTokensAndDerivesMerges) {
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseRankFile(FileOf(RankTokens({"ab", "abc"})), Options(258)));
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {256, 'c'}});
  parts.specials[0].text = "<end>";
  ASSERT_OK_AND_ASSIGN(const BpeVocab want, BpeVocab::Create(parts));
  EXPECT_EQ(read.vocab.fingerprint(), want.fingerprint());
  EXPECT_EQ(read.pattern, kGpt2Pattern);
}

TEST(ParseRankFileTest, RanksAndSpecialsMayLeaveIdsOut) {
  std::vector<std::string> tokens = RankTokens({"ab"});
  tokens.resize(260);
  tokens.push_back("abc");
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseRankFile(FileOf(tokens), Options(264)));
  EXPECT_EQ(read.vocab.size(), 265U);
  EXPECT_EQ(read.vocab.TokenBytes(260), "abc");
  EXPECT_EQ(read.vocab.FindSpecial(258)->text, "");
  EXPECT_EQ(read.vocab.boundary(), 264U);
  ASSERT_OK_AND_ASSIGN(const std::string written, WriteRankFile(read.vocab));
  EXPECT_EQ(written, FileOf(tokens));
}

// A piece that is a token is that token, though merging does not lead there.
TEST(ParseRankFileTest, APieceThatIsATokenIsThatToken) {
  const std::vector<std::string> tokens = RankTokens({"bc", "ab", "abc", "xyz"});
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseRankFile(FileOf(tokens), Options(300)));
  EXPECT_TRUE(read.vocab.equal_ranks());
  EXPECT_THAT(read.vocab.whole_pieces(), ElementsAre(259));
  EXPECT_THAT(BpeEncodeReference(read.vocab, "xyz"), ElementsAre(259));
  EXPECT_THAT(BpeEncodeReference(read.vocab, "xyzz"), ElementsAre('x', 'y', 'z', 'z'));
}

TEST(ParseRankFileTest, EncodingIsTheRuleOfTiktoken) {
  for (uint64_t round = 0; round < 60; ++round) {
    CounterRng rng(12, "rank_file_test", round);
    std::vector<std::string> words;
    const uint64_t count = rng.NextBelow(14);
    for (uint64_t i = 0; i < count; ++i) words.push_back(RandomLetters(rng, 2 + rng.NextBelow(5), 2));
    const std::vector<std::string> tokens = RankTokens(words);
    ASSERT_OK_AND_ASSIGN(TokenizerDefinition read, ParseRankFile(FileOf(tokens), Options(400)));
    ASSERT_OK_AND_ASSIGN(const std::string written, WriteRankFile(read.vocab));
    ASSERT_EQ(written, FileOf(tokens));
    ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::Create(std::move(read.vocab), kWholeDocumentPattern));
    for (int text_round = 0; text_round < 30; ++text_round) {
      const std::string text = RandomLetters(rng, 1 + rng.NextBelow(text_round < 25 ? 20 : 200), 2);
      std::vector<SymbolId> want = RankEncode(tokens, text);
      if (const auto whole = std::find(tokens.begin(), tokens.end(), text); whole != tokens.end()) {
        want = {static_cast<SymbolId>(whole - tokens.begin())};
      }
      ASSERT_OK_AND_ASSIGN(const std::vector<SymbolId> got, tokenizer->Encode(text));
      ASSERT_EQ(got, want) << "round " << round << ": " << text;
    }
  }
}

TEST(ParseRankFileTest, KnowsEncodingsByName) {
  const std::string bytes = FileOf(RankTokens({}));
  struct Case {
    const char* encoding;
    SymbolId boundary;
    uint32_t size;
    const char* last;
  };
  // Sizes as tiktoken's n_vocab; files of so few tokens leave too many ids unused.
  for (const Case& c : {Case{"gpt2", 50256, 50257, "<|endoftext|>"}, Case{"p50k_edit", 50256, 50284, "<|fim_suffix|>"},
                        Case{"cl100k_base", 100257, 100277, "<|endofprompt|>"},
                        Case{"o200k_harmony", 199999, 201088, "<|reserved_201087|>"}}) {
    std::vector<std::string> tokens = RankTokens({});
    for (uint32_t i = 256; i < c.boundary - 1; ++i) {
      tokens.push_back({static_cast<char>(i >> 16), static_cast<char>(i >> 8), static_cast<char>(i)});
    }
    ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseRankFile(FileOf(tokens), {.encoding = c.encoding}));
    EXPECT_EQ(read.vocab.boundary(), c.boundary) << c.encoding;
    EXPECT_EQ(read.vocab.size(), c.size) << c.encoding;
    EXPECT_EQ(read.vocab.FindSpecial(c.size - 1)->text, c.last);
    EXPECT_TRUE(KnownSplitRules(read.pattern).has_value()) << c.encoding;
  }
  EXPECT_THAT(ParseRankFile(bytes, {.encoding = "cl50k"}).status(),
              StatusIs(kInvalid, HasSubstr("encoding \"cl50k\" is not known; known: gpt2, r50k_base")));
  EXPECT_THAT(ParseRankFile(bytes, {.encoding = "gpt2", .pattern = "a"}).status(),
              StatusIs(kInvalid, HasSubstr("both an encoding and a split pattern")));
}

TEST(ParseRankFileTest, PatternsAreThoseOfTiktoken) {
  RankFileOptions options = Options(256);
  options.pattern = R"(\pL{2}+|\s++$)";
  ASSERT_OK_AND_ASSIGN(const TokenizerDefinition read, ParseRankFile(FileOf(RankTokens({})), options));
  EXPECT_EQ(read.pattern, R"((?>\p{L}{2})|\s++\z)");
  options.pattern = "(";
  EXPECT_THAT(ParseRankFile(FileOf(RankTokens({})), options).status(), StatusIs(kInvalid, HasSubstr("split pattern")));
}

TEST(ParseRankFileTest, RefusesBrokenFiles) {
  const std::string bytes = FileOf(RankTokens({}));
  const auto refused = [&bytes](const std::string& more, const char* words, absl::StatusCode code = kInvalid) {
    EXPECT_THAT(ParseRankFile(bytes + more, Options(300)).status(), StatusIs(code, HasSubstr(words))) << more;
  };
  refused("YWI=\n", "rank file: line 257 is not a token in base64, a space and a rank: \"YWI=\"");
  refused("YWI 256\n", "line 257 has a token that is not base64");
  refused("Y*I= 256\n", "not base64");
  refused(" 256\n", "not base64");
  refused("YWI= \n", "is not a token in base64, a space and a rank");
  refused("YWI= -1\n", "line 257 has a rank that is not a number >= 0");
  refused("YWI= 25x\n", "not a number");
  refused("YWI=  256\n", "not a number");
  refused("YWI= 1048576\n", "line 257 has a rank above the limit 1048575", kTooMuch);
  refused("YWI= 99999999999999999999\n", "rank above the limit", kTooMuch);
  refused("YWI= 255\n", "line 257 has the rank of a line before it");
  refused("YWI= 256\nYWI= 257\n", "the token of rank 257 has a rank before");
  refused("YWI= 300\n", "special token \"<end>\" has the rank of a token, 300");
  refused("YWI= 9999\n", "special tokens and unused ids are 9743 together; limit 4096", kTooMuch);
  refused(absl::StrCat(absl::Base64Escape(std::string(kMaxRankTokenBytes + 1, 'a')), " 256\n"),
          "4097 bytes; limit 4096");
  EXPECT_THAT(ParseRankFile("\x1F\x8B\x08", Options(300)).status(),
              StatusIs(kInvalid, HasSubstr("compressed with gzip")));
  EXPECT_THAT(ParseRankFile("YQ== 0\n", Options(300)).status(), StatusIs(kInvalid, HasSubstr("byte 0x00")));
  EXPECT_THAT(ParseRankFile("", Options(300)).status(), StatusIs(kInvalid, HasSubstr("byte 0x00")));
  EXPECT_THAT(ParseRankFile(std::string(kMaxRankFileBytes + 1, '\n'), Options(300)).status(),
              StatusIs(kTooMuch, HasSubstr("67108865 bytes; limit 67108864")));
  RankFileOptions options = Options(kMaxBpeVocabSize);
  EXPECT_THAT(ParseRankFile(bytes, options).status(), StatusIs(kTooMuch, HasSubstr("has id 1048576; limit 1048575")));
  options = Options(256);
  options.boundary = "<eos>";
  EXPECT_THAT(ParseRankFile(bytes, options).status(), StatusIs(kInvalid, HasSubstr("none of 1 special tokens is")));
  EXPECT_OK(ParseRankFile(bytes + "\r\nYWI= 256\r\n\n", Options(257)));
}

TEST(WriteRankFileTest, RefusesWhatRanksCannotSay) {
  const auto refused = [](BpeVocabParts parts, const char* words) {
    ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(std::move(parts)));
    EXPECT_THAT(WriteRankFile(vocab).status(), StatusIs(kInvalid, HasSubstr(words)));
  };
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {'c', 'd'}, {256, 'c'}});
  std::swap(parts.merges[0], parts.merges[1]);
  refused(parts, "merge 1 makes token 256 after token 257");
  parts = PartsOf({{'a', 'b'}, {'c', 'd'}});
  parts.merges.pop_back();
  refused(parts, "nothing merges 99 with 100 into token 257");
  parts = PartsOf({{'a', 'b'}, {'b', 'c'}, {'a', 257}});  // "abc": tiktoken makes it of "ab" and "c"
  refused(parts, "nothing merges 256 with 99 into token 258");
  parts = PartsOf({{'a', 'b'}});
  parts.tokens.push_back("xyz");
  refused(parts, "some token is not made of two that come before it");
  parts = PartsOf({{'a', 'b'}});
  parts.cut_tokens = {256};
  refused(parts, "token 256 is cut out of text");
}

// Files that were made from rank files list every way to make a token; only one of them is ever taken.
TEST(WriteRankFileTest, MergesThatAreNeverTakenDoNotMatter) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {'b', 'c'}, {256, 'c'}});
  parts.merges.push_back({'a', 257, 258});
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(std::move(parts)));
  ASSERT_OK_AND_ASSIGN(const std::string file, WriteRankFile(vocab));
  EXPECT_EQ(file, FileOf(RankTokens({"ab", "bc", "abc"})));
}

TEST(WriteRankFileTest, RefusesSuperwords) {
  BpeVocabParts parts = ::clm::testing::PartsOf({{'a', 'b'}});
  parts.superwords = {.merges = parts.merges, .chunk_bytes = 64};
  parts.merges.clear();
  EXPECT_THAT(WriteRankFile(*BpeVocab::Create(std::move(parts))),
              ::clm::testing::StatusIs(absl::StatusCode::kInvalidArgument,
                                       ::testing::HasSubstr("reach over pieces (superwords)")));
}

}  // namespace
}  // namespace clm
