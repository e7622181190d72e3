#include "core/artifact/artifact_id.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

absl::string_view ArtifactKindName(ArtifactKind kind) {
  switch (kind) {
    case ArtifactKind::kTokenizer:
      return "tokenizer";
    case ArtifactKind::kUniverse:
      return "universe";
    case ArtifactKind::kCorpus:
      return "corpus";
    case ArtifactKind::kCheckpoint:
      return "checkpoint";
    case ArtifactKind::kReport:
      return "report";
    case ArtifactKind::kBlob:
      return "blob";
  }
  return "unknown";
}

std::optional<ArtifactKind> ParseArtifactKind(absl::string_view name) {
  for (const ArtifactKind kind : kAllArtifactKinds) {
    if (name == ArtifactKindName(kind)) return kind;
  }
  return std::nullopt;
}

absl::StatusOr<ArtifactId> ArtifactId::Create(ArtifactKind kind, absl::string_view hex) {
  if (hex.size() != kHexDigits || !IsLowerHex(hex)) {
    return absl::InvalidArgumentError(
        absl::StrCat("artifact id \"", hex.substr(0, kHexDigits + 1), "\" is not 64 lower-case hex digits"));
  }
  return ArtifactId(kind, hex);
}

absl::StatusOr<ArtifactId> ArtifactId::Parse(absl::string_view name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name.substr(0, 256), '/');
  if (parts.size() == 3 && parts[0] == "artifacts") {
    if (const std::optional<ArtifactKind> kind = ParseArtifactKind(parts[1])) return Create(*kind, parts[2]);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", name.substr(0, 128), "\" is not artifacts/{kind}/{64 hex digits}"));
}

std::string ArtifactId::Name() const { return absl::StrCat("artifacts/", ArtifactKindName(kind_), "/", hex_); }

}  // namespace clm
