#include "core/trace/letter_flip.h"

#include "absl/strings/ascii.h"

namespace clm {
namespace {

bool IsAsciiSpace(uint8_t byte) { return (byte >= 0x09 && byte <= 0x0D) || (byte >= 0x1C && byte <= 0x20); }

// Whether some white space of several bytes starts with `begun`, one or two bytes of it.
bool BeginsSpace(uint32_t begun) {
  switch (begun) {
    case 0xC2:
    case 0xE1:
    case 0xE2:
    case 0xE3:
    case 0xE19A:
    case 0xE280:
    case 0xE281:
    case 0xE380:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool LetterFlip::EndsSpace(uint8_t byte) const {
  switch (begun_) {
    case 0xC2:
      return byte == 0x85 || byte == 0xA0;
    case 0xE19A:
    case 0xE380:
      return byte == 0x80;
    case 0xE280:
      return (byte >= 0x80 && byte <= 0x8A) || byte == 0xA8 || byte == 0xA9 || byte == 0xAF;
    case 0xE281:
      return byte == 0x9F;
    default:
      return false;
  }
}

void LetterFlip::Step(uint8_t byte) {
  if (byte == '.') {
    state_ = State::kDot;
    begun_ = 0;
    return;
  }
  if (state_ == State::kText) return;
  if ((begun_ == 0 && IsAsciiSpace(byte)) || EndsSpace(byte)) {
    state_ = State::kSpace;
    begun_ = 0;
    return;
  }
  begun_ = (begun_ << 8) | byte;
  if (BeginsSpace(begun_)) return;
  state_ = State::kText;
  begun_ = 0;
}

std::string LetterFlip::Push(absl::string_view bytes) {
  std::string out(bytes);
  for (char& c : out) {
    const auto byte = static_cast<uint8_t>(c);
    if (state_ == State::kSpace && begun_ == 0 && absl::ascii_isalpha(byte)) {
      c = static_cast<char>(byte ^ 0x20);
      ++flipped_;
    }
    Step(byte);
  }
  return out;
}

std::string FlipLetters(absl::string_view text) { return LetterFlip().Push(text); }

}  // namespace clm
