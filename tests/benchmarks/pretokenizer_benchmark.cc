// Cutting text into pieces, per pattern. The share of the limit counts reading the text and writing the ends of pieces.
#include <memory>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "core/base/clock.h"
#include "core/text/pretokenizer.h"
#include "tests/benchmarks/benchmark_text.h"
#include "tests/benchmarks/machine_limits.h"

namespace clm {
namespace {

void BM_Split(benchmark::State& state, absl::string_view pattern) {
  const auto pretokenizer = MakePretokenizer(pattern);
  if (!pretokenizer.ok()) {
    state.SkipWithError(pretokenizer.status().ToString().c_str());
    return;
  }
  const std::vector<absl::string_view> documents = benchmarking::Documents(benchmarking::Text());
  std::vector<uint32_t> ends;
  size_t pieces = 0;
  const absl::Duration start = SystemClock().Monotonic();
  for (auto _ : state) {
    pieces = 0;
    for (const absl::string_view document : documents) {
      ends.clear();
      (*pretokenizer)->Split(document, true, ends);
      benchmark::DoNotOptimize(ends.data());
      pieces += ends.size();
    }
  }
  const absl::Duration elapsed = SystemClock().Monotonic() - start;
  const double bytes = static_cast<double>(benchmarking::Text().size());
  const double limit =
      benchmarking::LimitSeconds({.bytes_in = bytes, .bytes_out = sizeof(uint32_t) * static_cast<double>(pieces)});
  state.counters["of_limit"] = limit * static_cast<double>(state.iterations()) / absl::ToDoubleSeconds(elapsed);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(benchmarking::Text().size()));
  state.counters["pieces/s"] =
      benchmark::Counter(static_cast<double>(pieces), benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK_CAPTURE(BM_Split, gpt2, kGpt2Pattern)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Split, cl100k, kCl100kPattern)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Split, qwen2, kQwen2Pattern)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Split, o200k, kO200kPattern)->Unit(benchmark::kMillisecond);
// GPT-2's with a group around it, which no hand-written scanner knows: what any other pattern costs.
BENCHMARK_CAPTURE(BM_Split, pcre2, R"((?:'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+))")
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace clm
