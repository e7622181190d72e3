#include "core/tokenizer/superword_joiner.h"

#include <algorithm>
#include <functional>

namespace clm {
namespace {

// Longer chunks are merged rank by rank, which looks at every rank once.
constexpr size_t kHeapTokens = size_t{1} << 16;
// Chunks so long are single pieces, and rare.
constexpr size_t kKeptTokens = size_t{1} << 18;

}  // namespace

SuperwordTable::SuperwordTable(const BpeVocab& vocab) : vocab_(vocab), ranks_(vocab.superwords().merges.size()) {
  uint32_t rank = 0;
  for (const BpeMerge& merge : vocab.superwords().merges) ranks_.Add(merge.left, merge.right, ++rank);
}

uint32_t SuperwordMerger::RankAt(uint32_t position) const {
  const Link& link = links_[position];
  if (link.is_taken || link.next == kNil) return SuperwordTable::kNone;
  return table_.RankOf(ids_[position], ids_[link.next]);
}

void SuperwordMerger::Offer(uint32_t position) {
  const uint32_t rank = RankAt(position);
  if (rank == SuperwordTable::kNone) return;
  if (by_rank_) {
    places_.push_back({.position = position, .next = first_place_[rank]});
    first_place_[rank] = static_cast<uint32_t>(places_.size() - 1);
  } else {
    heap_.push_back(uint64_t{rank} << 32 | position);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
}

void SuperwordMerger::Join(uint32_t position, uint32_t rank) {
  Link& link = links_[position];
  const uint32_t right = link.next;
  ids_[position] = table_.ResultOf(rank);
  links_[right].is_taken = true;
  link.next = links_[right].next;
  if (link.next != kNil) links_[link.next].previous = position;
  if (link.previous != kNil) Offer(link.previous);
  Offer(position);
}

// The pair that is joined is the leftmost of the lowest rank. No join makes a pair of its own rank or a lower one, so
// this is one pass per rank, from left to right.
void SuperwordMerger::MergeByHeap() {
  while (!heap_.empty()) {
    const uint64_t entry = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
    const auto rank = static_cast<uint32_t>(entry >> 32);
    const auto position = static_cast<uint32_t>(entry);
    if (RankAt(position) == rank) Join(position, rank);
  }
}

// Where a token pairs with itself, the order matters: such a run is joined from its beginning.
void SuperwordMerger::MergePass(uint32_t rank) {
  for (uint32_t place = first_place_[rank]; place != kNil; place = places_[place].next) {
    uint32_t position = places_[place].position;
    if (RankAt(position) != rank) continue;
    while (links_[position].previous != kNil && RankAt(links_[position].previous) == rank) {
      position = links_[position].previous;
    }
    while (position != kNil && RankAt(position) == rank) {
      Join(position, rank);
      position = links_[position].next;
    }
  }
}

void SuperwordMerger::MergeByRank() {
  for (uint32_t rank = 1; rank <= table_.max_rank(); ++rank) MergePass(rank);
}

size_t SuperwordMerger::Merge(std::span<SymbolId> ids, std::span<uint8_t> starts) {
  ids_ = ids;
  const auto count = static_cast<uint32_t>(ids.size());
  by_rank_ = count > kHeapTokens;
  heap_.clear();
  if (by_rank_) first_place_.assign(table_.max_rank() + 1, kNil);
  links_.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    links_[i] = {.previous = i == 0 ? kNil : i - 1, .next = i + 1 == count ? kNil : i + 1};
  }
  for (uint32_t i = 0; i < count; ++i) Offer(i);
  if (by_rank_) {
    MergeByRank();
  } else {
    MergeByHeap();
  }
  uint32_t size = 0;
  for (uint32_t position = count == 0 ? kNil : 0; position != kNil; position = links_[position].next) {
    ids[size] = ids[position];
    if (!starts.empty()) starts[size] = starts[position];
    ++size;
  }
  places_.clear();
  if (count > kKeptTokens) {
    links_ = {};
    places_ = {};
  }
  return size;
}

void SuperwordJoiner::Add(absl::string_view text, std::span<const uint32_t> ends, std::span<const SymbolId> ids,
                          std::span<const uint8_t> starts, Chunk& chunk, const Output& out) {
  size_t begin = 0;
  size_t first = 0;  // token of the piece
  size_t line_feed = text.find('\n');
  for (const size_t end : ends) {
    size_t last = first + 1;
    while (last < ids.size() && starts[last] == 0) ++last;
    if (chunk.bytes + (end - begin) > table_.chunk_bytes()) Close(chunk, out);
    chunk.ids.insert(chunk.ids.end(), ids.data() + first, ids.data() + last);
    chunk.starts.insert(chunk.starts.end(), starts.data() + first, starts.data() + last);
    chunk.bytes += end - begin;
    // Any piece would be too much for a full chunk.
    if (line_feed < end || chunk.bytes >= table_.chunk_bytes()) Close(chunk, out);
    if (line_feed < end) line_feed = text.find('\n', end);
    begin = end;
    first = last;
  }
}

void SuperwordJoiner::Close(Chunk& chunk, const Output& out) {
  const size_t count = merger_.Merge(chunk.ids, chunk.starts);
  out.ids.insert(out.ids.end(), chunk.ids.data(), chunk.ids.data() + count);
  if (out.starts != nullptr) {
    out.starts->insert(out.starts->end(), chunk.starts.data(), chunk.starts.data() + count);
  }
  if (chunk.ids.size() > kKeptTokens) chunk = {};
  chunk.ids.clear();
  chunk.starts.clear();
  chunk.bytes = 0;
}

}  // namespace clm
