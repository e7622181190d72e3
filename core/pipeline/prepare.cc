#include "core/pipeline/prepare.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/coordinate/universe_builder.h"
#include "core/coordinate/universe_file.h"
#include "core/data/prepared_corpus.h"
#include "core/pipeline/document_split.h"
#include "core/pipeline/stream_writer.h"
#include "core/representation/pretoken_encoder.h"
#include "core/representation/registry.h"
#include "core/tokenizer/bpe_trainer.h"
#include "core/tokenizer/rank_file.h"
#include "core/tokenizer/tokenizer.h"

namespace clm {
namespace {

constexpr uint64_t kReportDocuments = 256;

BpeTrainerOptions TrainerOptions(const PrepareOptions& prepare, const std::string& scratch_folder) {
  BpeTrainerOptions options;
  options.vocab_size = prepare.vocab_size;
  options.pattern = prepare.pattern;
  options.superword_from = prepare.superword_from;
  options.memory_limit_bytes = prepare.memory_limit_bytes;
  options.scratch_folder = scratch_folder;
  return options;
}

// The tokenizer that a file of another program holds.
absl::StatusOr<std::shared_ptr<const Tokenizer>> ReadForeignTokenizer(absl::string_view content,
                                                                      const std::string& rank_file_encoding) {
  const bool is_json = absl::StartsWith(absl::StripLeadingAsciiWhitespace(content), "{");
  if (is_json) return Tokenizer::FromJson(content);
  if (rank_file_encoding.empty()) {
    return absl::InvalidArgumentError(
        "tokenizer.artifact holds no JSON; for a rank file tokenizer.encoding has to say which encoding it is");
  }
  RankFileOptions options;
  options.encoding = rank_file_encoding;
  CLM_ASSIGN_OR_RETURN(TokenizerDefinition definition, ParseRankFile(content, options));
  return Tokenizer::Create(std::move(definition.vocab), definition.pattern);
}

// The steps of one Prepare, in order; each leaves what the next ones need.
class Preparation {
 public:
  Preparation(const PrepareOptions& options, const PipelineContext& context) : options_(options), context_(context) {}

  absl::StatusOr<PrepareOutcome> Run() {
    CLM_ASSIGN_OR_RETURN(splits_, SplitDocuments(options_.inputs, options_.reader, options_.split, context_));
    CLM_RETURN_IF_ERROR(MakeTokenizer());
    if (options_.wants_universe()) CLM_RETURN_IF_ERROR(MakeUniverse());
    CLM_RETURN_IF_ERROR(CommitTables());
    CLM_RETURN_IF_ERROR(CommitCorpus());
    outcome_.bad_line_examples.reserve(splits_.stats.bad_line_examples.size());
    for (const BadLine& line : splits_.stats.bad_line_examples) {
      outcome_.bad_line_examples.push_back(line.ToString());
    }
    return std::move(outcome_);
  }

 private:
  // A table that an earlier attempt may have left: its name holds everything that decides it.
  std::string StagePath(absl::string_view kind, const std::string& decided_by) const {
    return JoinPath(context_.work_folder, absl::StrCat(kind, "-", Sha256Hex(decided_by).substr(0, 16), ".json"));
  }

  absl::Status MakeTokenizer();
  absl::Status TakeTokenizer();
  absl::StatusOr<std::shared_ptr<const Tokenizer>> LearnTokenizer(const std::string& stage) const;
  absl::Status MakeUniverse();
  absl::StatusOr<UniverseFile> LearnUniverse(const std::string& stage) const;
  absl::StatusOr<UniverseBuilder> NewUniverseBuilder(const UniverseRunOptions& run) const;
  absl::Status AddDocuments(const DocumentSpool& spool, bool selection, Progress& progress,
                            UniverseBuilder& builder) const;
  absl::Status CommitTables();
  absl::StatusOr<ArtifactId> CommitTable(ArtifactKind kind, const char* file, const std::string& content,
                                         std::vector<ArtifactId> parents) const;
  absl::Status CommitCorpus();
  absl::Status WriteStreams(const ArtifactDraft& draft, PrepareReport& report);
  PrepareReport StartReport() const;

  const PrepareOptions& options_;
  const PipelineContext& context_;
  SpooledSplits splits_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::optional<UniverseFile> universe_;
  std::string tokenizer_json_;
  std::string universe_json_;  // empty without one
  PrepareOutcome outcome_;
};

absl::StatusOr<std::shared_ptr<const Tokenizer>> Preparation::LearnTokenizer(const std::string& stage) const {
  const BpeTrainerOptions options = TrainerOptions(options_, JoinPath(context_.work_folder, "tokenizer-scratch"));
  CLM_ASSIGN_OR_RETURN(BpeTrainer trainer, BpeTrainer::Create(options, context_.files));
  const DocumentSpool& build = splits_.spool(Split::kBuild);
  Progress progress;
  progress.phase = "count_words";
  progress.unit = "bytes";
  progress.total_units = build.bytes();
  std::vector<absl::string_view> batch;
  for (uint64_t d = 0; d < build.documents(); ++d) {
    batch.push_back(build.Document(d));
    progress.done_units += batch.back().size();
    if (batch.size() < kReportDocuments && d + 1 < build.documents()) continue;
    CLM_RETURN_IF_ERROR(trainer.AddDocuments(batch, context_.threads, context_.cancel));
    batch.clear();
    context_.Report(progress);
  }
  CLM_ASSIGN_OR_RETURN(BpeVocab vocab, trainer.Train(BpeTrainRun{.cancel = context_.cancel,
                                                                 .progress = context_.progress,
                                                                 .threads = &context_.threads,
                                                                 .state_path = stage + ".merges"}));
  return Tokenizer::Create(std::move(vocab), options.pattern);
}

absl::Status Preparation::TakeTokenizer() {
  CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest,
                       context_.store.OpenVerified(options_.tokenizer, context_.cancel));
  const bool is_foreign = options_.tokenizer.kind() == ArtifactKind::kBlob;
  if (is_foreign && manifest->files.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(options_.tokenizer.Name(), " has ", manifest->files.size(), " files, a tokenizer is one"));
  }
  const std::string name = is_foreign ? manifest->files[0].name : kTokenizerFileName;
  CLM_ASSIGN_OR_RETURN(const std::string path, context_.store.Path(options_.tokenizer, name));
  CLM_ASSIGN_OR_RETURN(tokenizer_json_, ReadFile(context_.files, path, kMaxTokenizerFileBytes));
  if (!is_foreign) {
    CLM_ASSIGN_OR_RETURN(tokenizer_, Tokenizer::FromJson(tokenizer_json_));
    return absl::OkStatus();
  }
  CLM_ASSIGN_OR_RETURN(tokenizer_, ReadForeignTokenizer(tokenizer_json_, options_.rank_file_encoding));
  CLM_ASSIGN_OR_RETURN(tokenizer_json_, tokenizer_->ToJson());
  return absl::OkStatus();
}

absl::Status Preparation::MakeTokenizer() {
  if (!options_.tokenizer.empty()) return TakeTokenizer();
  std::string decided_by = absl::StrCat(splits_.sha256(Split::kBuild), " ", options_.vocab_size, " ", options_.pattern);
  if (options_.superword_from != 0) absl::StrAppend(&decided_by, " superwords from ", options_.superword_from);
  const std::string stage = StagePath("tokenizer", decided_by);
  if (!context_.files.Exists(stage)) {
    CLM_ASSIGN_OR_RETURN(tokenizer_, LearnTokenizer(stage));
    CLM_RETURN_IF_ERROR(tokenizer_->ToFile(context_.files, stage));
  }
  CLM_ASSIGN_OR_RETURN(tokenizer_json_, ReadFile(context_.files, stage, kMaxTokenizerFileBytes));
  CLM_ASSIGN_OR_RETURN(tokenizer_, Tokenizer::FromJson(tokenizer_json_));
  return absl::OkStatus();
}

absl::Status Preparation::AddDocuments(const DocumentSpool& spool, bool selection, Progress& progress,
                                       UniverseBuilder& builder) const {
  PretokenEncoder encoder(*tokenizer_);
  PretokenizedIds base;
  for (uint64_t d = 0; d < spool.documents(); ++d) {
    CLM_RETURN_IF_ERROR(context_.cancel.Check());
    base.Clear();
    CLM_RETURN_IF_ERROR(encoder.Encode(spool.Document(d), base));
    CLM_RETURN_IF_ERROR(selection ? builder.AddSelectionDocument(base.ids, base.starts)
                                  : builder.AddDocument(base.ids, base.starts));
    progress.done_units += spool.Document(d).size();
    if (d % kReportDocuments == 0) context_.Report(progress);
  }
  return absl::OkStatus();
}

absl::StatusOr<UniverseBuilder> Preparation::NewUniverseBuilder(const UniverseRunOptions& run) const {
  if (options_.extended_universe.empty()) {
    return UniverseBuilder::Create(options_.universe, tokenizer_->vocab_size(), {tokenizer_->boundary()}, run);
  }
  CLM_RETURN_IF_ERROR(context_.store.OpenVerified(options_.extended_universe, context_.cancel).status());
  CLM_ASSIGN_OR_RETURN(const std::string path, context_.store.Path(options_.extended_universe, kUniverseFileName));
  CLM_ASSIGN_OR_RETURN(UniverseFile known, ReadUniverse(context_.files, path));
  if (known.tokenizer_sha256 != tokenizer_->fingerprint()) {
    return absl::InvalidArgumentError(absl::StrCat(options_.extended_universe.Name(),
                                                   " was learned on the tokenizer with fingerprint ",
                                                   known.tokenizer_sha256, ", not on ", tokenizer_->fingerprint()));
  }
  return UniverseBuilder::CreateExtension(options_.universe,
                                          {.universe = std::move(known.universe),
                                           .frequencies = std::move(known.frequencies),
                                           .layers = std::move(known.stats),
                                           .strategy = known.options.strategy},
                                          run);
}

absl::StatusOr<UniverseFile> Preparation::LearnUniverse(const std::string& stage) const {
  UniverseRunOptions run;
  run.memory_limit_bytes = options_.memory_limit_bytes;
  run.files = &context_.files;
  run.scratch_folder = JoinPath(context_.work_folder, "universe-scratch");
  run.state_path = stage + ".layers";
  CLM_RETURN_IF_ERROR(context_.files.MakeDirectories(run.scratch_folder));
  CLM_ASSIGN_OR_RETURN(UniverseBuilder builder, NewUniverseBuilder(run));
  const bool needs_selection = options_.universe.needs_selection();
  Progress progress;
  progress.phase = "tokenize";
  progress.unit = "bytes";
  progress.total_units = splits_.spool(Split::kBuild).bytes();
  if (needs_selection) progress.total_units += splits_.spool(Split::kSelection).bytes();
  CLM_RETURN_IF_ERROR(AddDocuments(splits_.spool(Split::kBuild), /*selection=*/false, progress, builder));
  if (needs_selection) {
    CLM_RETURN_IF_ERROR(AddDocuments(splits_.spool(Split::kSelection), /*selection=*/true, progress, builder));
  }
  CLM_ASSIGN_OR_RETURN(LearnedUniverse learned, builder.Build(context_.threads, context_.cancel, context_.progress));
  UniverseOptions options = options_.universe;
  options.strategy = learned.strategy;  // however it was found
  return UniverseFile{.universe = std::move(learned.universe),
                      .frequencies = std::move(learned.frequencies),
                      .tokenizer_sha256 = tokenizer_->fingerprint(),
                      .options = options,
                      .stats = std::move(learned.layers)};
}

absl::Status Preparation::MakeUniverse() {
  const UniverseOptions& u = options_.universe;
  const std::string stage =
      StagePath("universe", absl::StrCat(splits_.sha256(Split::kBuild), " ", splits_.sha256(Split::kSelection), " ",
                                         tokenizer_->fingerprint(), " ", u.layers, " ", u.nodes_per_layer, " ",
                                         u.superword_layers, " ", u.superword_nodes_per_layer, " ", u.min_count, " ",
                                         u.selection_min_count, " ", u.active_min_count, " ", u.max_expansion_length,
                                         " ", NameOf(u.overlap), NameOf(u.strategy), NameOf(u.constraint), " ",
                                         options_.extended_universe.empty() ? "" : options_.extended_universe.Name()));
  if (!context_.files.Exists(stage)) {
    CLM_ASSIGN_OR_RETURN(const UniverseFile learned, LearnUniverse(stage));
    CLM_RETURN_IF_ERROR(WriteUniverse(context_.files, stage, learned));
  }
  CLM_ASSIGN_OR_RETURN(universe_json_, ReadFile(context_.files, stage, kMaxUniverseFileBytes));
  CLM_ASSIGN_OR_RETURN(universe_, ParseUniverse(universe_json_));
  return absl::OkStatus();
}

absl::StatusOr<ArtifactId> Preparation::CommitTable(ArtifactKind kind, const char* file, const std::string& content,
                                                    std::vector<ArtifactId> parents) const {
  CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, context_.store.NewDraft(kind));
  CLM_RETURN_IF_ERROR(draft.WriteFile(file, content));
  CommitOptions commit;
  commit.parents = std::move(parents);
  return draft.Commit(commit);
}

absl::Status Preparation::CommitTables() {
  if (options_.tokenizer.kind() == ArtifactKind::kTokenizer) outcome_.tokenizer = options_.tokenizer;
  if (outcome_.tokenizer.empty()) {
    CLM_ASSIGN_OR_RETURN(outcome_.tokenizer,
                         CommitTable(ArtifactKind::kTokenizer, kTokenizerFileName, tokenizer_json_, {}));
  }
  if (!universe_.has_value()) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(outcome_.universe,
                       CommitTable(ArtifactKind::kUniverse, kUniverseFileName, universe_json_, {outcome_.tokenizer}));
  return absl::OkStatus();
}

PrepareReport Preparation::StartReport() const {
  PrepareReport report;
  report.tokenizer_sha256 = Sha256Hex(tokenizer_json_);
  if (universe_.has_value()) {
    report.universe_sha256 = Sha256Hex(universe_json_);
    for (int layer = 1; layer <= universe_->universe.layer_count(); ++layer) {
      const UniverseLayerStats& stats = universe_->stats[static_cast<size_t>(layer - 1)];
      report.layers.push_back({.definitions = universe_->universe.Pairs(layer).size(),
                               .symbols_before = stats.symbols_before,
                               .symbols_after = stats.symbols_after});
    }
  }
  report.split_options = options_.split;
  for (const Split split : kAllSplits) {
    report.split(split).documents = splits_.spool(split).documents();
    report.split(split).original_bytes = splits_.spool(split).bytes();
    report.split(split).documents_sha256 = splits_.sha256(split);
  }
  report.input_files = splits_.stats.files;
  report.bad_lines = splits_.stats.bad_lines;
  report.blank_lines = splits_.stats.blank_lines;
  report.empty_pieces = splits_.stats.empty_pieces;
  return report;
}

absl::Status Preparation::WriteStreams(const ArtifactDraft& draft, PrepareReport& report) {
  Progress progress;
  progress.phase = "encode";
  progress.unit = "bytes";
  for (const Split split : kAllSplits) {
    progress.total_units += splits_.spool(split).bytes() * options_.representations.size();
  }
  RepresentationTables tables;
  tables.tokenizer = tokenizer_;
  if (universe_.has_value()) {
    tables.universe = universe_->universe;
    tables.universe_tokenizer = universe_->tokenizer_sha256;
  }
  for (const std::string& kind : options_.representations) {
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Representation> representation, MakeRepresentation(kind, tables));
    const VocabLayout& layout = representation->layout();
    outcome_.vocab_sizes[kind] = layout.vocab_size;
    IdStreamOptions options;
    options.vocab_size = layout.vocab_size;
    options.boundary = layout.boundary;
    options.tokenizer_sha256 = report.tokenizer_sha256;
    options.universe_sha256 = report.universe_sha256;
    for (const Split split : kAllSplits) {
      CLM_ASSIGN_OR_RETURN(const IdStreamHeader header,
                           WriteStream(splits_.spool(split), *representation, options,
                                       draft.Path(IdStreamFileName(split, kind)), context_, progress));
      report.split(split).symbols[kind] = header.symbols;
    }
  }
  return absl::OkStatus();
}

absl::Status Preparation::CommitCorpus() {
  CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, context_.store.NewDraft(ArtifactKind::kCorpus));
  CLM_RETURN_IF_ERROR(draft.WriteFile(kTokenizerFileName, tokenizer_json_));
  if (universe_.has_value()) CLM_RETURN_IF_ERROR(draft.WriteFile(kUniverseFileName, universe_json_));
  outcome_.report = StartReport();
  CLM_RETURN_IF_ERROR(WriteStreams(draft, outcome_.report));
  outcome_.report.round_trip_verified = true;
  CLM_ASSIGN_OR_RETURN(const std::string report, PrepareReportToJson(outcome_.report));
  CLM_RETURN_IF_ERROR(draft.WriteFile(kPrepareReportFileName, report));
  CommitOptions commit;
  commit.parents = {outcome_.tokenizer};
  if (!outcome_.universe.empty()) commit.parents.push_back(outcome_.universe);
  commit.cancel = context_.cancel;
  CLM_ASSIGN_OR_RETURN(outcome_.corpus, draft.Commit(commit));
  return absl::OkStatus();
}

}  // namespace

absl::Status PrepareOptions::Validate() const {
  if (vocab_size < kMinVocabSize || vocab_size > kMaxVocabSize) {
    return absl::InvalidArgumentError(absl::StrCat("tokenizer.vocab_size is ", vocab_size, ", it must be in [",
                                                   kMinVocabSize, ", ", kMaxVocabSize, "]"));
  }
  if (representations.empty()) return absl::InvalidArgumentError("representations is empty");
  std::set<std::string> seen;
  for (const std::string& kind : representations) {
    if (!seen.insert(kind).second) {
      return absl::InvalidArgumentError(absl::StrCat("representations has ", kind, " twice"));
    }
    CLM_ASSIGN_OR_RETURN(const RepresentationKind* known, FindRepresentationKind(kind));
    if (known->needs_universe && !wants_universe()) {
      return absl::InvalidArgumentError(
          absl::StrCat("representation ", kind, " needs universe.layers and universe.nodes_per_layer"));
    }
  }
  if (tokenizer.empty()) CLM_RETURN_IF_ERROR(TrainerOptions(*this, "scratch").Validate());
  CLM_RETURN_IF_ERROR(universe.Validate());
  CLM_RETURN_IF_ERROR(split.Validate());
  return reader.Validate();
}

absl::StatusOr<PrepareOutcome> RunPrepare(const PrepareOptions& options, const PipelineContext& context) {
  CLM_RETURN_IF_ERROR(options.Validate());
  return Preparation(options, context).Run();
}

}  // namespace clm
