#include "core/engine/engine_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/base/thread_pool.h"
#include "core/engine/distribution.h"
#include "core/engine/network.h"
#include "core/engine/thread_team.h"

namespace clm {
namespace {

constexpr uint32_t kMaxLanes = 4096;
constexpr uint32_t kMaxThreads = 256;
constexpr uint64_t kMaxStateBytes = uint64_t{16} << 30;

absl::Status CheckRange(absl::string_view field, uint32_t value, uint32_t low, uint32_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("engine session ", field, " is ", value, ", must be in [", low, ", ", high, "]"));
}

}  // namespace

absl::Status EngineSessionOptions::Validate(const EngineModel& model) const {
  CLM_RETURN_IF_ERROR(CheckRange("lanes", lanes, 1, kMaxLanes));
  CLM_RETURN_IF_ERROR(CheckRange("window", window, 0, model.max_window()));
  return CheckRange("threads", threads, 0, kMaxThreads);
}

absl::StatusOr<std::unique_ptr<EngineSession>> EngineSession::Create(std::shared_ptr<const EngineModel> model,
                                                                     const EngineSessionOptions& options) {
  CLM_RETURN_IF_ERROR(options.Validate(*model));
  EngineSessionOptions filled = options;
  if (filled.window == 0) filled.window = model->max_window();
  if (filled.threads == 0) filled.threads = static_cast<uint32_t>(std::min<size_t>(AvailableThreads(), kMaxThreads));
  const uint64_t bytes = filled.lanes * (model->lane_bytes(filled.window) + 8 * uint64_t{model->vocab_size()});
  if (bytes > kMaxStateBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("engine session of ", filled.lanes, " lanes and window ",
                                                     filled.window, " needs ", bytes, " bytes, the limit is ",
                                                     kMaxStateBytes));
  }
  return std::unique_ptr<EngineSession>(new EngineSession(std::move(model), filled));
}

EngineSession::EngineSession(std::shared_ptr<const EngineModel> model, const EngineSessionOptions& options)
    : model_(std::move(model)), options_(options), team_(std::make_unique<ThreadTeam>(options.threads)) {
  state_ = model_->network().NewState({.lanes = options.lanes + 1,
                                       .window = options.window,
                                       .threads = static_cast<uint32_t>(team_->size()),
                                       .target = options.target.value_or(SupportedDotTargets().back())});
  distributions_.assign(options.lanes + 1, Distribution(model_->vocab_size()));
  scratch_.assign(team_->size(), Distribution(model_->vocab_size()));
  rows_.push_back({options.lanes, model_->boundary()});
  Advance();
  for (uint32_t lane = 0; lane < options.lanes; ++lane) Reset(lane);
}

EngineSession::~EngineSession() = default;

std::unique_ptr<EngineSession> EngineSession::Clone() const {
  auto copy = std::unique_ptr<EngineSession>(new EngineSession(model_, options_));
  copy->state_->Assign(*state_);
  copy->distributions_ = distributions_;
  return copy;
}

uint32_t EngineSession::lanes() const { return options_.lanes; }
uint32_t EngineSession::window() const { return options_.window; }

void EngineSession::Reset(uint32_t lane) {
  CLM_CHECK(lane < lanes());
  CopyLane(options_.lanes, lane);
}

void EngineSession::CopyState(uint32_t from, uint32_t to) {
  CLM_CHECK(from < lanes() && to < lanes());
  CopyLane(from, to);
}

void EngineSession::CopyLane(uint32_t from, uint32_t to) {
  state_->Copy(from, to);
  distributions_[to] = distributions_[from];
}

void EngineSession::Advance() {
  model_->network().Advance(*state_, rows_, *team_, [this](size_t row, size_t, std::span<const int32_t> logits) {
    distributions_[rows_[row].lane].Assign(logits, /*keep_logits=*/true);
  });
}

void EngineSession::Step(std::span<const LaneUpdate> symbols) {
  rows_.clear();
  for (const LaneUpdate& each : symbols) {
    CLM_CHECK(each.lane < lanes() && each.symbol < model_->vocab_size());
    rows_.push_back({each.lane, each.symbol});
  }
  if (!rows_.empty()) Advance();
}

const Distribution& EngineSession::Of(uint32_t lane) const {
  CLM_CHECK(lane < lanes());
  return distributions_[lane];
}

SymbolInterval EngineSession::Interval(uint32_t lane, SymbolId symbol) const {
  CLM_CHECK(symbol < model_->vocab_size());
  return Of(lane).Interval(symbol);
}

SymbolId EngineSession::Find(uint32_t lane, uint32_t slot, SymbolInterval& interval) const {
  CLM_CHECK(slot < uint32_t{1} << model_->precision_bits());
  return Of(lane).Find(slot, interval);
}

void EngineSession::Frequencies(uint32_t lane, std::span<uint32_t> out) const {
  CLM_CHECK(out.size() == model_->vocab_size());
  Of(lane).Frequencies(out);
}

std::span<const int32_t> EngineSession::Logits(uint32_t lane) const { return Of(lane).logits(); }

uint32_t EngineSession::RankOf(uint32_t lane, SymbolId symbol) const {
  CLM_CHECK(symbol < model_->vocab_size());
  return Of(lane).RankOf(symbol);
}

SymbolId EngineSession::SymbolOfRank(uint32_t lane, uint32_t rank) const {
  CLM_CHECK(rank < model_->vocab_size());
  return Of(lane).SymbolOfRank(rank);
}

void EngineSession::InParallel(size_t count, absl::FunctionRef<void(size_t)> task) {
  const size_t threads = std::clamp<size_t>(count, 1, team_->UsefulThreads());
  team_->Run(threads, [&](size_t thread) {
    const size_t end = (thread + 1) * count / threads;
    for (size_t i = thread * count / threads; i < end; ++i) task(i);
  });
}

void EngineSession::Score(uint32_t lane, std::span<const SymbolId> symbols, std::span<SymbolInterval> intervals) {
  const LaneText task = {lane, symbols, intervals};
  Score({&task, 1});
}

void EngineSession::Score(std::span<const LaneText> tasks) {
  for (const LaneText& task : tasks) {
    CLM_CHECK(task.lane < lanes() && task.symbols.size() == task.intervals.size());
    for (const SymbolId symbol : task.symbols) CLM_CHECK(symbol < model_->vocab_size());
    if (!task.symbols.empty()) task.intervals[0] = distributions_[task.lane].Interval(task.symbols[0]);
  }
  std::vector<size_t> fed(tasks.size());
  while (ScoreRound(tasks, fed)) {
  }
}

bool EngineSession::ScoreRound(std::span<const LaneText> tasks, std::span<size_t> fed) {
  rows_.clear();
  targets_.clear();
  for (size_t i = 0; i < tasks.size(); ++i) {
    const size_t end = std::min(fed[i] + EngineNetwork::kMaxLaneRows, tasks[i].symbols.size());
    for (; fed[i] < end; ++fed[i]) {
      rows_.push_back({tasks[i].lane, tasks[i].symbols[fed[i]]});
      targets_.push_back({i, fed[i] + 1});
    }
  }
  if (rows_.empty()) return false;
  model_->network().Advance(*state_, rows_, *team_, [&](size_t row, size_t thread, std::span<const int32_t> logits) {
    const auto [index, next] = targets_[row];
    const LaneText& task = tasks[index];
    if (next == task.symbols.size()) {
      distributions_[task.lane].Assign(logits, /*keep_logits=*/true);
      return;
    }
    scratch_[thread].Assign(logits, /*keep_logits=*/false);
    task.intervals[next] = scratch_[thread].Interval(task.symbols[next]);
  });
  return true;
}

}  // namespace clm
