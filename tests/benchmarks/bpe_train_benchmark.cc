// Documents to a vocabulary of 32,000 entries: all of it, the counting alone, with one piece of 250 KB in the text, and
// with little memory.
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "core/base/thread_pool.h"
#include "core/tokenizer/bpe_trainer.h"
#include "tests/benchmarks/benchmark_text.h"
#include "tests/benchmarks/document_codec.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

constexpr size_t kLongPieceBytes = 250'000;

struct Input {
  std::string text;
  uint64_t memory_limit_bytes = 0;
  bool learns = true;
};

Input Plain() { return {.text = benchmarking::Text()}; }
Input Counting() { return {.text = benchmarking::Text(), .learns = false}; }
Input LongPiece() { return {.text = benchmarking::Text() + benchmarking::MakeLetters(2, kLongPieceBytes) + "\n"}; }
Input LittleMemory() { return {.text = benchmarking::Text(), .memory_limit_bytes = uint64_t{72} << 20}; }

void BM_Train(benchmark::State& state, Input (*make)()) {
  const Input input = make();
  const std::vector<absl::string_view> documents = benchmarking::Documents(input.text);
  const clm::testing::TemporaryDirectory folder;
  const BpeTrainerOptions options{
      .vocab_size = 32'001, .memory_limit_bytes = input.memory_limit_bytes, .scratch_folder = folder.File("scratch")};
  ThreadPool threads(static_cast<size_t>(state.range(0)));
  size_t merges = 0;
  for (auto _ : state) {
    absl::StatusOr<BpeTrainer> trainer = BpeTrainer::Create(options);
    absl::Status status = trainer.ok() ? trainer->AddDocuments(documents, threads) : trainer.status();
    if (status.ok() && input.learns) {
      const absl::StatusOr<BpeVocab> vocab = trainer->Train(BpeTrainRun{.threads = &threads});
      status = vocab.status();
      if (vocab.ok()) merges = vocab->merges().size();
    }
    if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.text.size()));
  state.counters["merges"] = static_cast<double>(merges);
}

void Threads(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(BM_Train, plain, Plain)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Train, counting, Counting)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Train, long_piece, LongPiece)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Train, little_memory, LittleMemory)->Apply(Threads);

}  // namespace
}  // namespace clm
