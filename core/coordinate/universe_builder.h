// UniverseBuilder: learns a universe from documents of base symbols.
//
// For each layer: count the adjacent pairs of the current streams (raw counts overlap, see pair_counter.h), keep those
// with at least min_count, order them by score descending, then left and right ascending, take the first
// nodes_per_layer, give them the next ids in that order, and fold the streams with them. Learning ends early when a
// layer finds no pair. Boundary symbols take part in no pair, and pairs never span documents.
//
// Determinism: the universe depends on options and documents only, not on the order of documents, on threads or on
// memory. With kPmi scores are doubles computed by one fixed formula; another platform's logarithm could break a
// near-tie differently. Thread-safety: not thread-safe; Build() uses the pool it is given. Memory: four bytes per base
// symbol of the documents, plus what pair_counter.h says. Source: pair folding as in BPE (Gage 1994; Sennrich et al.,
// arXiv 1508.07909), but a whole layer of pairs per recount.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/progress.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/coordinate/pair_counter.h"
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

struct LearnedUniverse {
  Universe universe;
  // By coordinate (id - base_size): folds it made of the build documents.
  std::vector<uint64_t> frequencies;
  std::vector<UniverseLayerStats> layers;
};

class UniverseBuilder {
 public:
  // INVALID_ARGUMENT as UniverseOptions::Validate, or for a bad base size or boundary id.
  static absl::StatusOr<UniverseBuilder> Create(const UniverseOptions& options, uint32_t base_size,
                                                std::vector<SymbolId> boundary_ids);

  // `pretoken_starts` as in Folder::Fold; needed if options.constraint is not kAny. OUT_OF_RANGE for an id that is not
  // below base_size, INVALID_ARGUMENT for a wrong number of starts; the document is then not added. A document may end
  // with a boundary symbol or not, and may be empty.
  absl::Status AddDocument(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts = {});
  // Only read when selection_min_count > 0. Must not hold documents that models are later measured on.
  absl::Status AddSelectionDocument(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts = {});

  // Learns and gives the documents' memory back. INVALID_ARGUMENT if no document was added; CANCELLED or
  // DEADLINE_EXCEEDED by `cancel`; RESOURCE_EXHAUSTED if the coordinates together outgrow UniverseLimits. Progress:
  // phase "learn_universe" in layers.
  absl::StatusOr<LearnedUniverse> Build(ThreadPool& pool, const CancellationToken& cancel = {},
                                        const ProgressSink& progress = {});

 private:
  struct Corpus {
    uint64_t documents = 0;
    std::vector<SymbolShard> shards;
  };
  struct LayerPlan {
    JoinRule rule = JoinRule::kAny;
    PairStrategy strategy = PairStrategy::kCount;
    size_t nodes = 0;
  };
  struct Learning;  // the state of Build()

  UniverseBuilder(const UniverseOptions& options, uint32_t base_size, const Universe& base)
      : options_(options), base_size_(base_size), base_(base) {}

  absl::Status Add(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts, Corpus& corpus) const;
  std::vector<LayerPlan> Plan() const;

  UniverseOptions options_;
  uint32_t base_size_;
  Universe base_;  // no layers: base size and boundaries, checked
  Corpus build_;
  Corpus selection_;
};

}  // namespace clm
