#include "core/artifact/artifact_store.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/digest.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr char kStoreVersionText[] = "clm-artifact-store 1\n";
constexpr char kStoreVersionFile[] = "STORE";
constexpr char kPinsFolder[] = "pins";
constexpr char kTemporaryFolder[] = "tmp";
constexpr char kUploadsFolder[] = "uploads";
constexpr char kPinSuffix[] = ".pin";
constexpr size_t kMaxLabelBytes = 64;
constexpr size_t kMaxNamesInMessage = 5;
constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;

// Size and digest of one file, read in pieces.
absl::StatusOr<ManifestFile> DescribeFile(const FileSystem& files, const std::string& path, absl::string_view name,
                                          const CancellationToken& cancel) {
  constexpr size_t kPieceBytes = size_t{1} << 20;
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files.Open(path));
  Sha256 hash;
  std::string piece;
  uint64_t offset = 0;
  while (offset < file->size_bytes()) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_RETURN_IF_ERROR(file->Read(offset, kPieceBytes, piece));
    if (piece.empty()) break;  // became shorter: the size says so
    hash.Update(piece);
    offset += piece.size();
  }
  return ManifestFile{.name = std::string(name), .size_bytes = offset, .sha256 = ToHex(hash.Finish())};
}

absl::Status WriteWhole(FileSystem& files, const std::string& path, absl::string_view data) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create(path));
  CLM_RETURN_IF_ERROR(file->Append(data));
  return file->Close();
}

absl::Status CheckLabel(absl::string_view label) {
  const auto is_allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
  };
  if (!label.empty() && label.size() <= kMaxLabelBytes && std::all_of(label.begin(), label.end(), is_allowed)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("pin label of ", label.size(), " bytes is not 1 to ", kMaxLabelBytes, " of [A-Za-z0-9_.-]"));
}

// "a, b, c and 4 more"
std::string ListNames(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kMaxNamesInMessage);
  std::string text = absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", ");
  if (names.size() > shown) absl::StrAppend(&text, " and ", names.size() - shown, " more");
  return text;
}

std::vector<std::string> NamesOf(const std::vector<ArtifactId>& ids) {
  std::vector<std::string> names;
  names.reserve(ids.size());
  for (const ArtifactId& id : ids) names.push_back(id.Name());
  return names;
}

// Where an artifact stands in List()'s order.
struct ListPosition {
  int64_t create_millis = 0;
  ArtifactId id;

  friend auto operator<=>(const ListPosition&, const ListPosition&) = default;  // NOLINT(modernize-use-nullptr)
};

ListPosition PositionOf(const Manifest& manifest) { return {absl::ToUnixMillis(manifest.create_time), manifest.id}; }

std::string WriteToken(const ListPosition& position) {
  return absl::StrCat(position.create_millis, ".", ArtifactKindName(position.id.kind()), ".", position.id.hex());
}

absl::StatusOr<ListPosition> ReadToken(absl::string_view token) {
  const std::vector<absl::string_view> parts = absl::StrSplit(token.substr(0, 256), '.');
  ListPosition position;
  if (parts.size() == 3 && absl::SimpleAtoi(parts[0], &position.create_millis)) {
    const std::optional<ArtifactKind> kind = ParseArtifactKind(parts[1]);
    absl::StatusOr<ArtifactId> id = ArtifactId::Create(kind.value_or(ArtifactKind::kBlob), parts[2]);
    if (kind.has_value() && id.ok()) {
      position.id = *std::move(id);
      return position;
    }
  }
  return absl::InvalidArgumentError("page_token is not one that a list of artifacts returned");
}

// What Resolve() looks for.
struct WantedId {
  std::optional<ArtifactKind> kind;
  absl::string_view digits;
};

absl::StatusOr<WantedId> ReadWanted(absl::string_view text) {
  WantedId wanted{.kind = {}, .digits = text};
  const absl::Status malformed = absl::InvalidArgumentError(
      absl::StrCat("\"", text.substr(0, 128), "\" is not artifacts/{kind}/{id}, an id, or its first ",
                   ArtifactStore::kMinPrefixDigits, " or more lower-case hex digits"));
  if (absl::ConsumePrefix(&wanted.digits, "artifacts/")) {
    const size_t slash = wanted.digits.find('/');
    if (slash == absl::string_view::npos) return malformed;
    wanted.kind = ParseArtifactKind(wanted.digits.substr(0, slash));
    if (!wanted.kind.has_value()) return malformed;
    wanted.digits.remove_prefix(slash + 1);
  }
  const bool is_hex = wanted.digits.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
  if (!is_hex || wanted.digits.size() < ArtifactStore::kMinPrefixDigits ||
      wanted.digits.size() > ArtifactId::kHexDigits) {
    return malformed;
  }
  return wanted;
}

}  // namespace

// ---- drafts

ArtifactDraft::ArtifactDraft(ArtifactDraft&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)), kind_(other.kind_), folder_(std::move(other.folder_)) {}

ArtifactDraft& ArtifactDraft::operator=(ArtifactDraft&& other) noexcept {
  if (this != &other) {
    Discard();
    store_ = std::exchange(other.store_, nullptr);
    kind_ = other.kind_;
    folder_ = std::move(other.folder_);
  }
  return *this;
}

ArtifactDraft::~ArtifactDraft() { Discard(); }

void ArtifactDraft::Discard() {
  if (store_ == nullptr) return;
  const absl::Status removed = store_->files().RemoveTree(folder_);
  if (!removed.ok()) Log(LogLevel::kWarning, "draft not removed", {{"reason", removed.ToString()}});
  store_ = nullptr;
}

absl::Status ArtifactDraft::CheckUsable() const {
  return store_ != nullptr ? absl::OkStatus() : absl::FailedPreconditionError("the draft was committed or moved away");
}

absl::StatusOr<std::unique_ptr<WritableFile>> ArtifactDraft::Create(absl::string_view name) {
  CLM_RETURN_IF_ERROR(CheckUsable());
  CLM_RETURN_IF_ERROR(CheckArtifactFileName(name));
  return store_->files().Create(Path(name));
}

absl::Status ArtifactDraft::WriteFile(absl::string_view name, absl::string_view data) {
  CLM_RETURN_IF_ERROR(CheckUsable());
  CLM_RETURN_IF_ERROR(CheckArtifactFileName(name));
  return WriteWhole(store_->files(), Path(name), data);
}

absl::StatusOr<ArtifactId> ArtifactDraft::Commit(const CommitOptions& options) {
  CLM_RETURN_IF_ERROR(CheckUsable());
  absl::StatusOr<ArtifactId> id = store_->CommitFolder(kind_, folder_, options);
  if (id.ok() || !store_->files().Exists(folder_)) store_ = nullptr;
  return id;
}

// ---- opening

absl::StatusOr<std::unique_ptr<ArtifactStore>> ArtifactStore::Open(FileSystem& files, std::string root,
                                                                   const Clock& clock,
                                                                   const ArtifactStoreOptions& options) {
  std::unique_ptr<ArtifactStore> store(new ArtifactStore(files, std::move(root), clock));
  CLM_RETURN_IF_ERROR(store->Prepare(options.sweep));
  return store;
}

absl::Status ArtifactStore::Prepare(bool sweep) {
  CLM_RETURN_IF_ERROR(MakeDurableDirectories(files_, root_));
  CLM_RETURN_IF_ERROR(CheckVersion());
  for (const ArtifactKind kind : kAllArtifactKinds) CLM_RETURN_IF_ERROR(files_.MakeDirectories(KindFolder(kind)));
  for (const char* folder : {kPinsFolder, kTemporaryFolder, kUploadsFolder}) {
    CLM_RETURN_IF_ERROR(files_.MakeDirectories(JoinPath(root_, folder)));
  }
  // Also when nothing was missing: an earlier process may have ended before its sync.
  CLM_RETURN_IF_ERROR(files_.SyncDirectory(root_));
  if (!sweep) return absl::OkStatus();
  const std::string temporary = JoinPath(root_, kTemporaryFolder);
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(temporary));
  for (const std::string& name : names) CLM_RETURN_IF_ERROR(files_.RemoveTree(JoinPath(temporary, name)));
  return absl::OkStatus();
}

absl::Status ArtifactStore::CheckVersion() {
  constexpr uint64_t kMaxVersionBytes = 1024;
  const std::string path = JoinPath(root_, kStoreVersionFile);
  absl::Status written = absl::OkStatus();
  if (!files_.Exists(path)) written = WriteFileAtomically(files_, path, kStoreVersionText);
  const absl::StatusOr<std::string> text = ReadFile(files_, path, kMaxVersionBytes);
  // When another process was faster, its file counts.
  if (text.ok() && *text == kStoreVersionText) return absl::OkStatus();
  CLM_RETURN_IF_ERROR(written);
  CLM_RETURN_IF_ERROR(text.status());
  return absl::FailedPreconditionError(absl::StrCat(path, " does not say \"",
                                                    absl::StripSuffix(kStoreVersionText, "\n"),
                                                    "\": not a store of this program's version"));
}

// ---- paths

std::string ArtifactStore::KindFolder(ArtifactKind kind) const { return JoinPath(root_, ArtifactKindName(kind)); }

std::string ArtifactStore::Folder(const ArtifactId& id) const { return JoinPath(KindFolder(id.kind()), id.hex()); }

std::string ArtifactStore::PinFolder(const ArtifactId& id) const {
  return JoinPath(JoinPath(root_, kPinsFolder), id.hex());
}

std::string ArtifactStore::NewTemporaryPath(absl::string_view purpose) const {
  static std::atomic<uint64_t> count{0};
  char host[256] = {};
  gethostname(host, sizeof(host) - 1);
  while (true) {
    // Process ids repeat in containers that share a volume, hence host and time.
    const std::string unique = absl::StrCat(host, " ", getpid(), " ", absl::ToUnixNanos(clock_.Now()), " ", ++count);
    std::string path = absl::StrCat(root_, "/", kTemporaryFolder, "/", purpose, "-", Sha256Hex(unique).substr(0, 16));
    if (!files_.Exists(path)) return path;
  }
}

// ---- committing

absl::StatusOr<ArtifactDraft> ArtifactStore::NewDraft(ArtifactKind kind) {
  std::string folder = NewTemporaryPath("draft");
  CLM_RETURN_IF_ERROR(files_.MakeDirectories(folder));
  return ArtifactDraft(this, kind, std::move(folder));
}

absl::StatusOr<std::vector<ManifestFile>> ArtifactStore::DescribeFiles(const std::string& folder,
                                                                       const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(folder));
  std::vector<ManifestFile> result;
  for (const std::string& name : names) {
    if (name == kManifestFileName) continue;  // of a commit that failed
    CLM_RETURN_IF_ERROR(CheckArtifactFileName(name));
    CLM_ASSIGN_OR_RETURN(result.emplace_back(), DescribeFile(files_, JoinPath(folder, name), name, cancel));
  }
  return result;
}

absl::StatusOr<ArtifactId> ArtifactStore::CommitFolder(ArtifactKind kind, const std::string& folder,
                                                       const CommitOptions& options) {
  CLM_ASSIGN_OR_RETURN(std::vector<ManifestFile> described, DescribeFiles(folder, options.cancel));
  for (const ManifestFile& file : described) {
    const auto expected = options.expected_sha256.find(file.name);
    if (expected != options.expected_sha256.end() && expected->second != file.sha256) {
      return absl::DataLossError(
          absl::StrCat("file \"", file.name, "\" has the SHA-256 ", file.sha256, ", expected was ", expected->second));
    }
  }
  CLM_ASSIGN_OR_RETURN(const Manifest manifest,
                       MakeManifest(kind, options.parents, std::move(described), options.attributes, clock_.Now()));
  absl::ReaderMutexLock lock(&change_mu_);
  for (const ArtifactId& parent : manifest.parents) {
    if (!files_.Exists(Folder(parent))) return absl::NotFoundError(absl::StrCat("no parent ", parent.Name()));
  }
  CLM_RETURN_IF_ERROR(PublishLocked(folder, manifest));
  return manifest.id;
}

absl::Status ArtifactStore::PublishLocked(const std::string& folder, const Manifest& manifest) {
  const std::string target = Folder(manifest.id);
  if (!files_.Exists(target)) {
    CLM_RETURN_IF_ERROR(WriteWhole(files_, JoinPath(folder, kManifestFileName), WriteManifest(manifest)));
    absl::Status published = PublishDirectory(files_, folder, target);
    if (published.code() != absl::StatusCode::kAlreadyExists) return published;
  }
  // Somebody stored the same content before. It counts as committed only once its name is on the disk for certain.
  if (const absl::StatusOr<ManifestPointer> stored = Get(manifest.id); !stored.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(manifest.id.Name(), " is in the store but damaged, delete it first: ", stored.status().message()));
  }
  CLM_RETURN_IF_ERROR(files_.SyncDirectory(KindFolder(manifest.id.kind())));
  return files_.RemoveTree(folder);
}

// ---- reading

absl::StatusOr<ArtifactStore::ManifestPointer> ArtifactStore::Get(const ArtifactId& id) {
  const std::string folder = Folder(id);
  if (id.empty() || !files_.Exists(folder)) return absl::NotFoundError(absl::StrCat("no artifact ", id.Name()));
  {
    absl::MutexLock lock(&mu_);
    if (const auto it = manifests_.find(id); it != manifests_.end()) return it->second;
  }
  const std::string path = JoinPath(folder, kManifestFileName);
  absl::StatusOr<std::string> text = ReadFile(files_, path, kMaxManifestBytes);
  if (!text.ok() && files_.Exists(folder)) {
    return absl::DataLossError(absl::StrCat(id.Name(), ": ", text.status().message()));
  }
  CLM_RETURN_IF_ERROR(text.status());
  absl::StatusOr<Manifest> manifest = ReadManifest(*text);
  if (!manifest.ok()) {
    return absl::Status(manifest.status().code(), absl::StrCat(id.Name(), ": ", manifest.status().message()));
  }
  if (manifest->id != id) {
    return absl::DataLossError(absl::StrCat(id.Name(), ": the manifest is that of ", manifest->id.Name()));
  }
  const auto pointer = std::make_shared<const Manifest>(*std::move(manifest));
  absl::MutexLock lock(&mu_);
  manifests_[id] = pointer;
  return pointer;
}

absl::StatusOr<std::vector<ArtifactId>> ArtifactStore::ListIds(ArtifactKind kind) const {
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(KindFolder(kind)));
  std::vector<ArtifactId> ids;
  for (const std::string& name : names) {
    absl::StatusOr<ArtifactId> id = ArtifactId::Create(kind, name);
    if (id.ok()) ids.push_back(*std::move(id));  // anything else is not ours
  }
  return ids;
}

absl::StatusOr<ArtifactId> ArtifactStore::Resolve(absl::string_view text) {
  CLM_ASSIGN_OR_RETURN(const WantedId wanted, ReadWanted(text));
  std::vector<ArtifactId> found;
  for (const ArtifactKind kind : kAllArtifactKinds) {
    if (wanted.kind.value_or(kind) != kind) continue;
    CLM_ASSIGN_OR_RETURN(const std::vector<ArtifactId> ids, ListIds(kind));
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(found),
                 [&wanted](const ArtifactId& id) { return absl::StartsWith(id.hex(), wanted.digits); });
  }
  if (found.empty()) return absl::NotFoundError(absl::StrCat("no artifact ", text));
  if (found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" fits ", ListNames(NamesOf(found))));
  }
  return found.front();
}

absl::StatusOr<std::string> ArtifactStore::Path(const ArtifactId& id, absl::string_view file) {
  CLM_ASSIGN_OR_RETURN(const ManifestPointer manifest, Get(id));
  if (manifest->Find(file) == nullptr) {
    return absl::NotFoundError(absl::StrCat(id.Name(), " has no file \"", file.substr(0, kMaxFileNameBytes), "\""));
  }
  return JoinPath(Folder(id), file);
}

absl::Status ArtifactStore::Verify(const ArtifactId& id, const CancellationToken& cancel) {
  {
    absl::MutexLock lock(&mu_);  // the manifest is read again, too
    manifests_.erase(id);
    verified_.erase(id);
  }
  CLM_ASSIGN_OR_RETURN(const ManifestPointer manifest, Get(id));
  for (const ManifestFile& file : manifest->files) {
    const absl::StatusOr<ManifestFile> found = DescribeFile(files_, JoinPath(Folder(id), file.name), file.name, cancel);
    if (absl::IsNotFound(found.status())) {
      return absl::DataLossError(absl::StrCat(id.Name(), ": file \"", file.name, "\" is missing"));
    }
    CLM_RETURN_IF_ERROR(found.status());
    if (*found != file) {
      return absl::DataLossError(absl::StrCat(id.Name(), ": file \"", file.name, "\" has ", found->size_bytes,
                                              " bytes and SHA-256 ", found->sha256, ", the manifest says ",
                                              file.size_bytes, " and ", file.sha256));
    }
  }
  absl::MutexLock lock(&mu_);
  verified_.insert(id);
  return absl::OkStatus();
}

absl::StatusOr<ArtifactStore::ManifestPointer> ArtifactStore::OpenVerified(const ArtifactId& id,
                                                                           const CancellationToken& cancel) {
  bool is_verified = false;
  {
    absl::MutexLock lock(&mu_);
    is_verified = verified_.contains(id);
  }
  if (!is_verified) CLM_RETURN_IF_ERROR(Verify(id, cancel));
  return Get(id);
}

// ---- listing

absl::StatusOr<std::map<ArtifactId, ArtifactStore::ManifestPointer>> ArtifactStore::LoadAll() {
  std::map<ArtifactId, ManifestPointer> all;
  for (const ArtifactKind kind : kAllArtifactKinds) {
    CLM_ASSIGN_OR_RETURN(const std::vector<ArtifactId> ids, ListIds(kind));
    for (const ArtifactId& id : ids) {
      absl::StatusOr<ManifestPointer> manifest = Get(id);
      if (manifest.ok()) {
        all[id] = *std::move(manifest);
        continue;
      }
      if (absl::IsNotFound(manifest.status())) continue;  // deleted meanwhile
      if (!absl::IsDataLoss(manifest.status()) && !absl::IsFailedPrecondition(manifest.status())) {
        return manifest.status();
      }
      absl::MutexLock lock(&mu_);
      if (reported_.insert(id).second) {
        Log(LogLevel::kWarning, "artifact left out of lists", {{"reason", manifest.status().ToString()}});
      }
    }
  }
  return all;
}

absl::StatusOr<ArtifactPage> ArtifactStore::List(const ListArtifactsOptions& options) {
  if (options.page_size < 0) {
    return absl::InvalidArgumentError(absl::StrCat("page_size is ", options.page_size, ", it must not be negative"));
  }
  const auto limit =
      static_cast<size_t>(options.page_size == 0 ? kDefaultPageSize : std::min(options.page_size, kMaxPageSize));
  std::optional<ListPosition> after;
  if (!options.page_token.empty()) {
    CLM_ASSIGN_OR_RETURN(after, ReadToken(options.page_token));
  }
  CLM_ASSIGN_OR_RETURN(const auto all, LoadAll());
  std::map<ListPosition, ManifestPointer> ordered;
  for (const auto& [id, manifest] : all) {
    if (options.kind.value_or(id.kind()) == id.kind()) ordered[PositionOf(*manifest)] = manifest;
  }
  ArtifactPage page;
  auto it = after.has_value() ? ordered.upper_bound(*after) : ordered.begin();
  for (; it != ordered.end() && page.artifacts.size() < limit; ++it) page.artifacts.push_back(it->second);
  if (it != ordered.end()) page.next_page_token = WriteToken(PositionOf(*page.artifacts.back()));
  return page;
}

absl::StatusOr<std::map<ArtifactKind, uint64_t>> ArtifactStore::Usage() {
  std::map<ArtifactKind, uint64_t> usage;
  for (const ArtifactKind kind : kAllArtifactKinds) usage[kind] = 0;
  CLM_ASSIGN_OR_RETURN(const auto all, LoadAll());
  for (const auto& [id, manifest] : all) usage[id.kind()] += manifest->TotalSizeBytes();
  return usage;
}

absl::StatusOr<std::vector<ArtifactId>> ArtifactStore::Children(const ArtifactId& id) {
  CLM_ASSIGN_OR_RETURN(const auto all, LoadAll());
  std::vector<ArtifactId> children;
  for (const auto& [candidate, manifest] : all) {
    if (std::binary_search(manifest->parents.begin(), manifest->parents.end(), id)) children.push_back(candidate);
  }
  return children;
}

// ---- pins

absl::Status ArtifactStore::Pin(const ArtifactId& id, absl::string_view label) {
  CLM_RETURN_IF_ERROR(CheckLabel(label));
  absl::MutexLock lock(&change_mu_);
  if (!files_.Exists(Folder(id))) return absl::NotFoundError(absl::StrCat("no artifact ", id.Name()));
  CLM_RETURN_IF_ERROR(MakeDurableDirectories(files_, PinFolder(id)));
  const std::string time = absl::FormatTime(absl::RFC3339_full, clock_.Now(), absl::UTCTimeZone());
  return WriteFileAtomically(files_, JoinPath(PinFolder(id), absl::StrCat(label, kPinSuffix)), time + "\n");
}

absl::Status ArtifactStore::Unpin(const ArtifactId& id, absl::string_view label) {
  CLM_RETURN_IF_ERROR(CheckLabel(label));
  absl::MutexLock lock(&change_mu_);
  if (!files_.Exists(Folder(id))) return absl::NotFoundError(absl::StrCat("no artifact ", id.Name()));
  const std::string path = JoinPath(PinFolder(id), absl::StrCat(label, kPinSuffix));
  if (!files_.Exists(path)) return absl::OkStatus();
  CLM_RETURN_IF_ERROR(files_.RemoveFile(path));
  return files_.SyncDirectory(PinFolder(id));
}

absl::StatusOr<std::vector<std::string>> ArtifactStore::Pins(const ArtifactId& id) const {
  const absl::StatusOr<std::vector<std::string>> names = files_.List(PinFolder(id));
  std::vector<std::string> labels;
  if (absl::IsNotFound(names.status())) return labels;
  CLM_RETURN_IF_ERROR(names.status());
  for (absl::string_view name : *names) {
    if (absl::ConsumeSuffix(&name, kPinSuffix)) labels.emplace_back(name);
  }
  std::sort(labels.begin(), labels.end());  // "a-b.pin" sorts before "a.pin"
  return labels;
}

// ---- deleting

absl::Status ArtifactStore::CheckNothingHolds(const ArtifactId& id) {
  CLM_ASSIGN_OR_RETURN(const std::vector<ArtifactId> children, Children(id));
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> pins, Pins(id));
  if (children.empty() && pins.empty()) return absl::OkStatus();
  std::string message = absl::StrCat(id.Name(), " cannot be deleted:");
  if (!children.empty()) absl::StrAppend(&message, " it is a parent of ", ListNames(NamesOf(children)), ";");
  if (!pins.empty()) absl::StrAppend(&message, " it is pinned by ", ListNames(pins), ";");
  message.pop_back();
  return absl::FailedPreconditionError(message);
}

absl::StatusOr<uint64_t> ArtifactStore::Delete(const ArtifactId& id) {
  const std::string removed = NewTemporaryPath("deleted");
  uint64_t freed_bytes = 0;
  {
    absl::MutexLock lock(&change_mu_);
    const absl::StatusOr<ManifestPointer> manifest = Get(id);
    if (absl::IsNotFound(manifest.status())) return manifest.status();
    if (manifest.ok()) freed_bytes = (*manifest)->TotalSizeBytes();
    CLM_RETURN_IF_ERROR(CheckNothingHolds(id));
    {
      absl::MutexLock cache_lock(&mu_);
      manifests_.erase(id);
      verified_.erase(id);
      reported_.erase(id);
    }
    CLM_RETURN_IF_ERROR(files_.Rename(Folder(id), removed));
    CLM_RETURN_IF_ERROR(files_.SyncDirectory(KindFolder(id.kind())));
  }
  // It is gone; what stays behind here is swept when the store is opened next.
  absl::Status cleaned = files_.RemoveTree(PinFolder(id));
  cleaned.Update(files_.RemoveTree(removed));
  if (!cleaned.ok()) Log(LogLevel::kWarning, "deleted artifact not removed", {{"reason", cleaned.ToString()}});
  return freed_bytes;
}

}  // namespace clm
