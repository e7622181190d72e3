#include "core/artifact/manifest.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace clm {
namespace {

using Json = nlohmann::json;

constexpr char kFormatName[] = "clm-artifact";
constexpr char kTimeFormat[] = "%Y-%m-%d%ET%H:%M:%E3SZ";
constexpr char kTimeParseFormat[] = "%Y-%m-%d%ET%H:%M:%E*SZ";

absl::Status TooMany(absl::string_view what, size_t count, size_t limit) {
  return absl::InvalidArgumentError(absl::StrCat("artifact has ", count, " ", what, ", the limit is ", limit));
}

absl::Status CheckAttributes(const ArtifactAttributes& attributes) {
  if (attributes.size() > kMaxAttributes) return TooMany("attributes", attributes.size(), kMaxAttributes);
  for (const auto& [key, value] : attributes) {
    const std::string shown = absl::StrCat("attribute \"", key.substr(0, kMaxAttributeKeyBytes), "\"");
    if (key.empty() || key.size() > kMaxAttributeKeyBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(shown, ": the key has ", key.size(), " bytes, allowed are 1 to ", kMaxAttributeKeyBytes));
    }
    if (value.size() > kMaxAttributeValueBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(shown, " has ", value.size(), " bytes, the limit is ", kMaxAttributeValueBytes));
    }
    if (!IsJsonText(key) || !IsJsonText(value)) return absl::InvalidArgumentError(absl::StrCat(shown, " is not UTF-8"));
  }
  return absl::OkStatus();
}

// Requires files sorted by name.
absl::Status CheckFiles(const std::vector<ManifestFile>& files) {
  if (files.size() > kMaxArtifactFiles) return TooMany("files", files.size(), kMaxArtifactFiles);
  uint64_t total = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    CLM_RETURN_IF_ERROR(CheckArtifactFileName(files[i].name));
    if (i > 0 && files[i].name == files[i - 1].name) {
      return absl::InvalidArgumentError(absl::StrCat("file \"", files[i].name, "\" occurs twice"));
    }
    if (!ArtifactId::Create(ArtifactKind::kBlob, files[i].sha256).ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("file \"", files[i].name, "\": sha256 is not 64 lower-case hex digits"));
    }
    if (__builtin_add_overflow(total, files[i].size_bytes, &total)) {
      return absl::InvalidArgumentError("the sizes of the files add up to more than 2^64-1 bytes");
    }
  }
  return absl::OkStatus();
}

// OK when `object` is an object with exactly these keys.
absl::Status CheckKeys(const Json& object, absl::string_view name, std::initializer_list<const char*> keys) {
  if (!object.is_object()) return absl::DataLossError(absl::StrCat(name, " is not an object"));
  for (const char* key : keys) {
    if (!object.contains(key)) return absl::DataLossError(absl::StrCat(name, " has no \"", key, "\""));
  }
  for (const auto& [key, value] : object.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return absl::DataLossError(absl::StrCat(name, " has an unknown field \"", key.substr(0, 64), "\""));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> GetString(const Json& object, const char* key) {
  const Json& value = object[key];
  if (!value.is_string()) return absl::DataLossError(absl::StrCat("\"", key, "\" is not a string"));
  return value.get<std::string>();
}

absl::StatusOr<uint64_t> GetUnsigned(const Json& object, const char* key) {
  const Json& value = object[key];
  if (!value.is_number_unsigned()) {
    return absl::DataLossError(absl::StrCat("\"", key, "\" is not an integer from 0 to 2^64-1"));
  }
  return value.get<uint64_t>();
}

absl::StatusOr<std::vector<ArtifactId>> ReadParents(const Json& list) {
  if (!list.is_array()) return absl::DataLossError("\"parents\" is not a list");
  std::vector<ArtifactId> parents;
  for (const Json& name : list) {
    if (!name.is_string()) return absl::DataLossError("a parent is not a string");
    CLM_ASSIGN_OR_RETURN(parents.emplace_back(), ArtifactId::Parse(name.get<std::string>()));
  }
  return parents;
}

absl::StatusOr<std::vector<ManifestFile>> ReadFiles(const Json& list) {
  if (!list.is_array()) return absl::DataLossError("\"files\" is not a list");
  std::vector<ManifestFile> files;
  for (const Json& entry : list) {
    CLM_RETURN_IF_ERROR(CheckKeys(entry, "a file", {"name", "size_bytes", "sha256"}));
    ManifestFile& file = files.emplace_back();
    CLM_ASSIGN_OR_RETURN(file.name, GetString(entry, "name"));
    CLM_ASSIGN_OR_RETURN(file.size_bytes, GetUnsigned(entry, "size_bytes"));
    CLM_ASSIGN_OR_RETURN(file.sha256, GetString(entry, "sha256"));
  }
  return files;
}

absl::StatusOr<ArtifactAttributes> ReadAttributes(const Json& object) {
  if (!object.is_object()) return absl::DataLossError("\"attributes\" is not an object");
  ArtifactAttributes attributes;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) {
      return absl::DataLossError(absl::StrCat("attribute \"", key.substr(0, 64), "\" is not a string"));
    }
    attributes[key] = value.get<std::string>();
  }
  return attributes;
}

std::string TimeText(absl::Time time) { return absl::FormatTime(kTimeFormat, time, absl::UTCTimeZone()); }

absl::StatusOr<absl::Time> ReadTime(const std::string& text) {
  absl::Time time;
  std::string ignored;
  // Written again, so that other spellings of a time are refused.
  if (!absl::ParseTime(kTimeParseFormat, text, &time, &ignored) || TimeText(time) != text) {
    return absl::DataLossError("\"create_time\" is not of the form 2026-01-31T23:59:59.999Z");
  }
  return time;
}

absl::Status CheckFormat(const Json& root) {
  if (!root.is_object() || root.value("format", Json()) != kFormatName) {
    return absl::DataLossError(absl::StrCat("\"format\" is not \"", kFormatName, "\""));
  }
  const Json version = root.value("version", Json());
  if (!version.is_number_unsigned()) return absl::DataLossError("\"version\" is not an integer");
  if (version != kManifestVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("manifest version ", version.get<uint64_t>(), ", this program reads version ", kManifestVersion));
  }
  return CheckKeys(root, "the manifest",
                   {"format", "version", "id", "create_time", "parents", "files", "attributes", "total_size_bytes"});
}

absl::StatusOr<Manifest> ReadContent(absl::string_view text) {
  CLM_ASSIGN_OR_RETURN(const Json root, ParseStrictJson(text, JsonLimits{.max_bytes = kMaxManifestBytes}));
  CLM_RETURN_IF_ERROR(CheckFormat(root));
  CLM_ASSIGN_OR_RETURN(const std::string name, GetString(root, "id"));
  CLM_ASSIGN_OR_RETURN(const ArtifactId id, ArtifactId::Parse(name));
  CLM_ASSIGN_OR_RETURN(const std::string time_text, GetString(root, "create_time"));
  CLM_ASSIGN_OR_RETURN(const absl::Time create_time, ReadTime(time_text));
  CLM_ASSIGN_OR_RETURN(const std::vector<ArtifactId> parents, ReadParents(root["parents"]));
  CLM_ASSIGN_OR_RETURN(const std::vector<ManifestFile> files, ReadFiles(root["files"]));
  CLM_ASSIGN_OR_RETURN(ArtifactAttributes attributes, ReadAttributes(root["attributes"]));
  CLM_ASSIGN_OR_RETURN(const uint64_t total, GetUnsigned(root, "total_size_bytes"));
  CLM_ASSIGN_OR_RETURN(Manifest manifest, MakeManifest(id.kind(), parents, files, std::move(attributes), create_time));
  if (manifest.parents != parents) return absl::DataLossError("\"parents\" is not sorted without repetition");
  if (manifest.files != files) return absl::DataLossError("\"files\" is not sorted by name");
  if (manifest.id != id) {
    return absl::DataLossError(absl::StrCat("the content has the id ", manifest.id.Name(), ", \"id\" says ", name));
  }
  if (manifest.TotalSizeBytes() != total) {
    return absl::DataLossError(
        absl::StrCat("\"total_size_bytes\" is ", total, ", the files have ", manifest.TotalSizeBytes()));
  }
  return manifest;
}

}  // namespace

uint64_t Manifest::TotalSizeBytes() const {
  uint64_t total = 0;
  for (const ManifestFile& file : files) total += file.size_bytes;
  return total;
}

const ManifestFile* Manifest::Find(absl::string_view name) const {
  const auto it =
      std::lower_bound(files.begin(), files.end(), name,
                       [](const ManifestFile& file, absl::string_view wanted) { return file.name < wanted; });
  return it != files.end() && it->name == name ? &*it : nullptr;
}

absl::Status CheckArtifactFileName(absl::string_view name) {
  const auto is_refused = [](char c) { return c == '/' || c == '\\' || static_cast<uint8_t>(c) < 0x20 || c == 0x7f; };
  if (name.empty() || name.size() > kMaxFileNameBytes || name[0] == '.' || name == kManifestFileName ||
      std::any_of(name.begin(), name.end(), is_refused) || !IsJsonText(name)) {
    std::string shown(name.substr(0, kMaxFileNameBytes));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < 0x20 || c == 0x7f; }, '?');
    return absl::InvalidArgumentError(absl::StrCat(
        "file name \"", shown, "\" is not 1 to ", kMaxFileNameBytes,
        " bytes of UTF-8 without slashes, control characters, a leading dot; nor may it be ", kManifestFileName));
  }
  return absl::OkStatus();
}

absl::StatusOr<Manifest> MakeManifest(ArtifactKind kind, std::vector<ArtifactId> parents,
                                      std::vector<ManifestFile> files, ArtifactAttributes attributes,
                                      absl::Time create_time) {
  std::sort(parents.begin(), parents.end());
  parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
  if (parents.size() > kMaxArtifactParents) return TooMany("parents", parents.size(), kMaxArtifactParents);
  if (!parents.empty() && std::any_of(parents.begin(), parents.end(), [](const auto& id) { return id.empty(); })) {
    return absl::InvalidArgumentError("a parent has an empty id");
  }
  std::sort(files.begin(), files.end(), [](const auto& left, const auto& right) { return left.name < right.name; });
  CLM_RETURN_IF_ERROR(CheckFiles(files));
  CLM_RETURN_IF_ERROR(CheckAttributes(attributes));
  Manifest manifest;
  manifest.create_time = absl::FromUnixMillis(absl::ToUnixMillis(create_time));
  manifest.parents = std::move(parents);
  manifest.files = std::move(files);
  manifest.attributes = std::move(attributes);
  CLM_ASSIGN_OR_RETURN(manifest.id, ArtifactId::Create(kind, ContentDigest(kind, manifest)));
  return manifest;
}

std::string ContentDigest(ArtifactKind kind, const Manifest& manifest) {
  Sha256 hash;
  hash.Update(absl::StrCat(kFormatName, " ", kManifestVersion, "\nkind ", ArtifactKindName(kind), "\n"));
  for (const ArtifactId& parent : manifest.parents) hash.Update(absl::StrCat("parent ", parent.Name(), "\n"));
  for (const ManifestFile& file : manifest.files) {
    hash.Update(absl::StrCat("file ", file.size_bytes, " ", file.sha256, " ", file.name, "\n"));
  }
  for (const auto& [key, value] : manifest.attributes) {
    hash.Update(absl::StrCat("attribute ", key.size(), " ", value.size(), "\n", key, value, "\n"));
  }
  return ToHex(hash.Finish());
}

std::string WriteManifest(const Manifest& manifest) {
  nlohmann::ordered_json root;
  root["format"] = kFormatName;
  root["version"] = kManifestVersion;
  root["id"] = manifest.id.Name();
  root["create_time"] = TimeText(manifest.create_time);
  root["parents"] = nlohmann::ordered_json::array();
  for (const ArtifactId& parent : manifest.parents) root["parents"].push_back(parent.Name());
  root["files"] = nlohmann::ordered_json::array();
  for (const ManifestFile& file : manifest.files) {
    nlohmann::ordered_json entry;
    entry["name"] = file.name;
    entry["size_bytes"] = file.size_bytes;
    entry["sha256"] = file.sha256;
    root["files"].push_back(std::move(entry));
  }
  root["attributes"] = nlohmann::ordered_json::object();
  for (const auto& [key, value] : manifest.attributes) root["attributes"][key] = value;
  root["total_size_bytes"] = manifest.TotalSizeBytes();
  // Text was checked when the manifest was made; replacing is the alternative to an exception.
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Manifest> ReadManifest(absl::string_view text) {
  absl::StatusOr<Manifest> manifest = ReadContent(text);
  if (manifest.ok() || manifest.status().code() == absl::StatusCode::kFailedPrecondition) return manifest;
  return absl::DataLossError(absl::StrCat("damaged manifest: ", manifest.status().message()));
}

}  // namespace clm
