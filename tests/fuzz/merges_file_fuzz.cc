// libFuzzer target: vocab.json and merges.txt. The input is a JSON merge patch to a small vocab.json, a NUL, and
// merges.txt. Seeds: tests/fuzz/seeds/merges_file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/check.h"
#include "core/base/strict_json.h"
#include "core/tokenizer/gpt2_alphabet.h"
#include "core/tokenizer/merges_file.h"
#include "tests/fuzz/tokenizer_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), size);
  const absl::StatusOr<nlohmann::json> patch = clm::ParseStrictJson(input.substr(0, end), {size_t{1} << 16, 8, 10'000});
  if (!patch.ok()) return 0;
  nlohmann::json vocab = nlohmann::json::object();
  for (int byte = 0; byte < 256; ++byte) vocab[clm::ToGpt2Alphabet(std::string(1, static_cast<char>(byte)))] = byte;
  vocab["ab"] = 256;
  vocab["abc"] = 257;
  vocab.merge_patch(*patch);
  absl::StatusOr<clm::TokenizerDefinition> read =
      clm::ParseMergesFiles(vocab.dump(), input.substr(std::min(end + 1, size)));
  if (!read.ok()) return 0;
  const absl::StatusOr<clm::MergesFiles> written = clm::WriteMergesFiles(read->vocab);
  if (written.ok()) {
    const absl::StatusOr<clm::TokenizerDefinition> again =
        clm::ParseMergesFiles(written->vocab_json, written->merges_txt);
    CLM_CHECK(again.ok() && again->vocab.fingerprint() == read->vocab.fingerprint());
  }
  clm::fuzzing::CheckTokenizer(*std::move(read));
  return 0;
}
