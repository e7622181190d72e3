// Files and ids that other programs made: tests/golden/tokenizer/v1/README.md.

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/file_io.h"
#include "core/tokenizer/bpe_trainer.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

std::string Golden(const std::string& name) {
  absl::StatusOr<std::string> text = ReadFile(PosixFileSystem(), JoinPath(CLM_GOLDEN_DIRECTORY, name), 1 << 20);
  EXPECT_OK(text);
  return *std::move(text);
}

class TokenizerGoldenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(TokenizerGoldenTest, GivesTheIdsOfHuggingFaceTokenizers) {
  const std::string name = GetParam();
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::FromJson(Golden(name + ".json")));
  const nlohmann::json vectors = nlohmann::json::parse(Golden("vectors.json"));
  ASSERT_EQ(vectors.size(), 30);
  for (const nlohmann::json& vector : vectors) {
    const auto text = vector["text"].get<std::string>();
    ASSERT_OK_AND_ASSIGN(const std::vector<SymbolId> ids, tokenizer->Encode(text));
    EXPECT_EQ(ids, vector[name].get<std::vector<SymbolId>>()) << text;
    ASSERT_OK_AND_ASSIGN(const std::string decoded, tokenizer->Decode(ids));
    EXPECT_EQ(decoded, text);
  }
}

INSTANTIATE_TEST_SUITE_P(BothFiles, TokenizerGoldenTest, ::testing::Values("trained", "hugging_face"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(TokenizerGoldenFileTest, TrainingGivesTheStoredFileByteForByte) {
  ASSERT_OK_AND_ASSIGN(BpeTrainer trainer, BpeTrainer::Create({.vocab_size = 512}));
  ASSERT_OK(trainer.AddDocument(Golden("training_text.txt")));
  ASSERT_OK_AND_ASSIGN(BpeVocab vocab, trainer.Train());
  ASSERT_OK_AND_ASSIGN(const std::string json, WriteTokenizerJson(vocab, kGpt2Pattern));
  EXPECT_EQ(json, Golden("trained.json"));
}

// Stored artifacts name tokenizers by this value.
TEST(TokenizerGoldenFileTest, TheFingerprintStays) {
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::FromJson(Golden("trained.json")));
  EXPECT_EQ(tokenizer->fingerprint(), "0a3c7e8e1504dfc7e3c84dd1f03b1080ad97896f51d55bdfdc49e6afe6632e98");
}

}  // namespace
}  // namespace clm
