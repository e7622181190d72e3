#include "tests/layering/rules.h"

#include <cctype>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace clm::layering {
namespace {

constexpr size_t kMaxHeaderLines = 400;
constexpr size_t kMaxSourceLines = 700;

// What each folder of core may include besides itself and core/base. An entry is a folder, or one header of a folder.
const std::map<std::string, std::set<std::string>>& Allowed() {
  static const auto* const kTable = new std::map<std::string, std::set<std::string>>{
      {"base", {}},
      {"text", {}},
      {"entropy", {}},
      {"artifact", {}},
      {"tokenizer", {"text"}},
      {"coordinate", {}},
      {"manifold", {}},
      {"predict", {"entropy"}},
      {"checkpoint", {"artifact"}},
      {"representation", {"text", "tokenizer", "coordinate", "manifold", "entropy"}},
      {"data", {"text", "representation", "artifact"}},
      {"model", {"predict", "checkpoint", "representation/vocab_layout.h", "artifact"}},
      {"engine", {"predict", "entropy", "checkpoint", "representation/vocab_layout.h", "artifact"}},
      {"train", {"model", "data", "predict", "checkpoint", "artifact"}},
      {"eval", {"predict", "data", "representation"}},
      {"codec", {"predict", "entropy", "representation"}},
      {"generate", {"text", "predict", "representation"}},
      {"trace", {"text", "predict", "entropy", "codec", "representation"}},
      {"pipeline",
       {"text", "entropy", "artifact", "tokenizer", "coordinate", "manifold", "predict", "checkpoint", "representation",
        "data", "model", "engine", "train", "eval", "codec", "generate", "trace"}},
  };
  return *kTable;
}

bool StartsWith(const std::string& text, const std::string& start) { return text.compare(0, start.size(), start) == 0; }

bool IsGrpc(const std::string& include) { return StartsWith(include, "grpc"); }

bool IsMessage(const std::string& include) {
  return StartsWith(include, "clm/v1/") || StartsWith(include, "proto/") || StartsWith(include, "google/");
}

bool IsTorch(const std::string& include) {
  for (const char* start : {"torch/", "ATen/", "c10/", "caffe2/"}) {
    if (StartsWith(include, start)) return true;
  }
  return false;
}

// "core/data/batch.h" -> "data"; anything outside core -> "".
std::string CoreFolderOf(const std::string& path) {
  if (!IsUnder(path, "core")) return "";
  const std::string rest = path.substr(5);
  return rest.substr(0, rest.find('/'));
}

bool MayHoldTorch(const std::string& path) {
  for (const char* folder : {"core/model", "core/train", "tests/core/model", "tests/core/train", "tests/gpu"}) {
    if (IsUnder(path, folder)) return true;
  }
  return false;
}

bool CoreMayInclude(const std::string& folder, const std::string& include) {
  if (!IsUnder(include, "core")) {
    return !IsGrpc(include) && !IsMessage(include) && !IsUnder(include, "server") && !IsUnder(include, "client") &&
           !IsUnder(include, "tests");
  }
  const std::string target = CoreFolderOf(include);
  if (target == folder || target == "base") return true;
  const auto row = Allowed().find(folder);
  if (row == Allowed().end()) return false;
  return row->second.contains(target) || row->second.contains(include.substr(5));
}

bool ServerMayInclude(const std::string& path, const std::string& include) {
  if (IsUnder(include, "client") || IsUnder(include, "tests")) return false;
  const std::string target = CoreFolderOf(include);
  if (target.empty() || target == "base" || target == "artifact" || target == "pipeline") return true;
  return IsUnder(path, "server/convert") || IsUnder(path, "server/worker");
}

bool ClientMayInclude(const std::string& include) {
  if (IsUnder(include, "server") || IsUnder(include, "tests")) return false;
  const std::string target = CoreFolderOf(include);
  return target.empty() || target == "base";
}

bool MayInclude(const std::string& path, const std::string& include) {
  const std::string folder = CoreFolderOf(path);
  if (!folder.empty()) return CoreMayInclude(folder, include);
  if (IsUnder(path, "server")) return ServerMayInclude(path, include);
  if (IsUnder(path, "client")) return ClientMayInclude(include);
  return true;
}

// The chain of project headers by which `path` reaches LibTorch ("a.h > b.h"), or an empty string.
std::string PathToTorch(const SourceTree& tree, const std::string& path) {
  std::deque<std::pair<std::string, std::string>> open = {{path, ""}};  // file, chain up to it
  std::set<std::string> seen = {path};
  while (!open.empty()) {
    const auto [file, chain] = open.front();
    open.pop_front();
    const auto source = tree.sources().find(file);
    if (source == tree.sources().end()) continue;
    for (const Include& include : source->second.includes) {
      if (IsTorch(include.path)) return chain + include.path;
      if (seen.insert(include.path).second) open.emplace_back(include.path, chain + include.path + " > ");
    }
  }
  return "";
}

// True when `list` names `name` as a whole word: "rng.cc" is not in "my_rng.cc".
bool Lists(const std::string& list, const std::string& name) {
  const std::string ends = " \t\r\n()\"/";
  for (size_t at = list.find(name); at != std::string::npos; at = list.find(name, at + 1)) {
    const bool starts = at == 0 || ends.find(list[at - 1]) != std::string::npos;
    const size_t after = at + name.size();
    if (starts && (after == list.size() || ends.find(list[after]) != std::string::npos)) return true;
  }
  return false;
}

// True when the CMakeLists.txt of the file's folder, or of a folder above it, names the file relative to itself.
bool IsBuilt(const SourceTree& tree, const std::string& path) {
  for (std::string folder = FolderOf(path); !folder.empty(); folder = FolderOf(folder)) {
    if (Lists(tree.CMakeLists(folder), path.substr(folder.size() + 1))) return true;
  }
  return false;
}

bool EndsWithTest(const std::string& path) {
  const std::string stem = StemOf(path);
  return !IsHeader(path) && stem.size() > 5 && stem.compare(stem.size() - 5, 5, "_test") == 0;
}

// True when `code` calls a function of that name: not part of a longer name.
bool Calls(const std::string& code, const std::string& name) {
  for (size_t at = code.find(name + "("); at != std::string::npos; at = code.find(name + "(", at + 1)) {
    const unsigned char before = at == 0 ? ' ' : static_cast<unsigned char>(code[at - 1]);
    if (std::isalnum(before) == 0 && before != '_') return true;
  }
  return false;
}

}  // namespace

std::string ToString(const Finding& finding) {
  const std::string place = finding.line == 0 ? finding.file : finding.file + ":" + std::to_string(finding.line);
  return place + ": " + finding.message;
}

std::vector<Finding> CheckArrows(const SourceTree& tree) {
  std::vector<Finding> findings;
  for (const auto& [path, file] : tree.sources()) {
    const std::string folder = CoreFolderOf(path);
    if (!folder.empty() && !Allowed().contains(folder)) {
      findings.push_back({path, 0, "core/" + folder + " is not in the table of layers"});
      continue;
    }
    for (const Include& include : file.includes) {
      if (!MayInclude(path, include.path)) findings.push_back({path, include.line, "must not include " + include.path});
    }
  }
  return findings;
}

std::vector<Finding> CheckTorch(const SourceTree& tree) {
  std::vector<Finding> findings;
  for (const auto& [path, file] : tree.sources()) {
    if (MayHoldTorch(path)) continue;
    for (const Include& include : file.includes) {
      if (IsTorch(include.path)) findings.push_back({path, include.line, "must not include LibTorch: " + include.path});
    }
    if (IsUnder(path, "tests") || (IsUnder(path, "core/pipeline") && !IsHeader(path))) continue;
    const std::string chain = PathToTorch(tree, path);
    if (!chain.empty()) findings.push_back({path, 0, "reaches LibTorch: " + chain});
  }
  return findings;
}

std::vector<Finding> CheckTestsExist(const SourceTree& tree) {
  std::vector<Finding> findings;
  for (const auto& [path, file] : tree.sources()) {
    if (EndsWithTest(path) && !IsBuilt(tree, path)) {
      findings.push_back({path, 0, "no CMakeLists.txt builds this test"});
    }
    if (!IsUnder(path, "core") || IsHeader(path)) continue;
    if (!IsBuilt(tree, path)) findings.push_back({path, 0, "no CMakeLists.txt builds this source"});
    const std::string test = "tests/" + FolderOf(path) + "/" + StemOf(path) + "_test.cc";
    if (!tree.sources().contains(test)) findings.push_back({path, 0, "has no test " + test});
  }
  return findings;
}

std::vector<Finding> CheckSizes(const SourceTree& tree) {
  std::vector<Finding> findings;
  for (const auto& [path, file] : tree.sources()) {
    const size_t limit = IsHeader(path) ? kMaxHeaderLines : kMaxSourceLines;
    if (file.code.size() > limit) {
      findings.push_back(
          {path, 0, "has " + std::to_string(file.code.size()) + " lines, the limit is " + std::to_string(limit)});
    }
  }
  return findings;
}

std::vector<Finding> CheckFileSeam(const SourceTree& tree) {
  std::vector<Finding> findings;
  for (const auto& [path, file] : tree.sources()) {
    if (IsUnder(path, "tests") || path == "core/base/file_io.cc") continue;
    for (size_t i = 0; i < file.code.size(); ++i) {
      if (Calls(file.code[i], "rename")) findings.push_back({path, i + 1, "renames a file past core/base/file_io.h"});
    }
  }
  return findings;
}

}  // namespace clm::layering
