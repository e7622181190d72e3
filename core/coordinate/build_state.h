// BuildState: the finished layers of a universe that is being learned, written down so that an interrupted build goes
// on behind them.
//
//   clm universe state 1\n
//   <digest of options and documents, 64 hex digits> <layers of the plan that are done>\n
//   universe.json (universe_file.h)
//
// Written atomically after each layer. A state of another input, a damaged one and none are the same: no state.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "core/base/file_io.h"
#include "core/coordinate/universe_file.h"

namespace clm {

struct BuildState {
  std::string input_digest;
  size_t done = 0;
  UniverseFile universe;
};

absl::Status WriteBuildState(FileSystem& files, const std::string& path, const BuildState& state);
std::optional<BuildState> ReadBuildState(const FileSystem& files, const std::string& path,
                                         const std::string& input_digest);

}  // namespace clm
