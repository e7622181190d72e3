#include "tests/benchmarks/benchmark_tokenizer.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_io.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/bpe_trainer.h"
#include "tests/benchmarks/benchmark_text.h"

namespace clm::benchmarking {
namespace {

constexpr size_t kLearnFromBytes = size_t{4} << 20;

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(value);
}

absl::StatusOr<std::string> LearnJson() {
  BpeTrainerOptions options;
  options.vocab_size = 8192;
  CLM_ASSIGN_OR_RETURN(BpeTrainer trainer, BpeTrainer::Create(options));
  CLM_RETURN_IF_ERROR(trainer.AddDocument(absl::string_view(Text()).substr(0, kLearnFromBytes)));
  // So that the worst cases find something to merge.
  CLM_RETURN_IF_ERROR(trainer.AddDocument(std::string(4096, '[') + " " + std::string(4096, 'a')));
  CLM_ASSIGN_OR_RETURN(BpeVocab vocab, trainer.Train());
  CLM_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Create(std::move(vocab), options.pattern));
  return tokenizer->ToJson();
}

}  // namespace

const std::string& TokenizerJson() {
  static const auto* const kJson = [] {
    const char* path = std::getenv("CLM_BENCHMARK_TOKENIZER");
    if (path == nullptr || *path == '\0') return new std::string(OrDie(LearnJson()));
    return new std::string(OrDie(ReadFile(PosixFileSystem(), path, kMaxTokenizerFileBytes)));
  }();
  return *kJson;
}

std::shared_ptr<const Tokenizer> NewTokenizer() { return OrDie(Tokenizer::FromJson(TokenizerJson())); }

}  // namespace clm::benchmarking
