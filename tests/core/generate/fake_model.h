// FakeModel: logits from a table keyed by the last symbols fed, for tests that know what must come.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/predict/next_symbol_model.h"

namespace clm::testing {

// After `context` (the longest known end of what was fed) the symbol `next` has logit 5, every other one 0.
class FakeModel final : public NextSymbolModel {
 public:
  explicit FakeModel(uint32_t vocab_size) : vocab_size_(vocab_size) {}

  void Say(std::vector<SymbolId> context, SymbolId next) { table_[std::move(context)] = next; }
  // Makes the model give these symbols one after the other, whatever it is fed.
  void Script(std::vector<SymbolId> symbols) { script_ = std::move(symbols); }

  uint32_t vocab_size() const override { return vocab_size_; }
  void Reset() override {
    fed.clear();
    calls_ = 0;
    ++resets;
  }
  absl::Status Feed(std::span<const SymbolId> symbols, std::vector<float>& logits) override {
    fed.insert(fed.end(), symbols.begin(), symbols.end());
    largest_feed = std::max(largest_feed, symbols.size());
    logits.assign(vocab_size_, 0.0F);
    if (broken) logits[3] = std::numeric_limits<float>::quiet_NaN();
    if (calls_ < script_.size()) logits[script_[calls_++]] = 5;
    for (size_t length = 3; length > 0; --length) {
      if (length > fed.size()) continue;
      const auto found = table_.find({fed.end() - static_cast<std::ptrdiff_t>(length), fed.end()});
      if (found == table_.end()) continue;
      logits[found->second] = 5;
      break;
    }
    return absl::OkStatus();
  }

  std::vector<SymbolId> fed;  // since the last Reset()
  int resets = 0;
  size_t largest_feed = 0;
  bool broken = false;

 private:
  const uint32_t vocab_size_;
  std::map<std::vector<SymbolId>, SymbolId> table_;
  std::vector<SymbolId> script_;
  size_t calls_ = 0;
};

}  // namespace clm::testing
