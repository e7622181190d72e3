// libFuzzer target: .bin files of ranks, and the payloads of both rank codes. The first byte says which: even a file,
// 1 mod 4 a static payload, 3 mod 4 an adaptive one. Seeds: tests/golden/rank_bin, whose first byte is 0.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/codec/rank_bin.h"
#include "core/codec/rank_coder.h"

namespace {

constexpr uint32_t kMaxSymbols = 1 << 16;
constexpr clm::RankAlphabet kAlphabet = {.vocab_size = 5000, .top_k = 128};

// What is read means something, and writing that gives what was read.
void CheckFile(absl::string_view input) {
  const absl::StatusOr<clm::RankBin> bin = clm::ParseRankBin(input);
  if (!bin.ok()) return;
  const absl::StatusOr<std::string> written = clm::WriteRankBin(*bin);
  CLM_CHECK(written.ok() && *written == input);
  const absl::StatusOr<std::vector<clm::RankSymbol>> symbols = clm::DecodeRankBin(*bin, kMaxSymbols);
  if (!symbols.ok()) return;
  const absl::StatusOr<clm::RankBin> again = clm::EncodeRankBin(*symbols, bin->precision_bits);
  CLM_CHECK(again.ok() && again->counts == bin->counts);
}

void CheckPayload(bool is_static, size_t count, absl::string_view payload) {
  const auto decode = is_static ? clm::DecodeRanksStatic : clm::DecodeRanksAdaptive;
  const auto encode = is_static ? clm::EncodeRanksStatic : clm::EncodeRanksAdaptive;
  const absl::StatusOr<std::vector<clm::RankSymbol>> symbols = decode(payload, count, kAlphabet);
  if (!symbols.ok()) return;
  const absl::StatusOr<std::string> written = encode(*symbols, kAlphabet);
  CLM_CHECK(written.ok() && *written == payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  if (size < 2 || data[0] % 2 == 0) {
    CheckFile(input);
  } else {
    CheckPayload(data[0] % 4 == 1, data[1], input.substr(2));
  }
  return 0;
}
