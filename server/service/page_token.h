// Page tokens of ListJobs: where the next page begins, and which filter it belongs to.
//
// A token is opaque to callers, URL-safe, and carries a check sum, so one that is not ours, or of another filter, is
// refused instead of giving a wrong page. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

// `filter`: whatever else the request says about which items are listed.
std::string MakePageToken(uint64_t before_sequence, absl::string_view filter);
// INVALID_ARGUMENT for a token that MakePageToken did not make with the same `filter`. Empty: 0, the first page.
absl::StatusOr<uint64_t> ReadPageToken(absl::string_view token, absl::string_view filter);

// The page size to use: 0 for 100, above 1000 is 1000. INVALID_ARGUMENT for a negative one.
absl::StatusOr<size_t> PageSize(int32_t requested);

}  // namespace clm
