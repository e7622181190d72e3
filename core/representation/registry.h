// The registry of representations: the one place that lists the kinds. A new kind adds one row to registry.cc and
// inherits the tests of tests/registry.
//
// Thread-safety: functions of constant tables.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/coordinate/universe.h"
#include "core/representation/representation.h"
#include "core/tokenizer/tokenizer.h"

namespace clm {

// The learned tables that kinds may need.
struct RepresentationTables {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::optional<Universe> universe;
  // UniverseFile::tokenizer_sha256: the tokenizer the universe was learned with.
  std::string universe_tokenizer;
};

struct RepresentationKind {
  absl::string_view name;
  absl::string_view description;  // one line for people
  bool needs_tokenizer = false;
  bool needs_universe = false;
  // Called with the tables that it needs.
  absl::StatusOr<std::unique_ptr<Representation>> (*make)(const RepresentationTables& tables) = nullptr;
};

// Every kind, in the order in which people should see them.
std::span<const RepresentationKind> RepresentationKinds();

// The kind named `name`; INVALID_ARGUMENT listing the names there are.
absl::StatusOr<const RepresentationKind*> FindRepresentationKind(absl::string_view name);

// INVALID_ARGUMENT for an unknown kind or a table that is missing, by name; otherwise as the kind's own constructor.
// Tables that the kind does not need are ignored.
absl::StatusOr<std::unique_ptr<Representation>> MakeRepresentation(absl::string_view kind,
                                                                   const RepresentationTables& tables);

}  // namespace clm
