#include "server/service/admission.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/service/error_detail.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(CallAdmissionTest, EachHeavyMethodHasPlacesOfItsOwn) {
  CallAdmission admission({.per_method = 2});
  EXPECT_OK(admission.Enter("CompressionService/Encode"));
  EXPECT_OK(admission.Enter("CompressionService/Encode"));
  const absl::Status full = admission.Enter("CompressionService/Encode");
  EXPECT_THAT(full, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the limit is 2")));
  EXPECT_EQ(ReasonOf(full), "TOO_MANY_CALLS");
  EXPECT_EQ(RetryDelayOf(full), absl::Seconds(1));
  EXPECT_OK(admission.Enter("CompressionService/Decode"));
  admission.Leave("CompressionService/Encode");
  EXPECT_OK(admission.Enter("CompressionService/Encode"));
}

TEST(CallAdmissionTest, OtherCallsShareTheirPlaces) {
  CallAdmission admission({.per_method = 1, .watches = 1, .others = 2});
  EXPECT_OK(admission.Enter("JobService/GetJob"));
  EXPECT_OK(admission.Enter("ArtifactService/ListArtifacts"));
  EXPECT_THAT(admission.Enter("AdminService/GetCapabilities"), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_OK(admission.Enter("JobService/WatchJob"));
  EXPECT_THAT(admission.Enter("JobService/WatchJob"), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(CallAdmissionTest, DrainRefusesAndWaitsForTheRest) {
  CallAdmission admission({});
  ASSERT_OK(admission.Enter("JobService/GetJob"));
  admission.Drain();
  const absl::Status refused = admission.Enter("JobService/GetJob");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ReasonOf(refused), "SHUTTING_DOWN");
  EXPECT_FALSE(admission.WaitUntilIdle(absl::ZeroDuration()));
  std::thread leaver([&] { admission.Leave("JobService/GetJob"); });
  EXPECT_TRUE(admission.WaitUntilIdle(absl::InfiniteDuration()));
  leaver.join();
}

TEST(CallAdmissionTest, TotalIsTheSumOfAllGroups) {
  EXPECT_EQ((AdmissionLimits{.per_method = 8, .watches = 256, .others = 256}.Total()), 7u * 8 + 256 + 256);
}

}  // namespace
}  // namespace clm
