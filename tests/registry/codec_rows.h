// Every codec that a frame can name, with a coder of it: those that need a model have a transformer of a few hundred
// weights on the integer engine.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/codec/codec_set.h"
#include "core/codec/model_coders.h"
#include "core/engine/engine_predictor.h"
#include "core/representation/byte.h"
#include "tests/core/engine/float_twin.h"
#include "tests/testing/status_matchers.h"

namespace clm::testing {

inline std::vector<CodecId> EveryCodec() {
  std::vector<CodecId> codecs;
  for (uint8_t id = 0; IsKnownCodec(id); ++id) codecs.push_back(static_cast<CodecId>(id));
  return codecs;
}

// Of bytes, on `lanes` lanes.
inline std::shared_ptr<const CodingModel> TinyCodingModel(uint64_t seed = 1, uint32_t lanes = 4, uint32_t threads = 1) {
  ModelConfig config;
  config.vocab_size = 257;
  config.boundary = 256;
  config.hidden_size = 8;
  config.intermediate_size = 8;
  config.layers = 1;
  config.heads = 1;
  config.kv_heads = 1;
  config.max_positions = 16;
  auto engine = EngineModel::FromWeights(config, RandomWeights(config, seed, 2.0F));
  EXPECT_OK(engine);
  EngineSessionOptions options;
  options.lanes = lanes;
  options.threads = threads;
  auto predictor = EnginePredictor::Create(*std::move(engine), options);
  EXPECT_OK(predictor);
  const uint32_t window = (*predictor)->session().window();
  return *CodingModel::Create(*std::move(predictor), std::make_shared<ByteRepresentation>(), window);
}

inline std::shared_ptr<const BlockCoder> CoderOfModel(CodecId codec, std::shared_ptr<const CodingModel> model) {
  constexpr uint32_t kTopK = 20;
  return NeedsModel(codec) ? *MakeModelCoder(codec, std::move(model), kTopK) : CodecSet::BuiltInCoder(codec);
}

// "rank_ans" from "rank ans": names of tests have no spaces.
inline std::string TestName(CodecId codec) {
  std::string name = CodecName(codec);
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
}

// A coder that decodes each payload once: coders are functions, so a test may ask a slow one ten thousand times.
class RememberingCoder final : public BlockCoder {
 public:
  explicit RememberingCoder(std::shared_ptr<const BlockCoder> coder) : coder_(std::move(coder)) {}

  const CodecParameters& parameters() const override { return coder_->parameters(); }
  absl::StatusOr<std::string> Encode(absl::string_view raw, const CancellationToken& cancel) const override {
    return coder_->Encode(raw, cancel);
  }
  absl::StatusOr<std::string> Decode(absl::string_view payload, size_t raw_length,
                                     const CancellationToken& cancel) const override {
    const std::pair<std::string, size_t> key(std::string(payload), raw_length);
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    return known_.emplace(key, coder_->Decode(payload, raw_length, cancel)).first->second;
  }

 private:
  const std::shared_ptr<const BlockCoder> coder_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::string, size_t>, absl::StatusOr<std::string>> known_;
};

}  // namespace clm::testing
