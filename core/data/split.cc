#include "core/data/split.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace clm {

absl::string_view SplitName(Split split) {
  switch (split) {
    case Split::kBuild:
      return "build";
    case Split::kSelection:
      return "selection";
    case Split::kValidation:
      return "validation";
  }
  return "";
}

absl::StatusOr<Split> ParseSplit(absl::string_view name) {
  for (const Split split : kAllSplits) {
    if (name == SplitName(split)) return split;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("split \"", name, "\" is unknown; the splits are build, selection and validation"));
}

absl::Status SplitOptions::Validate() const {
  if (uint64_t{selection_ppm} + validation_ppm < 1'000'000) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("selection_ppm ", selection_ppm, " and validation_ppm ",
                                                 validation_ppm, " must sum to less than 1000000, the rest is build"));
}

uint64_t DocumentHash(absl::string_view document) { return DocumentHash(Sha256Of(document)); }

uint64_t DocumentHash(const Sha256Digest& document_sha256) {
  uint64_t hash = 0;
  for (size_t i = 0; i < 8; ++i) hash = (hash << 8) | document_sha256[i];
  return hash;
}

Split SplitOf(uint64_t document_hash, const SplitOptions& options) {
  const uint64_t bucket = ((document_hash >> 32) * 1'000'000) >> 32;  // in [0, 1000000)
  if (bucket < options.build_ppm()) return Split::kBuild;
  return bucket < options.build_ppm() + options.selection_ppm ? Split::kSelection : Split::kValidation;
}

void SplitCounts::Add(Split split, uint64_t bytes) {
  ++documents[static_cast<size_t>(split)];
  original_bytes[static_cast<size_t>(split)] += bytes;
}

absl::Status SplitCounts::Check(const SplitOptions& options) const {
  const std::array<uint32_t, 3> shares = {options.build_ppm(), options.selection_ppm, options.validation_ppm};
  const uint64_t total = documents[0] + documents[1] + documents[2];
  std::vector<std::string> empty;
  for (const Split split : kAllSplits) {
    const auto i = static_cast<size_t>(split);
    if (shares[i] == 0 || original_bytes[i] > 0) continue;
    empty.push_back(
        absl::StrCat(SplitName(split), " (", documents[i], " documents, 0 bytes, share ", shares[i], " ppm)"));
  }
  if (empty.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("of ", total,
                                                 " documents nothing fell to: ", absl::StrJoin(empty, ", "),
                                                 "; give more documents or cut the text into smaller ones"));
}

void DocumentSetDigest::Add(const Sha256Digest& document_sha256) {
  hash_.Update(absl::string_view(reinterpret_cast<const char*>(document_sha256.data()), document_sha256.size()));
}

}  // namespace clm
