#include "core/representation/registry.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/representation/byte.h"
#include "core/representation/coordinate.h"
#include "core/representation/token.h"

namespace clm {
namespace {

absl::StatusOr<std::unique_ptr<Representation>> MakeByte(const RepresentationTables& /*tables*/) {
  return std::make_unique<ByteRepresentation>();
}

absl::StatusOr<std::unique_ptr<Representation>> MakeToken(const RepresentationTables& tables) {
  return std::make_unique<TokenRepresentation>(tables.tokenizer);
}

absl::StatusOr<std::unique_ptr<Representation>> MakeCoordinate(const RepresentationTables& tables) {
  CLM_ASSIGN_OR_RETURN(auto coordinate,
                       CoordinateRepresentation::Create(tables.tokenizer, *tables.universe, tables.universe_tokenizer));
  return std::unique_ptr<Representation>(std::move(coordinate));
}

constexpr RepresentationKind kKinds[] = {
    {.name = "byte", .description = "every byte is a symbol", .make = MakeByte},
    {.name = "token", .description = "byte-level BPE tokens", .needs_tokenizer = true, .make = MakeToken},
    {.name = "coordinate",
     .description = "tokens folded into coordinates of a universe",
     .needs_tokenizer = true,
     .needs_universe = true,
     .make = MakeCoordinate},
};

}  // namespace

std::span<const RepresentationKind> RepresentationKinds() { return kKinds; }

absl::StatusOr<const RepresentationKind*> FindRepresentationKind(absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const RepresentationKind& kind : kKinds) {
    if (kind.name == name) return &kind;
    names.push_back(kind.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown representation '", name, "', there are: ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<std::unique_ptr<Representation>> MakeRepresentation(absl::string_view kind,
                                                                   const RepresentationTables& tables) {
  CLM_ASSIGN_OR_RETURN(const RepresentationKind* row, FindRepresentationKind(kind));
  if (row->needs_tokenizer && tables.tokenizer == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("representation '", kind, "' needs a tokenizer"));
  }
  if (row->needs_universe && !tables.universe.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("representation '", kind, "' needs a universe"));
  }
  return row->make(tables);
}

}  // namespace clm
