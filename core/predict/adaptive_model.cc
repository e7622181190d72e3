#include "core/predict/adaptive_model.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "core/base/byte_writer.h"
#include "core/base/digest.h"
#include "core/predict/adaptive/bit_history.h"
#include "core/predict/logistic_tables.h"

namespace clm {
namespace {

// Any change of what follows, or of core/predict/adaptive, changes frames that exist: raise it together with the golden
// files.
constexpr absl::string_view kAlgorithm = "clm.adaptive_model.1";

constexpr int kMaxLinesLog2 = 18;
constexpr int kMaxHeadsLog2 = 18;
constexpr int kMaxRefinementsLog2 = 16;
constexpr std::array<uint32_t, 2> kMinMatches = {6, 12};

// The inputs of the mixer: two of each context, the orders 0 and 1, two of each match, the bias, and one that is 0.
static_assert(2 * ContextTracker::kContexts + 8 == kMixerInputs);
constexpr int kConfidenceShift = 3;  // of a 12-bit probability's distance from a half
constexpr int kMaxConfidence = 2048 >> kConfidenceShift;
constexpr int16_t kBias = 256;
static_assert((static_cast<int>(ContextTracker::kContexts) + 2) * (kMaxStretched + kMaxConfidence) + 2 * kMaxStretched +
                  kBias <=
              kMaxMixerInputSum);

// The weight sets of the first layer are chosen by the path, by the match with the longest known order, and by the
// classes of the last bytes with the depth.
constexpr std::array<size_t, Mixer::kSets> kSelectorSizes = {256, 256, 2048};

// The first layer learns fast at first and slower later: rate = kRate + kEarlyRate * kEarlyBits / (kEarlyBits + bits).
constexpr int kRate = 6;
constexpr int kEarlyRate = 40;
constexpr uint64_t kEarlyBits = 4096;

constexpr int kOrderRateShift = 5;
constexpr int kMatchRateShift = 6;
constexpr uint16_t kFreshMatch = 49152;  // the expected bit comes three times in four

// History maps: 22-bit probability, 10-bit count; a map entry moves by 1 / (count + 1.5).
constexpr int kCountBits = 10;
constexpr uint32_t kCountMask = (uint32_t{1} << kCountBits) - 1;
constexpr uint32_t kMaxCount = kCountMask;
constexpr int kOne22 = (1 << 22) - 1;

constexpr std::array<uint32_t, kMaxCount + 1> MakeRates() {
  std::array<uint32_t, kMaxCount + 1> rates{};
  for (uint32_t count = 0; count <= kMaxCount; ++count) rates[count] = 16384 / (2 * count + 3);
  return rates;
}
constexpr std::array<uint32_t, kMaxCount + 1> kRates = MakeRates();

inline void UpdateMapEntry(uint32_t& entry, int target22) {
  const int error = (target22 - static_cast<int>(entry >> kCountBits)) >> 3;
  const uint32_t count = entry & kCountMask;
  // Modulo 2^32, as the sum is: it stays between the old probability and the target.
  entry += (static_cast<uint32_t>(error) * kRates[count]) & ~kCountMask;
  entry += count < kMaxCount ? 1 : 0;
}

inline void UpdateProbability(uint16_t& probability, int bit, int shift) {
  probability = static_cast<uint16_t>(probability + (((bit != 0 ? 65535 : 0) - probability) >> shift));
}

// What a history says before its map has seen anything: its counts and a little of both, less where the context is
// long and only one bit has ever come.
uint32_t FreshMapEntry(size_t context, size_t state) {
  const int zeros = kBitHistories.zeros[state];
  const int ones = kBitHistories.ones[state];
  const bool sure = context >= 2 && (zeros == 0 || ones == 0) && zeros + ones > 0;
  const int tenths = sure ? 2 : 4;
  const int64_t probability = int64_t{10 * ones + tenths} * kOne22 / (10 * (zeros + ones) + 2 * tenths);
  return static_cast<uint32_t>(probability) << kCountBits;
}

size_t MatchClass(uint32_t length) {
  if (length < 16) return length;
  if (length < 32) return 16 + (length - 16) / 4;
  if (length < 64) return 20 + (length - 32) / 8;
  return length < 512 ? 24 + (length - 64) / 64 : 31;
}

absl::Status CheckRange(absl::string_view field, int value, int low, int high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, ", must be in [", low, ", ", high, "]"));
}

int RefinementsLog2(const AdaptiveModelOptions& options) { return std::min(options.history_log2, kMaxRefinementsLog2); }

}  // namespace

absl::Status AdaptiveModelOptions::Validate() const {
  absl::Status status = CheckRange("lines_log2", lines_log2, 8, 20);
  if (status.ok()) status = CheckRange("history_log2", history_log2, 12, 24);
  return status;
}

AdaptiveModelOptions AdaptiveModelOptions::ForLength(size_t bytes) {
  const int log2 = static_cast<int>(std::bit_width(bytes));
  return {.lines_log2 = std::clamp(log2 + 1, 8, kMaxLinesLog2), .history_log2 = std::clamp(log2, 12, 24)};
}

AdaptiveModel::AdaptiveModel(const AdaptiveModelOptions& options)
    : mixer_(kSelectorSizes),
      options_(options),
      history_(options.history_log2),
      table_(options.lines_log2),
      matches_{MatchFinder(kMinMatches[0], std::min(options.history_log2, kMaxHeadsLog2)),
               MatchFinder(kMinMatches[1], std::min(options.history_log2, kMaxHeadsLog2))},
      refinements_{Refinement(1024), Refinement(size_t{1} << RefinementsLog2(options)),
                   Refinement(size_t{1} << RefinementsLog2(options))},
      order1_(65536) {
  Reset();
}

std::string AdaptiveModel::Fingerprint(const AdaptiveModelOptions& options) {
  ByteWriter identity;
  identity.WriteBytes(
      absl::StrCat(kAlgorithm, " lines_log2=", options.lines_log2, " history_log2=", options.history_log2, "\n"));
  for (uint16_t entry : logistic_internal::kWideSquashTable) identity.WriteU16(entry);
  for (int16_t entry : logistic_internal::kStretchTable) identity.WriteU16(static_cast<uint16_t>(entry));
  for (const auto& next : kBitHistories.next) identity.WriteU16(static_cast<uint16_t>(next[0] << 8 | next[1]));
  return Sha256Hex(identity.view());
}

void AdaptiveModel::Reset() {
  history_.Reset();
  tracker_.Reset();
  table_.Reset();
  for (MatchFinder& match : matches_) match.Reset();
  mixer_.Reset();
  for (Refinement& refinement : refinements_) refinement.Reset();
  for (size_t context = 0; context < kContexts; ++context) {
    for (size_t state = 0; state < maps_[context].size(); ++state) {
      maps_[context][state] = FreshMapEntry(context, state);
    }
  }
  order0_.fill(32768);
  std::fill(order1_.begin(), order1_.end(), uint16_t{32768});
  for (auto& map : match_maps_) map.fill(kFreshMatch);
  path_ = 1;
  node_ = 1;
  depth_ = 0;
  bits_ = 0;
  EnterByte();
  Predict();
}

int AdaptiveModel::stretched() const { return Stretch12(static_cast<int>(probability_ >> 4)); }

inline void AdaptiveModel::FindSlot(size_t context, size_t line_offset, uint32_t check_offset) {
  const uint64_t hash = hashes_[context];
  places_[context] =
      table_.Find(LineOf(hash) ^ line_offset, static_cast<uint8_t>(static_cast<uint32_t>(hash >> 24) + check_offset));
}

// Finds the slots of the first half of a byte. Everything is asked for before anything is waited for.
void AdaptiveModel::EnterByte() {
  tracker_.Hashes(hashes_);
  for (size_t i = 0; i < kContexts; ++i) {
    if (i != ContextTracker::kMatchContext) table_.Prefetch(LineOf(hashes_[i]));
  }
  static_assert(ContextTracker::kMatchContext == kContexts - 1);
  for (size_t i = 0; i + 1 < kContexts; ++i) FindSlot(i, 0, 0);
  for (MatchFinder& match : matches_) match.Find(history_);
  hashes_[kContexts - 1] = tracker_.MatchHash(matches_[0].expected(), matches_[0].length());
  FindSlot(kContexts - 1, 0, 0);
  mixer_.set_rate(kRate + static_cast<int>(kEarlyRate * kEarlyBits / (kEarlyBits + bits_)));
}

// The slots of the second half lie within 4 KiB of those of the first: no further page to look up. Their line is known
// when two of the four bits are, which leaves time to bring it to the cache.
void AdaptiveModel::PrefetchSecondHalf() {
  for (const uint64_t hash : hashes_) table_.Prefetch(LineOf(hash) ^ ((path_ & 3) + 1));
}

void AdaptiveModel::EnterSecondHalf() {
  const uint32_t half = path_ & 15;
  for (size_t i = 0; i < kContexts; ++i) FindSlot(i, (half >> 2) + 1, half * 37 + 77);
}

void AdaptiveModel::MoveOn(uint8_t byte) {
  history_.Push(byte);
  tracker_.Push(byte, history_);
  for (MatchFinder& match : matches_) match.Advance(history_, tracker_.recent());
}

// Two inputs for each context. Returns the number of the longest order that knows this node, counted from one; 0: none.
size_t AdaptiveModel::PredictContexts() {
  static_assert(kContexts % 4 == 0);
  const uint8_t* const states = table_.states();
  const uint32_t node = node_;
  size_t longest = 0;
  for (size_t first = 0; first < kContexts; first += 4) {
    std::array<uint32_t, 4> pairs;
    for (size_t i = first; i < first + 4; ++i) {
      const uint8_t state = states[places_[i] + node];
      const int probability12 = static_cast<int>(maps_[i][state] >> 20);
      pairs[i - first] = MixerPair(Stretch12(probability12), (probability12 - 2048) >> kConfidenceShift);
      if (i < ContextTracker::kOrders && state != 0) longest = i + 1;
    }
    mixer_.inputs().SetEight(2 * first, pairs);
  }
  return longest;
}

// The two inputs of a match.
uint32_t AdaptiveModel::PredictMatch(size_t match) {
  const MatchFinder& finder = matches_[match];
  const uint32_t expected = finder.expected();
  if (finder.length() == 0 || ((expected | 256) >> (8 - depth_)) != path_) {
    expected_bits_[match] = -1;
    return 0;
  }
  const int bit = static_cast<int>(expected >> (7 - depth_)) & 1;
  expected_bits_[match] = bit;
  match_classes_[match] = MatchClass(finder.length());
  const int probability12 = match_maps_[match][match_classes_[match]] >> 4;
  const int sign = bit != 0 ? 1 : -1;
  return MixerPair(sign * Stretch12(probability12), sign * ((probability12 - 2048) >> kConfidenceShift));
}

void AdaptiveModel::Predict() {
  ChooseRefinements();
  const size_t last = tracker_.last_byte();
  const size_t longest = PredictContexts();
  const uint32_t orders = MixerPair(Stretch12(order0_[path_] >> 4), Stretch12(order1_[last << 8 | path_] >> 4));
  mixer_.inputs().SetEight(2 * kContexts, {orders, PredictMatch(0), PredictMatch(1), MixerPair(kBias, 0)});

  size_t match_class = 0;
  if (expected_bits_[0] >= 0) match_class = std::clamp<size_t>(std::bit_width(matches_[0].length()) - 1, 1, 7);
  const size_t one = expected_bits_[0] == 1 ? 1 : 0;
  const size_t shape = size_t{tracker_.shape() & 255} * 8 + static_cast<size_t>(depth_);
  Refine(mixer_.Mix({path_, match_class * 16 + longest * 2 + one, shape}, path_));
}

// Where the refinements look is known before what they look for: time to bring it to the cache.
void AdaptiveModel::ChooseRefinements() {
  const int log2 = RefinementsLog2(options_);
  const uint32_t last_and_path = uint32_t{tracker_.last_byte()} << 8 | path_;
  const auto two_and_path = static_cast<uint32_t>(tracker_.recent() & 0xffff) << 8 | path_;
  refined_[1] = static_cast<size_t>(((last_and_path * 0x9E37U) & 0xffff) >> (16 - log2));
  refined_[2] = static_cast<size_t>((two_and_path * 0x9E3779B1U) >> (32 - log2));
  refinements_[1].Prefetch(refined_[1]);
  refinements_[2].Prefetch(refined_[2]);
}

void AdaptiveModel::Refine(int mixed) {
  refined_[0] = static_cast<size_t>(expected_bits_[0] + 1) << 8 | path_;
  const int refined = (refinements_[0].Refine(refined_[0], mixed) + refinements_[1].Refine(refined_[1], mixed) +
                       2 * refinements_[2].Refine(refined_[2], mixed)) /
                      4;
  probability_ = static_cast<uint32_t>(std::clamp((mixer_.probability() + refined) / 2, 1, 65535));
}

void AdaptiveModel::LearnContexts(int bit) {
  const int target22 = bit != 0 ? kOne22 : 0;
  uint8_t* const states = table_.states();
  const uint32_t node = node_;
  for (size_t i = 0; i < kContexts; ++i) {
    uint8_t& state = states[places_[i] + node];
    UpdateMapEntry(maps_[i][state], target22);
    state = kBitHistories.next[state][static_cast<size_t>(bit)];
  }
  UpdateProbability(order0_[path_], bit, kOrderRateShift);
  UpdateProbability(order1_[size_t{tracker_.last_byte()} << 8 | path_], bit, kOrderRateShift);
}

void AdaptiveModel::LearnMatches(int bit) {
  for (size_t m = 0; m < kMatches; ++m) {
    if (expected_bits_[m] < 0) continue;
    const bool right = expected_bits_[m] == bit;
    UpdateProbability(match_maps_[m][match_classes_[m]], right ? 1 : 0, kMatchRateShift);
    if (!right) matches_[m].Break();
  }
}

void AdaptiveModel::Update(int bit) {
  mixer_.Update(bit);
  for (Refinement& refinement : refinements_) refinement.Update(bit);
  LearnContexts(bit);
  LearnMatches(bit);
  ++bits_;
  path_ = path_ << 1 | static_cast<uint32_t>(bit);
  node_ = node_ << 1 | static_cast<uint32_t>(bit);
  ++depth_;
  if (depth_ == 2) {
    PrefetchSecondHalf();
  } else if (depth_ == 4) {
    node_ = 1;
    EnterSecondHalf();
  } else if (depth_ == 8) {
    MoveOn(static_cast<uint8_t>(path_));
    path_ = 1;
    node_ = 1;
    depth_ = 0;
    EnterByte();
  }
  Predict();
}

}  // namespace clm
