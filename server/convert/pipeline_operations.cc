#include "server/convert/pipeline_operations.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/thread_pool.h"
#include "core/codec/codec_set.h"
#include "core/codec/compare_baselines.h"
#include "core/codec/frame_decoder.h"
#include "core/codec/frame_encoder.h"
#include "core/codec/frame_salvage.h"
#include "core/engine/engine_predictor.h"
#include "core/engine/engine_stepper.h"
#include "core/generate/generator.h"
#include "core/pipeline/engine_registry.h"
#include "core/pipeline/representation_loader.h"
#include "core/pipeline/trace_model.h"
#include "core/representation/registry.h"
#include "core/text/utf8.h"
#include "server/convert/compress_plan.h"
#include "server/convert/result_convert.h"
#include "server/convert/spec_convert.h"
#include "server/convert/trace_convert.h"
#include "server/metrics/metric_names.h"
#include "server/registry/checkpoint_registry.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

// Representations kept for the next call; a tokenizer and its universe take a few MiB.
constexpr size_t kKeptRepresentations = 16;
// A report with as many is below a MiB and a half: half a message.
constexpr size_t kMaxListedRanges = 65536;
constexpr absl::string_view kFrameFile = "frame";

// The loaded representations of recent calls, by artifact and kind. Thread-safe.
class RepresentationCache {
 public:
  explicit RepresentationCache(ArtifactStore& store) : store_(store) {}

  absl::StatusOr<std::shared_ptr<const Representation>> Get(const v1::RepresentationRef& ref,
                                                            const CancellationToken& cancel) {
    if (ref.artifact().empty()) {
      if (ref.kind() == "byte") return ByteRepresentationInstance();
      return InvalidField("representation.artifact", absl::StrCat("is required for kind \"", ref.kind(), "\""));
    }
    CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(ref.artifact()));
    const std::pair<ArtifactId, std::string> key(id, ref.kind());
    {
      absl::MutexLock lock(&mu_);
      if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
    }
    CLM_ASSIGN_OR_RETURN(const LoadedRepresentation loaded, LoadRepresentation(store_, id, ref.kind(), cancel));
    absl::MutexLock lock(&mu_);
    if (kept_.size() >= kKeptRepresentations) kept_.erase(kept_.begin());
    kept_[key] = loaded.representation;
    return loaded.representation;
  }

 private:
  ArtifactStore& store_;
  absl::Mutex mu_;
  std::map<std::pair<ArtifactId, std::string>, std::shared_ptr<const Representation>> kept_ ABSL_GUARDED_BY(mu_);
};

// Whether bytes in pieces are valid UTF-8 as a whole.
class Utf8Check {
 public:
  void Add(absl::string_view bytes) {
    if (!valid_) return;
    open_.append(bytes.data(), bytes.size());
    const size_t whole = open_.size() - IncompleteUtf8Suffix(open_);
    valid_ = ValidUtf8Prefix(absl::string_view(open_).substr(0, whole)) == whole;
    open_.erase(0, whole);
  }
  bool Finish() const { return valid_ && open_.empty(); }

 private:
  std::string open_;  // the beginning of a code point
  bool valid_ = true;
};

RepresentationInfo InfoOf(const Representation& representation) {
  return {.kind = representation.kind(),
          .vocab_size = representation.layout().vocab_size,
          .fingerprint = representation.fingerprint()};
}

VerifyMode ToVerifyMode(v1::VerifyMode mode) {
  switch (mode) {
    case v1::VERIFY_MODE_SAMPLED:
      return VerifyMode::kSampled;
    case v1::VERIFY_MODE_NONE:
      return VerifyMode::kNone;
    default:
      return VerifyMode::kFull;
  }
}

v1::StopReason ToProto(StopReason reason) {
  switch (reason) {
    case StopReason::kBoundary:
      return v1::STOP_REASON_BOUNDARY;
    case StopReason::kMaxSymbols:
      return v1::STOP_REASON_MAX_SYMBOLS;
    case StopReason::kMaxBytes:
      return v1::STOP_REASON_MAX_BYTES;
    case StopReason::kStopString:
      return v1::STOP_REASON_STOP_STRING;
  }
  return v1::STOP_REASON_UNSPECIFIED;
}

GenerateOptions ToGenerateOptions(const v1::GenerateRequest& request) {
  GenerateOptions options;
  options.max_new_bytes = request.max_new_bytes();
  options.max_new_symbols = request.max_new_symbols() == 0
                                ? GenerateOptions::kMaxNewSymbols
                                : std::min(request.max_new_symbols(), GenerateOptions::kMaxNewSymbols);
  options.stop_strings.assign(request.stop().begin(), request.stop().end());
  options.stop_at_boundary = !request.ignore_boundary();
  options.sampling.temperature = request.temperature();
  options.sampling.top_k = request.top_k();
  options.sampling.top_p = request.top_p();
  options.sampling.seed = request.seed();
  return options;
}

v1::DecompressResponse::Summary ToProto(const SalvageSummary& summary) {
  v1::DecompressResponse::Summary proto;
  proto.set_original_bytes(summary.written_bytes);
  proto.set_sha256(ToHex(summary.sha256));
  proto.set_sha256_verified(summary.complete());
  v1::SalvageReport& report = *proto.mutable_salvage();
  report.set_intact_blocks(summary.intact_blocks);
  report.set_lost_blocks(summary.lost_blocks);
  report.set_intact_bytes(summary.intact_bytes);
  report.set_lost_bytes(summary.lost_bytes);
  report.set_missing_ranges(summary.missing.size());
  for (size_t i = 0; i < std::min(summary.missing.size(), kMaxListedRanges); ++i) {
    const MissingRange& range = summary.missing[i];
    v1::MissingRange& missing = *report.add_missing();
    missing.set_offset_bytes(range.begin);
    if (range.end != MissingRange::kUnknownEnd) missing.set_length_bytes(range.end - range.begin);
  }
  return proto;
}

v1::Model ToProto(const LoadedModelInfo& info) {
  v1::Model model;
  model.set_checkpoint(info.model->checkpoint().Name());
  model.set_representation(info.model->representation().kind());
  model.set_device(info.model->facts().device);
  model.set_resident_bytes(info.model->facts().resident_bytes);
  model.set_parameters(info.model->facts().parameters());
  model.set_vocab_size(info.model->representation().layout().vocab_size);
  model.set_holders(info.holders);
  const int64_t micros = absl::ToUnixMicros(info.load_time);
  model.mutable_load_time()->set_seconds(micros / 1'000'000);
  model.mutable_load_time()->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
  return model;
}

// Keeps a copy of what passes, for the comparison with other compressors.
class Copy {
 public:
  explicit Copy(bool wanted) : wanted_(wanted) {}

  absl::Status Add(absl::string_view data) {
    if (!wanted_) return absl::OkStatus();
    if (data_.size() + data.size() > kMaxBaselineBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("compare takes at most ", kMaxBaselineBytes, " bytes, the input is longer"));
    }
    data_.append(data.data(), data.size());
    return absl::OkStatus();
  }
  const std::string& data() const { return data_; }

 private:
  const bool wanted_;
  std::string data_;
};

class PipelineOperations final : public Operations {
 public:
  PipelineOperations(const v1::ServerConfig& config, ArtifactStore& store, Metrics& metrics)
      : store_(store),
        metrics_(metrics),
        threads_(config.threads() > 0 ? config.threads() : AvailableThreads()),
        codecs_(CodecSet::BuiltIn()),
        representations_(store),
        models_(
            store,
            [&store, device = config.device()](const ArtifactId& id, const CancellationToken& cancel) {
              return clm::LoadModel(store, id, device, cancel);
            },
            config.model_memory_bytes(), metrics),
        engines_(store, static_cast<uint32_t>(threads_.threads())),
        max_salvaged_bytes_(config.max_upload_bytes()),
        lanes_watch_(metrics.Watch(kLanesInUse, [this] { return static_cast<double>(engines_.lanes_in_use()); })) {}

  absl::Status Encode(const v1::RepresentationRef& ref, const ByteSource& bytes, const RepresentationSink& begin,
                      const SymbolSink& symbols, const CancellationToken& cancel) override {
    CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Representation> representation, representations_.Get(ref, cancel));
    CLM_RETURN_IF_ERROR(begin(InfoOf(*representation)));
    const std::unique_ptr<StreamingEncoder> encoder = representation->NewEncoder();
    std::string piece;
    std::vector<SymbolId> settled;
    for (bool more = true; more;) {
      CLM_RETURN_IF_ERROR(cancel.Check());
      CLM_ASSIGN_OR_RETURN(more, bytes(piece));
      settled.clear();
      CLM_RETURN_IF_ERROR(more ? encoder->Push(piece, settled) : encoder->Finish(settled));
      if (!settled.empty()) CLM_RETURN_IF_ERROR(symbols(settled));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<DecodeOutcome> Decode(const v1::RepresentationRef& ref, const std::string& fingerprint,
                                       const SymbolSource& symbols, const ByteSink& bytes,
                                       const CancellationToken& cancel) override {
    CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Representation> representation, representations_.Get(ref, cancel));
    if (!fingerprint.empty() && fingerprint != representation->fingerprint()) {
      return WithReason(absl::FailedPreconditionError(absl::StrCat("the symbols belong to representation ", fingerprint,
                                                                   ", this one is ", representation->fingerprint())),
                        "WRONG_REPRESENTATION");
    }
    const std::unique_ptr<StreamingDecoder> decoder = representation->NewDecoder();
    std::vector<SymbolId> piece;
    Utf8Check utf8;
    for (bool more = true; more;) {
      CLM_RETURN_IF_ERROR(cancel.Check());
      CLM_ASSIGN_OR_RETURN(more, symbols(piece));
      std::string settled;
      CLM_RETURN_IF_ERROR(more ? decoder->Push(piece, settled) : decoder->Finish(settled));
      utf8.Add(settled);
      if (!settled.empty()) CLM_RETURN_IF_ERROR(bytes(settled));
    }
    return DecodeOutcome{.kind = representation->kind(), .valid_utf8 = utf8.Finish()};
  }

  absl::StatusOr<v1::CompressResponse::Summary> Compress(const v1::CompressRequest::Start& start,
                                                         const ByteSource& bytes, const ByteSink& frame,
                                                         const CancellationToken& cancel) override {
    CLM_ASSIGN_OR_RETURN(const CompressPlan plan, PlanCompress(start, store_, engines_, cancel));
    FrameEncoderOptions options;
    options.block_bytes = plan.block_bytes;
    options.verify = ToVerifyMode(start.verify());
    if (start.original_bytes() > 0) options.original_bytes = start.original_bytes();
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<FrameEncoder> encoder,
                         FrameEncoder::Create(options, plan.coder, frame, ContextOf(cancel)));
    Copy copy(start.compare());
    std::string piece;
    while (true) {
      CLM_ASSIGN_OR_RETURN(const bool more, bytes(piece));
      if (!more) break;
      CLM_RETURN_IF_ERROR(copy.Add(piece));
      CLM_RETURN_IF_ERROR(encoder->Append(piece));
    }
    CLM_ASSIGN_OR_RETURN(const FrameSummary summary, encoder->Finish());
    CountBlocks(plan.coder->parameters().codec, "compress", summary.blocks, summary.stored_blocks);
    if (summary.verify_failures > 0) {
      metrics_.Add(kRoundTripFailures, {"compress"}, static_cast<double>(summary.verify_failures));
    }
    v1::CompressResponse::Summary proto = ToSummary(summary);
    proto.set_codec(plan.codec);
    proto.set_checkpoint_bytes(plan.checkpoint_bytes);
    if (!start.compare()) return proto;
    CLM_ASSIGN_OR_RETURN(const std::vector<BaselineSize> baselines, CompareBaselines(copy.data(), cancel));
    for (const BaselineSize& baseline : baselines) {
      v1::BaselineSize& added = *proto.add_baselines();
      added.set_name(baseline.name);
      added.set_size_bytes(baseline.size_bytes);
      added.set_seconds(baseline.seconds);
    }
    return proto;
  }

  absl::StatusOr<v1::DecompressResponse::Summary> Decompress(const v1::DecompressRequest::Start& start,
                                                             const ByteSource& frame, const ByteSink& bytes,
                                                             const CancellationToken& cancel) override {
    CodecSet codecs = codecs_;
    codecs.SetSource([&](const CodecParameters& wanted) { return engines_.Find(wanted, cancel); });
    absl::StatusOr<v1::DecompressResponse::Summary> result =
        start.salvage() ? Salvage(codecs, frame, bytes, cancel) : Restore(start, codecs, frame, bytes, cancel);
    if (IsCanaryFailure(result.status())) metrics_.Add(kCanaryFailures, {});
    return result;
  }

  absl::StatusOr<GenerateOutcome> Generate(const v1::GenerateRequest& request, const GenerateSink& sink,
                                           const CancellationToken& cancel) override {
    CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(request.checkpoint()));
    if (request.exact()) {
      CLM_ASSIGN_OR_RETURN(const RegisteredEngine engine, engines_.Get(id, 0, cancel));
      CLM_ASSIGN_OR_RETURN(const std::unique_ptr<EngineStepper> stepper, EngineStepper::Create(engine.engine));
      return GenerateWith(*stepper, *engine.representation, request, sink, cancel);
    }
    CLM_ASSIGN_OR_RETURN(const CheckpointRegistry::Handle model, models_.Acquire(id, cancel));
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<NextSymbolModel> stepper, model->NewStepper());
    return GenerateWith(*stepper, model->representation(), request, sink, cancel);
  }

  absl::StatusOr<v1::TraceResponse::Summary> Trace(const v1::TraceRequest::Start& start, absl::string_view input,
                                                   const TraceSinks& sinks, const CancellationToken& cancel) override {
    CLM_ASSIGN_OR_RETURN(const TraceModel model, OpenTraceModel(start.checkpoint(), cancel));
    return RunTrace(model, start, input, sinks, cancel);
  }

  absl::StatusOr<v1::CompareResponse> Compare(const v1::CompareRequest& request, const CancellationToken&) override {
    CLM_ASSIGN_OR_RETURN(const ArtifactId baseline, store_.Resolve(request.baseline()));
    CLM_ASSIGN_OR_RETURN(const ArtifactId candidate, store_.Resolve(request.candidate()));
    CLM_ASSIGN_OR_RETURN(const Comparison comparison, RunCompare(store_, baseline, candidate));
    return clm::ToProto(comparison);
  }

  absl::StatusOr<v1::Model> LoadModel(const v1::LoadModelRequest& request, const CancellationToken& cancel) override {
    CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(request.checkpoint()));
    CLM_ASSIGN_OR_RETURN(const LoadedModelInfo info, models_.Load(id, cancel));
    return ToProto(info);
  }

  absl::StatusOr<v1::UnloadModelResponse> UnloadModel(const v1::UnloadModelRequest& request) override {
    CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(request.checkpoint()));
    CLM_ASSIGN_OR_RETURN(const uint64_t freed, models_.Unload(id));
    v1::UnloadModelResponse response;
    response.set_freed_bytes(freed);
    return response;
  }

  std::vector<v1::Model> ListModels() override {
    std::vector<v1::Model> models;
    for (const LoadedModelInfo& info : models_.List()) models.push_back(ToProto(info));
    return models;
  }

  v1::Capabilities Describe() override {
    v1::Capabilities capabilities;
    capabilities.set_libtorch_version(LibTorchVersion());
    for (const std::string& device : UsableDevices()) capabilities.add_devices(device);
    for (const RepresentationKind& kind : RepresentationKinds()) {
      capabilities.add_representations(kind.name.data(), kind.name.size());
    }
    for (const CodecId codec : {CodecId::kAdaptive, CodecId::kCount, CodecId::kMixed, CodecId::kProbability,
                                CodecId::kRankAdaptive, CodecId::kRankAns, CodecId::kStored}) {
      capabilities.add_codecs(CodecName(codec));
    }
    return capabilities;
  }

 private:
  // What a trace asks: the built-in predictor, or that of a checkpoint.
  absl::StatusOr<TraceModel> OpenTraceModel(const std::string& checkpoint, const CancellationToken& cancel) {
    if (checkpoint.empty()) return BuiltInTraceModel();
    CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(checkpoint));
    CLM_ASSIGN_OR_RETURN(const RegisteredEngine engine, engines_.Get(id, 0, cancel));
    EngineSessionOptions options;
    options.lanes = 1;
    TraceModel model;
    model.name = id.Name();
    model.representation = engine.representation;
    CLM_ASSIGN_OR_RETURN(model.predictor, EnginePredictor::Create(engine.engine, options));
    return model;
  }

  static absl::StatusOr<GenerateOutcome> GenerateWith(NextSymbolModel& stepper, const Representation& representation,
                                                      const v1::GenerateRequest& request, const GenerateSink& sink,
                                                      const CancellationToken& cancel) {
    CLM_ASSIGN_OR_RETURN(Generator generator, Generator::Create(stepper, representation));
    const absl::Duration start = SystemClock().Monotonic();
    absl::Duration first = absl::ZeroDuration();
    uint64_t symbols = 0;
    const PieceSink pieces = [&](const GeneratedPiece& piece) {
      if (symbols == 0) first = SystemClock().Monotonic() - start;
      symbols += piece.symbols.size();
      return sink(piece.bytes, piece.symbols);
    };
    CLM_ASSIGN_OR_RETURN(const GenerateResult result,
                         generator.Generate(request.prompt(), ToGenerateOptions(request), pieces, cancel));
    GenerateOutcome outcome;
    outcome.kind = representation.kind();
    v1::GenerateResponse::Summary& summary = outcome.summary;
    summary.set_stop_reason(ToProto(result.stop_reason));
    summary.set_prompt_symbols(result.prompt_symbols);
    summary.set_new_symbols(result.symbols.size());
    summary.set_new_bytes(result.text.size());
    summary.set_first_symbol_seconds(absl::ToDoubleSeconds(first));
    summary.set_generation_seconds(result.seconds);
    summary.set_bytes_per_second(result.seconds > 0 ? static_cast<double>(result.text.size()) / result.seconds : 0);
    return outcome;
  }

  absl::StatusOr<v1::DecompressResponse::Summary> Restore(const v1::DecompressRequest::Start& start,
                                                          const CodecSet& codecs, const ByteSource& frame,
                                                          const ByteSink& bytes, const CancellationToken& cancel) {
    FrameDecoderOptions options;
    options.range_offset = start.offset_bytes();
    options.range_length = start.length_bytes();
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<FrameDecoder> decoder,
                         FrameDecoder::Create(options, codecs, bytes, ContextOf(cancel)));
    std::string piece;
    while (true) {
      CLM_ASSIGN_OR_RETURN(const bool more, frame(piece));
      if (!more) break;
      CLM_RETURN_IF_ERROR(decoder->Append(piece));
    }
    CLM_ASSIGN_OR_RETURN(const DecodeSummary summary, decoder->Finish());
    CountBlocks(decoder->header()->codec.codec, "decompress", summary.decoded_blocks, summary.stored_blocks);
    v1::DecompressResponse::Summary proto;
    proto.set_original_bytes(summary.decoded_bytes);
    proto.set_sha256(ToHex(summary.sha256));
    proto.set_sha256_verified(summary.sha256_verified);
    return proto;
  }

  void CountBlocks(CodecId codec, const char* direction, uint64_t blocks, uint64_t stored) {
    const uint64_t coded = blocks - stored;
    if (coded > 0) metrics_.Add(kFrameBlocks, {CodecName(codec), direction}, static_cast<double>(coded));
    if (stored > 0) metrics_.Add(kFrameBlocks, {CodecName(CodecId::kStored), direction}, static_cast<double>(stored));
  }

  // A search goes back and forth, so the frame is kept in a file that goes with the call.
  absl::StatusOr<v1::DecompressResponse::Summary> Salvage(const CodecSet& codecs, const ByteSource& frame,
                                                          const ByteSink& bytes, const CancellationToken& cancel) {
    CLM_ASSIGN_OR_RETURN(ArtifactDraft folder, store_.NewDraft(ArtifactKind::kBlob));
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> copy, folder.Create(kFrameFile));
    std::string piece;
    uint64_t frame_bytes = 0;
    while (true) {
      CLM_RETURN_IF_ERROR(cancel.Check());
      CLM_ASSIGN_OR_RETURN(const bool more, frame(piece));
      if (!more) break;
      frame_bytes += piece.size();
      if (frame_bytes > max_salvaged_bytes_) {
        return absl::ResourceExhaustedError(
            absl::StrCat("a frame to salvage may have max_upload_bytes = ", max_salvaged_bytes_, " bytes"));
      }
      CLM_RETURN_IF_ERROR(copy->Append(piece));
    }
    CLM_RETURN_IF_ERROR(copy->Close());
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, store_.files().Open(folder.Path(kFrameFile)));
    CLM_ASSIGN_OR_RETURN(const SalvageSummary summary, SalvageFrame(*file, codecs, {}, bytes, ContextOf(cancel)));
    return ToProto(summary);
  }

  CodecContext ContextOf(const CancellationToken& cancel) {
    return {.pool = &block_threads_, .processors = threads_.threads(), .cancel = cancel, .progress = {}};
  }

  static v1::CompressResponse::Summary ToSummary(const FrameSummary& summary) {
    v1::CompressResponse::Summary proto;
    proto.set_original_bytes(summary.original_bytes);
    proto.set_frame_bytes(summary.frame_bytes);
    proto.set_sha256(ToHex(summary.sha256));
    proto.set_blocks(summary.blocks);
    proto.set_stored_blocks(summary.stored_blocks);
    proto.set_verified_blocks(summary.verified_blocks);
    const uint64_t added = kFrameHeaderBytes + summary.blocks * kBlockOverheadBytes + FooterBytes(summary.blocks);
    proto.set_payload_bytes(summary.frame_bytes - added);
    return proto;
  }

  ArtifactStore& store_;
  Metrics& metrics_;
  ThreadPool threads_;
  ThreadPool block_threads_{kEngineLanes};  // blocks of a checkpoint's codecs wait in them for their lanes
  const CodecSet codecs_;
  RepresentationCache representations_;
  CheckpointRegistry models_;
  EngineRegistry engines_;
  const uint64_t max_salvaged_bytes_;
  const std::unique_ptr<GaugeWatch> lanes_watch_;  // last: it reads engines_
};

}  // namespace

absl::StatusOr<std::unique_ptr<Operations>> MakePipelineOperations(const v1::ServerConfig& config, ArtifactStore& store,
                                                                   Metrics& metrics) {
  return std::make_unique<PipelineOperations>(config, store, metrics);
}

JobSpecCheck MakeJobSpecCheck(const v1::ServerConfig& config, ArtifactStore& store) {
  return [&store, roots = std::vector<std::string>(config.allowed_roots().begin(), config.allowed_roots().end())](
             const v1::JobSpec& spec) { return CheckJobSpec(spec, store, roots); };
}

}  // namespace clm
