#include "server/service/symbol_bytes.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

std::string Packed(const std::vector<SymbolId>& symbols, uint32_t width_bytes) {
  std::string bytes = "what was there before";
  PackSymbols(symbols, width_bytes, bytes);
  return bytes;
}

TEST(SymbolBytesTest, WidthFollowsTheVocabulary) {
  EXPECT_EQ(SymbolWidthBytes(257), 2u);
  EXPECT_EQ(SymbolWidthBytes(65536), 2u);
  EXPECT_EQ(SymbolWidthBytes(65537), 4u);
}

TEST(SymbolBytesTest, BytesAreLittleEndian) {
  const std::vector<SymbolId> symbols = {1, 0x1234};
  EXPECT_EQ(Packed(symbols, 2), std::string("\x01\x00\x34\x12", 4));
  EXPECT_EQ(Packed(symbols, 4), std::string("\x01\x00\x00\x00\x34\x12\x00\x00", 8));
  EXPECT_EQ(Packed({}, 2), "");
  EXPECT_EQ(Packed({}, 4), "");
}

TEST(SymbolUnpackerTest, CutsDoNotMatter) {
  std::mt19937 random(20260301);
  for (const uint32_t width : {2u, 4u}) {
    std::vector<SymbolId> want(200);
    for (SymbolId& symbol : want) symbol = static_cast<SymbolId>(random() & (width == 2 ? 0xffffU : 0x7fffffffU));
    const std::string bytes = Packed(want, width);
    for (int round = 0; round < 20; ++round) {
      SymbolUnpacker unpacker(width);
      std::vector<SymbolId> got;
      for (size_t position = 0; position < bytes.size();) {
        const size_t piece = std::min<size_t>(random() % 9, bytes.size() - position);
        unpacker.Feed(absl::string_view(bytes).substr(position, piece), got);
        position += piece;
      }
      EXPECT_OK(unpacker.Finish());
      EXPECT_EQ(got, want) << "round " << round;
      EXPECT_EQ(unpacker.symbols(), want.size());
    }
  }
}

TEST(SymbolUnpackerTest, HalfASymbolAtTheEndIsRefused) {
  SymbolUnpacker unpacker(4);
  std::vector<SymbolId> got;
  unpacker.Feed(absl::string_view("\x01\x00\x00\x00\x02", 5), got);
  EXPECT_THAT(unpacker.Finish(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 bytes into symbol 1")));
}

}  // namespace
}  // namespace clm
