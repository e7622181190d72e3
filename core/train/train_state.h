// TrainState: what a run must remember to continue, beside weights and optimizer moments.
//
// Stored as train_state.json (version 1). The order of the data is a pure function of the step number, so there is no
// reader position to keep. A value type; no LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

// One validation during a run.
struct ValidationPoint {
  uint64_t step = 0;            // steps done
  uint64_t original_bytes = 0;  // trained on so far
  double bits_per_byte = 0;     // on the held-out sample
  friend bool operator==(const ValidationPoint&, const ValidationPoint&) = default;
};

struct TrainState {
  uint64_t step = 0;                       // steps done
  uint64_t original_bytes = 0;             // of the targets so far
  uint64_t targets = 0;                    // symbols trained on so far
  double smoothed_loss_nats_per_byte = 0;  // moving mean over about fifty steps
  double seconds = 0;                      // spent in training steps so far, over all processes
  std::string run_digest;                  // 64 hex digits over everything that decides the run
  int threads = 0;                         // inside an operation; another number rounds differently
  std::vector<ValidationPoint> validations;
  std::string weights_digest;  // SHA-256 of the files beside this one
  std::string optimizer_digest;

  // The lowest validation; the earlier of two equal ones. Nothing before the first.
  std::optional<ValidationPoint> best() const;

  std::string ToJson() const;
  // DATA_LOSS naming the field for anything ToJson() would not write.
  static absl::StatusOr<TrainState> FromJson(absl::string_view json);

  friend bool operator==(const TrainState&, const TrainState&) = default;
};

}  // namespace clm
