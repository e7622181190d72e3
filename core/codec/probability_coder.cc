#include "core/codec/probability_coder.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/entropy/rans.h"

namespace clm {
namespace {

CodecParameters ParametersOf(const CodingModel& model) {
  CodecParameters parameters = model.parameters();
  parameters.codec = CodecId::kProbability;
  return parameters;
}

absl::Status CheckInterval(SymbolInterval interval, SymbolId symbol, int precision_bits) {
  const uint64_t end = uint64_t{interval.start} + interval.frequency;
  if (interval.frequency > 0 && end <= uint64_t{1} << precision_bits) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the predictor gives symbol ", symbol, " the interval [", interval.start,
                                          ", ", end, ") of ", uint64_t{1} << precision_bits));
}

// A block as it comes out of its payload, symbol by symbol.
class Decoding {
 public:
  Decoding(const CodingModel& model, absl::string_view payload, size_t raw_length)
      : model_(model), decoder_(payload, model.parameters().precision_bits), raw_length_(raw_length) {
    raw_.reserve(raw_length);
    if (!decoder_.Start()) status_ = absl::DataLossError("the coded data begin with no valid state");
  }

  std::optional<SymbolId> Next(SymbolPredictor& predictor, size_t lane) {
    if (!status_.ok() || raw_.size() == raw_length_) return std::nullopt;
    SymbolInterval interval;
    const SymbolId symbol = predictor.Find(lane, decoder_.Slot(), interval);
    const size_t before = raw_.size();
    status_ = model_.AppendBytes(symbol, raw_length_, raw_);
    if (status_.ok() && !decoder_.Take(interval)) {
      status_ = absl::DataLossError(absl::StrCat("the coded data end after ", before, " of ", raw_length_, " bytes"));
    }
    if (!status_.ok()) return std::nullopt;
    return symbol;
  }

  absl::StatusOr<std::string> Finish() {
    CLM_RETURN_IF_ERROR(status_);
    if (!decoder_.Finished()) return absl::DataLossError("the coded data do not end in the initial state");
    return std::move(raw_);
  }

 private:
  const CodingModel& model_;
  RansDecoder decoder_;
  const size_t raw_length_;
  std::string raw_;
  absl::Status status_;
};

}  // namespace

ProbabilityCoder::ProbabilityCoder(std::shared_ptr<const CodingModel> model)
    : model_(std::move(model)), parameters_(ParametersOf(*model_)) {}

absl::StatusOr<std::vector<SymbolInterval>> ProbabilityCoder::IntervalsOf(std::span<const SymbolId> symbols,
                                                                          const CancellationToken& cancel) const {
  std::vector<SymbolInterval> intervals(symbols.size());
  const LaneWork work = {.symbols = symbols, .intervals = intervals};
  CLM_RETURN_IF_ERROR(model_->lanes().Run({&work, 1}, cancel));
  for (size_t i = 0; i < symbols.size(); ++i) {
    CLM_RETURN_IF_ERROR(CheckInterval(intervals[i], symbols[i], parameters_.precision_bits));
  }
  return intervals;
}

absl::StatusOr<std::string> ProbabilityCoder::Encode(absl::string_view raw, const CancellationToken& cancel) const {
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> symbols, model_->SymbolsOf(raw));
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolInterval> intervals, IntervalsOf(symbols, cancel));
  RansEncoder encoder(parameters_.precision_bits);
  encoder.Reserve(intervals.size());
  for (const SymbolInterval& interval : intervals) encoder.Add(interval);
  return encoder.Finish();
}

absl::StatusOr<std::string> ProbabilityCoder::Decode(absl::string_view payload, size_t raw_length,
                                                     const CancellationToken& cancel) const {
  Decoding decoding(*model_, payload, raw_length);
  const LaneWork work = {
      .next = [&decoding](SymbolPredictor& predictor, size_t lane) { return decoding.Next(predictor, lane); }};
  CLM_RETURN_IF_ERROR(model_->lanes().Run({&work, 1}, cancel));
  return decoding.Finish();
}

absl::StatusOr<std::string> ProbabilityCoder::DecodeExpecting(absl::string_view payload, absl::string_view expected,
                                                              const CancellationToken& cancel) const {
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> symbols, model_->SymbolsOf(expected));
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolInterval> intervals, IntervalsOf(symbols, cancel));
  std::optional<std::string> raw = DecodeGuessed(payload, symbols, intervals, expected.size());
  return raw.has_value() ? absl::StatusOr<std::string>(*std::move(raw)) : Decode(payload, expected.size(), cancel);
}

std::optional<std::string> ProbabilityCoder::DecodeGuessed(absl::string_view payload, std::span<const SymbolId> symbols,
                                                           std::span<const SymbolInterval> intervals,
                                                           size_t raw_length) const {
  RansDecoder decoder(payload, parameters_.precision_bits);
  if (!decoder.Start()) return std::nullopt;
  std::string raw;
  for (size_t i = 0; i < symbols.size(); ++i) {
    const uint32_t slot = decoder.Slot();
    const bool is_it = slot >= intervals[i].start && slot - intervals[i].start < intervals[i].frequency;
    if (!is_it || !model_->AppendBytes(symbols[i], raw_length, raw).ok() || !decoder.Take(intervals[i])) {
      return std::nullopt;
    }
  }
  if (raw.size() != raw_length || !decoder.Finished()) return std::nullopt;
  return raw;
}

}  // namespace clm
