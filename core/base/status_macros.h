// Propagation of absl::Status, which Debian's Abseil leaves to its users.
//
//   CLM_RETURN_IF_ERROR(Validate(options));
//   CLM_ASSIGN_OR_RETURN(const Universe universe, ReadUniverse(path));
//
// Both work in functions that return absl::Status or absl::StatusOr<T>.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// One bare `if`, so that it adds no level of nesting; before an `else` it needs braces (-Wdangling-else says so).
#define CLM_RETURN_IF_ERROR(expression) \
  if (absl::Status clm_status_ = (expression); !clm_status_.ok()) return clm_status_

#define CLM_STATUS_CONCAT_INNER(left, right) left##right
#define CLM_STATUS_CONCAT(left, right) CLM_STATUS_CONCAT_INNER(left, right)

// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define CLM_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                       \
  if (!result.ok()) {                                               \
    return std::move(result).status();                              \
  }                                                                 \
  declaration = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)

#define CLM_ASSIGN_OR_RETURN(declaration, expression) \
  CLM_ASSIGN_OR_RETURN_INNER(CLM_STATUS_CONCAT(clm_result_, __LINE__), declaration, expression)
