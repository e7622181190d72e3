// AdaptiveModel: the strong built-in predictor of bits. It learns from nothing but the bytes it has seen.
//
// A byte is eight binary decisions, most significant bit first. Twelve contexts (orders 2 to 6, words, columns and
// fields of lines, what followed before, what the match expects; core/predict/adaptive/context_tracker.h) each remember
// a history of the bits that followed; an adaptive map turns a history into a probability. These, the orders 0 and 1
// and two matches, a short and a long one, are mixed in two layers of weights that learn as they go, and the result is
// refined by what really came in three more contexts.
//
//   AdaptiveModel model(AdaptiveModelOptions::ForLength(bytes));
//   for every bit of every byte, the most significant first:
//     code the bit with model.probability(); model.Update(bit);
//
// A mixture with other predictors reads stretched() and opinions() before Update(): those are its inputs.
//
// Determinism: integer arithmetic only, no dependence on platform, compiler or threads. Equal options and equal bits
// give equal probabilities; fingerprint() names the algorithm, its tables and the options.
// Thread-safety: not thread-safe; copyable, copies are independent.
// Memory: 64 * 2^lines_log2 + 2^history_log2 + 8 * 2^min(history_log2, 18) + 132 * 2^min(history_log2, 16) bytes and
// 0.6 MiB, whatever is fed to it.
// Source of the method: M. Mahoney, "Adaptive weighing of context models for lossless data compression", 2005.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/predict/adaptive/bit_history.h"
#include "core/predict/adaptive/byte_history.h"
#include "core/predict/adaptive/context_table.h"
#include "core/predict/adaptive/context_tracker.h"
#include "core/predict/adaptive/match_finder.h"
#include "core/predict/adaptive/mixer.h"
#include "core/predict/adaptive/refinement.h"

namespace clm {

struct AdaptiveModelOptions {
  // The contexts share 2^lines_log2 lines of 64 bytes. Range [8, 20].
  int lines_log2 = 18;
  // Bytes that a match may reach back: 2^history_log2. Range [12, 24].
  int history_log2 = 20;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
  // Tables in proportion to the bytes that will come, so that a small input does not pay for large ones.
  static AdaptiveModelOptions ForLength(size_t bytes);
};

class AdaptiveModel {
 public:
  static constexpr int kPrecisionBits = 16;

  // Requires options.Validate().ok().
  explicit AdaptiveModel(const AdaptiveModelOptions& options);

  // 64 hex digits over the algorithm's version, its tables and the options.
  static std::string Fingerprint(const AdaptiveModelOptions& options);
  std::string fingerprint() const { return Fingerprint(options_); }

  // Back to the state after construction.
  void Reset();

  // Of a one as the next bit, in units of 2^-16, within [1, 65535].
  uint32_t probability() const { return probability_; }
  // ln(p / (1 - p)) of probability() in units of 1/256, within [-2047, 2047].
  int stretched() const;
  // What each weight set of the first layer says about the next bit; stretched.
  std::span<const int16_t> opinions() const { return mixer_.opinions(); }

  // The next bit is `bit`, 0 or 1.
  void Update(int bit);

  // The bits of the unfinished byte below a leading one: 1 at the start of a byte.
  uint32_t path() const { return path_; }

 private:
  static constexpr size_t kContexts = ContextTracker::kContexts;
  static constexpr size_t kMatches = 2;
  static constexpr size_t kRefinements = 3;
  static constexpr size_t kMatchClasses = 32;

  // Probability of a one in 22 bits, and in the lower ten how often it was asked.
  using HistoryMap = std::array<uint32_t, BitHistoryTable::kMaxStates>;

  void FindSlot(size_t context, size_t line_offset, uint32_t check_offset);
  void EnterByte();
  void PrefetchSecondHalf();
  void EnterSecondHalf();
  void MoveOn(uint8_t byte);
  void Predict();
  size_t PredictContexts();
  uint32_t PredictMatch(size_t match);
  void ChooseRefinements();
  void Refine(int mixed);
  void LearnContexts(int bit);
  void LearnMatches(int bit);
  size_t LineOf(uint64_t hash) const { return static_cast<size_t>(hash >> 32) & (table_.line_count() - 1); }

  Mixer mixer_;  // first: it is aligned to lines of the cache
  AdaptiveModelOptions options_;
  ByteHistory history_;
  ContextTracker tracker_;
  ContextTable table_;
  std::array<MatchFinder, kMatches> matches_;
  std::array<Refinement, kRefinements> refinements_;
  std::array<HistoryMap, kContexts> maps_{};
  std::array<uint16_t, 256> order0_{};                                      // probability of a one, 16 bits, by path
  std::vector<uint16_t> order1_;                                            // [256 last bytes][256 paths]
  std::array<std::array<uint16_t, kMatchClasses>, kMatches> match_maps_{};  // probability that the expected bit comes

  std::array<uint64_t, kContexts> hashes_{};
  std::array<size_t, kContexts> places_{};        // of the contexts' slots in table_
  std::array<int, kMatches> expected_bits_{};     // -1 without one
  std::array<size_t, kMatches> match_classes_{};  // of match_maps_
  std::array<size_t, kRefinements> refined_{};    // the contexts of refinements_
  uint32_t path_ = 1;
  uint32_t node_ = 1;  // the path of this half byte
  int depth_ = 0;      // bits of this byte so far
  uint64_t bits_ = 0;  // seen in all
  uint32_t probability_ = 32768;
};

}  // namespace clm
