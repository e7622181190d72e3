#include "core/base/fault_file_system.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// A file or folder. The live tree hangs together by `live`; what a crash leaves by `durable` and `durable_data`.
struct Node {
  bool is_directory = false;
  Node* parent = nullptr;  // in the live tree; null for the root and for what was removed
  std::string name;

  // Files.
  uint64_t live_bytes = 0;
  std::string durable_data;

  // Folders.
  std::map<std::string, std::shared_ptr<Node>> live;
  std::map<std::string, std::shared_ptr<Node>> durable;
};

// A rename whose folders have not been synced since.
struct PendingRename {
  std::shared_ptr<Node> from_folder;
  std::string from_name;
  std::shared_ptr<Node> to_folder;
  std::string to_name;
  std::shared_ptr<Node> node;
};

std::shared_ptr<Node> NewNode(bool is_directory) {
  auto node = std::make_shared<Node>();
  node->is_directory = is_directory;
  return node;
}

void Attach(Node& folder, const std::string& name, const std::shared_ptr<Node>& node) {
  folder.live[name] = node;
  node->parent = &folder;
  node->name = name;
}

void Detach(Node& folder, const std::string& name) {
  const auto it = folder.live.find(name);
  if (it == folder.live.end()) return;
  it->second->parent = nullptr;
  folder.live.erase(it);
}

absl::Status NoSpaceError(const std::string& path) {
  return absl::ResourceExhaustedError(absl::StrCat("cannot write ", path, ": no space left on device"));
}

std::string ReadAll(const FileSystem& files, const std::string& path) {
  absl::StatusOr<std::string> data = ReadFile(files, path, kNever);
  return data.ok() ? *std::move(data) : std::string();
}

}  // namespace

struct FaultFileSystem::State {
  State(FileSystem& base_files, std::string root_path) : base(base_files), root(std::move(root_path)) {}

  FileSystem& base;
  const std::string root;

  absl::Mutex mu;
  std::shared_ptr<Node> tree ABSL_GUARDED_BY(mu) = NewNode(true);
  std::vector<PendingRename> renames ABSL_GUARDED_BY(mu);
  uint64_t operations ABSL_GUARDED_BY(mu) = 0;
  uint64_t fail_first ABSL_GUARDED_BY(mu) = kNever;  // operation numbers, both included
  uint64_t fail_last ABSL_GUARDED_BY(mu) = kNever;
  absl::Status fault ABSL_GUARDED_BY(mu);
  bool fault_happened ABSL_GUARDED_BY(mu) = false;
  uint64_t space_limit ABSL_GUARDED_BY(mu) = kNever;
  uint64_t used_bytes ABSL_GUARDED_BY(mu) = 0;
  uint64_t crashes ABSL_GUARDED_BY(mu) = 0;

  // The parts of `path` below the root; nothing when it lies outside.
  std::optional<std::vector<std::string>> PartsOf(const std::string& path) const {
    if (path != root && !absl::StartsWith(path, root + "/")) return std::nullopt;
    const std::vector<std::string> parts = absl::StrSplit(path.substr(root.size()), '/', absl::SkipEmpty());
    return parts;
  }
  bool Covers(const std::string& path) const { return PartsOf(path).has_value(); }

  std::string PathOf(const Node& node) const {
    std::string path;
    for (const Node* at = &node; at->parent != nullptr; at = at->parent) path = absl::StrCat("/", at->name, path);
    return root + path;
  }

  // Counts one operation and says whether it fails.
  absl::Status Count() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    ++operations;
    if (operations < fail_first || operations > fail_last) return absl::OkStatus();
    fault_happened = true;
    return fault;
  }

  // The live node at `path`, taking notice of what the base file system has and the tree has not. Null when missing.
  std::shared_ptr<Node> Find(const std::string& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    const auto parts = PartsOf(path);
    if (!parts.has_value()) return nullptr;
    std::shared_ptr<Node> node = tree;
    std::string at = root;
    for (const std::string& part : *parts) {
      at = JoinPath(at, part);
      node = Child(*node, part, at);
      if (node == nullptr) return nullptr;
    }
    return node;
  }

  std::shared_ptr<Node> Child(Node& folder, const std::string& name, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    if (const auto it = folder.live.find(name); it != folder.live.end()) return it->second;
    const absl::StatusOr<bool> is_directory = base.IsDirectory(path);
    if (!is_directory.ok()) return nullptr;
    std::shared_ptr<Node> node = NewNode(*is_directory);
    Attach(folder, name, node);
    return node;
  }

  // The folder that holds `path`; null when missing.
  std::shared_ptr<Node> FindParent(const std::string& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return Find(path.substr(0, path.rfind('/')));
  }
  static std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  void Resize(Node& file, uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    used_bytes = used_bytes - file.live_bytes + bytes;
    file.live_bytes = bytes;
  }

  // Removes a name from the live tree.
  void Drop(const std::string& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    const std::shared_ptr<Node> node = Find(path);
    if (node == nullptr || node->parent == nullptr) return;
    Resize(*node, 0);
    Detach(*node->parent, node->name);
  }

  void SyncNames(const std::shared_ptr<Node>& folder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    for (const PendingRename& rename : renames) {
      if (rename.from_folder != folder && rename.to_folder != folder) continue;
      const auto source = rename.from_folder->durable.find(rename.from_name);
      if (source != rename.from_folder->durable.end() && source->second == rename.node) {
        rename.from_folder->durable.erase(source);
      }
      rename.to_folder->durable[rename.to_name] = rename.node;
    }
    std::erase_if(renames, [&folder](const PendingRename& rename) {
      return rename.from_folder == folder || rename.to_folder == folder;
    });
    folder->durable = folder->live;
  }

  void KeepEverything() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    std::vector<Node*> folders = {tree.get()};
    while (!folders.empty()) {
      Node* folder = folders.back();
      folders.pop_back();
      folder->durable = folder->live;
      for (const auto& [name, node] : folder->live) {
        if (node->is_directory) folders.push_back(node.get());
      }
    }
  }

  // Reads what lies below the root as synced.
  void Import() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    std::vector<std::shared_ptr<Node>> folders = {tree};
    while (!folders.empty()) {
      const std::shared_ptr<Node> folder = folders.back();
      folders.pop_back();
      ImportFolder(*folder, folders);
    }
    KeepEverything();
  }

  // Folders inside are appended to `folders`.
  void ImportFolder(Node& folder, std::vector<std::shared_ptr<Node>>& folders) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    const std::string path = PathOf(folder);
    const absl::StatusOr<std::vector<std::string>> names = base.List(path);
    CLM_CHECK(names.ok());
    for (const std::string& name : *names) {
      const std::string child_path = JoinPath(path, name);
      const std::shared_ptr<Node> node = Child(folder, name, child_path);
      CLM_CHECK(node != nullptr);
      if (node->is_directory) {
        folders.push_back(node);
        continue;
      }
      node->durable_data = ReadAll(base, child_path);
      Resize(*node, node->durable_data.size());
    }
  }

  using Folders = std::vector<std::pair<std::string, std::shared_ptr<Node>>>;

  // Writes the durable tree into the emptied root.
  void Rebuild() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    Folders folders = {{root, tree}};
    while (!folders.empty()) {
      const auto [path, folder] = folders.back();
      folders.pop_back();
      RebuildFolder(path, *folder, folders);
    }
  }

  // Writes what lies in `folder`, and adds the folders in it to `folders`.
  void RebuildFolder(const std::string& path, const Node& folder, Folders& folders) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    for (const auto& [name, node] : folder.durable) {
      const std::string child_path = JoinPath(path, name);
      const absl::Status written =
          node->is_directory ? base.MakeDirectories(child_path) : WriteBack(child_path, node->durable_data);
      CLM_CHECK(written.ok());
      if (node->is_directory) folders.emplace_back(child_path, node);
    }
  }

  absl::Status WriteBack(const std::string& path, absl::string_view data) const {
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, base.Create(path));
    CLM_RETURN_IF_ERROR(file->Append(data));
    return file->Close();
  }
};

// A file open for writing. Its node stays the same when the file is renamed.
class FaultFileSystem::File final : public WritableFile {
 public:
  File(std::shared_ptr<State> state, std::shared_ptr<Node> node, std::unique_ptr<WritableFile> base, uint64_t crashes)
      : state_(std::move(state)), node_(std::move(node)), base_(std::move(base)), crashes_(crashes) {}

  absl::Status Append(absl::string_view data) override {
    absl::MutexLock lock(&state_->mu);
    CLM_RETURN_IF_ERROR(CheckAlive());
    if (absl::Status fault = state_->Count(); !fault.ok()) {
      CLM_RETURN_IF_ERROR(Write(data.substr(0, data.size() / 2)));
      return fault;
    }
    const uint64_t free = state_->space_limit - std::min(state_->used_bytes, state_->space_limit);
    if (data.size() <= free) return Write(data);
    CLM_RETURN_IF_ERROR(Write(data.substr(0, static_cast<size_t>(free))));
    return NoSpaceError(state_->PathOf(*node_));
  }

  absl::Status Sync() override {
    absl::MutexLock lock(&state_->mu);
    CLM_RETURN_IF_ERROR(CheckAlive());
    CLM_RETURN_IF_ERROR(state_->Count());
    // The base is not synced: the tree remembers instead, and tests need no real durability.
    if (node_->parent != nullptr) node_->durable_data = ReadAll(state_->base, state_->PathOf(*node_));
    return absl::OkStatus();
  }

  absl::Status Close() override {
    absl::MutexLock lock(&state_->mu);
    CLM_RETURN_IF_ERROR(CheckAlive());
    CLM_RETURN_IF_ERROR(state_->Count());
    return base_->Close();
  }

 private:
  absl::Status CheckAlive() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mu) {
    return crashes_ == state_->crashes ? absl::OkStatus() : absl::InternalError("the file was open during a crash");
  }

  absl::Status Write(absl::string_view data) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mu) {
    if (data.empty()) return absl::OkStatus();
    CLM_RETURN_IF_ERROR(base_->Append(data));
    if (node_->parent != nullptr) state_->Resize(*node_, node_->live_bytes + data.size());
    return absl::OkStatus();
  }

  const std::shared_ptr<State> state_;
  const std::shared_ptr<Node> node_;
  const std::unique_ptr<WritableFile> base_;
  const uint64_t crashes_;  // of the file system when the file was opened
};

FaultFileSystem::FaultFileSystem(FileSystem& base, std::string root)
    : base_(base), root_(std::move(root)), state_(std::make_shared<State>(base, root_)) {
  absl::MutexLock lock(&state_->mu);
  state_->Import();
}

FaultFileSystem::~FaultFileSystem() = default;

void FaultFileSystem::FailOperation(uint64_t n, absl::Status status) {
  CLM_CHECK(n >= 1 && !status.ok());
  absl::MutexLock lock(&state_->mu);
  state_->fail_first = state_->fail_last = state_->operations + n;
  state_->fault = std::move(status);
  state_->fault_happened = false;
}

void FaultFileSystem::FailFrom(uint64_t n, absl::Status status) {
  CLM_CHECK(n >= 1 && !status.ok());
  absl::MutexLock lock(&state_->mu);
  state_->fail_first = state_->operations + n;
  state_->fail_last = kNever;
  state_->fault = std::move(status);
  state_->fault_happened = false;
}

void FaultFileSystem::ClearFaults() {
  absl::MutexLock lock(&state_->mu);
  state_->fail_first = state_->fail_last = kNever;
  state_->fault_happened = false;
}

bool FaultFileSystem::fault_happened() const {
  absl::MutexLock lock(&state_->mu);
  return state_->fault_happened;
}

uint64_t FaultFileSystem::operation_count() const {
  absl::MutexLock lock(&state_->mu);
  return state_->operations;
}

void FaultFileSystem::SpaceLimit(uint64_t bytes) {
  absl::MutexLock lock(&state_->mu);
  state_->space_limit = bytes;
}

void FaultFileSystem::Crash(CrashKind kind) {
  absl::MutexLock lock(&state_->mu);
  if (kind == CrashKind::kKeepsNames) state_->KeepEverything();
  const absl::StatusOr<std::vector<std::string>> names = base_.List(root_);
  CLM_CHECK(names.ok());
  for (const std::string& name : *names) CLM_CHECK(base_.RemoveTree(JoinPath(root_, name)).ok());
  state_->Rebuild();
  // A new tree from the folder, so that nothing of the old one is left half alive.
  state_->tree = NewNode(true);
  state_->renames.clear();
  state_->used_bytes = 0;
  state_->Import();
  state_->fail_first = state_->fail_last = kNever;
  state_->fault_happened = false;
  ++state_->crashes;
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultFileSystem::OpenForWriting(const std::string& path, bool truncate) {
  if (!state_->Covers(path)) return truncate ? base_.Create(path) : base_.Append(path);
  absl::MutexLock lock(&state_->mu);
  CLM_RETURN_IF_ERROR(state_->Count());
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, truncate ? base_.Create(path) : base_.Append(path));
  const std::shared_ptr<Node> node = state_->Find(path);
  CLM_CHECK(node != nullptr);
  CLM_ASSIGN_OR_RETURN(const uint64_t bytes, base_.SizeBytes(path));
  state_->Resize(*node, bytes);
  return std::make_unique<File>(state_, node, std::move(file), state_->crashes);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultFileSystem::Create(const std::string& path) {
  return OpenForWriting(path, /*truncate=*/true);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultFileSystem::Append(const std::string& path) {
  return OpenForWriting(path, /*truncate=*/false);
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> FaultFileSystem::Open(const std::string& path) const {
  return base_.Open(path);
}

absl::StatusOr<std::unique_ptr<MappedFile>> FaultFileSystem::Map(const std::string& path) const {
  return base_.Map(path);
}

absl::StatusOr<uint64_t> FaultFileSystem::SizeBytes(const std::string& path) const { return base_.SizeBytes(path); }

bool FaultFileSystem::Exists(const std::string& path) const { return base_.Exists(path); }

absl::StatusOr<bool> FaultFileSystem::IsDirectory(const std::string& path) const { return base_.IsDirectory(path); }

absl::StatusOr<std::vector<std::string>> FaultFileSystem::List(const std::string& path) const {
  return base_.List(path);
}

absl::Status FaultFileSystem::MakeDirectories(const std::string& path) {
  if (!state_->Covers(path)) return base_.MakeDirectories(path);
  absl::MutexLock lock(&state_->mu);
  CLM_RETURN_IF_ERROR(state_->Count());
  CLM_RETURN_IF_ERROR(base_.MakeDirectories(path));
  CLM_CHECK(state_->Find(path) != nullptr);  // takes notice of every new level
  return absl::OkStatus();
}

absl::Status FaultFileSystem::Truncate(const std::string& path, uint64_t size_bytes) {
  if (!state_->Covers(path)) return base_.Truncate(path, size_bytes);
  absl::MutexLock lock(&state_->mu);
  CLM_RETURN_IF_ERROR(state_->Count());
  CLM_RETURN_IF_ERROR(base_.Truncate(path, size_bytes));
  if (const std::shared_ptr<Node> node = state_->Find(path); node != nullptr) state_->Resize(*node, size_bytes);
  return absl::OkStatus();
}

absl::Status FaultFileSystem::Rename(const std::string& from, const std::string& to) {
  CLM_CHECK(state_->Covers(from) == state_->Covers(to));
  if (!state_->Covers(from)) return base_.Rename(from, to);
  absl::MutexLock lock(&state_->mu);
  CLM_RETURN_IF_ERROR(state_->Count());
  const std::shared_ptr<Node> node = state_->Find(from);
  const std::shared_ptr<Node> from_folder = state_->FindParent(from);
  const std::shared_ptr<Node> to_folder = state_->FindParent(to);
  CLM_RETURN_IF_ERROR(base_.Rename(from, to));
  if (from == to) return absl::OkStatus();
  // What was there is replaced. (Find() would meet the new one on the disk, hence the look into the tree.)
  const std::string to_name = State::NameOf(to);
  if (const auto old = to_folder->live.find(to_name); old != to_folder->live.end()) state_->Resize(*old->second, 0);
  Detach(*to_folder, to_name);
  Detach(*from_folder, State::NameOf(from));
  Attach(*to_folder, to_name, node);
  state_->renames.push_back({from_folder, State::NameOf(from), to_folder, to_name, node});
  return absl::OkStatus();
}

absl::Status FaultFileSystem::RemoveFile(const std::string& path) {
  if (!state_->Covers(path)) return base_.RemoveFile(path);
  absl::MutexLock lock(&state_->mu);
  CLM_RETURN_IF_ERROR(state_->Count());
  state_->Find(path);  // so that Drop() finds what was written by other means
  CLM_RETURN_IF_ERROR(base_.RemoveFile(path));
  state_->Drop(path);
  return absl::OkStatus();
}

absl::Status FaultFileSystem::RemoveTree(const std::string& path) {
  if (!state_->Covers(path)) return base_.RemoveTree(path);
  absl::MutexLock lock(&state_->mu);
  if (!base_.Exists(path)) return state_->Count();
  std::vector<std::string> found = {path};  // parents before children
  for (size_t i = 0; i < found.size(); ++i) {
    const std::string at = found[i];
    CLM_ASSIGN_OR_RETURN(const bool is_directory, base_.IsDirectory(at));
    if (!is_directory) continue;
    CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, base_.List(at));
    for (const std::string& name : names) found.push_back(JoinPath(at, name));
  }
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    CLM_RETURN_IF_ERROR(state_->Count());
    state_->Find(*at);
    CLM_RETURN_IF_ERROR(base_.RemoveTree(*at));
    state_->Drop(*at);
  }
  return absl::OkStatus();
}

absl::Status FaultFileSystem::SyncDirectory(const std::string& path) {
  if (!state_->Covers(path)) return base_.SyncDirectory(path);
  absl::MutexLock lock(&state_->mu);
  CLM_RETURN_IF_ERROR(state_->Count());
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, base_.List(path));
  const std::shared_ptr<Node> folder = state_->Find(path);
  for (const std::string& name : names) state_->Child(*folder, name, JoinPath(path, name));
  state_->SyncNames(folder);
  return absl::OkStatus();
}

}  // namespace clm
