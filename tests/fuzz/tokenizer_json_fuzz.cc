// libFuzzer target: tokenizer.json. Input that begins with '{' is the file; any other first byte is dropped and the
// rest is a JSON merge patch (RFC 7396) to a small file that is read, so that changes of one field are found soon.
// Seeds: tests/fuzz/seeds/tokenizer_json, tests/golden/tokenizer/v1.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/strict_json.h"
#include "core/tokenizer/gpt2_alphabet.h"
#include "core/tokenizer/tokenizer_file.h"
#include "tests/fuzz/tokenizer_check.h"

namespace {

using Json = nlohmann::json;

Json SmallFile() {
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte) vocab[clm::ToGpt2Alphabet(std::string(1, static_cast<char>(byte)))] = byte;
  vocab["ab"] = 256;
  vocab["abc"] = 257;
  vocab["bc"] = 258;
  vocab["aa"] = 259;
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  return {{"version", "1.0"},
          {"added_tokens", {{{"id", 260}, {"content", "<|endoftext|>"}, {"special", true}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"post_processor", nullptr},
          {"decoder", byte_level},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"a b", "ab c", "b c", "a bc", "a a"}}}}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Json* const kSmallFile = new Json(SmallFile());
  std::string file(reinterpret_cast<const char*>(data), size);
  if (size > 0 && data[0] != '{') {
    const absl::StatusOr<Json> patch = clm::ParseStrictJson(file.substr(1), {size_t{1} << 16, 8, 10'000});
    if (!patch.ok()) return 0;
    Json patched = *kSmallFile;
    patched.merge_patch(*patch);
    file = patched.dump();
  }
  absl::StatusOr<clm::TokenizerDefinition> read = clm::ParseTokenizerJson(file);
  if (read.ok()) clm::fuzzing::CheckTokenizer(*std::move(read));
  return 0;
}
