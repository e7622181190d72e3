#include "core/trace/markup.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/text/utf8.h"

namespace clm {
namespace {

void AppendBytes(absl::string_view bytes, std::string& out) {
  for (const char byte : bytes) absl::StrAppendFormat(&out, "\\x%02X", static_cast<uint8_t>(byte));
}

// U+2400 + c, the picture of control character c < 32; U+2421 for 127.
void AppendPicture(uint32_t control, std::string& out) {
  const uint32_t low = control == 127 ? 0x21 : control;
  out += "\xE2\x90";
  out.push_back(static_cast<char>(static_cast<uint8_t>(0x80 + low)));
}

void AppendAscii(uint32_t c, std::string& out) {
  switch (c) {
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '&':
      out += "&amp;";
      return;
    case '"':
      out += "&quot;";
      return;
    case '\'':
      out += "&#39;";
      return;
    default:
      break;
  }
  if ((c < 32 && c != '\n' && c != '\t') || c == 127) {
    AppendPicture(c, out);
  } else {
    out.push_back(static_cast<char>(static_cast<uint8_t>(c)));
  }
}

bool IsC1OrForbidden(uint32_t c) { return (c >= 0x80 && c < 0xA0) || c == 0xFFFE || c == 0xFFFF; }

}  // namespace

void AppendMarkup(absl::string_view text, std::string& out) {
  while (!text.empty()) {
    const Utf8Char next = DecodeUtf8(text);
    const absl::string_view bytes = text.substr(0, next.length);
    text.remove_prefix(next.length);
    if (next.state != Utf8State::kValid || IsC1OrForbidden(next.code_point)) {
      AppendBytes(bytes, out);
    } else if (next.code_point < 128) {
      AppendAscii(next.code_point, out);
    } else {
      absl::StrAppend(&out, bytes);
    }
  }
}

}  // namespace clm
