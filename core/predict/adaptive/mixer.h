// Mixer: opinions on one decision, weighed in the logistic domain, in two layers.
//
//   first layer   kSets sets of weights, each chosen by its own selector, give one opinion each from all inputs
//   second layer  one set of weights, chosen by the bits of this byte so far, gives the final opinion
//
//   inputs, opinions   stretched (core/predict/logistic_tables.h), final opinion within [-3071, 3071]
//   weights            first layer 16 bits, 2^14 stands for 1; second layer 32 bits, 2^16 stands for 1
//
// The sums of the first layer are 32 bits wide; core/predict/adaptive/mixer.cc proves that none overflows. The loops
// are plain and of fixed length: compilers turn them into the same integers with any instruction set.
//
// Thread-safety: none.
// Source: M. Mahoney, "Adaptive weighing of context models for lossless data compression", 2005.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace clm {

inline constexpr size_t kMixerInputs = 32;
inline constexpr int kMaxMixerWeight = 31700;
// The sum of the bounds of all inputs must not exceed this.
inline constexpr int kMaxMixerInputSum = 67743;  // (2^31 - 1) / kMaxMixerWeight

struct MixerInputs {
  alignas(64) std::array<int16_t, kMixerInputs> values{};

  // Sets eight inputs from `index`, a multiple of eight, as four pairs. In one store: the sums read the inputs at once
  // in pieces of that size, and a processor cannot pass on a piece from several stores before they reach the cache.
  void SetEight(size_t index, const std::array<uint32_t, 4>& pairs) {
    using FourPairs [[gnu::vector_size(16)]] = uint32_t;
    const FourPairs together = {pairs[0], pairs[1], pairs[2], pairs[3]};
    std::memcpy(&values[index], &together, sizeof(together));
  }
};
// Two inputs for SetEight(), the first one in front. Requires both within 16 bits.
inline uint32_t MixerPair(int first, int second) {
  static_assert(std::endian::native == std::endian::little);
  return static_cast<uint32_t>(first & 0xffff) | static_cast<uint32_t>(second) << 16;
}
struct MixerWeights {
  alignas(64) std::array<int16_t, kMixerInputs> values{};
};

// sum of inputs[i] * weights[i]. Requires that the sum of |inputs[i]| is at most kMaxMixerInputSum.
int32_t MixerSum(const MixerInputs& inputs, const MixerWeights& weights);
// Moves every weight by floor(floor(input * step / 2^16) / 2 + 1 / 2), within +-kMaxMixerWeight. |step| <= 32767.
void MoveMixerWeights(const MixerInputs& inputs, int16_t step, MixerWeights& weights);

class Mixer {
 public:
  static constexpr size_t kSets = 3;
  static constexpr size_t kSecondLayerSets = 256;
  static constexpr int kMaxFinal = 3071;

  // sizes[k]: how many sets selector k chooses from.
  explicit Mixer(const std::array<size_t, kSets>& sizes);

  void Reset();
  // Later Update() moves the first layer's weights by this share of the error; see adaptive_model.cc.
  void set_rate(int rate) { rate_ = rate; }

  MixerInputs& inputs() { return inputs_; }
  // The final opinion on inputs(). Requires selectors[k] < sizes[k] and second < kSecondLayerSets.
  int Mix(const std::array<size_t, kSets>& selectors, size_t second);
  // What the sets of the first layer said.
  std::span<const int16_t> opinions() const { return opinions_; }
  // The final probability of a one as 16 bits.
  int probability() const { return probability_; }
  // Learns from the bit that Mix() spoke about.
  void Update(int bit);

 private:
  MixerInputs inputs_;
  std::array<size_t, kSets> begins_{};  // of each selector's sets in weights_
  std::vector<MixerWeights> weights_;
  std::vector<std::array<int32_t, kSets>> second_weights_;
  std::array<size_t, kSets> chosen_{};  // in weights_
  size_t chosen_second_ = 0;
  std::array<int16_t, kSets> opinions_{};
  int probability_ = 32768;
  int rate_ = 0;
};

}  // namespace clm
