// WindowedContext: lane 0 of a predictor, told symbol by symbol, that forgets all but the last `window` of them.
//
// A window of 0 leaves the predictor alone. Otherwise, once `window` symbols have been told, each further one is a
// reset and `window` updates: exact for every predictor, whatever it keeps, at that price. Predictors with a window of
// their own are faster: use 0 with them.
//
// Thread-safety: none. Ownership: the predictor must outlive it and is left reset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/types.h"
#include "core/predict/symbol_predictor.h"

namespace clm {

// Updates that a window may cost in one call.
inline constexpr uint64_t kMaxWindowWork = uint64_t{1} << 26;

// RESOURCE_EXHAUSTED when telling `symbols` symbols with this window takes more than kMaxWindowWork updates.
inline absl::Status CheckWindowWork(uint64_t window, uint64_t symbols) {
  if (window == 0 || symbols <= window || (symbols - window) <= kMaxWindowWork / window) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("a window of ", window, " over ", symbols, " symbols takes more than ", kMaxWindowWork, " updates"));
}

class WindowedContext {
 public:
  WindowedContext(SymbolPredictor& predictor, uint64_t window) : predictor_(predictor), window_(window) {
    predictor_.Reset(0);
  }
  ~WindowedContext() { predictor_.Reset(0); }
  WindowedContext(const WindowedContext&) = delete;
  WindowedContext& operator=(const WindowedContext&) = delete;

  // Requires symbol < predictor.vocab_size().
  void Tell(SymbolId symbol) {
    if (window_ == 0) {
      predictor_.Update(0, symbol);
      return;
    }
    recent_.push_back(symbol);
    if (recent_.size() <= window_) {
      predictor_.Update(0, symbol);
      return;
    }
    recent_.pop_front();
    predictor_.Reset(0);
    for (const SymbolId old : recent_) predictor_.Update(0, old);
  }

 private:
  SymbolPredictor& predictor_;
  const uint64_t window_;
  std::deque<SymbolId> recent_;
};

}  // namespace clm
