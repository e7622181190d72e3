#include "core/predict/count_model.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "core/base/byte_writer.h"
#include "core/base/digest.h"
#include "core/predict/logistic_tables.h"

namespace clm {
namespace {

// Any change of what follows changes frames that exist: raise it together with the golden files.
constexpr absl::string_view kAlgorithm = "clm.count_model.1";

constexpr std::array<int, 5> kOrderBytes = {1, 2, 3, 4, 6};
constexpr uint16_t kFreshCell = 2048 << 4;
constexpr int kMaxCount = 15;
constexpr int16_t kFreshWeight = 4915;  // 0.3
constexpr int kWeightShift = 14;
constexpr int kLearningShift = 13;
constexpr int16_t kBiasInput = 256;
constexpr uint16_t kFreshMatchCell = 49152;  // the expected bit comes three times in four
constexpr int kSlowRate = 6;                 // match cells and corrections move by 1/64
constexpr uint32_t kMinMatch = 5;
constexpr uint32_t kMaxCheckedMatch = 32;
constexpr uint64_t kHashFactor = 0x9E3779B97F4A7C15;
constexpr uint64_t kPathFactor = 0xD6E8FEB86659FD93;
constexpr uint64_t kFinalFactor = 0xBF58476D1CE4E5B9;

// Requires value > 0. Of a path: how many bits of the byte it holds.
inline int Log2(size_t value) { return static_cast<int>(std::bit_width(value)) - 1; }

// 65536 / (count + 1.6)
constexpr std::array<int, kMaxCount + 1> MakeRates() {
  std::array<int, kMaxCount + 1> rates{};
  for (int count = 0; count <= kMaxCount; ++count) rates[static_cast<size_t>(count)] = 655360 / (10 * count + 16);
  return rates;
}
constexpr std::array<int, kMaxCount + 1> kRates = MakeRates();

inline void UpdateCell(uint16_t& cell, int bit) {
  const int count = cell & kMaxCount;
  int probability = cell >> 4;
  probability += ((bit != 0 ? 4095 : 0) - probability) * kRates[static_cast<size_t>(count)] / 65536;
  cell = static_cast<uint16_t>(probability << 4 | std::min(count + 1, kMaxCount));
}

inline void UpdateSlow(uint16_t& probability, int bit) {
  if (bit != 0) {
    probability = static_cast<uint16_t>(probability + ((65535 - probability) >> kSlowRate));
  } else {
    probability = static_cast<uint16_t>(probability - (probability >> kSlowRate));
  }
}

template <size_t kSize>
inline int Dot(const std::array<int16_t, kSize>& inputs, const int16_t* weights) {
  int sum = 0;  // at most 8 * 2047 * 2^15 < 2^29
  for (size_t i = 0; i < kSize; ++i) sum += inputs[i] * weights[i];
  return std::clamp(sum >> kWeightShift, -kMaxStretched, kMaxStretched);
}

template <size_t kSize>
inline void Train(const std::array<int16_t, kSize>& inputs, int error12, int16_t* weights) {
  for (size_t i = 0; i < kSize; ++i) {
    const int weight = weights[i] + ((inputs[i] * error12 + (1 << (kLearningShift - 1))) >> kLearningShift);
    weights[i] = static_cast<int16_t>(std::clamp(weight, -32768, 32767));
  }
}

inline size_t MatchBucket(uint32_t length) {
  return length < 16 ? length : std::min<size_t>(15 + (length - 16) / 8, 31);
}

// What of an interval `total` wide, with `leaves` bytes on either side, goes to the bytes whose next bit is zero.
// Result in [leaves, total - leaves].
inline uint32_t ZeroShare(uint32_t total, uint32_t leaves, int probability_of_one) {
  const uint64_t free = total - 2 * leaves;
  return leaves + static_cast<uint32_t>(free * static_cast<uint64_t>(65536 - probability_of_one) >> 16);
}

absl::Status CheckRange(absl::string_view field, int value, int low, int high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, ", must be in [", low, ", ", high, "]"));
}

}  // namespace

absl::Status CountModelOptions::Validate() const {
  for (const absl::Status& status :
       {CheckRange("precision_bits", precision_bits, 16, 24), CheckRange("contexts_log2", contexts_log2, 10, 20),
        CheckRange("history_log2", history_log2, 12, 24)}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

CountModelOptions CountModelOptions::ForLength(size_t bytes, int precision_bits) {
  const int log2 = static_cast<int>(std::bit_width(bytes));
  return {.precision_bits = precision_bits,
          .contexts_log2 = std::clamp(log2, 11, 17),
          .history_log2 = std::clamp(log2, 12, 24)};
}

CountModel::CountModel(const CountModelOptions& options)
    : options_(options),
      slots_(kOrders << options.contexts_log2),
      weights_(2 * kWeightSets * kInputs),
      match_cells_(8 * kMatchBuckets),
      corrections_(size_t{256} * 256 * kCorrectionPoints),
      history_(size_t{1} << options.history_log2),
      match_heads_(size_t{1} << std::min(options.history_log2, 16)) {
  Reset();
}

std::string CountModel::Fingerprint(const CountModelOptions& options) {
  ByteWriter identity;
  identity.WriteBytes(absl::StrCat(kAlgorithm, " precision_bits=", options.precision_bits, " contexts_log2=",
                                   options.contexts_log2, " history_log2=", options.history_log2, "\n"));
  for (uint16_t entry : logistic_internal::kSquashTable) identity.WriteU16(entry);
  for (int16_t entry : logistic_internal::kStretchTable) identity.WriteU16(static_cast<uint16_t>(entry));
  return Sha256Hex(identity.view());
}

void CountModel::Reset() {
  Slot fresh;
  fresh.cells.fill(kFreshCell);
  fresh.cells[0] = 0;
  std::fill(slots_.begin(), slots_.end(), fresh);
  order0_.fill(kFreshCell);
  std::fill(weights_.begin(), weights_.end(), kFreshWeight);
  std::fill(match_cells_.begin(), match_cells_.end(), kFreshMatchCell);
  for (size_t i = 0; i < kCorrectionPoints; ++i) {
    const int stretched = std::min((static_cast<int>(i) - 16) * 128, kMaxStretched);
    corrections_[i] = static_cast<uint16_t>(Squash(stretched));
  }
  for (size_t i = kCorrectionPoints; i < corrections_.size(); ++i)
    corrections_[i] = corrections_[i - kCorrectionPoints];
  std::fill(history_.begin(), history_.end(), uint8_t{0});
  std::fill(match_heads_.begin(), match_heads_.end(), 0U);
  position_ = 0;
  match_position_ = 0;
  match_length_ = 0;
  recent_ = 0;
}

uint64_t CountModel::ContextHash(size_t order, uint32_t path) const {
  const uint64_t context = recent_ & ((uint64_t{1} << (8 * kOrderBytes[order])) - 1);
  uint64_t hash = (context + 1) * kHashFactor + path * kPathFactor;
  hash ^= hash >> 29;
  return hash * kFinalFactor;
}

// The two halves of a byte use different halves of an order's slots: claiming a slot for the second can then never
// take away the slot of the first.
size_t CountModel::SlotIndex(size_t order, int half, uint64_t hash) const {
  const int bits = options_.contexts_log2 - 1;
  return (((order << 1) | static_cast<size_t>(half)) << bits) + static_cast<size_t>(hash >> (64 - bits));
}

namespace {

// Never 0, which marks a slot that nobody has claimed.
inline uint16_t CheckOf(uint64_t hash) { return static_cast<uint16_t>((hash & 0xffff) | 1); }

}  // namespace

// A context may lie in one of two neighbouring slots. When it lies in neither, it takes the less used one.
CountModel::Slot& CountModel::ClaimSlot(size_t order, int half, uint32_t path) {
  const uint64_t hash = ContextHash(order, path);
  const size_t index = SlotIndex(order, half, hash);
  const uint16_t check = CheckOf(hash);
  Slot& first = slots_[index];
  if (first.cells[0] == check) return first;
  Slot& second = slots_[index ^ 1];
  if (second.cells[0] == check) return second;
  Slot& slot = (second.cells[1] & kMaxCount) < (first.cells[1] & kMaxCount) ? second : first;
  slot.cells.fill(kFreshCell);
  slot.cells[0] = check;
  return slot;
}

// What ClaimSlot would return, without claiming.
const CountModel::Slot& CountModel::PeekSlot(size_t order, int half, uint32_t path) const {
  static constexpr Slot kFresh = [] {
    Slot slot{};
    slot.cells.fill(kFreshCell);
    return slot;
  }();
  const uint64_t hash = ContextHash(order, path);
  const size_t index = SlotIndex(order, half, hash);
  const uint16_t check = CheckOf(hash);
  if (slots_[index].cells[0] == check) return slots_[index];
  return slots_[index ^ 1].cells[0] == check ? slots_[index ^ 1] : kFresh;
}

// path: a one and the bits of this byte so far. node: the same for this half byte.
inline CountModel::Decision CountModel::Predict(uint32_t path, uint32_t node, const SlotPointers& slots) const {
  Decision decision;
  size_t confidence = 0;
  for (size_t order = 0; order < kOrders; ++order) {
    const uint16_t cell = slots[order]->cells[node];
    if ((cell & kMaxCount) != 0) confidence = order + 1;
    decision.inputs[order] = static_cast<int16_t>(Stretch12(cell >> 4));
  }
  decision.inputs[kOrders] = static_cast<int16_t>(Stretch12(order0_[path] >> 4));
  decision.inputs[kOrders + 2] = kBiasInput;

  const int depth = Log2(path);
  const int expected = ExpectedByte();
  int match = 0;
  size_t match_class = 0;
  decision.expected_bit = -1;
  if (expected >= 0 && (static_cast<uint32_t>(expected | 256) >> (8 - depth)) == path) {
    const size_t bucket = MatchBucket(match_length_);
    decision.expected_bit = (expected >> (7 - depth)) & 1;
    decision.match_cell = static_cast<size_t>(depth) * kMatchBuckets + bucket;
    match = Stretch12(match_cells_[decision.match_cell] >> 4);
    if (decision.expected_bit == 0) match = -match;
    match_class = bucket < 8 ? 1 : bucket < 16 ? 2 : 3;
  }
  decision.inputs[kOrders + 1] = static_cast<int16_t>(match);
  decision.path_set = path * kInputs;
  decision.confidence_set = (kWeightSets + match_class * 64 + confidence * 8 + static_cast<size_t>(depth)) * kInputs;
  MixAndCorrect(path, decision);
  return decision;
}

inline void CountModel::MixAndCorrect(uint32_t path, Decision& decision) const {
  const int by_path = Dot(decision.inputs, &weights_[decision.path_set]);
  const int by_confidence = Dot(decision.inputs, &weights_[decision.confidence_set]);
  decision.path_probability = Squash(by_path);
  decision.confidence_probability = Squash(by_confidence);
  const int mixed = (by_path + by_confidence) / 2;

  const int offset = mixed + 2048;
  const int fraction = offset & 127;
  const size_t point = ((recent_ & 255) * 256 + path) * kCorrectionPoints + static_cast<size_t>(offset >> 7);
  const int corrected = (corrections_[point] * (128 - fraction) + corrections_[point + 1] * fraction) >> 7;
  decision.correction = fraction >= 64 ? point + 1 : point;
  decision.probability = std::clamp((Squash(mixed) + corrected) / 2, kMinProbability16, kMaxProbability16);
}

inline void CountModel::Learn(const Decision& decision, uint32_t path, int bit) {
  const int target = bit << 16;
  Train(decision.inputs, (target - decision.path_probability) >> 4, &weights_[decision.path_set]);
  Train(decision.inputs, (target - decision.confidence_probability) >> 4, &weights_[decision.confidence_set]);
  UpdateCell(order0_[path], bit);
  UpdateSlow(corrections_[decision.correction], bit);
  if (decision.expected_bit >= 0) {
    UpdateSlow(match_cells_[decision.match_cell], decision.expected_bit == bit ? 1 : 0);
  }
}

template <typename ChooseBit>
inline SymbolInterval CountModel::Step(ChooseBit choose_bit) {
  uint32_t start = 0;
  uint32_t total = uint32_t{1} << options_.precision_bits;
  uint32_t leaves = 256;
  uint32_t path = 1;
  std::array<Slot*, kOrders> claimed;
  SlotPointers slots;
  for (int half = 0; half < 2; ++half) {
    for (size_t order = 0; order < kOrders; ++order) slots[order] = claimed[order] = &ClaimSlot(order, half, path);
    for (uint32_t node = 1; node < 16;) {
      const Decision decision = Predict(path, node, slots);
      leaves /= 2;
      const uint32_t zero = ZeroShare(total, leaves, decision.probability);
      const int bit = choose_bit(path, start + zero);
      if (bit != 0) start += zero;
      total = bit != 0 ? total - zero : zero;
      for (Slot* slot : claimed) UpdateCell(slot->cells[node], bit);
      Learn(decision, path, bit);
      path = path * 2 + static_cast<uint32_t>(bit);
      node = node * 2 + static_cast<uint32_t>(bit);
    }
  }
  MoveOn(static_cast<uint8_t>(path));
  return {.start = start, .frequency = total};
}

SymbolInterval CountModel::EncodeStep(uint8_t symbol) {
  const uint32_t whole = uint32_t{symbol} | 256;
  return Step([whole](uint32_t path, uint32_t) {
    const int depth = Log2(path);
    return static_cast<int>(whole >> (7 - depth)) & 1;
  });
}

uint8_t CountModel::DecodeStep(uint32_t slot, SymbolInterval& interval) {
  interval = Step([slot](uint32_t, uint32_t boundary) { return slot >= boundary ? 1 : 0; });
  return static_cast<uint8_t>(recent_);
}

void CountModel::Frequencies(std::span<uint32_t> out) const {
  std::array<uint32_t, 512> totals;  // of every node of the byte's tree; leaves from 256 on
  totals[1] = uint32_t{1} << options_.precision_bits;
  SlotPointers slots;
  for (uint32_t root = 1; root < 32; root = root == 1 ? 16 : root + 1) {
    for (size_t order = 0; order < kOrders; ++order) slots[order] = &PeekSlot(order, root == 1 ? 0 : 1, root);
    for (uint32_t node = 1; node < 16; ++node) {
      const int depth = Log2(node);
      const uint32_t path = (root << depth) | (node - (uint32_t{1} << depth));
      const uint32_t leaves = uint32_t{128} >> Log2(path);
      const uint32_t zero = ZeroShare(totals[path], leaves, Predict(path, node, slots).probability);
      totals[size_t{2} * path] = zero;
      totals[size_t{2} * path + 1] = totals[path] - zero;
    }
  }
  std::copy(totals.begin() + 256, totals.end(), out.begin());
}

void CountModel::MoveOn(uint8_t symbol) {
  const bool matched = ExpectedByte() == symbol;
  history_[position_ & (history_.size() - 1)] = symbol;
  ++position_;
  recent_ = recent_ << 8 | symbol;
  if (matched) {
    ++match_position_;
    match_length_ = std::min<uint32_t>(match_length_ + 1, 65535);
  } else {
    match_length_ = 0;
  }
  const int bits = Log2(match_heads_.size());
  const uint64_t last_bytes = recent_ & ((uint64_t{1} << (8 * kMinMatch)) - 1);
  uint32_t& head = match_heads_[last_bytes * kHashFactor >> (64 - bits)];
  if (match_length_ == 0) FindMatch(head);
  head = static_cast<uint32_t>(position_);
}

void CountModel::FindMatch(uint32_t head) {
  const uint64_t distance = static_cast<uint32_t>(position_) - head;
  if (head == 0 || distance == 0 || distance > position_ || distance + kMaxCheckedMatch >= history_.size()) return;
  const uint64_t candidate = position_ - distance;
  uint32_t length = 0;
  while (length < kMaxCheckedMatch && length < candidate &&
         History(candidate - 1 - length) == History(position_ - 1 - length)) {
    ++length;
  }
  if (length < kMinMatch) return;
  match_position_ = candidate;
  match_length_ = length;
}

}  // namespace clm
