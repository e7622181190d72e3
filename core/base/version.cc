#include "core/base/version.h"

namespace clm {

absl::string_view Version() { return CLM_VERSION; }
absl::string_view Commit() { return CLM_COMMIT; }

}  // namespace clm
