#include "core/data/prepared_corpus.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr uint64_t kMaxReportBytes = uint64_t{16} << 20;
constexpr uint64_t kMaxTableBytes = uint64_t{1} << 30;  // tokenizer.json, universe.json

absl::Status CheckStream(const IdStream& stream, const std::string& path, const PrepareReport& report,
                         const PrepareSplitReport& split, uint64_t symbols) {
  CLM_ASSIGN_OR_RETURN(const auto tokenizer, DigestPrefix(report.tokenizer_sha256));
  CLM_ASSIGN_OR_RETURN(const auto universe, DigestPrefix(report.universe_sha256));
  const std::array<uint8_t, 8> none{};
  // A stream that needs no tokenizer or universe names none.
  const auto& header = stream.header();
  if (header.tokenizer_prefix != none && header.tokenizer_prefix != tokenizer) {
    return absl::DataLossError(absl::StrCat(path, " was made with another tokenizer than this corpus has"));
  }
  if (header.universe_prefix != none && header.universe_prefix != universe) {
    return absl::DataLossError(absl::StrCat(path, " was made with another universe than this corpus has"));
  }
  if (stream.documents() != split.documents || stream.original_bytes() != split.original_bytes ||
      stream.symbols() != symbols) {
    return absl::DataLossError(absl::StrCat(path, " has ", stream.documents(), " documents, ", stream.original_bytes(),
                                            " bytes, ", stream.symbols(), " symbols; the report says ", split.documents,
                                            ", ", split.original_bytes, ", ", symbols));
  }
  return absl::OkStatus();
}

}  // namespace

std::string IdStreamFileName(Split split, absl::string_view kind) {
  return absl::StrCat(SplitName(split), ".", kind, ".ids");
}

absl::StatusOr<PreparedCorpus> PreparedCorpus::Open(const FileSystem& files, const std::string& folder) {
  PreparedCorpus corpus(files, folder);
  CLM_ASSIGN_OR_RETURN(const std::string text,
                       ReadFile(files, JoinPath(folder, kPrepareReportFileName), kMaxReportBytes));
  CLM_ASSIGN_OR_RETURN(corpus.report_, PrepareReportFromJson(text));
  if (!corpus.report_.round_trip_verified) {
    return absl::FailedPreconditionError(absl::StrCat(folder, ": the corpus's round trip was not verified"));
  }
  CLM_RETURN_IF_ERROR(corpus.CheckDigest(corpus.tokenizer_path(), corpus.report_.tokenizer_sha256));
  if (corpus.has_universe()) {
    CLM_RETURN_IF_ERROR(corpus.CheckDigest(corpus.universe_path(), corpus.report_.universe_sha256));
  }
  return corpus;
}

absl::Status PreparedCorpus::CheckDigest(const std::string& path, absl::string_view sha256) const {
  CLM_ASSIGN_OR_RETURN(const std::string content, ReadFile(*files_, path, kMaxTableBytes));
  const std::string found = Sha256Hex(content);
  if (found == sha256) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path, " has SHA-256 ", found, ", the corpus was made with ", sha256));
}

std::vector<std::string> PreparedCorpus::Kinds() const {
  std::vector<std::string> kinds;
  for (const auto& [kind, ignored] : report_.splits.front().symbols) {
    if (std::all_of(report_.splits.begin(), report_.splits.end(),
                    [&kind = kind](const PrepareSplitReport& split) { return split.symbols.contains(kind); })) {
      kinds.push_back(kind);
    }
  }
  return kinds;
}

absl::StatusOr<std::unique_ptr<IdStream>> PreparedCorpus::OpenStream(Split split, absl::string_view kind) const {
  const PrepareSplitReport& counts = report_.split(split);
  const auto symbols = counts.symbols.find(std::string(kind));
  if (symbols == counts.symbols.end()) {
    return absl::NotFoundError(absl::StrCat("the corpus has no ", SplitName(split), " stream of representation \"",
                                            kind, "\"; it has ", absl::StrJoin(Kinds(), ", ")));
  }
  const std::string path = JoinPath(folder_, IdStreamFileName(split, kind));
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<IdStream> stream, IdStream::Open(*files_, path));
  CLM_RETURN_IF_ERROR(CheckStream(*stream, path, report_, counts, symbols->second));
  return stream;
}

}  // namespace clm
