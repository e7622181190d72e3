#include "core/text/regex_lexer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/text/utf8.h"

namespace clm {
namespace {

constexpr size_t kShownBytes = 40;
constexpr uint32_t kMaxCodePoint = 0x10FFFF;

// Longest first where one begins like another.
constexpr std::array<absl::string_view, 8> kGroups = {"(?<=", "(?<!", "(?-i:", "(?i:", "(?:", "(?>", "(?=", "(?!"};

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

class Lexer {
 public:
  explicit Lexer(absl::string_view pattern) : pattern_(pattern) {}

  absl::StatusOr<std::vector<RegexToken>> Run();

 private:
  bool in_class() const { return class_depth_ > 0; }
  absl::string_view rest() const { return pattern_.substr(position_); }
  char At(size_t position) const { return position < pattern_.size() ? pattern_[position] : '\0'; }
  absl::Status Refuse(absl::string_view reason) const { return RegexRefused(pattern_, position_, reason); }

  void Add(RegexPart part, size_t length, uint32_t code_point = 0) {
    tokens_.push_back({part, in_class(), position_, position_ + length, code_point});
    position_ += length;
  }

  absl::Status Next();
  absl::Status Character();
  absl::Status GroupBegin();
  absl::Status GroupEnd();
  absl::Status Quantifier();
  absl::StatusOr<size_t> RepeatLength() const;
  absl::Status ClassBegin();
  absl::Status ClassPart();
  absl::Status ClassDash();
  absl::Status Escape();
  absl::Status CodePointEscape(size_t digits_begin, size_t max_digits, bool braces);
  absl::Status Property();

  bool CanRepeat() const;
  bool IsSingle(const RegexToken& token) const {
    return token.part == RegexPart::kCharacter || token.part == RegexPart::kEscape;
  }

  absl::string_view pattern_;
  size_t position_ = 0;
  size_t group_depth_ = 0;
  size_t class_depth_ = 0;
  std::vector<RegexToken> tokens_;
};

absl::StatusOr<std::vector<RegexToken>> Lexer::Run() {
  while (position_ < pattern_.size()) CLM_RETURN_IF_ERROR(Next());
  if (in_class()) return Refuse("the pattern ends within a [class]");
  if (group_depth_ > 0) return Refuse("the pattern ends within a (group)");
  return std::move(tokens_);
}

absl::Status Lexer::Next() {
  if (At(position_) == '\\') return Escape();
  if (in_class()) return ClassPart();
  switch (At(position_)) {
    case '(':
      return GroupBegin();
    case ')':
      return GroupEnd();
    case '[':
      return ClassBegin();
    case '*':
    case '+':
    case '?':
    case '{':
      return Quantifier();
    case '|':
      Add(RegexPart::kAlternative, 1);
      return absl::OkStatus();
    case '.':
      Add(RegexPart::kAny, 1);
      return absl::OkStatus();
    case '^':
      Add(RegexPart::kLineBegin, 1);
      return absl::OkStatus();
    case '$':
      Add(RegexPart::kLineEnd, 1);
      return absl::OkStatus();
    default:
      return Character();
  }
}

absl::Status Lexer::Character() {
  const Utf8Char next = DecodeUtf8(rest());  // valid: checked before
  Add(RegexPart::kCharacter, next.length, next.code_point);
  return absl::OkStatus();
}

absl::Status Lexer::GroupBegin() {
  if (group_depth_ == kMaxRegexDepth) {
    return absl::ResourceExhaustedError(
        absl::StrCat("split pattern: groups nested deeper than ", kMaxRegexDepth, " at offset ", position_));
  }
  if (absl::StartsWith(rest(), "(?i)")) {
    if (position_ != 0) return Refuse("(?i) that is not the first thing means different things to different programs");
    Add(RegexPart::kCaseless, 4);
    return absl::OkStatus();
  }
  size_t length = 1;
  if (At(position_ + 1) == '?' || At(position_ + 1) == '*') {
    const auto known = std::find_if(kGroups.begin(), kGroups.end(),
                                    [this](absl::string_view group) { return absl::StartsWith(rest(), group); });
    if (known == kGroups.end()) return Refuse("this kind of group is not supported");
    length = known->size();
  }
  Add(RegexPart::kGroupBegin, length);
  ++group_depth_;
  return absl::OkStatus();
}

absl::Status Lexer::GroupEnd() {
  if (group_depth_ == 0) return Refuse("a ) without a (");
  --group_depth_;
  Add(RegexPart::kGroupEnd, 1);
  return absl::OkStatus();
}

// Whether what was read last is something that a quantifier may follow.
bool Lexer::CanRepeat() const {
  if (tokens_.empty()) return false;
  switch (tokens_.back().part) {
    case RegexPart::kCharacter:
    case RegexPart::kEscape:
    case RegexPart::kAny:
    case RegexPart::kCharType:
    case RegexPart::kProperty:
    case RegexPart::kClassEnd:
    case RegexPart::kGroupEnd:
      return true;
    default:
      return false;
  }
}

absl::Status Lexer::Quantifier() {
  if (!CanRepeat()) return Refuse("a quantifier with nothing to repeat");
  size_t length = 1;
  if (At(position_) == '{') {
    CLM_ASSIGN_OR_RETURN(length, RepeatLength());
    const bool is_fixed = !absl::StrContains(rest().substr(0, length), ",");
    if (is_fixed && At(position_ + length) == '?') {
      return Refuse("{n}? means different things to different programs");
    }
  }
  const char mode = At(position_ + length);
  Add(RegexPart::kQuantifier, length + (mode == '?' || mode == '+' ? 1 : 0));
  return absl::OkStatus();
}

// Bytes of the {n}, {n,} or {n,m} at the position.
absl::StatusOr<size_t> Lexer::RepeatLength() const {
  const size_t close = rest().find('}');
  if (close == absl::string_view::npos) return Refuse("a { that is not escaped and begins no {n}, {n,} or {n,m}");
  const absl::string_view inner = rest().substr(1, close - 1);
  const size_t comma = std::min(inner.find(','), inner.size());
  const absl::string_view low_text = inner.substr(0, comma);
  const absl::string_view high_text = comma == inner.size() ? low_text : inner.substr(comma + 1);
  const auto is_number = [](absl::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(Byte(c)); });
  };
  if (!is_number(low_text) || !(is_number(high_text) || high_text.empty())) {
    return Refuse("a { that is not escaped and begins no {n}, {n,} or {n,m}");
  }
  uint32_t low = 0;
  uint32_t high = 0;
  if (!absl::SimpleAtoi(low_text, &low) || (!high_text.empty() && !absl::SimpleAtoi(high_text, &high)) ||
      std::max(low, high) > kMaxRegexRepeat) {
    return absl::ResourceExhaustedError(
        absl::StrCat("split pattern: a repeat count above ", kMaxRegexRepeat, " at offset ", position_));
  }
  if (!high_text.empty() && high < low) return Refuse("a {n,m} with n above m");
  return close + 1;
}

// ---- classes ----

absl::Status Lexer::ClassBegin() {
  if (class_depth_ == kMaxRegexDepth) {
    return absl::ResourceExhaustedError(
        absl::StrCat("split pattern: classes nested deeper than ", kMaxRegexDepth, " at offset ", position_));
  }
  const bool negated = At(position_ + 1) == '^';
  if (At(position_ + 1) == ':') return Refuse("a POSIX class such as [:alpha:] is not supported");
  if (negated && in_class()) return Refuse("a negated class within a class is not supported");
  const size_t length = negated ? 2 : 1;
  if (At(position_ + length) == ']') return Refuse("a ] right after [ must be escaped");
  Add(RegexPart::kClassBegin, length);
  ++class_depth_;
  return absl::OkStatus();
}

absl::Status Lexer::ClassPart() {
  const absl::string_view two = rest().substr(0, 2);
  if (two == "&&" || two == "--" || two == "~~") {
    return Refuse("set operations in a class are not supported; escape the character");
  }
  switch (At(position_)) {
    case '[':
      return ClassBegin();
    case ']':
      --class_depth_;
      Add(RegexPart::kClassEnd, 1);
      return absl::OkStatus();
    case '-':
      return ClassDash();
    default:
      return Character();
  }
}

absl::Status Lexer::ClassDash() {
  const RegexToken& before = tokens_.back();
  const char after = At(position_ + 1);
  if (before.part == RegexPart::kClassBegin || after == ']') {
    Add(RegexPart::kDash, 1);
    return absl::OkStatus();
  }
  const bool ends_a_range = tokens_.size() > 1 && tokens_[tokens_.size() - 2].part == RegexPart::kRangeDash;
  const bool class_follows = after == '[' || (after == '\\' && absl::StrContains("sSdDwWpP", rest().substr(2, 1)));
  if (!IsSingle(before) || ends_a_range || class_follows || after == '\0') {
    return Refuse("a - in a class that is neither between two characters nor first nor last must be escaped");
  }
  Add(RegexPart::kRangeDash, 1);
  return absl::OkStatus();
}

// ---- escapes ----

std::optional<uint32_t> ControlOf(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case 'e':
      return 0x1B;
    case 'a':
      return '\a';
    default:
      return std::nullopt;
  }
}

absl::Status Lexer::Escape() {
  const char letter = At(position_ + 1);
  if (position_ + 1 == pattern_.size()) return Refuse("the pattern ends with a \\");
  if (const std::optional<uint32_t> control = ControlOf(letter); control.has_value()) {
    Add(RegexPart::kEscape, 2, *control);
    return absl::OkStatus();
  }
  if (absl::StrContains("sSdDwW", absl::string_view(&letter, 1))) {
    if (in_class() && (letter == 'S' || letter == 'W')) return Refuse("\\S and \\W in a class are not supported");
    Add(RegexPart::kCharType, 2);
    return absl::OkStatus();
  }
  if (letter == 'p' || letter == 'P') return Property();
  if (letter == 'x' && At(position_ + 2) == '{') return CodePointEscape(3, 6, /*braces=*/true);
  if (letter == 'x') return CodePointEscape(2, 2, /*braces=*/false);
  if (letter == 'u') return CodePointEscape(2, 4, /*braces=*/false);
  if (!in_class() && (letter == 'A' || letter == 'z')) {
    Add(letter == 'A' ? RegexPart::kTextBegin : RegexPart::kTextEnd, 2);
    return absl::OkStatus();
  }
  if (!absl::ascii_isascii(Byte(letter)) || absl::ascii_isalnum(Byte(letter)) || letter == '<' || letter == '>') {
    return Refuse("this escape is not supported");
  }
  Add(RegexPart::kEscape, 2, Byte(letter));
  return absl::OkStatus();
}

// \xHH, \uHHHH, \x{H...}: `digits_begin` counts from the backslash; without braces all `max_digits` must be there.
absl::Status Lexer::CodePointEscape(size_t digits_begin, size_t max_digits, bool braces) {
  uint32_t value = 0;
  size_t digits = 0;
  while (digits < max_digits && absl::ascii_isxdigit(Byte(At(position_ + digits_begin + digits)))) {
    const char digit = At(position_ + digits_begin + digits);
    value = value * 16 + static_cast<uint32_t>(absl::ascii_isdigit(Byte(digit))
                                                   ? digit - '0'
                                                   : absl::ascii_tolower(Byte(digit)) - 'a' + 10);
    ++digits;
  }
  const bool complete = braces ? digits > 0 && At(position_ + digits_begin + digits) == '}' : digits == max_digits;
  if (!complete) return Refuse("\\x and \\u need \\xHH, \\uHHHH or \\x{H} with up to 6 digits");
  if (value > kMaxCodePoint || (value >= 0xD800 && value <= 0xDFFF)) return Refuse("no character has this number");
  if (max_digits == 2 && value >= 0x80) return Refuse("\\xHH above 7F is a byte, not a character; write \\x{HH}");
  Add(RegexPart::kEscape, digits_begin + digits + (braces ? 1 : 0), value);
  return absl::OkStatus();
}

absl::Status Lexer::Property() {
  size_t length = 3;
  if (At(position_ + 2) == '{') {
    const size_t close = rest().find('}');
    const absl::string_view name = close == absl::string_view::npos ? "" : rest().substr(3, close - 3);
    const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(),
                                                      [](char c) { return absl::ascii_isalnum(Byte(c)) || c == '_'; });
    if (!is_name) return Refuse("\\p needs a name of letters, digits and _ in braces");
    length = close + 1;
  } else if (!absl::ascii_isalpha(Byte(At(position_ + 2)))) {
    return Refuse("\\p needs a name of letters, digits and _ in braces");
  }
  Add(RegexPart::kProperty, length);
  return absl::OkStatus();
}

}  // namespace

absl::Status RegexRefused(absl::string_view pattern, size_t offset, absl::string_view reason) {
  const absl::string_view shown = pattern.substr(std::min(offset, pattern.size()), kShownBytes);
  return absl::InvalidArgumentError(
      absl::StrCat("split pattern: ", reason, ", at offset ", offset, " \"", absl::CHexEscape(shown), "\""));
}

absl::StatusOr<std::vector<RegexToken>> LexRegex(absl::string_view pattern) {
  if (pattern.size() > kMaxRegexBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("split pattern has ", pattern.size(), " bytes; limit ", kMaxRegexBytes));
  }
  const absl::Status valid = ValidateUtf8(pattern);
  if (!valid.ok()) return absl::InvalidArgumentError(absl::StrCat("split pattern: ", valid.message()));
  return Lexer(pattern).Run();
}

}  // namespace clm
