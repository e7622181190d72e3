// The coders that need a model, by codec id.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "core/codec/block_coder.h"
#include "core/codec/codec_parameters.h"
#include "core/codec/coding_model.h"

namespace clm {

bool NeedsModel(CodecId codec);
// What a frame of `codec` calls the predictor when its model's is `model`.
ShortFingerprint PredictorOf(CodecId codec, const ShortFingerprint& model);

// `top_k` is for rank coders alone. INVALID_ARGUMENT for a codec that needs no model, and from RankBlockCoder::Create.
absl::StatusOr<std::shared_ptr<const BlockCoder>> MakeModelCoder(CodecId codec,
                                                                 std::shared_ptr<const CodingModel> model,
                                                                 uint32_t top_k);

}  // namespace clm
