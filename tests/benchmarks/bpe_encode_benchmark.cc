// Bytes to ids: first pass over all documents (cold), new documents after others (steady), the same ones again (warm),
// and without the cache of pieces. The share of the limit counts reading the text, one probe per piece, writing the
// ids.
#include <memory>
#include <utility>
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

// Which documents are encoded before the clock starts, and which while it runs.
struct Documents {
  std::vector<absl::string_view> before;
  std::vector<absl::string_view> timed;
};

std::vector<absl::string_view> EverySecond(const std::vector<absl::string_view>& documents, size_t first) {
  std::vector<absl::string_view> half;
  for (size_t i = first; i < documents.size(); i += 2) half.push_back(documents[i]);
  return half;
}

Documents ColdDocuments() { return {.before = {}, .timed = benchmarking::Documents(benchmarking::Text())}; }
Documents SteadyDocuments() {
  const auto all = benchmarking::Documents(benchmarking::Text());
  if (all.size() < 2) return {.before = {}, .timed = all};
  return {.before = EverySecond(all, 0), .timed = EverySecond(all, 1)};
}
Documents WarmDocuments() {
  const auto all = benchmarking::Documents(benchmarking::Text());
  return {.before = all, .timed = all};
}

size_t CountPieces(const Tokenizer& tokenizer, const std::vector<absl::string_view>& documents) {
  std::vector<uint32_t> ends;
  for (const absl::string_view document : documents) tokenizer.pretokenizer().Split(document, true, ends);
  return ends.size();
}

// `seconds` is the timed part of all iterations.
void SetCounters(benchmark::State& state, const std::vector<absl::string_view>& documents, size_t ids,
                 absl::Duration seconds) {
  const double bytes = static_cast<double>(benchmarking::TotalBytes(documents));
  const double pieces = static_cast<double>(CountPieces(*benchmarking::NewTokenizer(), documents));
  const double limit = benchmarking::LimitSeconds(
      {.bytes_in = bytes, .bytes_out = sizeof(SymbolId) * static_cast<double>(ids), .probes = pieces});
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
  constexpr auto kRate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["ids/s"] = benchmark::Counter(static_cast<double>(ids), kRate);
  state.counters["pieces/s"] = benchmark::Counter(pieces, kRate);
  const double least = limit * static_cast<double>(state.iterations()) / static_cast<double>(state.range(0));
  state.counters["of_limit"] = least / absl::ToDoubleSeconds(seconds);
}

void BM_Encode(benchmark::State& state, Documents (*choose)(), bool cache) {
  const Documents documents = choose();
  size_t ids = 0;
  absl::Duration total;
  for (auto _ : state) {
    DocumentCodec codec(benchmarking::NewTokenizer(), {.threads = static_cast<size_t>(state.range(0)), .cache = cache});
    if (!codec.Encode(documents.before).ok()) state.SkipWithError("the first documents cannot be encoded");
    const absl::Duration start = SystemClock().Monotonic();
    const absl::StatusOr<std::vector<IdGroup>> groups = codec.Encode(documents.timed);
    const absl::Duration elapsed = SystemClock().Monotonic() - start;
    state.SetIterationTime(absl::ToDoubleSeconds(elapsed));
    total += elapsed;
    if (!groups.ok()) return state.SkipWithError(groups.status().ToString().c_str());
    ids = benchmarking::TotalIds(*groups);
  }
  SetCounters(state, documents.timed, ids, total);
}

void Threads(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("threads")->Arg(1)->Arg(2)->UseManualTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(BM_Encode, cold, ColdDocuments, true)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Encode, steady, SteadyDocuments, true)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Encode, warm, WarmDocuments, true)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Encode, no_cache, ColdDocuments, false)->Apply(Threads);

}  // namespace
}  // namespace clm
