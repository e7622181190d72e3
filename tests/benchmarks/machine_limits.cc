#include "tests/benchmarks/machine_limits.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/base/clock.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/benchmarks/machine_limits.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace clm::benchmarking::HWY_NAMESPACE {

uint64_t ReadWordsKernel(const uint64_t* words, size_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<uint64_t> d;
  const size_t lanes = hn::Lanes(d);
  auto sum0 = hn::Zero(d);
  auto sum1 = sum0;
  auto sum2 = sum0;
  auto sum3 = sum0;
  size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    sum0 = hn::Add(sum0, hn::LoadU(d, words + i));
    sum1 = hn::Add(sum1, hn::LoadU(d, words + i + lanes));
    sum2 = hn::Add(sum2, hn::LoadU(d, words + i + 2 * lanes));
    sum3 = hn::Add(sum3, hn::LoadU(d, words + i + 3 * lanes));
  }
  uint64_t sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
  for (; i < count; ++i) sum += words[i];
  return sum;
}

}  // namespace clm::benchmarking::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace clm::benchmarking {
namespace {

HWY_EXPORT(ReadWordsKernel);

constexpr size_t kWordsPerLine = 8;
constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // of Fibonacci hashing

// The shift that leaves the number of a line of a 64-bit product.
unsigned LineShift(size_t lines) {
  unsigned shift = 64;
  while (lines > 1) {
    lines /= 2;
    --shift;
  }
  return std::min(shift, 63U);
}

// Most units per second of several tries.
double Fastest(size_t units, int tries, const std::function<void()>& work) {
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < tries; ++i) {
    const absl::Duration start = SystemClock().Monotonic();
    work();
    best = std::min(best, SystemClock().Monotonic() - start);
  }
  return static_cast<double>(units) / absl::ToDoubleSeconds(best);
}

MachineLimits Measure() {
  constexpr size_t kCopyBytes = size_t{64} << 20;
  constexpr size_t kTableWords = (size_t{512} << 10) / sizeof(uint64_t);
  constexpr size_t kProbes = size_t{1} << 20;
  MachineLimits limits;
  const std::string from(kCopyBytes, 'x');
  std::string to(kCopyBytes, 'y');
  limits.copy_bytes_per_second = Fastest(kCopyBytes, 4, [&] { std::memcpy(to.data(), from.data(), kCopyBytes); });
  const std::vector<uint64_t> table(kTableWords, static_cast<uint64_t>(to[1]));
  volatile uint64_t sink = 0;
  limits.l2_probes_per_second = Fastest(kProbes, 4, [&] { sink = ProbeLines(table, kProbes); });
  return limits;
}

}  // namespace

uint64_t ReadWords(std::span<const uint64_t> words) {
  return HWY_DYNAMIC_DISPATCH(ReadWordsKernel)(words.data(), words.size());
}

uint64_t ProbeLines(std::span<const uint64_t> words, size_t probes) {
  const unsigned shift = LineShift(words.size() / kWordsPerLine);
  uint64_t sum = 0;
  uint64_t key = 1;
  for (size_t i = 0; i < probes; ++i) {
    key += kMultiplier;
    sum += words[((key * kMultiplier) >> shift) * kWordsPerLine];
  }
  return sum;
}

uint64_t ChaseLines(std::span<const uint64_t> words, size_t probes) {
  const unsigned shift = LineShift(words.size() / kWordsPerLine);
  uint64_t sum = 0;
  uint64_t key = 1;
  for (size_t i = 0; i < probes; ++i) {
    const uint64_t found = words[((key * kMultiplier) >> shift) * kWordsPerLine];
    sum += found;
    key += kMultiplier + found;
  }
  return sum;
}

const MachineLimits& Limits() {
  static const auto* const kLimits = new MachineLimits(Measure());
  return *kLimits;
}

double LimitSeconds(const LeastWork& work) {
  // A copy reads a byte and writes one.
  return (work.bytes_in + work.bytes_out) / (2 * Limits().copy_bytes_per_second) +
         work.probes / Limits().l2_probes_per_second;
}

}  // namespace clm::benchmarking
#endif  // HWY_ONCE
