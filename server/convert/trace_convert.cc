#include "server/convert/trace_convert.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/status_macros.h"
#include "core/trace/correction.h"
#include "core/trace/heat_map.h"
#include "core/trace/rank_histogram.h"
#include "core/trace/stages.h"
#include "core/trace/trace.h"
#include "core/trace/trace_statistics.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

using Summary = v1::TraceResponse::Summary;

constexpr uint32_t kDefaultTopN = 128;
constexpr uint64_t kDefaultMaxSymbols = 256;
constexpr size_t kRowsPerMessage = 4096;
constexpr size_t kMaxHistogramBars = 1025;
constexpr char kUnverified[] = "a .bin has no checksum: what was read is unverified";

uint32_t TopNOf(const v1::TraceRequest::Start& start) { return start.has_top_n() ? start.top_n() : kDefaultTopN; }

TraceOptions TraceOptionsOf(const v1::TraceRequest::Start& start) {
  TraceOptions options;
  options.top_n = TopNOf(start);
  options.window = start.window_symbols();
  options.stop_after = start.stop_after_symbols();
  options.max_symbols = kMaxStageSymbols;
  return options;
}

StageOptions StageOptionsOf(const v1::TraceRequest::Start& start) {
  StageOptions options;
  options.context_window = start.window_symbols();
  options.top_n = TopNOf(start);
  options.stop_after = start.stop_after_symbols();
  if (start.stage().precision_bits() != 0) options.precision_bits = static_cast<int>(start.stage().precision_bits());
  options.comment = start.stage().comment();
  return options;
}

StageModel StageModelOf(const TraceModel& model) {
  return {.name = model.name, .representation = model.representation.get(), .predictor = model.predictor.get()};
}

absl::Status SendRows(const std::vector<TraceRow>& rows, const TraceSinks& sinks) {
  std::vector<v1::TraceRow> messages;
  for (const TraceRow& row : rows) {
    v1::TraceRow& message = messages.emplace_back();
    message.set_token(row.token);
    message.set_rank(row.rank);
    message.set_probability(row.probability);
    message.set_bits(row.bits);
    message.set_entropy(row.entropy);
    if (messages.size() < kRowsPerMessage) continue;
    CLM_RETURN_IF_ERROR(sinks.rows(messages));
    messages.clear();
  }
  return messages.empty() ? absl::OkStatus() : sinks.rows(messages);
}

absl::StatusOr<v1::TraceResponse::Statistics> StatisticsMessage(const Trace& trace) {
  const TraceStatistics statistics = StatisticsOf(trace.rows, trace.original_bytes);
  CLM_ASSIGN_OR_RETURN(const RankCosts costs, CostsOf(trace));
  CLM_ASSIGN_OR_RETURN(const RankBin bin, EncodeRankBin(RankSymbolsOf(trace.rows)));
  const RankBinSizes sizes = SizesOf(bin);
  v1::TraceResponse::Statistics out;
  out.set_symbols(statistics.symbols);
  out.set_original_bytes(statistics.original_bytes);
  out.set_hits(statistics.hits);
  out.set_misses(statistics.misses);
  out.set_perfect(statistics.perfect);
  out.set_bits(statistics.bits);
  out.set_entropy_bits(statistics.entropy);
  out.set_probability_bytes(costs.probability_bytes);
  out.set_rank_static_bytes(costs.rank_static_bytes);
  out.set_rank_adaptive_bytes(costs.rank_adaptive_bytes);
  out.set_rank_bin_bytes(costs.rank_bin_bytes);
  out.set_rank_bin_symbol_bytes(sizes.symbol_table_bytes);
  out.set_rank_bin_count_bytes(sizes.count_table_bytes);
  out.set_rank_bin_payload_bytes(sizes.payload_bytes);
  const std::vector<double> histogram = RankHistogram(trace.rows);
  for (size_t i = 0; i < std::min(histogram.size(), kMaxHistogramBars); ++i) out.add_histogram_percent(histogram[i]);
  return out;
}

// The rows as stage modelToInx would write them.
absl::StatusOr<std::string> TraceJson(const TraceModel& model, const v1::TraceRequest::Start& start,
                                      const Trace& trace) {
  StageDocument document;
  document.model_name = model.name;
  document.vocab_size = model.representation->layout().vocab_size;
  document.comment = start.report().title();
  document.context_window = start.window_symbols();
  document.top_n = TopNOf(start);
  document.token_list = trace.rows;
  return WriteStageJson(document);
}

// What a report shows as bytes; empty when its format has none.
absl::StatusOr<std::string> ReportBytes(const TraceModel& model, const v1::TraceRequest::Start& start,
                                        const Trace& trace) {
  const std::string& title = start.report().title();
  switch (start.report().format()) {
    case v1::TRACE_FORMAT_JSON:
      return TraceJson(model, start, trace);
    case v1::TRACE_FORMAT_HISTOGRAM_SVG:
      return RankHistogramSvg(RankHistogram(trace.rows), title);
    case v1::TRACE_FORMAT_HEAT_MAP_HTML:
      return HeatMapHtml(*model.representation, trace.rows, title);
    default:
      return std::string();
  }
}

bool ShowsRows(v1::TraceFormat format) {
  return format == v1::TRACE_FORMAT_ROWS || format == v1::TRACE_FORMAT_UNSPECIFIED;
}

absl::StatusOr<Summary> RunReport(const TraceModel& model, const v1::TraceRequest::Start& start, absl::string_view text,
                                  const TraceSinks& sinks, const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const Trace trace,
                       TraceText(*model.representation, *model.predictor, text, TraceOptionsOf(start), cancel));
  CLM_ASSIGN_OR_RETURN(const std::string bytes, ReportBytes(model, start, trace));
  CLM_RETURN_IF_ERROR(sinks.bytes(bytes));
  if (ShowsRows(start.report().format())) CLM_RETURN_IF_ERROR(SendRows(trace.rows, sinks));
  Summary summary;
  CLM_ASSIGN_OR_RETURN(*summary.mutable_statistics(), StatisticsMessage(trace));
  return summary;
}

absl::StatusOr<Summary> RunStageTask(const TraceModel& model, const v1::TraceRequest::Start& start,
                                     absl::string_view input, const TraceSinks& sinks,
                                     const CancellationToken& cancel) {
  const StageModel stage_model = StageModelOf(model);
  const std::string& name = start.stage().name();
  CLM_ASSIGN_OR_RETURN(const std::string output, RunStage(name, &stage_model, input, StageOptionsOf(start), cancel));
  CLM_RETURN_IF_ERROR(sinks.bytes(output));
  Summary summary;
  if (name == "binToRange") summary.add_warnings(kUnverified);
  return summary;
}

absl::StatusOr<Corrections> CorrectionsOf(v1::CorrectionKind kind, absl::string_view data) {
  switch (kind) {
    case v1::CORRECTION_KIND_ZEROS:
      if (!data.empty()) return InvalidField("data", "zeros are corrections without data");
      return Corrections(ZeroCorrections{});
    case v1::CORRECTION_KIND_NIBBLES:
      return Corrections(NibbleCorrections{std::string(data)});
    case v1::CORRECTION_KIND_PAYLOAD:
      return Corrections(PayloadCorrections{std::string(data)});
    default:
      break;
  }
  if (data.size() % 4 != 0) return InvalidField("data", absl::StrCat(data.size(), " bytes are no numbers of 4 each"));
  RankCorrections ranks;
  ByteReader in(data);
  for (uint32_t value = 0; in.ReadU32(value);) ranks.ranks.push_back(static_cast<RankSymbol>(value));
  return Corrections(std::move(ranks));
}

CorrectionOptions CorrectionOptionsOf(const v1::TraceRequest::Start& start) {
  CorrectionOptions options;
  options.window = start.window_symbols();
  options.max_symbols = start.correct().max_symbols() == 0 ? kDefaultMaxSymbols : start.correct().max_symbols();
  options.greedy_tail = start.correct().greedy_tail();
  options.stop_at_boundary = !start.correct().ignore_boundary();
  return options;
}

absl::StatusOr<Summary> RunCorrect(const TraceModel& model, const v1::TraceRequest::Start& start,
                                   absl::string_view input, const TraceSinks& sinks, const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const Corrections corrections, CorrectionsOf(start.correct().kind(), input));
  CLM_ASSIGN_OR_RETURN(const CorrectedText text,
                       GenerateFromCorrections(*model.representation, *model.predictor, start.correct().prompt(),
                                               corrections, CorrectionOptionsOf(start), cancel));
  CLM_RETURN_IF_ERROR(sinks.bytes(text.text));
  Summary summary;
  v1::TraceResponse::Corrected& corrected = *summary.mutable_corrected();
  corrected.set_symbols(text.symbols.size());
  corrected.set_used_corrections(text.used_corrections);
  corrected.set_unused_corrections(text.unused_corrections);
  corrected.set_end(static_cast<v1::CorrectionEnd>(text.end));
  return summary;
}

absl::StatusOr<Summary> RunPayload(const TraceModel& model, const v1::TraceRequest::Start& start,
                                   absl::string_view text, const TraceSinks& sinks, const CancellationToken& cancel) {
  CorrectionOptions options;
  options.window = start.window_symbols();
  options.max_symbols = kMaxStageSymbols;
  CLM_ASSIGN_OR_RETURN(const std::string payload, PayloadOfText(*model.representation, *model.predictor,
                                                                start.payload().prompt(), text, options, cancel));
  CLM_RETURN_IF_ERROR(sinks.bytes(payload));
  return Summary();
}

}  // namespace

absl::StatusOr<v1::TraceResponse::Summary> RunTrace(const TraceModel& model, const v1::TraceRequest::Start& start,
                                                    absl::string_view input, const TraceSinks& sinks,
                                                    const CancellationToken& cancel) {
  v1::TraceResponse::Header header;
  header.set_model(model.name);
  header.set_representation(model.representation->kind());
  header.set_vocab_size(model.representation->layout().vocab_size);
  header.set_fingerprint(model.predictor->fingerprint());
  CLM_RETURN_IF_ERROR(sinks.begin(header));
  switch (start.task_case()) {
    case v1::TraceRequest::Start::kStage:
      return RunStageTask(model, start, input, sinks, cancel);
    case v1::TraceRequest::Start::kCorrect:
      return RunCorrect(model, start, input, sinks, cancel);
    case v1::TraceRequest::Start::kPayload:
      return RunPayload(model, start, input, sinks, cancel);
    default:
      return RunReport(model, start, input, sinks, cancel);
  }
}

}  // namespace clm
