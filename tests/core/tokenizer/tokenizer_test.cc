#include "core/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::clm::testing::VocabOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<const Tokenizer> Make() {
  absl::StatusOr<std::shared_ptr<const Tokenizer>> made =
      Tokenizer::Create(VocabOf({{'a', 'b'}, {' ', 256}}), kGpt2Pattern);
  EXPECT_OK(made);
  return *std::move(made);
}

TEST(TokenizerTest, EncodesAndDecodes) {
  const auto tokenizer = Make();
  ASSERT_OK_AND_ASSIGN(const std::vector<SymbolId> ids, tokenizer->Encode("ab ab<|endoftext|>"));
  EXPECT_EQ(ids[0], 256);
  EXPECT_EQ(ids[1], 257);
  EXPECT_EQ(ids.size(), 2 + 13);
  ASSERT_OK_AND_ASSIGN(const std::string text, tokenizer->Decode(ids));
  EXPECT_EQ(text, "ab ab<|endoftext|>");
  EXPECT_THAT(tokenizer->Decode(std::vector<SymbolId>{1, 2, 12345}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("id 12345 at position 2; vocabulary size is 259")));
}

TEST(TokenizerTest, StreamsGiveTheSame) {
  const auto tokenizer = Make();
  const auto encoder = tokenizer->NewEncoder();
  std::vector<SymbolId> ids;
  ASSERT_OK(encoder->Push("a", ids));
  ASSERT_OK(encoder->Push("b a", ids));
  ASSERT_OK(encoder->Push("b", ids));
  ASSERT_OK(encoder->Finish(ids));
  EXPECT_THAT(ids, ElementsAre(256, 257));
  std::string text;
  ASSERT_OK(tokenizer->NewDecoder()->Push(ids, text));
  EXPECT_EQ(text, "ab ab");
}

TEST(TokenizerTest, FilesKeepTheMeaning) {
  const TemporaryDirectory folder;
  const auto tokenizer = Make();
  ASSERT_OK(tokenizer->ToFile(PosixFileSystem(), folder.File("tokenizer.json")));
  ASSERT_OK_AND_ASSIGN(const auto read, Tokenizer::FromFile(PosixFileSystem(), folder.File("tokenizer.json")));
  EXPECT_EQ(read->fingerprint(), tokenizer->fingerprint());
  EXPECT_EQ(read->pretokenizer().pattern(), kGpt2Pattern);
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File("bad.json"), "{}"));
  EXPECT_THAT(Tokenizer::FromFile(PosixFileSystem(), folder.File("bad.json")).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bad.json: tokenizer.json: ")));
  EXPECT_THAT(Tokenizer::FromFile(PosixFileSystem(), folder.File("none.json")).status(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST(TokenizerTest, TheFingerprintFollowsThePattern) {
  ASSERT_OK_AND_ASSIGN(const auto whole, Tokenizer::Create(VocabOf({{'a', 'b'}, {' ', 256}}), kWholeDocumentPattern));
  EXPECT_NE(whole->fingerprint(), Make()->fingerprint());
  EXPECT_EQ(whole->fingerprint().size(), 64);
  EXPECT_THAT(Tokenizer::Create(VocabOf({}), "\\b").status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(TokenizerTest, ThreadsShareIt) {
  const auto tokenizer = Make();
  const std::string document = "ab ab abab \xFF ba";
  ASSERT_OK_AND_ASSIGN(const std::vector<SymbolId> want, tokenizer->Encode(document));
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const absl::StatusOr<std::vector<SymbolId>> ids = tokenizer->Encode(document);
        wrong[t] += ids.ok() && *ids == want ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

}  // namespace
}  // namespace clm
