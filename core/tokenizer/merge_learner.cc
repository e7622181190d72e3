#include "core/tokenizer/merge_learner.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr uint32_t kReportEvery = 64;  // merges
constexpr size_t kByteValues = 256;

uint64_t PairKey(SymbolId left, SymbolId right) { return uint64_t{left} << 32 | right; }

}  // namespace

MergeLearner::MergeLearner(const MergeLearnerOptions& options, size_t bytes, size_t pieces) : options_(options) {
  CLM_CHECK(bytes < kNone && options.max_tokens >= kByteValues);
  ids_.reserve(bytes);
  next_.reserve(bytes);
  previous_.reserve(bytes);
  piece_of_.reserve(bytes);
  piece_counts_.reserve(pieces);
  for (size_t byte = 0; byte < kByteValues; ++byte) {
    tokens_.emplace_back(1, static_cast<char>(static_cast<uint8_t>(byte)));
  }
}

void MergeLearner::Add(absl::string_view piece, uint64_t count) {
  const auto first = static_cast<uint32_t>(ids_.size());
  const auto end = static_cast<uint32_t>(first + piece.size());
  for (uint32_t place = first; place < end; ++place) {
    ids_.push_back(static_cast<uint8_t>(piece[place - first]));
    next_.push_back(place + 1 < end ? place + 1 : kNone);
    previous_.push_back(place > first ? place - 1 : kNone);
    piece_of_.push_back(static_cast<uint32_t>(piece_counts_.size()));
  }
  piece_counts_.push_back(count);
}

absl::Status MergeLearner::Learn(const CancellationToken& cancel, const ProgressSink& progress) {
  CountAllPairs();
  Candidate best;
  while (tokens_.size() < options_.max_tokens && PopBest(best)) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    Join(best);
    if (progress && merges_.size() % kReportEvery == 0) {
      progress({"train_tokenizer", tokens_.size(), options_.max_tokens, "tokens", -1, {}});
    }
  }
  return absl::OkStatus();
}

void MergeLearner::CountAllPairs() {
  for (uint32_t place = 0; place < ids_.size(); ++place) AddPlace(place);
  grown_.clear();
  for (const Pair& pair : pairs_) heap_.push_back({pair.count, pair.left, pair.right});
  std::make_heap(heap_.begin(), heap_.end());
}

MergeLearner::Pair& MergeLearner::PairOf(SymbolId left, SymbolId right) {
  const auto [found, is_new] = pair_index_.emplace(PairKey(left, right), static_cast<uint32_t>(pairs_.size()));
  if (is_new) {
    pairs_.push_back({left, right, 0, {}, false});
    pairs_.back().refused = tokens_[left].size() + tokens_[right].size() > options_.max_token_bytes;
  }
  return pairs_[found->second];
}

// The pair that begins at `place`, if any, stands there from now on.
void MergeLearner::AddPlace(uint32_t place) {
  if (next_[place] == kNone) return;
  Pair& pair = PairOf(ids_[place], ids_[next_[place]]);
  if (pair.refused) return;
  pair.count += piece_counts_[piece_of_[place]];
  pair.places.push_back(place);
  grown_.push_back(static_cast<uint32_t>(&pair - pairs_.data()));
}

void MergeLearner::RemovePlace(uint32_t place) {
  if (next_[place] == kNone) return;
  Pair& pair = PairOf(ids_[place], ids_[next_[place]]);
  if (!pair.refused) pair.count -= piece_counts_[piece_of_[place]];
}

void MergeLearner::PushCandidate(const Pair& pair) {
  if (pair.count < options_.min_pair_count) return;
  heap_.push_back({pair.count, pair.left, pair.right});
  std::push_heap(heap_.begin(), heap_.end());
}

bool MergeLearner::PopBest(Candidate& best) {
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end());
    best = heap_.back();
    heap_.pop_back();
    const Pair& pair = PairOf(best.left, best.right);
    if (pair.count == best.count) return best.count >= options_.min_pair_count;
    // A pair that grew was pushed again when it did; one that shrank waits for its turn here.
    if (pair.count < best.count) PushCandidate(pair);
  }
  return false;
}

void MergeLearner::Join(const Candidate& best) {
  const auto result = static_cast<SymbolId>(tokens_.size());
  tokens_.push_back(tokens_[best.left] + tokens_[best.right]);
  merges_.push_back({best.left, best.right, result});
  // In a run of one token the places overlap; the rule is from left to right. They ascend, because the one merge that
  // made the younger of the two tokens went through ascending places itself.
  const std::vector<uint32_t> places = std::move(PairOf(best.left, best.right).places);
  grown_.clear();
  for (const uint32_t place : places) {
    const bool stands = ids_[place] == best.left && next_[place] != kNone && ids_[next_[place]] == best.right;
    if (stands) JoinAt(place, result);
  }
  std::sort(grown_.begin(), grown_.end());
  grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
  for (const uint32_t index : grown_) PushCandidate(pairs_[index]);
}

void MergeLearner::JoinAt(uint32_t place, SymbolId result) {
  const uint32_t right = next_[place];
  const uint32_t before = previous_[place];
  if (before != kNone) RemovePlace(before);
  RemovePlace(place);
  RemovePlace(right);
  ids_[place] = result;
  ids_[right] = kNone;
  next_[place] = next_[right];
  if (next_[place] != kNone) previous_[next_[place]] = place;
  if (before != kNone) AddPlace(before);
  AddPlace(place);
}

}  // namespace clm
