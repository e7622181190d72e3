// Universes: learning them, folding and unfolding with them, over plain bytes and over a tokenizer's ids.
//
// Bytes per second are those of the text. Learning is measured whole: documents added, layers learnt, the universe
// made.
#include <malloc.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "core/base/clock.h"
#include "core/coordinate/folder.h"
#include "core/coordinate/unfolder.h"
#include "core/coordinate/universe_builder.h"
#include "core/representation/pretoken_encoder.h"
#include "tests/benchmarks/benchmark_text.h"
#include "tests/benchmarks/benchmark_tokenizer.h"
#include "tests/benchmarks/machine_limits.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

// A line is a document for bytes, as in the measurements this is compared with.
struct BenchmarkBase {
  uint32_t size = 0;
  std::vector<PretokenizedIds> documents = {};
  size_t ids = 0;
};

const BenchmarkBase& Bytes() {
  static const auto* const kBase = [] {
    auto* const base = new BenchmarkBase{.size = 257};
    const std::string& text = benchmarking::Text();
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
      PretokenizedIds& document = base->documents.emplace_back();
      for (size_t i = begin; i < end; ++i) document.ids.push_back(static_cast<uint8_t>(text[i]));
      base->ids += document.ids.size();
      begin = end;
    }
    return base;
  }();
  return *kBase;
}

const BenchmarkBase& Tokens() {
  static const auto* const kBase = [] {
    const std::shared_ptr<const Tokenizer> tokenizer = benchmarking::NewTokenizer();
    auto* const base = new BenchmarkBase{.size = tokenizer->vocab_size()};
    PretokenEncoder encoder(*tokenizer);
    for (const absl::string_view text : benchmarking::Documents(benchmarking::Text())) {
      if (!encoder.Encode(text, base->documents.emplace_back()).ok()) base->documents.back().Clear();
      base->ids += base->documents.back().ids.size();
    }
    return base;
  }();
  return *kBase;
}

UniverseOptions Pairs(int layers, int nodes) { return {.layers = layers, .nodes_per_layer = nodes}; }

absl::StatusOr<LearnedUniverse> Learn(const BenchmarkBase& base, const UniverseOptions& options, size_t threads) {
  ThreadPool pool(threads);
  absl::StatusOr<UniverseBuilder> builder = UniverseBuilder::Create(options, base.size, {});
  if (!builder.ok()) return builder.status();
  for (const PretokenizedIds& document : base.documents) {
    const absl::Status added = builder->AddDocument(document.ids, document.starts);
    if (!added.ok()) return added;
  }
  return builder->Build(pool);
}

void LearnRepeatedly(benchmark::State& state, const BenchmarkBase& base, const UniverseOptions& options) {
  size_t nodes = 0;
  for (auto _ : state) {
    const absl::StatusOr<LearnedUniverse> learned = Learn(base, options, static_cast<size_t>(state.range(0)));
    if (!learned.ok()) return state.SkipWithError(learned.status().ToString().c_str());
    nodes = learned->frequencies.size();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(benchmarking::Text().size()));
  state.counters["nodes"] = static_cast<double>(nodes);
}

void BM_LearnBytesTwoLayers(benchmark::State& state) { LearnRepeatedly(state, Bytes(), Pairs(2, 16384)); }
void BM_LearnBytesThinLayers(benchmark::State& state) { LearnRepeatedly(state, Bytes(), Pairs(255, 64)); }
void BM_LearnTokensWords(benchmark::State& state) { LearnRepeatedly(state, Tokens(), *UniversePreset("w")); }
void BM_LearnTokensSuperwords(benchmark::State& state) { LearnRepeatedly(state, Tokens(), *UniversePreset("ws")); }

// Bytes in use at most since the last call with `begin`, and now. Linux tells.
struct MemoryUse {
  uint64_t peak = 0;
  uint64_t now = 0;
};

MemoryUse ResidentMemory(bool begin) {
  if (begin) std::ofstream("/proc/self/clear_refs") << "5";
  MemoryUse use;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    uint64_t kib = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %" SCNu64, &kib) == 1) use.peak = kib << 10;
    if (std::sscanf(line.c_str(), "VmRSS: %" SCNu64, &kib) == 1) use.now = kib << 10;
  }
  return use;
}

// With a cap on memory, in MiB: what of it is used.
void BM_LearnBytesCapped(benchmark::State& state) {
  const auto cap = static_cast<uint64_t>(state.range(0)) << 20;
  const testing::TemporaryDirectory folder;
  ThreadPool pool(2);
  const BenchmarkBase& base = Bytes();
  double share = 0;
  for (auto _ : state) {
    malloc_trim(0);
    const uint64_t before = ResidentMemory(/*begin=*/true).now;
    absl::StatusOr<UniverseBuilder> builder = UniverseBuilder::Create(
        Pairs(2, 16384), base.size, {},
        {.memory_limit_bytes = cap, .files = &PosixFileSystem(), .scratch_folder = folder.path()});
    if (!builder.ok()) return state.SkipWithError(builder.status().ToString().c_str());
    for (const PretokenizedIds& document : base.documents) {
      const absl::Status added = builder->AddDocument(document.ids, document.starts);
      if (!added.ok()) return state.SkipWithError(added.ToString().c_str());
    }
    const absl::StatusOr<LearnedUniverse> learned = builder->Build(pool);
    if (!learned.ok()) return state.SkipWithError(learned.status().ToString().c_str());
    share = static_cast<double>(ResidentMemory(/*begin=*/false).peak - before) / static_cast<double>(cap);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(benchmarking::Text().size()));
  state.counters["peak_of_cap"] = share;
}

// Documents one after the other, as a caller has them.
void FoldRepeatedly(benchmark::State& state, const BenchmarkBase& base, const UniverseOptions& options) {
  const absl::StatusOr<LearnedUniverse> learned = Learn(base, options, 2);
  if (!learned.ok()) return state.SkipWithError(learned.status().ToString().c_str());
  const Folder folder(learned->universe);
  size_t symbols = 0;
  for (auto _ : state) {
    symbols = 0;
    for (const PretokenizedIds& document : base.documents) {
      const absl::StatusOr<std::vector<SymbolId>> folded = folder.Fold(document.ids, document.starts);
      if (!folded.ok()) return state.SkipWithError(folded.status().ToString().c_str());
      symbols += folded->size();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(benchmarking::Text().size()));
  state.counters["ratio"] = static_cast<double>(symbols) / static_cast<double>(base.ids);
}

void BM_FoldBytesTwoLayers(benchmark::State& state) { FoldRepeatedly(state, Bytes(), Pairs(2, 16384)); }
void BM_FoldTokensWords(benchmark::State& state) { FoldRepeatedly(state, Tokens(), *UniversePreset("w")); }
void BM_FoldTokensSuperwords(benchmark::State& state) { FoldRepeatedly(state, Tokens(), *UniversePreset("ws")); }

// All documents in one, on several threads.
struct LongDocument {
  std::vector<SymbolId> ids;
  Universe universe;
};

absl::StatusOr<LongDocument> JoinDocuments(const BenchmarkBase& base) {
  absl::StatusOr<LearnedUniverse> learned = Learn(base, Pairs(2, 16384), 2);
  if (!learned.ok()) return learned.status();
  LongDocument document = {.ids = {}, .universe = learned->universe};
  for (const PretokenizedIds& each : base.documents) {
    document.ids.insert(document.ids.end(), each.ids.begin(), each.ids.end());
  }
  return document;
}

void BM_FoldLongDocument(benchmark::State& state) {
  const absl::StatusOr<LongDocument> document = JoinDocuments(Bytes());
  if (!document.ok()) return state.SkipWithError(document.status().ToString().c_str());
  const Folder folder(document->universe);
  ThreadPool pool(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    const absl::StatusOr<std::vector<SymbolId>> folded = folder.Fold(document->ids, {}, pool, {});
    if (!folded.ok()) return state.SkipWithError(folded.status().ToString().c_str());
    benchmark::DoNotOptimize(folded->data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(document->ids.size()));
}

// The share of the limit counts reading the ids, one probe per id, writing the symbols.
void BM_UnfoldBytesTwoLayers(benchmark::State& state) {
  const absl::StatusOr<LongDocument> document = JoinDocuments(Bytes());
  if (!document.ok()) return state.SkipWithError(document.status().ToString().c_str());
  const absl::StatusOr<std::vector<SymbolId>> folded = Folder(document->universe).Fold(document->ids);
  if (!folded.ok()) return state.SkipWithError(folded.status().ToString().c_str());
  const Unfolder unfolder(document->universe);
  ThreadPool pool(static_cast<size_t>(state.range(0)));
  std::vector<SymbolId> restored;
  const absl::Duration start = SystemClock().Monotonic();
  for (auto _ : state) {
    restored.clear();
    const absl::Status status = unfolder.Unfold(*folded, pool, {}, restored);
    if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
  }
  const double seconds = absl::ToDoubleSeconds(SystemClock().Monotonic() - start);
  if (restored != document->ids) return state.SkipWithError("unfolding gave something else");
  const double limit = benchmarking::LimitSeconds({.bytes_in = sizeof(SymbolId) * static_cast<double>(folded->size()),
                                                   .bytes_out = sizeof(SymbolId) * static_cast<double>(restored.size()),
                                                   .probes = static_cast<double>(folded->size())});
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(restored.size()));
  state.counters["of_limit"] = limit * static_cast<double>(state.iterations()) / seconds;
}

BENCHMARK(BM_LearnBytesTwoLayers)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_LearnBytesThinLayers)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_LearnTokensWords)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_LearnTokensSuperwords)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_LearnBytesCapped)->Arg(64)->Arg(128)->Arg(256)->Arg(512)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_FoldBytesTwoLayers)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FoldTokensWords)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FoldTokensSuperwords)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FoldLongDocument)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_UnfoldBytesTwoLayers)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace clm
