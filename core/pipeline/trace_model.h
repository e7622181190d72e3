// TraceModel: the representation and the exact predictor that a trace asks.
#pragma once

#include <memory>
#include <string>

#include "core/predict/symbol_predictor.h"
#include "core/representation/representation.h"

namespace clm {

struct TraceModel {
  std::string name;  // tells models apart: "count", or a checkpoint's name
  std::shared_ptr<const Representation> representation;
  std::unique_ptr<SymbolPredictor> predictor;  // its own, with at least one lane
};

// What needs no checkpoint: the built-in count predictor over bytes. Takes 26 MiB.
TraceModel BuiltInTraceModel();

}  // namespace clm
