// What a frame may not depend on: threads, lanes, company, time. And what its model costs.
#include <algorithm>
#include <cmath>
#include <ctime>
#include <thread>
#include <vector>

#include "core/codec/frame_decoder.h"
#include "core/codec/frame_encoder.h"
#include "core/entropy/rans.h"
#include "core/predict/count_predictor.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/core/engine/small_engine.h"
#include "tests/registry/codec_rows.h"

namespace clm {
namespace {

using ::clm::testing::CoderOfModel;
using ::clm::testing::EveryCodec;
using ::clm::testing::Noise;
using ::clm::testing::TestName;
using ::clm::testing::TinyCodingModel;
using ::clm::testing::Words;

constexpr FrameEncoderOptions kSmallBlocks = {.block_bytes = 4096, .verify = VerifyMode::kNone};

class FrameInvarianceTest : public ::testing::TestWithParam<CodecId> {};

TEST_P(FrameInvarianceTest, ThreadsAndLanesLeaveNoTrace) {
  const std::string data = Words(1, 2 * 4096) + Noise(2, 300) + Words(3, 4096);
  std::string first;
  struct Machine {
    uint32_t lanes;
    uint32_t threads;
  };
  for (const Machine& machine : {Machine{1, 1}, Machine{7, 2}, Machine{64, 8}, Machine{1000, 16}}) {
    const auto coder = CoderOfModel(GetParam(), TinyCodingModel(1, machine.lanes, machine.threads));
    ThreadPool pool(machine.threads);
    ASSERT_OK_AND_ASSIGN(const std::string frame, EncodeFrame(data, coder, kSmallBlocks, {.pool = &pool}));
    if (first.empty()) first = frame;
    EXPECT_TRUE(frame == first) << machine.lanes << " lanes, " << machine.threads << " threads";
    CodecSet codecs;
    codecs.Add(coder);
    ASSERT_OK_AND_ASSIGN(const std::string decoded, DecodeFrame(first, codecs, {}, {.pool = &pool}));
    EXPECT_TRUE(decoded == data);
    if (!NeedsModel(GetParam()) && machine.threads == 8) break;  // they have no lanes
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, FrameInvarianceTest, ::testing::ValuesIn(EveryCodec()),
                         [](const auto& test) { return TestName(test.param); });

// Thirty-two callers at once, of all codecs, on the lanes of one model: each gets the frame that it gets alone.
TEST(SharedLanesTest, CompanyLeavesNoTrace) {
  constexpr size_t kCallers = 32;
  const std::shared_ptr<const CodingModel> model = TinyCodingModel(1, /*lanes=*/5, /*threads=*/2);
  const auto frame_of = [&](size_t caller) {
    const CodecId codec = EveryCodec()[caller % EveryCodec().size()];
    return *EncodeFrame(Words(caller, 300 + 40 * caller), CoderOfModel(codec, model), kSmallBlocks);
  };
  std::vector<std::string> alone;
  for (size_t caller = 0; caller < kCallers; ++caller) alone.push_back(frame_of(caller));
  std::vector<std::string> together(kCallers);
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] { together[caller] = frame_of(caller); });
  }
  for (std::thread& caller : callers) caller.join();
  for (size_t caller = 0; caller < kCallers; ++caller) EXPECT_TRUE(together[caller] == alone[caller]) << caller;
}

// A model without weights likes all symbols alike: the order of ids decides, for every machine.
TEST(EqualLogitsTest, RanksAreTheIdsForAllLanesAndThreads) {
  const ModelConfig config = SmallEngineConfig();
  const std::vector<float> zeros(RandomWeights(config, 1).size(), 0.0F);
  ASSERT_OK_AND_ASSIGN(const auto engine, EngineModel::FromWeights(config, zeros));
  for (const uint32_t lanes : {1U, 7U}) {
    for (const uint32_t threads : {1U, 4U}) {
      EngineSessionOptions options;
      options.lanes = lanes;
      options.threads = threads;
      ASSERT_OK_AND_ASSIGN(const auto predictor, EnginePredictor::Create(engine, options));
      std::vector<LaneUpdate> updates;
      for (uint32_t lane = 0; lane < lanes; ++lane) updates.push_back({lane, lane});
      predictor->UpdateLanes(updates);
      for (SymbolId symbol = 0; symbol < config.vocab_size; ++symbol) {
        ASSERT_EQ(predictor->RankOf(lanes - 1, symbol), symbol);
        ASSERT_EQ(predictor->SymbolOfRank(lanes - 1, symbol), symbol);
      }
    }
  }
}

// Blocks of the same text in a frame cost what the scorer says, to a thousandth and a coder's end for each block.
TEST(InformationContentTest, APayloadIsWhatTheScorerSays) {
  const ModelConfig config = SmallEngineConfig();
  const std::shared_ptr<const EngineModel> engine = SmallEngine(config);
  std::vector<SymbolId> symbols = RandomSymbols(20'000, config.vocab_size - 5, 3);
  for (SymbolId& symbol : symbols) symbol = symbol % 3 == 0 ? symbol : symbol % 7;  // not uniform
  EngineSessionOptions options;
  const auto scoring = EngineScorer::Create(engine, options);
  ASSERT_OK(scoring);
  ASSERT_OK_AND_ASSIGN(const std::vector<ScoredDocument> scored, (*scoring)->Score({&symbols, 1}, {}));
  ASSERT_OK_AND_ASSIGN(auto predictor, EnginePredictor::Create(engine, options));
  LaneScheduler lanes(std::move(predictor));
  std::vector<SymbolInterval> intervals(symbols.size());
  const LaneWork work = {.symbols = symbols, .intervals = intervals};
  ASSERT_OK(lanes.Run({&work, 1}, {}));
  RansEncoder encoder(engine->precision_bits());
  for (const SymbolInterval& interval : intervals) encoder.Add(interval);
  const double content_bytes = scored[0].nats / std::log(2.0) / 8;
  EXPECT_NEAR(static_cast<double>(encoder.Finish().size()), content_bytes, content_bytes * 0.001 + 64);
}

// The same predictor, which has learned: probabilities say more than ranks, and both come back.
TEST(RanksOrProbabilitiesTest, ProbabilitiesAreSmallerOnAHundredKilobytes) {
  const std::string data = Words(9, 100'000);
  const auto predictor = [] { return *CountPredictor::Create({.precision_bits = 16}, 1); };
  ASSERT_OK_AND_ASSIGN(const auto model, CodingModel::OfBytes(predictor()));
  ASSERT_OK_AND_ASSIGN(const std::string probabilities, CoderOfModel(CodecId::kProbability, model)->Encode(data, {}));
  EXPECT_EQ(*CoderOfModel(CodecId::kProbability, model)->Decode(probabilities, data.size(), {}), data);
  for (const CodecId codec : {CodecId::kRankAns, CodecId::kRankAdaptive}) {
    const auto coder = CoderOfModel(codec, model);
    ASSERT_OK_AND_ASSIGN(const std::string ranks, coder->Encode(data, {}));
    EXPECT_LT(probabilities.size(), ranks.size()) << CodecName(codec);
  }
}

// Processor time of this thread; other work on the machine does not count.
double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double SecondsOf(EngineSession& session, int steps) {
  const double begin = ThreadSeconds();
  for (int step = 0; step < steps; ++step) {
    const LaneUpdate one = {0, static_cast<SymbolId>(step % 50)};
    session.Step({&one, 1});
  }
  return ThreadSeconds() - begin;
}

// Looking back on all ten thousand symbols would cost fifty times as much as on forty.
TEST(TimePerSymbolTest, DoesNotGrowBeyondTheWindow) {
  constexpr int kSteps = 200;
  constexpr double kNoise = 4;
  const EngineSessionOptions options = {.lanes = 1, .window = 0, .threads = 1, .target = std::nullopt};
  const auto young = Session(SmallEngine(), options);
  const auto old = Session(SmallEngine(), options);
  SecondsOf(*old, 10'000);
  double early = HUGE_VAL;
  double late = HUGE_VAL;
  for (int run = 0; run < 20; ++run) {
    young->Reset(0);
    SecondsOf(*young, 40);  // its window is full
    early = std::min(early, SecondsOf(*young, kSteps));
    late = std::min(late, SecondsOf(*old, kSteps));
  }
  EXPECT_LT(late, kNoise * early);
}

}  // namespace
}  // namespace clm
