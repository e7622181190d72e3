// TrainReport: what a finished run says about itself. A value type; no LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/train/train_state.h"

namespace clm {

struct TrainReport {
  uint64_t steps = 0;
  uint64_t original_bytes = 0;          // trained on
  uint64_t targets = 0;                 // symbols trained on
  double seconds = 0;                   // in training steps, over all processes
  double final_loss_nats_per_byte = 0;  // moving mean over about the last fifty steps
  std::vector<ValidationPoint> validations;
  uint64_t resumed_from_step = 0;  // 0: from the start
  std::vector<std::string> notes;  // what a reader should know: damaged checkpoints, another thread count
  ParameterCounts parameters;      // of the model as saved
  uint64_t trainable_parameters = 0;
  std::string device;
  int threads = 0;

  // Of training steps; 0 before the first.
  double original_bytes_per_second() const { return seconds > 0 ? static_cast<double>(original_bytes) / seconds : 0; }
  // JSON object, keys sorted, with the fields above and the two rates derived from them.
  std::string ToJson() const;
};

}  // namespace clm
