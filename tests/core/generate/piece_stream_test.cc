#include "core/generate/piece_stream.h"

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PieceStreamTest, WithoutStopsEverySymbolLeavesAtOnce) {
  PieceStream stream(StopMatcher({}), true);
  EXPECT_FALSE(stream.Add(7, "ab"));
  const GeneratedPiece piece = stream.Take();
  EXPECT_EQ(piece.bytes, "ab");
  EXPECT_THAT(piece.symbols, ElementsAre(7));
  EXPECT_THAT(stream.Take().symbols, IsEmpty());
}

TEST(PieceStreamTest, ASymbolLeavesWithItsLastByte) {
  PieceStream stream(StopMatcher({"xy"}), true);
  stream.Add(1, "ax");  // the x may become a stop
  GeneratedPiece piece = stream.Take();
  EXPECT_EQ(piece.bytes, "a");
  EXPECT_THAT(piece.symbols, IsEmpty());
  stream.Add(2, "b");
  piece = stream.Take();
  EXPECT_EQ(piece.bytes, "xb");
  EXPECT_THAT(piece.symbols, ElementsAre(1, 2));
}

TEST(PieceStreamTest, AStopInsideASymbolCutsItsBytes) {
  PieceStream stream(StopMatcher({"xy"}), true);
  EXPECT_FALSE(stream.Add(1, "ab"));
  EXPECT_FALSE(stream.Add(2, "cx"));
  EXPECT_TRUE(stream.Add(3, "yz"));
  const GeneratedPiece piece = stream.Finish();
  EXPECT_EQ(piece.bytes, "abc");
  EXPECT_THAT(piece.symbols, ElementsAre(1, 2));
  EXPECT_EQ(stream.cut_bytes(), 1U);
}

TEST(PieceStreamTest, AStopThatBeginsWithASymbolDropsTheSymbol) {
  PieceStream stream(StopMatcher({"xy"}), true);
  stream.Add(1, "ab");
  EXPECT_TRUE(stream.Add(2, "xyz"));
  const GeneratedPiece piece = stream.Finish();
  EXPECT_EQ(piece.bytes, "ab");
  EXPECT_THAT(piece.symbols, ElementsAre(1));
  EXPECT_EQ(stream.cut_bytes(), 0U);
}

TEST(PieceStreamTest, Utf8IsHeldBackOnlyWhenAsked) {
  for (const bool complete : {true, false}) {
    PieceStream stream(StopMatcher({}), complete);
    stream.Add(1, "a\xC3");
    EXPECT_EQ(stream.Take().bytes, complete ? "a" : "a\xC3");
    stream.Add(2, "\xA9");
    EXPECT_EQ(stream.Take().bytes, complete ? "\xC3\xA9" : "\xA9");
  }
}

TEST(PieceStreamTest, TheEndHandsOutWhatIsHeld) {
  PieceStream stream(StopMatcher({"xy"}), true);
  stream.Add(1, "a\xC3");
  stream.Add(2, "x");
  EXPECT_EQ(stream.Take().bytes, "a");
  EXPECT_FALSE(stream.AddTail("z"));
  const GeneratedPiece piece = stream.Finish();
  EXPECT_EQ(piece.bytes, "\xC3xz");
  EXPECT_THAT(piece.symbols, ElementsAre(1, 2));
}

}  // namespace
}  // namespace clm
