// The rules of the source tree that a compiler does not check. Each function returns what breaks one rule, in the order
// of the paths; an empty result means that the rule holds.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace clm::layering {

struct Finding {
  std::string file;
  size_t line = 0;  // from 1; 0 when it is about the whole file
  std::string message;
};
// "core/base/rng.h:7: ..."
std::string ToString(const Finding& finding);

// Arrows between folders point down:
//
//   core/<folder>   what the table in rules.cc allows, and core/base; no gRPC, no messages, nothing of server or client
//   server          messages, gRPC, core/base, core/artifact, core/pipeline; server/convert and server/worker: all of
//   core client          messages, gRPC, core/base
std::vector<Finding> CheckArrows(const SourceTree& tree);

// LibTorch is included by core/model and core/train (and their tests) only, and reaches only sources of core/pipeline
// through their headers: no other header and nothing of server or client meets it, directly or not.
std::vector<Finding> CheckTorch(const SourceTree& tree);

// Every source of core/<folder> is listed in a CMakeLists.txt, so is every *_test.cc, and core/<folder>/x.cc has
// tests/core/<folder>/x_test.cc.
std::vector<Finding> CheckTestsExist(const SourceTree& tree);

// At most 400 lines in a header, 700 in any other source.
std::vector<Finding> CheckSizes(const SourceTree& tree);

// Only core/base/file_io.cc renames files: a publish step elsewhere would escape fault injection.
std::vector<Finding> CheckFileSeam(const SourceTree& tree);

}  // namespace clm::layering
