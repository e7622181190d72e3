// PlanCompress: which coder a Compress request gets, and what for.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "clm/v1/codec.pb.h"
#include "core/artifact/artifact_store.h"
#include "core/base/cancellation.h"
#include "core/codec/block_coder.h"
#include "core/pipeline/engine_registry.h"

namespace clm {

struct CompressPlan {
  v1::Codec codec = v1::CODEC_UNSPECIFIED;  // what was asked for, or chosen
  std::shared_ptr<const BlockCoder> coder;
  uint32_t block_bytes = 0;
  uint64_t checkpoint_bytes = 0;  // 0 without a checkpoint
};

// INVALID_ARGUMENT naming the field for a codec that does not go with `checkpoint`, a top_k out of range, or a budget
// without a length; otherwise the errors of EngineRegistry::Get.
absl::StatusOr<CompressPlan> PlanCompress(const v1::CompressRequest::Start& start, ArtifactStore& store,
                                          EngineRegistry& engines, const CancellationToken& cancel);

}  // namespace clm
