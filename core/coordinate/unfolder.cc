#include "core/coordinate/unfolder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// Most expansions are short, and copying this many symbols blindly is faster than asking how many there are.
constexpr size_t kBlindCopy = 8;
// Ids that one thread unfolds at a time.
constexpr size_t kPieceIds = size_t{1} << 16;
constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();

}  // namespace

// Children have smaller ids, so their expansions are in the arena before anyone asks.
Unfolder::Unfolder(const Universe& universe) {
  const uint32_t vocab_size = universe.vocab_size();
  uint64_t total = 0;
  entries_.reserve(vocab_size);
  for (SymbolId id = 0; id < vocab_size; ++id) {
    const uint64_t length = universe.Length(id);
    CLM_CHECK(total + length < uint64_t{1} << 32);
    entries_.push_back({.offset = static_cast<uint32_t>(total), .length = static_cast<uint32_t>(length)});
    total += length;
  }
  arena_.resize(total + kBlindCopy);
  for (SymbolId id = 0; id < universe.base_size(); ++id) arena_[id] = id;
  for (SymbolId id = universe.base_size(); id < vocab_size; ++id) {
    const SymbolPair pair = universe.Children(id);
    const auto left = Expansion(pair.left);
    const auto right = Expansion(pair.right);
    const auto middle = std::copy(left.begin(), left.end(), arena_.begin() + entries_[id].offset);
    std::copy(right.begin(), right.end(), middle);
  }
}

uint64_t Unfolder::LengthOf(std::span<const SymbolId> ids) const {
  const size_t vocab_size = entries_.size();
  uint64_t length = 0;
  for (const SymbolId id : ids) {
    if (id >= vocab_size) return kUnknown;
    length += entries_[id].length;
  }
  return length;
}

void Unfolder::Copy(std::span<const SymbolId> ids, std::span<SymbolId> out) const {
  SymbolId* write = out.data();
  SymbolId* const end = write + out.size();
  size_t i = 0;
  for (; i < ids.size() && static_cast<size_t>(end - write) >= kBlindCopy; ++i) {
    const Entry entry = entries_[ids[i]];
    const SymbolId* const expansion = &arena_[entry.offset];
    std::memcpy(write, expansion, kBlindCopy * sizeof(SymbolId));
    if (entry.length > kBlindCopy) {
      std::memcpy(write + kBlindCopy, expansion + kBlindCopy, (entry.length - kBlindCopy) * sizeof(SymbolId));
    }
    write += entry.length;
  }
  for (; i < ids.size(); ++i) {
    const Entry entry = entries_[ids[i]];
    std::memcpy(write, &arena_[entry.offset], entry.length * sizeof(SymbolId));
    write += entry.length;
  }
}

absl::Status Unfolder::Unfold(std::span<const SymbolId> ids, std::vector<SymbolId>& out) const {
  const uint64_t length = LengthOf(ids);
  if (length == kUnknown) return Universe::CheckIds(ids, static_cast<uint32_t>(entries_.size()));
  const size_t begin = out.size();
  out.resize(begin + length);
  Copy(ids, std::span(out).subspan(begin));
  return absl::OkStatus();
}

absl::Status Unfolder::Unfold(std::span<const SymbolId> ids, ThreadPool& pool, const CancellationToken& cancel,
                              std::vector<SymbolId>& out) const {
  const size_t pieces = (ids.size() + kPieceIds - 1) / kPieceIds;
  const auto piece = [&](size_t p) {
    return ids.subspan(p * kPieceIds, std::min(kPieceIds, ids.size() - p * kPieceIds));
  };
  std::vector<uint64_t> ends(pieces + 1);
  CLM_RETURN_IF_ERROR(pool.ParallelFor(pieces, cancel, [&](size_t p) {
    ends[p + 1] = LengthOf(piece(p));
    return absl::OkStatus();
  }));
  for (size_t p = 0; p < pieces; ++p) {
    if (ends[p + 1] == kUnknown) return Universe::CheckIds(ids, static_cast<uint32_t>(entries_.size()));
    ends[p + 1] += ends[p];
  }
  const size_t begin = out.size();
  out.resize(begin + ends.back());
  absl::Status copied = pool.ParallelFor(pieces, cancel, [&](size_t p) {
    Copy(piece(p), std::span(out).subspan(begin + ends[p], ends[p + 1] - ends[p]));
    return absl::OkStatus();
  });
  if (!copied.ok()) out.resize(begin);
  return copied;
}

}  // namespace clm
