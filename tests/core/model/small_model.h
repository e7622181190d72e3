// A model small enough for unit tests, documents for it and their nats.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/model/determinism.h"
#include "core/model/model.h"
#include "tests/testing/status_matchers.h"

namespace clm {

// Waking a second thread costs more than these models compute.
class OneThread : public ::testing::Environment {
 public:
  void SetUp() override { EXPECT_OK(ConfigureDeterminism(1)); }
};
inline const ::testing::Environment* const kOneThread = ::testing::AddGlobalTestEnvironment(new OneThread);

inline ModelConfig SmallConfig() {
  ModelConfig config;
  config.vocab_size = 29;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.max_positions = 8;
  config.boundary = 28;
  return config;
}

inline std::unique_ptr<Model> SmallModel(uint64_t seed = 3) {
  auto model = Model::Create(SmallConfig(), {.device = "cpu", .seed = seed});
  EXPECT_OK(model);
  return *std::move(model);
}

// Documents of many lengths around the window of 8, each ending in the boundary.
inline std::vector<std::vector<SymbolId>> Documents(size_t count) {
  CounterRng rng(17, "documents", 0);
  std::vector<std::vector<SymbolId>> documents(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < i % 23; ++j) documents[i].push_back(static_cast<SymbolId>(rng.NextBelow(28)));
    documents[i].push_back(28);
  }
  return documents;
}

inline std::vector<double> Nats(const Model& model, const std::vector<std::vector<SymbolId>>& documents,
                                const ScorerOptions& options) {
  auto scorer = model.NewScorer(options);
  EXPECT_OK(scorer);
  auto scored = (*scorer)->Score(documents, {});
  EXPECT_OK(scored);
  std::vector<double> nats;
  for (const ScoredDocument& document : *scored) nats.push_back(document.nats);
  return nats;
}

}  // namespace clm
