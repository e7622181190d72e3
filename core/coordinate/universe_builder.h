// UniverseBuilder: learns a universe from documents of base symbols.
//
// For each layer: count the adjacent pairs of the current streams (raw counts overlap, see pair_counter.h), keep those
// with at least min_count, order them by score descending, then left and right ascending, take the first
// nodes_per_layer, give them the next ids in that order, and fold the streams with them. Learning ends early when a
// layer finds no pair. Boundary symbols take part in no pair, and pairs never span documents.
//
// Determinism: the universe depends on options and documents only, not on the order of documents, on threads, on memory
// or on having been interrupted. Scores other than counts are doubles (pair_scorer.h). Thread-safety: not thread-safe;
// Build() uses the pool it is given. Memory: four bytes per base symbol of the documents, or what pretoken_types.h says
// where layers stay inside pretokens, and one table of pairs (pair_counter.h); with a limit no more than that, the rest
// being on disk. Source: pair folding as in BPE (Gage 1994; Sennrich et al., arXiv 1508.07909), but a whole layer of
// pairs per recount.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/digest.h"
#include "core/base/file_io.h"
#include "core/base/progress.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/coordinate/pretoken_types.h"
#include "core/coordinate/symbol_stream.h"
#include "core/coordinate/universe.h"
#include "core/coordinate/universe_learner.h"
#include "core/coordinate/universe_options.h"

namespace clm {

struct LearnedUniverse {
  Universe universe;
  // By coordinate (id - base_size): folds it made of the build documents.
  std::vector<uint64_t> frequencies;
  std::vector<UniverseLayerStats> layers;
  // The one of the options, or the one that kAuto chose.
  PairStrategy strategy = PairStrategy::kCount;
};

// How a universe is learned. Never changes which.
struct UniverseRunOptions {
  // Memory for documents and counts; what does not fit goes to scratch files. 0: no limit. Range 0, or at least 1 MiB.
  // Tables of the size of one layer and of the vocabulary come on top.
  uint64_t memory_limit_bytes = 0;
  // Needed with a limit or a state. Must outlive the builder.
  FileSystem* files = nullptr;
  // For scratch files; must exist, and no other builder may use it. They are removed when the builder is done.
  std::string scratch_folder = {};
  // Where finished layers are written down, so that a builder with the same options and documents that finds the file
  // goes on behind them. Removed at the end of Build(). Empty: nowhere.
  std::string state_path = {};

  // INVALID_ARGUMENT, naming the field.
  absl::Status Validate() const;
};

class UniverseBuilder {
 public:
  // INVALID_ARGUMENT as UniverseOptions::Validate and UniverseRunOptions::Validate, or for a bad base size or boundary.
  static absl::StatusOr<UniverseBuilder> Create(const UniverseOptions& options, uint32_t base_size,
                                                std::vector<SymbolId> boundary_ids, const UniverseRunOptions& run = {});
  // Learns further layers behind those of `known`, on documents that are folded by them first. Layers, ids, frequencies
  // and statistics of `known` stay as they are, so what was trained with it can be extended. Documents need pretoken
  // starts if either the options or `known` do.
  static absl::StatusOr<UniverseBuilder> CreateExtension(const UniverseOptions& options, LearnedUniverse known,
                                                         const UniverseRunOptions& run = {});

  UniverseBuilder(UniverseBuilder&&) = default;
  UniverseBuilder& operator=(UniverseBuilder&&) = default;

  // `pretoken_starts` as in Folder::Fold; needed if options.constraint is not kAny. OUT_OF_RANGE for an id that is not
  // below base_size, INVALID_ARGUMENT for a wrong number of starts; the document is then not added. A document may end
  // with a boundary symbol or not, and may be empty. Errors of FileSystem with a memory limit.
  absl::Status AddDocument(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts = {});
  // Only read when options.needs_selection(). Must not hold documents that models are later measured on.
  absl::Status AddSelectionDocument(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts = {});

  // Learns and gives the documents' memory back. INVALID_ARGUMENT if no document was added; CANCELLED or
  // DEADLINE_EXCEEDED by `cancel`, which is heard within a layer; RESOURCE_EXHAUSTED if the coordinates together
  // outgrow UniverseLimits. Progress: phase "learn_universe" in layers.
  absl::StatusOr<LearnedUniverse> Build(ThreadPool& pool, const CancellationToken& cancel = {},
                                        const ProgressSink& progress = {});

 private:
  struct Corpus {
    uint64_t documents = 0;
    std::unique_ptr<PretokenTypes> types;  // null: all documents are in the stream
    bool types_were_flushed = false;       // some, and in the end all, are in the stream
    SymbolStream stream;
    std::unique_ptr<Sha256> digest;    // when there is a state to compare
    std::vector<PackedSymbol> packed;  // what Add() has packed and not added yet
  };
  class Run;  // one Build() by one strategy

  UniverseBuilder(const UniverseOptions& options, LearnedUniverse known, const UniverseRunOptions& run);

  absl::Status Add(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts, Corpus& corpus);
  absl::Status CheckDocument(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts) const;
  // Appends to `packed`.
  void Pack(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
            std::vector<PackedSymbol>& packed) const;
  // Packed symbols that may be added already; those before `from` hold no start but the first.
  size_t LastStart(size_t from, const Corpus& corpus) const;
  absl::Status AddPacked(size_t settled, Corpus& corpus);
  absl::Status FlushTypes(Corpus& corpus);
  absl::Status SealCorpora();
  std::vector<LayerPlan> Plan(PairStrategy strategy) const;
  SymbolStream::Options StreamOptions(const char* name) const;
  // Layers from the first on that stay inside pretokens, known ones included.
  size_t LeadingWordLayers() const;
  std::string InputDigest();  // after the last document

  absl::StatusOr<LearnedUniverse> BuildAuto(ThreadPool& pool, const CancellationToken& cancel,
                                            const ProgressSink& progress);

  UniverseOptions options_;
  UniverseRunOptions run_;
  LearnedUniverse known_;             // no layers unless extending
  std::vector<uint8_t> is_boundary_;  // by base symbol
  bool needs_starts_ = false;
  std::string input_digest_;
  Corpus build_;
  Corpus selection_;
};

}  // namespace clm
