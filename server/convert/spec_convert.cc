#include "server/convert/spec_convert.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/data/input_files.h"
#include "core/data/prepared_corpus.h"
#include "core/text/pretokenizer.h"
#include "server/service/error_detail.h"
#include "server/service/server_paths.h"

namespace clm {
namespace {

constexpr uint32_t kDefaultSplitPer10000 = 500;
constexpr uint32_t kPpmPer10000 = 100;
constexpr uint64_t kDefaultDocumentBytes = uint64_t{256} << 20;
constexpr uint64_t kDefaultBytesPerStep = 8192;
constexpr uint64_t kDefaultValidationBytes = 65536;
constexpr double kDefaultWarmupRatio = 0.05;
constexpr uint32_t kMaxInt = 0x7fffffff;

template <typename T>
T Or(T value, T fallback) {
  return value == T{} ? fallback : value;
}

absl::StatusOr<ArtifactId> Resolve(ArtifactStore& store, const std::string& field, const std::string& name,
                                   ArtifactKind kind) {
  if (name.empty()) return InvalidField(field, "is required");
  CLM_ASSIGN_OR_RETURN(const ArtifactId id, store.Resolve(name));
  if (id.kind() != kind) {
    return InvalidField(field, absl::StrCat(id.Name(), " is no ", ArtifactKindName(kind)));
  }
  return id;
}

TextSplit ToTextSplit(v1::DocumentRule rule) {
  switch (rule) {
    case v1::DOCUMENT_RULE_LINE:
      return TextSplit::kLines;
    case v1::DOCUMENT_RULE_PARAGRAPH:
      return TextSplit::kBlankLines;
    default:
      return TextSplit::kWholeFile;
  }
}

CorpusReaderOptions ToReaderOptions(const v1::DocumentSource& source) {
  CorpusReaderOptions options;
  options.text_split = ToTextSplit(source.rule());
  options.text_field = source.text_field().empty() ? "text" : source.text_field();
  options.max_document_bytes = Or(source.max_document_bytes(), kDefaultDocumentBytes);
  options.max_documents = source.max_documents();
  options.max_bad_lines = source.max_bad_lines();
  return options;
}

// Paths of the documents' files: those on the server as they are, those of blobs inside the store.
absl::StatusOr<std::vector<std::string>> ToInputs(const v1::DocumentSource& source, ArtifactStore& store) {
  if ((source.paths_size() > 0) == (source.artifacts_size() > 0)) {
    return InvalidField("source", "needs either `paths` or `artifacts`");
  }
  std::vector<std::string> inputs(source.paths().begin(), source.paths().end());
  for (const std::string& name : source.artifacts()) {
    CLM_ASSIGN_OR_RETURN(const ArtifactId id, Resolve(store, "source.artifacts", name, ArtifactKind::kBlob));
    CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, store.Get(id));
    for (const ManifestFile& file : manifest->files) inputs.push_back(JoinPath(store.Folder(id), file.name));
  }
  return inputs;
}

absl::StatusOr<UniverseOptions> ToUniverseOptions(const v1::UniverseOptions& proto) {
  CLM_ASSIGN_OR_RETURN(UniverseOptions options, UniversePreset(proto.preset().empty() ? "pairs" : proto.preset()));
  const auto set = [](bool given, uint32_t value, int& field) {
    if (given) field = static_cast<int>(std::min(value, kMaxInt));
  };
  set(proto.has_layers(), proto.layers(), options.layers);
  set(proto.has_nodes_per_layer(), proto.nodes_per_layer(), options.nodes_per_layer);
  set(proto.has_superword_layers(), proto.superword_layers(), options.superword_layers);
  set(proto.has_superword_nodes_per_layer(), proto.superword_nodes_per_layer(), options.superword_nodes_per_layer);
  // Counts above 2^62 are refused by Validate(), which a negative number is too.
  options.min_count = static_cast<int64_t>(Or<uint64_t>(proto.min_count(), 2));
  options.selection_min_count = static_cast<int64_t>(proto.selection_min_count());
  options.active_min_count = static_cast<int64_t>(proto.active_min_count());
  if (!proto.strategy().empty()) {
    CLM_ASSIGN_OR_RETURN(options.strategy, ParsePairStrategy(proto.strategy()));
  }
  if (!proto.overlap().empty()) {
    CLM_ASSIGN_OR_RETURN(options.overlap, ParsePairOverlap(proto.overlap()));
  }
  if (proto.constraint() == "none") {
    options.constraint = JoinRule::kAny;
  } else if (!proto.constraint().empty()) {
    CLM_ASSIGN_OR_RETURN(options.constraint, ParseJoinRule(proto.constraint()));
  }
  return options;
}

// The pattern that one of the names stands for; any other text is a pattern itself.
absl::string_view PatternOf(absl::string_view name) {
  constexpr std::pair<absl::string_view, absl::string_view> kNames[] = {
      {"", kGpt2Pattern},       {"gpt2", kGpt2Pattern},   {"cl100k", kCl100kPattern},
      {"qwen2", kQwen2Pattern}, {"o200k", kO200kPattern}, {"none", kWholeDocumentPattern}};
  for (const auto& [known, pattern] : kNames) {
    if (name == known) return pattern;
  }
  return name;
}

absl::Status TakeTokenizerOptions(const v1::TokenizerOptions& proto, ArtifactStore& store, PrepareOptions& options) {
  options.vocab_size = Or<uint32_t>(proto.vocab_size(), 4096);
  options.pattern = std::string(PatternOf(proto.pattern()));
  options.rank_file_encoding = proto.encoding();
  options.superword_from = proto.superword_from();
  if (proto.artifact().empty()) {
    const auto pretokenizer = MakePretokenizer(options.pattern);
    return pretokenizer.ok() ? absl::OkStatus() : InvalidField("tokenizer.pattern", pretokenizer.status().message());
  }
  CLM_ASSIGN_OR_RETURN(options.tokenizer, store.Resolve(proto.artifact()));
  const ArtifactKind kind = options.tokenizer.kind();
  if (kind == ArtifactKind::kTokenizer || kind == ArtifactKind::kBlob) return absl::OkStatus();
  return InvalidField("tokenizer.artifact", absl::StrCat(options.tokenizer.Name(), " is no tokenizer and no blob"));
}

// The universe to extend, and its tokenizer.
absl::Status TakeExtendedUniverse(const std::string& name, ArtifactStore& store, PrepareOptions& options) {
  CLM_ASSIGN_OR_RETURN(options.extended_universe, Resolve(store, "universe.extends", name, ArtifactKind::kUniverse));
  if (!options.tokenizer.empty()) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, store.Get(options.extended_universe));
  for (const ArtifactId& parent : manifest->parents) {
    if (parent.kind() == ArtifactKind::kTokenizer) options.tokenizer = parent;
  }
  if (!options.tokenizer.empty()) return absl::OkStatus();
  return InvalidField("universe.extends", absl::StrCat(options.extended_universe.Name(), " names no tokenizer"));
}

absl::StatusOr<ModelConfig> ToModelConfig(const v1::ModelOptions& proto) {
  for (const auto& [name, value] : {std::pair{"hidden_size", proto.hidden_size()},
                                    {"layers", proto.layers()},
                                    {"heads", proto.heads()},
                                    {"kv_heads", proto.kv_heads()},
                                    {"intermediate_size", proto.intermediate_size()},
                                    {"context", proto.context()}}) {
    if (value > kMaxInt) return InvalidField(absl::StrCat("model.", name), absl::StrCat(value, " is too large"));
  }
  ModelConfig config;
  config.hidden_size = static_cast<int>(Or<uint32_t>(proto.hidden_size(), 128));
  config.layers = static_cast<int>(Or<uint32_t>(proto.layers(), 4));
  config.heads = static_cast<int>(Or<uint32_t>(proto.heads(), 4));
  config.kv_heads = static_cast<int>(Or<uint32_t>(proto.kv_heads(), static_cast<uint32_t>(config.heads)));
  config.intermediate_size = static_cast<int>(Or<uint32_t>(proto.intermediate_size(), 344));
  config.max_positions = static_cast<int>(Or<uint32_t>(proto.context(), 256));
  config.tie_embeddings = !proto.has_tie_embeddings() || proto.tie_embeddings();
  return config;
}

absl::StatusOr<TrainConfig> ToTrainConfig(const v1::TrainSpec& spec) {
  const v1::OptimizerOptions& optimizer = spec.optimizer();
  TrainConfig config;
  config.bytes_budget = spec.total_bytes();
  config.bytes_per_step = Or(spec.bytes_per_step(), kDefaultBytesPerStep);
  config.learning_rate = Or(optimizer.learning_rate(), config.learning_rate);
  if (optimizer.schedule() == "wsd") {
    config.schedule = LrScheduleKind::kWsd;
  } else if (!optimizer.schedule().empty() && optimizer.schedule() != "cosine") {
    return InvalidField("optimizer.schedule",
                        absl::StrCat("is \"", optimizer.schedule(), "\", it must be cosine or wsd"));
  }
  if (optimizer.has_final_ratio()) config.final_ratio = optimizer.final_ratio();
  if (optimizer.has_beta1()) config.beta1 = optimizer.beta1();
  if (optimizer.has_beta2()) config.beta2 = optimizer.beta2();
  if (optimizer.has_epsilon()) config.epsilon = optimizer.epsilon();
  if (optimizer.has_weight_decay()) config.weight_decay = optimizer.weight_decay();
  if (optimizer.has_clip_norm()) config.clip_norm = optimizer.clip_norm();
  config.validation_interval = spec.eval_every_steps();
  config.checkpoint_interval = spec.checkpoint_every_steps();
  config.keep_last = static_cast<int>(std::min(Or<uint32_t>(spec.keep_checkpoints(), 2), kMaxInt));
  return config;
}

absl::Status CheckDevice(const std::string& device) {
  if (device.empty() || device == "auto" || device == "cpu" || device == "cuda") return absl::OkStatus();
  return InvalidField("device", absl::StrCat("is \"", device, "\", it must be auto, cpu or cuda"));
}

// The corpus must hold a stream of the representation.
absl::Status CheckStream(ArtifactStore& store, const ArtifactId& corpus, const std::string& representation) {
  CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, store.Get(corpus));
  if (manifest->Find(IdStreamFileName(Split::kBuild, representation)) != nullptr) return absl::OkStatus();
  return InvalidField("representation",
                      absl::StrCat("is \"", representation, "\", of which ", corpus.Name(), " holds no stream"));
}

absl::Status CheckPaths(const v1::DocumentSource& source, ArtifactStore& store,
                        const std::vector<std::string>& allowed_roots) {
  if (source.paths_size() == 0) return absl::OkStatus();
  const std::vector<std::string> inputs(source.paths().begin(), source.paths().end());
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandInputs(store.files(), inputs, InputFilesOptions()));
  for (const std::string& file : files) {
    CLM_RETURN_IF_ERROR(ResolveBelow(file, allowed_roots, "an allowed root; upload instead").status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PrepareOptions> ToPrepareOptions(const v1::PrepareSpec& spec, ArtifactStore& store) {
  PrepareOptions options;
  CLM_ASSIGN_OR_RETURN(options.inputs, ToInputs(spec.source(), store));
  options.reader = ToReaderOptions(spec.source());
  const v1::SplitOptions& split = spec.split();
  const uint32_t validation = split.has_validation_per_10000() ? split.validation_per_10000() : kDefaultSplitPer10000;
  const uint32_t selection = split.has_selection_per_10000() ? split.selection_per_10000() : kDefaultSplitPer10000;
  if (validation < 1 || validation > 5000) {
    return InvalidField("split.validation_per_10000", absl::StrCat("is ", validation, ", it must be in [1, 5000]"));
  }
  if (selection > 5000 || validation + selection >= 10000) {
    return InvalidField("split.selection_per_10000", absl::StrCat("is ", selection, ", it must be in [0, 5000]"));
  }
  options.split.validation_ppm = validation * kPpmPer10000;
  options.split.selection_ppm = selection * kPpmPer10000;
  CLM_RETURN_IF_ERROR(TakeTokenizerOptions(spec.tokenizer(), store, options));
  CLM_ASSIGN_OR_RETURN(options.universe, ToUniverseOptions(spec.universe()));
  if (!spec.universe().extends().empty()) {
    CLM_RETURN_IF_ERROR(TakeExtendedUniverse(spec.universe().extends(), store, options));
  }
  options.memory_limit_bytes = spec.memory_limit_bytes();
  if (spec.representations_size() > 0) {
    options.representations.assign(spec.representations().begin(), spec.representations().end());
  } else if (!options.wants_universe()) {
    options.representations = {"token"};
  }
  CLM_RETURN_IF_ERROR(options.Validate());
  return options;
}

absl::StatusOr<TrainOptions> ToTrainOptions(const v1::TrainSpec& spec, ArtifactStore& store) {
  TrainOptions options;
  CLM_ASSIGN_OR_RETURN(options.corpus, Resolve(store, "corpus", spec.corpus(), ArtifactKind::kCorpus));
  if (!spec.representation().empty()) options.representation = spec.representation();
  CLM_RETURN_IF_ERROR(CheckStream(store, options.corpus, options.representation));
  CLM_ASSIGN_OR_RETURN(options.model, ToModelConfig(spec.model()));
  options.compose_rows = spec.model().compose_rows();
  if (spec.total_bytes() == 0) return InvalidField("total_bytes", "is required");
  CLM_ASSIGN_OR_RETURN(options.train, ToTrainConfig(spec));
  options.warmup_ratio = spec.optimizer().has_warmup_ratio() ? spec.optimizer().warmup_ratio() : kDefaultWarmupRatio;
  options.seed = spec.seed();
  CLM_RETURN_IF_ERROR(CheckDevice(spec.device()));
  if (!spec.device().empty()) options.device = spec.device();
  options.validation_bytes = Or(spec.eval_bytes(), kDefaultValidationBytes);
  CLM_RETURN_IF_ERROR(options.Validate());
  return options;
}

absl::StatusOr<EvaluateOptions> ToEvaluateOptions(const v1::EvaluateSpec& spec, ArtifactStore& store) {
  EvaluateOptions options;
  CLM_ASSIGN_OR_RETURN(options.checkpoint, Resolve(store, "checkpoint", spec.checkpoint(), ArtifactKind::kCheckpoint));
  if (!spec.split().empty()) {
    CLM_ASSIGN_OR_RETURN(options.split, ParseSplit(spec.split()));
  }
  if (spec.has_source()) {
    CLM_ASSIGN_OR_RETURN(options.inputs, ToInputs(spec.source(), store));
    options.reader = ToReaderOptions(spec.source());
  }
  options.context_overlap = spec.context_overlap();
  options.batch_documents = Or(spec.batch_documents(), options.batch_documents);
  options.bootstrap_resamples = Or(spec.bootstrap_resamples(), options.bootstrap_resamples);
  CLM_RETURN_IF_ERROR(CheckDevice(spec.device()));
  if (!spec.device().empty()) options.device = spec.device();
  options.max_bytes = spec.max_bytes();
  options.measure_generation = spec.measure_generation();
  CLM_RETURN_IF_ERROR(options.Validate());
  return options;
}

absl::Status CheckJobSpec(const v1::JobSpec& spec, ArtifactStore& store,
                          const std::vector<std::string>& allowed_roots) {
  switch (spec.task_case()) {
    case v1::JobSpec::kPrepare:
      CLM_RETURN_IF_ERROR(ToPrepareOptions(spec.prepare(), store).status());
      return CheckPaths(spec.prepare().source(), store, allowed_roots);
    case v1::JobSpec::kTrain:
      return ToTrainOptions(spec.train(), store).status();
    case v1::JobSpec::kEvaluate:
      CLM_RETURN_IF_ERROR(ToEvaluateOptions(spec.evaluate(), store).status());
      return CheckPaths(spec.evaluate().source(), store, allowed_roots);
    case v1::JobSpec::TASK_NOT_SET:
      break;
  }
  return InvalidField("spec.task", "is required");
}

}  // namespace clm
