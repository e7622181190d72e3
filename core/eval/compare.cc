#include "core/eval/compare.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

template <typename T>
absl::Status RequireSame(absl::string_view field, const T& baseline, const T& candidate) {
  if (baseline == candidate) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the reports cannot be compared: ", field, " is \"", baseline,
                                                    "\" in the baseline and \"", candidate, "\" in the candidate"));
}

absl::Status RequireComparable(const BpbReport& baseline, const BpbReport& candidate) {
  CLM_RETURN_IF_ERROR(RequireSame("tokenizer_sha256", baseline.tokenizer_sha256, candidate.tokenizer_sha256));
  CLM_RETURN_IF_ERROR(RequireSame("split", baseline.split, candidate.split));
  CLM_RETURN_IF_ERROR(RequireSame("held_out_sha256", baseline.held_out_sha256, candidate.held_out_sha256));
  CLM_RETURN_IF_ERROR(RequireSame("rule.version", baseline.rule.version, candidate.rule.version));
  CLM_RETURN_IF_ERROR(
      RequireSame("rule.counts_boundary", baseline.rule.counts_boundary, candidate.rule.counts_boundary));
  CLM_RETURN_IF_ERROR(RequireSame("rule.conditions_on_boundary", baseline.rule.conditions_on_boundary,
                                  candidate.rule.conditions_on_boundary));
  CLM_RETURN_IF_ERROR(RequireSame("rule.masking", baseline.rule.masking, candidate.rule.masking));
  CLM_RETURN_IF_ERROR(RequireSame("documents", baseline.result.documents, candidate.result.documents));
  CLM_RETURN_IF_ERROR(RequireSame("original_bytes", baseline.result.original_bytes, candidate.result.original_bytes));
  for (size_t i = 0; i < baseline.result.document_bytes.size(); ++i) {
    CLM_RETURN_IF_ERROR(RequireSame(absl::StrCat("original bytes of document ", i), baseline.result.document_bytes[i],
                                    candidate.result.document_bytes[i]));
  }
  return absl::OkStatus();
}

template <typename T>
std::optional<double> Ratio(T candidate, T baseline) {
  if (!(candidate > T{0}) || !(baseline > T{0})) return std::nullopt;
  return static_cast<double>(candidate) / static_cast<double>(baseline);
}

uint64_t Total(const ReportedParameters& parameters) {
  return parameters.body + parameters.embedding + parameters.head;
}

}  // namespace

absl::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kUndecided:
      return "undecided";
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
  }
  return "";
}

absl::StatusOr<Comparison> CompareReports(const BpbReport& baseline, const BpbReport& candidate,
                                          const BootstrapOptions& options) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_RETURN_IF_ERROR(baseline.Validate());
  CLM_RETURN_IF_ERROR(candidate.Validate());
  CLM_RETURN_IF_ERROR(RequireComparable(baseline, candidate));
  Comparison comparison;
  comparison.baseline_bits_per_byte = baseline.result.bits_per_byte;
  comparison.candidate_bits_per_byte = candidate.result.bits_per_byte;
  comparison.delta_bits_per_byte = candidate.result.bits_per_byte - baseline.result.bits_per_byte;
  comparison.interval = BootstrapBitsPerByteDelta(baseline.result.document_nats, candidate.result.document_nats,
                                                  baseline.result.document_bytes, options);
  if (comparison.interval.high < 0) comparison.verdict = Verdict::kBetter;
  if (comparison.interval.low > 0) comparison.verdict = Verdict::kWorse;

  comparison.symbols_ratio = Ratio(candidate.result.symbols, baseline.result.symbols);
  comparison.scored_bytes_per_second_ratio = Ratio(candidate.result.bytes_per_second, baseline.result.bytes_per_second);
  comparison.decoded_bytes_per_second_ratio =
      Ratio(candidate.decoded_bytes_per_second, baseline.decoded_bytes_per_second);
  comparison.flops_per_byte_ratio = Ratio(candidate.flops_per_byte, baseline.flops_per_byte);
  comparison.parameters_ratio = Ratio(Total(candidate.parameters), Total(baseline.parameters));
  comparison.training_bytes_ratio = Ratio(candidate.training.original_bytes, baseline.training.original_bytes);
  comparison.training_symbols_ratio = Ratio(candidate.training.symbols, baseline.training.symbols);
  comparison.training_flops_ratio = Ratio(candidate.training.flops, baseline.training.flops);
  comparison.training_seconds_ratio = Ratio(candidate.training.seconds, baseline.training.seconds);
  return comparison;
}

}  // namespace clm
