#include "core/predict/lane_scheduler.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "core/base/rng.h"
#include "core/predict/count_predictor.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;

constexpr CountModelOptions kSmall = {.precision_bits = 16, .contexts_log2 = 10, .history_log2 = 12};

std::unique_ptr<CountPredictor> MakePredictor(size_t lanes) { return *CountPredictor::Create(kSmall, lanes); }

std::vector<SymbolId> RandomText(uint64_t index) {
  CounterRng rng(1, "lane_scheduler_test", index);
  std::vector<SymbolId> text(rng.NextBelow(300));
  for (SymbolId& symbol : text) symbol = static_cast<SymbolId>('a' + rng.NextBelow(3));
  return text;
}

std::vector<SymbolInterval> IntervalsAlone(const std::vector<SymbolId>& text) {
  CountModel model(kSmall);
  std::vector<SymbolInterval> intervals;
  for (const SymbolId symbol : text) intervals.push_back(model.EncodeStep(static_cast<uint8_t>(symbol)));
  return intervals;
}

// A work that is asked symbol by symbol, and what it was told.
struct Asked {
  std::vector<SymbolId> text;
  std::vector<SymbolInterval> intervals;

  LaneWork Work() {
    return {.next = [this](SymbolPredictor& predictor, size_t lane) -> std::optional<SymbolId> {
      if (intervals.size() == text.size()) return std::nullopt;
      const SymbolId symbol = text[intervals.size()];
      intervals.push_back(predictor.Interval(lane, symbol));
      return symbol;
    }};
  }
};

TEST(LaneSchedulerTest, WhatAWorkSeesDoesNotDependOnItsCompany) {
  LaneScheduler scheduler(MakePredictor(3));
  std::vector<std::thread> callers;
  for (uint64_t caller = 0; caller < 5; ++caller) {
    callers.emplace_back([&scheduler, caller] {
      std::vector<Asked> asked(4);
      std::vector<std::vector<SymbolId>> texts(4);
      std::vector<std::vector<SymbolInterval>> intervals(4);
      std::vector<LaneWork> works;
      for (size_t i = 0; i < 4; ++i) {
        asked[i].text = RandomText(10 * caller + i);
        texts[i] = RandomText(100 + 10 * caller + i);
        intervals[i].resize(texts[i].size());
        works.push_back(asked[i].Work());
        works.push_back({.symbols = texts[i], .intervals = intervals[i]});
      }
      EXPECT_OK(scheduler.Run(works, {}));
      for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(asked[i].intervals, IntervalsAlone(asked[i].text));
        EXPECT_EQ(intervals[i], IntervalsAlone(texts[i]));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST(LaneSchedulerTest, NothingToDoIsDoneAtOnce) {
  LaneScheduler scheduler(MakePredictor(1));
  EXPECT_OK(scheduler.Run({}, {}));
  const std::vector<LaneWork> empty(3);
  EXPECT_OK(scheduler.Run(empty, {}));
}

TEST(LaneSchedulerTest, ACancelledCallerGivesItsLanesToOthers) {
  LaneScheduler scheduler(MakePredictor(2));
  CancellationSource source;
  size_t asked = 0;
  const LaneWork endless = {.next = [&](SymbolPredictor&, size_t) -> std::optional<SymbolId> {
    if (++asked == 100) source.Cancel();
    return 'x';
  }};
  const std::vector<LaneWork> works(1, endless);
  std::thread other([&scheduler] {
    Asked work{.text = RandomText(7), .intervals = {}};
    const std::vector<LaneWork> mine = {work.Work(), work.Work()};
    EXPECT_OK(scheduler.Run(std::span(mine).first(1), {}));
    EXPECT_EQ(work.intervals, IntervalsAlone(work.text));
  });
  EXPECT_THAT(scheduler.Run(works, source.token()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(asked, 100U);
  other.join();
}

TEST(LaneSchedulerTest, ACallerThatWaitsForALaneCanBeCancelled) {
  LaneScheduler scheduler(MakePredictor(1));
  CancellationSource running;
  absl::Notification is_running;
  const std::vector<LaneWork> endless = {{.next = [&](SymbolPredictor&, size_t) -> std::optional<SymbolId> {
    if (!is_running.HasBeenNotified()) is_running.Notify();
    return 'x';
  }}};
  std::thread holder(
      [&] { EXPECT_THAT(scheduler.Run(endless, running.token()), StatusIs(absl::StatusCode::kCancelled)); });
  is_running.WaitForNotification();
  CancellationSource waiting;
  waiting.Cancel();
  const std::vector<LaneWork> never = {{.next = [](SymbolPredictor&, size_t) -> std::optional<SymbolId> {
    ADD_FAILURE() << "there is no lane for it";
    return std::nullopt;
  }}};
  EXPECT_THAT(scheduler.Run(never, waiting.token()), StatusIs(absl::StatusCode::kCancelled));
  running.Cancel();
  holder.join();
}

}  // namespace
}  // namespace clm
