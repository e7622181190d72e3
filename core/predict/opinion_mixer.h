// OpinionMixer: a few opinions on one decision, weighed in the logistic domain by two chosen sets of weights, whose
// answers are averaged. For mixing whole predictors, of which each has done its own mixing.
//
//   inputs    ln(p / (1 - p)) in units of 1/256, within [-4095, 4095]
//   weights   32 bits, 2^16 stands for 1
//
// Determinism: integers only. Thread-safety: none.
// Source: M. Mahoney, "Adaptive weighing of context models for lossless data compression", 2005.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/predict/logistic_tables.h"

namespace clm {

inline constexpr int kMaxOpinion = 4095;

template <size_t kInputs>
class OpinionMixer {
 public:
  using Opinions = std::array<int, kInputs>;

  // `sets[k]`: how many sets of weights selector k chooses from. All begin as `fresh`.
  OpinionMixer(std::array<size_t, 2> sets, const std::array<int32_t, kInputs>& fresh)
      : second_(sets[0]), weights_(sets[0] + sets[1], fresh) {}

  // The mixed opinion. Requires selectors below the sizes.
  int Mix(const Opinions& opinions, std::array<size_t, 2> selectors) {
    opinions_ = opinions;
    chosen_ = {selectors[0], second_ + selectors[1]};
    int sum = 0;
    for (size_t k = 0; k < 2; ++k) {
      int64_t product = 0;
      for (size_t i = 0; i < kInputs; ++i) product += int64_t{opinions[i]} * weights_[chosen_[k]][i];
      answers_[k] = static_cast<int>(std::clamp<int64_t>(product >> kWeightShift, -kMaxOpinion, kMaxOpinion));
      sum += answers_[k];
    }
    return sum / 2;
  }

  // Learns from the bit that Mix() spoke about.
  void Update(int bit) {
    for (size_t k = 0; k < 2; ++k) {
      const int error = (bit << 16) - WideSquash(answers_[k]);
      for (size_t i = 0; i < kInputs; ++i) {
        int32_t& weight = weights_[chosen_[k]][i];
        const int move = (opinions_[i] * error + (1 << (kRateShift - 1))) >> kRateShift;
        weight = std::clamp(weight + move, -kMaxWeight, kMaxWeight);
      }
    }
  }

 private:
  static constexpr int kWeightShift = 16;
  static constexpr int kRateShift = 16;
  static constexpr int32_t kMaxWeight = 1 << 20;
  static_assert(int64_t{kMaxOpinion} * 65536 + (1 << kRateShift) < (int64_t{1} << 31));

  size_t second_;
  std::vector<std::array<int32_t, kInputs>> weights_;
  Opinions opinions_{};
  std::array<size_t, 2> chosen_{};
  std::array<int, 2> answers_{};
};

}  // namespace clm
