// Progress: what a long operation tells about itself while it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace clm {

// A named value at one moment, e.g. {"train_loss_nats_per_byte", 1.52}. Names carry their unit.
struct ProgressMetric {
  std::string name;
  double value = 0;
};

struct Progress {
  std::string phase;              // lower_snake: "tokenize", "fold", "train", "evaluate"
  uint64_t done_units = 0;        // in units of the phase (bytes, steps, documents)
  uint64_t total_units = 0;       // 0 while unknown
  std::string unit;               // "bytes", "steps", "documents"
  double remaining_seconds = -1;  // negative while unknown
  std::vector<ProgressMetric> metrics;
};

// Called from the thread that does the work, never concurrently; must return quickly. May be empty.
using ProgressSink = std::function<void(const Progress&)>;

}  // namespace clm
