// LoadRepresentation: the representation that an artifact stands for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/artifact/artifact_store.h"
#include "core/base/cancellation.h"
#include "core/coordinate/universe.h"
#include "core/representation/representation.h"

namespace clm {

// Keys of a checkpoint's attributes.
inline constexpr char kRepresentationAttribute[] = "representation";
inline constexpr char kFingerprintAttribute[] = "representation_fingerprint";

struct LoadedRepresentation {
  std::shared_ptr<const Representation> representation;
  std::optional<Universe> universe;  // of the coordinate representation
  // Where the tables came from: for a checkpoint its corpus, otherwise the artifact itself.
  ArtifactId source;
};

// `id` names a tokenizer, universe, corpus or checkpoint. `kind` is "byte", "token" or "coordinate"; empty means that
// of the checkpoint, "coordinate" for a universe, "token" for a tokenizer. INVALID_ARGUMENT when the artifact has no
// tables for `kind`, or names none for an empty one; DATA_LOSS for damaged files. Digests are checked on the first use
// in this process.
absl::StatusOr<LoadedRepresentation> LoadRepresentation(ArtifactStore& store, const ArtifactId& id,
                                                        absl::string_view kind, const CancellationToken& cancel);

// FAILED_PRECONDITION unless the checkpoint of `manifest`, whose model has `rows` symbols, was trained with
// `representation`, naming both fingerprints; DATA_LOSS for another number of symbols.
absl::Status CheckTrainedWith(const Manifest& manifest, const Representation& representation, uint32_t rows);

// The byte representation needs no artifact.
std::shared_ptr<const Representation> ByteRepresentationInstance();

}  // namespace clm
