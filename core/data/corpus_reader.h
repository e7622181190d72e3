// DocumentReader: the documents of a corpus, one after the other, from files, folders and globs.
//
//   CLM_ASSIGN_OR_RETURN(auto reader, DocumentReader::Open(files, {"logs", "notes/*.jsonl.zst"}, options));
//   Document document;
//   while (true) {
//     CLM_ASSIGN_OR_RETURN(const bool more, reader->Next(document));
//     if (!more) break;
//     ...
//   }
//   for (const BadLine& bad : reader->stats().bad_line_examples) ...
//
// A document keeps its ORIGINAL bytes: those of the file for text, those of the unescaped field for JSONL. Text may
// hold any bytes; JSONL is UTF-8 by definition. What is not a document is never dropped silently: bad JSONL lines are
// counted and the first ones described with file and line; empty pieces of split text are counted.
//
// Memory: one document, one line and the decompressor; never the corpus. Order: that of ExpandInputs.
// Thread-safety: not thread-safe. Ownership: the FileSystem must outlive the reader.
// Errors of Next: RESOURCE_EXHAUSTED naming file, place and limit for text over a limit; INVALID_ARGUMENT when more
// lines are bad than allowed; DATA_LOSS for damaged compressed files; CANCELLED. After an error the reader only repeats
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/file_io.h"
#include "core/data/delimited_reader.h"
#include "core/data/input_files.h"
#include "core/data/json_line.h"

namespace clm {

struct Document {
  std::string bytes;   // ORIGINAL bytes
  std::string path;    // file it came from
  uint64_t place = 0;  // 1-based: line for JSONL and text split by lines or blank lines, else number of the piece
};

enum class InputFormat : uint8_t {
  kAuto,  // by name, after .gz or .zst is taken off: .jsonl and .ndjson are JSONL, everything else is text
  kText,
  kJsonl,
};

// What one document is in a text file.
enum class TextSplit : uint8_t {
  kWholeFile,   // the file; an empty file is an empty document
  kLines,       // each line without its '\n'; empty lines are counted, not documents
  kBlankLines,  // each run of lines between lines that are empty (or only '\r'), without the last '\n'
  kSeparator,   // what lies between occurrences of a fixed string; empty pieces are counted, not documents
};

struct CorpusReaderOptions {
  InputFormat format = InputFormat::kAuto;
  TextSplit text_split = TextSplit::kWholeFile;
  // For TextSplit::kSeparator; 1 to 1,024 bytes.
  std::string document_separator;
  // JSONL: the field that holds the text; 1 to 256 bytes.
  std::string text_field = "text";
  // JSONL lines longer than this are bad lines. Range [1, 4 GiB). Price: about three times this much memory.
  uint64_t max_line_bytes = uint64_t{256} << 20;
  // Text documents longer than this end the reading; JSONL documents longer than this are bad lines. Range [1, 4 GiB).
  uint64_t max_document_bytes = uint64_t{1} << 30;
  // Sum over all documents. Bounds what a small compressed file can grow to.
  uint64_t max_corpus_bytes = uint64_t{1} << 40;
  // Stops after this many documents; 0 reads all.
  uint64_t max_documents = 0;
  // More bad lines than this are an error. 0 accepts none.
  uint64_t max_bad_lines = 1'000;
  InputFilesOptions files;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct BadLine {
  std::string path;
  uint64_t line = 0;  // 1-based
  std::string reason;

  std::string ToString() const;  // "path:line: reason"
};

struct CorpusReaderStats {
  static constexpr size_t kMaxExamples = 20;

  uint64_t files = 0;  // opened so far
  uint64_t documents = 0;
  uint64_t original_bytes = 0;
  uint64_t empty_pieces = 0;       // of split text
  uint64_t blank_lines = 0;        // of JSONL
  uint64_t bad_lines = 0;          // of JSONL
  uint64_t stored_bytes_read = 0;  // of the files as stored, for progress
  uint64_t stored_bytes_total = 0;
  std::vector<BadLine> bad_line_examples;  // the first kMaxExamples
};

class DocumentReader {
 public:
  static absl::StatusOr<std::unique_ptr<DocumentReader>> Open(const FileSystem& files,
                                                              const std::vector<std::string>& inputs,
                                                              const CorpusReaderOptions& options,
                                                              const CancellationToken& cancel = {});

  // Replaces `document` and returns true, or returns false at the end.
  absl::StatusOr<bool> Next(Document& document);
  const CorpusReaderStats& stats() const { return stats_; }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  DocumentReader(const FileSystem& files, CorpusReaderOptions options, const CancellationToken& cancel)
      : files_(files), options_(std::move(options)), cancel_(cancel), json_(options_.text_field) {}

  absl::StatusOr<bool> Advance(Document& document);
  absl::Status OpenFile();
  void CloseFile();
  // Each puts the current file's next document into `document.bytes` and `document.place`, or returns false at its end.
  absl::StatusOr<bool> NextInFile(Document& document);
  absl::StatusOr<bool> NextWholeFile(Document& document);
  absl::StatusOr<bool> NextPiece(Document& document);
  absl::StatusOr<bool> NextParagraph(Document& document);
  absl::StatusOr<bool> NextJsonLine(Document& document);
  // Whether line_ is a document; if it is neither that nor blank, it is a bad line.
  absl::StatusOr<bool> TakeJsonLine(bool too_long, Document& document);
  absl::Status AddBadLine(std::string reason);
  absl::Status DocumentTooLong() const;

  const FileSystem& files_;
  const CorpusReaderOptions options_;
  const CancellationToken cancel_;
  JsonLineParser json_;
  CorpusReaderStats stats_;
  absl::Status failure_;

  std::vector<std::string> paths_;
  size_t next_path_ = 0;  // of paths_
  uint64_t stored_bytes_before_ = 0;

  // The file being read; path_ is empty when there is none.
  std::string path_;
  bool jsonl_ = false;
  uint64_t place_ = 0;
  std::unique_ptr<InputStream> whole_;       // text read as one document
  std::unique_ptr<DelimitedReader> pieces_;  // everything else
  std::string line_;
};

}  // namespace clm
