#include "core/codec/rank_block_coder.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/status_macros.h"
#include "core/codec/rank_coder.h"

namespace clm {
namespace {

CodecParameters ParametersOf(const CodingModel& model, RankForm form, uint32_t top_k) {
  CodecParameters parameters = model.parameters();
  parameters.codec = form == RankForm::kStatic ? CodecId::kRankAns : CodecId::kRankAdaptive;
  parameters.top_k = top_k;
  return parameters;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const RankBlockCoder>> RankBlockCoder::Create(std::shared_ptr<const CodingModel> model,
                                                                             RankForm form, uint32_t top_k) {
  if (top_k > model->vocab_size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("top_k is ", top_k, "; range [0, ", model->vocab_size(), "], the size of the vocabulary"));
  }
  return std::shared_ptr<const RankBlockCoder>(new RankBlockCoder(std::move(model), form, top_k));
}

RankBlockCoder::RankBlockCoder(std::shared_ptr<const CodingModel> model, RankForm form, uint32_t top_k)
    : model_(std::move(model)),
      form_(form),
      alphabet_{.vocab_size = model_->vocab_size(), .top_k = top_k},
      parameters_(ParametersOf(*model_, form, top_k)) {}

absl::StatusOr<std::string> RankBlockCoder::Encode(absl::string_view raw, const CancellationToken& cancel) const {
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> symbols, model_->SymbolsOf(raw));
  std::vector<RankSymbol> ranks;
  ranks.reserve(symbols.size());
  const LaneWork work = {.next = [&](SymbolPredictor& predictor, size_t lane) -> std::optional<SymbolId> {
    if (ranks.size() == symbols.size()) return std::nullopt;
    const SymbolId symbol = symbols[ranks.size()];
    const uint32_t rank = alphabet_.top_k == 0 ? 0 : predictor.RankOf(lane, symbol);
    ranks.push_back(rank < alphabet_.top_k ? HitOfRank(rank) : MissOfSymbol(symbol));
    return symbol;
  }};
  CLM_RETURN_IF_ERROR(model_->lanes().Run({&work, 1}, cancel));
  CLM_ASSIGN_OR_RETURN(const std::string coded, form_ == RankForm::kStatic ? EncodeRanksStatic(ranks, alphabet_)
                                                                           : EncodeRanksAdaptive(ranks, alphabet_));
  ByteWriter payload;
  payload.WriteU32(static_cast<uint32_t>(ranks.size()));
  payload.WriteBytes(coded);
  return payload.Take();
}

absl::StatusOr<std::string> RankBlockCoder::Decode(absl::string_view payload, size_t raw_length,
                                                   const CancellationToken& cancel) const {
  ByteReader in(payload);
  uint32_t count = 0;
  if (!in.ReadU32(count)) return absl::DataLossError("the coded data end before the number of symbols");
  // Every symbol has a byte at least.
  if (count > raw_length) {
    return absl::DataLossError(absl::StrCat("the coded data claim ", count, " symbols for ", raw_length, " bytes"));
  }
  const absl::string_view coded = payload.substr(sizeof(count));
  CLM_ASSIGN_OR_RETURN(const std::vector<RankSymbol> ranks, form_ == RankForm::kStatic
                                                                ? DecodeRanksStatic(coded, count, alphabet_)
                                                                : DecodeRanksAdaptive(coded, count, alphabet_));
  std::string raw;
  raw.reserve(raw_length);
  absl::Status status;
  size_t next = 0;
  const LaneWork work = {.next = [&](SymbolPredictor& predictor, size_t lane) -> std::optional<SymbolId> {
    if (next == ranks.size() || !status.ok()) return std::nullopt;
    const RankSymbol rank = ranks[next++];
    const SymbolId symbol = IsHit(rank) ? predictor.SymbolOfRank(lane, RankOfHit(rank)) : SymbolOfMiss(rank);
    status = model_->AppendBytes(symbol, raw_length, raw);
    if (!status.ok() || next == ranks.size()) return std::nullopt;
    return symbol;
  }};
  CLM_RETURN_IF_ERROR(model_->lanes().Run({&work, 1}, cancel));
  CLM_RETURN_IF_ERROR(status);
  if (raw.size() != raw_length) {
    return absl::DataLossError(absl::StrCat("the coded data make ", raw.size(), " of ", raw_length, " bytes"));
  }
  return raw;
}

}  // namespace clm
