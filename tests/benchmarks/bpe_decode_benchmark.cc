// Ids to bytes: whole documents, and a stream of pieces. The share of the limit counts reading the ids, one probe of
// the table per id, writing the text.
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "core/base/clock.h"
#include "tests/benchmarks/benchmark_text.h"
#include "tests/benchmarks/benchmark_tokenizer.h"
#include "tests/benchmarks/document_codec.h"
#include "tests/benchmarks/machine_limits.h"

namespace clm {
namespace {

using benchmarking::DocumentCodec;
using benchmarking::IdGroup;

void SetCounters(benchmark::State& state, size_t ids, absl::Duration seconds) {
  const double bytes = static_cast<double>(benchmarking::Text().size());
  const double count = static_cast<double>(ids);
  const double limit =
      benchmarking::LimitSeconds({.bytes_in = sizeof(SymbolId) * count, .bytes_out = bytes, .probes = count});
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
  state.counters["ids/s"] = benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["of_limit"] = limit * static_cast<double>(state.iterations()) / absl::ToDoubleSeconds(seconds);
}

void BM_DecodeDocuments(benchmark::State& state) {
  DocumentCodec codec(benchmarking::NewTokenizer(), {});
  const absl::StatusOr<std::vector<IdGroup>> groups = codec.Encode(benchmarking::Documents(benchmarking::Text()));
  if (!groups.ok()) return state.SkipWithError(groups.status().ToString().c_str());
  const absl::Duration start = SystemClock().Monotonic();
  for (auto _ : state) {
    const absl::StatusOr<std::vector<benchmarking::TextGroup>> texts = codec.Decode(*groups);
    if (!texts.ok()) return state.SkipWithError(texts.status().ToString().c_str());
    benchmark::DoNotOptimize(texts->data());
  }
  SetCounters(state, benchmarking::TotalIds(*groups), SystemClock().Monotonic() - start);
}

void BM_DecodeStream(benchmark::State& state) {
  const std::shared_ptr<const Tokenizer> tokenizer = benchmarking::NewTokenizer();
  const absl::StatusOr<std::vector<SymbolId>> ids = tokenizer->Encode(benchmarking::Text());
  if (!ids.ok()) return state.SkipWithError(ids.status().ToString().c_str());
  const size_t piece = static_cast<size_t>(state.range(0));
  const std::unique_ptr<StreamingBpeDecoder> decoder = tokenizer->NewDecoder();
  std::string text;
  const absl::Duration start = SystemClock().Monotonic();
  for (auto _ : state) {
    absl::Status status;
    for (std::span<const SymbolId> rest = *ids; !rest.empty() && status.ok();) {
      text.clear();
      const size_t count = std::min(piece, rest.size());
      status = decoder->Push(rest.first(count), text);
      rest = rest.subspan(count);
    }
    decoder->Finish();
    if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
  }
  SetCounters(state, ids->size(), SystemClock().Monotonic() - start);
}

BENCHMARK(BM_DecodeDocuments)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_DecodeStream)->ArgName("ids")->Arg(1)->Arg(256)->Arg(65536)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace clm
