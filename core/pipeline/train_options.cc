#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/pipeline/train.h"

namespace clm {

absl::Status TrainOptions::Validate() const {
  if (!(warmup_ratio >= 0 && warmup_ratio <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("optimizer.warmup_ratio is ", warmup_ratio, ", it must be in [0, 1]"));
  }
  // The two fields that only the corpus decides get legal values for the check.
  ModelConfig shape = model;
  shape.vocab_size = 1;
  shape.boundary = 0;
  CLM_RETURN_IF_ERROR(shape.Validate());
  return train.Validate();
}

}  // namespace clm
