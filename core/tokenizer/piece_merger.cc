#include "core/tokenizer/piece_merger.h"

#include <algorithm>
#include <array>
#include <functional>

#include "core/base/check.h"

namespace clm {
namespace {

constexpr size_t kShortPieceBytes = 48;  // up to here scanning an array beats a heap
constexpr size_t kKeptPieceBytes = size_t{1} << 20;
constexpr uint32_t kNone = UINT32_MAX;  // no neighbour; no symbol begins here
constexpr uint64_t kNoPair = UINT64_MAX;
constexpr BpeVocab::MergeTarget kNoTarget{kNone, 0};

BpeVocab::MergeTarget TargetOf(const BpeVocab& vocab, SymbolId left, SymbolId right) {
  const BpeVocab::MergeTarget* target = vocab.FindMerge(left, right);
  return target == nullptr ? kNoTarget : *target;
}

}  // namespace

void PieceMerger::Merge(absl::string_view piece, std::vector<SymbolId>& out) {
  CLM_CHECK(piece.size() <= kMaxBpePieceBytes);
  if (piece.size() <= kShortPieceBytes) {
    MergeShort(piece, out);
    return;
  }
  MergeLong(piece, out);
  if (piece.size() > kKeptPieceBytes) {
    ids_ = {};
    next_ = {};
    previous_ = {};
    heap_ = {};
  }
}

void PieceMerger::MergeShort(absl::string_view piece, std::vector<SymbolId>& out) const {
  std::array<SymbolId, kShortPieceBytes> ids;
  std::array<BpeVocab::MergeTarget, kShortPieceBytes> targets;  // targets[i]: of ids[i] and ids[i + 1]
  size_t count = piece.size();
  for (size_t i = 0; i < count; ++i) ids[i] = vocab_.ByteId(static_cast<uint8_t>(piece[i]));
  for (size_t i = 0; i + 1 < count; ++i) targets[i] = TargetOf(vocab_, ids[i], ids[i + 1]);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (targets[i].rank < targets[best].rank) best = i;
    }
    if (targets[best].rank == kNone) break;
    ids[best] = targets[best].result;
    --count;
    for (size_t i = best + 1; i < count; ++i) {
      ids[i] = ids[i + 1];
      targets[i - 1] = targets[i];
    }
    if (best > 0) targets[best - 1] = TargetOf(vocab_, ids[best - 1], ids[best]);
    if (best + 1 < count) targets[best] = TargetOf(vocab_, ids[best], ids[best + 1]);
  }
  out.insert(out.end(), ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count));
}

void PieceMerger::MergeLong(absl::string_view piece, std::vector<SymbolId>& out) {
  FillList(piece);
  while (!heap_.empty()) {
    const uint64_t entry = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
    const auto position = static_cast<uint32_t>(entry);
    // An entry that still matches is still true: the pair of that rank at that place, if not always the same pair.
    if (EntryAt(position) == entry) MergePairAt(position);
  }
  for (uint32_t position = 0; position != kNone; position = next_[position]) out.push_back(ids_[position]);
}

void PieceMerger::FillList(absl::string_view piece) {
  const auto count = static_cast<uint32_t>(piece.size());
  ids_.resize(count);
  next_.resize(count);
  previous_.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    ids_[i] = vocab_.ByteId(static_cast<uint8_t>(piece[i]));
    next_[i] = i + 1 < count ? i + 1 : kNone;
    previous_[i] = i > 0 ? i - 1 : kNone;
  }
  heap_.clear();
  for (uint32_t i = 0; i + 1 < count; ++i) {
    const uint64_t entry = EntryAt(i);
    if (entry != kNoPair) heap_.push_back(entry);
  }
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
}

uint64_t PieceMerger::EntryAt(uint32_t position) const {
  if (ids_[position] == kNone || next_[position] == kNone) return kNoPair;
  const BpeVocab::MergeTarget* target = vocab_.FindMerge(ids_[position], ids_[next_[position]]);
  return target == nullptr ? kNoPair : uint64_t{target->rank} << 32 | position;
}

void PieceMerger::PushPairAt(uint32_t position) {
  const uint64_t entry = EntryAt(position);
  if (entry == kNoPair) return;
  heap_.push_back(entry);
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
}

void PieceMerger::MergePairAt(uint32_t position) {
  const uint32_t right = next_[position];
  ids_[position] = vocab_.FindMerge(ids_[position], ids_[right])->result;
  ids_[right] = kNone;
  next_[position] = next_[right];
  if (next_[position] != kNone) previous_[next_[position]] = position;
  if (previous_[position] != kNone) PushPairAt(previous_[position]);
  PushPairAt(position);
}

}  // namespace clm
