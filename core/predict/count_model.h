// CountModel: the built-in predictor of bytes. Integer counts in the contexts of the last 0, 1, 2, 3, 4 and 6 bytes and
// of the last match, blended in integers.
//
// A byte is eight binary decisions, most significant bit first. In each context a decision has one cell: a 12-bit
// probability of a one and a 4-bit count of how often it was seen, which sets how far a new bit moves it (1 / (count +
// 1.6)). Two sets of weights, one chosen by the bits of this byte so far, one by the longest context that has been seen
// and the match, blend the cells in the logistic domain; the sum is corrected once more by the previous byte. The
// binary probabilities then split [0, 2^P) into the intervals of the 256 bytes, each at least 1 wide.
//
// Invariant that makes Frequencies() and the fused steps agree: within one byte every cell, weight set and correction
// belongs to one decision, so learning while stepping equals learning after the byte.
//
// Determinism: integer arithmetic only, no dependence on platform, compiler or threads. Equal options and equal bytes
// give equal intervals; fingerprint() names the algorithm, its tables and the options.
// Thread-safety: not thread-safe; copyable, copies are independent.
// Memory: 160 bytes * 2^contexts_log2 + 2^history_log2 + 4.7 MiB, whatever is fed to it.
// Source of the method: M. Mahoney, "Adaptive weighing of context models for lossless data compression", 2005.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/entropy/cdf.h"

namespace clm {

struct CountModelOptions {
  // P: intervals are in units of 2^-P. Range [16, 24]; more bits cost nothing.
  int precision_bits = 20;
  // Each hashed order keeps 2^contexts_log2 half-byte contexts of 32 bytes. Range [10, 20].
  int contexts_log2 = 17;
  // Bytes that the match may reach back: 2^history_log2. Range [12, 24].
  int history_log2 = 20;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
  // Tables in proportion to the bytes that will come, so that a small input does not pay for large ones.
  static CountModelOptions ForLength(size_t bytes, int precision_bits);
};

class CountModel {
 public:
  static constexpr uint32_t kVocabSize = 256;

  // Requires options.Validate().ok().
  explicit CountModel(const CountModelOptions& options);

  int precision_bits() const { return options_.precision_bits; }
  // 64 hex digits over the algorithm's version, its tables and the options.
  static std::string Fingerprint(const CountModelOptions& options);
  std::string fingerprint() const { return Fingerprint(options_); }

  // Back to the state after construction.
  void Reset();

  // The interval of `symbol` as the next byte; the model then moves on past it.
  SymbolInterval EncodeStep(uint8_t symbol);
  // The byte whose interval holds `slot`; writes that interval and moves on past the byte. Requires slot < 2^P.
  uint8_t DecodeStep(uint32_t slot, SymbolInterval& interval);
  // The frequencies of all 256 bytes as the next one, without moving on: the slow twin of the steps, about 100 times as
  // expensive as one. Intervals lie in the order of the byte values. Requires out.size() == 256.
  void Frequencies(std::span<uint32_t> out) const;

 private:
  static constexpr size_t kOrders = 5;        // hashed contexts
  static constexpr size_t kInputs = 8;        // + order 0, match, bias
  static constexpr size_t kWeightSets = 256;  // per selector
  static constexpr size_t kMatchBuckets = 32;
  static constexpr size_t kCorrectionPoints = 33;

  // The decisions of half a byte in one context. cells[0] tells contexts apart; cells[1..15] are the nodes of the tree.
  struct alignas(32) Slot {
    std::array<uint16_t, 16> cells;
  };

  // One decision: where its numbers come from and what was predicted.
  struct Decision {
    std::array<int16_t, kInputs> inputs;
    size_t path_set;
    size_t confidence_set;
    size_t match_cell;
    size_t correction;     // of the two interpolated points, the nearer
    int expected_bit;      // -1 without a match
    int path_probability;  // of a one, 16 bits, by each weight set alone
    int confidence_probability;
    int probability;  // of a one, 16 bits, final
  };

  using SlotPointers = std::array<const Slot*, kOrders>;

  template <typename ChooseBit>
  SymbolInterval Step(ChooseBit choose_bit);
  Decision Predict(uint32_t path, uint32_t node, const SlotPointers& slots) const;
  void MixAndCorrect(uint32_t path, Decision& decision) const;
  void Learn(const Decision& decision, uint32_t path, int bit);
  uint64_t ContextHash(size_t order, uint32_t path) const;
  size_t SlotIndex(size_t order, int half, uint64_t hash) const;
  Slot& ClaimSlot(size_t order, int half, uint32_t path);
  const Slot& PeekSlot(size_t order, int half, uint32_t path) const;
  void MoveOn(uint8_t symbol);
  void FindMatch(uint32_t head);
  uint8_t History(uint64_t position) const { return history_[position & (history_.size() - 1)]; }
  int ExpectedByte() const { return match_length_ > 0 ? History(match_position_) : -1; }

  CountModelOptions options_;
  std::vector<Slot> slots_;             // [kOrders][2^contexts_log2]
  std::array<uint16_t, 256> order0_{};  // cells
  std::vector<int16_t> weights_;        // [2 selectors][kWeightSets][kInputs]; 2^14 stands for 1
  std::vector<uint16_t> match_cells_;   // [8 bits][kMatchBuckets]: probability that the expected bit comes
  std::vector<uint16_t> corrections_;   // [256 previous bytes][256 paths][kCorrectionPoints]
  std::vector<uint8_t> history_;        // ring
  std::vector<uint32_t> match_heads_;   // hash of the last bytes -> position after them, low 32 bits
  uint64_t position_ = 0;               // bytes seen
  uint64_t match_position_ = 0;         // of the byte the match expects next
  uint32_t match_length_ = 0;           // 0 without a match
  uint64_t recent_ = 0;                 // the last eight bytes, the latest lowest
};

}  // namespace clm
