// ServerPaths: which files of its machine the server touches for a caller who only names them.
//
// A path is good when, with all its links resolved, it lies below a root with its links resolved; "..", a link that
// leads out, and a name that only begins alike do not help. What is returned is the resolved path, and only that may be
// opened. Errors: PERMISSION_DENIED with reason PATH_NOT_ALLOWED, the same whether the file is there or not, so that
// nobody can feel his way around the disk. Thread-safety: immutable.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"

namespace clm {

// `path`, resolved, when it lies below one of `roots`. `root_name` says in the message what kind of root is meant:
// "an allowed root".
absl::StatusOr<std::string> ResolveBelow(const std::string& path, std::span<const std::string> roots,
                                         absl::string_view root_name);

struct ServerPaths {
  FileSystem* files = &PosixFileSystem();
  std::vector<std::string> readable_roots;
  std::vector<std::string> writable_roots;
  // Never written to, whatever the roots say; empty for nothing.
  std::string data_dir;

  // Both give the resolved path. INVALID_ARGUMENT naming `field` for a path that is not absolute, longer than 4096
  // bytes or with a zero byte.
  absl::StatusOr<std::string> Readable(absl::string_view field, const std::string& path) const;
  absl::StatusOr<std::string> Writable(absl::string_view field, const std::string& path) const;
};

}  // namespace clm
