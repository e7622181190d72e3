#include "core/tokenizer/bpe_trainer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/merge_learner.h"

namespace clm {
namespace {

constexpr uint32_t kByteTokens = 256;
constexpr size_t kWindowBytes = size_t{1} << 16;
constexpr size_t kMaxTokenBytes = size_t{1} << 16;
constexpr size_t kMaxDistinctBytes = size_t{1} << 31;
constexpr uint64_t kMaxPairCount = uint64_t{1} << 62;

absl::Status OutsideRange(absl::string_view field, uint64_t value, uint64_t low, uint64_t high) {
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; range [", low, ", ", high, "]"));
}

}  // namespace

absl::Status BpeTrainerOptions::Validate() const {
  if (special_tokens.empty() || special_tokens.size() > kMaxBpeSpecials) {
    return OutsideRange("number of special_tokens", special_tokens.size(), 1, kMaxBpeSpecials);
  }
  const auto least = static_cast<uint32_t>(kByteTokens + special_tokens.size());
  if (vocab_size < least || vocab_size > kMaxBpeVocabSize) {
    return OutsideRange("vocab_size", vocab_size, least, kMaxBpeVocabSize);
  }
  if (min_pair_count < 1 || min_pair_count > kMaxPairCount) {
    return OutsideRange("min_pair_count", min_pair_count, 1, kMaxPairCount);
  }
  if (max_token_bytes < 2 || max_token_bytes > kMaxTokenBytes) {
    return OutsideRange("max_token_bytes", max_token_bytes, 2, kMaxTokenBytes);
  }
  if (max_distinct_bytes < 1 || max_distinct_bytes > kMaxDistinctBytes) {
    return OutsideRange("max_distinct_bytes", max_distinct_bytes, 1, kMaxDistinctBytes);
  }
  return absl::OkStatus();
}

absl::StatusOr<BpeTrainer> BpeTrainer::Create(const BpeTrainerOptions& options) {
  CLM_RETURN_IF_ERROR(options.Validate());
  BpeTrainer trainer(options);
  CLM_ASSIGN_OR_RETURN(trainer.pretokenizer_, MakePretokenizer(options.pattern));
  return trainer;
}

absl::Status BpeTrainer::AddDocument(absl::string_view document, const CancellationToken& cancel) {
  std::vector<size_t> ends;
  size_t window_bytes = kWindowBytes;
  size_t open = 0;
  for (size_t begin = 0; begin < document.size();) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    const absl::string_view window = document.substr(begin, window_bytes);
    ends.clear();
    open = pretokenizer_->Split(window, begin + window.size() == document.size(), open, ends);
    CLM_RETURN_IF_ERROR(AddPieces(window, ends));
    begin += ends.empty() ? 0 : ends.back();
    window_bytes = ends.empty() ? 2 * window_bytes : open + kWindowBytes;
  }
  document_bytes_ += document.size();
  return absl::OkStatus();
}

absl::Status BpeTrainer::AddPieces(absl::string_view window, std::span<const size_t> ends) {
  size_t begin = 0;
  for (const size_t end : ends) {
    CLM_RETURN_IF_ERROR(AddPiece(window.substr(begin, end - begin), 1));
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status BpeTrainer::AddPiece(absl::string_view piece, uint64_t count) {
  const auto found = pieces_.find(piece);
  if (found != pieces_.end()) {
    found->second += count;
    return absl::OkStatus();
  }
  distinct_bytes_ += piece.size();
  if (distinct_bytes_ > options_.max_distinct_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the different pieces of the training text have more than ",
                                                     options_.max_distinct_bytes, " bytes (max_distinct_bytes)"));
  }
  pieces_.emplace(piece, count);
  return absl::OkStatus();
}

absl::Status BpeTrainer::Absorb(const BpeTrainer& other) {
  if (other.options_.pattern != options_.pattern) {
    return absl::InvalidArgumentError(absl::StrCat("cannot add counts of pre-tokenizer pattern \"",
                                                   other.options_.pattern, "\" to those of \"", options_.pattern,
                                                   "\""));
  }
  for (const auto& [piece, count] : other.pieces_) CLM_RETURN_IF_ERROR(AddPiece(piece, count));
  document_bytes_ += other.document_bytes_;
  return absl::OkStatus();
}

absl::StatusOr<BpeVocab> BpeTrainer::Train(const CancellationToken& cancel, const ProgressSink& progress) const {
  if (pieces_.empty()) {
    return absl::InvalidArgumentError("no text to train a tokenizer on: no document has any bytes");
  }
  const auto special_count = static_cast<uint32_t>(options_.special_tokens.size());
  MergeLearner learner({.max_tokens = options_.vocab_size - special_count,
                        .min_pair_count = options_.min_pair_count,
                        .max_token_bytes = options_.max_token_bytes},
                       distinct_bytes_, pieces_.size());
  for (const auto& [piece, count] : pieces_) learner.Add(piece, count);
  CLM_RETURN_IF_ERROR(learner.Learn(cancel, progress));

  BpeVocabParts parts;
  parts.tokens = learner.TakeTokens();
  parts.merges = learner.TakeMerges();
  parts.boundary = static_cast<SymbolId>(parts.tokens.size());
  for (const std::string& text : options_.special_tokens) {
    parts.specials.push_back({static_cast<SymbolId>(parts.tokens.size()), text});
    parts.tokens.emplace_back();
  }
  return BpeVocab::Create(std::move(parts));
}

}  // namespace clm
