#include "core/predict/count_predictor.h"

#include "core/base/status_macros.h"

namespace clm {

CountPredictor::CountPredictor(const CountModelOptions& options, size_t lanes) : lanes_(lanes, CountModel(options)) {}

absl::StatusOr<std::unique_ptr<CountPredictor>> CountPredictor::Create(const CountModelOptions& options, size_t lanes) {
  CLM_RETURN_IF_ERROR(options.Validate());
  if (lanes == 0) return absl::InvalidArgumentError("lanes is 0, must be at least 1");
  return std::unique_ptr<CountPredictor>(new CountPredictor(options, lanes));
}

std::unique_ptr<SymbolPredictor> CountPredictor::Clone() const {
  return std::unique_ptr<SymbolPredictor>(new CountPredictor(*this));
}

}  // namespace clm
