#include "core/tokenizer/token_adjacency.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/tokenizer/bpe_reference.h"
#include "tests/core/tokenizer/random_vocab.h"

namespace clm {
namespace {

using ::clm::testing::OrderedVocab;
using ::clm::testing::VocabOf;

TEST(TokenAdjacencyTest, ATokenIsReachableIfItsBytesMergeToIt) {
  for (uint64_t round = 0; round < 40; ++round) {
    const BpeVocab vocab = OrderedVocab(round, 40);
    const TokenAdjacency adjacency(vocab);
    ASSERT_TRUE(adjacency.in_order());
    for (SymbolId id = 0; id < vocab.size(); ++id) {
      const std::vector<SymbolId> merged = BpeEncodeReference(vocab, vocab.TokenBytes(id));
      ASSERT_EQ(adjacency.IsReachable(id), merged == std::vector<SymbolId>{id}) << "round " << round << " id " << id;
    }
  }
}

TEST(TokenAdjacencyTest, TwoTokensFitIfTheirBytesTogetherMergeToThem) {
  for (uint64_t round = 0; round < 20; ++round) {
    const BpeVocab vocab = OrderedVocab(round, 30);
    const TokenAdjacency adjacency(vocab);
    std::vector<SymbolId> ids;
    for (SymbolId id = 'a'; id < vocab.size(); id = id == 'c' ? 256 : id + 1) {
      if (adjacency.IsReachable(id)) ids.push_back(id);
    }
    for (const SymbolId left : ids) {
      for (const SymbolId right : ids) {
        const std::string bytes = absl::StrCat(vocab.TokenBytes(left), vocab.TokenBytes(right));
        const bool fits = BpeEncodeReference(vocab, bytes) == std::vector<SymbolId>{left, right};
        ASSERT_EQ(adjacency.Fits(left, right), fits) << "round " << round << ": " << left << " " << right;
      }
    }
  }
}

TEST(TokenAdjacencyTest, SeesMergesOutOfOrder) {
  EXPECT_TRUE(TokenAdjacency(VocabOf({{'a', 'b'}, {256, 'c'}})).in_order());
  BpeVocabParts parts = clm::testing::PartsOf({{'a', 'b'}, {256, 'c'}});
  std::swap(parts.merges[0], parts.merges[1]);
  EXPECT_FALSE(TokenAdjacency(*BpeVocab::Create(parts)).in_order());
}

}  // namespace
}  // namespace clm
