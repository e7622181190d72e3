#include "core/engine/engine_predictor.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// Symbols of each document between two looks at the cancellation token.
constexpr size_t kScorePiece = 512;

}  // namespace

absl::StatusOr<std::unique_ptr<EnginePredictor>> EnginePredictor::Create(std::shared_ptr<const EngineModel> model,
                                                                         const EngineSessionOptions& options) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<EngineSession> session, EngineSession::Create(std::move(model), options));
  return std::unique_ptr<EnginePredictor>(new EnginePredictor(std::move(session)));
}

std::string EnginePredictor::FingerprintOf(absl::string_view model, uint32_t window) {
  return Sha256Hex(absl::StrCat(model, " window ", window));
}

void EnginePredictor::Frequencies(size_t lane, std::span<uint32_t> out) {
  session_->Frequencies(static_cast<uint32_t>(lane), out);
}

SymbolInterval EnginePredictor::Interval(size_t lane, SymbolId symbol) {
  return session_->Interval(static_cast<uint32_t>(lane), symbol);
}

SymbolId EnginePredictor::Find(size_t lane, uint32_t slot, SymbolInterval& interval) {
  return session_->Find(static_cast<uint32_t>(lane), slot, interval);
}

uint32_t EnginePredictor::RankOf(size_t lane, SymbolId symbol) {
  return session_->RankOf(static_cast<uint32_t>(lane), symbol);
}

SymbolId EnginePredictor::SymbolOfRank(size_t lane, uint32_t rank) {
  return session_->SymbolOfRank(static_cast<uint32_t>(lane), rank);
}

void EnginePredictor::Update(size_t lane, SymbolId symbol) {
  const LaneUpdate one = {static_cast<uint32_t>(lane), symbol};
  session_->Step({&one, 1});
}

void EnginePredictor::UpdateLanes(std::span<const LaneUpdate> updates) { session_->Step(updates); }

void EnginePredictor::ScoreLanes(std::span<const LaneText> texts) { session_->Score(texts); }

std::unique_ptr<SymbolPredictor> EnginePredictor::Clone() const {
  return std::unique_ptr<SymbolPredictor>(new EnginePredictor(session_->Clone()));
}

absl::StatusOr<std::unique_ptr<EngineScorer>> EngineScorer::Create(std::shared_ptr<const EngineModel> model,
                                                                   const EngineSessionOptions& options) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<EngineSession> session, EngineSession::Create(std::move(model), options));
  return std::unique_ptr<EngineScorer>(new EngineScorer(std::move(session)));
}

std::string EngineScorer::description() const {
  return absl::StrCat("engine integers, window ", session_->window(), ", stride 1");
}

absl::StatusOr<std::vector<ScoredDocument>> EngineScorer::Score(std::span<const std::vector<SymbolId>> documents,
                                                                const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(CheckScoredSymbols(documents, vocab_size()));
  // Documents of like length together, so that lanes end together.
  std::vector<size_t> order(documents.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return documents[a].size() > documents[b].size(); });
  std::vector<ScoredDocument> results(documents.size());
  for (size_t begin = 0; begin < order.size(); begin += session_->lanes()) {
    const size_t count = std::min<size_t>(session_->lanes(), order.size() - begin);
    CLM_RETURN_IF_ERROR(ScoreTogether(documents, std::span(order).subspan(begin, count), cancel, results));
  }
  return results;
}

absl::Status EngineScorer::ScoreTogether(std::span<const std::vector<SymbolId>> documents,
                                         std::span<const size_t> chosen, const CancellationToken& cancel,
                                         std::vector<ScoredDocument>& results) {
  const size_t longest = documents[chosen.front()].size();
  const double total = std::ldexp(1.0, session_->model().precision_bits());
  std::vector<SymbolInterval> intervals(chosen.size() * kScorePiece);
  for (uint32_t lane = 0; lane < chosen.size(); ++lane) session_->Reset(lane);
  for (size_t begin = 0; begin < longest; begin += kScorePiece) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    std::vector<LaneText> tasks;
    for (uint32_t lane = 0; lane < chosen.size(); ++lane) {
      const std::vector<SymbolId>& document = documents[chosen[lane]];
      if (begin >= document.size()) break;  // the rest are no longer
      const size_t count = std::min(kScorePiece, document.size() - begin);
      tasks.push_back(
          {lane, std::span(document).subspan(begin, count), std::span(intervals).subspan(lane * kScorePiece, count)});
    }
    session_->Score(tasks);
    for (const LaneText& task : tasks) {
      ScoredDocument& result = results[chosen[task.lane]];
      for (const SymbolInterval& interval : task.intervals) result.nats -= std::log(interval.frequency / total);
      result.symbols += task.symbols.size();
    }
  }
  return absl::OkStatus();
}

}  // namespace clm
