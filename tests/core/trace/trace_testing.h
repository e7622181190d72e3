// Predictors and texts that the tests of traces share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/entropy/cdf.h"
#include "core/predict/count_predictor.h"
#include "core/predict/symbol_predictor.h"

namespace clm::testing {

// The same distribution always: frequencies that are known by hand.
class FixedPredictor final : public SymbolPredictor {
 public:
  FixedPredictor(std::vector<uint32_t> weights, int precision_bits) : precision_bits_(precision_bits) {
    frequencies_.resize(weights.size());
    NormalizeWeights(weights, precision_bits, frequencies_);
  }

  uint32_t vocab_size() const override { return static_cast<uint32_t>(frequencies_.size()); }
  size_t lanes() const override { return 1; }
  int precision_bits() const override { return precision_bits_; }
  std::string fingerprint() const override { return std::string(64, 'f'); }
  void Frequencies(size_t, std::span<uint32_t> out) override {
    std::copy(frequencies_.begin(), frequencies_.end(), out.begin());
  }
  void Update(size_t, SymbolId) override {}
  void Reset(size_t) override {}
  std::unique_ptr<SymbolPredictor> Clone() const override { return std::make_unique<FixedPredictor>(*this); }

  const std::vector<uint32_t>& frequencies() const { return frequencies_; }

 private:
  int precision_bits_;
  std::vector<uint32_t> frequencies_;
};

// Eight symbols of one frequency, of which it knows the last to be the likeliest: finer than frequencies tell, as a
// predictor is that has logits.
class FinePredictor final : public SymbolPredictor {
 public:
  static constexpr uint32_t kSymbols = 8;

  uint32_t vocab_size() const override { return kSymbols; }
  size_t lanes() const override { return 1; }
  int precision_bits() const override { return 12; }
  std::string fingerprint() const override { return std::string(64, 'd'); }
  void Frequencies(size_t, std::span<uint32_t> out) override { std::fill(out.begin(), out.end(), 4096 / kSymbols); }
  uint32_t RankOf(size_t, SymbolId symbol) override { return kSymbols - 1 - symbol; }
  SymbolId SymbolOfRank(size_t, uint32_t rank) override { return kSymbols - 1 - rank; }
  void Update(size_t, SymbolId) override {}
  void Reset(size_t) override {}
  std::unique_ptr<SymbolPredictor> Clone() const override { return std::make_unique<FinePredictor>(*this); }
};

// Remembers what it was told since the last reset.
class RecordingPredictor final : public SymbolPredictor {
 public:
  uint32_t vocab_size() const override { return 256; }
  size_t lanes() const override { return 1; }
  int precision_bits() const override { return 12; }
  std::string fingerprint() const override { return std::string(64, 'e'); }
  void Frequencies(size_t, std::span<uint32_t> out) override {
    seen_.push_back(told_);
    NormalizeWeights(std::vector<uint32_t>(256, 1), 12, out);
  }
  // All are equally likely: nothing needs to be asked.
  uint32_t RankOf(size_t, SymbolId symbol) override { return symbol; }
  void Update(size_t, SymbolId symbol) override { told_.push_back(static_cast<char>(static_cast<uint8_t>(symbol))); }
  void Reset(size_t) override { told_.clear(); }
  std::unique_ptr<SymbolPredictor> Clone() const override { return std::make_unique<RecordingPredictor>(*this); }

  // What it knew each time it was asked.
  const std::vector<std::string>& seen() const { return seen_; }

 private:
  std::string told_;
  std::vector<std::string> seen_;
};

// The built-in predictor with small tables.
inline std::unique_ptr<SymbolPredictor> SmallCountPredictor() {
  auto predictor = CountPredictor::Create({.precision_bits = 20, .contexts_log2 = 10, .history_log2 = 12}, 1);
  CLM_CHECK(predictor.ok());
  return *std::move(predictor);
}

inline std::string Prose() {
  return "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of "
         "foolishness, "
         "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season "
         "of "
         "Darkness, it was the spring of hope, it was the winter of despair.";
}

}  // namespace clm::testing
