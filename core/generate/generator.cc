#include "core/generate/generator.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/generate/piece_stream.h"

namespace clm {
namespace {

constexpr size_t kFeedSymbols = 2'048;

// Decodes a continuation: the bytes of each new symbol, without those of the prompt.
class ContinuationDecoder {
 public:
  explicit ContinuationDecoder(const Representation& representation) : decoder_(representation.NewDecoder()) {}

  absl::Status SkipPrompt(std::span<const SymbolId> symbols, size_t prompt_bytes) {
    skip_bytes_ = prompt_bytes;
    std::string bytes;
    return Push(symbols, bytes);
  }
  // Replaces `bytes` by what `symbols` settled.
  absl::Status Push(std::span<const SymbolId> symbols, std::string& bytes) {
    bytes.clear();
    CLM_RETURN_IF_ERROR(decoder_->Push(symbols, bytes));
    Skip(bytes);
    return absl::OkStatus();
  }
  absl::Status Finish(std::string& bytes) {
    bytes.clear();
    CLM_RETURN_IF_ERROR(decoder_->Finish(bytes));
    Skip(bytes);
    return absl::OkStatus();
  }

 private:
  void Skip(std::string& bytes) {
    const size_t skipped = std::min(skip_bytes_, bytes.size());
    bytes.erase(0, skipped);
    skip_bytes_ -= skipped;
  }

  std::unique_ptr<StreamingDecoder> decoder_;
  size_t skip_bytes_ = 0;  // bytes of the prompt still to come
};

// One continuation while it grows: decides when it ends, collects the pieces into the result and hands them on.
class Continuation {
 public:
  // All references must outlive the continuation.
  Continuation(const Representation& representation, const GenerateOptions& options, const PieceSink& sink,
               GenerateResult& result)
      : options_(options),
        sink_(sink),
        result_(result),
        boundary_(representation.layout().boundary),
        decoder_(representation),
        pieces_(StopMatcher(options.stop_strings), options.complete_utf8) {}

  absl::Status FeedPrompt(std::span<const SymbolId> symbols, size_t prompt_bytes) {
    return decoder_.SkipPrompt(symbols, prompt_bytes);
  }
  bool ended() const { return ended_; }

  // Takes the next symbol.
  absl::Status Accept(SymbolId symbol) {
    if (symbol == boundary_) return End(StopReason::kBoundary);
    CLM_RETURN_IF_ERROR(decoder_.Push(std::span(&symbol, 1), bytes_));
    if (Room() < bytes_.size()) {
      overflowed_ = true;
      return End(StopReason::kMaxBytes);
    }
    ++new_symbols_;
    new_bytes_ += bytes_.size();
    if (pieces_.Add(symbol, bytes_)) return End(StopReason::kStopString);
    if (Room() == 0) return End(StopReason::kMaxBytes);
    if (new_symbols_ == options_.max_new_symbols) return End(StopReason::kMaxSymbols);
    return HandOut(pieces_.Take());
  }

  // Hands out the rest.
  absl::Status Finish() {
    uint64_t cut_bytes = 0;
    if (!overflowed_ && result_.stop_reason != StopReason::kStopString) {
      CLM_RETURN_IF_ERROR(decoder_.Finish(bytes_));
      if (bytes_.size() > Room()) {
        cut_bytes = bytes_.size() - Room();
        bytes_.resize(Room());
      }
      if (pieces_.AddTail(bytes_)) result_.stop_reason = StopReason::kStopString;
    }
    CLM_RETURN_IF_ERROR(HandOut(pieces_.Finish()));
    result_.cut_bytes = pieces_.cut_bytes() + cut_bytes;
    return absl::OkStatus();
  }

 private:
  uint64_t Room() const { return options_.max_new_bytes == 0 ? UINT64_MAX : options_.max_new_bytes - new_bytes_; }

  absl::Status End(StopReason reason) {
    ended_ = true;
    result_.stop_reason = reason;
    return absl::OkStatus();
  }

  absl::Status HandOut(const GeneratedPiece& piece) {
    if (piece.bytes.empty() && piece.symbols.empty()) return absl::OkStatus();
    result_.text += piece.bytes;
    result_.symbols.insert(result_.symbols.end(), piece.symbols.begin(), piece.symbols.end());
    return sink_ ? sink_(piece) : absl::OkStatus();
  }

  const GenerateOptions& options_;
  const PieceSink& sink_;
  GenerateResult& result_;
  const SymbolId boundary_;
  ContinuationDecoder decoder_;
  PieceStream pieces_;
  std::string bytes_;
  uint64_t new_symbols_ = 0;
  uint64_t new_bytes_ = 0;
  bool overflowed_ = false;  // the last symbol did not fit and is not part of the text
  bool ended_ = false;
};

SamplingOptions EffectiveSampling(const GenerateOptions& options, SymbolId boundary) {
  SamplingOptions sampling = options.sampling;
  if (!options.stop_at_boundary) sampling.excluded.push_back(boundary);
  return sampling;
}

}  // namespace

absl::string_view StopReasonName(StopReason reason) {
  switch (reason) {
    case StopReason::kBoundary:
      return "boundary";
    case StopReason::kMaxSymbols:
      return "max_new_symbols";
    case StopReason::kMaxBytes:
      return "max_new_bytes";
    case StopReason::kStopString:
      return "stop_string";
  }
  return "";
}

absl::Status GenerateOptions::Validate(uint32_t vocab_size) const {
  if (max_new_symbols == 0 || max_new_symbols > kMaxNewSymbols) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_new_symbols is ", max_new_symbols, ", must lie in [1, ", kMaxNewSymbols, "]"));
  }
  if (stop_strings.size() > kMaxStopStrings) {
    return absl::InvalidArgumentError(
        absl::StrCat("stop_strings has ", stop_strings.size(), " entries, the limit is ", kMaxStopStrings));
  }
  for (size_t i = 0; i < stop_strings.size(); ++i) {
    if (stop_strings[i].empty() || stop_strings[i].size() > kMaxStopStringBytes) {
      return absl::InvalidArgumentError(absl::StrCat("stop_strings[", i, "] has ", stop_strings[i].size(),
                                                     " bytes, must have 1 to ", kMaxStopStringBytes));
    }
  }
  return sampling.Validate(vocab_size);
}

absl::StatusOr<Generator> Generator::Create(NextSymbolModel& model, const Representation& representation,
                                            const Clock& clock) {
  if (model.vocab_size() != representation.layout().vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat("the model has a vocabulary of ", model.vocab_size(),
                                                   ", representation ", representation.kind(), " has ",
                                                   representation.layout().vocab_size));
  }
  return Generator(model, representation, clock);
}

absl::StatusOr<std::vector<SymbolId>> Generator::EncodePrompt(absl::string_view prompt) const {
  if (prompt.size() > GenerateOptions::kMaxPromptBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the prompt has ", prompt.size(), " bytes, the limit is ", GenerateOptions::kMaxPromptBytes));
  }
  CLM_ASSIGN_OR_RETURN(std::vector<SymbolId> symbols, representation_->Encode(prompt));
  symbols.insert(symbols.begin(), representation_->layout().boundary);
  return symbols;
}

absl::Status Generator::Feed(const std::vector<SymbolId>& symbols, const CancellationToken& cancel) {
  const std::span<const SymbolId> all(symbols);
  for (size_t done = 0; done < all.size(); done += kFeedSymbols) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_RETURN_IF_ERROR(model_->Feed(all.subspan(done, std::min(kFeedSymbols, all.size() - done)), logits_));
  }
  return absl::OkStatus();
}

absl::StatusOr<GenerateResult> Generator::Generate(absl::string_view prompt, const GenerateOptions& options,
                                                   const PieceSink& sink, const CancellationToken& cancel,
                                                   const std::function<void()>& prefill_done) {
  CLM_RETURN_IF_ERROR(options.Validate(model_->vocab_size()));
  const SymbolId boundary = representation_->layout().boundary;
  CLM_ASSIGN_OR_RETURN(Sampler sampler, Sampler::Create(EffectiveSampling(options, boundary), model_->vocab_size()));

  const absl::Duration start = clock_->Monotonic();
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> prompt_symbols, EncodePrompt(prompt));
  model_->Reset();
  CLM_RETURN_IF_ERROR(Feed(prompt_symbols, cancel));
  const absl::Duration prefilled = clock_->Monotonic();
  if (prefill_done) prefill_done();

  GenerateResult result;
  result.prompt_symbols = prompt_symbols.size();
  result.prefill_seconds = absl::ToDoubleSeconds(prefilled - start);
  Continuation continuation(*representation_, options, sink, result);
  CLM_RETURN_IF_ERROR(continuation.FeedPrompt(std::span(prompt_symbols).subspan(1), prompt.size()));
  for (uint64_t position = 0; true; ++position) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_ASSIGN_OR_RETURN(const SymbolId symbol, sampler.Sample(logits_, position));
    CLM_RETURN_IF_ERROR(continuation.Accept(symbol));
    if (continuation.ended()) break;
    CLM_RETURN_IF_ERROR(Feed({symbol}, cancel));
  }
  CLM_RETURN_IF_ERROR(continuation.Finish());
  result.seconds = absl::ToDoubleSeconds(clock_->Monotonic() - prefilled);
  return result;
}

}  // namespace clm
