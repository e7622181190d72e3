#include "core/entropy/cdf.h"

#include "absl/strings/str_cat.h"

namespace clm {

void NormalizeWeights(std::span<const uint32_t> weights, int precision_bits, std::span<uint32_t> frequencies) {
  const uint64_t total = uint64_t{1} << precision_bits;
  const uint64_t spread = total - weights.size();
  uint64_t weight_sum = 0;
  size_t largest = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    weight_sum += weights[i];
    if (weights[i] > weights[largest]) largest = i;
  }
  const bool all_zero = weight_sum == 0;
  if (all_zero) weight_sum = weights.size();
  uint64_t used = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    // At most 2^32 * 2^24: no overflow.
    const uint64_t weight = all_zero ? 1 : weights[i];
    frequencies[i] = static_cast<uint32_t>(1 + weight * spread / weight_sum);
    used += frequencies[i];
  }
  frequencies[largest] += static_cast<uint32_t>(total - used);
}

void Accumulate(std::span<const uint32_t> frequencies, std::span<uint32_t> cumulative) {
  uint32_t sum = 0;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    cumulative[i] = sum;
    sum += frequencies[i];
  }
  cumulative[frequencies.size()] = sum;
}

absl::Status CheckFrequencies(std::span<const uint32_t> frequencies, int precision_bits) {
  uint64_t sum = 0;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    if (frequencies[i] == 0) return absl::InternalError(absl::StrCat("the predictor gives symbol ", i, " frequency 0"));
    sum += frequencies[i];
  }
  const uint64_t total = uint64_t{1} << precision_bits;
  if (sum != total) {
    return absl::InternalError(absl::StrCat("the predictor's frequencies sum to ", sum, ", not to ", total));
  }
  return absl::OkStatus();
}

}  // namespace clm
