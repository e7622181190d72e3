// Documents that are one piece: where an encoder that is quadratic in the piece shows it. The counter "for_twice" is
// the time for twice the size over the time for the size; 2 is linear.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "core/base/clock.h"
#include "tests/benchmarks/benchmark_text.h"
#include "tests/benchmarks/benchmark_tokenizer.h"

namespace clm {
namespace {

std::string Brackets(size_t size_bytes) { return std::string(size_bytes, '['); }
std::string RunOfA(size_t size_bytes) { return std::string(size_bytes, 'a'); }
std::string Letters(size_t size_bytes) { return benchmarking::MakeLetters(1, size_bytes); }
// Words without spaces, digits and marks between them.
std::string Words(size_t size_bytes) {
  std::string text = benchmarking::MakeText(1, 2 * size_bytes);
  std::erase_if(text, [](char c) { return c >= 0 && (c < 'a' || c > 'z'); });
  text.resize(size_bytes, 'a');
  return text;
}

void BM_OnePiece(benchmark::State& state, std::string (*make)(size_t)) {
  const size_t size = std::min(static_cast<size_t>(state.range(0)), benchmarking::TextBytes());
  const std::string once = make(size);
  const std::string twice = make(2 * size);
  const std::shared_ptr<const Tokenizer> tokenizer = benchmarking::NewTokenizer();
  const std::unique_ptr<StreamingBpeEncoder> encoder = tokenizer->NewEncoder();
  absl::Duration seconds[2];
  size_t ids = 0;
  for (auto _ : state) {
    for (const std::string* text : {&once, &twice}) {
      std::vector<SymbolId> out;
      const absl::Duration start = SystemClock().Monotonic();
      const absl::Status status = encoder->whole_documents().Encode(*text, out);
      const absl::Duration elapsed = SystemClock().Monotonic() - start;
      if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
      seconds[text == &once ? 0 : 1] += elapsed;
      if (text != &once) continue;
      state.SetIterationTime(absl::ToDoubleSeconds(elapsed));
      ids = out.size();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(size));
  state.counters["ids/s"] = benchmark::Counter(static_cast<double>(ids), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["for_twice"] = absl::FDivDuration(seconds[1], seconds[0]);
}

void Size(benchmark::internal::Benchmark* benchmark, int64_t bytes) {
  benchmark->ArgName("bytes")->Arg(bytes)->UseManualTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(BM_OnePiece, brackets, Brackets)->Apply([](auto* b) { Size(b, 100'000); });
BENCHMARK_CAPTURE(BM_OnePiece, run_of_a, RunOfA)->Apply([](auto* b) { Size(b, 1'000'000); });
BENCHMARK_CAPTURE(BM_OnePiece, letters, Letters)->Apply([](auto* b) { Size(b, 1'000'000); });
BENCHMARK_CAPTURE(BM_OnePiece, words, Words)->Apply([](auto* b) { Size(b, 10'000'000); });

}  // namespace
}  // namespace clm
