#include "core/data/corpus_reader.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr uint64_t kMaxPieceBytes = (uint64_t{4} << 30) - 1;
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

absl::Status CheckRange(absl::string_view field, uint64_t value, uint64_t low, uint64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, ", must lie in [", low, ", ", high, "]"));
}

bool IsJsonlName(absl::string_view path) {
  const absl::string_view name = WithoutCompressionSuffix(path);
  return absl::EndsWith(name, ".jsonl") || absl::EndsWith(name, ".ndjson");
}

bool IsBlankJson(absl::string_view line) { return line.find_first_not_of(" \t\r") == absl::string_view::npos; }

}  // namespace

absl::Status CorpusReaderOptions::Validate() const {
  if (text_split == TextSplit::kSeparator) {
    CLM_RETURN_IF_ERROR(CheckRange("length of document_separator", document_separator.size(), 1, 1'024));
  }
  CLM_RETURN_IF_ERROR(CheckRange("length of text_field", text_field.size(), 1, 256));
  CLM_RETURN_IF_ERROR(CheckRange("max_line_bytes", max_line_bytes, 1, kMaxPieceBytes));
  CLM_RETURN_IF_ERROR(CheckRange("max_document_bytes", max_document_bytes, 1, kMaxPieceBytes));
  return CheckRange("max_corpus_bytes", max_corpus_bytes, 1, UINT64_MAX);
}

std::string BadLine::ToString() const { return absl::StrCat(path, ":", line, ": ", reason); }

absl::StatusOr<std::unique_ptr<DocumentReader>> DocumentReader::Open(const FileSystem& files,
                                                                     const std::vector<std::string>& inputs,
                                                                     const CorpusReaderOptions& options,
                                                                     const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(options.Validate());
  std::unique_ptr<DocumentReader> reader(new DocumentReader(files, options, cancel));
  CLM_ASSIGN_OR_RETURN(reader->paths_, ExpandInputs(files, inputs, options.files));
  for (const std::string& path : reader->paths_) {
    CLM_ASSIGN_OR_RETURN(const uint64_t size, files.SizeBytes(path));
    reader->stats_.stored_bytes_total += size;
  }
  return reader;
}

absl::StatusOr<bool> DocumentReader::Next(Document& document) {
  CLM_RETURN_IF_ERROR(failure_);
  absl::StatusOr<bool> more = Advance(document);
  failure_ = more.status();
  return more;
}

absl::StatusOr<bool> DocumentReader::Advance(Document& document) {
  if (options_.max_documents != 0 && stats_.documents >= options_.max_documents) return false;
  while (true) {
    CLM_RETURN_IF_ERROR(cancel_.Check());
    if (path_.empty() && next_path_ == paths_.size()) return false;
    if (path_.empty()) CLM_RETURN_IF_ERROR(OpenFile());
    CLM_ASSIGN_OR_RETURN(const bool found, NextInFile(document));
    stats_.stored_bytes_read =
        stored_bytes_before_ + (whole_ != nullptr ? whole_->stored_bytes_read() : pieces_->stored_bytes_read());
    if (found) break;
    CloseFile();
  }
  document.path = path_;
  ++stats_.documents;
  stats_.original_bytes += document.bytes.size();
  if (stats_.original_bytes > options_.max_corpus_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(path_, ":", document.place, ": the corpus has more than ",
                                                     options_.max_corpus_bytes, " bytes (max_corpus_bytes)"));
  }
  return true;
}

absl::Status DocumentReader::OpenFile() {
  path_ = paths_[next_path_++];
  ++stats_.files;
  place_ = 0;
  jsonl_ = options_.format == InputFormat::kJsonl || (options_.format == InputFormat::kAuto && IsJsonlName(path_));
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<InputStream> stream, OpenInput(files_, path_));
  if (!jsonl_ && options_.text_split == TextSplit::kWholeFile) {
    whole_ = std::move(stream);
    return absl::OkStatus();
  }
  const bool by_separator = !jsonl_ && options_.text_split == TextSplit::kSeparator;
  pieces_ = std::make_unique<DelimitedReader>(std::move(stream), by_separator ? options_.document_separator : "\n",
                                              jsonl_ ? options_.max_line_bytes : options_.max_document_bytes);
  return absl::OkStatus();
}

void DocumentReader::CloseFile() {
  stored_bytes_before_ = stats_.stored_bytes_read;
  path_.clear();
  whole_.reset();
  pieces_.reset();
}

absl::StatusOr<bool> DocumentReader::NextInFile(Document& document) {
  if (jsonl_) return NextJsonLine(document);
  if (whole_ != nullptr) return NextWholeFile(document);
  if (options_.text_split == TextSplit::kBlankLines) return NextParagraph(document);
  return NextPiece(document);
}

absl::Status DocumentReader::DocumentTooLong() const {
  return absl::ResourceExhaustedError(absl::StrCat(path_, ":", place_, ": a document is longer than ",
                                                   options_.max_document_bytes, " bytes (max_document_bytes)"));
}

absl::StatusOr<bool> DocumentReader::NextWholeFile(Document& document) {
  if (place_ == 1) return false;
  place_ = document.place = 1;
  document.bytes.clear();
  std::string chunk;
  do {
    CLM_RETURN_IF_ERROR(cancel_.Check());
    CLM_RETURN_IF_ERROR(whole_->Read(chunk));
    document.bytes += chunk;
    if (document.bytes.size() > options_.max_document_bytes) return DocumentTooLong();
  } while (!chunk.empty());
  return true;
}

absl::StatusOr<bool> DocumentReader::NextPiece(Document& document) {
  while (true) {
    CLM_ASSIGN_OR_RETURN(const DelimitedReader::Result result, pieces_->Next(document.bytes));
    if (result == DelimitedReader::Result::kEnd) return false;
    document.place = ++place_;
    if (result == DelimitedReader::Result::kTooLong) return DocumentTooLong();
    if (!document.bytes.empty()) return true;
    ++stats_.empty_pieces;
  }
}

absl::StatusOr<bool> DocumentReader::NextParagraph(Document& document) {
  document.bytes.clear();
  bool started = false;
  while (true) {
    CLM_ASSIGN_OR_RETURN(const DelimitedReader::Result result, pieces_->Next(line_));
    if (result == DelimitedReader::Result::kEnd) return started;
    ++place_;
    if (result == DelimitedReader::Result::kTooLong) return DocumentTooLong();
    const bool blank = line_.empty() || line_ == "\r";
    if (blank && started) return true;
    if (blank) {
      ++stats_.empty_pieces;
      continue;
    }
    if (started) {
      document.bytes += '\n';
    } else {
      document.place = place_;
      started = true;
    }
    document.bytes += line_;
    if (document.bytes.size() > options_.max_document_bytes) return DocumentTooLong();
  }
}

absl::StatusOr<bool> DocumentReader::NextJsonLine(Document& document) {
  while (true) {
    CLM_RETURN_IF_ERROR(cancel_.Check());
    CLM_ASSIGN_OR_RETURN(const DelimitedReader::Result result, pieces_->Next(line_));
    if (result == DelimitedReader::Result::kEnd) return false;
    document.place = ++place_;
    CLM_ASSIGN_OR_RETURN(const bool found, TakeJsonLine(result == DelimitedReader::Result::kTooLong, document));
    if (found) return true;
  }
}

absl::StatusOr<bool> DocumentReader::TakeJsonLine(bool too_long, Document& document) {
  const auto bad = [this](std::string reason) -> absl::StatusOr<bool> {
    CLM_RETURN_IF_ERROR(AddBadLine(std::move(reason)));
    return false;
  };
  if (too_long) return bad(absl::StrCat("longer than ", options_.max_line_bytes, " bytes (max_line_bytes)"));
  if (place_ == 1 && absl::StartsWith(line_, kByteOrderMark)) line_.erase(0, kByteOrderMark.size());
  if (IsBlankJson(line_)) {
    ++stats_.blank_lines;
    return false;
  }
  if (const absl::Status parsed = json_.Parse(line_, document.bytes); !parsed.ok()) {
    return bad(std::string(parsed.message()));
  }
  if (document.bytes.size() <= options_.max_document_bytes) return true;
  return bad(absl::StrCat("its text has ", document.bytes.size(), " bytes, the limit is ", options_.max_document_bytes,
                          " (max_document_bytes)"));
}

absl::Status DocumentReader::AddBadLine(std::string reason) {
  BadLine bad{path_, place_, std::move(reason)};
  ++stats_.bad_lines;
  const std::string text = bad.ToString();
  if (stats_.bad_line_examples.size() < CorpusReaderStats::kMaxExamples) {
    stats_.bad_line_examples.push_back(std::move(bad));
  }
  if (stats_.bad_lines <= options_.max_bad_lines) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "more than ", options_.max_bad_lines,
      " bad lines (max_bad_lines); the first: ", stats_.bad_line_examples.front().ToString(), "; the last: ", text));
}

}  // namespace clm
