#include "server/service/server_paths.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

constexpr size_t kMaxPathBytes = 4096;

// Whether `path`, resolved, is `root` or below it.
bool IsBelow(const std::filesystem::path& path, const std::string& root) {
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(root, error);
  if (error) return false;
  const auto end = resolved.has_filename() ? resolved.end() : std::prev(resolved.end());  // "/data/" ends in ""
  return std::mismatch(resolved.begin(), end, path.begin(), path.end()).first == end;
}

absl::Status CheckForm(absl::string_view field, const std::string& path) {
  if (path.empty() || path.front() != '/') {
    return InvalidField(field, absl::StrCat("is \"", path, "\", it must be an absolute path"));
  }
  if (path.size() > kMaxPathBytes) {
    return InvalidField(field, absl::StrCat("has ", path.size(), " bytes, the limit is ", kMaxPathBytes));
  }
  if (path.find('\0') != std::string::npos) return InvalidField(field, "has a zero byte");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ResolveBelow(const std::string& path, std::span<const std::string> roots,
                                         absl::string_view root_name) {
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(path, error);
  const bool allowed = !error && std::any_of(roots.begin(), roots.end(),
                                             [&](const std::string& root) { return IsBelow(resolved, root); });
  if (allowed) return resolved.string();
  return WithReason(
      absl::PermissionDeniedError(absl::StrCat(path, " is not below ", root_name, " (",
                                               roots.empty() ? "there is none" : absl::StrJoin(roots, ", "), ")")),
      "PATH_NOT_ALLOWED", {{"path", path}});
}

absl::StatusOr<std::string> ServerPaths::Readable(absl::string_view field, const std::string& path) const {
  CLM_RETURN_IF_ERROR(CheckForm(field, path));
  return ResolveBelow(path, readable_roots, "an allowed root");
}

absl::StatusOr<std::string> ServerPaths::Writable(absl::string_view field, const std::string& path) const {
  CLM_RETURN_IF_ERROR(CheckForm(field, path));
  CLM_ASSIGN_OR_RETURN(std::string resolved, ResolveBelow(path, writable_roots, "a writable root"));
  if (!data_dir.empty() && IsBelow(resolved, data_dir)) {
    return WithReason(absl::PermissionDeniedError(absl::StrCat(path, " is in the server's own data folder")),
                      "PATH_NOT_ALLOWED", {{"path", path}});
  }
  return resolved;
}

}  // namespace clm
