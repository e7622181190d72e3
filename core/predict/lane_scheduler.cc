#include "core/predict/lane_scheduler.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace clm {
namespace {

// Symbols of a known text told at a time: many pay, but the lanes that are asked wait for them.
constexpr size_t kTextSymbols = 128;
constexpr size_t kTextSymbolsInCompany = 16;

}  // namespace

LaneScheduler::LaneScheduler(std::unique_ptr<SymbolPredictor> predictor)
    : predictor_(std::move(predictor)), lanes_(predictor_->lanes()), thread_([this] { Serve(); }) {
  CLM_CHECK(!lanes_.empty());
}

LaneScheduler::~LaneScheduler() {
  {
    absl::MutexLock lock(&mutex_);
    CLM_CHECK(callers_.empty());
    stop_ = true;
  }
  thread_.join();
}

absl::Status LaneScheduler::Run(std::span<const LaneWork> works, const CancellationToken& cancel) {
  for (const LaneWork& work : works) CLM_CHECK(work.symbols.size() == work.intervals.size());
  Caller caller{.works = works, .cancel = &cancel};
  absl::MutexLock lock(&mutex_);
  callers_.push_back(&caller);
  mutex_.Await(absl::Condition(&caller.done));
  return caller.started < works.size() || caller.running > 0 ? cancel.Check() : absl::OkStatus();
}

void LaneScheduler::Serve() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &LaneScheduler::ShouldWake));
      if (stop_) return;
      if (!AssignLanes()) continue;
    }
    ScoreStep();
    AskStep();
  }
}

bool LaneScheduler::AssignLanes() {
  FinishCallers();
  size_t in_use = 0;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].work == nullptr) GiveWork(i);
    if (lanes_[i].work != nullptr) ++in_use;
  }
  lanes_in_use_.store(in_use, std::memory_order_relaxed);
  return in_use > 0;
}

void LaneScheduler::GiveWork(size_t i) {
  Lane& lane = lanes_[i];
  for (size_t turns = callers_.size(); turns > 0; --turns) {
    Caller* caller = callers_.front();
    callers_.pop_front();
    callers_.push_back(caller);
    while (caller->started < caller->works.size()) {
      const LaneWork& work = caller->works[caller->started++];
      if (work.next == nullptr && work.symbols.empty()) continue;
      lane = {.caller = caller, .work = &work, .told = 0, .symbol = std::nullopt};
      ++caller->running;
      predictor_->Reset(i);
      return;
    }
  }
}

void LaneScheduler::FinishCallers() {
  // Asked once: a caller that is let go must have no lane.
  for (Caller* caller : callers_) caller->cancelled = caller->cancel->cancelled();
  for (Lane& lane : lanes_) {
    if (lane.work != nullptr && lane.caller->cancelled) lane = {};
  }
  std::erase_if(callers_, [](Caller* caller) {
    caller->done = caller->cancelled || (caller->started == caller->works.size() && caller->running == 0);
    return caller->done;
  });
}

void LaneScheduler::ScoreStep() {
  const bool in_company = std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
    return lane.work != nullptr && lane.work->next != nullptr;
  });
  const size_t most = in_company ? kTextSymbolsInCompany : kTextSymbols;
  texts_.clear();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    if (lane.work == nullptr || lane.work->next != nullptr) continue;
    const size_t count = std::min(most, lane.work->symbols.size() - lane.told);
    texts_.push_back({.lane = static_cast<uint32_t>(i),
                      .symbols = lane.work->symbols.subspan(lane.told, count),
                      .intervals = lane.work->intervals.subspan(lane.told, count)});
    lane.told += count;
  }
  if (texts_.empty()) return;
  predictor_->ScoreLanes(texts_);
  for (Lane& lane : lanes_) {
    if (lane.work != nullptr && lane.work->next == nullptr && lane.told == lane.work->symbols.size()) Release(lane);
  }
}

void LaneScheduler::AskStep() {
  asked_.clear();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].work != nullptr && lanes_[i].work->next != nullptr) asked_.push_back(i);
  }
  if (asked_.empty()) return;
  predictor_->AskLanes(asked_.size(), [this](size_t i) {
    Lane& lane = lanes_[asked_[i]];
    lane.symbol = lane.work->next(*predictor_, asked_[i]);
  });
  updates_.clear();
  for (const size_t i : asked_) {
    if (lanes_[i].symbol.has_value()) {
      updates_.push_back({static_cast<uint32_t>(i), *lanes_[i].symbol});
    } else {
      Release(lanes_[i]);
    }
  }
  if (!updates_.empty()) predictor_->UpdateLanes(updates_);
}

void LaneScheduler::Release(Lane& lane) {
  --lane.caller->running;
  lane = {};
}

}  // namespace clm
