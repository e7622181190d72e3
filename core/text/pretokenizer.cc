#include "core/text/pretokenizer.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/text/utf8.h"

namespace clm {
namespace {

constexpr size_t kQuotedPatternBytes = 200;  // how much of a foreign pattern an error shows

// ClassOf for ASCII, so that the common case asks no library.
constexpr std::array<CharClass, 128> MakeAsciiClasses() {
  std::array<CharClass, 128> classes{};
  classes.fill(CharClass::kOther);
  for (size_t c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = CharClass::kLetter;
  for (size_t c = '0'; c <= '9'; ++c) classes[c] = CharClass::kNumber;
  for (size_t c = '\t'; c <= '\r'; ++c) classes[c] = CharClass::kSpace;
  classes[' '] = CharClass::kSpace;
  return classes;
}
constexpr std::array<CharClass, 128> kAsciiClasses = MakeAsciiClasses();

struct ClassedChar {
  CharClass char_class = CharClass::kOther;
  size_t length = 0;  // 0: more text is needed to tell
};

// The pieces of one pattern over one text; a value type that lives for one Split().
class Gpt2Scanner {
 public:
  struct Piece {
    size_t end = 0;   // 0: not settled
    size_t open = 0;  // when not settled: bytes that need not be read again
  };

  Gpt2Scanner(absl::string_view text, bool is_end) : text_(text), is_end_(is_end) {}

  // The piece that begins at `begin`, of which the first `open` bytes were read before. Offsets count from `begin`.
  Piece Next(size_t begin, size_t open) const;

 private:
  static constexpr size_t kUndecided = SIZE_MAX;

  ClassedChar CharAt(size_t position) const;
  // Bytes of the contraction ('s, 're, ...) at `position`; 0 for none, kUndecided when the text ends too early to tell.
  size_t ContractionAt(size_t position) const;
  // First position at or after `position` that is not of `char_class`; sets `undecided` when the text ends within or
  // right after the run and may go on.
  size_t EndOfRun(size_t position, CharClass char_class, bool& undecided) const;

  absl::string_view text_;
  bool is_end_;
};

ClassedChar Gpt2Scanner::CharAt(size_t position) const {
  const auto byte = static_cast<uint8_t>(text_[position]);
  if (byte < 0x80) return {kAsciiClasses[byte], 1};
  const Utf8Char decoded = DecodeUtf8(text_.substr(position));
  if (decoded.state == Utf8State::kValid) return {ClassOf(decoded.code_point), decoded.length};
  if (decoded.state == Utf8State::kTruncated && !is_end_) return {CharClass::kOther, 0};
  return {CharClass::kOther, 1};
}

size_t Gpt2Scanner::ContractionAt(size_t position) const {
  const absl::string_view rest = text_.substr(position, 3);
  if (rest[0] != '\'') return 0;
  const size_t when_short = is_end_ ? 0 : kUndecided;
  if (rest.size() < 2) return when_short;
  switch (rest[1]) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return 2;
    case 'r':
    case 'v':
    case 'l':
      if (rest.size() < 3) return when_short;
      return rest[2] == (rest[1] == 'l' ? 'l' : 'e') ? 3 : 0;
    default:
      return 0;
  }
}

size_t Gpt2Scanner::EndOfRun(size_t position, CharClass char_class, bool& undecided) const {
  while (position < text_.size()) {
    const ClassedChar next = CharAt(position);
    if (next.length == 0) {
      undecided = true;
      return position;
    }
    if (next.char_class != char_class) return position;
    position += next.length;
  }
  undecided = !is_end_;
  return position;
}

Gpt2Scanner::Piece Gpt2Scanner::Next(size_t begin, size_t open) const {
  const size_t contraction = ContractionAt(begin);
  if (contraction == kUndecided) return {0, 0};
  if (contraction != 0) return {contraction, 0};

  ClassedChar first = CharAt(begin);
  if (first.length == 0) return {0, 0};
  size_t position = begin + first.length;
  if (text_[begin] == ' ') {  // a space joins the run behind it
    if (position == text_.size()) return is_end_ ? Piece{1, 0} : Piece{0, 1};
    first = CharAt(position);
    if (first.length == 0) return {0, 1};
    position += first.length;
  }
  bool undecided = false;
  position = EndOfRun(std::max(position, begin + open), first.char_class, undecided);
  if (undecided) return {0, position - begin};
  if (first.char_class != CharClass::kSpace || position == text_.size()) return {position - begin, 0};

  // \s+(?!\S): of several spaces before something else, the last one is left to it.
  size_t last = position - 1;
  while ((static_cast<uint8_t>(text_[last]) & 0xC0) == 0x80) --last;
  return {(last > begin ? last : position) - begin, 0};
}

class Gpt2Pretokenizer final : public Pretokenizer {
 public:
  absl::string_view pattern() const override { return kGpt2Pattern; }

  size_t Split(absl::string_view text, bool is_end, size_t open, std::vector<size_t>& ends) const override {
    const Gpt2Scanner scanner(text, is_end);
    for (size_t begin = 0; begin < text.size();) {
      const Gpt2Scanner::Piece piece = scanner.Next(begin, open);
      if (piece.end == 0) return piece.open;
      begin += piece.end;
      ends.push_back(begin);
      open = 0;
    }
    return 0;
  }
};

class WholeDocumentPretokenizer final : public Pretokenizer {
 public:
  absl::string_view pattern() const override { return kWholeDocumentPattern; }

  size_t Split(absl::string_view text, bool is_end, size_t /*open*/, std::vector<size_t>& ends) const override {
    if (!is_end) return text.size();
    if (!text.empty()) ends.push_back(text.size());
    return 0;
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<const Pretokenizer>> MakePretokenizer(absl::string_view pattern) {
  if (pattern == kGpt2Pattern) return std::make_unique<const Gpt2Pretokenizer>();
  if (pattern == kWholeDocumentPattern) return std::make_unique<const WholeDocumentPretokenizer>();
  return absl::InvalidArgumentError(absl::StrCat("pre-tokenizer pattern \"",
                                                 absl::CHexEscape(pattern.substr(0, kQuotedPatternBytes)),
                                                 pattern.size() > kQuotedPatternBytes ? "..." : "",
                                                 "\" is not known; known: the pattern of GPT-2 and "
                                                 "the empty pattern (a document is one piece)"));
}

}  // namespace clm
