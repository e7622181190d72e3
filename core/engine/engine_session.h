// EngineSession: lanes that an engine model predicts, and what coders ask of their distributions.
//
//   session.Reset(lane)                                  a document starts
//   session.Interval(lane, symbol) or Find(lane, slot)   code or decode its first symbol, conditioned on the boundary
//   session.Step({{lane, symbol}, ...})                  tell what came; many lanes at once are many times faster
//
// A lane's distribution is a function of the model, the window and the symbols since its Reset(): not of other lanes,
// of how symbols were grouped in Step() or Score(), of threads or of instruction sets. Encoder and decoder may
// therefore feed symbols in different ways.
//
// Frequencies are those of core/entropy/cdf.h: at least 1 each, summing to exactly 2^precision_bits().
//
// Thread-safety: const functions may run concurrently, nothing else; it brings its own threads. Ownership: spans
// returned are valid until the next call that is not const. A new session has all lanes reset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/engine/engine_model.h"
#include "core/engine/kernels/dot.h"
#include "core/entropy/cdf.h"
#include "core/predict/symbol_predictor.h"

namespace clm {

class Distribution;
class EngineState;
class ThreadTeam;
struct EngineRow;

struct EngineSessionOptions {
  // Range [1, 4096].
  uint32_t lanes = 1;
  // Symbols a prediction looks back on; 0: the model's max_window(). Range [1, max_window()].
  uint32_t window = 0;
  // Threads that compute, the caller's included; 0: what the machine allows. Range [0, 256]. No result depends on it.
  uint32_t threads = 1;
  // The kernels of the matrix products; unset: the fastest of SupportedDotTargets(). No result depends on it.
  std::optional<DotTarget> target = std::nullopt;

  absl::Status Validate(const EngineModel& model) const;  // INVALID_ARGUMENT, naming field, value and range
};

class EngineSession {
 public:
  // INVALID_ARGUMENT for options out of range, RESOURCE_EXHAUSTED (with bytes) when their state is over 16 GiB.
  static absl::StatusOr<std::unique_ptr<EngineSession>> Create(std::shared_ptr<const EngineModel> model,
                                                               const EngineSessionOptions& options);
  ~EngineSession();

  // An independent session with the same lanes in the same state.
  std::unique_ptr<EngineSession> Clone() const;

  const EngineModel& model() const { return *model_; }
  uint32_t lanes() const;
  uint32_t window() const;

  // To the start of a document: the boundary has just been seen. Costs little.
  void Reset(uint32_t lane);
  // `to` becomes what `from` is.
  void CopyState(uint32_t from, uint32_t to);

  // Advances lanes by one symbol each. Requires lanes below lanes(), each at most once, and symbols of the vocabulary.
  void Step(std::span<const LaneUpdate> symbols);

  // Of the distribution of the next symbol of `lane`.
  SymbolInterval Interval(uint32_t lane, SymbolId symbol) const;
  // The symbol whose interval holds `slot`, and that interval. Requires slot < 2^precision_bits().
  SymbolId Find(uint32_t lane, uint32_t slot, SymbolInterval& interval) const;
  // `out` has vocab_size() elements.
  void Frequencies(uint32_t lane, std::span<uint32_t> out) const;
  // Unnormalised: log2 probabilities up to a constant, in units of 2^-16 bit.
  std::span<const int32_t> Logits(uint32_t lane) const;
  // How many symbols come before `symbol` in the order (logit descending, id ascending).
  uint32_t RankOf(uint32_t lane, SymbolId symbol) const;
  // Its inverse; the work grows with `rank`. Requires rank < vocab_size().
  SymbolId SymbolOfRank(uint32_t lane, uint32_t rank) const;

  // Calls task(0) .. task(count - 1) on the session's threads: for const functions of different lanes.
  void InParallel(size_t count, absl::FunctionRef<void(size_t)> task);

  // Feeds all of `symbols` to `lane`, with intervals[i] = what Interval(lane, symbols[i]) would have been before
  // symbols[i] was fed. Several times faster than as many steps. Same lane afterwards.
  void Score(uint32_t lane, std::span<const SymbolId> symbols, std::span<SymbolInterval> intervals);
  // The same for several lanes at once, each named at most once: the fastest way to encode many blocks.
  void Score(std::span<const LaneText> tasks);

 private:
  EngineSession(std::shared_ptr<const EngineModel> model, const EngineSessionOptions& options);

  // Carries rows_ through the network, each row's distribution becoming its lane's.
  void Advance();
  void CopyLane(uint32_t from, uint32_t to);
  const Distribution& Of(uint32_t lane) const;
  // Feeds up to a network's batch to every lane; false when all of `tasks` is fed.
  bool ScoreRound(std::span<const LaneText> tasks, std::span<size_t> fed);

  const std::shared_ptr<const EngineModel> model_;
  const EngineSessionOptions options_;
  std::unique_ptr<ThreadTeam> team_;
  std::unique_ptr<EngineState> state_;
  // By lane. One lane more than callers have stays where every document starts.
  std::vector<Distribution> distributions_;
  std::vector<Distribution> scratch_;  // by thread
  std::vector<EngineRow> rows_;        // of the current batch
  struct Target {
    size_t task;
    size_t next;  // the symbol whose interval a row gives
  };
  std::vector<Target> targets_;  // by row
};

}  // namespace clm
