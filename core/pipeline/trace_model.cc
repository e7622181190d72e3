#include "core/pipeline/trace_model.h"

#include <utility>

#include "core/base/check.h"
#include "core/predict/count_predictor.h"
#include "core/representation/byte.h"

namespace clm {

TraceModel BuiltInTraceModel() {
  auto predictor = CountPredictor::Create(CountModelOptions{}, 1);
  CLM_CHECK(predictor.ok());
  return {
      .name = "count", .representation = std::make_shared<ByteRepresentation>(), .predictor = *std::move(predictor)};
}

}  // namespace clm
