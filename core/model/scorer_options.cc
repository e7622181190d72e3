#include "core/model/scorer_options.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {

absl::Status ScorerOptions::Validate(int max_positions) const {
  const auto check = [](const char* field, int value, int low, int high) {
    if (value >= low && value <= high) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("scorer ", field, " is ", value, ", must be in [", low, ", ", high, "]"));
  };
  CLM_RETURN_IF_ERROR(check("stride", stride, 0, max_positions));
  CLM_RETURN_IF_ERROR(check("batch_windows", batch_windows, 1, 65536));
  return check("batch_symbols", batch_symbols, 1, 1 << 24);
}

}  // namespace clm
