#include "core/coordinate/folder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {

Folder::Folder(const Universe& universe) : universe_(universe) {
  for (int layer = 1; layer <= universe_.layer_count(); ++layer) {
    const JoinRule rule = universe_.Rule(layer);
    if (rule != JoinRule::kWithinPretoken) {
      stages_.push_back({.rule = rule,
                         .table = PairTable(universe_.Pairs(layer), universe_.FirstId(layer)),
                         .pretokens = std::nullopt});
      continue;
    }
    const int first = layer;
    while (layer < universe_.layer_count() && universe_.Rule(layer + 1) == rule) ++layer;
    stages_.push_back({.rule = rule, .table = std::nullopt, .pretokens = PretokenFolder(universe_, first, layer)});
  }
}

absl::Status Folder::Pack(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
                          uint64_t first_position, std::vector<PackedSymbol>& out) const {
  CLM_RETURN_IF_ERROR(Universe::CheckIds(ids, universe_.base_size(), first_position));
  if (!universe_.needs_pretoken_starts()) {
    out.insert(out.end(), ids.begin(), ids.end());
    return absl::OkStatus();
  }
  if (pretoken_starts.size() != ids.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the universe folds by pretokens and needs one start flag for each of ", ids.size(),
                     " symbols, got ", pretoken_starts.size()));
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool starts = pretoken_starts[i] != 0 || universe_.IsBoundary(ids[i]);
    out.push_back(ids[i] | (starts ? kPretokenStart : 0));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SymbolId>> Folder::Fold(std::span<const SymbolId> ids,
                                                   std::span<const uint8_t> pretoken_starts) const {
  std::vector<PackedSymbol> symbols;
  symbols.reserve(ids.size());
  CLM_RETURN_IF_ERROR(Pack(ids, pretoken_starts, /*first_position=*/0, symbols));
  for (const Stage& stage : stages_) {
    if (stage.pretokens.has_value()) {
      symbols.resize(stage.pretokens->FoldInPlace(symbols));
      continue;
    }
    FoldCursor cursor;
    FoldLayerInPlace({.table = &*stage.table, .rule = stage.rule}, symbols, symbols.size(), cursor);
    symbols.resize(cursor.write);
  }
  if (universe_.needs_pretoken_starts()) {
    for (PackedSymbol& symbol : symbols) symbol &= kIdMask;
  }
  return symbols;
}

StreamingFolder::StreamingFolder(const Folder& folder) : folder_(folder), waiting_(folder.stages_.size()) {}

absl::Status StreamingFolder::Push(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
                                   std::vector<SymbolId>& out) {
  work_.clear();
  CLM_RETURN_IF_ERROR(folder_.Pack(ids, pretoken_starts, position_, work_));
  position_ += ids.size();
  FoldWork(/*final=*/false, out);
  return absl::OkStatus();
}

void StreamingFolder::Finish(std::vector<SymbolId>& out) {
  work_.clear();
  FoldWork(/*final=*/true, out);
  position_ = 0;
}

uint64_t StreamingFolder::held_back() const {
  uint64_t held = 0;
  for (const std::vector<PackedSymbol>& waiting : waiting_) {
    for (const PackedSymbol symbol : waiting) held += folder_.universe_.Length(symbol & kIdMask);
  }
  return held;
}

void StreamingFolder::FoldLayer(size_t s, bool final) {
  const Folder::Stage& stage = folder_.stages_[s];
  std::vector<PackedSymbol>& waiting = waiting_[s];
  next_.assign(waiting.begin(), waiting.end());
  next_.insert(next_.end(), work_.begin(), work_.end());
  FoldCursor cursor;
  FoldLayerInPlace({.table = &*stage.table, .rule = stage.rule, .final = final}, next_, next_.size(), cursor);
  const bool last_is_settled = cursor.read + 1 == next_.size() && !stage.table->HasLeft(next_[cursor.read] & kIdMask);
  if (last_is_settled) next_[cursor.write++] = next_[cursor.read++];
  waiting.assign(next_.begin() + static_cast<ptrdiff_t>(cursor.read), next_.end());
  next_.resize(cursor.write);
}

// What waits is one pretoken that may go on; only new symbols can end it.
void StreamingFolder::FoldPretokens(size_t s, bool final) {
  std::vector<PackedSymbol>& waiting = waiting_[s];
  size_t settled = waiting.size() + work_.size();
  if (!final) {
    const auto last_start =
        std::find_if(work_.rbegin(), work_.rend(), [](PackedSymbol symbol) { return (symbol & kPretokenStart) != 0; });
    settled = last_start == work_.rend() ? 0 : settled - 1 - static_cast<size_t>(last_start - work_.rbegin());
  }
  waiting.insert(waiting.end(), work_.begin(), work_.end());
  const auto end = waiting.begin() + static_cast<ptrdiff_t>(settled);
  next_.assign(waiting.begin(), end);
  waiting.erase(waiting.begin(), end);
  next_.resize(folder_.stages_[s].pretokens->FoldInPlace(next_));
}

// Each stage reads what waited in it and what the one below has just settled.
void StreamingFolder::FoldWork(bool final, std::vector<SymbolId>& out) {
  for (size_t s = 0; s < waiting_.size(); ++s) {
    if (work_.empty() && !final) return;
    if (folder_.stages_[s].pretokens.has_value()) {
      FoldPretokens(s, final);
    } else {
      FoldLayer(s, final);
    }
    std::swap(work_, next_);
  }
  for (const PackedSymbol symbol : work_) out.push_back(symbol & kIdMask);
}

}  // namespace clm
