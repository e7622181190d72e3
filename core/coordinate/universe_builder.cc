#include "core/coordinate/universe_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/coordinate/build_state.h"
#include "core/coordinate/universe_cost.h"
#include "core/coordinate/universe_file.h"

namespace clm {
namespace {

// Symbols of a document that are packed at once.
constexpr size_t kPieceSymbols = size_t{1} << 14;
constexpr uint64_t kMinMemoryLimit = uint64_t{1} << 20;
constexpr PairStrategy kScoringStrategies[] = {PairStrategy::kCount, PairStrategy::kPmi, PairStrategy::kConditional};

}  // namespace

absl::Status UniverseRunOptions::Validate() const {
  if (memory_limit_bytes != 0 && memory_limit_bytes < kMinMemoryLimit) {
    return absl::InvalidArgumentError(
        absl::StrCat("memory_limit_bytes is ", memory_limit_bytes, ", must be 0 or at least ", kMinMemoryLimit));
  }
  if (files == nullptr && (memory_limit_bytes != 0 || !state_path.empty())) {
    return absl::InvalidArgumentError("memory_limit_bytes and state_path need files");
  }
  if (memory_limit_bytes != 0 && scratch_folder.empty()) {
    return absl::InvalidArgumentError("memory_limit_bytes needs a scratch_folder");
  }
  return absl::OkStatus();
}

// Learns by one strategy, or goes on where an interrupted run stopped.
class UniverseBuilder::Run {
 public:
  Run(UniverseBuilder& builder, PairStrategy strategy, ThreadPool& pool, const CancellationToken& cancel)
      : builder_(builder), strategy_(strategy), plan_(builder.Plan(strategy)), pool_(pool), cancel_(cancel) {}

  // `keeps_corpora`: another run will follow.
  absl::StatusOr<LearnedUniverse> Learn(bool keeps_corpora, const ProgressSink& progress) {
    CLM_RETURN_IF_ERROR(Start(keeps_corpora));
    CLM_RETURN_IF_ERROR(FoldKnownLayers());
    JoinRule dry_rule = JoinRule::kAny;
    bool dry = false;  // a layer of this rule that found nothing leaves nothing for the next one of the same rule
    for (size_t l = 0; l < plan_.size(); ++l) {
      CLM_RETURN_IF_ERROR(cancel_.Check());
      if (l >= done_ && (!dry || plan_[l].rule != dry_rule)) {
        CLM_RETURN_IF_ERROR(ExpandFor(plan_[l].rule));
        const LayerPlan* const next = l + 1 < plan_.size() ? &plan_[l + 1] : nullptr;
        CLM_ASSIGN_OR_RETURN(const bool found, learner_->LearnLayer(plan_[l], next, pool_, cancel_));
        dry = !found;
        dry_rule = plan_[l].rule;
        if (found) CLM_RETURN_IF_ERROR(WriteState(l + 1));
      }
      Report(l + 1, progress);
    }
    return Result();
  }

  // What the universe that Learn() gave costs on the selection documents.
  absl::StatusOr<uint64_t> Cost() {
    CLM_RETURN_IF_ERROR(ExpandFor(JoinRule::kAny));
    const PairCounter::Options count = {.expected_symbols = learner_->build().symbol_count(),
                                        .memory_limit_bytes = builder_.run_.memory_limit_bytes * 3 / 20,
                                        .files = builder_.run_.files,
                                        .folder = builder_.run_.scratch_folder,
                                        .name = "cost-pairs"};
    return SelectionCost(learner_->build(), learner_->symbol_counts(), learner_->selection(), count, pool_, cancel_);
  }

  // Only RemoveState() may be called after it.
  void FreeStreams() { learner_.reset(); }

  void RemoveState() {
    if (!StatePath().empty()) builder_.run_.files->RemoveFile(StatePath()).IgnoreError();
  }

 private:
  std::string StatePath() const {
    if (builder_.run_.state_path.empty()) return "";
    return absl::StrCat(builder_.run_.state_path, ".", NameOf(strategy_));
  }

  absl::Status Start(bool keeps_corpora) {
    Corpus& build = builder_.build_;
    SymbolStream stream;
    SymbolStream selection;
    folds_types_ = build.types != nullptr && !build.types_were_flushed;
    if (folds_types_) {
      stream = SymbolStream(builder_.StreamOptions("types"));
      CLM_RETURN_IF_ERROR(build.types->WriteTypes(stream));
      CLM_RETURN_IF_ERROR(stream.Seal());
    } else if (keeps_corpora) {
      CLM_ASSIGN_OR_RETURN(stream, build.stream.Clone(builder_.StreamOptions("build-copy")));
    } else {
      stream = std::exchange(build.stream, SymbolStream());
    }
    if (keeps_corpora) {
      CLM_ASSIGN_OR_RETURN(selection, builder_.selection_.stream.Clone(builder_.StreamOptions("selection-copy")));
    } else {
      selection = std::exchange(builder_.selection_.stream, SymbolStream());
    }
    const std::span<const uint64_t> outside =
        build.types == nullptr ? std::span<const uint64_t>() : build.types->singles();
    const bool has_singles_outside = folds_types_ || stream.has_weights();
    learner_ = std::make_unique<UniverseLearner>(
        UniverseLearner::Options{.universe = builder_.options_,
                                 .base_size = builder_.known_.universe.base_size(),
                                 .counter_limit_bytes = CounterLimit(stream.memory_bytes() + selection.memory_bytes()),
                                 .files = builder_.run_.files,
                                 .folder = builder_.run_.scratch_folder});
    return learner_->Start(std::move(stream), std::move(selection),
                           has_singles_outside ? outside : std::span<const uint64_t>(), pool_, cancel_);
  }

  // What the documents leave of the limit. `stream_bytes`: of the streams that are folded.
  uint64_t CounterLimit(uint64_t stream_bytes) const {
    const uint64_t limit = builder_.run_.memory_limit_bytes;
    const Corpus& build = builder_.build_;
    uint64_t taken = stream_bytes + build.stream.memory_bytes() + builder_.selection_.stream.memory_bytes();
    if (build.types != nullptr) taken += build.types->memory_bytes();
    if (folds_types_ && build.types->keeps_order()) taken += builder_.StreamOptions("expanded").memory_limit_bytes;
    taken += limit / 10;  // the tables of a layer, and what folding needs
    return std::max(limit * 3 / 10, limit - std::min(limit, taken));
  }

  absl::Status FoldKnownLayers() {
    std::vector<uint64_t> candidates;
    Universe known = builder_.known_.universe;
    if (!StatePath().empty()) {
      input_digest_ = builder_.InputDigest();
      const auto state = ReadBuildState(*builder_.run_.files, StatePath(), input_digest_);
      if (state.has_value()) {
        known = state->universe.universe;
        for (const UniverseLayerStats& stats : state->universe.stats) candidates.push_back(stats.candidates);
        done_ = state->done;
      }
    }
    candidates.resize(static_cast<size_t>(known.layer_count()));
    for (int layer = 1; layer <= known.layer_count(); ++layer) {
      CLM_RETURN_IF_ERROR(ExpandFor(known.Rule(layer)));
      const std::span<const SymbolPair> pairs = known.Pairs(layer);
      CLM_RETURN_IF_ERROR(learner_->FoldKnownLayer({.rule = known.Rule(layer), .pairs = {pairs.begin(), pairs.end()}},
                                                   candidates[static_cast<size_t>(layer) - 1], pool_, cancel_));
    }
    return absl::OkStatus();
  }

  // The documents again, before a layer looks across pretokens.
  absl::Status ExpandFor(JoinRule rule) {
    if (!folds_types_ || rule == JoinRule::kWithinPretoken) return absl::OkStatus();
    SymbolStream stream(builder_.StreamOptions("expanded"));
    CLM_RETURN_IF_ERROR(builder_.build_.types->Expand(learner_->build(), cancel_, stream));
    CLM_RETURN_IF_ERROR(stream.Seal());
    learner_->ReplaceBuildStream(std::move(stream));
    folds_types_ = false;
    return absl::OkStatus();
  }

  absl::Status WriteState(size_t done) {
    if (StatePath().empty()) return absl::OkStatus();
    CLM_ASSIGN_OR_RETURN(const Universe universe, MakeUniverse());
    const UniverseFile file = {.universe = universe,
                               .frequencies = learner_->frequencies(),
                               .tokenizer_sha256 = "",
                               .options = builder_.options_,
                               .stats = learner_->stats()};
    return WriteBuildState(*builder_.run_.files, StatePath(),
                           {.input_digest = input_digest_, .done = done, .universe = file});
  }

  absl::StatusOr<Universe> MakeUniverse() const {
    const Universe& known = builder_.known_.universe;
    const std::span<const SymbolId> boundaries = known.boundary_ids();
    return Universe::Create(known.base_size(), {boundaries.begin(), boundaries.end()}, learner_->layers());
  }

  absl::StatusOr<LearnedUniverse> Result() const {
    CLM_ASSIGN_OR_RETURN(const Universe universe, MakeUniverse());
    LearnedUniverse learned = {.universe = universe,
                               .frequencies = learner_->frequencies(),
                               .layers = learner_->stats(),
                               .strategy = strategy_};
    const LearnedUniverse& known = builder_.known_;
    std::copy(known.frequencies.begin(), known.frequencies.end(), learned.frequencies.begin());
    std::copy(known.layers.begin(), known.layers.end(), learned.layers.begin());
    return learned;
  }

  void Report(size_t done, const ProgressSink& progress) const {
    if (!progress) return;
    progress({.phase = "learn_universe",
              .done_units = done,
              .total_units = plan_.size(),
              .unit = "layers",
              .remaining_seconds = -1,
              .metrics = {}});
  }

  UniverseBuilder& builder_;
  const PairStrategy strategy_;
  const std::vector<LayerPlan> plan_;
  ThreadPool& pool_;
  const CancellationToken& cancel_;
  std::unique_ptr<UniverseLearner> learner_;
  bool folds_types_ = false;  // the build stream holds pretoken types, not documents
  std::string input_digest_;
  size_t done_ = 0;  // layers of the plan, by the state that was found
};

UniverseBuilder::UniverseBuilder(const UniverseOptions& options, LearnedUniverse known, const UniverseRunOptions& run)
    : options_(options), run_(run), known_(std::move(known)) {
  const uint32_t base_size = known_.universe.base_size();
  is_boundary_.resize(base_size);
  for (const SymbolId id : known_.universe.boundary_ids()) is_boundary_[id] = 1;
  needs_starts_ = options_.constraint != JoinRule::kAny || known_.universe.needs_pretoken_starts();
  const size_t word_layers = LeadingWordLayers();
  const size_t all_layers = static_cast<size_t>(known_.universe.layer_count()) + Plan(PairStrategy::kCount).size();
  if (word_layers > 0) {
    const bool keeps_order = word_layers < all_layers || options_.strategy == PairStrategy::kAuto;
    build_.types = std::make_unique<PretokenTypes>(base_size, keeps_order);
  }
  build_.stream = SymbolStream(StreamOptions("build"));
  selection_.stream = SymbolStream(StreamOptions("selection"));
  if (!run_.state_path.empty()) {
    build_.digest = std::make_unique<Sha256>();
    selection_.digest = std::make_unique<Sha256>();
  }
}

absl::StatusOr<UniverseBuilder> UniverseBuilder::Create(const UniverseOptions& options, uint32_t base_size,
                                                        std::vector<SymbolId> boundary_ids,
                                                        const UniverseRunOptions& run) {
  CLM_ASSIGN_OR_RETURN(const Universe base, Universe::Create(base_size, std::move(boundary_ids), {}));
  return CreateExtension(options, {.universe = base, .frequencies = {}, .layers = {}}, run);
}

absl::StatusOr<UniverseBuilder> UniverseBuilder::CreateExtension(const UniverseOptions& options, LearnedUniverse known,
                                                                 const UniverseRunOptions& run) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_RETURN_IF_ERROR(run.Validate());
  const int layers = known.universe.layer_count() + options.layers + options.superword_layers;
  if (layers > Universe::kMaxLayers) {
    return absl::InvalidArgumentError(
        absl::StrCat("the known layers and the new ones are ", layers, ", the limit is ", Universe::kMaxLayers));
  }
  known.frequencies.resize(known.universe.vocab_size() - known.universe.base_size());
  known.layers.resize(static_cast<size_t>(known.universe.layer_count()));
  return UniverseBuilder(options, std::move(known), run);
}

SymbolStream::Options UniverseBuilder::StreamOptions(const char* name) const {
  SymbolStream::Options options = {.files = run_.files, .folder = run_.scratch_folder, .name = name};
  const uint64_t limit = run_.memory_limit_bytes;
  if (limit == 0) return options;
  // Where neither copies nor other forms of the documents are kept, they may take more; counting gets what they leave.
  const bool is_only_form = build_.types == nullptr && options_.strategy != PairStrategy::kAuto;
  const bool is_selection = absl::string_view(name).find("selection") == 0;
  options.memory_limit_bytes = is_selection ? limit / 10 : is_only_form ? limit / 2 : limit / 5;
  options.chunk_symbols = std::clamp<size_t>(static_cast<size_t>(limit >> 9), 1024, options.chunk_symbols);
  return options;
}

size_t UniverseBuilder::LeadingWordLayers() const {
  const Universe& known = known_.universe;
  size_t words = 0;
  for (int layer = 1; layer <= known.layer_count(); ++layer) {
    if (known.Rule(layer) != JoinRule::kWithinPretoken) return words;
    ++words;
  }
  const std::vector<LayerPlan> plan = Plan(PairStrategy::kCount);
  const auto first_other = std::find_if(plan.begin(), plan.end(),
                                        [](const LayerPlan& layer) { return layer.rule != JoinRule::kWithinPretoken; });
  return words + static_cast<size_t>(first_other - plan.begin());
}

absl::Status UniverseBuilder::CheckDocument(std::span<const SymbolId> ids,
                                            std::span<const uint8_t> pretoken_starts) const {
  const uint32_t base_size = known_.universe.base_size();
  // The highest bit tells whether some id is not below base_size, which is at most 2^31.
  uint32_t bits = 0;
  for (const SymbolId id : ids) bits |= (base_size - 1 - id) | id;
  if (bits >> 31 != 0) CLM_RETURN_IF_ERROR(Universe::CheckIds(ids, base_size));
  if (needs_starts_ && pretoken_starts.size() != ids.size()) {
    return absl::InvalidArgumentError(absl::StrCat("constraint ", NameOf(options_.constraint),
                                                   " needs one start flag for each of ", ids.size(), " symbols, got ",
                                                   pretoken_starts.size()));
  }
  return absl::OkStatus();
}

absl::Status UniverseBuilder::Add(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
                                  Corpus& corpus) {
  CLM_RETURN_IF_ERROR(CheckDocument(ids, pretoken_starts));
  ++corpus.documents;
  for (size_t begin = 0; begin < ids.size(); begin += kPieceSymbols) {
    const size_t size = std::min(kPieceSymbols, ids.size() - begin);
    const size_t waiting = corpus.packed.size();
    Pack(ids.subspan(begin, size), needs_starts_ ? pretoken_starts.subspan(begin, size) : pretoken_starts,
         corpus.packed);
    if (corpus.packed.size() >= kPieceSymbols) CLM_RETURN_IF_ERROR(AddPacked(LastStart(waiting, corpus), corpus));
  }
  corpus.packed.push_back(kPackedSeparator);
  const bool may_wait = corpus.types == nullptr && corpus.packed.size() < kPieceSymbols;
  return may_wait ? absl::OkStatus() : AddPacked(corpus.packed.size(), corpus);
}

void UniverseBuilder::Pack(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
                           std::vector<PackedSymbol>& packed) const {
  const size_t begin = packed.size();
  packed.resize(begin + ids.size());
  PackedSymbol* const out = packed.data() + begin;
  const std::span<const SymbolId> boundaries = known_.universe.boundary_ids();
  if (boundaries.size() > 1) {
    for (size_t i = 0; i < ids.size(); ++i) out[i] = is_boundary_[ids[i]] != 0 ? kPackedSeparator : ids[i];
  } else {
    const SymbolId boundary = boundaries.empty() ? kNoSymbol : boundaries[0];
    for (size_t i = 0; i < ids.size(); ++i) out[i] = ids[i] == boundary ? kPackedSeparator : ids[i];
  }
  if (!needs_starts_) return;
  // All bits of a separator are set anyway.
  for (size_t i = 0; i < ids.size(); ++i) out[i] |= pretoken_starts[i] != 0 ? kPretokenStart : 0;
}

// Pretokens are added whole: the last one, which begins at or behind `from`, waits until the next begins.
size_t UniverseBuilder::LastStart(size_t from, const Corpus& corpus) const {
  if (corpus.types == nullptr) return corpus.packed.size();
  for (size_t i = corpus.packed.size(); i > from; --i) {
    if ((corpus.packed[i - 1] & kPretokenStart) != 0) return i - 1;
  }
  return 0;
}

absl::Status UniverseBuilder::AddPacked(size_t settled, Corpus& corpus) {
  const std::span<const PackedSymbol> symbols = std::span(corpus.packed).first(settled);
  if (corpus.digest != nullptr) {
    corpus.digest->Update({reinterpret_cast<const char*>(symbols.data()), symbols.size_bytes()});
  }
  CLM_RETURN_IF_ERROR(corpus.types == nullptr ? corpus.stream.Append(symbols) : corpus.types->Add(symbols));
  corpus.packed.erase(corpus.packed.begin(), corpus.packed.begin() + static_cast<ptrdiff_t>(settled));
  // What grows by doubling holds the old half for a moment.
  const bool over = corpus.types != nullptr && run_.memory_limit_bytes > 0 &&
                    corpus.types->memory_bytes() > run_.memory_limit_bytes / 4;
  return over ? FlushTypes(corpus) : absl::OkStatus();
}

// Counts are sums: that a pretoken may come again changes nothing.
absl::Status UniverseBuilder::FlushTypes(Corpus& corpus) {
  corpus.types_were_flushed = true;
  CLM_RETURN_IF_ERROR(corpus.types->keeps_order() ? corpus.types->WriteDocuments(corpus.stream)
                                                  : corpus.types->WriteTypes(corpus.stream));
  corpus.types->Clear();
  return absl::OkStatus();
}

absl::Status UniverseBuilder::AddDocument(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts) {
  return Add(ids, pretoken_starts, build_);
}

absl::Status UniverseBuilder::AddSelectionDocument(std::span<const SymbolId> ids,
                                                   std::span<const uint8_t> pretoken_starts) {
  if (!options_.needs_selection()) return absl::OkStatus();
  return Add(ids, pretoken_starts, selection_);
}

absl::Status UniverseBuilder::SealCorpora() {
  for (Corpus* const corpus : {&build_, &selection_}) {
    if (!corpus->packed.empty()) CLM_RETURN_IF_ERROR(AddPacked(corpus->packed.size(), *corpus));
  }
  if (build_.types_were_flushed) CLM_RETURN_IF_ERROR(FlushTypes(build_));
  CLM_RETURN_IF_ERROR(build_.stream.Seal());
  return selection_.stream.Seal();
}

std::vector<LayerPlan> UniverseBuilder::Plan(PairStrategy strategy) const {
  std::vector<LayerPlan> plan(
      static_cast<size_t>(options_.layers),
      {.rule = options_.constraint, .strategy = strategy, .nodes = static_cast<size_t>(options_.nodes_per_layer)});
  plan.resize(plan.size() + static_cast<size_t>(options_.superword_layers),
              {.rule = JoinRule::kWholePretokens,
               .strategy = PairStrategy::kPmi,
               .nodes = static_cast<size_t>(options_.superword_nodes_per_layer)});
  return plan;
}

std::string UniverseBuilder::InputDigest() {
  if (input_digest_.empty()) {
    const UniverseFile identity = {.universe = known_.universe,
                                   .frequencies = known_.frequencies,
                                   .tokenizer_sha256 = "",
                                   .options = options_,
                                   .stats = known_.layers};
    input_digest_ = Sha256Hex(
        absl::StrCat(FormatUniverse(identity), ToHex(build_.digest->Finish()), ToHex(selection_.digest->Finish())));
  }
  return input_digest_;
}

absl::StatusOr<LearnedUniverse> UniverseBuilder::BuildAuto(ThreadPool& pool, const CancellationToken& cancel,
                                                           const ProgressSink& progress) {
  if (selection_.documents == 0) {
    return absl::InvalidArgumentError("strategy auto needs selection documents, there are none");
  }
  std::optional<LearnedUniverse> best;
  uint64_t best_cost = 0;
  std::vector<std::unique_ptr<Run>> runs;
  for (const PairStrategy strategy : kScoringStrategies) {
    Run& run = *runs.emplace_back(std::make_unique<Run>(*this, strategy, pool, cancel));
    const bool keeps_corpora = strategy != *std::rbegin(kScoringStrategies);
    CLM_ASSIGN_OR_RETURN(LearnedUniverse learned, run.Learn(keeps_corpora, progress));
    CLM_ASSIGN_OR_RETURN(const uint64_t cost, run.Cost());
    run.FreeStreams();
    // The first of equals.
    if (best.has_value() && cost >= best_cost) continue;
    best = std::move(learned);
    best_cost = cost;
  }
  for (const std::unique_ptr<Run>& run : runs) run->RemoveState();
  return *std::move(best);
}

absl::StatusOr<LearnedUniverse> UniverseBuilder::Build(ThreadPool& pool, const CancellationToken& cancel,
                                                       const ProgressSink& progress) {
  if (build_.documents == 0) return absl::InvalidArgumentError("there are no documents to learn a universe from");
  CLM_RETURN_IF_ERROR(SealCorpora());
  absl::StatusOr<LearnedUniverse> learned = absl::InternalError("not learned");
  if (options_.strategy == PairStrategy::kAuto) {
    learned = BuildAuto(pool, cancel, progress);
  } else {
    Run run(*this, options_.strategy, pool, cancel);
    learned = run.Learn(/*keeps_corpora=*/false, progress);
    if (learned.ok()) run.RemoveState();
  }
  build_ = {};
  selection_ = {};
  return learned;
}

}  // namespace clm
