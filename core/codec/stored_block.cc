#include "core/codec/stored_block.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {

absl::StatusOr<std::string> StoredBlock::Encode(absl::string_view raw, const CancellationToken& cancel) const {
  CLM_RETURN_IF_ERROR(cancel.Check());
  return std::string(raw);
}

absl::StatusOr<std::string> StoredBlock::Decode(absl::string_view payload, size_t raw_length,
                                                const CancellationToken& cancel) const {
  CLM_RETURN_IF_ERROR(cancel.Check());
  if (payload.size() != raw_length) {
    return absl::DataLossError(absl::StrCat("a stored payload of ", payload.size(), " bytes for ", raw_length));
  }
  return std::string(payload);
}

}  // namespace clm
