#include "core/trace/correction.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/entropy/rans.h"
#include "core/trace/windowed_context.h"

namespace clm {
namespace {

constexpr uint64_t kMaxSymbols = uint64_t{1} << 20;
constexpr size_t kCancelInterval = 256;  // symbols

// Where the next symbol comes from. nullopt: there is none.
class CorrectionSource {
 public:
  virtual ~CorrectionSource() = default;
  virtual absl::StatusOr<std::optional<SymbolId>> Next(SymbolPredictor& predictor) = 0;
  virtual uint64_t used() const = 0;
  virtual uint64_t unused() const = 0;
};

class RankSource final : public CorrectionSource {
 public:
  explicit RankSource(std::vector<RankSymbol> ranks) : ranks_(std::move(ranks)) {}

  absl::StatusOr<std::optional<SymbolId>> Next(SymbolPredictor& predictor) override {
    if (used_ == ranks_.size()) return std::optional<SymbolId>();
    const RankSymbol symbol = ranks_[used_];
    const RankAlphabet alphabet = {.vocab_size = predictor.vocab_size(), .top_k = predictor.vocab_size()};
    if (!alphabet.Contains(symbol)) {
      return absl::InvalidArgumentError(
          absl::StrCat(IsHit(symbol) ? "rank " : "symbol ", IsHit(symbol) ? RankOfHit(symbol) : SymbolOfMiss(symbol),
                       " at correction ", used_, ", the vocabulary has ", alphabet.vocab_size));
    }
    ++used_;
    return std::optional<SymbolId>(IsHit(symbol) ? predictor.SymbolOfRank(0, RankOfHit(symbol)) : SymbolOfMiss(symbol));
  }
  uint64_t used() const override { return used_; }
  uint64_t unused() const override { return ranks_.size() - used_; }

 private:
  const std::vector<RankSymbol> ranks_;
  size_t used_ = 0;
};

class PayloadSource final : public CorrectionSource {
 public:
  PayloadSource(absl::string_view bytes, int precision_bits)
      : bytes_(Whole(bytes)), decoder_(bytes_, precision_bits), started_(!bytes.empty() && decoder_.Start()) {}

  absl::StatusOr<std::optional<SymbolId>> Next(SymbolPredictor& predictor) override {
    if (!started_ || ended_ || decoder_.Finished()) return std::optional<SymbolId>();
    SymbolInterval interval;
    const SymbolId symbol = predictor.Find(0, decoder_.Slot(), interval);
    ended_ = !decoder_.Take(interval);
    ++used_;
    return std::optional<SymbolId>(symbol);
  }
  uint64_t used() const override { return used_; }
  uint64_t unused() const override { return started_ ? decoder_.words_left() : 0; }

 private:
  // Bytes that a decoder can start on.
  static std::string Whole(absl::string_view bytes) {
    std::string whole(bytes);
    whole.resize(std::max(kRansStateBytes, (whole.size() + 3) / 4 * 4));
    ByteReader in(whole);
    uint64_t state = 0;
    const bool read = in.ReadU64(state);
    CLM_CHECK(read);
    state &= kRansStateEnd - 1;
    if (state < kRansInitialState) state += kRansInitialState;
    ByteWriter out;
    out.WriteU64(state);
    return whole.replace(0, kRansStateBytes, out.Take());
  }

  const std::string bytes_;
  RansDecoder decoder_;
  uint64_t used_ = 0;
  bool started_;
  bool ended_ = false;  // a word was needed and there was none
};

std::unique_ptr<CorrectionSource> SourceOf(const Corrections& corrections, int precision_bits) {
  if (const auto* ranks = std::get_if<RankCorrections>(&corrections)) {
    return std::make_unique<RankSource>(ranks->ranks);
  }
  if (const auto* nibbles = std::get_if<NibbleCorrections>(&corrections)) {
    return std::make_unique<RankSource>(RanksOfNibbles(nibbles->bytes));
  }
  if (const auto* payload = std::get_if<PayloadCorrections>(&corrections)) {
    return std::make_unique<PayloadSource>(payload->bytes, precision_bits);
  }
  return std::make_unique<RankSource>(std::vector<RankSymbol>());
}

absl::StatusOr<std::vector<SymbolId>> EncodeChecked(const Representation& representation,
                                                    const SymbolPredictor& predictor, absl::string_view text) {
  CLM_ASSIGN_OR_RETURN(std::vector<SymbolId> symbols, representation.Encode(text));
  for (const SymbolId symbol : symbols) {
    if (symbol < predictor.vocab_size()) continue;
    return absl::FailedPreconditionError(absl::StrCat("the representation ", representation.kind(), " gives symbol ",
                                                      symbol, ", the predictor knows ", predictor.vocab_size()));
  }
  return symbols;
}

// When a text ends.
struct EndRules {
  uint64_t max_symbols = 0;
  bool greedy_tail = false;
  std::optional<SymbolId> boundary;
};

// The symbols after the prompt, which `context` has been told.
absl::Status Continue(SymbolPredictor& predictor, WindowedContext& context, CorrectionSource& source,
                      const EndRules& rules, const CancellationToken& cancel, CorrectedText& out) {
  while (out.symbols.size() < rules.max_symbols) {
    if (out.symbols.size() % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_ASSIGN_OR_RETURN(std::optional<SymbolId> symbol, source.Next(predictor));
    if (!symbol.has_value() && rules.greedy_tail) symbol = predictor.SymbolOfRank(0, 0);
    if (!symbol.has_value() || symbol == rules.boundary) {
      out.end = symbol.has_value() ? CorrectionEnd::kBoundary : CorrectionEnd::kCorrections;
      return absl::OkStatus();
    }
    out.symbols.push_back(*symbol);
    context.Tell(*symbol);
  }
  out.end = CorrectionEnd::kMaxSymbols;
  return absl::OkStatus();
}

}  // namespace

std::vector<RankSymbol> RanksOfNibbles(absl::string_view bytes) {
  std::vector<RankSymbol> ranks;
  ranks.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    ranks.push_back(HitOfRank(byte & 15U));
    ranks.push_back(HitOfRank(byte >> 4));
  }
  return ranks;
}

absl::Status CorrectionOptions::Validate() const {
  if (max_symbols >= 1 && max_symbols <= kMaxSymbols) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("max_symbols is ", max_symbols, ", must be in [1, ", kMaxSymbols, "]"));
}

absl::StatusOr<CorrectedText> GenerateFromCorrections(const Representation& representation, SymbolPredictor& predictor,
                                                      absl::string_view prompt, const Corrections& corrections,
                                                      const CorrectionOptions& options,
                                                      const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> before, EncodeChecked(representation, predictor, prompt));
  CLM_RETURN_IF_ERROR(CheckWindowWork(options.window, before.size() + options.max_symbols));
  WindowedContext context(predictor, options.window);
  for (const SymbolId symbol : before) context.Tell(symbol);
  const std::unique_ptr<CorrectionSource> source = SourceOf(corrections, predictor.precision_bits());
  EndRules rules = {.max_symbols = options.max_symbols,
                    .greedy_tail = options.greedy_tail || std::holds_alternative<ZeroCorrections>(corrections),
                    .boundary = std::nullopt};
  if (options.stop_at_boundary) rules.boundary = representation.layout().boundary;
  CorrectedText out;
  CLM_RETURN_IF_ERROR(Continue(predictor, context, *source, rules, cancel, out));
  out.used_corrections = source->used();
  out.unused_corrections = source->unused();
  CLM_ASSIGN_OR_RETURN(out.text, representation.Decode(out.symbols));
  return out;
}

absl::StatusOr<std::string> PayloadOfText(const Representation& representation, SymbolPredictor& predictor,
                                          absl::string_view prompt, absl::string_view text,
                                          const CorrectionOptions& options, const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> before, EncodeChecked(representation, predictor, prompt));
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> symbols, EncodeChecked(representation, predictor, text));
  if (symbols.size() > options.max_symbols) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the text has ", symbols.size(), " symbols, the limit is ", options.max_symbols));
  }
  CLM_RETURN_IF_ERROR(CheckWindowWork(options.window, before.size() + symbols.size()));
  WindowedContext context(predictor, options.window);
  for (const SymbolId symbol : before) context.Tell(symbol);
  RansEncoder encoder(predictor.precision_bits());
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (i % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    encoder.Add(predictor.Interval(0, symbols[i]));
    context.Tell(symbols[i]);
  }
  return encoder.Finish();
}

}  // namespace clm
