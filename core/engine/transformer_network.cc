#include "core/engine/transformer_network.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/engine/kv_cache.h"
#include "core/engine/transformer_step.h"

namespace clm {
namespace {

KvShape ShapeOf(const ModelConfig& config, uint32_t window) {
  return {.layers = static_cast<size_t>(config.layers),
          .kv_heads = static_cast<size_t>(config.kv_heads),
          .head_size = static_cast<size_t>(config.head_size()),
          .window = window,
          .batch = EngineNetwork::kMaxLaneRows};
}

class TransformerState final : public EngineState {
 public:
  TransformerState(const TransformerWeights& weights, const EngineStateOptions& options)
      : cache(ShapeOf(weights.config, options.window), options.lanes) {
    for (uint32_t i = 0; i < options.threads; ++i) {
      steps.push_back(std::make_unique<TransformerStep>(weights, DotOf(options.target), cache));
    }
  }

  void Reset(uint32_t lane) override { cache.Reset(lane); }
  void Copy(uint32_t from, uint32_t to) override { cache.Copy(from, to); }
  void Assign(const EngineState& other) override { cache.Assign(static_cast<const TransformerState&>(other).cache); }

  KvCache cache;
  std::vector<std::unique_ptr<TransformerStep>> steps;  // by thread
  std::vector<PlacedRow> placed;
  std::vector<size_t> lane_ends;  // of the rows of each lane
};

// Fills placed and lane_ends.
void Place(std::span<const EngineRow> rows, TransformerState& state) {
  state.placed.clear();
  state.lane_ends.clear();
  uint64_t position = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool follows = i > 0 && rows[i].lane == rows[i - 1].lane;
    position = follows ? position + 1 : state.cache.position(rows[i].lane);
    if (!follows && i > 0) state.lane_ends.push_back(i);
    state.placed.push_back({rows[i].lane, rows[i].symbol, position, i});
  }
  state.lane_ends.push_back(rows.size());
}

void Nothing() {}

// Whole lanes for each thread: nothing to wait for.
void RunLanes(TransformerState& state, ThreadTeam& team, size_t threads, RowSink sink) {
  const size_t lanes = state.lane_ends.size();
  team.Run(threads, [&](size_t thread) {
    const auto row_of = [&](size_t lane) { return lane == 0 ? 0 : state.lane_ends[lane - 1]; };
    const size_t end = row_of((thread + 1) * lanes / threads);
    for (size_t begin = row_of(thread * lanes / threads); begin < end;) {
      const size_t count = std::min(TransformerStep::kMaxRows, end - begin);
      state.steps[thread]->Run(std::span(state.placed).subspan(begin, count), &Nothing, thread, sink);
      begin += count;
    }
  });
}

// Rows of few lanes over all threads: a row's keys and values must be there before later rows look at them.
void RunRows(TransformerState& state, ThreadTeam& team, size_t threads, RowSink sink) {
  const size_t rows = state.placed.size();
  team.Run(threads, [&](size_t thread) {
    const size_t begin = thread * rows / threads;
    const size_t count = (thread + 1) * rows / threads - begin;
    state.steps[thread]->Run(
        std::span(state.placed).subspan(begin, count), [&team] { team.Barrier(); }, thread, sink);
  });
}

}  // namespace

uint64_t TransformerNetwork::parameter_count() const { return CountParameters(weights_.config).total(); }

uint64_t TransformerNetwork::lane_bytes(uint32_t window) const {
  return KvCache::LaneBytes(ShapeOf(weights_.config, window));
}

std::unique_ptr<EngineState> TransformerNetwork::NewState(const EngineStateOptions& options) const {
  return std::make_unique<TransformerState>(weights_, options);
}

void TransformerNetwork::Advance(EngineState& state, std::span<const EngineRow> rows, ThreadTeam& team,
                                 RowSink sink) const {
  auto& own = static_cast<TransformerState&>(state);
  Place(rows, own);
  // Few rows are not worth waiting for each other; with fewer lanes than threads a thread has one batch at most.
  const size_t threads = team.UsefulThreads();
  const size_t lanes = own.lane_ends.size();
  if (lanes < threads && rows.size() >= 4 * threads) {
    RunRows(own, team, threads, sink);
  } else {
    RunLanes(own, team, std::min(lanes, threads), sink);
  }
  for (const EngineRow& row : rows) own.cache.Advance(row.lane, 1);
}

}  // namespace clm
