#include "core/pipeline/evaluate.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/data/prepared_corpus.h"
#include "core/eval/throughput.h"
#include "core/generate/generator.h"

namespace clm {
namespace {

constexpr char kReportFileName[] = "report.json";
constexpr uint64_t kThroughputBytes = 400;

// The first `count` documents of another set.
class FirstDocuments final : public EvaluationDocuments {
 public:
  FirstDocuments(const EvaluationDocuments& all, uint64_t count) : all_(all), count_(count) {}
  uint64_t documents() const override { return count_; }
  uint64_t OriginalBytes(uint64_t document) const override { return all_.OriginalBytes(document); }
  absl::Status Read(uint64_t document, std::vector<SymbolId>& symbols) const override {
    return all_.Read(document, symbols);
  }

 private:
  const EvaluationDocuments& all_;
  const uint64_t count_;
};

// Documents of which the first reach `max_bytes`.
uint64_t CountUpTo(const EvaluationDocuments& documents, uint64_t max_bytes) {
  if (max_bytes == 0) return documents.documents();
  uint64_t bytes = 0;
  uint64_t count = 0;
  while (count < documents.documents() && bytes < max_bytes) bytes += documents.OriginalBytes(count++);
  return count;
}

absl::StatusOr<std::vector<std::string>> ReadInputs(const EvaluateOptions& options, const PipelineContext& context) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader,
                       DocumentReader::Open(context.files, options.inputs, options.reader, context.cancel));
  std::vector<std::string> documents;
  Document document;
  while (true) {
    CLM_ASSIGN_OR_RETURN(const bool more, reader->Next(document));
    if (!more) return documents;
    documents.push_back(std::move(document.bytes));
  }
}

std::string DigestOf(const std::vector<std::string>& documents, uint64_t count) {
  DocumentSetDigest digest;
  for (uint64_t d = 0; d < count; ++d) digest.Add(documents[d]);
  return digest.Finish();
}

// Scores `documents` and fills in what depends on them.
absl::Status Score(const LoadedModel& model, const EvaluationDocuments& documents, const EvaluateOptions& options,
                   const PipelineContext& context, BpbReport& report) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<SequenceScorer> scorer, model.NewScorer(options.context_overlap));
  report.scorer = scorer->description();
  EvaluateBpbOptions evaluation;
  evaluation.max_documents_per_call = options.batch_documents;
  evaluation.bootstrap.resamples = options.bootstrap_resamples;
  EvaluationContext run{.clock = context.clock, .cancel = context.cancel, .progress = context.progress};
  CLM_ASSIGN_OR_RETURN(report.result, EvaluateBpb(*scorer, model.representation(), documents, evaluation, run));
  report.flops_per_byte = model.facts().flops_per_symbol * report.result.symbols_per_byte;
  return absl::OkStatus();
}

absl::Status ScoreInputs(const LoadedModel& model, const EvaluateOptions& options, const PipelineContext& context,
                         BpbReport& report) {
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> documents, ReadInputs(options, context));
  const EncodedDocuments all(documents, model.representation());
  const FirstDocuments chosen(all, CountUpTo(all, options.max_bytes));
  report.split = "documents";
  report.held_out_sha256 = DigestOf(documents, chosen.documents());
  return Score(model, chosen, options, context, report);
}

absl::Status ScoreSplit(const LoadedModel& model, const PreparedCorpus& corpus, const EvaluateOptions& options,
                        const PipelineContext& context, BpbReport& report) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<IdStream> stream,
                       corpus.OpenStream(options.split, model.representation().kind()));
  const IdStreamDocuments all(*stream);
  const FirstDocuments chosen(all, CountUpTo(all, options.max_bytes));
  report.split = std::string(SplitName(options.split));
  report.held_out_sha256 = corpus.report().split(options.split).documents_sha256;
  if (chosen.documents() < all.documents()) {
    report.held_out_sha256 = Sha256Hex(absl::StrCat(report.held_out_sha256, " first ", chosen.documents()));
  }
  return Score(model, chosen, options, context, report);
}

absl::StatusOr<double> MeasureGeneration(const LoadedModel& model, const PipelineContext& context) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<NextSymbolModel> stepper, model.NewStepper());
  CLM_ASSIGN_OR_RETURN(Generator generator, Generator::Create(*stepper, model.representation(), context.clock));
  GenerateOptions options;
  options.max_new_bytes = kThroughputBytes;
  options.max_new_symbols = GenerateOptions::kMaxNewSymbols;
  options.stop_at_boundary = false;
  const DecodeRun run = [&](const std::function<void()>& prefill_done) -> absl::StatusOr<uint64_t> {
    CLM_ASSIGN_OR_RETURN(const GenerateResult result,
                         generator.Generate("", options, {}, context.cancel, prefill_done));
    return result.text.size();
  };
  CLM_ASSIGN_OR_RETURN(const Throughput throughput,
                       MeasureDecodedThroughput(run, ThroughputOptions(), context.clock, context.cancel));
  return throughput.median_bytes_per_second;
}

BpbReport Describe(const LoadedModel& model, const PrepareReport& corpus, const PipelineContext& context) {
  BpbReport report;
  report.checkpoint = model.checkpoint().Name();
  report.representation = model.representation().kind();
  report.representation_fingerprint = model.representation().fingerprint();
  report.tokenizer_sha256 = corpus.tokenizer_sha256;
  if (report.representation == "coordinate") report.universe_sha256 = corpus.universe_sha256;
  report.vocab_size = model.representation().layout().vocab_size;
  report.parameters = {model.facts().body_parameters, model.facts().embedding_parameters,
                       model.facts().head_parameters};
  report.training.original_bytes = model.facts().trained_bytes;
  report.training.symbols = model.facts().trained_symbols;
  report.training.flops = 3 * model.facts().flops_per_symbol * static_cast<double>(model.facts().trained_symbols);
  report.created_at = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", context.clock.Now(), absl::UTCTimeZone());
  return report;
}

}  // namespace

absl::Status EvaluateOptions::Validate() const {
  if (batch_documents < 1 || batch_documents > 4096) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch_documents is ", batch_documents, ", it must be in [1, 4096]"));
  }
  if (bootstrap_resamples < 100 || bootstrap_resamples > 100'000) {
    return absl::InvalidArgumentError(
        absl::StrCat("bootstrap_resamples is ", bootstrap_resamples, ", it must be in [100, 100000]"));
  }
  return reader.Validate();
}

absl::StatusOr<BpbReport> EvaluateModel(const LoadedModel& model, const EvaluateOptions& options,
                                        const PipelineContext& context) {
  CLM_ASSIGN_OR_RETURN(const PreparedCorpus corpus,
                       PreparedCorpus::Open(context.files, context.store.Folder(model.corpus())));
  BpbReport report = Describe(model, corpus.report(), context);
  if (options.inputs.empty()) {
    CLM_RETURN_IF_ERROR(ScoreSplit(model, corpus, options, context, report));
  } else {
    CLM_RETURN_IF_ERROR(ScoreInputs(model, options, context, report));
  }
  if (options.measure_generation) {
    CLM_ASSIGN_OR_RETURN(report.decoded_bytes_per_second, MeasureGeneration(model, context));
  }
  CLM_RETURN_IF_ERROR(report.Validate());
  return report;
}

absl::StatusOr<EvaluateOutcome> RunEvaluate(const EvaluateOptions& options, const PipelineContext& context) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const LoadedModel> model,
                       LoadModel(context.store, options.checkpoint, options.device, context.cancel));
  EvaluateOutcome outcome;
  CLM_ASSIGN_OR_RETURN(outcome.result, EvaluateModel(*model, options, context));
  CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, context.store.NewDraft(ArtifactKind::kReport));
  CLM_RETURN_IF_ERROR(WriteBpbReport(context.files, draft.Path(kReportFileName), outcome.result));
  CommitOptions commit;
  commit.parents = {options.checkpoint};
  commit.attributes = {
      {"report", "bpb"}, {kRepresentationAttribute, outcome.result.representation}, {"split", outcome.result.split}};
  CLM_ASSIGN_OR_RETURN(outcome.report, draft.Commit(commit));
  return outcome;
}

absl::StatusOr<Comparison> RunCompare(ArtifactStore& store, const ArtifactId& baseline, const ArtifactId& candidate) {
  std::vector<BpbReport> reports;
  for (const ArtifactId& id : {baseline, candidate}) {
    CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, store.OpenVerified(id, {}));
    if (manifest->Find(kReportFileName) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(id.Name(), " is no report of EvaluateBPB"));
    }
    CLM_ASSIGN_OR_RETURN(const std::string path, store.Path(id, kReportFileName));
    CLM_ASSIGN_OR_RETURN(BpbReport report, ReadBpbReport(store.files(), path));
    reports.push_back(std::move(report));
  }
  return CompareReports(reports[0], reports[1]);
}

}  // namespace clm
