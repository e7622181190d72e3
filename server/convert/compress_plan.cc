#include "server/convert/compress_plan.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/codec/codec_set.h"
#include "core/codec/frame.h"
#include "core/codec/model_coders.h"
#include "core/codec/rank_block_coder.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

// Small, so that a file of a megabyte fills all lanes.
constexpr uint32_t kModelBlockBytes = uint32_t{32} << 10;

// About that, but so that the blocks of a longer file fill all lanes a whole number of times: lanes that are left empty
// at the end would make it wait for a few.
uint32_t ModelBlockBytes(uint64_t original_bytes) {
  constexpr uint64_t kRound = uint64_t{kEngineLanes} * kModelBlockBytes;
  if (original_bytes < kRound) return kModelBlockBytes;
  const uint64_t blocks = (original_bytes + kRound / 2) / kRound * kEngineLanes;
  return static_cast<uint32_t>((original_bytes + blocks - 1) / blocks);
}

CodecId ToCodecId(v1::Codec codec) {
  switch (codec) {
    case v1::CODEC_COUNT:
      return CodecId::kCount;
    case v1::CODEC_STORED:
      return CodecId::kStored;
    case v1::CODEC_PROBABILITY:
      return CodecId::kProbability;
    case v1::CODEC_RANK_ANS:
      return CodecId::kRankAns;
    case v1::CODEC_RANK_ADAPTIVE:
      return CodecId::kRankAdaptive;
    case v1::CODEC_MIXED:
      return CodecId::kMixed;
    default:
      return CodecId::kAdaptive;
  }
}

bool NeedsCheckpoint(v1::Codec codec) { return NeedsModel(ToCodecId(codec)); }

// Bytes per second to compress and verify, roughly, on two processors (docs/benchmarks.md). A model's speed goes with
// its size; these are for two and a half million parameters.
struct Rate {
  v1::Codec codec;
  double bytes_per_second;
};
constexpr std::array<Rate, 5> kSmallestFirst = {{{v1::CODEC_MIXED, 15e3},
                                                 {v1::CODEC_PROBABILITY, 70e3},
                                                 {v1::CODEC_ADAPTIVE, 600e3},
                                                 {v1::CODEC_COUNT, 1e6},
                                                 {v1::CODEC_STORED, 300e6}}};

v1::Codec ChooseCodec(const v1::CompressRequest::Start& start) {
  const bool has_checkpoint = !start.checkpoint().empty();
  for (const Rate& rate : kSmallestFirst) {
    if (NeedsCheckpoint(rate.codec) && !has_checkpoint) continue;
    const double seconds = static_cast<double>(start.original_bytes()) / rate.bytes_per_second;
    if (start.budget_seconds() == 0 || seconds <= start.budget_seconds()) return rate.codec;
  }
  return v1::CODEC_STORED;
}

absl::Status CheckFields(const v1::CompressRequest::Start& start) {
  if (NeedsCheckpoint(start.codec()) && start.checkpoint().empty()) {
    return InvalidField("start.checkpoint", absl::StrCat("is required for ", v1::Codec_Name(start.codec())));
  }
  if (start.codec() != v1::CODEC_UNSPECIFIED && !NeedsCheckpoint(start.codec()) && !start.checkpoint().empty()) {
    return InvalidField("start.checkpoint", absl::StrCat("is of no use to ", v1::Codec_Name(start.codec())));
  }
  if (start.window_symbols() != 0 && start.checkpoint().empty()) {
    return InvalidField("start.window_symbols", "is of no use without start.checkpoint");
  }
  if (!(start.budget_seconds() >= 0)) {
    return InvalidField("start.budget_seconds", absl::StrCat(start.budget_seconds(), " is below 0"));
  }
  if (start.budget_seconds() > 0 && start.original_bytes() == 0) {
    return InvalidField("start.original_bytes", "is required with budget_seconds");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const BlockCoder>> ModelCoder(const v1::CompressRequest::Start& start, v1::Codec codec,
                                                             const RegisteredEngine& engine) {
  const uint32_t top_k = start.top_k() == 0 ? kDefaultTopK : start.top_k();
  if (top_k > engine.model->vocab_size()) {
    return InvalidField("start.top_k", absl::StrCat(top_k, " is above ", engine.model->vocab_size(),
                                                    ", the size of the checkpoint's vocabulary"));
  }
  return MakeModelCoder(ToCodecId(codec), engine.model, top_k);
}

}  // namespace

absl::StatusOr<CompressPlan> PlanCompress(const v1::CompressRequest::Start& start, ArtifactStore& store,
                                          EngineRegistry& engines, const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(CheckFields(start));
  CompressPlan plan;
  plan.codec = start.codec() == v1::CODEC_UNSPECIFIED ? ChooseCodec(start) : start.codec();
  const bool needs_checkpoint = NeedsCheckpoint(plan.codec);
  const bool is_small = needs_checkpoint && plan.codec != v1::CODEC_MIXED;
  plan.block_bytes = start.block_size_bytes() != 0 ? start.block_size_bytes()
                     : is_small                    ? ModelBlockBytes(start.original_bytes())
                                                   : kDefaultBlockBytes;
  if (!needs_checkpoint) {
    plan.coder = CodecSet::BuiltInCoder(ToCodecId(plan.codec));
    return plan;
  }
  CLM_ASSIGN_OR_RETURN(const ArtifactId id, store.Resolve(start.checkpoint()));
  CLM_ASSIGN_OR_RETURN(const RegisteredEngine engine, engines.Get(id, start.window_symbols(), cancel));
  plan.checkpoint_bytes = engine.checkpoint_bytes;
  CLM_ASSIGN_OR_RETURN(plan.coder, ModelCoder(start, plan.codec, engine));
  return plan;
}

}  // namespace clm
