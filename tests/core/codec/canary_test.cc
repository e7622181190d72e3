#include "core/codec/canary.h"

#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FaultyPredictor;
using ::clm::testing::Order0Predictor;

TEST(CanaryTest, ProbeIsFixed) {
  EXPECT_EQ(CanaryProbe().size(), 256u);
  // The probe is part of every frame's canary: this digest must never change.
  EXPECT_EQ(Sha256Hex(CanaryProbe()).substr(0, 16), "d7d5c46899beaa60");
}

TEST(CanaryTest, OneWrongTableShows) {
  Order0Predictor healthy;
  FaultyPredictor faulty(/*faulty_call=*/100);
  FaultyPredictor later(/*faulty_call=*/256);
  const Canary want = CanaryOf(healthy);
  EXPECT_EQ(CanaryOf(healthy), want);
  EXPECT_NE(CanaryOf(faulty), want);
  EXPECT_EQ(CanaryOf(later), want);
}

}  // namespace
}  // namespace clm
