// The limits of the machine: what anything else here can reach at best.
#include <cstring>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "tests/benchmarks/machine_limits.h"

namespace clm {
namespace {

using benchmarking::ChaseLines;
using benchmarking::ProbeLines;
using benchmarking::ReadWords;

// Half of L2, half of a small L3, and far more than any cache; by area and thread.
constexpr int64_t kL2Bytes = int64_t{512} << 10;
constexpr int64_t kL3Bytes = int64_t{8} << 20;
constexpr int64_t kMemoryBytes = int64_t{256} << 20;
constexpr size_t kProbes = size_t{1} << 16;

std::vector<uint64_t> Area(const benchmark::State& state) {
  return std::vector<uint64_t>(static_cast<size_t>(state.range(0)) / sizeof(uint64_t), 1);
}

void BM_Read(benchmark::State& state) {
  const std::vector<uint64_t> area = Area(state);
  for (auto _ : state) benchmark::DoNotOptimize(ReadWords(area));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void BM_Copy(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0)) / 2;
  const std::string from(bytes, 'x');
  std::string to(bytes, 'y');
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), bytes);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

void BM_Probe(benchmark::State& state) {
  const std::vector<uint64_t> area = Area(state);
  for (auto _ : state) benchmark::DoNotOptimize(ProbeLines(area, kProbes));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kProbes));
}

void BM_DependentProbe(benchmark::State& state) {
  const std::vector<uint64_t> area = Area(state);
  for (auto _ : state) benchmark::DoNotOptimize(ChaseLines(area, kProbes));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kProbes));
}

void Areas(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("bytes")->Arg(kL2Bytes)->Arg(kL3Bytes)->Arg(kMemoryBytes)->Threads(1)->Threads(2)->UseRealTime();
}

BENCHMARK(BM_Read)->Apply(Areas);
BENCHMARK(BM_Copy)->Apply(Areas);
BENCHMARK(BM_Probe)->Apply(Areas);
BENCHMARK(BM_DependentProbe)->Apply(Areas);

}  // namespace
}  // namespace clm
