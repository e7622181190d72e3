#include "core/pipeline/representation_loader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/coordinate/universe_file.h"
#include "core/data/prepared_corpus.h"
#include "core/representation/registry.h"
#include "core/tokenizer/tokenizer.h"

namespace clm {
namespace {

// The parent of `id` that has `kind`; INVALID_ARGUMENT when the manifest names none.
absl::StatusOr<ArtifactId> ParentOf(const Manifest& manifest, ArtifactKind kind) {
  for (const ArtifactId& parent : manifest.parents) {
    if (parent.kind() == kind) return parent;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(manifest.id.Name(), " names no ", ArtifactKindName(kind), " among its parents"));
}

// What `kind` means when it is left out.
std::string DefaultKind(const Manifest& manifest) {
  switch (manifest.id.kind()) {
    case ArtifactKind::kCheckpoint: {
      const auto found = manifest.attributes.find(kRepresentationAttribute);
      return found == manifest.attributes.end() ? "" : found->second;
    }
    case ArtifactKind::kUniverse:
      return "coordinate";
    case ArtifactKind::kTokenizer:
      return "token";
    default:
      return "";
  }
}

absl::StatusOr<RepresentationTables> ReadTables(ArtifactStore& store, const Manifest& manifest,
                                                const CancellationToken& cancel) {
  RepresentationTables tables;
  std::shared_ptr<const Manifest> with_tokenizer = std::make_shared<const Manifest>(manifest);
  if (manifest.Find(kTokenizerFileName) == nullptr) {
    CLM_ASSIGN_OR_RETURN(const ArtifactId tokenizer, ParentOf(manifest, ArtifactKind::kTokenizer));
    CLM_ASSIGN_OR_RETURN(with_tokenizer, store.OpenVerified(tokenizer, cancel));
  }
  CLM_ASSIGN_OR_RETURN(const std::string tokenizer_path, store.Path(with_tokenizer->id, kTokenizerFileName));
  CLM_ASSIGN_OR_RETURN(tables.tokenizer, Tokenizer::FromFile(store.files(), tokenizer_path));
  if (manifest.Find(kUniverseFileName) == nullptr) return tables;
  CLM_ASSIGN_OR_RETURN(const std::string universe_path, store.Path(manifest.id, kUniverseFileName));
  CLM_ASSIGN_OR_RETURN(UniverseFile universe, ReadUniverse(store.files(), universe_path));
  tables.universe_tokenizer = universe.tokenizer_sha256;
  tables.universe = std::move(universe.universe);
  return tables;
}

}  // namespace

absl::StatusOr<LoadedRepresentation> LoadRepresentation(ArtifactStore& store, const ArtifactId& id,
                                                        absl::string_view kind, const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(std::shared_ptr<const Manifest> manifest, store.OpenVerified(id, cancel));
  const std::string wanted = kind.empty() ? DefaultKind(*manifest) : std::string(kind);
  if (wanted.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(id.Name(), " has several representations, name one"));
  }
  if (id.kind() == ArtifactKind::kCheckpoint) {
    CLM_ASSIGN_OR_RETURN(const ArtifactId corpus, ParentOf(*manifest, ArtifactKind::kCorpus));
    CLM_ASSIGN_OR_RETURN(manifest, store.OpenVerified(corpus, cancel));
  }
  LoadedRepresentation loaded;
  loaded.source = manifest->id;
  if (wanted == "byte") {
    loaded.representation = ByteRepresentationInstance();
    return loaded;
  }
  CLM_ASSIGN_OR_RETURN(const RepresentationTables tables, ReadTables(store, *manifest, cancel));
  if (wanted == "coordinate" && !tables.universe.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(manifest->id.Name(), " has no universe"));
  }
  CLM_ASSIGN_OR_RETURN(loaded.representation, MakeRepresentation(wanted, tables));
  if (wanted == "coordinate") loaded.universe = tables.universe;
  return loaded;
}

absl::Status CheckTrainedWith(const Manifest& manifest, const Representation& representation, uint32_t rows) {
  const auto found = manifest.attributes.find(kFingerprintAttribute);
  const std::string trained_with = found == manifest.attributes.end() ? "" : found->second;
  if (trained_with != representation.fingerprint()) {
    return absl::FailedPreconditionError(absl::StrCat(manifest.id.Name(), " was trained with representation ",
                                                      trained_with, ", its corpus gives ",
                                                      representation.fingerprint()));
  }
  const uint32_t symbols = representation.layout().vocab_size;
  if (rows == symbols) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(manifest.id.Name(), " has ", rows, " rows, its representation has ", symbols, " symbols"));
}

std::shared_ptr<const Representation> ByteRepresentationInstance() {
  static const auto* const kInstance = new std::shared_ptr<const Representation>(*MakeRepresentation("byte", {}));
  return *kInstance;
}

}  // namespace clm
