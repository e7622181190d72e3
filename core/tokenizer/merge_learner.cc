#include "core/tokenizer/merge_learner.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/count_bins.h"

namespace clm {
namespace {

constexpr uint32_t kNone = WordCells::kNone;
constexpr uint32_t kNoList = UINT32_MAX;
constexpr uint32_t kReportEvery = 64;  // merges
constexpr size_t kByteValues = 256;
constexpr size_t kMaxParts = 8;
constexpr size_t kLeastPartCells = size_t{1} << 15;  // less is not worth another thread
constexpr int kLeastBucketBits = 10;
constexpr int kMostBucketBits = 18;
constexpr uint64_t kRoundRatio = 32;  // of the best count to the floor
constexpr size_t kPrefetch = 12;      // places ahead

bool IsIn(const std::vector<uint64_t>& set, size_t i) { return (set[i / 64] >> (i % 64) & 1) != 0; }

void ForEachPart(size_t parts, ThreadPool* threads, const std::function<void(size_t)>& task) {
  if (threads == nullptr || parts == 1) {
    for (size_t part = 0; part < parts; ++part) task(part);
    return;
  }
  const absl::Status status = threads->ParallelFor(parts, {}, [&](size_t part) {
    task(part);
    return absl::OkStatus();
  });
  CLM_CHECK(status.ok());
}

}  // namespace

BpeLearned BytesOnly() {
  BpeLearned learned;
  for (size_t byte = 0; byte < kByteValues; ++byte) {
    learned.tokens.emplace_back(1, static_cast<char>(static_cast<uint8_t>(byte)));
  }
  return learned;
}

MergeLearner::MergeLearner(const MergeLearnerOptions& options, size_t bytes, size_t pieces)
    : options_(options), words_(kByteValues), learned_(BytesOnly()) {
  CLM_CHECK(options.max_tokens >= kByteValues);
  words_.Reserve(bytes, pieces);
}

MergeLearner::MergeLearner(const MergeLearnerOptions& options, BpeLearned learned)
    : options_(options),
      words_(static_cast<uint32_t>(learned.tokens.size())),
      learned_(std::move(learned)),
      may_spell_(true),
      spelled_(learned_.tokens.begin(), learned_.tokens.end()) {
  CLM_CHECK(options.max_tokens >= learned_.tokens.size());
  for (const std::string& token : learned_.tokens) longest_ = std::max(longest_, token.size());
}

absl::Status MergeLearner::Learn(const CancellationToken& cancel, const ProgressSink& progress, ThreadPool* threads) {
  before_.resize(options_.max_tokens);
  behind_.resize(options_.max_tokens);
  while (HasRoom() && (!is_dry_ || floor_ > options_.min_pair_count)) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_RETURN_IF_ERROR(StartRound(threads));
    Candidate best;
    while (HasRoom() && !is_full_) {
      is_dry_ = !PopBest(best);
      if (is_dry_) break;
      CLM_RETURN_IF_ERROR(cancel.Check());
      Join(best);
      if (options_.save_every > 0 && learned_.merges.size() % options_.save_every == 0) {
        CLM_RETURN_IF_ERROR(options_.save(learned_));
      }
      if (progress && learned_.merges.size() % kReportEvery == 0) {
        progress({"train_tokenizer", learned_.tokens.size(), options_.max_tokens, "tokens", -1, {}});
      }
    }
  }
  return absl::OkStatus();
}

const WordCells& MergeLearner::CompactWords() {
  words_.Compact();
  return words_;
}

absl::Status MergeLearner::StartRound(ThreadPool* threads) {
  words_.Compact();
  const size_t wanted = threads == nullptr ? 1 : std::min(threads->threads(), kMaxParts);
  const std::vector<size_t> cuts = words_.Cuts(std::clamp<size_t>(words_.cells() / kLeastPartCells, 1, wanted));
  // About as many buckets as there can be pairs, unless those are many.
  const int bits = 64 - std::countl_zero(uint64_t{words_.cells()});
  bucket_shift_ = 64 - std::clamp(bits, kLeastBucketBits, kMostBucketBits);
  const Buckets buckets = CountBuckets(cuts, threads);
  uint64_t best = 0;
  for (const Bucket& bucket : buckets) best = std::max(best, bucket.count);
  ChooseFloor(buckets, best);
  bool was_raised = false;
  while (true) {
    const BucketSet from_floor = BucketsFromFloor(buckets);
    std::vector<PairIndex> parts = CountPairs(from_floor, cuts, threads);
    if (MergeParts(parts)) {
      FillPlaces(from_floor, cuts, parts, threads);
      break;
    }
    if (floor_ >= best) break;
    floor_ = std::min(best, 2 * floor_);
    was_raised = true;
  }
  is_full_ = false;
  if (!was_raised || !heap_.empty()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the pairs of the highest count alone need more than ",
                                                   options_.max_index_bytes, " bytes of memory"));
}

MergeLearner::Buckets MergeLearner::CountBuckets(const std::vector<size_t>& cuts, ThreadPool* threads) const {
  std::vector<Buckets> parts(cuts.size() - 1);
  ForEachPart(parts.size(), threads, [&](size_t part) {
    Buckets& buckets = parts[part];
    buckets.resize(size_t{1} << (64 - bucket_shift_));
    words_.VisitPairs(cuts[part], cuts[part + 1],
                      [&](SymbolId left, SymbolId right, uint32_t /*place*/, uint64_t count) {
                        Bucket& bucket = buckets[BucketOf(left, right)];
                        bucket.count += count;
                        ++bucket.places;
                      });
  });
  if (parts.empty()) return {};
  for (size_t part = 1; part < parts.size(); ++part) {
    for (size_t i = 0; i < parts[0].size(); ++i) {
      parts[0][i].count += parts[part][i].count;
      parts[0][i].places += parts[part][i].places;
    }
  }
  return std::move(parts[0]);
}

// Any floor gives the same merges. One that is low makes the round long, one that is high makes the index small: it
// takes in a few octaves of counts, no more pairs than there is room for tokens, and no more places than fit.
void MergeLearner::ChooseFloor(const Buckets& buckets, uint64_t best) {
  Buckets bins(kCountBins);  // count: how many buckets
  for (const Bucket& bucket : buckets) {
    Bucket& bin = bins[BinOfCount(bucket.count)];
    ++bin.count;
    bin.places += bucket.places;
  }
  const uint64_t max_pairs = options_.max_tokens - learned_.tokens.size();
  const uint64_t max_places = options_.max_index_bytes == 0 ? UINT64_MAX : options_.max_index_bytes / 16;
  size_t lowest = BinOfCount(best);
  Bucket above = bins[lowest];
  while (lowest > 1 && above.count < max_pairs && above.places + bins[lowest - 1].places <= max_places) {
    --lowest;
    above.count += bins[lowest].count;
    above.places += bins[lowest].places;
  }
  uint64_t floor = std::max(LeastOfBin(lowest), best / kRoundRatio);
  // Where the last round ended because nothing reached its floor, this one must go below.
  if (is_dry_ && floor_ != UINT64_MAX) floor = std::min(floor, floor_ / 2);
  floor_ = std::max(options_.min_pair_count, floor);
}

MergeLearner::BucketSet MergeLearner::BucketsFromFloor(const Buckets& buckets) const {
  BucketSet set((buckets.size() + 63) / 64);
  for (size_t i = 0; i < buckets.size(); ++i) set[i / 64] |= uint64_t{buckets[i].count >= floor_} << (i % 64);
  return set;
}

std::vector<PairIndex> MergeLearner::CountPairs(const BucketSet& buckets, const std::vector<size_t>& cuts,
                                                ThreadPool* threads) const {
  std::vector<PairIndex> parts(cuts.size() - 1);
  ForEachPart(parts.size(), threads, [&](size_t part) {
    words_.VisitPairs(cuts[part], cuts[part + 1],
                      [&](SymbolId left, SymbolId right, uint32_t /*place*/, uint64_t count) {
                        if (!IsIn(buckets, BucketOf(left, right)) || IsTooLong(left, right)) return;
                        if (IsOver(parts[part])) return;
                        PairIndex::Pair& pair = parts[part].FindOrAdd(KeyOfPair(left, right));
                        pair.count += count;
                        ++pair.places;
                      });
  });
  return parts;
}

// Sums the parts up, lays out the pool and gives each part its share of every list; false when it does not fit.
bool MergeLearner::MergeParts(std::vector<PairIndex>& parts) {
  pairs_.Clear();
  heap_.clear();
  pool_.clear();
  if (!parts.empty()) pairs_ = parts[0];
  for (size_t part = 1; part < parts.size(); ++part) {
    parts[part].ForEach([this](TokenPairKey key, const PairIndex::Pair& pair) {
      PairIndex::Pair& sum = pairs_.FindOrAdd(key);
      sum.count += pair.count;
      sum.places += pair.places;
    });
    if (!IndexFits()) return false;
  }
  uint64_t places = 0;
  pairs_.ForEach([&](TokenPairKey key, PairIndex::Pair& pair) {
    if (pair.count < floor_) {
      pair = {.count = 0, .begin = kNoList, .places = 0};
      return;
    }
    heap_.push_back({pair.count, key});
    pair.begin = static_cast<uint32_t>(places);
    places += std::exchange(pair.places, 0);
  });
  std::make_heap(heap_.begin(), heap_.end());
  for (PairIndex& part : parts) {
    part.ForEach([this](TokenPairKey key, PairIndex::Pair& pair) {
      PairIndex::Pair& sum = *pairs_.Find(key);
      pair.begin = sum.begin;
      if (sum.begin == kNoList) return;
      pair.begin += sum.places;
      sum.places += std::exchange(pair.places, 0);
    });
  }
  pool_.resize(places);
  return IndexFits();
}

void MergeLearner::FillPlaces(const BucketSet& buckets, const std::vector<size_t>& cuts, std::vector<PairIndex>& parts,
                              ThreadPool* threads) {
  ForEachPart(parts.size(), threads, [&](size_t part) {
    words_.VisitPairs(cuts[part], cuts[part + 1],
                      [&](SymbolId left, SymbolId right, uint32_t place, uint64_t /*count*/) {
                        if (!IsIn(buckets, BucketOf(left, right))) return;
                        PairIndex::Pair* pair = parts[part].Find(KeyOfPair(left, right));
                        if (pair != nullptr && pair->begin != kNoList) pool_[pair->begin + pair->places++] = place;
                      });
  });
}

bool MergeLearner::PopBest(Candidate& best) {
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end());
    best = heap_.back();
    heap_.pop_back();
    const uint64_t count = pairs_.Find(best.key)->count;
    if (count == best.count) return true;
    if (count < floor_) continue;
    // It shrank: it waits for its turn here.
    heap_.push_back({count, best.key});
    std::push_heap(heap_.begin(), heap_.end());
  }
  return false;
}

void MergeLearner::Join(const Candidate& best) {
  BpeMerge merge{LeftOf(best.key), RightOf(best.key), 0};
  std::string joined = learned_.tokens[merge.left] + learned_.tokens[merge.right];
  PairIndex::Pair& pair = *pairs_.Find(best.key);
  const uint32_t begin = pair.begin;
  const uint32_t places = pair.places;
  pair.count = 0;
  if (may_spell_ && !spelled_.insert(joined).second) return;
  merge.result = words_.NewToken(merge.left, merge.right);
  longest_ = std::max(longest_, joined.size());
  learned_.tokens.push_back(std::move(joined));
  learned_.merges.push_back(merge);
  has_new_pairs_ = false;
  JoinPlaces({pool_.data() + begin, places}, merge);
  CountNeighbours(merge);
  if (has_new_pairs_) AddPlaces(begin, places, merge.result);
  ForgetNeighbours();
}

// In a run of one token the places overlap; the rule is from left to right. They ascend, because the one merge that
// made the younger of the two tokens went through ascending places itself.
void MergeLearner::JoinPlaces(std::span<const uint32_t> places, const BpeMerge& merge) {
  for (size_t i = 0; i < places.size(); ++i) {
    if (i + kPrefetch < places.size()) words_.Prefetch(places[i + kPrefetch]);
    const uint32_t place = places[i];
    if (words_.TokenAt(place) != merge.left) continue;
    const uint32_t right = words_.Behind(place, merge.left);
    if (words_.TokenAt(right) != merge.right) continue;
    const uint32_t end = words_.Behind(right, merge.right);
    const uint64_t count = words_.CountAt(place);
    const SymbolId before = words_.TokenBefore(place);
    const SymbolId behind = words_.TokenAt(end);
    words_.Join(place, right, end, merge.result);
    if (before == merge.result) {
      self_.count += count;
      ++self_.places;
    } else if (before != kNone) {
      Neighbour& neighbour = before_[before];
      if (neighbour.places++ == 0) touched_before_.push_back(before);
      neighbour.count += count;
    }
    if (behind != kNone) {
      Neighbour& neighbour = behind_[behind];
      if (neighbour.places++ == 0) touched_behind_.push_back(behind);
      neighbour.count += count;
    }
  }
}

void MergeLearner::CountNeighbours(const BpeMerge& merge) {
  for (const SymbolId before : touched_before_) {
    Neighbour& neighbour = before_[before];
    Lower(KeyOfPair(before, merge.left), neighbour.count);
    neighbour.next = AddPair(KeyOfPair(before, merge.result), neighbour.count, neighbour.places);
  }
  for (const SymbolId behind : touched_behind_) {
    Neighbour& neighbour = behind_[behind];
    Lower(KeyOfPair(merge.right, behind), neighbour.count);
    // What stood behind a join and was joined itself is not there any more.
    if (behind == merge.left) {
      neighbour.count -= self_.count;
      neighbour.places -= self_.places;
    }
    neighbour.next = AddPair(KeyOfPair(merge.result, behind), neighbour.count, neighbour.places);
  }
  self_.next = AddPair(KeyOfPair(merge.result, merge.result), self_.count, self_.places);
}

void MergeLearner::Lower(TokenPairKey key, uint64_t count) {
  PairIndex::Pair* pair = pairs_.Find(key);
  if (pair != nullptr && pair->count != 0) pair->count -= count;
}

uint32_t MergeLearner::AddPair(TokenPairKey key, uint64_t count, uint32_t places) {
  if (count < floor_ || places == 0 || IsTooLong(LeftOf(key), RightOf(key))) return kNoList;
  is_full_ = is_full_ || !IndexFits() || pool_.size() + places >= kNoList;
  if (is_full_) return kNoList;
  PairIndex::Pair& pair = pairs_.FindOrAdd(key);
  pair = {.count = count, .begin = static_cast<uint32_t>(pool_.size()), .places = places};
  pool_.resize(pool_.size() + places);
  heap_.push_back({count, key});
  std::push_heap(heap_.begin(), heap_.end());
  has_new_pairs_ = true;
  return pair.begin;
}

void MergeLearner::AddPlaces(uint32_t begin, uint32_t places, SymbolId result) {
  const auto add = [this](Neighbour& neighbour, uint32_t place) {
    if (neighbour.next != kNoList) pool_[neighbour.next++] = place;
  };
  for (uint32_t i = begin; i < begin + places; ++i) {
    const uint32_t place = pool_[i];
    if (words_.TokenAt(place) != result) continue;
    const SymbolId before = words_.TokenBefore(place);
    if (before != kNone) add(before == result ? self_ : before_[before], words_.Before(place, before));
    const SymbolId behind = words_.TokenAt(words_.Behind(place, result));
    if (behind != kNone && behind != result) add(behind_[behind], place);
  }
}

void MergeLearner::ForgetNeighbours() {
  for (const SymbolId before : touched_before_) before_[before] = {};
  for (const SymbolId behind : touched_behind_) behind_[behind] = {};
  touched_before_.clear();
  touched_behind_.clear();
  self_ = {};
}

}  // namespace clm
