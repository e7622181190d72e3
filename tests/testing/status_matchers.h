// Matchers for absl::Status and absl::StatusOr<T>:
//
//   EXPECT_THAT(Read(path), IsOk());
//   EXPECT_THAT(Read(path), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("definition 0")));
//   ASSERT_OK_AND_ASSIGN(const Universe universe, Read(path));
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clm::testing {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P2(StatusIs, code, message_matcher, "has the code and message") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code &&
         ::testing::ExplainMatchResult(message_matcher, std::string(StatusOf(arg).message()), result_listener);
}

MATCHER_P(StatusIs, code, "has the code") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

}  // namespace clm::testing

#define EXPECT_OK(expression) EXPECT_THAT(expression, ::clm::testing::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT(expression, ::clm::testing::IsOk())

// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define CLM_TESTING_CONCAT_INNER(left, right) left##right
#define CLM_TESTING_CONCAT(left, right) CLM_TESTING_CONCAT_INNER(left, right)
#define CLM_TESTING_ASSIGN(result, declaration, expression) \
  auto result = (expression);                               \
  ASSERT_TRUE(result.ok()) << result.status();              \
  declaration = *std::move(result)
#define ASSERT_OK_AND_ASSIGN(declaration, expression) \
  CLM_TESTING_ASSIGN(CLM_TESTING_CONCAT(clm_testing_result_, __LINE__), declaration, expression)
// NOLINTEND(bugprone-macro-parentheses)
