// Sampler: one symbol from the logits of the next one.
//
// Order of the steps: excluded ids leave; temperature divides; the top_k largest stay; of these the smallest set whose
// probability reaches top_p stays; one is drawn. Ties are broken by the lower id everywhere. Temperature 0 takes the
// largest logit and draws nothing.
//
// Determinism: the draw is CounterRng(seed, "sample", position), so a symbol depends on its logits, its position and
// the options alone; sums are doubles in a fixed order. Equal logits give equal symbols on machines with the same
// exp(). Source of top-p: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020, arXiv:1904.09751.
//
// Thread-safety: not thread-safe (keeps buffers). Cost: linear in the vocabulary; with top_k or top_p plus a logarithm
// per symbol that stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"

namespace clm {

struct SamplingOptions {
  // 0 = greedy; 1 = the model's own distribution. Range [0, 100].
  double temperature = 1.0;
  // Keeps this many symbols; 0 keeps all.
  uint32_t top_k = 0;
  // Keeps the smallest set of symbols with at least this probability. Range (0, 1]; 1 keeps all.
  double top_p = 1.0;
  uint64_t seed = 0;
  // Ids that are never drawn; each below the vocabulary, in any order.
  std::vector<SymbolId> excluded = {};

  // INVALID_ARGUMENT, naming field, value and range; also when every symbol of the vocabulary is excluded.
  absl::Status Validate(uint32_t vocab_size) const;
};

class Sampler {
 public:
  static absl::StatusOr<Sampler> Create(const SamplingOptions& options, uint32_t vocab_size);

  // `logits` [vocab_size]; `position` counts the drawn symbols of one generation from 0. INTERNAL naming the first id
  // whose logit is not finite, or when the number of logits is not the vocabulary's.
  absl::StatusOr<SymbolId> Sample(std::span<const float> logits, uint64_t position);

 private:
  struct Candidate {
    double logit;  // before, weight after exponentiation
    SymbolId id;
  };

  Sampler(const SamplingOptions& options, uint32_t vocab_size);

  absl::Status Collect(std::span<const float> logits);
  SymbolId Greedy() const;
  // Keeps the `top_k` best candidates, best first.
  void KeepTopK();
  // Turns logits into weights exp((logit - max) / temperature); returns their sum.
  double Exponentiate();
  // Keeps the nucleus, best first; returns its sum of weights.
  double KeepTopP(double total);

  const SamplingOptions options_;
  std::vector<bool> excluded_;  // [vocab_size]
  std::vector<Candidate> candidates_;
};

}  // namespace clm
