#include "core/eval/bpb_evaluator.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/base/units.h"

namespace clm {
namespace {

absl::Status CheckRange(absl::string_view field, uint64_t value, uint64_t low, uint64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, ", must lie in [", low, ", ", high, "]"));
}

absl::Status CheckMeasurable(const SequenceScorer& scorer, const Representation& representation,
                             const EvaluationDocuments& documents) {
  if (!representation.lossless()) {
    return absl::FailedPreconditionError(absl::StrCat("representation ", representation.kind(),
                                                      " is lossy; bits per byte are defined for lossless ones only"));
  }
  if (scorer.vocab_size() != representation.layout().vocab_size) {
    return absl::FailedPreconditionError(absl::StrCat("the model has a vocabulary of ", scorer.vocab_size(),
                                                      ", representation ", representation.kind(), " has ",
                                                      representation.layout().vocab_size));
  }
  if (documents.documents() == 0) return absl::InvalidArgumentError("no documents to evaluate");
  uint64_t bytes = 0;
  for (uint64_t d = 0; d < documents.documents(); ++d) bytes += documents.OriginalBytes(d);
  if (bytes == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", documents.documents(), " documents have no bytes; bits per byte are undefined"));
  }
  return absl::OkStatus();
}

// Consecutive documents scored in one call.
struct Group {
  uint64_t first = 0;
  uint64_t symbols = 0;
  std::vector<std::vector<SymbolId>> documents;
};

// Adds the scores of `group` to `result`.
absl::Status AddScores(const Group& group, const std::vector<ScoredDocument>& scores,
                       const EvaluationDocuments& documents, BpbResult& result) {
  if (scores.size() != group.documents.size()) {
    return absl::InternalError(
        absl::StrCat("the scorer returned ", scores.size(), " results for ", group.documents.size(), " documents"));
  }
  for (size_t i = 0; i < scores.size(); ++i) {
    const uint64_t document = group.first + i;
    const ScoredDocument& score = scores[i];
    if (score.symbols != group.documents[i].size()) {
      return absl::InternalError(absl::StrCat("document ", document, ": the scorer counted ", score.symbols,
                                              " symbols of ", group.documents[i].size()));
    }
    if (!std::isfinite(score.nats) || score.nats < 0) {
      return absl::InternalError(absl::StrCat("document ", document, ": a cost of ", score.nats, " nats"));
    }
    result.nats += score.nats;
    result.symbols += score.symbols;
    result.original_bytes += documents.OriginalBytes(document);
    ++result.documents;
    result.document_nats.push_back(score.nats);
    result.document_bytes.push_back(documents.OriginalBytes(document));
  }
  return absl::OkStatus();
}

absl::Status ReadChecked(const EvaluationDocuments& documents, uint64_t document, SymbolId boundary,
                         std::vector<SymbolId>& symbols) {
  CLM_RETURN_IF_ERROR(documents.Read(document, symbols));
  if (!symbols.empty() && symbols.back() == boundary) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("document ", document, " does not end with the boundary symbol ", boundary));
}

// Fills `group` from document `first` on, up to the limits of `options`. `next` holds a document already read that did
// not fit the group before, and is refilled likewise.
absl::Status FillGroup(const EvaluationDocuments& documents, const EvaluateBpbOptions& options, SymbolId boundary,
                       std::vector<SymbolId>& next, Group& group) {
  group.first += group.documents.size();
  group.symbols = 0;
  group.documents.clear();
  while (group.documents.size() < options.max_documents_per_call) {
    const uint64_t document = group.first + group.documents.size();
    if (document == documents.documents()) break;
    if (next.empty()) CLM_RETURN_IF_ERROR(ReadChecked(documents, document, boundary, next));
    if (!group.documents.empty() && group.symbols + next.size() > options.max_symbols_per_call) break;
    group.symbols += next.size();
    group.documents.push_back(std::move(next));
    next.clear();
  }
  return absl::OkStatus();
}

void Report(const ProgressSink& sink, const BpbResult& result, uint64_t total_bytes, double seconds) {
  if (!sink) return;
  Progress progress;
  progress.phase = "evaluate";
  progress.unit = "bytes";
  progress.done_units = result.original_bytes;
  progress.total_units = total_bytes;
  if (result.original_bytes > 0) {
    const auto done = static_cast<double>(result.original_bytes);
    progress.remaining_seconds = seconds * static_cast<double>(total_bytes - result.original_bytes) / done;
    progress.metrics.push_back({"bits_per_byte", BitsPerByte(result.nats, done)});
  }
  sink(progress);
}

}  // namespace

absl::Status IdStreamDocuments::Read(uint64_t document, std::vector<SymbolId>& symbols) const {
  stream_.ReadDocument(document, symbols);
  return absl::OkStatus();
}

absl::Status EncodedDocuments::Read(uint64_t document, std::vector<SymbolId>& symbols) const {
  CLM_ASSIGN_OR_RETURN(symbols, representation_.Encode(documents_[document]));
  symbols.push_back(representation_.layout().boundary);
  return absl::OkStatus();
}

absl::Status EvaluateBpbOptions::Validate() const {
  CLM_RETURN_IF_ERROR(CheckRange("max_symbols_per_call", max_symbols_per_call, 1, uint64_t{1} << 31));
  CLM_RETURN_IF_ERROR(CheckRange("max_documents_per_call", max_documents_per_call, 1, uint64_t{1} << 20));
  return bootstrap.Validate();
}

absl::StatusOr<BpbResult> EvaluateBpb(SequenceScorer& scorer, const Representation& representation,
                                      const EvaluationDocuments& documents, const EvaluateBpbOptions& options,
                                      const EvaluationContext& context) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_RETURN_IF_ERROR(CheckMeasurable(scorer, representation, documents));
  uint64_t total_bytes = 0;
  for (uint64_t d = 0; d < documents.documents(); ++d) total_bytes += documents.OriginalBytes(d);

  const absl::Duration start = context.clock.Monotonic();
  const auto seconds = [&] { return absl::ToDoubleSeconds(context.clock.Monotonic() - start); };
  BpbResult result;
  Group group;
  std::vector<SymbolId> next;
  while (result.documents < documents.documents()) {
    CLM_RETURN_IF_ERROR(context.cancel.Check());
    CLM_RETURN_IF_ERROR(FillGroup(documents, options, representation.layout().boundary, next, group));
    CLM_ASSIGN_OR_RETURN(const std::vector<ScoredDocument> scores, scorer.Score(group.documents, context.cancel));
    CLM_RETURN_IF_ERROR(AddScores(group, scores, documents, result));
    Report(context.progress, result, total_bytes, seconds());
  }
  result.seconds = seconds();
  const auto bytes = static_cast<double>(result.original_bytes);
  result.bits_per_byte = BitsPerByte(result.nats, bytes);
  result.symbols_per_byte = static_cast<double>(result.symbols) / bytes;
  result.bytes_per_second = result.seconds > 0 ? bytes / result.seconds : 0;
  result.interval = BootstrapBitsPerByte(result.document_nats, result.document_bytes, options.bootstrap);
  return result;
}

}  // namespace clm
