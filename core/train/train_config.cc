#include "core/train/train_config.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr double kMost = 1e9;

absl::Status CheckRange(absl::string_view field, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("train ", field, " is ", value, ", must be in [", low, ", ", high, "]"));
}

// The range without its lower end.
absl::Status CheckAbove(absl::string_view field, double value, double low, double high) {
  if (value > low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("train ", field, " is ", value, ", must be in (", low, ", ", high, "]"));
}

absl::Status ValidateBudget(const TrainConfig& config) {
  if ((config.steps == 0) == (config.bytes_budget == 0)) {
    return absl::InvalidArgumentError(absl::StrCat("train steps is ", config.steps, " and bytes_budget is ",
                                                   config.bytes_budget, "; exactly one of them must be given"));
  }
  CLM_RETURN_IF_ERROR(CheckRange("bytes_budget", static_cast<double>(config.bytes_budget), 0, 0x1p50));
  CLM_RETURN_IF_ERROR(CheckRange("bytes_per_step", static_cast<double>(config.bytes_per_step), 1, 0x1p32));
  return CheckRange("steps", static_cast<double>(config.total_steps()), 1, kMost);
}

absl::Status ValidateOptimizer(const TrainConfig& config) {
  CLM_RETURN_IF_ERROR(CheckAbove("learning_rate", config.learning_rate, 0, 1));
  CLM_RETURN_IF_ERROR(CheckRange("warmup_steps", static_cast<double>(config.warmup_steps), 0, kMost));
  CLM_RETURN_IF_ERROR(CheckRange("final_ratio", config.final_ratio, 0, 1));
  CLM_RETURN_IF_ERROR(CheckAbove("decay_fraction", config.decay_fraction, 0, 1));
  CLM_RETURN_IF_ERROR(CheckRange("residual_rate", config.residual_rate, 0, 100));
  CLM_RETURN_IF_ERROR(CheckRange("beta1", config.beta1, 0, 1 - 1e-12));
  CLM_RETURN_IF_ERROR(CheckRange("beta2", config.beta2, 0, 1 - 1e-12));
  CLM_RETURN_IF_ERROR(CheckAbove("epsilon", config.epsilon, 0, 1));
  CLM_RETURN_IF_ERROR(CheckRange("weight_decay", config.weight_decay, 0, 10));
  return CheckRange("clip_norm", config.clip_norm, 0, 1e6);
}

}  // namespace

uint64_t TrainConfig::total_steps() const {
  if (bytes_budget == 0) return steps;
  return bytes_per_step == 0 ? 0 : (bytes_budget + bytes_per_step - 1) / bytes_per_step;
}

absl::Status TrainConfig::Validate() const {
  CLM_RETURN_IF_ERROR(ValidateBudget(*this));
  CLM_RETURN_IF_ERROR(ValidateOptimizer(*this));
  CLM_RETURN_IF_ERROR(CheckRange("micro_batch_symbols", static_cast<double>(micro_batch_symbols), 1, 0x1p24));
  CLM_RETURN_IF_ERROR(CheckRange("validation_interval", static_cast<double>(validation_interval), 0, kMost));
  CLM_RETURN_IF_ERROR(CheckRange("checkpoint_interval", static_cast<double>(checkpoint_interval), 0, kMost));
  CLM_RETURN_IF_ERROR(CheckRange("keep_last", keep_last, 1, 1000));
  return CheckRange("threads", threads, 0, 1024);
}

std::string TrainConfig::DecidingFields() const {
  const nlohmann::json fields = {{"beta1", beta1},
                                 {"beta2", beta2},
                                 {"bytes_per_step", bytes_per_step},
                                 {"clip_norm", clip_norm},
                                 {"decay_fraction", decay_fraction},
                                 {"document_mask", document_mask},
                                 {"epsilon", epsilon},
                                 {"final_ratio", final_ratio},
                                 {"learning_rate", learning_rate},
                                 {"micro_batch_symbols", micro_batch_symbols},
                                 {"residual_rate", residual_rate},
                                 {"schedule", static_cast<int>(schedule)},
                                 {"steps", total_steps()},
                                 {"warmup_steps", warmup_steps},
                                 {"weight_decay", weight_decay}};
  return fields.dump();
}

}  // namespace clm
