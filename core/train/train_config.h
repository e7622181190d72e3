// TrainConfig: everything that decides a training run, apart from model, data and device.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace clm {

enum class LrScheduleKind : uint8_t {
  kCosine = 0,  // warm-up, then half a cosine down to the final ratio (Loshchilov & Hutter 2017, arXiv 1608.03983)
  kWsd = 1,     // warm-up, stable, then linear decay (Hu et al. 2024, arXiv 2404.06395)
};

struct TrainConfig {
  // Optimizer steps. Range [1, 10^9]; exactly one of `steps` and `bytes_budget` is not 0.
  uint64_t steps = 0;
  // ORIGINAL bytes to consume; steps = ceil(bytes_budget / bytes_per_step). Range [1, 2^50].
  uint64_t bytes_budget = 0;
  // ORIGINAL bytes per step: what the batch source was made with. Range [1, 2^32].
  uint64_t bytes_per_step = 4096;

  // Peak learning rate. Range (0, 1].
  double learning_rate = 3e-3;
  // Steps of linear warm-up. Range [0, 10^9]; more than the run has is legal: it then never reaches the peak.
  uint64_t warmup_steps = 60;
  LrScheduleKind schedule = LrScheduleKind::kCosine;
  // Learning rate at the end as a part of the peak. Range [0, 1].
  double final_ratio = 0.05;
  // kWsd: part of the steps that decays at the end. Range (0, 1].
  double decay_fraction = 0.2;
  // Factor of the learning rate for residual rows of composed tables. Range [0, 100].
  double residual_rate = 3.0;

  // AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101). Ranges [0, 1), [0, 1), (0, 1], [0, 10]. Decay applies to the
  // matrices of the body, not to norms and vocabulary rows.
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  // Largest norm of the gradient of the step's mean loss; 0: no limit. Range [0, 10^6].
  double clip_norm = 1.0;

  // true: a document does not see the documents before it in its row, as when it is scored.
  bool document_mask = true;
  // Symbols of a forward and backward pass; a step is cut into as many as it needs. Decides rounding, memory and speed,
  // nothing else. Range [1, 2^24].
  uint64_t micro_batch_symbols = 1024;

  // Steps between two validations; 0: only at the end. Range [0, 10^9].
  uint64_t validation_interval = 0;
  // Steps between two checkpoints; 0: none. Range [0, 10^9].
  uint64_t checkpoint_interval = 0;
  // Newest checkpoints kept, beside the one with the best validation. Range [1, 1000].
  int keep_last = 2;
  // Threads inside an operation; 0: all of this process. Range [0, 1024]. Another number rounds differently.
  int threads = 0;

  uint64_t total_steps() const;
  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
  // JSON of the fields that decide the numbers (intervals, kept checkpoints and threads do not), keys sorted.
  std::string DecidingFields() const;
};

}  // namespace clm
