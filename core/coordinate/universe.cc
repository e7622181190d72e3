#include "core/coordinate/universe.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/base/byte_writer.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// True if following children from `start` comes back to `start`. `pairs` may break every rule; only called to find the
// right words for a table that is refused anyway.
bool IsOnCycle(SymbolId start, uint32_t base_size, std::span<const SymbolPair> pairs) {
  std::vector<bool> seen(pairs.size());
  std::vector<SymbolId> todo = {start};
  while (!todo.empty()) {
    const SymbolId id = todo.back();
    todo.pop_back();
    const SymbolPair pair = pairs[id - base_size];
    for (const SymbolId child : {pair.left, pair.right}) {
      if (child == start) return true;
      if (child < base_size || child - base_size >= pairs.size() || seen[child - base_size]) continue;
      seen[child - base_size] = true;
      todo.push_back(child);
    }
  }
  return false;
}

absl::Status CheckSizes(uint32_t base_size, std::span<const UniverseLayer> layers, const UniverseLimits& limits) {
  if (base_size == 0) return absl::InvalidArgumentError("base_vocab_size is 0, must be at least 1");
  if (base_size > limits.max_base_size) {
    return absl::ResourceExhaustedError(
        absl::StrCat("base_vocab_size is ", base_size, ", the limit is ", limits.max_base_size));
  }
  if (layers.size() > Universe::kMaxLayers) {
    return absl::InvalidArgumentError(
        absl::StrCat("the universe has ", layers.size(), " layers, the limit is ", Universe::kMaxLayers));
  }
  uint64_t total = base_size;
  for (size_t l = 0; l < layers.size(); ++l) {
    if (layers[l].pairs.empty()) return absl::InvalidArgumentError(absl::StrCat("layer ", l + 1, " is empty"));
    total += layers[l].pairs.size();
  }
  if (total - base_size > limits.max_coordinates) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the universe has ", total - base_size, " coordinates, the limit is ", limits.max_coordinates));
  }
  if (total > Universe::kMaxVocabSize) {
    return absl::InvalidArgumentError(absl::StrCat("the universe has ", total, " ids, the limit is ",
                                                   Universe::kMaxVocabSize, " (ids stay below 2^31 - 1)"));
  }
  return absl::OkStatus();
}

}  // namespace

bool Universe::IsBoundary(SymbolId id) const {
  return std::binary_search(table_->boundary_ids.begin(), table_->boundary_ids.end(), id);
}

std::span<const SymbolPair> Universe::Pairs(int layer) const {
  const SymbolId first = FirstId(layer);
  const SymbolId end = layer == layer_count() ? vocab_size() : FirstId(layer + 1);
  return std::span(table_->pairs).subspan(first - table_->base_size, end - first);
}

int Universe::LayerOf(SymbolId id) const {
  const auto after = std::upper_bound(table_->first_ids.begin(), table_->first_ids.end(), id);
  return static_cast<int>(after - table_->first_ids.begin());
}

absl::Status Universe::CheckIds(std::span<const SymbolId> ids, uint32_t bound, uint64_t first_position) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < bound) continue;
    return absl::OutOfRangeError(absl::StrCat("symbol ", ids[i], " at position ", first_position + i,
                                              " is not below the vocabulary size ", bound));
  }
  return absl::OkStatus();
}

absl::Status Universe::Unfold(std::span<const SymbolId> ids, std::vector<SymbolId>& out) const {
  CLM_RETURN_IF_ERROR(CheckIds(ids, vocab_size()));
  std::vector<SymbolId> todo;
  for (const SymbolId id : ids) {
    todo.push_back(id);
    while (!todo.empty()) {
      const SymbolId next = todo.back();
      todo.pop_back();
      if (next < table_->base_size) {
        out.push_back(next);
        continue;
      }
      const SymbolPair pair = Children(next);
      todo.push_back(pair.right);
      todo.push_back(pair.left);
    }
  }
  return absl::OkStatus();
}

absl::Status Universe::AddBoundaries(std::vector<SymbolId> boundary_ids, Table& table) {
  std::sort(boundary_ids.begin(), boundary_ids.end());
  for (size_t i = 0; i < boundary_ids.size(); ++i) {
    if (boundary_ids[i] >= table.base_size) {
      return absl::InvalidArgumentError(
          absl::StrCat("boundary id ", boundary_ids[i], " is not below base_vocab_size ", table.base_size));
    }
    if (i > 0 && boundary_ids[i] == boundary_ids[i - 1]) {
      return absl::InvalidArgumentError(absl::StrCat("boundary id ", boundary_ids[i], " is given twice"));
    }
  }
  table.boundary_ids = std::move(boundary_ids);
  return absl::OkStatus();
}

absl::Status Universe::CheckChild(const Table& table, SymbolId id, SymbolId child, SymbolId first_id) {
  const bool is_boundary = std::binary_search(table.boundary_ids.begin(), table.boundary_ids.end(), child);
  if (is_boundary) {
    return absl::InvalidArgumentError(absl::StrCat("coordinate ", id, " contains the boundary symbol ", child));
  }
  if (child < first_id) return absl::OkStatus();
  const uint64_t vocab_size = uint64_t{table.base_size} + table.pairs.size();
  if (child >= vocab_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("coordinate ", id, " has the child ", child, ", the universe ends at ", vocab_size));
  }
  if (IsOnCycle(id, table.base_size, table.pairs)) {
    return absl::InvalidArgumentError(
        absl::StrCat("coordinate ", id, " contains itself (a cycle through its child ", child, ")"));
  }
  return absl::InvalidArgumentError(absl::StrCat("coordinate ", id, " has the child ", child,
                                                 ", a forward reference: children must be below ", first_id,
                                                 ", the first id of its layer"));
}

absl::Status Universe::CheckReferences(const Table& table, std::span<const UniverseLayer> layers) {
  SymbolId id = table.base_size;
  for (const UniverseLayer& layer : layers) {
    const SymbolId first_id = id;
    for (const SymbolPair& pair : layer.pairs) {
      absl::Status status = CheckChild(table, id, pair.left, first_id);
      status.Update(CheckChild(table, id, pair.right, first_id));
      if (!status.ok()) return status;
      ++id;
    }
  }
  return absl::OkStatus();
}

// Children come before parents, so one pass in id order knows every length it needs.
absl::Status Universe::AddLayer(const UniverseLayer& layer, const UniverseLimits& limits, Table& table) {
  const SymbolId first_id = table.base_size + static_cast<SymbolId>(table.lengths.size());
  const auto length_of = [&](SymbolId id) { return id < table.base_size ? 1 : table.lengths[id - table.base_size]; };
  absl::flat_hash_set<uint64_t> seen;
  seen.reserve(layer.pairs.size());
  for (size_t i = 0; i < layer.pairs.size(); ++i) {
    const SymbolPair pair = layer.pairs[i];
    const SymbolId id = first_id + static_cast<SymbolId>(i);
    if (!seen.insert(PairKey(pair.left, pair.right)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("coordinate ", id, " repeats the pair (", pair.left, ", ", pair.right, ") of its layer"));
    }
    const uint64_t length = length_of(pair.left) + length_of(pair.right);  // each at most 2^32
    if (length > limits.max_expansion_length) {
      return absl::ResourceExhaustedError(absl::StrCat("coordinate ", id, " stands for ", length,
                                                       " base symbols, the limit is ", limits.max_expansion_length));
    }
    table.lengths.push_back(length);
  }
  table.first_ids.push_back(first_id);
  table.rules.push_back(layer.rule);
  table.needs_starts = table.needs_starts || layer.rule != JoinRule::kAny;
  return absl::OkStatus();
}

std::string Universe::HashOf(const Table& table) {
  ByteWriter writer;
  writer.WriteBytes("clm universe semantics 1\n");
  writer.WriteU32(table.base_size);
  writer.WriteU32(static_cast<uint32_t>(table.boundary_ids.size()));
  for (const SymbolId id : table.boundary_ids) writer.WriteU32(id);
  writer.WriteU32(static_cast<uint32_t>(table.rules.size()));
  for (size_t l = 0; l < table.rules.size(); ++l) {
    writer.WriteU8(static_cast<uint8_t>(table.rules[l]));
    writer.WriteU32(table.first_ids[l]);
  }
  for (const SymbolPair& pair : table.pairs) {
    writer.WriteU32(pair.left);
    writer.WriteU32(pair.right);
  }
  return Sha256Hex(writer.view());
}

absl::StatusOr<Universe> Universe::Create(uint32_t base_size, std::vector<SymbolId> boundary_ids,
                                          std::vector<UniverseLayer> layers, const UniverseLimits& limits) {
  CLM_RETURN_IF_ERROR(CheckSizes(base_size, layers, limits));
  if (limits.max_expansion_length < 2 || limits.max_expansion_length > uint64_t{1} << 32) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_expansion_length is ", limits.max_expansion_length, ", must be in [2, 2^32]"));
  }
  auto table = std::make_shared<Table>();
  table->base_size = base_size;
  CLM_RETURN_IF_ERROR(AddBoundaries(std::move(boundary_ids), *table));
  for (const UniverseLayer& layer : layers) {
    table->pairs.insert(table->pairs.end(), layer.pairs.begin(), layer.pairs.end());
  }
  CLM_RETURN_IF_ERROR(CheckReferences(*table, layers));
  for (const UniverseLayer& layer : layers) CLM_RETURN_IF_ERROR(AddLayer(layer, limits, *table));
  uint64_t total = 0;  // at most 2^31 lengths of at most 2^32
  for (const uint64_t length : table->lengths) total += length;
  if (total > limits.max_total_length) {
    return absl::ResourceExhaustedError(absl::StrCat("the coordinates stand for ", total,
                                                     " base symbols in all, the limit is ", limits.max_total_length));
  }
  table->content_sha256 = HashOf(*table);
  return Universe(std::move(table));
}

}  // namespace clm
