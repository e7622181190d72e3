#include "core/text/piece_scanner.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "core/text/utf8.h"

namespace clm {
namespace {

// Behind what tells the end of a piece, at most a contraction or one character is read: a piece that was told this many
// bytes before the end of the text was told from the text alone.
constexpr size_t kLookAheadBytes = 16;

constexpr uint8_t kLongS[] = {0xC5, 0xBF};  // U+017F, which `s` matches when case is ignored

bool IsSpace(CharClass char_class) { return char_class == CharClass::kSpace; }
bool IsLetterOrMark(CharClass char_class) { return IsLetter(char_class) || char_class == CharClass::kMark; }
bool IsNewline(char c) { return c == '\n' || c == '\r'; }

}  // namespace

PieceScanner::Char PieceScanner::At(size_t position) const {
  if (position >= text_.size()) return {};
  const auto byte = static_cast<uint8_t>(text_[position]);
  if (byte < 0x80) return {classes_.Of(byte), 1};
  const Utf8Char decoded = DecodeUtf8(text_.substr(position));
  if (decoded.state == Utf8State::kValid) return {classes_.Of(decoded.code_point), decoded.length};
  if (decoded.state == Utf8State::kTruncated && !is_end_) return {};
  return {CharClass::kOther, 1};
}

template <typename Accepted>
size_t PieceScanner::EndOfRun(size_t position, Accepted accepted) const {
  for (Char next = At(position); next.length != 0 && accepted(next.char_class); next = At(position)) {
    position += next.length;
  }
  return position;
}

size_t PieceScanner::EndOfBytes(size_t position, absl::string_view accepted) const {
  return std::min(text_.find_first_not_of(accepted, position), text_.size());
}

size_t PieceScanner::Contraction(size_t position) const {
  const absl::string_view rest = text_.substr(position, 3);
  const bool ignore_case = rules_.family != PatternFamily::kGpt2;
  if (rest.size() < 2 || rest[0] != '\'') return position;
  const auto lower = [&](size_t i) {
    return ignore_case ? absl::ascii_tolower(static_cast<unsigned char>(rest[i])) : rest[i];
  };
  switch (lower(1)) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return position + 2;
    case 'r':
    case 'v':
    case 'l':
      return rest.size() == 3 && lower(2) == (lower(1) == 'l' ? 'l' : 'e') ? position + 3 : position;
    default:
      break;
  }
  const bool long_s = ignore_case && rest.size() == 3 && static_cast<uint8_t>(rest[1]) == kLongS[0] &&
                      static_cast<uint8_t>(rest[2]) == kLongS[1];
  return long_s ? position + 3 : position;
}

// ` ?\p{L}+| ?\p{N}+`
size_t PieceScanner::SpacedRun(size_t begin) const {
  const size_t position = text_[begin] == ' ' ? begin + 1 : begin;
  const Char first = At(position);
  if (first.length == 0) return begin;
  if (IsLetter(first.char_class)) return EndOfRun(position, IsLetter);
  if (first.char_class != CharClass::kNumber) return begin;
  return EndOfRun(position, [](CharClass c) { return c == CharClass::kNumber; });
}

// `[^\r\n\p{L}\p{N}]?\p{L}+`
size_t PieceScanner::Letters(size_t begin) const {
  const Char first = At(begin);
  if (IsLetter(first.char_class)) return EndOfRun(begin, IsLetter);
  if (first.char_class == CharClass::kNumber || IsNewline(text_[begin])) return begin;
  const size_t end = EndOfRun(begin + first.length, IsLetter);
  return end == begin + first.length ? begin : end;
}

// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`: as much of the first set as leaves one for the second.
size_t PieceScanner::WordWithLower(size_t position) const {
  size_t behind_both = position;  // behind the last character that is in both sets
  size_t end = position;
  for (Char next = At(end); next.length != 0; next = At(end)) {
    const bool in_both = next.char_class == CharClass::kCaseless || next.char_class == CharClass::kMark;
    if (!in_both && next.char_class != CharClass::kUpper) break;
    end += next.length;
    if (in_both) behind_both = end;
  }
  const size_t lower_end = EndOfRun(
      end, [](CharClass c) { return c == CharClass::kLower || c == CharClass::kCaseless || c == CharClass::kMark; });
  return lower_end > end ? lower_end : behind_both;
}

// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*` where the form with a lower-case letter did not match.
size_t PieceScanner::WordWithUpper(size_t position) const {
  return EndOfRun(position, [](CharClass c) { return c == CharClass::kUpper; });
}

size_t PieceScanner::Word(size_t begin) const {
  const Char first = At(begin);
  const bool may_lead =
      first.char_class != CharClass::kNumber && !IsLetter(first.char_class) && !IsNewline(text_[begin]);
  const size_t behind_first = begin + first.length;
  size_t end = begin;
  if (may_lead && WordWithLower(behind_first) > behind_first) {
    end = WordWithLower(behind_first);
  } else if (WordWithLower(begin) > begin) {
    end = WordWithLower(begin);
  } else if (may_lead && WordWithUpper(behind_first) > behind_first) {
    end = WordWithUpper(behind_first);
  } else {
    end = WordWithUpper(begin);
  }
  return end == begin ? begin : Contraction(end);
}

size_t PieceScanner::Numbers(size_t begin) const {
  size_t position = begin;
  for (size_t count = 0; count < rules_.max_number_chars; ++count) {
    const Char next = At(position);
    if (next.length == 0 || next.char_class != CharClass::kNumber) break;
    position += next.length;
  }
  return position;
}

// ` ?[^\s\p{L}\p{N}]+[\r\n]*`
size_t PieceScanner::Symbols(size_t begin) const {
  const size_t position = text_[begin] == ' ' ? begin + 1 : begin;
  const size_t end = EndOfRun(position, IsSymbol);
  if (end == position) return begin;
  if (rules_.family == PatternFamily::kGpt2) return end;
  return EndOfBytes(end, rules_.family == PatternFamily::kO200k ? "\r\n/" : "\r\n");
}

// `\s++$|\s*[\r\n]+|\s+(?!\S)|\s+`. Requires white space at `begin`.
size_t PieceScanner::Space(size_t begin) const {
  const size_t end = EndOfRun(begin, IsSpace);
  if (end == text_.size() && rules_.last_space_is_whole) return end;
  if (rules_.family != PatternFamily::kGpt2) {
    const size_t newline = text_.substr(begin, end - begin).find_last_of("\r\n");
    if (newline != absl::string_view::npos) return begin + newline + 1;
  }
  if (end == text_.size()) return end;
  // Of several spaces before something else, the last one is left to it.
  size_t last = end - 1;
  while ((static_cast<uint8_t>(text_[last]) & 0xC0) == 0x80) --last;
  return last > begin ? last : end;
}

size_t PieceScanner::PieceEnd(size_t begin) const {
  size_t end = begin;
  if (rules_.family == PatternFamily::kGpt2) {
    end = Contraction(begin);
    if (end == begin) end = SpacedRun(begin);
  } else {
    if (rules_.family == PatternFamily::kCl100k) end = Contraction(begin);
    if (end == begin) end = rules_.family == PatternFamily::kO200k ? Word(begin) : Letters(begin);
    if (end == begin) end = Numbers(begin);
  }
  if (end == begin) end = Symbols(begin);
  return end == begin ? Space(begin) : end;
}

size_t PieceScanner::Next(size_t begin) const {
  if (is_end_) return PieceEnd(begin);
  if (At(begin).length == 0) return 0;
  const size_t end = PieceEnd(begin);
  const Char next = At(end);
  if (next.length == 0) return 0;
  // White space is told by what ends it, wherever the piece ends; so are letters where their case counts.
  size_t told_by = end;
  if (next.char_class == CharClass::kSpace) {
    told_by = EndOfRun(end, IsSpace);
  } else if (rules_.family == PatternFamily::kO200k) {
    told_by = EndOfRun(end, IsLetterOrMark);
  }
  return told_by + kLookAheadBytes <= text_.size() ? end : 0;
}

}  // namespace clm
