// A model small enough for unit tests, and symbols for it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/rng.h"
#include "core/engine/engine_session.h"
#include "tests/core/engine/float_twin.h"
#include "tests/testing/status_matchers.h"

namespace clm {

inline ModelConfig SmallEngineConfig() {
  ModelConfig config;
  config.vocab_size = 75;
  config.hidden_size = 24;
  config.intermediate_size = 37;  // no multiple of anything
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.max_positions = 40;
  config.boundary = 70;
  return config;
}

inline std::shared_ptr<const EngineModel> SmallEngine(const ModelConfig& config = SmallEngineConfig(),
                                                      uint64_t seed = 5) {
  auto model = EngineModel::FromWeights(config, RandomWeights(config, seed, 2.0F));
  EXPECT_OK(model);
  return *model;
}

inline std::unique_ptr<EngineSession> Session(const std::shared_ptr<const EngineModel>& model,
                                              const EngineSessionOptions& options) {
  auto session = EngineSession::Create(model, options);
  EXPECT_OK(session);
  return *std::move(session);
}

inline std::vector<SymbolId> RandomSymbols(size_t count, uint32_t vocab_size, uint64_t seed) {
  CounterRng rng(seed, "symbols", 0);
  std::vector<SymbolId> symbols(count);
  for (SymbolId& symbol : symbols) symbol = static_cast<SymbolId>(rng.NextBelow(vocab_size));
  return symbols;
}

// The frequencies before each symbol and after the last, from single steps of lane 0 of a session of its own.
inline std::vector<std::vector<uint32_t>> FrequenciesBefore(const std::shared_ptr<const EngineModel>& model,
                                                            std::span<const SymbolId> symbols, uint32_t window) {
  const auto session = Session(model, {.lanes = 1, .window = window, .threads = 1, .target = DotTarget::kScalar});
  std::vector<std::vector<uint32_t>> tables;
  for (size_t i = 0; i <= symbols.size(); ++i) {
    session->Frequencies(0, tables.emplace_back(model->vocab_size()));
    if (i == symbols.size()) break;
    const LaneUpdate one = {0, symbols[i]};
    session->Step({&one, 1});
  }
  return tables;
}

}  // namespace clm
