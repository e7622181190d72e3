#include "core/tokenizer/bpe_vocab.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::PartsOf;
using ::clm::testing::StatusIs;
using ::clm::testing::VocabOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

TEST(BpeVocabTest, AnswersForTokensMergesAndSpecials) {
  const BpeVocab vocab = VocabOf({{'a', 'b'}, {256, 'c'}});
  EXPECT_EQ(vocab.size(), 259);
  EXPECT_EQ(vocab.boundary(), 258);
  EXPECT_EQ(vocab.ByteId('z'), 'z');
  EXPECT_EQ(vocab.TokenBytes(257), "abc");
  EXPECT_EQ(vocab.TokenBytes(0), absl::string_view("\0", 1));
  EXPECT_EQ(vocab.TokenBytes(258), "");
  EXPECT_TRUE(vocab.IsSpecial(258));
  EXPECT_FALSE(vocab.IsSpecial(257));
  EXPECT_FALSE(vocab.IsSpecial(9999));
  ASSERT_NE(vocab.FindMerge(256, 'c'), nullptr);
  EXPECT_EQ(vocab.FindMerge(256, 'c')->rank, 1);
  EXPECT_EQ(vocab.FindMerge(256, 'c')->result, 257);
  EXPECT_EQ(vocab.FindMerge('c', 256), nullptr);
}

TEST(BpeVocabTest, IdsMayComeInAnyOrder) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}});
  std::swap(parts.tokens[0], parts.tokens[257]);  // the special gets id 0, byte 0 the last id
  parts.specials[0].id = parts.boundary = 0;
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(parts));
  EXPECT_EQ(vocab.ByteId(0), 257);
  EXPECT_TRUE(vocab.IsSpecial(0));
}

TEST(BpeVocabTest, RefusesBrokenTokens) {
  BpeVocabParts parts = PartsOf({});
  parts.tokens['x'] = "xx";
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("no token stands for byte 0x78")));
  parts.tokens['x'] = "y";
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("tokens 120 and 121 stand for the same bytes")));
  parts.tokens['x'] = "";
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("token 120 stands for no bytes")));
}

TEST(BpeVocabTest, RefusesBrokenMerges) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}});
  parts.merges[0].left = 5000;
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("merge 0 names id 5000, which is not in the")));
  parts.merges[0].left = parts.boundary;
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("which is a special token")));
  parts.merges[0].left = 'b';
  EXPECT_THAT(BpeVocab::Create(parts),
              StatusIs(kInvalid, HasSubstr("merge 0 makes \"bb\", but its result 256 is \"ab\"")));
  parts.merges[0].left = 'a';
  parts.merges.push_back(parts.merges[0]);
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("merge 1, \"a\" with \"b\", occurs twice")));
}

TEST(BpeVocabTest, RefusesBrokenSpecials) {
  BpeVocabParts parts = PartsOf({});
  parts.boundary = 7;
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("boundary, id 7, is not a special")));
  parts = PartsOf({});
  parts.specials.push_back({256, "other"});
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("two special tokens have id 256")));
  parts.specials[1] = {257, "<|endoftext|>"};
  parts.tokens.emplace_back();
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("\"<|endoftext|>\" occurs twice")));
  parts.specials[1] = {300, "x"};
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("has id 300, vocabulary size is 258")));
  parts.specials[1] = {257, std::string(kMaxBpeSpecialBytes + 1, 'x')};
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("spelt with 257 bytes; limit 256")));
  parts.specials[1] = {257, "\xFF"};
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("is not valid UTF-8")));
}

TEST(BpeVocabTest, RefusesSizesOverTheLimits) {
  BpeVocabParts parts = PartsOf({});
  parts.tokens.resize(kMaxBpeVocabSize + 1);
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kTooMuch, HasSubstr("1048577 entries; limit 1048576")));
  parts = PartsOf({});
  parts.merges.resize(kMaxBpeMerges + 1);
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kTooMuch, HasSubstr("merges; limit")));
  parts = PartsOf({});
  parts.specials.resize(kMaxBpeSpecials + 1);
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kTooMuch, HasSubstr("special tokens; limit")));
}

TEST(BpeVocabTest, AnIdWithoutASpellingIsASpecialThatEndsNothing) {
  BpeVocabParts parts = PartsOf({});
  parts.specials.push_back({257, ""});
  parts.specials.push_back({258, ""});
  parts.tokens.resize(259);
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(parts));
  EXPECT_TRUE(vocab.IsSpecial(257));
  EXPECT_EQ(vocab.TokenBytes(258), "");
  parts.boundary = 257;
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("boundary, id 257, is not a special")));
}

TEST(BpeVocabTest, MergesOfOneResultMayShareTheirRank) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {'b', 'c'}, {256, 'c'}});
  parts.merges.push_back({'a', 257, 258});
  ASSERT_OK_AND_ASSIGN(const BpeVocab apart, BpeVocab::Create(parts));
  EXPECT_EQ(apart.FindMerge('a', 257)->rank, 3);
  parts.equal_ranks = true;
  ASSERT_OK_AND_ASSIGN(const BpeVocab equal, BpeVocab::Create(parts));
  EXPECT_EQ(equal.FindMerge(256, 'c')->rank, 2);
  EXPECT_EQ(equal.FindMerge('a', 257)->rank, 2);
  EXPECT_NE(equal.fingerprint(), apart.fingerprint());
  std::swap(parts.merges[0], parts.merges[3]);
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("merge 2 makes \"abc\" again, apart from")));
}

TEST(BpeVocabTest, WholePiecesAreFoundByTheirBytes) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {256, 'c'}});
  parts.whole_pieces = {257};
  ASSERT_OK_AND_ASSIGN(BpeVocab made, BpeVocab::Create(parts));
  const BpeVocab vocab = std::move(made);
  ASSERT_NE(vocab.FindWholePiece("abc"), nullptr);
  EXPECT_EQ(*vocab.FindWholePiece("abc"), 257);
  EXPECT_EQ(vocab.FindWholePiece("ab"), nullptr);
  EXPECT_EQ(vocab.FindWholePiece("abcd"), nullptr);
  EXPECT_NE(vocab.fingerprint(), VocabOf({{'a', 'b'}, {256, 'c'}}).fingerprint());
  parts.whole_pieces = {257, 257};
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("whole piece 257, \"abc\", occurs twice")));
  parts.whole_pieces = {258};
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("whole piece 258 is a special token")));
  parts.whole_pieces = {259};
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("whole piece 259 is not in the vocabulary")));
}

TEST(BpeVocabTest, ACutTokenMayRepeatTheBytesOfAnother) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}});
  parts.tokens.push_back("ab");
  parts.tokens.push_back("z");
  parts.cut_tokens = {259, 258};
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(parts));
  EXPECT_EQ(vocab.FindMerge('a', 'b')->result, 256);
  EXPECT_EQ(vocab.ByteId('z'), 'z');
  EXPECT_THAT(vocab.cut_tokens(), ElementsAre(258, 259));
  parts.tokens[259] = "ab";
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("cut token 259, \"ab\", occurs twice")));
  parts.tokens[259] = std::string(257, 'x');
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("cut token 259 has 257 bytes; limit 256")));
  parts.cut_tokens = {257};
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("cut token 257 is a special token")));
  parts.cut_tokens = {300};
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kInvalid, HasSubstr("cut token 300 is not in the vocabulary")));
  parts.cut_tokens.assign(kMaxBpeSpecials + 1, 'a');
  EXPECT_THAT(BpeVocab::Create(parts), StatusIs(kTooMuch, HasSubstr("4097 cut tokens; limit 4096")));
}

TEST(BpeVocabTest, TheFingerprintFollowsTheMeaning) {
  const BpeVocab vocab = VocabOf({{'a', 'b'}, {'c', 'd'}});
  EXPECT_EQ(vocab.fingerprint(), VocabOf({{'a', 'b'}, {'c', 'd'}}).fingerprint());
  EXPECT_NE(vocab.fingerprint(), VocabOf({{'c', 'd'}, {'a', 'b'}}).fingerprint());

  BpeVocabParts parts = PartsOf({{'a', 'b'}, {'c', 'd'}});
  std::swap(parts.merges[0], parts.merges[1]);  // same tokens, other ranks
  ASSERT_OK_AND_ASSIGN(const BpeVocab swapped, BpeVocab::Create(parts));
  EXPECT_NE(vocab.fingerprint(), swapped.fingerprint());

  parts = PartsOf({{'a', 'b'}, {'c', 'd'}});
  parts.specials[0].text = "<eos>";
  ASSERT_OK_AND_ASSIGN(const BpeVocab renamed, BpeVocab::Create(parts));
  EXPECT_NE(vocab.fingerprint(), renamed.fingerprint());
}

BpeVocabParts WithSuperwords(std::vector<BpeMerge> superwords, uint32_t chunk_bytes = 512) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {256, 'c'}, {257, 256}});
  parts.merges.resize(1);
  parts.superwords = {.merges = std::move(superwords), .chunk_bytes = chunk_bytes};
  return parts;
}

TEST(BpeVocabTest, SuperwordsAreMergesOfASecondStage) {
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(WithSuperwords({{256, 'c', 257}, {257, 256, 258}})));
  EXPECT_TRUE(vocab.has_superwords());
  EXPECT_EQ(vocab.merges().size(), 1U);
  EXPECT_EQ(vocab.FindMerge(256, 'c'), nullptr) << "not of the first";
  EXPECT_EQ(vocab.superwords().merges.size(), 2U);
  ASSERT_OK_AND_ASSIGN(const BpeVocab other, BpeVocab::Create(WithSuperwords({{256, 'c', 257}, {257, 256, 258}}, 30)));
  EXPECT_NE(vocab.fingerprint(), other.fingerprint()) << "chunks decide ids";
  EXPECT_NE(vocab.fingerprint(), VocabOf({{'a', 'b'}, {256, 'c'}, {257, 256}}).fingerprint());
  EXPECT_EQ(BpeVocab::Create(WithSuperwords({}, 7))->fingerprint(),
            BpeVocab::Create(WithSuperwords({}))->fingerprint());
}

TEST(BpeVocabTest, RefusesSuperwordsThatBreakTheRules) {
  const auto refused = [](BpeVocabParts parts, absl::string_view message) {
    EXPECT_THAT(BpeVocab::Create(std::move(parts)), StatusIs(kInvalid, HasSubstr(std::string(message))));
  };
  refused(WithSuperwords({{256, 'c', 257}}, 1), "superword chunk_bytes is 1; range [2, 1048576]");
  refused(WithSuperwords({{256, 'c', 257}}, (1U << 20) + 1), "superword chunk_bytes is 1048577");
  refused(WithSuperwords({{256, 'c', 9999}}), "superword merge 0 names id 9999, which is not in the vocabulary");
  refused(WithSuperwords({{256, 'd', 257}}), "superword merge 0 makes \"abd\", but its result 257 is \"abc\"");
  refused(WithSuperwords({{'a', 'b', 256}}), "superword merge 0, \"a\" with \"b\", occurs twice");
  refused(WithSuperwords({{256, 'c', 257}, {256, 'c', 257}}), "superword merge 1, \"ab\" with \"c\", occurs twice");
  refused(WithSuperwords({{257, 256, 258}, {256, 'c', 257}}),
          "superword merge 0 joins a token that it or a later merge");
  BpeVocabParts cut = WithSuperwords({{256, 'c', 257}});
  cut.cut_tokens = {258};
  refused(std::move(cut), "superwords do not go with equal ranks, cut tokens or whole pieces");
}

}  // namespace
}  // namespace clm
