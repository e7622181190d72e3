// PrepareReport: prepare_report.json, the account of how a corpus was made.
//
// It names everything that decides the streams (digests of tokenizer and universe, shares of the splits) and the counts
// of every split, so that later steps check what they open and never count again. Format: docs/formats/corpus.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/data/split.h"

namespace clm {

struct PrepareSplitReport {
  uint64_t documents = 0;
  uint64_t original_bytes = 0;
  std::string documents_sha256 = {};  // DocumentSetDigest over the split's documents in the order of its streams
  std::map<std::string, uint64_t> symbols = {};  // by representation kind, boundaries included: what its stream holds

  bool operator==(const PrepareSplitReport&) const = default;
};

// One layer of the universe.
struct PrepareLayerReport {
  uint64_t definitions = 0;
  uint64_t symbols_before = 0;  // of the build split
  uint64_t symbols_after = 0;

  bool operator==(const PrepareLayerReport&) const = default;
};

struct PrepareReport {
  static constexpr uint32_t kSchemaVersion = 1;

  std::string tokenizer_sha256;  // of the file tokenizer.json
  std::string universe_sha256;   // of the file universe.json; empty without one
  SplitOptions split_options;
  std::array<PrepareSplitReport, 3> splits;  // indexed by Split
  std::vector<PrepareLayerReport> layers;

  uint64_t input_files = 0;
  uint64_t bad_lines = 0;
  uint64_t blank_lines = 0;
  uint64_t empty_pieces = 0;
  std::vector<std::string> bad_line_examples;  // "file:line: reason"

  bool round_trip_verified = false;  // every document was decoded and compared before this was written
  double seconds = 0;
  uint64_t peak_memory_bytes = 0;   // 0 when not measured
  std::string options_json = "{}";  // the caller's options, a JSON object, kept as given

  const PrepareSplitReport& split(Split which) const { return splits[static_cast<size_t>(which)]; }
  PrepareSplitReport& split(Split which) { return splits[static_cast<size_t>(which)]; }

  bool operator==(const PrepareReport&) const;
};

// Pretty-printed JSON with a final newline; the same report gives the same bytes. INVALID_ARGUMENT when options_json is
// not a JSON object.
absl::StatusOr<std::string> PrepareReportToJson(const PrepareReport& report);
// Strict: INVALID_ARGUMENT naming the first missing, unknown or ill-typed field, or an unknown schema version.
absl::StatusOr<PrepareReport> PrepareReportFromJson(absl::string_view text);

}  // namespace clm
