#include "core/pipeline/document_split.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr uint64_t kReportBytes = 4 << 20;

// The three files being written.
class Splitter {
 public:
  Splitter(const SplitOptions& options, const PipelineContext& context) : options_(options), context_(context) {}

  absl::Status Open() {
    CLM_RETURN_IF_ERROR(context_.files.MakeDirectories(context_.work_folder));
    for (const Split split : kAllSplits) {
      CLM_ASSIGN_OR_RETURN(writers_[Index(split)], DocumentSpoolWriter::Create(context_.files, PathOf(split)));
    }
    return absl::OkStatus();
  }

  absl::Status Add(absl::string_view document) {
    const Sha256Digest sha256 = Sha256Of(document);
    const Split split = SplitOf(DocumentHash(sha256), options_);
    counts_.Add(split, document.size());
    digests_[Index(split)].Add(sha256);
    return writers_[Index(split)]->Append(document);
  }

  absl::StatusOr<SpooledSplits> Finish(const CorpusReaderStats& stats) {
    CLM_RETURN_IF_ERROR(counts_.Check(options_));
    SpooledSplits splits;
    splits.stats = stats;
    for (const Split split : kAllSplits) {
      CLM_RETURN_IF_ERROR(writers_[Index(split)]->Finish());
      CLM_ASSIGN_OR_RETURN(splits.spools[Index(split)], DocumentSpool::Open(context_.files, PathOf(split)));
      splits.documents_sha256[Index(split)] = digests_[Index(split)].Finish();
    }
    return splits;
  }

 private:
  static size_t Index(Split split) { return static_cast<size_t>(split); }
  std::string PathOf(Split split) const {
    return JoinPath(context_.work_folder, absl::StrCat(SplitName(split), ".documents"));
  }

  const SplitOptions& options_;
  const PipelineContext& context_;
  std::array<std::unique_ptr<DocumentSpoolWriter>, 3> writers_;
  std::array<DocumentSetDigest, 3> digests_;
  SplitCounts counts_;
};

}  // namespace

absl::StatusOr<SpooledSplits> SplitDocuments(const std::vector<std::string>& inputs,
                                             const CorpusReaderOptions& reader_options,
                                             const SplitOptions& split_options, const PipelineContext& context) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader,
                       DocumentReader::Open(context.files, inputs, reader_options, context.cancel));
  Splitter splitter(split_options, context);
  CLM_RETURN_IF_ERROR(splitter.Open());
  Progress progress;
  progress.phase = "read";
  progress.unit = "bytes";
  uint64_t next_report = 0;
  Document document;
  while (true) {
    CLM_ASSIGN_OR_RETURN(const bool more, reader->Next(document));
    if (!more) break;
    CLM_RETURN_IF_ERROR(splitter.Add(document.bytes));
    progress.done_units = reader->stats().stored_bytes_read;
    progress.total_units = reader->stats().stored_bytes_total;
    if (progress.done_units < next_report) continue;
    next_report = progress.done_units + kReportBytes;
    context.Report(progress);
  }
  if (reader->stats().documents == 0) return absl::InvalidArgumentError("the input holds no documents");
  return splitter.Finish(reader->stats());
}

}  // namespace clm
