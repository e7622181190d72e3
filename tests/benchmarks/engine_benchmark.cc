// Benchmarks of core/engine: decoding and scoring symbols per second on random weights, at several numbers of lanes,
// and the products alone.
//
// Random weights cost what trained ones cost: nothing in the engine depends on their values. Symbols are drawn from the
// model's own distribution, as a decoder would draw them from a file.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/checkpoint/parameter_layout.h"
#include "core/engine/engine_session.h"
#include "core/engine/packed_matrix.h"

namespace clm {
namespace {

ModelConfig Shape() {
  ModelConfig config;
  config.vocab_size = 4096;
  config.hidden_size = 192;
  config.intermediate_size = 512;
  config.layers = 4;
  config.heads = 3;
  config.kv_heads = 1;
  config.max_positions = 256;
  config.boundary = 4095;
  config.tie_embeddings = true;
  return config;
}

const std::shared_ptr<const EngineModel>& Model() {
  static const auto* const kModel = [] {
    const ParameterLayout layout = ParameterLayout::Plain(Shape());
    std::vector<float> weights(static_cast<size_t>(layout.total()));
    layout.Initialise(1, weights);
    auto model = EngineModel::FromWeights(Shape(), weights);
    CLM_CHECK(model.ok());
    return new std::shared_ptr<const EngineModel>(*model);
  }();
  return *kModel;
}

// Multiply-adds of the matrices and of attention at a full window, per symbol.
double WorkPerSymbol(uint32_t window) {
  const ModelConfig config = Shape();
  const ParameterCounts counts = CountParameters(config);
  const double head = static_cast<double>(config.vocab_size) * config.hidden_size;
  return static_cast<double>(counts.body) + head + 2.0 * config.layers * config.hidden_size * window;
}

// Arguments: lanes, threads, window.
void BM_Decode(benchmark::State& state) {
  const auto lanes = static_cast<uint32_t>(state.range(0));
  const auto window = static_cast<uint32_t>(state.range(2));
  auto session = EngineSession::Create(
      Model(), {.lanes = lanes, .window = window, .threads = static_cast<uint32_t>(state.range(1)), .target = {}});
  CLM_CHECK(session.ok());
  CounterRng rng(7, "slots", 0);
  std::vector<LaneUpdate> symbols(lanes);
  const auto step = [&] {
    for (uint32_t lane = 0; lane < lanes; ++lane) {
      SymbolInterval interval;
      symbols[lane] = {lane, (*session)->Find(lane, rng.NextU32() >> 8, interval)};
    }
    (*session)->Step(symbols);
  };
  for (uint32_t i = 0; i < window + 16; ++i) step();
  for (auto _ : state) step();
  const auto count = static_cast<double>(state.iterations() * lanes);
  state.counters["symbols/s"] = benchmark::Counter(count, benchmark::Counter::kIsRate);
  state.counters["GOP/s"] = benchmark::Counter(count * 2e-9 * WorkPerSymbol(window), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Decode)
    ->ArgNames({"lanes", "threads", "window"})
    ->ArgsProduct({{1, 4, 16, 32, 64}, {1, 2}, {128}})
    ->Args({32, 2, 64})
    ->Args({32, 2, 256})
    ->UseRealTime();

// Arguments: lanes, threads. Known symbols, 256 of each lane at once.
void BM_Score(benchmark::State& state) {
  const auto lanes = static_cast<uint32_t>(state.range(0));
  constexpr size_t kSymbols = 256;
  auto session = EngineSession::Create(
      Model(), {.lanes = lanes, .window = 128, .threads = static_cast<uint32_t>(state.range(1)), .target = {}});
  CLM_CHECK(session.ok());
  CounterRng rng(7, "symbols", 0);
  std::vector<SymbolId> symbols(kSymbols * lanes);
  for (SymbolId& symbol : symbols) symbol = static_cast<SymbolId>(rng.NextBelow(Shape().vocab_size));
  std::vector<SymbolInterval> intervals(symbols.size());
  std::vector<LaneText> tasks;
  for (uint32_t lane = 0; lane < lanes; ++lane) {
    tasks.push_back({lane, std::span(symbols).subspan(lane * kSymbols, kSymbols),
                     std::span(intervals).subspan(lane * kSymbols, kSymbols)});
  }
  (*session)->Score(tasks);
  for (auto _ : state) (*session)->Score(tasks);
  state.counters["symbols/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(symbols.size()), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Score)->ArgNames({"lanes", "threads"})->ArgsProduct({{1, 8}, {1, 2}})->UseRealTime();

// Argument: rows. One matrix of 1024 x 192.
void BM_Product(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0));
  constexpr size_t kRows = 1024;
  constexpr size_t kColumns = 192;
  CounterRng rng(7, "matrix", 0);
  std::vector<float> weights(kRows * kColumns);
  for (float& weight : weights) weight = static_cast<float>(rng.NextDouble() - 0.5);
  auto matrix = PackedMatrix::Create(weights, {.name = "random", .rows = kRows, .columns = kColumns});
  CLM_CHECK(matrix.ok());
  std::vector<uint8_t> a(rows * kColumns);
  for (uint8_t& value : a) value = static_cast<uint8_t>(rng.NextBelow(256));
  std::vector<int32_t> out(rows * kRows);
  DotArgs args = matrix->Args();
  args.a = a.data();
  args.a_stride = kColumns;
  args.rows = rows;
  args.out = out.data();
  args.out_stride = kRows;
  const DotFunction dot = DotOf(SupportedDotTargets().back());
  for (auto _ : state) {
    dot(args);
    benchmark::ClobberMemory();
  }
  const double work = 2e-9 * static_cast<double>(rows * kRows * kColumns);
  state.counters["GOP/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * work, benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Product)->ArgName("rows")->Arg(1)->Arg(4)->Arg(16)->Arg(32);

}  // namespace
}  // namespace clm
