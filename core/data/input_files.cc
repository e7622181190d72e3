#include "core/data/input_files.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

bool HasWildcard(absl::string_view text) { return text.find_first_of("*?") != absl::string_view::npos; }

absl::Status TooManyFiles(absl::string_view input, const InputFilesOptions& options) {
  return absl::ResourceExhaustedError(
      absl::StrCat("input ", input, ": more than ", options.max_files, " files, the limit of one corpus"));
}

// Appends every file below `root` to `found`, unordered.
absl::Status WalkFolder(const FileSystem& files, const std::string& root, const InputFilesOptions& options,
                        std::vector<std::string>& found) {
  std::vector<std::pair<std::string, size_t>> folders{{root, 0}};
  while (!folders.empty()) {
    const auto [folder, depth] = std::move(folders.back());
    folders.pop_back();
    if (depth > options.max_depth) {
      return absl::ResourceExhaustedError(
          absl::StrCat("input ", root, ": folder ", folder, " lies deeper than the limit of ", options.max_depth));
    }
    CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(folder));
    for (const std::string& name : names) {
      if (name.front() == '.') continue;
      std::string path = JoinPath(folder, name);
      CLM_ASSIGN_OR_RETURN(const bool is_folder, files.IsDirectory(path));
      if (is_folder) {
        folders.emplace_back(std::move(path), depth + 1);
      } else {
        found.push_back(std::move(path));
        if (found.size() > options.max_files) return TooManyFiles(root, options);
      }
    }
  }
  return absl::OkStatus();
}

// Appends to `next` the entries of `folder` that match `pattern`.
absl::Status MatchFolder(const FileSystem& files, const std::string& folder, absl::string_view pattern,
                         std::vector<std::string>& next) {
  const std::string listed = folder.empty() ? "." : folder;
  const absl::StatusOr<bool> is_folder = files.IsDirectory(listed);
  if (!is_folder.ok() || !*is_folder) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(listed));
  for (const std::string& name : names) {
    if (name.front() == '.' && pattern.front() != '.') continue;
    if (MatchesGlob(pattern, name)) next.push_back(folder.empty() ? name : JoinPath(folder, name));
  }
  return absl::OkStatus();
}

// Appends to `next` what one part of a pattern stands for below `path`; without a wildcard it need not exist.
absl::Status Descend(const FileSystem& files, const std::string& path, absl::string_view part,
                     std::vector<std::string>& next) {
  if (HasWildcard(part)) return MatchFolder(files, path, part, next);
  next.push_back(path.empty() ? std::string(part) : JoinPath(path, part));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> DescendAll(const FileSystem& files, const std::vector<std::string>& paths,
                                                    absl::string_view part) {
  std::vector<std::string> next;
  for (const std::string& path : paths) CLM_RETURN_IF_ERROR(Descend(files, path, part, next));
  return next;
}

// Appends `root` if it is a file, else the files below it.
absl::Status AddRoot(const FileSystem& files, const std::string& root, const InputFilesOptions& options,
                     std::vector<std::string>& found) {
  CLM_ASSIGN_OR_RETURN(const bool is_folder, files.IsDirectory(root));
  if (is_folder) return WalkFolder(files, root, options, found);
  found.push_back(root);
  return absl::OkStatus();
}

// The existing paths that `pattern` stands for.
absl::StatusOr<std::vector<std::string>> ExpandGlob(const FileSystem& files, const std::string& pattern,
                                                    const InputFilesOptions& options) {
  std::vector<std::string> paths{pattern.front() == '/' ? "/" : ""};
  for (const absl::string_view part : absl::StrSplit(pattern, '/', absl::SkipEmpty())) {
    CLM_ASSIGN_OR_RETURN(paths, DescendAll(files, paths, part));
    if (paths.size() > options.max_files) return TooManyFiles(pattern, options);
  }
  std::erase_if(paths, [&files](const std::string& path) { return !files.Exists(path); });
  return paths;
}

// The files that one input stands for, sorted by path.
absl::StatusOr<std::vector<std::string>> ExpandInput(const FileSystem& files, const std::string& input,
                                                     const InputFilesOptions& options) {
  if (input.empty()) return absl::InvalidArgumentError("an input has an empty name");
  std::vector<std::string> roots{input};
  if (!files.Exists(input)) {
    if (!HasWildcard(input)) return absl::NotFoundError(absl::StrCat("input ", input, ": no such file or folder"));
    CLM_ASSIGN_OR_RETURN(roots, ExpandGlob(files, input, options));
  }
  std::vector<std::string> found;
  for (const std::string& root : roots) {
    CLM_RETURN_IF_ERROR(AddRoot(files, root, options, found));
    if (found.size() > options.max_files) return TooManyFiles(input, options);
  }
  if (found.empty()) return absl::NotFoundError(absl::StrCat("input ", input, " stands for no file"));
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

bool MatchesGlob(absl::string_view pattern, absl::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = absl::string_view::npos;  // position after the last star seen
  size_t star_name = 0;                   // where that star's run ends for now
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_name = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != absl::string_view::npos) {
      p = star;
      n = ++star_name;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == absl::string_view::npos;
}

absl::StatusOr<std::vector<std::string>> ExpandInputs(const FileSystem& files, std::span<const std::string> inputs,
                                                      const InputFilesOptions& options) {
  if (inputs.empty()) return absl::InvalidArgumentError("no inputs: a corpus needs at least one file");
  std::vector<std::string> all;
  std::unordered_set<std::string> seen;
  for (const std::string& input : inputs) {
    CLM_ASSIGN_OR_RETURN(std::vector<std::string> found, ExpandInput(files, input, options));
    for (std::string& path : found) {
      if (seen.insert(path).second) all.push_back(std::move(path));
    }
    if (all.size() > options.max_files) return TooManyFiles(input, options);
  }
  return all;
}

}  // namespace clm
