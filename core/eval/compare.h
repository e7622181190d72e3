// CompareReports: what one model gains over another on the same bytes, with the doubt that comes with the documents.
//
// Only like is compared with like: reports of different tokenizers, splits, held-out documents, BPB rules or maskings
// are refused with FAILED_PRECONDITION naming the field and both values. A report compared with itself gives 0.
//
// Ratios are candidate / baseline; absent where either number is unknown. Perplexity and symbol ratios stand beside BPB
// and never decide.
// Thread-safety: pure.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/eval/bootstrap.h"
#include "core/eval/bpb_report.h"

namespace clm {

enum class Verdict : uint8_t {
  kUndecided = 0,  // the interval of the difference contains 0
  kBetter = 1,     // the candidate needs fewer bits, and the whole interval says so
  kWorse = 2,
};
// "undecided", "better", "worse".
absl::string_view VerdictName(Verdict verdict);

struct Comparison {
  double baseline_bits_per_byte = 0;
  double candidate_bits_per_byte = 0;
  double delta_bits_per_byte = 0;  // candidate - baseline; negative is better
  Interval interval;               // of the delta, paired document bootstrap
  Verdict verdict = Verdict::kUndecided;

  std::optional<double> symbols_ratio;  // of the held-out documents
  std::optional<double> scored_bytes_per_second_ratio;
  std::optional<double> decoded_bytes_per_second_ratio;
  std::optional<double> flops_per_byte_ratio;
  std::optional<double> parameters_ratio;

  // What training took: the quantity that a paired run matched is 1, the others are its price.
  std::optional<double> training_bytes_ratio;
  std::optional<double> training_symbols_ratio;
  std::optional<double> training_flops_ratio;
  std::optional<double> training_seconds_ratio;
};

absl::StatusOr<Comparison> CompareReports(const BpbReport& baseline, const BpbReport& candidate,
                                          const BootstrapOptions& options = {});

}  // namespace clm
