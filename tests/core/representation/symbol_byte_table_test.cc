#include "core/representation/symbol_byte_table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

// 0 = "a", 1 = "bc", 2 = "" (a special)
SymbolByteTable Small() { return SymbolByteTable(std::vector<absl::string_view>{"a", "bc", ""}); }

Universe Layers(uint32_t base_size, const std::vector<std::vector<SymbolPair>>& layers) {
  std::vector<UniverseLayer> all;
  for (const auto& pairs : layers) all.push_back({.rule = JoinRule::kAny, .pairs = pairs});
  return Universe::Create(base_size, {}, all).value();
}

TEST(SymbolByteTableTest, DecodesBySymbol) {
  std::string out = "x";
  ASSERT_OK(Small().Decode(std::vector<SymbolId>{1, 2, 0, 1}, 0, out));
  EXPECT_EQ(out, "xbcabc");
}

TEST(SymbolByteTableTest, UnknownSymbolsLeaveTheOutputAlone) {
  std::string out = "x";
  EXPECT_THAT(Small().Decode(std::vector<SymbolId>{0, 3}, 10, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("symbol 3 at position 11")));
  EXPECT_EQ(out, "x");
}

TEST(SymbolByteTableTest, ExpandsCoordinates) {
  ASSERT_OK_AND_ASSIGN(const SymbolByteTable table,
                       SymbolByteTable::Expand(Small(), Layers(3, {{{0, 1}}, {{3, 3}, {1, 3}}})));
  EXPECT_EQ(table.size(), 6U);
  EXPECT_EQ(table[3], "abc");
  EXPECT_EQ(table[4], "abcabc");
  EXPECT_EQ(table[5], "bcabc");
}

TEST(SymbolByteTableTest, TooManyBytesAreRefusedBeforeTheyAreWritten) {
  // 1 MiB doubled ten times: 1 + 2 + ... + 1024 MiB.
  const std::string megabyte(size_t{1} << 20, 'x');
  std::vector<std::vector<SymbolPair>> layers;
  for (SymbolId id = 0; id < 10; ++id) layers.push_back({{id, id}});
  EXPECT_THAT(SymbolByteTable::Expand(SymbolByteTable(std::vector<absl::string_view>{megabyte}), Layers(1, layers)),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the limit is 536870912")));
}

TEST(SymbolByteTableTest, StreamingDecoderCountsPositionsPerDocument) {
  const SymbolByteTable table = Small();
  const auto decoder = table.NewDecoder();
  std::string out;
  ASSERT_OK(decoder->Push(std::vector<SymbolId>{0, 1}, out));
  EXPECT_THAT(decoder->Push(std::vector<SymbolId>{9}, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("position 2")));
  ASSERT_OK(decoder->Finish(out));
  EXPECT_THAT(decoder->Push(std::vector<SymbolId>{9}, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("position 0")));
  EXPECT_EQ(out, "abc");
}

}  // namespace
}  // namespace clm
