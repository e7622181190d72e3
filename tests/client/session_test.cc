#include "client/session.h"

#include "clm/v1/error_detail.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;

grpc::Status WithReason(grpc::StatusCode code, const std::string& message, const std::string& reason) {
  v1::ErrorInfo info;
  info.set_reason(reason);
  v1::ErrorStatus detail;
  google::protobuf::Any& any = *detail.add_details();
  any.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  any.set_value(info.SerializeAsString());
  return grpc::Status(code, message, detail.SerializeAsString());
}

TEST(SessionTest, ExitCodesFollowTheTable) {
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kOk), 0);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kInternal), 1);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kInvalidArgument), 2);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kUnavailable), 3);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kNotFound), 4);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kResourceExhausted), 5);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kDataLoss), 6);
}

TEST(SessionTest, ErrorsShowCodeMessageAndReason) {
  Session session;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(session.Report(WithReason(grpc::StatusCode::NOT_FOUND, "no job j9", "JOB_NOT_FOUND")), kExitNotFound);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "clm: NOT_FOUND: no job j9 [JOB_NOT_FOUND]\n");
}

TEST(SessionTest, AnUnreachableServerIsExplained) {
  Session session;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(session.Report(grpc::Status(grpc::StatusCode::UNAVAILABLE, "refused")), kExitUnavailable);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("CLM_ADDRESS"));
}

TEST(SessionTest, JsonErrorsAreOneObject) {
  Session session;
  session.options().output = "json";
  ::testing::internal::CaptureStderr();
  session.Report(WithReason(grpc::StatusCode::DATA_LOSS, "block 3", "FRAME_DAMAGED"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "{\"error\":{\"code\":\"DATA_LOSS\",\"message\":\"block 3\",\"reason\":\"FRAME_DAMAGED\"}}\n");
}

}  // namespace
}  // namespace clm::client
