#include "core/generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/base/rng.h"
#include "core/base/status_macros.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

SymbolId Draw(const std::vector<float>& logits, const SamplingOptions& options, uint64_t position = 0) {
  auto sampler = Sampler::Create(options, static_cast<uint32_t>(logits.size()));
  EXPECT_OK(sampler);
  const auto symbol = sampler->Sample(logits, position);
  EXPECT_OK(symbol);
  return *symbol;
}

// Share of each symbol over many positions.
std::vector<double> Shares(const std::vector<float>& logits, const SamplingOptions& options, int draws = 20'000) {
  auto sampler = *Sampler::Create(options, static_cast<uint32_t>(logits.size()));
  std::vector<double> shares(logits.size(), 0);
  for (int i = 0; i < draws; ++i) shares[*sampler.Sample(logits, static_cast<uint64_t>(i))] += 1.0 / draws;
  return shares;
}

// The steps of the header, straight: sort everything, then cut and draw.
SymbolId SampleReference(const std::vector<float>& logits, const SamplingOptions& options, uint64_t position) {
  std::vector<std::pair<double, SymbolId>> kept;
  for (SymbolId id = 0; id < logits.size(); ++id) {
    if (std::find(options.excluded.begin(), options.excluded.end(), id) == options.excluded.end()) {
      kept.emplace_back(-static_cast<double>(logits[id]), id);
    }
  }
  const bool sorted = (options.top_k != 0 && options.top_k < kept.size()) || options.top_p < 1;
  std::vector<std::pair<double, SymbolId>> best = kept;
  std::sort(best.begin(), best.end());
  const double largest = -best.front().first;
  if (options.top_k != 0 && options.top_k < best.size()) best.resize(options.top_k);
  const auto weight = [&](const auto& entry) { return std::exp((-entry.first - largest) / options.temperature); };
  if (options.top_p < 1) {
    double total = 0;
    for (const auto& entry : best) total += weight(entry);
    double sum = 0;
    size_t count = 0;
    while (count < best.size() && sum < options.top_p * total) sum += weight(best[count++]);
    best.resize(count);
  }
  if (!sorted) best = kept;
  double total = 0;
  for (const auto& entry : best) total += weight(entry);
  double left = CounterRng(options.seed, "sample", position).NextDouble() * total;
  for (const auto& entry : best) {
    left -= weight(entry);
    if (left < 0) return entry.second;
  }
  return best.back().second;
}

TEST(SamplerTest, AgreesWithReferenceOnRandomLogits) {
  std::mt19937 rng(20260303);
  int differences = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::vector<float> logits(rng() % 30 + 1);
    for (float& logit : logits) logit = static_cast<float>(rng() % 9) / 2;  // ties are common
    SamplingOptions options;
    options.temperature = 0.25 * static_cast<double>(1 + rng() % 8);
    options.top_k = rng() % 2 == 0 ? 0 : static_cast<uint32_t>(rng() % 10);
    options.top_p = rng() % 2 == 0 ? 1.0 : 0.05 + 0.1 * static_cast<double>(rng() % 10);
    options.seed = rng();
    if (logits.size() > 3) options.excluded = {static_cast<SymbolId>(rng() % logits.size())};
    // Sums in another order may differ in the last bit, which once in a very long while moves a border.
    differences += Draw(logits, options, 7) != SampleReference(logits, options, 7) ? 1 : 0;
  }
  EXPECT_LE(differences, 1);
}

TEST(SamplerTest, TemperatureZeroTakesTheLargestAndTheLowestIdOfEquals) {
  EXPECT_EQ(Draw({1, 3, 2, 3}, {.temperature = 0}), 1U);
  EXPECT_EQ(Draw({1, 3, 2, 3}, {.temperature = 0, .excluded = {1}}), 3U);
  EXPECT_EQ(Draw({0, 0, 0}, {.temperature = 0, .seed = 99}), 0U);
}

TEST(SamplerTest, SharesFollowTheSoftmax) {
  // ln 1, ln 2, ln 5: shares 1/8, 2/8, 5/8. Three standard deviations of 20000 draws are about 0.011.
  const std::vector<float> logits = {0, std::log(2.0F), std::log(5.0F)};
  const auto shares = Shares(logits, {});
  EXPECT_NEAR(shares[0], 0.125, 0.011);
  EXPECT_NEAR(shares[1], 0.25, 0.011);
  EXPECT_NEAR(shares[2], 0.625, 0.011);
  // Temperature 1/2 squares the odds: 1, 4, 25 of 30.
  const auto cold = Shares(logits, {.temperature = 0.5});
  EXPECT_NEAR(cold[0], 1.0 / 30, 0.011);
  EXPECT_NEAR(cold[2], 25.0 / 30, 0.011);
}

TEST(SamplerTest, TopKKeepsExactlyK) {
  const std::vector<float> logits = {1, 1, 1, 1, 0};
  const auto shares = Shares(logits, {.top_k = 2});
  EXPECT_GT(shares[0], 0.4);
  EXPECT_GT(shares[1], 0.4);
  EXPECT_EQ(shares[2] + shares[3] + shares[4], 0);
  EXPECT_EQ(Draw({1, 5, 2}, {.top_k = 1, .seed = 3}), 1U);
  EXPECT_GT(Shares(logits, {.top_k = 50})[4], 0);
}

TEST(SamplerTest, TopPKeepsTheSmallestSetThatReachesIt) {
  const std::vector<float> logits = {0, std::log(2.0F), std::log(5.0F)};  // 1/8, 2/8, 5/8
  EXPECT_NEAR(Shares(logits, {.top_p = 0.6})[2], 1, 1e-9);
  const auto two = Shares(logits, {.top_p = 0.7});
  EXPECT_EQ(two[0], 0);
  EXPECT_NEAR(two[1], 2.0 / 7, 0.011);
  EXPECT_GT(Shares(logits, {.top_p = 0.9})[0], 0);
  EXPECT_NEAR(Shares(logits, {.top_p = 1e-9})[2], 1, 1e-9);
}

TEST(SamplerTest, ExcludedSymbolsAreNeverDrawn) {
  const auto shares = Shares({9, 1, 1}, {.excluded = {0, 0}});
  EXPECT_EQ(shares[0], 0);
  EXPECT_NEAR(shares[1], 0.5, 0.011);
}

TEST(SamplerTest, ADrawDependsOnSeedAndPositionOnly) {
  const std::vector<float> logits(100, 0.0F);
  auto sampler = *Sampler::Create({.seed = 5}, 100);
  std::vector<SymbolId> forward;
  for (uint64_t i = 0; i < 50; ++i) forward.push_back(*sampler.Sample(logits, i));
  for (uint64_t i = 50; i-- > 0;) EXPECT_EQ(*sampler.Sample(logits, i), forward[i]);
  EXPECT_EQ(Draw(logits, {.seed = 5}, 3), forward[3]);
  EXPECT_NE(Draw(logits, {.seed = 6}, 3), forward[3]);
}

TEST(SamplerTest, ExtremeLogitsNeitherOverflowNorVanish) {
  const float huge = std::numeric_limits<float>::max();
  EXPECT_EQ(Draw({-huge, huge, 0}, {}), 1U);
  EXPECT_EQ(Draw({-huge, -huge}, {.temperature = 0.001, .top_p = 0.4}), 0U);
  EXPECT_EQ(Draw({1, 2}, {.temperature = std::numeric_limits<double>::denorm_min()}), 1U);
  const auto flat = Shares({0, huge / 2, huge / 2}, {.temperature = 100});
  EXPECT_NEAR(flat[1], 0.5, 0.011);
}

TEST(SamplerTest, LogitsThatAreNoNumbersAreInternalErrors) {
  auto sampler = *Sampler::Create({}, 3);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(sampler.Sample(std::vector<float>{0, bad, 0}, 0),
                StatusIs(absl::StatusCode::kInternal, HasSubstr("symbol 1")));
  }
  EXPECT_THAT(sampler.Sample(std::vector<float>{0, 0}, 0),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("2 logits for a vocabulary of 3")));
}

TEST(SamplerTest, OptionsOutOfRangeAreNamed) {
  const auto refused = [](const SamplingOptions& options, const char* text) {
    EXPECT_THAT(Sampler::Create(options, 4).status(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)));
  };
  refused({.temperature = -1}, "temperature is -1");
  refused({.temperature = 101}, "temperature");
  refused({.temperature = std::nan("")}, "temperature");
  refused({.top_p = 0}, "top_p is 0");
  refused({.top_p = 1.5}, "top_p");
  refused({.top_p = std::nan("")}, "top_p");
  refused({.excluded = {4}}, "excluded holds 4");
  refused({.excluded = {0, 1, 2, 3, 3}}, "leaves no symbol");
}

}  // namespace
}  // namespace clm
