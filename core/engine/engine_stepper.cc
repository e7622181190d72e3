#include "core/engine/engine_stepper.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr float kNatsPerUnit = 0.6931472F / 65536.0F;  // a logit is in units of 2^-16 bit

}  // namespace

absl::StatusOr<std::unique_ptr<EngineStepper>> EngineStepper::Create(std::shared_ptr<const EngineModel> model) {
  EngineSessionOptions options;
  options.lanes = 1;
  CLM_ASSIGN_OR_RETURN(auto session, EngineSession::Create(std::move(model), options));
  return std::unique_ptr<EngineStepper>(new EngineStepper(std::move(session)));
}

absl::Status EngineStepper::Feed(std::span<const SymbolId> symbols, std::vector<float>& logits) {
  for (const SymbolId symbol : symbols) {
    if (symbol >= vocab_size()) {
      return absl::OutOfRangeError(absl::StrCat("symbol ", symbol, "; the vocabulary has ", vocab_size()));
    }
  }
  intervals_.resize(symbols.size());
  session_->Score(0, symbols, intervals_);
  const std::span<const int32_t> units = session_->Logits(0);
  const int32_t largest = *std::max_element(units.begin(), units.end());
  logits.resize(units.size());
  for (size_t i = 0; i < units.size(); ++i) logits[i] = static_cast<float>(units[i] - largest) * kNatsPerUnit;
  return absl::OkStatus();
}

}  // namespace clm
