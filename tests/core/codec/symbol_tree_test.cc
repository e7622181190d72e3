#include "core/codec/symbol_tree.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/core/codec/codec_testing.h"

namespace clm {
namespace {

using ::clm::testing::PairRepresentation;

TEST(SymbolTreeTest, SymbolsStandInTheOrderOfTheirBytes) {
  const PairRepresentation representation;
  const SymbolTree tree(representation, 300);
  ASSERT_EQ(tree.order().size(), 257U);
  EXPECT_EQ(tree.order()['a'], SymbolId{'a'});
  EXPECT_EQ(tree.order()['a' + 1], 256U);  // "ab"
  EXPECT_EQ(tree.order()[256], 255U);
  EXPECT_EQ(tree.PlaceOf('b'), size_t{'b'} + 1);
  EXPECT_EQ(tree.PlaceOf(257), SIZE_MAX);  // the boundary has no bytes
  EXPECT_EQ(tree.PlaceOf(299), SIZE_MAX);
  EXPECT_EQ(tree.PlaceOf(9999), SIZE_MAX);
}

TEST(SymbolTreeTest, EveryStepNarrowsToTheSymbolsThatAgree) {
  const PairRepresentation representation;
  const SymbolTree tree(representation, 258);
  SymbolTree::Node node = tree.Root();
  for (int shift = 7; shift >= 0; --shift) {
    const size_t split = tree.Split(node, shift);
    ('a' >> shift & 1 ? node.begin : node.end) = split;
  }
  ++node.depth;
  ASSERT_EQ(node.end - node.begin, 2U);  // "a" and "ab"
  EXPECT_EQ(tree.EndOfOwn(node), node.begin + 1);
  node.begin = tree.EndOfOwn(node);
  EXPECT_EQ(tree.Split(node, 7), node.end);  // 'b' has a zero there
  EXPECT_EQ(tree.Split(node, 6), node.begin);
}

}  // namespace
}  // namespace clm
