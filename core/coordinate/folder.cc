#include "core/coordinate/folder.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/coordinate/stream_folder.h"

namespace clm {
namespace {

// A pretoken is never cut, and may be a whole document.
constexpr size_t kMaxChunkSymbols = size_t{1} << 31;

}  // namespace

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

bool Folder::CanBeCut(size_t symbols) const {
  if (stages_.empty() || symbols > kMaxChunkSymbols) return false;
  for (size_t s = 1; s < stages_.size(); ++s) {
    if (stages_[s].pretokens.has_value()) return false;
  }
  return true;
}

absl::StatusOr<SymbolStream> Folder::Cut(std::span<const SymbolId> ids,
                                         std::span<const uint8_t> pretoken_starts) const {
  const bool at_starts = stages_.front().pretokens.has_value();
  SymbolStream stream({.chunk_symbols = kMaxChunkSymbols});
  std::vector<PackedSymbol> piece;
  for (size_t begin = 0; begin < ids.size();) {
    size_t end = std::min(ids.size(), begin + SymbolStream::kDefaultChunkSymbols);
    const auto starts = [&](size_t t) { return pretoken_starts[t] != 0 || universe_.IsBoundary(ids[t]); };
    while (at_starts && end < ids.size() && pretoken_starts.size() == ids.size() && !starts(end)) ++end;
    piece.clear();
    const auto piece_starts =
        pretoken_starts.size() == ids.size() ? pretoken_starts.subspan(begin, end - begin) : pretoken_starts;
    CLM_RETURN_IF_ERROR(Pack(ids.subspan(begin, end - begin), piece_starts, begin, piece));
    CLM_RETURN_IF_ERROR(stream.Append(piece));
    CLM_RETURN_IF_ERROR(stream.Cut());
    begin = end;
  }
  CLM_RETURN_IF_ERROR(stream.Seal());
  return stream;
}

absl::StatusOr<std::vector<SymbolId>> Folder::Fold(std::span<const SymbolId> ids,
                                                   std::span<const uint8_t> pretoken_starts, ThreadPool& pool,
                                                   const CancellationToken& cancel) const {
  const bool is_long = ids.size() > SymbolStream::kDefaultChunkSymbols && pool.threads() > 1;
  if (!is_long || !CanBeCut(ids.size())) return Fold(ids, pretoken_starts);
  CLM_ASSIGN_OR_RETURN(SymbolStream stream, Cut(ids, pretoken_starts));
  const size_t chunks = stream.chunk_count();
  for (const Stage& stage : stages_) {
    if (stage.table.has_value()) {
      CLM_RETURN_IF_ERROR(
          FoldStream({.table = &*stage.table, .rule = stage.rule}, stream, nullptr, pool, cancel).status());
      continue;
    }
    CLM_RETURN_IF_ERROR(stream.BeginRewrite());
    CLM_RETURN_IF_ERROR(stream.Rewrite(0, chunks, pool, cancel, [&](size_t, SymbolChunk& chunk) {
      const size_t size = stage.pretokens->FoldInPlace(std::span(chunk.symbols).first(chunk.size()));
      chunk.symbols.resize(size + kFoldLookahead);
      return absl::OkStatus();
    }));
    CLM_RETURN_IF_ERROR(stream.EndRewrite());
  }
  std::vector<size_t> ends(chunks + 1);
  for (size_t i = 0; i < chunks; ++i) ends[i + 1] = ends[i] + stream.chunk_size(i);
  std::vector<SymbolId> folded(ends.back());
  CLM_RETURN_IF_ERROR(stream.Visit(0, chunks, pool, cancel, [&](size_t i, const SymbolChunk& chunk) {
    for (size_t t = 0; t < chunk.size(); ++t) folded[ends[i] + t] = chunk.symbols[t] & kIdMask;
    return absl::OkStatus();
  }));
  return folded;
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
