#include "core/predict/opinion_mixer.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "core/base/rng.h"

namespace clm {
namespace {

TEST(OpinionMixerTest, FreshWeightsAverageTheOpinions) {
  OpinionMixer<2> mixer({1, 1}, {1 << 15, 1 << 15});
  EXPECT_EQ(mixer.Mix({1000, 200}, {0, 0}), 600);
  EXPECT_EQ(mixer.Mix({kMaxOpinion, kMaxOpinion}, {0, 0}), kMaxOpinion);
  EXPECT_EQ(mixer.Mix({-kMaxOpinion, -kMaxOpinion}, {0, 0}), -kMaxOpinion);
}

TEST(OpinionMixerTest, LearnsWhomToTrust) {
  OpinionMixer<2> mixer({1, 1}, {1 << 15, 1 << 15});
  CounterRng rng(1, "opinion_mixer_test", 0);
  for (int i = 0; i < 3000; ++i) {
    const int bit = static_cast<int>(rng.NextBelow(2));
    const int knows = bit != 0 ? 500 : -500;
    const int guesses = rng.NextBelow(2) != 0 ? 500 : -500;
    mixer.Mix({knows, guesses}, {0, 0});
    mixer.Update(bit);
  }
  EXPECT_GT(mixer.Mix({500, -500}, {0, 0}), 500);
  EXPECT_LT(mixer.Mix({-500, 500}, {0, 0}), -500);
}

TEST(OpinionMixerTest, SetsOfWeightsLearnApart) {
  OpinionMixer<1> mixer({2, 3}, {1 << 16});
  for (int i = 0; i < 2000; ++i) {
    mixer.Mix({800}, {1, 2});
    mixer.Update(0);
  }
  EXPECT_LT(mixer.Mix({800}, {1, 2}), 0);
  EXPECT_EQ(mixer.Mix({800}, {0, 0}), 800);
}

TEST(OpinionMixerTest, NoOpinionsTakeItOutOfRange) {
  OpinionMixer<3> mixer({1, 1}, {1 << 16, 1 << 16, 1 << 16});
  for (int i = 0; i < 5000; ++i) {
    const int mixed = mixer.Mix({kMaxOpinion, -kMaxOpinion, i % 2 != 0 ? kMaxOpinion : -kMaxOpinion}, {0, 0});
    ASSERT_LE(mixed, kMaxOpinion);
    ASSERT_GE(mixed, -kMaxOpinion);
    mixer.Update(i % 3 == 0 ? 1 : 0);
  }
}

}  // namespace
}  // namespace clm
