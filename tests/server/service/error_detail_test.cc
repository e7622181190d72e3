#include "server/service/error_detail.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Types(const v1::ErrorStatus& status) {
  std::vector<std::string> types;
  for (const auto& detail : status.details()) types.push_back(detail.type_url());
  return types;
}

TEST(ErrorDetailTest, EveryErrorHasAReason) {
  EXPECT_EQ(ReasonOf(absl::NotFoundError("x")), "NOT_FOUND");
  EXPECT_EQ(ReasonOf(WithReason(absl::NotFoundError("x"), "JOB_NOT_FOUND")), "JOB_NOT_FOUND");
  const v1::ErrorStatus status = ToErrorStatus(absl::DataLossError("block 7 is damaged"));
  EXPECT_EQ(status.code(), 15);
  EXPECT_EQ(status.message(), "block 7 is damaged");
  ASSERT_THAT(Types(status), ElementsAre("type.googleapis.com/google.rpc.ErrorInfo"));
  v1::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(status.details(0).value()));
  EXPECT_EQ(info.reason(), "DATA_LOSS");
  EXPECT_EQ(info.domain(), "clm");
}

TEST(ErrorDetailTest, DetailsOfEachTypeComeOnce) {
  absl::Status status = InvalidField("page_size", "-1 is negative");
  status = WithField(status, "page_token", "is not ours");
  status = WithRetry(WithReason(status, "SECOND_REASON", {{"limit", "3"}}), absl::Milliseconds(1500));
  const v1::ErrorStatus sent = ToErrorStatus(status);
  ASSERT_THAT(Types(sent),
              ElementsAre("type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/google.rpc.BadRequest",
                          "type.googleapis.com/google.rpc.RetryInfo"));
  v1::ErrorInfo info;
  v1::BadRequest request;
  v1::RetryInfo retry;
  ASSERT_TRUE(info.ParseFromString(sent.details(0).value()));
  ASSERT_TRUE(request.ParseFromString(sent.details(1).value()));
  ASSERT_TRUE(retry.ParseFromString(sent.details(2).value()));
  EXPECT_EQ(info.reason(), "SECOND_REASON");
  EXPECT_EQ(info.metadata().at("limit"), "3");
  ASSERT_EQ(request.field_violations_size(), 2);
  EXPECT_EQ(request.field_violations(0).field(), "page_size");
  EXPECT_EQ(request.field_violations(1).field(), "page_token");
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
  EXPECT_EQ(RetryDelayOf(status), absl::Milliseconds(1500));
}

TEST(ErrorDetailTest, OkStaysOk) {
  EXPECT_TRUE(WithReason(absl::OkStatus(), "X").ok());
  EXPECT_EQ(RetryDelayOf(absl::OkStatus()), std::nullopt);
}

TEST(ErrorDetailTest, WhatLooksLikeGoogleRpcOnTheWireIsGoogleRpc) {
  // google.rpc.RetryInfo { Duration retry_delay = 1 { int64 seconds = 1; } }
  const absl::Status status = WithRetry(absl::ResourceExhaustedError("x"), absl::Seconds(3));
  EXPECT_EQ(ToErrorStatus(status).details(1).value(), std::string("\x0a\x02\x08\x03", 4));
}

TEST(ErrorDetailTest, LongTextOfTheCallerIsCutAtACharacter) {
  std::string text(1023, 'x');
  text += "\xc3\xa9";  // the limit of 1024 bytes falls inside this character
  text.append(100'000, 'y');
  const absl::Status status = WithReason(absl::NotFoundError(text), "JOB_NOT_FOUND", {{"job", text}});
  EXPECT_EQ(ShortMessage(status), std::string(1023, 'x') + "... (101025 bytes)");
  EXPECT_LT(ToErrorStatus(status).SerializeAsString().size(), 2048u);
  EXPECT_LT(ToErrorStatus(InvalidField("field", text)).SerializeAsString().size(), 2048u);
}

}  // namespace
}  // namespace clm
