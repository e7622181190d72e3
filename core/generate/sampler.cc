#include "core/generate/sampler.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "core/base/status_macros.h"

namespace clm {

absl::Status SamplingOptions::Validate(uint32_t vocab_size) const {
  if (!(temperature >= 0 && temperature <= 100)) {
    return absl::InvalidArgumentError(absl::StrCat("temperature is ", temperature, ", must lie in [0, 100]"));
  }
  if (!(top_p > 0 && top_p <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("top_p is ", top_p, ", must lie in (0, 1]"));
  }
  std::vector<bool> seen(vocab_size, false);
  size_t distinct = 0;
  for (const SymbolId id : excluded) {
    if (id >= vocab_size) {
      return absl::InvalidArgumentError(
          absl::StrCat("excluded holds ", id, ", must be below the vocabulary size ", vocab_size));
    }
    if (!seen[id]) ++distinct;
    seen[id] = true;
  }
  if (distinct < vocab_size) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("excluded leaves no symbol of ", vocab_size));
}

absl::StatusOr<Sampler> Sampler::Create(const SamplingOptions& options, uint32_t vocab_size) {
  CLM_RETURN_IF_ERROR(options.Validate(vocab_size));
  return Sampler(options, vocab_size);
}

Sampler::Sampler(const SamplingOptions& options, uint32_t vocab_size)
    : options_(options), excluded_(vocab_size, false) {
  for (const SymbolId id : options_.excluded) excluded_[id] = true;
}

absl::Status Sampler::Collect(std::span<const float> logits) {
  if (logits.size() != excluded_.size()) {
    return absl::InternalError(absl::StrCat(logits.size(), " logits for a vocabulary of ", excluded_.size()));
  }
  candidates_.clear();
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!std::isfinite(logits[id])) {
      return absl::InternalError(absl::StrCat("the logit of symbol ", id, " is ", logits[id]));
    }
    if (!excluded_[id]) candidates_.push_back({static_cast<double>(logits[id]), static_cast<SymbolId>(id)});
  }
  return absl::OkStatus();
}

namespace {

// Strict order: larger first, then lower id.
constexpr auto kBetter = [](const auto& left, const auto& right) {
  return left.logit != right.logit ? left.logit > right.logit : left.id < right.id;
};
// For heaps whose front is the best.
constexpr auto kWorse = [](const auto& left, const auto& right) { return kBetter(right, left); };

}  // namespace

SymbolId Sampler::Greedy() const { return std::min_element(candidates_.begin(), candidates_.end(), kBetter)->id; }

void Sampler::KeepTopK() {
  if (options_.top_k == 0 || options_.top_k >= candidates_.size()) return;
  const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(options_.top_k);
  std::nth_element(candidates_.begin(), end - 1, candidates_.end(), kBetter);
  candidates_.erase(end, candidates_.end());
  std::sort(candidates_.begin(), candidates_.end(), kBetter);
}

double Sampler::Exponentiate() {
  // With the largest logit subtracted no exponent is positive: nothing overflows and the sum is at least 1.
  const double largest = std::min_element(candidates_.begin(), candidates_.end(), kBetter)->logit;
  double total = 0;
  for (Candidate& candidate : candidates_) {
    candidate.logit = std::exp((candidate.logit - largest) / options_.temperature);
    total += candidate.logit;
  }
  return total;
}

double Sampler::KeepTopP(double total) {
  if (options_.top_p >= 1) return total;
  const double wanted = options_.top_p * total;
  // A heap gives the best ones one by one; the nucleus gathers at the back of the vector.
  auto rest = candidates_.end();
  std::make_heap(candidates_.begin(), rest, kWorse);
  double kept = 0;
  do {
    std::pop_heap(candidates_.begin(), rest, kWorse);
    --rest;
    kept += rest->logit;
  } while (kept < wanted && rest != candidates_.begin());
  candidates_.erase(candidates_.begin(), rest);
  std::reverse(candidates_.begin(), candidates_.end());
  return kept;
}

absl::StatusOr<SymbolId> Sampler::Sample(std::span<const float> logits, uint64_t position) {
  CLM_RETURN_IF_ERROR(Collect(logits));
  if (options_.temperature == 0) return Greedy();
  KeepTopK();
  const double total = KeepTopP(Exponentiate());
  double left = CounterRng(options_.seed, "sample", position).NextDouble() * total;
  for (const Candidate& candidate : candidates_) {
    left -= candidate.logit;
    if (left < 0) return candidate.id;
  }
  // Rounding used up the last bit: the last symbol that has weight.
  const auto last = std::find_if(candidates_.rbegin(), candidates_.rend(),
                                 [](const Candidate& candidate) { return candidate.logit > 0; });
  return last->id;
}

}  // namespace clm
