#include "core/text/window_splitter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/text/char_class.h"
#include "core/text/utf8.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/text/window_splitter.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef CLM_TEXT_WINDOW_SPLITTER_ONCE
#define CLM_TEXT_WINDOW_SPLITTER_ONCE

namespace clm {
namespace {

constexpr size_t kWords = kSplitWindowBytes / 64;
// An end this far from the end of the window was told from the window alone: at most a contraction, or one character
// behind a symbol, is read behind it.
constexpr size_t kLookAheadBytes = 16;

// Bit i of word w + 1 is byte 64 w + i of the window; the words before and behind the window are zero.
using Mask = std::array<uint64_t, kWords + 2>;

// A class per byte; all bytes of a character have its class.
struct Masks {
  Mask valid;  // inside the window
  Mask letters;
  Mask numbers;
  Mask spaces;
  Mask symbols;   // the rest of `valid`
  Mask newlines;  // '\n' and '\r', which are spaces too
  Mask blanks;    // ' ', which is a space too
  Mask apostrophes;
  Mask slashes;
  Mask lower;         // the lower-case ones of `letters`
  Mask continuation;  // bytes of a character behind its first
  Mask absorbed;      // newlines (and slashes) that belong to the symbols before them
  Mask starts;        // where pieces begin
};

struct WideSpace {
  uint32_t offset = 0;
  uint32_t length = 0;
};

struct Window {
  absl::string_view text;  // from the window's first byte on, beyond its end
  size_t length = 0;
  size_t words = 0;
  bool reaches_end = false;  // of the document
  std::vector<WideSpace> wide_spaces{};
  bool has_wide = false;
  bool has_wide_numbers = false;
  bool has_caseless = false;  // letters without case, or marks
  const CharClasses& classes = CharClasses::Get();
};

bool TestBit(const Mask& mask, size_t offset) { return (mask[offset / 64 + 1] >> (offset % 64) & 1) != 0; }
void SetBit(Mask& mask, size_t offset) { mask[offset / 64 + 1] |= uint64_t{1} << (offset % 64); }
void ClearBit(Mask& mask, size_t offset) { mask[offset / 64 + 1] &= ~(uint64_t{1} << (offset % 64)); }

// Bit i of the result is bit i - count (i + 1) of the mask.
inline uint64_t Up(const Mask& mask, size_t word, int count = 1) {
  return mask[word] << count | mask[word - 1] >> (64 - count);
}
inline uint64_t Down(const Mask& mask, size_t word) { return mask[word] >> 1 | mask[word + 1] << 63; }

// The same for values that are computed word by word.
class Carried {
 public:
  uint64_t Up(uint64_t value) {
    const uint64_t result = value << 1 | carry_;
    carry_ = value >> 63;
    return result;
  }
  // value + addend + carry of the words before.
  uint64_t Add(uint64_t value, uint64_t addend) {
    uint64_t sum = 0;
    const bool first = __builtin_add_overflow(value, addend, &sum);
    const bool second = __builtin_add_overflow(sum, carry_, &sum);
    carry_ = first || second ? 1 : 0;
    return sum;
  }

 private:
  uint64_t carry_ = 0;
};

// Bytes of the contraction at the apostrophe at `position`; 0 for none.
size_t ContractionBytes(absl::string_view text, size_t position, bool ignore_case) {
  const absl::string_view rest = text.substr(position + 1, 2);
  if (rest.empty()) return 0;
  const char fold = ignore_case ? 0x20 : 0;
  const char first = static_cast<char>(rest[0] | fold);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (rest.size() < 2) return 0;
  const char second = static_cast<char>(rest[1] | fold);
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  if (first == 'l' && second == 'l') return 3;
  return ignore_case && rest == "\xC5\xBF" ? 3 : 0;  // U+017F, the long s
}

// The character at `offset`, which is not ASCII. The common forms of two and three bytes are told in place.
Utf8Char WideCharAt(absl::string_view text, size_t offset) {
  const absl::string_view rest = text.substr(offset, 3);
  if (rest.size() == 3) {
    const auto first = static_cast<uint8_t>(rest[0]);
    const auto second = static_cast<uint8_t>(rest[1] ^ 0x80);
    const auto third = static_cast<uint8_t>(rest[2] ^ 0x80);
    if (first >= 0xE1 && first <= 0xEC && (second | third) < 0x40) {
      return {(first & 0x0FU) << 12 | uint32_t{second} << 6 | third, 3, Utf8State::kValid};
    }
    if (first >= 0xC2 && first <= 0xDF && second < 0x40) {
      return {(first & 0x1FU) << 6 | second, 2, Utf8State::kValid};
    }
  }
  return DecodeUtf8(text.substr(offset));
}

// The bits of the characters that begin in one word; `beyond` are those that reach into the next.
struct WideBits {
  uint64_t here = 0;
  uint64_t beyond = 0;

  void Add(size_t shift, size_t length) {
    const uint64_t bits = (uint64_t{1} << length) - 1;
    if (shift < 64) here |= bits << shift;
    if (shift + length > 64) beyond |= shift < 64 ? bits >> (64 - shift) : bits;
  }
  void MoveTo(Mask& mask, size_t word) {
    mask[word] |= here;
    mask[word + 1] |= beyond;
  }
};

// The characters that begin in `word` and are not ASCII. `bits`: their bytes, from the first that begins here on.
// Returns how many bytes the last one reaches into the next word.
size_t AddWideChars(Window& window, size_t word, uint64_t bits, Masks& masks) {
  WideBits letters, lower, numbers, spaces, continuation;
  const size_t base = 64 * (word - 1);
  size_t end = 0;
  while (bits != 0) {
    const auto shift = static_cast<size_t>(std::countr_zero(bits));
    const Utf8Char next = WideCharAt(window.text, base + shift);
    const size_t length = next.length;
    end = shift + length;
    bits &= end >= 64 ? 0 : ~uint64_t{0} << end;
    if (next.state != Utf8State::kValid) continue;
    if (length > 1) continuation.Add(shift + 1, length - 1);
    switch (window.classes.Of(next.code_point)) {
      case CharClass::kCaseless:
        window.has_caseless = true;
        letters.Add(shift, length);
        break;
      case CharClass::kLower:
        lower.Add(shift, length);
        letters.Add(shift, length);
        break;
      case CharClass::kUpper:
        letters.Add(shift, length);
        break;
      case CharClass::kNumber:
        window.has_wide_numbers = true;
        numbers.Add(shift, length);
        break;
      case CharClass::kSpace:
        window.wide_spaces.push_back({static_cast<uint32_t>(base + shift), next.length});
        spaces.Add(shift, length);
        break;
      case CharClass::kMark:
        window.has_caseless = true;
        break;
      case CharClass::kOther:
        break;
    }
  }
  letters.MoveTo(masks.letters, word);
  lower.MoveTo(masks.lower, word);
  numbers.MoveTo(masks.numbers, word);
  spaces.MoveTo(masks.spaces, word);
  continuation.MoveTo(masks.continuation, word);
  return end > 64 ? end - 64 : 0;
}

void AddWideChars(Window& window, const Mask& wide, Masks& masks) {
  masks.continuation.fill(0);
  size_t open = 0;  // bytes of the word that belong to the character before it
  for (size_t word = 1; word <= window.words; ++word) {
    const uint64_t bits = wide[word] & ~uint64_t{0} << open;
    open = bits == 0 ? 0 : AddWideChars(window, word, bits, masks);
  }
  // Bits beyond the window belong to nobody.
  for (Mask* mask : {&masks.letters, &masks.numbers, &masks.spaces, &masks.lower, &masks.continuation}) {
    for (size_t word = window.words; word <= window.words + 1; ++word) (*mask)[word] &= masks.valid[word];
  }
}

// `[\r\n/]*` behind symbols, run by run: a slash may itself stand before a newline.
void AbsorbNewlinesAndSlashes(const Window& window, Masks& masks) {
  size_t end = 0;
  for (size_t word = 1; word <= window.words; ++word) {
    uint64_t first = masks.newlines[word] & Up(masks.symbols, word);
    for (; first != 0; first &= first - 1) {
      const size_t offset = 64 * (word - 1) + static_cast<size_t>(std::countr_zero(first));
      if (offset < end) continue;
      for (end = offset; end < window.length && (TestBit(masks.newlines, end) || TestBit(masks.slashes, end)); ++end) {
        SetBit(masks.absorbed, end);
      }
    }
  }
}

// A piece of numbers takes three characters: cuts the runs of four and more.
void CutNumbers(const Window& window, Masks& masks) {
  size_t end = 0;
  for (size_t word = 1; word <= window.words; ++word) {
    uint64_t fourth =
        masks.numbers[word] & Up(masks.numbers, word) & Up(masks.numbers, word, 2) & Up(masks.numbers, word, 3);
    for (; fourth != 0; fourth &= fourth - 1) {
      const size_t offset = 64 * (word - 1) + static_cast<size_t>(std::countr_zero(fourth));
      if (offset < end) continue;
      size_t cut = offset;
      for (end = offset; end < window.length && TestBit(masks.numbers, end); ++end) {
        if (end != cut) continue;
        SetBit(masks.starts, cut);
        cut += 3;
      }
    }
  }
}

// A contraction is a piece of its own, which ends behind it whatever follows.
void CutContractions(const Window& window, bool ignore_case, Masks& masks) {
  for (size_t word = 1; word <= window.words; ++word) {
    uint64_t quotes = masks.starts[word] & masks.apostrophes[word] & Down(masks.letters, word);
    for (; quotes != 0; quotes &= quotes - 1) {
      const size_t offset = 64 * (word - 1) + static_cast<size_t>(std::countr_zero(quotes));
      const size_t length = ContractionBytes(window.text, offset, ignore_case);
      if (length == 0) continue;
      ClearBit(masks.starts, offset + 1);
      if (offset + length < window.length) SetBit(masks.starts, offset + length);
    }
  }
}

// A contraction belongs to the word before it.
void JoinContractions(const Window& window, Masks& masks) {
  size_t end = 0;  // of the last one
  for (size_t word = 1; word <= window.words; ++word) {
    uint64_t quotes =
        masks.starts[word] & masks.apostrophes[word] & Down(masks.letters, word) & Up(masks.letters, word);
    for (; quotes != 0; quotes &= quotes - 1) {
      const size_t offset = 64 * (word - 1) + static_cast<size_t>(std::countr_zero(quotes));
      const size_t length = ContractionBytes(window.text, offset, /*ignore_case=*/true);
      if (length == 0 || offset == end) continue;
      for (size_t i = 0; i < length; ++i) ClearBit(masks.starts, offset + i);
      end = offset + length;
      if (end < window.length) SetBit(masks.starts, end);
    }
  }
}

// MarkStarts takes the last byte of a run of spaces for its last character.
void MoveWideSpaces(const Window& window, Masks& masks) {
  for (const WideSpace& space : window.wide_spaces) {
    const size_t behind = space.offset + space.length;
    if (behind >= window.length || TestBit(masks.spaces, behind)) continue;
    ClearBit(masks.starts, behind - 1);
    SetBit(masks.starts, space.offset);
  }
}

// First byte of the white space at the end of the window; its length when there is none.
size_t TrailingSpace(const Window& window, const Masks& masks) {
  size_t first = window.length;
  while (first > 0 && TestBit(masks.spaces, first - 1)) --first;
  return first;
}

}  // namespace
}  // namespace clm

#endif  // CLM_TEXT_WINDOW_SPLITTER_ONCE

HWY_BEFORE_NAMESPACE();
namespace clm {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Two look-ups by half a byte, combined by `and`, tell the classes of ASCII; other bytes give 0.
enum ClassBit : uint8_t {
  kUpperLowHalf = 1,   // A-O and a-o
  kUpperHighHalf = 2,  // P-Z and p-z
  kDigit = 4,
  kControlSpace = 8,  // \t to \r
  kBlank = 16,
  kNewline = 32,
  kApostrophe = 64,
  kSlash = 128,
};

alignas(16) constexpr uint8_t kByLowHalf[16] = {
    kUpperHighHalf | kDigit | kBlank,
    kUpperLowHalf | kUpperHighHalf | kDigit,
    kUpperLowHalf | kUpperHighHalf | kDigit,
    kUpperLowHalf | kUpperHighHalf | kDigit,
    kUpperLowHalf | kUpperHighHalf | kDigit,
    kUpperLowHalf | kUpperHighHalf | kDigit,
    kUpperLowHalf | kUpperHighHalf | kDigit,
    kUpperLowHalf | kUpperHighHalf | kDigit | kApostrophe,
    kUpperLowHalf | kUpperHighHalf | kDigit,
    kUpperLowHalf | kUpperHighHalf | kDigit | kControlSpace,
    kUpperLowHalf | kUpperHighHalf | kControlSpace | kNewline,
    kUpperLowHalf | kControlSpace,
    kUpperLowHalf | kControlSpace,
    kUpperLowHalf | kControlSpace | kNewline,
    kUpperLowHalf,
    kUpperLowHalf | kSlash,
};
alignas(16) constexpr uint8_t kByHighHalf[16] = {
    kControlSpace | kNewline, 0, kBlank | kApostrophe | kSlash, kDigit, kUpperLowHalf, kUpperHighHalf, kUpperLowHalf,
    kUpperHighHalf,
};

#if HWY_TARGET == HWY_SCALAR
// Classes of the 64 bytes at `bytes`, which are the window's from `offset` on.
void ClassifyBlock(const uint8_t* bytes, size_t offset, Masks& masks, Mask& wide) {
  const size_t word = offset / 64 + 1;
  const auto collect = [&](Mask& mask, int wanted) {
    mask[word] = 0;
    for (size_t i = 0; i < 64; ++i) {
      const int bits = bytes[i] >= 0x80 ? 0 : kByLowHalf[bytes[i] & 0x0F] & kByHighHalf[bytes[i] >> 4];
      if ((bits & wanted) != 0) mask[word] |= uint64_t{1} << i;
    }
  };
  collect(masks.letters, kUpperLowHalf | kUpperHighHalf);
  collect(masks.numbers, kDigit);
  collect(masks.spaces, kControlSpace | kBlank);
  collect(masks.newlines, kNewline);
  collect(masks.blanks, kBlank);
  collect(masks.apostrophes, kApostrophe);
  collect(masks.slashes, kSlash);
  masks.lower[word] = wide[word] = 0;
  for (size_t i = 0; i < 64; ++i) {
    masks.lower[word] |= (bytes[i] & 0x20U ? uint64_t{1} : 0) << i;
    wide[word] |= (bytes[i] & 0x80U ? uint64_t{1} : 0) << i;
  }
  masks.lower[word] &= masks.letters[word];
}
#else
template <class D, class M>
void StoreBits(D d, M mask, Mask& out, size_t offset) {
  uint8_t* bytes = reinterpret_cast<uint8_t*>(out.data() + 1);
  hn::StoreMaskBits(d, mask, bytes + offset / 8);
}

void ClassifyBlock(const uint8_t* bytes, size_t offset, Masks& masks, Mask& wide) {
  const hn::CappedTag<uint8_t, 64> d;
  const size_t lanes = hn::Lanes(d);
  const auto by_low = hn::LoadDup128(d, kByLowHalf);
  const auto by_high = hn::LoadDup128(d, kByHighHalf);
  for (size_t i = 0; i < 64; i += lanes) {
    const auto value = hn::LoadU(d, bytes + i);
    const auto low = hn::And(value, hn::Set(d, 0x0F));
    const auto high = hn::ShiftRight<4>(value);
    const auto bits = hn::And(hn::TableLookupBytes(by_low, low), hn::TableLookupBytes(by_high, high));
    const auto any_of = [&](int wanted) {
      return hn::Ne(hn::And(bits, hn::Set(d, static_cast<uint8_t>(wanted))), hn::Zero(d));
    };
    const size_t at = offset + i;
    const auto letters = any_of(kUpperLowHalf | kUpperHighHalf);
    StoreBits(d, letters, masks.letters, at);
    StoreBits(d, hn::And(letters, hn::TestBit(value, hn::Set(d, 0x20))), masks.lower, at);
    StoreBits(d, any_of(kDigit), masks.numbers, at);
    StoreBits(d, any_of(kControlSpace | kBlank), masks.spaces, at);
    StoreBits(d, any_of(kNewline), masks.newlines, at);
    StoreBits(d, any_of(kBlank), masks.blanks, at);
    StoreBits(d, any_of(kApostrophe), masks.apostrophes, at);
    StoreBits(d, any_of(kSlash), masks.slashes, at);
    StoreBits(d, hn::TestBit(value, hn::Set(d, 0x80)), wide, at);
  }
}
#endif

void Classify(Window& window, Masks& masks) {
  for (Mask* mask : {&masks.valid, &masks.letters, &masks.numbers, &masks.spaces, &masks.symbols, &masks.newlines,
                     &masks.blanks, &masks.lower, &masks.continuation, &masks.absorbed, &masks.starts}) {
    mask->front() = 0;
    (*mask)[window.words + 1] = 0;
  }
  Mask wide;
  uint64_t any_wide = 0;
  const auto* bytes = reinterpret_cast<const uint8_t*>(window.text.data());
  for (size_t offset = 0; offset < window.length; offset += 64) {
    const size_t word = offset / 64 + 1;
    const size_t left = window.length - offset;
    masks.valid[word] = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    if (left >= 64) {
      ClassifyBlock(bytes + offset, offset, masks, wide);
    } else {
      uint8_t padded[64] = {};
      std::memcpy(padded, bytes + offset, left);
      ClassifyBlock(padded, offset, masks, wide);
    }
    any_wide |= wide[word];
  }
  window.has_wide = any_wide != 0;
  if (window.has_wide) AddWideChars(window, wide, masks);
  for (size_t word = 1; word <= window.words; ++word) {
    masks.symbols[word] = masks.valid[word] & ~(masks.letters[word] | masks.numbers[word] | masks.spaces[word]);
  }
}

void MarkGpt2Starts(const Window& window, Masks& masks) {
  Carried last_blank;
  for (size_t word = 1; word <= window.words; ++word) {
    const uint64_t spaces = masks.spaces[word];
    const uint64_t changes = (masks.letters[word] ^ Up(masks.letters, word)) |
                             (masks.numbers[word] ^ Up(masks.numbers, word)) | (spaces ^ Up(masks.spaces, word));
    // Of a run of spaces before something else the last one begins a piece, and a blank takes what follows.
    const uint64_t last = spaces & ~Down(masks.spaces, word) & Down(masks.valid, word);
    masks.starts[word] = (changes | last) & masks.valid[word] & ~last_blank.Up(last & masks.blanks[word]);
  }
}

// `[\r\n]*` behind symbols: adding the first bit of a run to the run clears it.
void AbsorbNewlines(const Window& window, Masks& masks) {
  Carried run;
  for (size_t word = 1; word <= window.words; ++word) {
    const uint64_t newlines = masks.newlines[word];
    masks.absorbed[word] = newlines & ~run.Add(newlines, newlines & Up(masks.symbols, word));
  }
}

void RemoveAbsorbed(const Window& window, Masks& masks) {
  for (size_t word = 1; word <= window.words; ++word) {
    const uint64_t others = ~masks.absorbed[word];
    masks.newlines[word] &= others;
    masks.spaces[word] &= others;
    masks.symbols[word] &= others;
  }
}

// Behind the last newline of a run of spaces a piece begins; kept for those where another newline follows the blanks.
void UndoInnerNewlines(uint64_t ends, size_t word, Masks& masks) {
  for (; ends != 0; ends &= ends - 1) {
    size_t first = 64 * (word - 1) + static_cast<size_t>(std::countr_zero(ends));
    while (first > 0 && TestBit(masks.spaces, first - 1) && !TestBit(masks.newlines, first - 1)) --first;
    ClearBit(masks.starts, first);
  }
}

template <bool kCased, bool kSingleNumbers>
void MarkCl100kStarts(const Window& window, Masks& masks) {
  Carried last_up;
  Carried last_blank_up;
  Carried newline_up;
  Carried run_of_blanks;
  std::array<Carried, 4> symbol_up;
  for (size_t word = 1; word <= window.words; ++word) {
    const uint64_t letters = masks.letters[word];
    const uint64_t symbols = masks.symbols[word];
    const uint64_t spaces = masks.spaces[word];
    const uint64_t newlines = masks.newlines[word];
    const uint64_t absorbed = masks.absorbed[word];
    const uint64_t continuation = masks.continuation[word];
    const uint64_t other_spaces = spaces & ~newlines;
    uint64_t starts = (letters ^ Up(masks.letters, word)) | (masks.numbers[word] ^ Up(masks.numbers, word)) |
                      (spaces ^ Up(masks.spaces, word)) | (absorbed ^ Up(masks.absorbed, word));
    starts &= ~(absorbed & ~Up(masks.absorbed, word));
    if (kCased) starts |= letters & ~masks.lower[word] & Up(masks.lower, word);
    if (kSingleNumbers) starts |= masks.numbers[word] & ~continuation;

    // Of spaces before something else the last one begins a piece. It takes letters; a blank takes symbols, too.
    const uint64_t last = other_spaces & ~Down(masks.spaces, word) & Down(masks.valid, word);
    starts |= last;
    starts &= ~((last_up.Up(last) & letters) | (last_blank_up.Up(last & masks.blanks[word]) & symbols));

    // Behind a newline blanks begin a piece, unless they lead to another newline.
    const uint64_t behind_newline = newline_up.Up(newlines & ~Down(masks.newlines, word)) & other_spaces;
    starts |= behind_newline;
    const uint64_t blanks_end = run_of_blanks.Add(other_spaces, behind_newline) & ~other_spaces;

    // A symbol that stands alone takes the letters behind it.
    uint64_t alone = symbols & ~continuation & ~Up(masks.symbols, word) & ~Up(masks.blanks, word);
    uint64_t behind_symbol = 0;
    for (size_t i = 0; i < (window.has_wide ? symbol_up.size() : 1); ++i) {
      const uint64_t next = symbol_up[i].Up(alone);
      behind_symbol |= next & ~continuation;
      alone = next & continuation;
    }
    starts &= ~(behind_symbol & letters);

    masks.starts[word] = starts & masks.valid[word];
    UndoInnerNewlines(blanks_end & newlines, word, masks);
  }
}

void MarkStarts(const SplitRules& rules, Window& window, Masks& masks) {
  if (rules.family == PatternFamily::kGpt2) {
    MarkGpt2Starts(window, masks);
  } else {
    if (!window.has_wide) masks.continuation.fill(0);
    if (rules.family == PatternFamily::kO200k) {
      masks.absorbed.fill(0);
      AbsorbNewlinesAndSlashes(window, masks);
    } else {
      AbsorbNewlines(window, masks);
    }
    RemoveAbsorbed(window, masks);
    if (rules.family == PatternFamily::kO200k) {
      MarkCl100kStarts<true, false>(window, masks);
    } else if (rules.max_number_chars == 1) {
      MarkCl100kStarts<false, true>(window, masks);
    } else {
      MarkCl100kStarts<false, false>(window, masks);
    }
    if (rules.max_number_chars == 3) CutNumbers(window, masks);
  }
  masks.starts[1] |= 1;
  if (!window.wide_spaces.empty()) MoveWideSpaces(window, masks);
  if (rules.family == PatternFamily::kO200k) {
    JoinContractions(window, masks);
  } else {
    CutContractions(window, rules.family == PatternFamily::kCl100k, masks);
  }
}

// Appends the starts in [1, limit] as ends of the pieces before them, counted from `begin`; returns how many.
size_t AppendEnds(const Window& window, size_t begin, size_t limit, Masks& masks, std::vector<uint32_t>& ends) {
  masks.starts[1] &= ~uint64_t{1};
  const size_t words = std::min(window.words, limit / 64 + 1);
  if (words < limit / 64 + 1) limit = 64 * words - 1;
  masks.starts[words] &= ~uint64_t{0} >> (63 - limit % 64);
  size_t count = 0;
  for (size_t word = 1; word <= words; ++word) count += static_cast<size_t>(std::popcount(masks.starts[word]));
  const size_t old_count = ends.size();
  ends.resize(old_count + count);
  uint32_t* out = ends.data() + old_count;
  for (size_t word = 1; word <= words; ++word) {
    const auto base = static_cast<uint32_t>(begin + 64 * (word - 1));
    for (uint64_t bits = masks.starts[word]; bits != 0; bits &= bits - 1) {
      *out++ = base + static_cast<uint32_t>(std::countr_zero(bits));
    }
  }
  return count;
}

WindowSplit Split(const SplitRules& rules, absl::string_view text, size_t begin, bool is_end,
                  std::vector<uint32_t>& ends) {
  Window window;
  window.text = text.substr(begin);
  window.length = std::min(window.text.size(), kSplitWindowBytes);
  window.words = (window.length + 63) / 64;
  window.reaches_end = is_end && window.length == window.text.size();
  Masks masks;
  Classify(window, masks);
  const bool needs_scanner = (rules.family == PatternFamily::kO200k && window.has_caseless) ||
                             (rules.max_number_chars == 3 && window.has_wide_numbers);
  if (needs_scanner) return {begin, begin + window.length};
  MarkStarts(rules, window, masks);
  const size_t trailing = TrailingSpace(window, masks);
  size_t limit = window.length - 1;
  if (!window.reaches_end) {
    if (window.length <= kLookAheadBytes) return {begin, begin + 1};
    limit = std::min(window.length - kLookAheadBytes, trailing);
  } else if (rules.last_space_is_whole && trailing < limit) {
    limit = trailing;
  }
  const size_t count = AppendEnds(window, begin, limit, masks, ends);
  if (window.reaches_end) {
    ends.push_back(static_cast<uint32_t>(begin + window.length));
    return {begin + window.length, 0};
  }
  return count == 0 ? WindowSplit{begin, begin + 1} : WindowSplit{ends.back(), 0};
}

}  // namespace

WindowSplit SplitWindowFor(const SplitRules& rules, absl::string_view text, size_t begin, bool is_end,
                           std::vector<uint32_t>& ends) {
  return Split(rules, text, begin, is_end, ends);
}

}  // namespace HWY_NAMESPACE
}  // namespace clm
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace clm {

HWY_EXPORT(SplitWindowFor);

WindowSplit SplitWindow(const SplitRules& rules, absl::string_view text, size_t begin, bool is_end,
                        std::vector<uint32_t>& ends) {
  return HWY_DYNAMIC_DISPATCH(SplitWindowFor)(rules, text, begin, is_end, ends);
}

}  // namespace clm
#endif  // HWY_ONCE
