#include "core/coordinate/pair_scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/check.h"

namespace clm {
namespace {

class CountScorer final : public PairScorer {
 public:
  double Score(const PairEvidence& evidence) const override { return static_cast<double>(evidence.count); }
  double Bound(uint64_t count, double /*total*/) const override { return static_cast<double>(count); }
};

class PmiScorer final : public PairScorer {
 public:
  double Score(const PairEvidence& evidence) const override {
    return static_cast<double>(evidence.count) * std::log(Surprise(evidence));
  }
  // Pairs that occur less often than their parts would by chance are none.
  bool IsCandidate(const PairEvidence& evidence) const override { return Surprise(evidence) > 1; }
  // Both parts occur at least as often as the pair, but for self-pairs that overlap; the factor covers rounding.
  double Bound(uint64_t count, double total) const override {
    const double pairs = static_cast<double>(count);
    return pairs * std::log(std::max(total / pairs, 1.0)) * (1 + 1e-9) + std::numeric_limits<double>::min();
  }

 private:
  static double Surprise(const PairEvidence& evidence) {
    const double chance = static_cast<double>(evidence.left) * static_cast<double>(evidence.right);
    return static_cast<double>(evidence.count) * evidence.total / chance;
  }
};

class ConditionalScorer final : public PairScorer {
 public:
  double Score(const PairEvidence& evidence) const override {
    const double count = static_cast<double>(evidence.count);
    const double part = static_cast<double>(std::min(evidence.left, evidence.right));
    return count * (count / part);
  }
  double Bound(uint64_t count, double /*total*/) const override { return static_cast<double>(count); }
};

}  // namespace

const PairScorer& ScorerOf(PairStrategy strategy) {
  static const CountScorer kCount;
  static const PmiScorer kPmi;
  static const ConditionalScorer kConditional;
  CLM_CHECK(strategy != PairStrategy::kAuto);
  if (strategy == PairStrategy::kPmi) return kPmi;
  if (strategy == PairStrategy::kConditional) return kConditional;
  return kCount;
}

}  // namespace clm
