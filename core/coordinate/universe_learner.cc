#include "core/coordinate/universe_learner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/coordinate/stream_folder.h"
#include "core/coordinate/worker_pool.h"

namespace clm {
namespace {

// Passes that replace coordinates folded fewer than active_min_count times; after the last one they are only dropped.
constexpr int kActiveRounds = 8;
// Following the pairs of one fold costs about as much as counting this many pairs anew.
constexpr uint64_t kCostOfDelta = 6;
// Pairs that fell below the minimum are dropped from the counts now and then.
constexpr int kRetainInterval = 16;

// What one thread found. What all hold together does not depend on who used which.
struct SelectorWorker {
  CandidateSelector selector;
  uint64_t candidates = 0;
};

PairCounter::Options CounterOptions(const SymbolStream& stream, uint64_t limit, FileSystem* files,
                                    const std::string& folder, const char* name) {
  return {.expected_symbols = stream.symbol_count(),
          .memory_limit_bytes = limit,
          .files = files,
          .folder = folder,
          .name = name};
}

}  // namespace

absl::Status UniverseLearner::Start(SymbolStream build, SymbolStream selection, std::span<const uint64_t> outside,
                                    ThreadPool& pool, const CancellationToken& cancel) {
  build_ = std::move(build);
  selection_ = std::move(selection);
  CLM_ASSIGN_OR_RETURN(symbol_counts_, CountSymbols(build_, options_.base_size, pool, cancel));
  for (size_t id = 0; id < outside.size(); ++id) symbol_counts_[id] += outside[id];
  return absl::OkStatus();
}

void UniverseLearner::ReplaceBuildStream(SymbolStream stream) {
  build_ = std::move(stream);
  counter_.reset();
}

uint64_t UniverseLearner::total_symbols() const {
  uint64_t total = 0;
  for (const uint64_t count : symbol_counts_) total += count;
  return total;
}

bool UniverseLearner::IsLearnable(const PairCount& entry) const {
  if (entry.count < static_cast<uint64_t>(options_.universe.min_count)) return false;
  const SymbolPair pair = entry.pair();
  const uint64_t length = LengthOf(pair.left) + LengthOf(pair.right);
  return length <= static_cast<uint64_t>(options_.universe.max_expansion_length) && !known_pairs_.contains(entry.key);
}

absl::Status UniverseLearner::EnsureCounts(JoinRule rule, ThreadPool& pool, const CancellationToken& cancel) {
  const PairCountOptions count = {.vocab_size = next_id(), .rule = rule, .overlap = options_.universe.overlap};
  const bool selects = options_.universe.selection_min_count > 0;
  const uint64_t limit = selects ? options_.counter_limit_bytes / 2 : options_.counter_limit_bytes;
  if (counter_ == nullptr || counted_rule_ != rule) {
    counter_.reset();
    counter_ = std::make_unique<PairCounter>(CounterOptions(build_, limit, options_.files, options_.folder, "pairs"));
    CLM_RETURN_IF_ERROR(counter_->Count(build_, count, pool, cancel));
    counted_rule_ = rule;
    tracked_layers_ = -1;
  }
  if (!selects) return absl::OkStatus();
  selection_counter_ =
      std::make_unique<PairCounter>(CounterOptions(build_, limit, options_.files, options_.folder, "selection-pairs"));
  selection_counter_->MatchPartitions(*counter_);  // so that one answers for the other
  return selection_counter_->Count(selection_, count, pool, cancel);
}

absl::Status UniverseLearner::ConsiderPartition(const Question& question, size_t partition,
                                                std::span<const PairCount> slots, CandidateSelector& selector,
                                                uint64_t& candidates) const {
  const UniverseOptions& universe = options_.universe;
  PairCountTable scratch;
  const PairCountTable* selected = nullptr;
  if (universe.selection_min_count > 0) {
    CLM_ASSIGN_OR_RETURN(selected, selection_counter_->Load(partition, scratch));
  }
  const PairScorer& scorer = *question.scorer;
  const bool all_learnable = tracked_layers_ >= 0;
  uint64_t hopeless = 0;  // bounds rise with counts up to a third of all symbols
  for (const PairCount& entry : slots) {
    if (entry.count < static_cast<uint64_t>(universe.min_count) || entry.count == 0) continue;
    if (!all_learnable && !IsLearnable(entry)) continue;
    if (selected != nullptr) {
      const PairCount* const found = selected->Find(entry.key);
      if (found == nullptr || found->count < static_cast<uint64_t>(universe.selection_min_count)) continue;
    }
    const SymbolPair pair = entry.pair();
    const PairEvidence evidence = {.count = entry.count,
                                   .left = symbol_counts_[pair.left],
                                   .right = symbol_counts_[pair.right],
                                   .total = question.total};
    if (!question.all_are_candidates && !scorer.IsCandidate(evidence)) continue;
    ++candidates;
    if (entry.count <= hopeless) continue;
    if (selector.IsHopeless(scorer.Bound(entry.count, question.total))) {
      if (static_cast<double>(entry.count) < question.total / 4) hopeless = entry.count;
      continue;
    }
    selector.Add({.key = entry.key, .count = entry.count, .score = scorer.Score(evidence)});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<PairCandidate>> UniverseLearner::BestCandidates(const LayerPlan& plan, ThreadPool& pool,
                                                                           const CancellationToken& cancel,
                                                                           uint64_t& candidates) {
  const Question question = {.scorer = &ScorerOf(plan.strategy),
                             .total = static_cast<double>(total_symbols()),
                             .all_are_candidates = plan.strategy != PairStrategy::kPmi};
  // Each round but the last may replace all that were chosen.
  const size_t rounds = options_.universe.active_min_count > 1 ? kActiveRounds : 1;
  const size_t wanted = plan.nodes * rounds;
  WorkerPool<SelectorWorker> workers([wanted] { return SelectorWorker{.selector = CandidateSelector(wanted)}; });
  const absl::Status considered =
      counter_->Visit(pool, cancel, [&](size_t partition, std::span<const PairCount> slots) -> absl::Status {
        CLM_RETURN_IF_ERROR(cancel.Check());
        const auto worker = workers.Borrow();
        return ConsiderPartition(question, partition, slots, worker->selector, worker->candidates);
      });
  CLM_RETURN_IF_ERROR(considered);
  selection_counter_.reset();
  CandidateSelector best(wanted);
  candidates = 0;
  for (const SelectorWorker& worker : workers.workers()) {
    best.Merge(worker.selector);
    candidates += worker.candidates;
  }
  return best.Take();
}

absl::StatusOr<std::vector<SymbolPair>> UniverseLearner::ReplaceInactive(const LayerPlan& plan,
                                                                         std::span<const PairCandidate> candidates,
                                                                         ThreadPool& pool,
                                                                         const CancellationToken& cancel) {
  std::vector<SymbolPair> chosen;
  const auto take = [&](size_t count) {
    count = std::min(count, candidates.size());
    for (const PairCandidate& candidate : candidates.first(count)) chosen.push_back(candidate.pair());
    candidates = candidates.subspan(count);
  };
  take(plan.nodes);
  if (options_.universe.active_min_count <= 1) return chosen;
  for (int round = 1; round <= kActiveRounds; ++round) {
    const PairTable table(chosen, next_id());
    CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> uses,
                         CountFolds({.table = &table, .rule = plan.rule}, build_, pool, cancel));
    std::vector<SymbolPair> kept;
    for (size_t i = 0; i < chosen.size(); ++i) {
      if (uses[i] >= static_cast<uint64_t>(options_.universe.active_min_count)) kept.push_back(chosen[i]);
    }
    const size_t dropped = chosen.size() - kept.size();
    chosen = std::move(kept);
    if (dropped == 0) break;
    if (round < kActiveRounds) take(dropped);
  }
  return chosen;
}

bool UniverseLearner::ShouldTrackDeltas(const LayerPlan& plan, const LayerPlan* next,
                                        std::span<const SymbolPair> chosen) const {
  if (next == nullptr || next->rule != plan.rule || counter_->is_spilled()) return false;
  if (options_.universe.overlap != PairOverlap::kRaw) return false;
  uint64_t folds = 0;
  for (const SymbolPair& pair : chosen) folds += counter_->Find(pair);
  return folds < build_.symbol_count() / kCostOfDelta || (build_.has_weights() && chosen.size() < 1024);
}

absl::StatusOr<std::vector<uint64_t>> UniverseLearner::FoldOnly(const UniverseLayer& layer, ThreadPool& pool,
                                                                const CancellationToken& cancel) {
  counter_.reset();
  const PairTable table(layer.pairs, next_id());
  const StreamFold fold = {.table = &table, .rule = layer.rule};
  CLM_RETURN_IF_ERROR(FoldStream(fold, selection_, nullptr, pool, cancel).status());
  return FoldStream(fold, build_, nullptr, pool, cancel);
}

absl::StatusOr<std::vector<uint64_t>> UniverseLearner::FoldAndTrack(const UniverseLayer& layer, ThreadPool& pool,
                                                                    const CancellationToken& cancel) {
  const auto learnable = [this](const PairCount& entry) { return IsLearnable(entry); };
  if (tracked_layers_ < 0 || tracked_layers_ == kRetainInterval) {
    CLM_RETURN_IF_ERROR(counter_->Retain(learnable, pool, cancel));
    tracked_layers_ = 0;
  }
  const PairTable table(layer.pairs, next_id());
  const StreamFold fold = {.table = &table, .rule = layer.rule};
  CLM_RETURN_IF_ERROR(FoldStream(fold, selection_, nullptr, pool, cancel).status());
  PairCounter fresh(CounterOptions(build_, 0, nullptr, "", "fresh"));
  fresh.MatchPartitions(*counter_);
  PairTracking tracking = {
      .counts = counter_.get(), .fresh = &fresh, .memory_limit_bytes = options_.counter_limit_bytes};
  CLM_ASSIGN_OR_RETURN(std::vector<uint64_t> uses, FoldStream(fold, build_, &tracking, pool, cancel));
  if (tracking.failed) {
    counter_.reset();
    return uses;
  }
  for (const SymbolPair& pair : layer.pairs) counter_->Forget(pair);
  // The lengths of the new symbols are asked for.
  for (const SymbolPair& pair : layer.pairs) lengths_.push_back(LengthOf(pair.left) + LengthOf(pair.right));
  const absl::Status absorbed = counter_->Absorb(fresh, learnable, pool, cancel);
  lengths_.resize(lengths_.size() - layer.pairs.size());
  CLM_RETURN_IF_ERROR(absorbed);
  ++tracked_layers_;
  return uses;
}

void UniverseLearner::AddLayer(UniverseLayer layer, std::span<const uint64_t> uses) {
  frequencies_.insert(frequencies_.end(), uses.begin(), uses.end());
  for (size_t i = 0; i < layer.pairs.size(); ++i) {
    const SymbolPair& pair = layer.pairs[i];
    known_pairs_.insert(PairKey(pair.left, pair.right));
    lengths_.push_back(LengthOf(pair.left) + LengthOf(pair.right));
    symbol_counts_.push_back(uses[i]);
    symbol_counts_[pair.left] -= uses[i];
    symbol_counts_[pair.right] -= uses[i];
  }
  layers_.push_back(std::move(layer));
}

absl::Status UniverseLearner::FoldKnownLayer(const UniverseLayer& layer, uint64_t candidates, ThreadPool& pool,
                                             const CancellationToken& cancel) {
  UniverseLayerStats stats = {.candidates = candidates, .symbols_before = total_symbols()};
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> uses, FoldOnly(layer, pool, cancel));
  AddLayer(layer, uses);
  stats.symbols_after = total_symbols();
  stats_.push_back(stats);
  return absl::OkStatus();
}

absl::StatusOr<bool> UniverseLearner::LearnLayer(const LayerPlan& plan, const LayerPlan* next, ThreadPool& pool,
                                                 const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(EnsureCounts(plan.rule, pool, cancel));
  UniverseLayerStats stats = {.symbols_before = total_symbols()};
  CLM_ASSIGN_OR_RETURN(const std::vector<PairCandidate> candidates,
                       BestCandidates(plan, pool, cancel, stats.candidates));
  CLM_ASSIGN_OR_RETURN(std::vector<SymbolPair> pairs, ReplaceInactive(plan, candidates, pool, cancel));
  if (pairs.empty()) return false;
  if (const uint64_t total = lengths_.size() + pairs.size(); total > UniverseLimits().max_coordinates) {
    return absl::ResourceExhaustedError(absl::StrCat("layer ", layers_.size() + 1, " would bring the coordinates to ",
                                                     total, ", the limit is ", UniverseLimits().max_coordinates));
  }
  const bool tracks = ShouldTrackDeltas(plan, next, pairs);
  UniverseLayer layer = {.rule = plan.rule, .pairs = std::move(pairs)};
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> uses,
                       tracks ? FoldAndTrack(layer, pool, cancel) : FoldOnly(layer, pool, cancel));
  AddLayer(std::move(layer), uses);
  stats.symbols_after = total_symbols();
  stats_.push_back(stats);
  return true;
}

}  // namespace clm
