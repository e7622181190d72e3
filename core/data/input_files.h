// ExpandInputs: what a user names (files, folders, globs) as one list of files in a fixed order.
//
// Order: the inputs as given; within a folder or a glob by path, byte by byte. A file reached twice is listed once,
// where it came first. Folders are walked to the bottom; names that begin with a dot are left out unless they were
// named. A glob may use `*` (any run of characters but '/') and `?` (one character but '/') in any part of the path; an
// existing file whose name holds such a character is that file.
//
// Errors: INVALID_ARGUMENT for no inputs or an empty name; NOT_FOUND naming the input that is missing or holds no file;
// RESOURCE_EXHAUSTED, with both numbers, over a limit.
// Thread-safety: any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"

namespace clm {

struct InputFilesOptions {
  // Most files that the inputs may stand for together. Each costs its path in memory.
  size_t max_files = 1'000'000;
  // Deepest folder below an input; ends loops made of symbolic links.
  size_t max_depth = 64;
};

absl::StatusOr<std::vector<std::string>> ExpandInputs(const FileSystem& files, std::span<const std::string> inputs,
                                                      const InputFilesOptions& options = {});

// Whether `name` matches `pattern` (`*` and `?`). Linear in name times the number of stars at worst, no recursion.
bool MatchesGlob(absl::string_view pattern, absl::string_view name);

}  // namespace clm
