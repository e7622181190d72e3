#include "core/tokenizer/piece_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/rng.h"

namespace clm {
namespace {

ShortPiece Key(const std::string& piece) { return ShortPiece::Of(piece.data(), piece.size(), /*padded=*/false); }

TEST(ShortPieceTest, DifferentPiecesHaveDifferentKeys) {
  EXPECT_FALSE(Key("a") == Key(std::string("a\0", 2)));
  EXPECT_FALSE(Key("abcdefghi") == Key("abcdefghj"));
  EXPECT_TRUE(Key("abcdefghi") == ShortPiece::Of("abcdefghi, and more", 9, /*padded=*/true));
  EXPECT_TRUE(Key("abc") == ShortPiece::Of("abcdefghijklmnop", 3, /*padded=*/true));
}

TEST(PieceCacheTest, RemembersWhatItKeptOrNothing) {
  PieceCache cache(1 << 14);
  CounterRng rng(4, "piece_cache_test", 0);
  std::map<std::string, std::vector<SymbolId>> pieces;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<SymbolId> ids(1 + rng.NextBelow(PieceCache::kInlineIds));
    for (SymbolId& id : ids) id = static_cast<SymbolId>(rng.NextBelow(1 << 20));
    const std::string piece = std::to_string(rng.NextBelow(1'000'000));
    if (!pieces.emplace(piece, ids).second) continue;
    cache.Keep(Key(piece), ids);
    SymbolId found[PieceCache::kInlineIds];
    ASSERT_EQ(PieceCache::View::Find(Key(piece), cache.view().BucketOf(Key(piece)), found), ids.size());
  }
  size_t known = 0;
  for (const auto& [piece, ids] : pieces) {
    std::vector<SymbolId> found(PieceCache::kInlineIds);
    found.resize(PieceCache::View::Find(Key(piece), cache.view().BucketOf(Key(piece)), found.data()));
    if (found.empty()) continue;
    ASSERT_EQ(found, ids) << piece;
    ++known;
  }
  EXPECT_GT(known, 8'000);  // of 16,384 slots, in pairs
}

TEST(PieceCacheTest, RemembersLongPiecesOrNothing) {
  PieceCache cache(1 << 12);
  size_t known = 0;
  for (size_t round = 0; round < 20; ++round) {  // more than there is room for
    for (size_t length = 1; length <= PieceCache::kMaxPieceBytes; ++length) {
      const std::string piece(length, static_cast<char>('a' + static_cast<int>(round)));
      const std::vector<SymbolId> ids(length, static_cast<SymbolId>(length + 1000 * round));
      EXPECT_TRUE(cache.Find(piece).empty());
      cache.Keep(piece, ids);
      const std::span<const SymbolId> found = cache.Find(piece);
      ASSERT_EQ(std::vector<SymbolId>(found.begin(), found.end()), ids);
      if (length > 1 && !cache.Find(piece.substr(1)).empty()) ++known;
    }
  }
  EXPECT_GT(known, 1'000);
}

TEST(ShortTokenTableTest, FindsTheTokensAndNothingElse) {
  ShortTokenTable table(1'000);
  for (SymbolId id = 0; id < 1'000; ++id) table.Add(Key(std::to_string(id)), id);
  size_t known = 0;
  for (SymbolId id = 0; id < 1'000; ++id) {
    const SymbolId found = table.Find(Key(std::to_string(id)));
    ASSERT_TRUE(found == id || found == UINT32_MAX);
    known += found == id ? 1 : 0;
  }
  EXPECT_GT(known, 990);
  EXPECT_EQ(table.Find(Key("1000")), UINT32_MAX);
}

}  // namespace
}  // namespace clm
