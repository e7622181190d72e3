// Manifest: what an artifact is made of; the file manifest.json in its folder, written last.
//
//   {"format":"clm-artifact","version":1,"id":"artifacts/corpus/9f86...","create_time":"2026-11-21T10:00:00.123Z",
//    "parents":["artifacts/tokenizer/..."],
//    "files":[{"name":"validation.ids","size_bytes":8192,"sha256":"..."}],
//    "attributes":{"representation":"coordinate"},"total_size_bytes":8192}
//
// The id is a digest of kind, parents, files and attributes (ContentDigest), not of this text: the creation time and
// the spelling of the JSON do not matter. docs/formats/artifact.md describes both.
//
// Thread-safety: value types. Units: sizes in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/artifact/artifact_id.h"

namespace clm {

inline constexpr char kManifestFileName[] = "manifest.json";
inline constexpr int kManifestVersion = 1;

// Limits of one artifact, checked when it is committed and when it is read.
inline constexpr size_t kMaxManifestBytes = size_t{16} << 20;
inline constexpr size_t kMaxArtifactFiles = 16384;
inline constexpr size_t kMaxArtifactParents = 256;
inline constexpr size_t kMaxFileNameBytes = 255;
inline constexpr size_t kMaxAttributes = 256;
inline constexpr size_t kMaxAttributeKeyBytes = 64;
inline constexpr size_t kMaxAttributeValueBytes = 4096;

using ArtifactAttributes = std::map<std::string, std::string>;

struct ManifestFile {
  std::string name;  // see CheckArtifactFileName
  uint64_t size_bytes = 0;
  std::string sha256;  // 64 lower-case hex digits

  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

struct Manifest {
  ArtifactId id;
  absl::Time create_time;           // whole milliseconds
  std::vector<ArtifactId> parents;  // what it was made from; sorted, each once
  std::vector<ManifestFile> files;  // sorted by name, each once
  ArtifactAttributes attributes;    // facts about the content; UTF-8; part of the identity

  // Sum of the files' sizes.
  uint64_t TotalSizeBytes() const;
  // Null when there is no such file.
  const ManifestFile* Find(absl::string_view name) const;
};

// INVALID_ARGUMENT, quoting the name, unless it is 1 to 255 bytes of UTF-8 without '/', '\' and control characters,
// does not start with '.', and is not "manifest.json".
absl::Status CheckArtifactFileName(absl::string_view name);

// Sorts parents and files, removes double parents, sets the id. INVALID_ARGUMENT naming the field, its value and its
// limit: bad or double file name, bad digest, too many parts, attribute too long or not UTF-8, sizes that overflow.
absl::StatusOr<Manifest> MakeManifest(ArtifactKind kind, std::vector<ArtifactId> parents,
                                      std::vector<ManifestFile> files, ArtifactAttributes attributes,
                                      absl::Time create_time);

// The 64 hex digits of the id: SHA-256 over a text that says kind, parents, files and attributes without ambiguity.
// Requires sorted parents and files; does not look at manifest.id.
std::string ContentDigest(ArtifactKind kind, const Manifest& manifest);

std::string WriteManifest(const Manifest& manifest);

// Strict: every field present with its type, none unknown, limits kept, lists sorted, id and total agree with the
// content. DATA_LOSS saying what is wrong; FAILED_PRECONDITION for a version this program does not know.
absl::StatusOr<Manifest> ReadManifest(absl::string_view text);

}  // namespace clm
