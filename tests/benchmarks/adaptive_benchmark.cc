// The built-in codecs, adaptive beside count: frames of whole files, both ways, on one and two threads.
//
//   CLM_BENCHMARK_FILES   files to run on, separated by colons; empty or unset: made-up text of at most 1 MiB
//
// A file on one thread is one block (up to the largest block there is): the smallest frame. On two threads it is cut
// into two blocks, which are coded at the same time. Verification is off: what is timed is one way. bytes_out is the
// whole frame.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "benchmark/benchmark.h"
#include "core/base/file_io.h"
#include "core/base/thread_pool.h"
#include "core/codec/adaptive_coder.h"
#include "core/codec/codec_set.h"
#include "core/codec/count_coder.h"
#include "core/codec/frame_decoder.h"
#include "core/codec/frame_encoder.h"
#include "tests/benchmarks/benchmark_text.h"

namespace clm {
namespace {

constexpr size_t kMaxMadeUpBytes = size_t{1} << 20;
constexpr size_t kMaxFileBytes = size_t{256} << 20;
constexpr size_t kMinBlockBytes = 4096;
constexpr size_t kMaxBlockBytes = size_t{16} << 20;

struct Input {
  std::string name;
  std::string data;
};

std::vector<Input> ReadInputs() {
  const char* const files = std::getenv("CLM_BENCHMARK_FILES");
  if (files == nullptr || *files == '\0') {
    return {{"made_up", benchmarking::MakeText(1, std::min(benchmarking::TextBytes(), kMaxMadeUpBytes))}};
  }
  std::vector<Input> inputs;
  for (const std::string& path : std::vector<std::string>(absl::StrSplit(files, ':'))) {
    absl::StatusOr<std::string> data = ReadFile(PosixFileSystem(), path, kMaxFileBytes);
    if (!data.ok()) {
      std::fprintf(stderr, "%s\n", data.status().ToString().c_str());
      std::exit(1);
    }
    inputs.push_back({path, *std::move(data)});
  }
  return inputs;
}

// A block per thread.
FrameEncoderOptions OptionsFor(const Input& input, size_t threads) {
  const size_t block = (input.data.size() + threads - 1) / threads;
  return {.block_bytes = static_cast<uint32_t>(std::clamp(block, kMinBlockBytes, kMaxBlockBytes)),
          .verify = VerifyMode::kNone};
}

void Encode(benchmark::State& state, const Input& input, const std::shared_ptr<const BlockCoder>& coder,
            size_t threads) {
  ThreadPool pool(threads);
  size_t bytes_out = 0;
  for (auto _ : state) {
    const auto frame = EncodeFrame(input.data, coder, OptionsFor(input, threads), {.pool = &pool});
    if (!frame.ok()) return state.SkipWithError(frame.status().ToString().c_str());
    bytes_out = frame->size();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.data.size()));
  state.counters["bytes_in"] = static_cast<double>(input.data.size());
  state.counters["bytes_out"] = static_cast<double>(bytes_out);
}

void Decode(benchmark::State& state, const Input& input, const std::shared_ptr<const BlockCoder>& coder,
            size_t threads) {
  ThreadPool pool(threads);
  const auto frame = EncodeFrame(input.data, coder, OptionsFor(input, threads), {.pool = &pool});
  if (!frame.ok()) return state.SkipWithError(frame.status().ToString().c_str());
  for (auto _ : state) {
    const auto raw = DecodeFrame(*frame, CodecSet::BuiltIn(), {}, {.pool = &pool});
    if (!raw.ok() || *raw != input.data) return state.SkipWithError("the file did not come back");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.data.size()));
}

// One benchmark for each file, codec, number of threads and way.
int RegisterAll() {
  static const auto* const kInputs = new std::vector<Input>(ReadInputs());
  const std::vector<std::pair<std::string, std::shared_ptr<const BlockCoder>>> coders = {
      {"adaptive", std::make_shared<AdaptiveCoder>()}, {"count", std::make_shared<CountCoder>()}};
  for (const Input& input : *kInputs) {
    for (const auto& [name, coder] : coders) {
      for (const size_t threads : {size_t{1}, size_t{2}}) {
        const std::string rest = absl::StrCat("/", name, "/threads:", threads, "/", input.name);
        for (const auto& [way, run] : {std::pair{"encode", &Encode}, std::pair{"decode", &Decode}}) {
          benchmark::RegisterBenchmark(absl::StrCat(way, rest).c_str(),
                                       [&input, coder = coder, threads, run = run](benchmark::State& state) {
                                         run(state, input, coder, threads);
                                       })
              ->UseRealTime()
              ->MeasureProcessCPUTime()
              ->Unit(benchmark::kMillisecond);
        }
      }
    }
  }
  return 0;
}

const int kRegistered = RegisterAll();

}  // namespace
}  // namespace clm
