// Runs a fuzz target without libFuzzer: on every seed, and on mutations of seeds that the round alone decides, so that
// ctest does the same each time. The arguments are files and folders of seeds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/file_io.h"
#include "core/base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace clm {
namespace {

constexpr uint64_t kRounds = 2000;
constexpr size_t kMaxSeedBytes = size_t{1} << 16;

void Run(absl::string_view input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::vector<std::string> ReadSeeds(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) files.push_back(path);
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> seeds;
  for (const std::string& file : files) {
    absl::StatusOr<std::string> seed = ReadFile(PosixFileSystem(), file, kMaxSeedBytes);
    if (seed.ok()) seeds.push_back(*std::move(seed));
  }
  return seeds;
}

// One change: a bit, a byte, a piece left out, repeated, or taken from another seed.
void Mutate(CounterRng& rng, const std::string& other, std::string& input) {
  const size_t at = rng.NextBelow(input.size() + 1);
  const size_t length = std::min<size_t>(1 + rng.NextBelow(16), input.size() - at);
  switch (rng.NextBelow(5)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << rng.NextBelow(8)));
      break;
    case 1:
      input.insert(at, 1, static_cast<char>(rng.NextBelow(256)));
      break;
    case 2:
      input.erase(at, length);
      break;
    case 3:
      input.insert(at, input.substr(at, length));
      break;
    default: {
      const size_t from = rng.NextBelow(other.size() + 1);
      input.insert(at, other.substr(from, 1 + rng.NextBelow(16)));
    }
  }
}

int Main(int argc, char** argv) {
  const std::vector<std::string> seeds = ReadSeeds(std::vector<std::string>(argv + 1, argv + argc));
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds\n");
    return 1;
  }
  Run("");
  for (const std::string& seed : seeds) Run(seed);
  for (uint64_t round = 0; round < kRounds; ++round) {
    CounterRng rng(1, "fuzz_replay", round);
    std::string input = seeds[rng.NextBelow(seeds.size())];
    for (uint64_t edits = 1 + rng.NextBelow(4); edits > 0; --edits) {
      Mutate(rng, seeds[rng.NextBelow(seeds.size())], input);
    }
    Run(input);
  }
  std::printf("%zu seeds, %llu rounds\n", seeds.size(), static_cast<unsigned long long>(kRounds));
  return 0;
}

}  // namespace
}  // namespace clm

int main(int argc, char** argv) { return clm::Main(argc, argv); }
