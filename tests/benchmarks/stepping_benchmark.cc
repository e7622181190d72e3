// Benchmarks of one stream against LibTorch: the same random weights stepped by the integer engine and by LibTorch in
// floating point, with a cache of keys and values and without one, where each symbol costs a pass over the whole
// context.
//
// Everything may use as many threads as the machine has.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/check.h"
#include "core/base/file_io.h"
#include "core/base/rng.h"
#include "core/engine/engine_session.h"
#include "core/model/model.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

constexpr uint32_t kWindow = 128;

ModelConfig Shape() {
  ModelConfig config;
  config.vocab_size = 4096;
  config.hidden_size = 192;
  config.intermediate_size = 512;
  config.layers = 4;
  config.heads = 3;
  config.kv_heads = 1;
  config.max_positions = kWindow;
  config.boundary = 4095;
  config.tie_embeddings = true;
  return config;
}

// The same weights for both.
class Models {
 public:
  Models() : floating_(OrDie(Model::Create(Shape(), {.device = "cpu", .seed = 1}))) {
    const testing::TemporaryDirectory folder;
    CLM_CHECK(floating_->Save(PosixFileSystem(), folder.path()).ok());
    integer_ = OrDie(EngineModel::Load(PosixFileSystem(), folder.path()));
  }

  std::unique_ptr<NextSymbolModel> NewStepper() const { return OrDie(floating_->NewStepper()); }
  std::unique_ptr<EngineSession> NewSession(const EngineSessionOptions& options) const {
    return OrDie(EngineSession::Create(integer_, options));
  }

 private:
  template <typename T>
  static T OrDie(absl::StatusOr<T> value) {
    CLM_CHECK(value.ok());
    return *std::move(value);
  }

  std::unique_ptr<Model> floating_;
  std::shared_ptr<const EngineModel> integer_;
};

const Models& Shared() {
  static const auto* const kModels = new Models;
  return *kModels;
}

std::vector<SymbolId> Symbols(size_t count) {
  CounterRng rng(7, "symbols", 0);
  std::vector<SymbolId> symbols(count);
  for (SymbolId& symbol : symbols) symbol = static_cast<SymbolId>(rng.NextBelow(Shape().vocab_size - 1));
  return symbols;
}

void Report(benchmark::State& state, size_t lanes = 1) {
  state.counters["symbols/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(lanes),
                                                   benchmark::Counter::kIsRate);
}

// Argument: lanes.
void BM_EngineStep(benchmark::State& state) {
  const auto lanes = static_cast<uint32_t>(state.range(0));
  const auto session = Shared().NewSession({.lanes = lanes, .window = kWindow, .threads = 0});
  const std::vector<SymbolId> symbols = Symbols(1024 + lanes);
  std::vector<LaneUpdate> updates(lanes);
  size_t at = 0;
  const auto step = [&] {
    for (uint32_t lane = 0; lane < lanes; ++lane) updates[lane] = {lane, symbols[at % 1024 + lane]};
    ++at;
    session->Step(updates);
  };
  for (uint32_t i = 0; i < kWindow; ++i) step();
  for (auto _ : state) step();
  Report(state, lanes);
}
BENCHMARK(BM_EngineStep)->ArgName("lanes")->Arg(1)->Arg(16)->Arg(32)->UseRealTime();

void BM_LibTorchStep(benchmark::State& state) {
  const auto stepper = Shared().NewStepper();
  const std::vector<SymbolId> symbols = Symbols(1024);
  std::vector<float> logits;
  size_t at = 0;
  const auto step = [&] { CLM_CHECK(stepper->Feed(std::span(symbols).subspan(at++ % 1024, 1), logits).ok()); };
  for (uint32_t i = 0; i < kWindow; ++i) step();
  for (auto _ : state) step();
  Report(state);
}
BENCHMARK(BM_LibTorchStep)->UseRealTime();

// One pass over the context per symbol.
void BM_LibTorchWithoutCache(benchmark::State& state) {
  const auto stepper = Shared().NewStepper();
  const std::vector<SymbolId> symbols = Symbols(1024);
  std::vector<float> logits;
  size_t at = 0;
  for (auto _ : state) {
    stepper->Reset();
    CLM_CHECK(stepper->Feed(std::span(symbols).subspan(at++ % (1024 - kWindow), kWindow), logits).ok());
  }
  Report(state);
}
BENCHMARK(BM_LibTorchWithoutCache)->UseRealTime();

}  // namespace
}  // namespace clm
