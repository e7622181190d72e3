#include "core/tokenizer/gpt2_alphabet.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/text/utf8.h"

namespace clm {
namespace {

constexpr uint32_t kFirstStandIn = 0x100;
constexpr size_t kStandIns = 68;

constexpr bool IsPrintable(uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<uint16_t, 256> characters{};                  // by byte
  std::array<int16_t, kFirstStandIn + kStandIns> bytes{};  // by character; negative: not in the alphabet
};

constexpr Alphabet MakeAlphabet() {
  Alphabet alphabet;
  alphabet.bytes.fill(-1);
  uint32_t next_stand_in = kFirstStandIn;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint32_t character = IsPrintable(byte) ? byte : next_stand_in++;
    alphabet.characters[byte] = static_cast<uint16_t>(character);
    alphabet.bytes[character] = static_cast<int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = MakeAlphabet();

}  // namespace

std::string ToGpt2Alphabet(absl::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    const uint32_t character = kAlphabet.characters[static_cast<uint8_t>(byte)];
    if (character < 0x80) {
      text.push_back(static_cast<char>(character));
    } else {
      text.push_back(static_cast<char>(static_cast<uint8_t>(0xC0 | (character >> 6))));
      text.push_back(static_cast<char>(static_cast<uint8_t>(0x80 | (character & 0x3F))));
    }
  }
  return text;
}

std::optional<std::string> FromGpt2Alphabet(absl::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char next = DecodeUtf8(text);
    if (next.state != Utf8State::kValid || next.code_point >= kAlphabet.bytes.size()) return std::nullopt;
    const int16_t byte = kAlphabet.bytes[next.code_point];
    if (byte < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(static_cast<uint8_t>(byte)));
    text.remove_prefix(next.length);
  }
  return bytes;
}

}  // namespace clm
