// PatternSource: a BatchSource of small documents with an easy pattern, for tests of training. A batch is a pure
// function of its step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/data/batch.h"

namespace clm {

class PatternSource final : public BatchSource {
 public:
  static constexpr uint32_t kVocab = 11;
  static constexpr SymbolId kBoundary = 10;
  static constexpr size_t kColumns = 8;

  uint32_t vocab_size() const override { return kVocab; }
  uint64_t steps_per_epoch() const override { return 1000; }

  // From this step on Get() fails: the process dies before it.
  void FailAt(uint64_t step) { fail_at_ = step; }

  // A document counts upwards from a random digit; each symbol stands for two bytes.
  static std::vector<SymbolId> Document(uint64_t number) {
    CounterRng rng(5, "pattern", number);
    std::vector<SymbolId> document(1 + rng.NextBelow(9));
    auto digit = static_cast<SymbolId>(rng.NextBelow(10));
    for (SymbolId& symbol : document) symbol = std::exchange(digit, (digit + 1) % 10);
    document.push_back(kBoundary);
    return document;
  }

  absl::Status Get(uint64_t step, Batch& batch) override {
    if (step >= fail_at_) return absl::AbortedError("the process dies here");
    batch = {};
    batch.columns = kColumns;
    int32_t segment = 0;
    const uint64_t documents = 3 + step % 3;
    for (uint64_t i = 0; i < documents; ++i) AppendDocument(Document(step * 10 + i), segment, batch);
    const size_t used = batch.inputs.size();
    batch.rows = (used + kColumns - 1) / kColumns;
    const size_t size = batch.rows * kColumns;
    batch.inputs.resize(size, kBoundary);
    batch.targets.resize(size, Batch::kNoTarget);
    batch.positions.resize(size, 0);
    batch.segments.resize(size, -1);
    batch.target_bytes.resize(size, 0);
    batch.target_count = used;
    return absl::OkStatus();
  }

 private:
  static void AppendDocument(const std::vector<SymbolId>& document, int32_t& segment, Batch& batch) {
    SymbolId input = kBoundary;
    int32_t position = 0;
    for (const SymbolId symbol : document) {
      if (batch.inputs.size() % kColumns == 0) segment = position = 0;
      batch.inputs.push_back(input);
      batch.targets.push_back(symbol);
      batch.positions.push_back(position++);
      batch.segments.push_back(segment);
      batch.target_bytes.push_back(symbol == kBoundary ? 0 : 2);
      batch.original_bytes += batch.target_bytes.back();
      input = symbol;
    }
    ++segment;
    ++batch.documents_ended;
  }

  uint64_t fail_at_ = ~uint64_t{0};
};

}  // namespace clm
