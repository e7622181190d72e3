#include "core/coordinate/build_state.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace clm {
namespace {

constexpr absl::string_view kMagic = "clm universe state 1";

}  // namespace

absl::Status WriteBuildState(FileSystem& files, const std::string& path, const BuildState& state) {
  return WriteFileAtomically(
      files, path,
      absl::StrCat(kMagic, "\n", state.input_digest, " ", state.done, "\n", FormatUniverse(state.universe)));
}

std::optional<BuildState> ReadBuildState(const FileSystem& files, const std::string& path,
                                         const std::string& input_digest) {
  const absl::StatusOr<std::string> text = ReadFile(files, path, kMaxUniverseFileBytes + 256);
  if (!text.ok()) return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(*text, absl::MaxSplits('\n', 2));
  if (parts.size() != 3 || parts[0] != kMagic) return std::nullopt;
  const std::vector<absl::string_view> words = absl::StrSplit(parts[1], ' ');
  size_t done = 0;
  if (words.size() != 2 || words[0] != input_digest || !absl::SimpleAtoi(words[1], &done)) return std::nullopt;
  absl::StatusOr<UniverseFile> universe = ParseUniverse(parts[2]);
  if (!universe.ok()) return std::nullopt;
  return BuildState{.input_digest = input_digest, .done = done, .universe = *std::move(universe)};
}

}  // namespace clm
