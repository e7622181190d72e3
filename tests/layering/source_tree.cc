#include "tests/layering/source_tree.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace clm::layering {
namespace {

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The path of an #include line, or an empty string.
std::string IncludedPath(const std::string& line) {
  const size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string::npos || line[hash] != '#') return "";
  const size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string::npos || line.compare(word, 7, "include") != 0) return "";
  const size_t open = line.find_first_of("\"<", word);
  if (open == std::string::npos) return "";
  const size_t close = line.find(line[open] == '<' ? '>' : '"', open + 1);
  return close == std::string::npos ? "" : line.substr(open + 1, close - open - 1);
}

SourceFile ReadSource(const std::filesystem::path& path) {
  SourceFile file;
  std::ifstream input(path);
  bool in_block = false;
  for (std::string line; std::getline(input, line);) {
    std::string code = WithoutComments(line, in_block);
    std::string included = IncludedPath(code);
    if (!included.empty()) file.includes.push_back({std::move(included), file.code.size() + 1});
    file.code.push_back(std::move(code));
  }
  return file;
}

}  // namespace

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string StemOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const size_t start = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(start, path.rfind('.') - start);
}

bool IsUnder(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 && path[folder.size()] == '/';
}

bool IsHeader(const std::string& path) { return EndsWith(path, ".h"); }

std::string WithoutComments(const std::string& line, bool& in_block) {
  std::string code;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const std::string two = line.substr(i, 2);
    if (in_block) {
      if (two != "*/") continue;
      in_block = false;
      ++i;
    } else if (quote != 0) {
      code += line[i];
      if (line[i] == '\\' && i + 1 < line.size()) {
        code += line[++i];
      } else if (line[i] == quote) {
        quote = 0;
      }
    } else if (two == "//") {
      break;
    } else if (two == "/*") {
      in_block = true;
      ++i;
    } else {
      // A ' after a digit or letter separates digits (1'000), it opens no character.
      const bool opens =
          line[i] == '"' || (line[i] == '\'' && (i == 0 || std::isalnum(static_cast<unsigned char>(line[i - 1])) == 0));
      if (opens) quote = line[i];
      code += line[i];
    }
  }
  return code;
}

SourceTree::SourceTree(const std::string& root) {
  namespace fs = std::filesystem;
  for (const char* top : {"core", "server", "client", "tests"}) {
    const fs::path folder = fs::path(root) / top;
    if (!fs::is_directory(folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      const std::string path = entry.path().lexically_relative(root).generic_string();
      if (EndsWith(path, ".h") || EndsWith(path, ".cc")) {
        sources_[path] = ReadSource(entry.path());
      } else if (entry.path().filename() == "CMakeLists.txt") {
        std::ifstream input(entry.path());
        cmake_lists_[FolderOf(path)] = std::string(std::istreambuf_iterator<char>(input), {});
      }
    }
  }
}

std::string SourceTree::CMakeLists(const std::string& folder) const {
  const auto found = cmake_lists_.find(folder);
  return found == cmake_lists_.end() ? "" : found->second;
}

}  // namespace clm::layering
