// Universe: the frozen table of recursive coordinate definitions.
//
// A coordinate stands for exactly two earlier symbols. Ids below base_size() are symbols of the base vocabulary; the
// coordinates follow in layers, numbered without gaps. Invariants, all checked by Create():
//   - both children of a coordinate are below the first id of its layer, so expansion ends and needs no recursion;
//   - a layer holds each pair once;
//   - no coordinate contains a boundary symbol, so no pair spans documents;
//   - ids are below 2^31 - 1, layers at most 255, expansions within UniverseLimits.
//
// Folding applies the layers in order, each left to right and greedily (folder.h). Decoding what folding produced gives
// back the input for ANY table that Create() accepts.
//
// Thread-safety: immutable; every const method may run on any thread.
// Ownership: copies share one immutable table; spans returned are valid while any copy lives.
// Units: ids are symbols; lengths are base symbols, never bytes. Layers are numbered from 1; layer 0 is the base.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/coordinate/symbol_pair.h"

namespace clm {

// What a table may cost whoever unfolds it. A pair table of n layers can describe 2^n symbols per id, so this is
// checked before anything is allocated.
struct UniverseLimits {
  // Range of base_size. Whoever uses a universe keeps a row for each base symbol.
  uint32_t max_base_size = uint32_t{1} << 24;
  // All layers together. Bounds what a file may hold.
  uint64_t max_coordinates = uint64_t{1} << 19;
  // Base symbols of one coordinate. Range [2, 2^32].
  uint64_t max_expansion_length = uint64_t{1} << 20;
  // Base symbols of all coordinates together: the arena of an Unfolder is four bytes each.
  uint64_t max_total_length = uint64_t{1} << 26;
};

struct UniverseLayer {
  JoinRule rule = JoinRule::kAny;
  std::vector<SymbolPair> pairs;  // pair i of the layer is coordinate first_id + i
};

class Universe {
 public:
  static constexpr int kMaxLayers = 255;
  static constexpr SymbolId kMaxVocabSize = 0x7FFFFFFFU;  // ids are below this

  // INVALID_ARGUMENT, each with a message of its own: base_size 0 or too many ids, more than 255 layers, an empty
  // layer, a boundary id outside the base or given twice, a child that is a cycle, a forward reference, unknown or a
  // boundary, a pair twice in a layer. RESOURCE_EXHAUSTED: something above `limits`.
  static absl::StatusOr<Universe> Create(uint32_t base_size, std::vector<SymbolId> boundary_ids,
                                         std::vector<UniverseLayer> layers, const UniverseLimits& limits = {});

  uint32_t base_size() const { return table_->base_size; }
  uint32_t vocab_size() const { return table_->base_size + static_cast<uint32_t>(table_->pairs.size()); }
  // Ascending.
  std::span<const SymbolId> boundary_ids() const { return table_->boundary_ids; }
  bool IsBoundary(SymbolId id) const;

  int layer_count() const { return static_cast<int>(table_->rules.size()); }
  // Requires 1 <= layer <= layer_count().
  SymbolId FirstId(int layer) const { return table_->first_ids[static_cast<size_t>(layer) - 1]; }
  std::span<const SymbolPair> Pairs(int layer) const;
  JoinRule Rule(int layer) const { return table_->rules[static_cast<size_t>(layer) - 1]; }
  // True if some layer looks at pretoken starts; folding then needs them.
  bool needs_pretoken_starts() const { return table_->needs_starts; }

  // Requires base_size() <= id < vocab_size().
  SymbolPair Children(SymbolId id) const { return table_->pairs[id - table_->base_size]; }
  // 0 for base symbols. Requires id < vocab_size().
  int LayerOf(SymbolId id) const;
  // Base symbols that `id` stands for; 1 for base symbols. Requires id < vocab_size().
  uint64_t Length(SymbolId id) const { return id < table_->base_size ? 1 : table_->lengths[id - table_->base_size]; }

  // OUT_OF_RANGE naming position, id and vocabulary size of the first id that is not below `bound` (base_size() for the
  // input of a fold, vocab_size() for the input of an unfold). Positions count from `first_position`.
  static absl::Status CheckIds(std::span<const SymbolId> ids, uint32_t bound, uint64_t first_position = 0);

  // Appends the base symbols of `ids` to `out`. OUT_OF_RANGE as CheckIds, leaving `out` as it was. O(output), no
  // recursion; Unfolder does the same by copying from an arena.
  absl::Status Unfold(std::span<const SymbolId> ids, std::vector<SymbolId>& out) const;

  // SHA-256 over what decides the mapping: base size, boundary ids, rules and pairs in order. 64 hex digits.
  const std::string& content_sha256() const { return table_->content_sha256; }

 private:
  struct Table {
    uint32_t base_size = 0;
    bool needs_starts = false;
    std::vector<SymbolId> boundary_ids;
    std::vector<JoinRule> rules;      // by layer
    std::vector<SymbolId> first_ids;  // by layer
    std::vector<SymbolPair> pairs;    // by id - base_size
    std::vector<uint64_t> lengths;    // by id - base_size
    std::string content_sha256;
  };

  explicit Universe(std::shared_ptr<const Table> table) : table_(std::move(table)) {}

  static absl::Status AddBoundaries(std::vector<SymbolId> boundary_ids, Table& table);
  static absl::Status AddLayer(const UniverseLayer& layer, const UniverseLimits& limits, Table& table);
  static absl::Status CheckChild(const Table& table, SymbolId id, SymbolId child, SymbolId first_id);
  static absl::Status CheckReferences(const Table& table, std::span<const UniverseLayer> layers);
  static std::string HashOf(const Table& table);

  std::shared_ptr<const Table> table_;
};

}  // namespace clm
