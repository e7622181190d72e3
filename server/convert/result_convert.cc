#include "server/convert/result_convert.h"

#include <string>

namespace clm {
namespace {

void Set(v1::Interval& proto, double value, const Interval& interval) {
  proto.set_value(value);
  proto.set_low(interval.low);
  proto.set_high(interval.high);
}

}  // namespace

v1::PrepareResult ToProto(const PrepareOutcome& outcome) {
  v1::PrepareResult proto;
  proto.set_corpus(outcome.corpus.Name());
  proto.set_tokenizer(outcome.tokenizer.Name());
  if (!outcome.universe.empty()) proto.set_universe(outcome.universe.Name());
  for (const Split split : kAllSplits) {
    const PrepareSplitReport& report = outcome.report.split(split);
    for (const auto& [kind, symbols] : report.symbols) {
      v1::PreparedStream& stream = *proto.add_streams();
      stream.set_split(std::string(SplitName(split)));
      stream.set_representation(kind);
      stream.set_documents(report.documents);
      stream.set_original_bytes(report.original_bytes);
      stream.set_symbols(symbols);
    }
  }
  proto.set_bad_lines(outcome.report.bad_lines);
  for (const std::string& example : outcome.bad_line_examples) proto.add_bad_line_examples(example);
  for (const auto& [kind, size] : outcome.vocab_sizes) (*proto.mutable_vocab_sizes())[kind] = size;
  for (const PrepareLayerReport& layer : outcome.report.layers) {
    proto.add_universe_layer_sizes(static_cast<uint32_t>(layer.definitions));
  }
  proto.set_round_trip_proven(outcome.report.round_trip_verified);
  return proto;
}

v1::TrainResult ToProto(const TrainOutcome& outcome) {
  v1::TrainResult proto;
  proto.set_checkpoint(outcome.checkpoint.Name());
  proto.set_report(outcome.report.Name());
  proto.set_steps(outcome.result.steps);
  proto.set_original_bytes(outcome.result.original_bytes);
  proto.set_parameters(outcome.result.parameters.total());
  proto.set_loss_nats_per_byte(outcome.result.final_loss_nats_per_byte);
  for (const ValidationPoint& validation : outcome.result.validations) {
    v1::TrainPoint& point = *proto.add_curve();
    point.set_step(validation.step);
    point.set_original_bytes(validation.original_bytes);
    point.set_validation_bits_per_byte(validation.bits_per_byte);
    proto.set_validation_bits_per_byte(validation.bits_per_byte);
  }
  proto.set_bytes_per_second(outcome.result.original_bytes_per_second());
  return proto;
}

v1::EvaluateResult ToProto(const EvaluateOutcome& outcome) {
  const BpbReport& report = outcome.result;
  v1::EvaluateResult proto;
  proto.set_report(outcome.report.Name());
  proto.set_representation(report.representation);
  Set(*proto.mutable_bits_per_byte(), report.result.bits_per_byte, report.result.interval);
  proto.set_original_bytes(report.result.original_bytes);
  proto.set_documents(report.result.documents);
  proto.set_symbols(report.result.symbols);
  proto.set_scored_bytes_per_second(report.result.bytes_per_second);
  proto.set_generated_bytes_per_second(report.decoded_bytes_per_second);
  proto.set_parameters(report.parameters.body + report.parameters.embedding + report.parameters.head);
  return proto;
}

v1::CompareResponse ToProto(const Comparison& comparison) {
  v1::CompareResponse proto;
  Set(*proto.mutable_delta_bits_per_byte(), comparison.delta_bits_per_byte, comparison.interval);
  proto.set_baseline_bits_per_byte(comparison.baseline_bits_per_byte);
  proto.set_candidate_bits_per_byte(comparison.candidate_bits_per_byte);
  proto.set_symbols_ratio(comparison.symbols_ratio.value_or(0));
  proto.set_scored_bytes_per_second_ratio(comparison.scored_bytes_per_second_ratio.value_or(0));
  proto.set_generated_bytes_per_second_ratio(comparison.decoded_bytes_per_second_ratio.value_or(0));
  proto.set_flops_per_byte_ratio(comparison.flops_per_byte_ratio.value_or(0));
  proto.set_parameters_ratio(comparison.parameters_ratio.value_or(0));
  proto.set_verdict(std::string(VerdictName(comparison.verdict)));
  return proto;
}

v1::JobProgress ToProto(const Progress& progress) {
  v1::JobProgress proto;
  proto.set_phase(progress.phase);
  proto.set_done_units(progress.done_units);
  proto.set_total_units(progress.total_units);
  proto.set_unit(progress.unit);
  proto.set_remaining_seconds(progress.remaining_seconds);
  for (const ProgressMetric& metric : progress.metrics) {
    v1::Metric& added = *proto.add_metrics();
    added.set_name(metric.name);
    added.set_value(metric.value);
  }
  return proto;
}

}  // namespace clm
