#include "core/pipeline/stream_writer.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// Bytes between two progress reports.
constexpr uint64_t kReportBytes = 1 << 20;

absl::Status CheckRoundTrip(absl::string_view document, uint64_t index, const std::vector<SymbolId>& symbols,
                            const Representation& representation) {
  CLM_ASSIGN_OR_RETURN(const std::string restored, representation.Decode(symbols));
  if (restored == document) return absl::OkStatus();
  const size_t common = std::min(restored.size(), document.size());
  const size_t at = static_cast<size_t>(
      std::mismatch(restored.begin(), restored.begin() + static_cast<ptrdiff_t>(common), document.begin()).first -
      restored.begin());
  return absl::DataLossError(absl::StrCat("document ", index, " of ", document.size(),
                                          " bytes does not come back from ", representation.kind(), ": byte ", at,
                                          " differs"));
}

}  // namespace

absl::StatusOr<IdStreamHeader> WriteStream(const DocumentSpool& documents, const Representation& representation,
                                           const IdStreamOptions& options, const std::string& path,
                                           const PipelineContext& context, Progress& progress) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<IdStreamWriter> writer,
                       IdStreamWriter::Create(context.files, path, options));
  uint64_t next_report = progress.done_units;
  for (uint64_t d = 0; d < documents.documents(); ++d) {
    CLM_RETURN_IF_ERROR(context.cancel.Check());
    const absl::string_view document = documents.Document(d);
    CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> symbols, representation.Encode(document));
    CLM_RETURN_IF_ERROR(CheckRoundTrip(document, d, symbols, representation));
    CLM_RETURN_IF_ERROR(writer->AppendDocument(symbols, document.size()));
    progress.done_units += document.size();
    if (progress.done_units < next_report) continue;
    next_report = progress.done_units + kReportBytes;
    context.Report(progress);
  }
  return writer->Finish();
}

}  // namespace clm
