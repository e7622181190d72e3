// BpbReport: report.json, one measurement of one checkpoint on one set of documents, with everything that decides
// whether another measurement may be compared with it.
//
// Format (schema version 1): one JSON object, its fields named as below; `document_nats` is base64 of little-endian
// float64, `document_original_bytes` is base64 of LEB128 integers, one entry per document, so that Compare can resample
// pairs.
//
// Thread-safety: a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"
#include "core/eval/bpb_evaluator.h"

namespace clm {

// The rules that the number was made by. Reports of different rules are never compared.
struct BpbRule {
  static constexpr uint32_t kVersion = 1;

  uint32_t version = kVersion;
  bool counts_boundary = true;         // one end-of-text per document is in the numerator
  bool conditions_on_boundary = true;  // the first symbol of a document is predicted after a boundary
  std::string masking = "none";        // "none", or the name of the canonical mask

  bool operator==(const BpbRule&) const = default;
};

struct ReportedParameters {
  uint64_t body = 0;
  uint64_t embedding = 0;
  uint64_t head = 0;  // 0 when tied to the embedding

  bool operator==(const ReportedParameters&) const = default;
};

// What training took, so that a comparison can say what was matched and what was not. 0 = unknown.
struct TrainingTotals {
  uint64_t original_bytes = 0;
  uint64_t symbols = 0;
  double flops = 0;
  double seconds = 0;

  bool operator==(const TrainingTotals&) const = default;
};

struct BpbReport {
  static constexpr uint32_t kSchemaVersion = 1;

  std::string checkpoint;                  // artifact id of what was measured; may be empty for a predictor without one
  std::string representation;              // kind
  std::string representation_fingerprint;  // 64 hex digits
  // Digest of the tokenizer.json of the corpus that the documents come from, also for representations that do not use
  // it.
  std::string tokenizer_sha256;
  std::string universe_sha256;  // empty without one
  std::string split;            // "validation", or "documents" for documents given by the caller
  std::string held_out_sha256;  // DocumentSetDigest of the documents
  BpbRule rule;
  std::string scorer;  // SequenceScorer::description(): device, number type, window, stride

  uint64_t vocab_size = 0;
  ReportedParameters parameters;
  double flops_per_byte = 0;  // of one scoring pass; 0 = unknown
  TrainingTotals training;

  BpbResult result;
  // Of generation, by MeasureDecodedThroughput; 0 = not measured.
  double decoded_bytes_per_second = 0;
  std::string created_at;  // RFC 3339, UTC; for people

  // INVALID_ARGUMENT naming the first field that contradicts another or is not a digest where one is due.
  absl::Status Validate() const;
};

// Pretty-printed JSON with a final newline; numbers are written so that reading gives the same bits.
absl::StatusOr<std::string> BpbReportToJson(const BpbReport& report);
// Strict: INVALID_ARGUMENT naming the first missing, unknown, ill-typed or contradictory field, or an unknown version.
absl::StatusOr<BpbReport> BpbReportFromJson(absl::string_view text);

absl::Status WriteBpbReport(FileSystem& files, const std::string& path, const BpbReport& report);
absl::StatusOr<BpbReport> ReadBpbReport(const FileSystem& files, const std::string& path);

}  // namespace clm
