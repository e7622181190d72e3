// Superwords: how many bytes an id stands for and how fast text becomes ids, with a vocabulary of one size that is
// learnt inside pieces, and with ones whose last entries are superwords. Every second document is learnt from, the
// others are encoded.
#include <memory>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "core/base/check.h"
#include "core/base/thread_pool.h"
#include "core/tokenizer/bpe_trainer.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/benchmarks/benchmark_text.h"
#include "tests/benchmarks/document_codec.h"

namespace clm {
namespace {

std::vector<absl::string_view> EverySecond(size_t first) {
  const auto all = benchmarking::Documents(benchmarking::Text());
  std::vector<absl::string_view> half;
  for (size_t i = first; i < all.size(); i += 2) half.push_back(all[i]);
  return half.empty() ? all : half;
}

std::shared_ptr<const Tokenizer> Learn(uint32_t vocab_size, uint32_t superword_from) {
  BpeTrainerOptions options;
  options.vocab_size = vocab_size;
  options.superword_from = superword_from;
  absl::StatusOr<BpeTrainer> trainer = BpeTrainer::Create(options);
  CLM_CHECK(trainer.ok());
  ThreadPool threads(AvailableThreads());
  CLM_CHECK(trainer->AddDocuments(EverySecond(0), threads).ok());
  absl::StatusOr<BpeVocab> vocab = trainer->Train({.threads = &threads});
  CLM_CHECK(vocab.ok());
  return *Tokenizer::Create(*std::move(vocab), options.pattern);
}

void BM_EncodeLearned(benchmark::State& state) {
  const auto tokenizer = Learn(static_cast<uint32_t>(state.range(0)), static_cast<uint32_t>(state.range(1)));
  const std::vector<absl::string_view> documents = EverySecond(1);
  size_t ids = 0;
  for (auto _ : state) {
    ids = 0;
    for (const absl::string_view document : documents) {
      const absl::StatusOr<std::vector<SymbolId>> encoded = tokenizer->Encode(document);
      if (!encoded.ok()) return state.SkipWithError(encoded.status().ToString().c_str());
      ids += encoded->size();
    }
  }
  const auto bytes = static_cast<double>(benchmarking::TotalBytes(documents));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
  state.counters["bytes_per_id"] = bytes / static_cast<double>(ids);
}

BENCHMARK(BM_EncodeLearned)
    ->ArgNames({"vocab", "inside"})
    ->Args({8192, 0})
    ->Args({8192, 6144})
    ->Args({32000, 0})
    ->Args({32000, 24000})
    ->Args({32000, 16000})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace clm
