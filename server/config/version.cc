#include "server/config/version.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/common.h"

namespace clm {

std::string Version() { return CLM_VERSION; }

std::string Commit() { return CLM_COMMIT; }

std::string VersionText() {
  return absl::StrCat("clm_server ", Version(), "\n", "commit ", Commit().empty() ? "unknown" : Commit(), "\n",
                      "protobuf ", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION), "\n", "sqlite ",
                      sqlite3_libversion(), "\n");
}

}  // namespace clm
