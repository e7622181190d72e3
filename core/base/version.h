// What this build is: release number and source revision.
#pragma once

#include "absl/strings/string_view.h"

namespace clm {

// "0.1.0"
absl::string_view Version();
// Short revision of the checkout that was configured; empty outside of one.
absl::string_view Commit();

}  // namespace clm
