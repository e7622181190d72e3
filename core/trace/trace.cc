#include "core/trace/trace.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/trace/windowed_context.h"

namespace clm {
namespace {

constexpr uint64_t kMaxSymbols = uint64_t{1} << 24;
constexpr size_t kCancelInterval = 256;  // symbols; a model may need milliseconds for each

uint32_t AppliedTopN(const TraceOptions& options, uint32_t vocab_size) {
  return options.top_n == 0 ? vocab_size : std::min(options.top_n, vocab_size);
}

absl::Status CheckLength(uint64_t symbols, const TraceOptions& options) {
  if (symbols > options.max_symbols) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the text has ", symbols, " symbols, the limit is ", options.max_symbols));
  }
  return CheckWindowWork(options.window, symbols);
}

// The distribution of the next symbol on lane 0, read as a whole.
class Distribution {
 public:
  explicit Distribution(SymbolPredictor& predictor)
      : predictor_(predictor),
        total_(std::ldexp(1.0, predictor.precision_bits())),
        frequencies_(predictor.vocab_size()) {}

  void Read() { predictor_.Frequencies(0, frequencies_); }

  // The row of `symbol`, whose rank is `rank`, in this distribution.
  TraceRow RowOf(SymbolId symbol, uint32_t rank, uint32_t top_n, bool with_entropy) const {
    TraceRow row;
    row.token = symbol;
    row.rank = rank < top_n ? static_cast<int32_t>(rank) : kMissRank;
    row.probability = frequencies_[symbol] / total_;
    row.bits = std::log2(total_ / frequencies_[symbol]);
    if (with_entropy) row.entropy = Entropy();
    return row;
  }

 private:
  double Entropy() const {
    double sum = 0;
    for (const uint32_t frequency : frequencies_) sum += frequency * std::log2(static_cast<double>(frequency));
    return std::max(0.0, std::log2(total_) - sum / total_);
  }

  SymbolPredictor& predictor_;
  const double total_;
  std::vector<uint32_t> frequencies_;
};

}  // namespace

absl::Status TraceOptions::Validate() const {
  if (max_symbols < 1 || max_symbols > kMaxSymbols) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_symbols is ", max_symbols, ", must be in [1, ", kMaxSymbols, "]"));
  }
  if (top_n > uint32_t{1} << 31) {
    return absl::InvalidArgumentError(absl::StrCat("top_n is ", top_n, ", must be in [0, 2147483648]"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TraceRow>> TraceSymbols(SymbolPredictor& predictor, std::span<const SymbolId> symbols,
                                                   const TraceOptions& options, const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_RETURN_IF_ERROR(CheckLength(symbols.size(), options));
  const uint32_t top_n = AppliedTopN(options, predictor.vocab_size());
  WindowedContext context(predictor, options.window);
  Distribution distribution(predictor);
  std::vector<TraceRow> rows;
  rows.reserve(symbols.size());
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (i % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    const SymbolId symbol = symbols[i];
    if (symbol >= predictor.vocab_size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("symbol ", symbol, " at position ", i, ", the predictor knows ", predictor.vocab_size()));
    }
    if (i == 0 && !options.ask_first) {
      rows.push_back({.token = symbol});
    } else {
      distribution.Read();
      rows.push_back(distribution.RowOf(symbol, predictor.RankOf(0, symbol), top_n, options.with_entropy));
    }
    context.Tell(symbol);
  }
  return rows;
}

absl::StatusOr<Trace> TraceText(const Representation& representation, SymbolPredictor& predictor,
                                absl::string_view text, const TraceOptions& options, const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_ASSIGN_OR_RETURN(std::vector<SymbolId> symbols, representation.Encode(text));
  Trace trace;
  trace.original_bytes = text.size();
  trace.vocab_size = predictor.vocab_size();
  trace.top_n = AppliedTopN(options, predictor.vocab_size());
  if (options.stop_after != 0 && symbols.size() > options.stop_after) {
    symbols.resize(options.stop_after);
    CLM_ASSIGN_OR_RETURN(const std::string kept, representation.Decode(symbols));
    trace.original_bytes = kept.size();
    trace.whole = false;
  }
  CLM_ASSIGN_OR_RETURN(trace.rows, TraceSymbols(predictor, symbols, options, cancel));
  return trace;
}

std::vector<RankSymbol> RankSymbolsOf(std::span<const TraceRow> rows) {
  std::vector<RankSymbol> symbols;
  symbols.reserve(rows.size());
  for (const TraceRow& row : rows) {
    symbols.push_back(row.rank == kMissRank ? MissOfSymbol(row.token) : HitOfRank(static_cast<uint32_t>(row.rank)));
  }
  return symbols;
}

absl::StatusOr<std::vector<TraceRow>> RestoreRows(SymbolPredictor& predictor, std::span<const RankSymbol> ranks,
                                                  const TraceOptions& options, const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_RETURN_IF_ERROR(CheckLength(ranks.size(), options));
  const RankAlphabet alphabet = {.vocab_size = predictor.vocab_size(),
                                 .top_k = AppliedTopN(options, predictor.vocab_size())};
  WindowedContext context(predictor, options.window);
  Distribution distribution(predictor);
  std::vector<TraceRow> rows;
  rows.reserve(ranks.size());
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (i % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    const bool asked = i > 0 || options.ask_first;
    if (!alphabet.Contains(ranks[i]) || (!asked && IsHit(ranks[i]))) {
      return absl::DataLossError(absl::StrCat("rank symbol ", ranks[i], " at position ", i, " of a vocabulary of ",
                                              alphabet.vocab_size, " and top ", alphabet.top_k));
    }
    const bool hit = IsHit(ranks[i]);
    const SymbolId symbol = hit ? predictor.SymbolOfRank(0, RankOfHit(ranks[i])) : SymbolOfMiss(ranks[i]);
    if (asked) {
      distribution.Read();
      const uint32_t rank = hit ? RankOfHit(ranks[i]) : alphabet.top_k;
      rows.push_back(distribution.RowOf(symbol, rank, alphabet.top_k, options.with_entropy));
    } else {
      rows.push_back({.token = symbol});
    }
    context.Tell(symbol);
  }
  return rows;
}

std::vector<SymbolId> TokensOf(std::span<const TraceRow> rows) {
  std::vector<SymbolId> tokens;
  tokens.reserve(rows.size());
  for (const TraceRow& row : rows) tokens.push_back(row.token);
  return tokens;
}

}  // namespace clm
