// libFuzzer target: a split pattern, a NUL, and a text to cut. The pieces cover the text, and do not depend on how it
// comes. Seeds: tests/fuzz/seeds/split_pattern.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/text/pretokenizer.h"
#include "core/text/regex_dialect.h"

namespace {

constexpr size_t kMaxTextBytes = 64;

std::vector<uint32_t> EndsInSteps(const clm::Pretokenizer& pretokenizer, absl::string_view text, size_t step) {
  std::vector<uint32_t> all;
  size_t begin = 0;
  for (size_t size = 0; size < text.size();) {
    size = std::min(size + step, text.size());
    std::vector<uint32_t> ends;
    pretokenizer.Split(text.substr(begin, size - begin), size == text.size(), ends);
    for (const uint32_t end : ends) all.push_back(static_cast<uint32_t>(begin) + end);
    if (!ends.empty()) begin += ends.back();
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), size);
  const absl::string_view pattern = input.substr(0, end);
  const absl::string_view text = input.substr(std::min(end + 1, size), kMaxTextBytes);
  for (const clm::RegexDialect dialect : {clm::RegexDialect::kTokenizers, clm::RegexDialect::kTiktoken}) {
    const absl::StatusOr<std::string> shared = clm::ToSharedRegex(pattern, dialect);
    // What is shared means the same to all.
    if (shared.ok()) CLM_CHECK(clm::ToSharedRegex(*shared, clm::RegexDialect::kShared).value() == *shared);
  }
  const auto pretokenizer = clm::MakePretokenizer(pattern);
  if (!pretokenizer.ok()) return 0;
  std::vector<uint32_t> ends;
  (*pretokenizer)->Split(text, true, ends);
  uint32_t begin = 0;
  for (const uint32_t piece_end : ends) {
    CLM_CHECK(piece_end > begin);
    begin = piece_end;
  }
  CLM_CHECK(begin == text.size());
  CLM_CHECK(EndsInSteps(**pretokenizer, text, 1) == ends);
  CLM_CHECK(EndsInSteps(**pretokenizer, text, 11) == ends);
  return 0;
}
