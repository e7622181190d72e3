// EngineNetwork: one family of models run in integers, behind EngineModel.
//
// A network advances rows. A row is one symbol of one lane; rows of one lane in one call are consecutive symbols in
// order. Whatever the rows are grouped with, the logits of a row are a function of the weights, the window and the
// lane's symbols so far. States are opaque to callers: keys and values here, recurrent states elsewhere.
//
// Thread-safety: networks are immutable; a state belongs to one session. Internal to core/engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/engine/kernels/dot.h"
#include "core/engine/thread_team.h"

namespace clm {

class EngineState {
 public:
  virtual ~EngineState() = default;
  // To before any symbol, the boundary included.
  virtual void Reset(uint32_t lane) = 0;
  virtual void Copy(uint32_t from, uint32_t to) = 0;
  // All lanes as in `other`, a state of the same network and options.
  virtual void Assign(const EngineState& other) = 0;
};

struct EngineRow {
  uint32_t lane = 0;
  SymbolId symbol = 0;
};

struct EngineStateOptions {
  uint32_t lanes = 1;
  uint32_t window = 0;
  uint32_t threads = 1;
  DotTarget target = DotTarget::kScalar;
};

// Called once per row, on the thread of the team that computed it, while its logits [vocab_size] are in the cache: log2
// probabilities up to a constant, in units of 2^-16 bit. They are gone when it returns.
using RowSink = absl::FunctionRef<void(size_t row, size_t thread, std::span<const int32_t> logits)>;

class EngineNetwork {
 public:
  // Most rows of one lane in one call.
  static constexpr size_t kMaxLaneRows = 16;

  virtual ~EngineNetwork() = default;

  virtual uint32_t vocab_size() const = 0;
  virtual uint32_t max_window() const = 0;
  virtual SymbolId boundary() const = 0;
  virtual uint64_t parameter_count() const = 0;
  virtual uint64_t weight_bytes() const = 0;
  virtual uint64_t lane_bytes(uint32_t window) const = 0;
  // 64 hex digits over all that decides logits.
  virtual std::string Fingerprint() const = 0;

  virtual std::unique_ptr<EngineState> NewState(const EngineStateOptions& options) const = 0;
  // Rows of one lane are neighbours, at most kMaxLaneRows of them. `team` has the threads of the state's options.
  virtual void Advance(EngineState& state, std::span<const EngineRow> rows, ThreadTeam& team, RowSink sink) const = 0;
};

}  // namespace clm
