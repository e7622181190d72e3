// UniverseLearner: learns the layers of a universe, one call each, from streams that it folds as it goes.
//
// For each layer: count pairs, score and order the candidates, take the best, fold. Counts are kept from layer to layer
// while few places are folded: then only the pairs there change (pair_delta.h), so that a thin layer costs one scan of
// the symbols and not a count of all pairs.
//
// Determinism: layers depend on options, base and streams only, not on threads or memory.
// Thread-safety: one thread calls; LearnLayer() and FoldLayer() use the pool.
// Memory: the streams, one table of pairs, and with a limit no more than options.memory allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/file_io.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/coordinate/candidate_selector.h"
#include "core/coordinate/fold_kernel.h"
#include "core/coordinate/pair_counter.h"
#include "core/coordinate/pair_scorer.h"
#include "core/coordinate/symbol_stream.h"
#include "core/coordinate/universe.h"
#include "core/coordinate/universe_options.h"

namespace clm {

// What one layer did to the build documents.
struct UniverseLayerStats {
  uint64_t candidates = 0;      // pairs that passed min_count and the other filters
  uint64_t symbols_before = 0;  // without boundary symbols
  uint64_t symbols_after = 0;

  friend bool operator==(const UniverseLayerStats&, const UniverseLayerStats&) = default;
};

// What a layer is to look like.
struct LayerPlan {
  JoinRule rule = JoinRule::kAny;
  PairStrategy strategy = PairStrategy::kCount;  // not kAuto
  size_t nodes = 0;

  friend bool operator==(const LayerPlan&, const LayerPlan&) = default;
};

class UniverseLearner {
 public:
  struct Options {
    UniverseOptions universe;
    uint32_t base_size = 0;
    // Of pairs being counted. 0: no limit, no files.
    uint64_t counter_limit_bytes = 0;
    FileSystem* files = nullptr;
    std::string folder = {};
  };

  explicit UniverseLearner(Options options) : options_(std::move(options)) {}

  // The streams of build and selection documents, sealed. `outside` counts symbols that no stream holds because they
  // have no neighbours to fold with; empty, or one for each base symbol. Symbols are counted here.
  absl::Status Start(SymbolStream build, SymbolStream selection, std::span<const uint64_t> outside, ThreadPool& pool,
                     const CancellationToken& cancel);

  // Folds by a layer that is known already, with as many candidates as it is told.
  absl::Status FoldKnownLayer(const UniverseLayer& layer, uint64_t candidates, ThreadPool& pool,
                              const CancellationToken& cancel);

  // False when nothing was found. `next` is the plan of the layer behind, null for the last one: only what that will
  // need is kept.
  absl::StatusOr<bool> LearnLayer(const LayerPlan& plan, const LayerPlan* next, ThreadPool& pool,
                                  const CancellationToken& cancel);

  // Another form of the same symbols in the same order; for learning to go on with layers that look further.
  void ReplaceBuildStream(SymbolStream stream);
  SymbolStream& build() { return build_; }
  SymbolStream& selection() { return selection_; }

  const std::vector<UniverseLayer>& layers() const { return layers_; }
  const std::vector<UniverseLayerStats>& stats() const { return stats_; }
  const std::vector<uint64_t>& frequencies() const { return frequencies_; }  // by coordinate
  // Of the build documents as they are folded now, by id.
  const std::vector<uint64_t>& symbol_counts() const { return symbol_counts_; }
  SymbolId next_id() const { return static_cast<SymbolId>(symbol_counts_.size()); }

 private:
  uint64_t LengthOf(SymbolId id) const { return id < options_.base_size ? 1 : lengths_[id - options_.base_size]; }
  bool IsLearnable(const PairCount& entry) const;
  uint64_t total_symbols() const;

  absl::Status EnsureCounts(JoinRule rule, ThreadPool& pool, const CancellationToken& cancel);
  absl::StatusOr<std::vector<PairCandidate>> BestCandidates(const LayerPlan& plan, ThreadPool& pool,
                                                            const CancellationToken& cancel, uint64_t& candidates);
  // What all partitions are asked.
  struct Question {
    const PairScorer* scorer = nullptr;
    double total = 0;  // symbols of the build stream
    bool all_are_candidates = false;
  };
  absl::Status ConsiderPartition(const Question& question, size_t partition, std::span<const PairCount> slots,
                                 CandidateSelector& selector, uint64_t& candidates) const;
  absl::StatusOr<std::vector<SymbolPair>> ReplaceInactive(const LayerPlan& plan,
                                                          std::span<const PairCandidate> candidates, ThreadPool& pool,
                                                          const CancellationToken& cancel);
  bool ShouldTrackDeltas(const LayerPlan& plan, const LayerPlan* next, std::span<const SymbolPair> chosen) const;
  // Both fold all streams by the layer and return its uses in the build stream.
  absl::StatusOr<std::vector<uint64_t>> FoldOnly(const UniverseLayer& layer, ThreadPool& pool,
                                                 const CancellationToken& cancel);
  absl::StatusOr<std::vector<uint64_t>> FoldAndTrack(const UniverseLayer& layer, ThreadPool& pool,
                                                     const CancellationToken& cancel);
  void AddLayer(UniverseLayer layer, std::span<const uint64_t> uses);

  Options options_;
  SymbolStream build_;
  SymbolStream selection_;
  std::vector<uint64_t> symbol_counts_;  // by id

  std::vector<UniverseLayer> layers_;
  std::vector<UniverseLayerStats> stats_;
  std::vector<uint64_t> frequencies_;
  std::vector<uint64_t> lengths_;              // by coordinate
  absl::flat_hash_set<uint64_t> known_pairs_;  // a pair is learned once, so that expansions differ

  std::unique_ptr<PairCounter> counter_;            // of the build stream; null when there is nothing to keep
  std::unique_ptr<PairCounter> selection_counter_;  // of the selection stream, while candidates are considered
  JoinRule counted_rule_ = JoinRule::kAny;
  int tracked_layers_ = 0;  // since the counter held learnable pairs only; -1 while it holds all
};

}  // namespace clm
