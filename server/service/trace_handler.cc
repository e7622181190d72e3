#include "server/service/trace_handler.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/service/chunks.h"

namespace clm {
namespace {

constexpr uint32_t kMaxTopN = uint32_t{1} << 31;
constexpr uint32_t kMinPrecisionBits = 8;
constexpr uint32_t kMaxPrecisionBits = 32;
constexpr size_t kMaxTitleBytes = 256;

absl::Status CheckLength(absl::string_view field, size_t bytes, size_t limit) {
  if (bytes <= limit) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("has ", bytes, " bytes, the limit is ", limit));
}

absl::Status CheckReport(const v1::TraceReport& report) {
  if (!v1::TraceFormat_IsValid(report.format())) {
    return InvalidField("start.report.format", absl::StrCat(report.format(), " is no format of this version"));
  }
  return CheckLength("start.report.title", report.title().size(), kMaxTitleBytes);
}

absl::Status CheckStage(const v1::TraceStage& stage) {
  if (stage.name().empty()) return InvalidField("start.stage.name", "is required");
  const uint32_t precision = stage.precision_bits();
  if (precision != 0 && (precision < kMinPrecisionBits || precision > kMaxPrecisionBits)) {
    return InvalidField("start.stage.precision_bits",
                        absl::StrCat(precision, " is not in [", kMinPrecisionBits, ", ", kMaxPrecisionBits, "]"));
  }
  return CheckLength("start.stage.comment", stage.comment().size(), kMaxTracePromptBytes);
}

absl::Status CheckCorrect(const v1::TraceCorrect& correct) {
  if (!v1::CorrectionKind_IsValid(correct.kind()) || correct.kind() == v1::CORRECTION_KIND_UNSPECIFIED) {
    return InvalidField("start.correct.kind", absl::StrCat(correct.kind(), " is no kind of this version"));
  }
  if (correct.max_symbols() > kMaxCorrectedSymbols) {
    return InvalidField("start.correct.max_symbols",
                        absl::StrCat(correct.max_symbols(), " is not in [0, ", kMaxCorrectedSymbols, "]"));
  }
  return CheckLength("start.correct.prompt", correct.prompt().size(), kMaxTracePromptBytes);
}

// All data of the stream.
absl::StatusOr<std::string> ReadInput(MessageReader<v1::TraceRequest>& reader) {
  ChunkReader chunks(reader, "data",
                     [](v1::TraceRequest& request) { return request.has_data() ? request.mutable_data() : nullptr; });
  std::string input;
  std::string chunk;
  while (true) {
    CLM_ASSIGN_OR_RETURN(const bool more, chunks.Next(chunk));
    if (!more) return input;
    if (input.size() + chunk.size() > kMaxTraceInputBytes) {
      return WithReason(absl::ResourceExhaustedError(
                            absl::StrCat("a trace takes at most ", kMaxTraceInputBytes, " bytes, these are more")),
                        "TRACE_INPUT_TOO_LONG");
    }
    input += chunk;
  }
}

}  // namespace

absl::Status CheckTraceStart(const v1::TraceRequest::Start& start) {
  if (start.top_n() > kMaxTopN) {
    return InvalidField("start.top_n", absl::StrCat(start.top_n(), " is not in [0, ", kMaxTopN, "]"));
  }
  switch (start.task_case()) {
    case v1::TraceRequest::Start::kReport:
      return CheckReport(start.report());
    case v1::TraceRequest::Start::kStage:
      return CheckStage(start.stage());
    case v1::TraceRequest::Start::kCorrect:
      return CheckCorrect(start.correct());
    case v1::TraceRequest::Start::kPayload:
      return CheckLength("start.payload.prompt", start.payload().prompt().size(), kMaxTracePromptBytes);
    default:
      return InvalidField("start.task", "is required");
  }
}

absl::Status HandleTrace(Operations& operations, Metrics& metrics, const Call& call,
                         MessageReader<v1::TraceRequest>& reader, MessageWriter<v1::TraceResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const v1::TraceRequest first, ReadStart(reader));
  CLM_RETURN_IF_ERROR(CheckTraceStart(first.start()));
  CLM_ASSIGN_OR_RETURN(const std::string input, ReadInput(reader));
  std::string representation;
  uint64_t output_bytes = 0;
  TraceSinks sinks;
  sinks.begin = [&](const v1::TraceResponse::Header& header) {
    representation = header.representation();
    v1::TraceResponse response;
    *response.mutable_header() = header;
    return writer.Write(response);
  };
  sinks.rows = [&](std::span<const v1::TraceRow> rows) {
    v1::TraceResponse response;
    response.mutable_rows()->Add(rows.begin(), rows.end());
    return writer.Write(response);
  };
  sinks.bytes = [&](absl::string_view bytes) {
    output_bytes += bytes.size();
    return WriteChunks(writer, bytes,
                       [](v1::TraceResponse& response) -> std::string& { return *response.mutable_data(); });
  };
  CLM_ASSIGN_OR_RETURN(v1::TraceResponse::Summary summary,
                       operations.Trace(first.start(), input, sinks, call.cancel()));
  metrics.Add(kOriginalBytes, {"trace", representation}, static_cast<double>(summary.statistics().original_bytes()));
  summary.set_output_bytes(output_bytes);
  summary.set_seconds(absl::ToDoubleSeconds(call.elapsed()));
  v1::TraceResponse last;
  *last.mutable_summary() = std::move(summary);
  return writer.Write(last);
}

}  // namespace clm
