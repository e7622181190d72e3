// ScorerOptions: how a model's scorer cuts and packs documents; what it does with them is said in torch_scorer.h.
#pragma once

#include "absl/status/status.h"

namespace clm {

struct ScorerOptions {
  // Inputs between the starts of two windows of a long document; 0: half of max_positions. Range [0, max_positions].
  int stride = 0;
  // Windows computed at once. Range [1, 65536].
  int batch_windows = 64;
  // Symbols computed at once, at least one window. More costs memory and buys nothing once the cores are busy.
  // Range [1, 2^24].
  int batch_symbols = 2048;

  absl::Status Validate(int max_positions) const;  // INVALID_ARGUMENT, naming field, value and range
};

}  // namespace clm
