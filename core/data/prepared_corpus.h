// PreparedCorpus: the reading side of a corpus folder.
//
//   tokenizer.json  universe.json (when it has one)  prepare_report.json
//   {build,selection,validation}.{byte,token,coordinate,...}.ids
//
// Open() checks that the report's digests are those of the files beside it; OpenStream() that a stream belongs to this
// tokenizer and universe and holds what the report says. So a file replaced by that of another corpus is noticed, never
// used. Format: docs/formats/corpus.md.
//
// Thread-safety: immutable; OpenStream may be called from any thread. The FileSystem must outlive it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"
#include "core/data/id_stream.h"
#include "core/data/prepare_report.h"
#include "core/data/split.h"

namespace clm {

inline constexpr char kTokenizerFileName[] = "tokenizer.json";
inline constexpr char kUniverseFileName[] = "universe.json";
inline constexpr char kPrepareReportFileName[] = "prepare_report.json";

// "validation.token.ids"
std::string IdStreamFileName(Split split, absl::string_view kind);

class PreparedCorpus {
 public:
  // NOT_FOUND when a file is missing; FAILED_PRECONDITION when its round trip was not verified; DATA_LOSS when a digest
  // is not that of the report.
  static absl::StatusOr<PreparedCorpus> Open(const FileSystem& files, const std::string& folder);

  const PrepareReport& report() const { return report_; }
  const std::string& folder() const { return folder_; }
  std::string tokenizer_path() const { return JoinPath(folder_, kTokenizerFileName); }
  bool has_universe() const { return !report_.universe_sha256.empty(); }
  std::string universe_path() const { return JoinPath(folder_, kUniverseFileName); }

  // Representations that every split has a stream of, sorted.
  std::vector<std::string> Kinds() const;
  // NOT_FOUND naming the kinds there are; DATA_LOSS when the stream is damaged or is not the one the report describes.
  absl::StatusOr<std::unique_ptr<IdStream>> OpenStream(Split split, absl::string_view kind) const;

 private:
  PreparedCorpus(const FileSystem& files, std::string folder) : files_(&files), folder_(std::move(folder)) {}

  absl::Status CheckDigest(const std::string& path, absl::string_view sha256) const;

  const FileSystem* files_;
  std::string folder_;
  PrepareReport report_;
};

}  // namespace clm
