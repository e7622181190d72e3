#include "core/codec/model_coders.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/codec/mixed_coder.h"
#include "core/codec/probability_coder.h"
#include "core/codec/rank_block_coder.h"

namespace clm {

bool NeedsModel(CodecId codec) {
  return codec == CodecId::kProbability || codec == CodecId::kRankAns || codec == CodecId::kRankAdaptive ||
         codec == CodecId::kMixed;
}

ShortFingerprint PredictorOf(CodecId codec, const ShortFingerprint& model) {
  return codec == CodecId::kMixed ? MixedCoder::PredictorOf(model) : model;
}

absl::StatusOr<std::shared_ptr<const BlockCoder>> MakeModelCoder(CodecId codec,
                                                                 std::shared_ptr<const CodingModel> model,
                                                                 uint32_t top_k) {
  switch (codec) {
    case CodecId::kProbability:
      return std::make_shared<ProbabilityCoder>(std::move(model));
    case CodecId::kRankAns:
      return RankBlockCoder::Create(std::move(model), RankForm::kStatic, top_k);
    case CodecId::kRankAdaptive:
      return RankBlockCoder::Create(std::move(model), RankForm::kAdaptive, top_k);
    case CodecId::kMixed:
      return std::make_shared<MixedCoder>(std::move(model));
    default:
      return absl::InvalidArgumentError(absl::StrCat("the codec ", CodecName(codec), " needs no checkpoint"));
  }
}

}  // namespace clm
