// RankBlockCoder: blocks coded with the ranks that a model gives their symbols. Codec ids kRankAns (one table for the
// block) and kRankAdaptive.
//
//   payload   symbols u32 | a payload of core/codec/rank_coder.h in the form of the codec id
//
// A symbol whose rank is below the header's top-k is told by its rank, any other by itself. Ranks forget how sure the
// model was, so ProbabilityCoder gives smaller frames; docs/method.md says what that costs.
//
// Memory per running call: 4 bytes per symbol and what rank_coder.h says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/codec/block_coder.h"
#include "core/codec/coding_model.h"
#include "core/codec/rank_symbol.h"

namespace clm {

enum class RankForm : uint8_t {
  kStatic = 0,    // kRankAns
  kAdaptive = 1,  // kRankAdaptive
};

inline constexpr uint32_t kDefaultTopK = 128;

class RankBlockCoder final : public BlockCoder {
 public:
  // INVALID_ARGUMENT for top_k above the size of the vocabulary.
  static absl::StatusOr<std::shared_ptr<const RankBlockCoder>> Create(std::shared_ptr<const CodingModel> model,
                                                                      RankForm form, uint32_t top_k = kDefaultTopK);

  const CodecParameters& parameters() const override { return parameters_; }
  size_t BlocksAtOnce(size_t /*processors*/) const override { return model_->lanes().lanes(); }
  absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const override;
  absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                     const CancellationToken& cancel) const override;

 private:
  RankBlockCoder(std::shared_ptr<const CodingModel> model, RankForm form, uint32_t top_k);

  const std::shared_ptr<const CodingModel> model_;
  const RankForm form_;
  const RankAlphabet alphabet_;
  const CodecParameters parameters_;
};

}  // namespace clm
