#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;

class TraceCommandTest : public CommandTest {
 protected:
  std::string File(const std::string& content) { return WriteInput("in", content); }
};

TEST_F(TraceCommandTest, RowsAreATable) {
  EXPECT_EQ(server_.Run({"trace", File("ab"), "--top-n", "5", "--window", "9", "--stop-after", "3"}, AddTrace), 0);
  EXPECT_EQ(server_.output(),
            "#\ttoken\trank\tprobability\tbits\tentropy\n0\t7\t0\t0.000000000\t0.000000\t0.000000\nba");
  EXPECT_EQ(server_.trace.top_n(), 5U);
  EXPECT_EQ(server_.trace.window_symbols(), 9U);
  EXPECT_EQ(server_.trace.stop_after_symbols(), 3U);
}

TEST_F(TraceCommandTest, StatisticsAreText) {
  v1::TraceResponse::Statistics& statistics = *server_.trace_summary.mutable_statistics();
  statistics.set_symbols(4);
  statistics.set_hits(3);
  statistics.set_misses(1);
  statistics.set_bits(6);
  statistics.set_original_bytes(12);
  EXPECT_EQ(server_.Run({"trace", File(""), "--format", "stats"}, AddTrace), 0);
  EXPECT_EQ(server_.trace.report().format(), v1::TRACE_FORMAT_STATISTICS);
  EXPECT_THAT(server_.output(), HasSubstr("hits              3 (75.0 %)\n"));
  EXPECT_THAT(server_.output(), HasSubstr("bits per byte     0.5000\n"));
}

TEST_F(TraceCommandTest, FiguresAreWrittenAsTheyCome) {
  EXPECT_EQ(server_.Run({"trace", File("gvs"), "--format", "svg", "--title", "T"}, AddTrace), 0);
  EXPECT_EQ(server_.output(), "svg");
  EXPECT_EQ(server_.trace.report().title(), "T");
}

TEST_F(TraceCommandTest, StagesPassBytesThrough) {
  server_.trace_summary.add_warnings("unverified");
  EXPECT_EQ(server_.Run({"stage", "binToRange", File("ab"), "-p", "16", "-c", "hi"}, AddStage), 0);
  EXPECT_EQ(server_.output(), "ba");
  EXPECT_THAT(server_.errors(), HasSubstr("warning: unverified"));
  EXPECT_EQ(server_.trace.stage().name(), "binToRange");
  EXPECT_EQ(server_.trace.stage().precision_bits(), 16U);
  EXPECT_EQ(server_.trace.stage().comment(), "hi");
}

TEST_F(TraceCommandTest, CorrectionsSendWhatTheirKindNeeds) {
  EXPECT_EQ(
      server_.Run({"correct", "--kind", "ranks", "--prompt", "p", "--max-symbols", "7", File("0, 1\n=2")}, AddCorrect),
      0);
  EXPECT_EQ(server_.output(), std::string("\0\0\0\2\xFF\xFF\xFF\xFE\xFF\xFF\xFF\xFF", 12));  // little-endian, backwards
  EXPECT_EQ(server_.trace.correct().kind(), v1::CORRECTION_KIND_RANKS);
  EXPECT_EQ(server_.trace.correct().prompt(), "p");
  EXPECT_EQ(server_.trace.correct().max_symbols(), 7U);
  EXPECT_EQ(server_.Run({"correct", "--kind", "zeros", "--greedy-tail"}, AddCorrect), 0);
  EXPECT_EQ(server_.output(), "");
  EXPECT_TRUE(server_.trace.correct().greedy_tail());
  EXPECT_EQ(server_.Run({"correct", "--kind", "nibbles", File("xy")}, AddCorrect), 0);
  EXPECT_EQ(server_.output(), "yx");
  EXPECT_EQ(server_.Run({"correct", "--make-payload", "--prompt", "q", File("xy")}, AddCorrect), 0);
  EXPECT_EQ(server_.trace.payload().prompt(), "q");
}

TEST_F(TraceCommandTest, WrongRanksAreRefused) {
  EXPECT_EQ(server_.Run({"correct", "--kind", "ranks", File("0 -1")}, AddCorrect), kExitUsage);
  EXPECT_THAT(server_.errors(), HasSubstr("not a rank: -1"));
}

}  // namespace
}  // namespace clm::client
