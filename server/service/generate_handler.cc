#include "server/service/generate_handler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/service/chunks.h"
#include "server/service/symbol_bytes.h"

namespace clm {
namespace {

constexpr double kMaxTemperature = 100;
constexpr int kMaxStops = 16;
constexpr size_t kMaxStopBytes = 1024;
constexpr uint64_t kDefaultNewBytes = 256;
constexpr uint32_t kSymbolWidthBytes = 4;

absl::Status CheckStops(const v1::GenerateRequest& request) {
  if (request.stop_size() > kMaxStops) {
    return InvalidField("stop", absl::StrCat(request.stop_size(), " strings, the limit is ", kMaxStops));
  }
  for (const std::string& stop : request.stop()) {
    if (stop.empty()) return InvalidField("stop", "an empty string would stop before anything");
    if (stop.size() > kMaxStopBytes) {
      return InvalidField("stop", absl::StrCat("a string of ", stop.size(), " bytes, the limit is ", kMaxStopBytes));
    }
  }
  return absl::OkStatus();
}

void CountGeneration(Metrics& metrics, const GenerateOutcome& outcome) {
  const v1::GenerateResponse::Summary& summary = outcome.summary;
  metrics.Add(kGeneratedSymbols, {outcome.kind}, static_cast<double>(summary.new_symbols()));
  metrics.Add(kDecodedBytes, {"generate", outcome.kind}, static_cast<double>(summary.new_bytes()));
  if (summary.new_symbols() > 0) metrics.Observe(kTimeToFirstSymbol, {outcome.kind}, summary.first_symbol_seconds());
  if (summary.new_symbols() > 1) {
    metrics.Observe(kInterSymbol, {outcome.kind},
                    summary.generation_seconds() / static_cast<double>(summary.new_symbols() - 1));
  }
}

}  // namespace

absl::Status CheckGenerateRequest(const v1::GenerateRequest& request) {
  if (request.checkpoint().empty()) return InvalidField("checkpoint", "is required");
  if (request.prompt().size() > kMaxPromptBytes) {
    return InvalidField("prompt",
                        absl::StrCat("has ", request.prompt().size(), " bytes, the limit is ", kMaxPromptBytes));
  }
  // Written so that NaN is refused too.
  if (request.has_temperature() && !(request.temperature() >= 0 && request.temperature() <= kMaxTemperature)) {
    return InvalidField("temperature", absl::StrCat(request.temperature(), " is not in [0, ", kMaxTemperature, "]"));
  }
  if (request.has_top_p() && !(request.top_p() > 0 && request.top_p() <= 1)) {
    return InvalidField("top_p", absl::StrCat(request.top_p(), " is not in (0, 1]"));
  }
  if (request.max_new_bytes() > kMaxNewBytes) {
    return InvalidField("max_new_bytes", absl::StrCat(request.max_new_bytes(), " is not in [0, ", kMaxNewBytes, "]"));
  }
  return CheckStops(request);
}

v1::GenerateRequest WithGenerateDefaults(v1::GenerateRequest request) {
  if (!request.has_temperature()) request.set_temperature(1);
  if (!request.has_top_p()) request.set_top_p(1);
  if (request.max_new_bytes() == 0) {
    request.set_max_new_bytes(request.max_new_symbols() == 0 ? kDefaultNewBytes : kMaxNewBytes);
  }
  return request;
}

absl::Status HandleGenerate(Operations& operations, Metrics& metrics, const Call& call,
                            const v1::GenerateRequest& request, MessageWriter<v1::GenerateResponse>& writer) {
  CLM_RETURN_IF_ERROR(CheckGenerateRequest(request));
  const auto sink = [&](absl::string_view text, std::span<const SymbolId> symbols) {
    v1::GenerateResponse response;
    response.set_text(text.data(), text.size());
    PackSymbols(symbols, kSymbolWidthBytes, *response.mutable_symbols());
    return writer.Write(response);
  };
  CLM_ASSIGN_OR_RETURN(GenerateOutcome outcome,
                       operations.Generate(WithGenerateDefaults(request), sink, call.cancel()));
  CountGeneration(metrics, outcome);
  v1::GenerateResponse last;
  *last.mutable_summary() = std::move(outcome.summary);
  return writer.Write(last);
}

}  // namespace clm
