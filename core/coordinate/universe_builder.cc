#include "core/coordinate/universe_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/coordinate/folder.h"

namespace clm {
namespace {

// Documents are gathered into shards of about this many symbols, the unit of parallel work. Fixed, so that results and
// rounding do not depend on the number of threads.
constexpr size_t kShardSymbols = size_t{1} << 19;
constexpr size_t kCancelInterval = size_t{1} << 16;
// Passes that replace coordinates folded fewer than active_min_count times; after the last one they are only dropped.
constexpr int kActiveRounds = 8;

struct Candidate {
  SymbolPair pair;
  uint64_t count = 0;
  double score = 0;
};

// Best first. Counts are below 2^53, so a double orders them exactly.
bool IsBetter(const Candidate& a, const Candidate& b) {
  if (a.score != b.score) return a.score > b.score;
  return PairKey(a.pair.left, a.pair.right) < PairKey(b.pair.left, b.pair.right);
}

uint64_t CountIn(std::span<const SymbolShard> shards) {
  uint64_t symbols = 0;
  for (const SymbolShard& shard : shards) {
    symbols += shard.size() - static_cast<uint64_t>(std::count(shard.begin(), shard.end(), kPackedSeparator));
  }
  return symbols;
}

absl::Status FoldShard(const FoldPass& pass, SymbolShard& shard, const CancellationToken& cancel) {
  FoldCursor cursor;
  while (cursor.read < shard.size()) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    FoldLayerInPlace(pass, shard, std::min(shard.size(), cursor.read + kCancelInterval), cursor);
  }
  shard.resize(cursor.write);
  return absl::OkStatus();
}

// Folds `shards` in place and returns the uses of each coordinate of the table.
absl::StatusOr<std::vector<uint64_t>> FoldShards(const PairTable& table, JoinRule rule, std::span<SymbolShard> shards,
                                                 ThreadPool& pool, const CancellationToken& cancel) {
  std::vector<std::vector<uint64_t>> uses(shards.size());
  const absl::Status folded = pool.ParallelFor(shards.size(), cancel, [&](size_t s) {
    uses[s].resize(table.size());
    return FoldShard({.table = &table, .rule = rule, .final = true, .uses = uses[s].data()}, shards[s], cancel);
  });
  CLM_RETURN_IF_ERROR(folded);
  std::vector<uint64_t> total(table.size());
  for (const std::vector<uint64_t>& shard_uses : uses) {
    for (size_t i = 0; i < total.size(); ++i) total[i] += shard_uses[i];
  }
  return total;
}

// Orders the best `nodes` candidates to the front, or all of them if replacements may be asked for.
void OrderCandidates(size_t nodes, bool all, std::vector<Candidate>& candidates) {
  if (all || nodes >= candidates.size()) {
    std::sort(candidates.begin(), candidates.end(), IsBetter);
    return;
  }
  const auto end = candidates.begin() + static_cast<ptrdiff_t>(nodes);
  std::nth_element(candidates.begin(), end, candidates.end(), IsBetter);
  std::sort(candidates.begin(), end, IsBetter);
}

}  // namespace

struct UniverseBuilder::Learning {
  const UniverseOptions& options;
  const uint32_t base_size;
  ThreadPool& pool;
  const CancellationToken& cancel;
  Corpus build;
  Corpus selection;

  std::vector<UniverseLayer> layers = {};
  std::vector<UniverseLayerStats> stats = {};
  std::vector<uint64_t> frequencies = {};
  std::vector<uint64_t> lengths = {};              // by coordinate
  absl::flat_hash_set<uint64_t> known_pairs = {};  // a pair is learned once, so that expansions differ

  SymbolId NextId() const { return base_size + static_cast<SymbolId>(lengths.size()); }
  uint64_t LengthOf(SymbolId id) const { return id < base_size ? 1 : lengths[id - base_size]; }
  uint64_t LengthOf(const SymbolPair& pair) const { return LengthOf(pair.left) + LengthOf(pair.right); }

  absl::StatusOr<std::vector<Candidate>> FindCandidates(const LayerPlan& plan);
  absl::Status ScoreByPmi(std::vector<Candidate>& candidates);
  absl::StatusOr<std::vector<SymbolPair>> Select(const LayerPlan& plan, std::vector<Candidate> candidates);
  absl::StatusOr<std::vector<SymbolPair>> ReplaceInactive(const LayerPlan& plan, std::vector<SymbolPair> chosen,
                                                          std::span<const Candidate> reserve);
  absl::Status Fold(JoinRule rule, const std::vector<SymbolPair>& pairs);
  // False when the layer found nothing.
  absl::StatusOr<bool> LearnLayer(const LayerPlan& plan);
};

absl::StatusOr<std::vector<Candidate>> UniverseBuilder::Learning::FindCandidates(const LayerPlan& plan) {
  const PairCountOptions count_options = {.vocab_size = NextId(), .rule = plan.rule, .overlap = options.overlap};
  CLM_ASSIGN_OR_RETURN(const std::vector<PairCount> counts, CountPairs(build.shards, count_options, pool, cancel));
  std::vector<PairCount> selection_counts;
  if (options.selection_min_count > 0) {
    CLM_ASSIGN_OR_RETURN(selection_counts, CountPairs(selection.shards, count_options, pool, cancel));
  }
  std::vector<Candidate> candidates;
  for (const PairCount& entry : counts) {
    if (entry.count < static_cast<uint64_t>(options.min_count)) continue;
    if (LengthOf(entry.pair) > static_cast<uint64_t>(options.max_expansion_length)) continue;
    if (known_pairs.contains(PairKey(entry.pair.left, entry.pair.right))) continue;
    if (options.selection_min_count > 0 &&
        FindCount(selection_counts, entry.pair) < static_cast<uint64_t>(options.selection_min_count)) {
      continue;
    }
    candidates.push_back({.pair = entry.pair, .count = entry.count, .score = static_cast<double>(entry.count)});
  }
  if (plan.strategy == PairStrategy::kPmi) CLM_RETURN_IF_ERROR(ScoreByPmi(candidates));
  return candidates;
}

// Drops pairs that occur less often than their parts would by chance.
absl::Status UniverseBuilder::Learning::ScoreByPmi(std::vector<Candidate>& candidates) {
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> symbols, CountSymbols(build.shards, NextId(), pool, cancel));
  double total = 0;
  for (const uint64_t count : symbols) total += static_cast<double>(count);
  for (Candidate& candidate : candidates) {
    const double count = static_cast<double>(candidate.count);
    const double left = static_cast<double>(symbols[candidate.pair.left]);
    const double right = static_cast<double>(symbols[candidate.pair.right]);
    candidate.score = count * std::log(count * total / (left * right));
  }
  std::erase_if(candidates, [](const Candidate& candidate) { return candidate.score <= 0; });
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SymbolPair>> UniverseBuilder::Learning::Select(const LayerPlan& plan,
                                                                          std::vector<Candidate> candidates) {
  const bool replaces = options.active_min_count > 1;
  OrderCandidates(plan.nodes, replaces, candidates);
  const size_t size = std::min(plan.nodes, candidates.size());
  std::vector<SymbolPair> chosen;
  for (size_t i = 0; i < size; ++i) chosen.push_back(candidates[i].pair);
  if (!replaces) return chosen;
  return ReplaceInactive(plan, std::move(chosen), std::span(candidates).subspan(size));
}

absl::StatusOr<std::vector<SymbolPair>> UniverseBuilder::Learning::ReplaceInactive(const LayerPlan& plan,
                                                                                   std::vector<SymbolPair> chosen,
                                                                                   std::span<const Candidate> reserve) {
  for (int round = 1; round <= kActiveRounds; ++round) {
    std::vector<SymbolShard> trial = build.shards;
    const PairTable table(chosen, NextId());
    CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> uses, FoldShards(table, plan.rule, trial, pool, cancel));
    std::vector<SymbolPair> kept;
    for (size_t i = 0; i < chosen.size(); ++i) {
      if (uses[i] >= static_cast<uint64_t>(options.active_min_count)) kept.push_back(chosen[i]);
    }
    const size_t dropped = chosen.size() - kept.size();
    chosen = std::move(kept);
    if (dropped == 0) break;
    if (round == kActiveRounds) continue;
    const size_t refill = std::min(dropped, reserve.size());
    for (const Candidate& candidate : reserve.first(refill)) chosen.push_back(candidate.pair);
    reserve = reserve.subspan(refill);
  }
  return chosen;
}

absl::Status UniverseBuilder::Learning::Fold(JoinRule rule, const std::vector<SymbolPair>& pairs) {
  const PairTable table(pairs, NextId());
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> uses, FoldShards(table, rule, build.shards, pool, cancel));
  CLM_RETURN_IF_ERROR(FoldShards(table, rule, selection.shards, pool, cancel).status());
  frequencies.insert(frequencies.end(), uses.begin(), uses.end());
  for (const SymbolPair& pair : pairs) {
    known_pairs.insert(PairKey(pair.left, pair.right));
    lengths.push_back(LengthOf(pair));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> UniverseBuilder::Learning::LearnLayer(const LayerPlan& plan) {
  CLM_ASSIGN_OR_RETURN(std::vector<Candidate> candidates, FindCandidates(plan));
  UniverseLayerStats layer_stats = {.candidates = candidates.size(), .symbols_before = CountIn(build.shards)};
  CLM_ASSIGN_OR_RETURN(std::vector<SymbolPair> pairs, Select(plan, std::move(candidates)));
  if (pairs.empty()) return false;
  if (const uint64_t total = lengths.size() + pairs.size(); total > UniverseLimits().max_coordinates) {
    return absl::ResourceExhaustedError(absl::StrCat("layer ", layers.size() + 1, " would bring the coordinates to ",
                                                     total, ", the limit is ", UniverseLimits().max_coordinates));
  }
  CLM_RETURN_IF_ERROR(Fold(plan.rule, pairs));
  layer_stats.symbols_after = CountIn(build.shards);
  stats.push_back(layer_stats);
  layers.push_back({.rule = plan.rule, .pairs = std::move(pairs)});
  return true;
}

absl::StatusOr<UniverseBuilder> UniverseBuilder::Create(const UniverseOptions& options, uint32_t base_size,
                                                        std::vector<SymbolId> boundary_ids) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_ASSIGN_OR_RETURN(const Universe base, Universe::Create(base_size, std::move(boundary_ids), {}));
  return UniverseBuilder(options, base_size, base);
}

absl::Status UniverseBuilder::Add(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
                                  Corpus& corpus) const {
  CLM_RETURN_IF_ERROR(Universe::CheckIds(ids, base_size_));
  const bool flagged = options_.constraint != JoinRule::kAny;
  if (flagged && pretoken_starts.size() != ids.size()) {
    return absl::InvalidArgumentError(absl::StrCat("constraint ", NameOf(options_.constraint),
                                                   " needs one start flag for each of ", ids.size(), " symbols, got ",
                                                   pretoken_starts.size()));
  }
  if (corpus.shards.empty() || corpus.shards.back().size() >= kShardSymbols) corpus.shards.emplace_back();
  SymbolShard& shard = corpus.shards.back();
  for (size_t i = 0; i < ids.size(); ++i) {
    const PackedSymbol flag = flagged && pretoken_starts[i] != 0 ? kPretokenStart : 0;
    shard.push_back(base_.IsBoundary(ids[i]) ? kPackedSeparator : ids[i] | flag);
  }
  shard.push_back(kPackedSeparator);
  ++corpus.documents;
  return absl::OkStatus();
}

absl::Status UniverseBuilder::AddDocument(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts) {
  return Add(ids, pretoken_starts, build_);
}

absl::Status UniverseBuilder::AddSelectionDocument(std::span<const SymbolId> ids,
                                                   std::span<const uint8_t> pretoken_starts) {
  if (options_.selection_min_count == 0) return absl::OkStatus();
  return Add(ids, pretoken_starts, selection_);
}

std::vector<UniverseBuilder::LayerPlan> UniverseBuilder::Plan() const {
  std::vector<LayerPlan> plan(static_cast<size_t>(options_.layers),
                              {.rule = options_.constraint,
                               .strategy = options_.strategy,
                               .nodes = static_cast<size_t>(options_.nodes_per_layer)});
  plan.resize(plan.size() + static_cast<size_t>(options_.superword_layers),
              {.rule = JoinRule::kWholePretokens,
               .strategy = PairStrategy::kPmi,
               .nodes = static_cast<size_t>(options_.superword_nodes_per_layer)});
  return plan;
}

absl::StatusOr<LearnedUniverse> UniverseBuilder::Build(ThreadPool& pool, const CancellationToken& cancel,
                                                       const ProgressSink& progress) {
  if (build_.documents == 0) return absl::InvalidArgumentError("there are no documents to learn a universe from");
  const std::vector<LayerPlan> plan = Plan();
  Learning learning = {.options = options_,
                       .base_size = base_size_,
                       .pool = pool,
                       .cancel = cancel,
                       .build = std::exchange(build_, {}),
                       .selection = std::exchange(selection_, {})};
  JoinRule dry_rule = JoinRule::kAny;
  bool dry = false;  // a layer of this rule that found nothing leaves nothing for the next one of the same rule
  for (size_t l = 0; l < plan.size(); ++l) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    if (!dry || plan[l].rule != dry_rule) {
      CLM_ASSIGN_OR_RETURN(const bool found, learning.LearnLayer(plan[l]));
      dry = !found;
      dry_rule = plan[l].rule;
    }
    if (progress) {
      progress({.phase = "learn_universe",
                .done_units = l + 1,
                .total_units = plan.size(),
                .unit = "layers",
                .remaining_seconds = -1,
                .metrics = {}});
    }
  }
  const std::span<const SymbolId> boundaries = base_.boundary_ids();
  CLM_ASSIGN_OR_RETURN(const Universe universe, Universe::Create(base_size_, {boundaries.begin(), boundaries.end()},
                                                                 std::move(learning.layers)));
  return LearnedUniverse{
      .universe = universe, .frequencies = std::move(learning.frequencies), .layers = std::move(learning.stats)};
}

}  // namespace clm
