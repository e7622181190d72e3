// libFuzzer target: rank files. The input is lines behind those of the 256 bytes, unless it begins with '!': then what
// follows is the whole file. Seeds: tests/fuzz/seeds/rank_file.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/tokenizer/rank_file.h"
#include "tests/fuzz/tokenizer_check.h"

namespace {

std::string Bytes() {
  std::string lines;
  for (int byte = 0; byte < 256; ++byte) {
    absl::StrAppend(&lines, absl::Base64Escape(std::string(1, static_cast<char>(byte))), " ", byte, "\n");
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string* const kBytes = new std::string(Bytes());
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const bool is_whole = !input.empty() && input[0] == '!';
  const std::string file = is_whole ? std::string(input.substr(1)) : absl::StrCat(*kBytes, input);
  clm::RankFileOptions options;
  options.pattern = R"(\s+|\S+)";
  options.specials = {{1000, "<|endoftext|>"}};
  absl::StatusOr<clm::TokenizerDefinition> read = clm::ParseRankFile(file, options);
  if (!read.ok()) return 0;
  const absl::StatusOr<std::string> written = clm::WriteRankFile(read->vocab);
  CLM_CHECK(written.ok());
  const absl::StatusOr<clm::TokenizerDefinition> again = clm::ParseRankFile(*written, options);
  CLM_CHECK(again.ok() && again->vocab.fingerprint() == read->vocab.fingerprint());
  clm::fuzzing::CheckTokenizer(*std::move(read));
  return 0;
}
