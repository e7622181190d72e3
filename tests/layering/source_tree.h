// A source tree as text: which files there are, what each includes, and its lines without comments.
//
// Paths are relative to the root, with '/'. Read once, immutable afterwards.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace clm::layering {

struct Include {
  std::string path;  // as written, without quotes or brackets
  size_t line = 0;   // from 1
};

struct SourceFile {
  std::vector<std::string> code;  // the lines, with comments blanked out
  std::vector<Include> includes;
};

// "core/base/rng.cc" has folder "core/base", stem "rng", and is under "core" and "core/base" but not "cor".
std::string FolderOf(const std::string& path);
std::string StemOf(const std::string& path);
bool IsUnder(const std::string& path, const std::string& folder);
bool IsHeader(const std::string& path);

// Blanks out // and /* */ comments of C++ source; string literals stay as they are. `in_block` carries an open /* from
// one line to the next.
std::string WithoutComments(const std::string& line, bool& in_block);

class SourceTree {
 public:
  // Reads every .h and .cc under core, server, client and tests of `root`, and every CMakeLists.txt there. Folders that
  // do not exist are empty.
  explicit SourceTree(const std::string& root);

  const std::map<std::string, SourceFile>& sources() const { return sources_; }
  // Text of <folder>/CMakeLists.txt, empty when there is none.
  std::string CMakeLists(const std::string& folder) const;

 private:
  std::map<std::string, SourceFile> sources_;
  std::map<std::string, std::string> cmake_lists_;  // by folder
};

}  // namespace clm::layering
