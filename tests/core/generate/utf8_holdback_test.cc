#include "core/generate/utf8_holdback.h"

#include <cstdint>
#include <vector>

#include "core/text/utf8.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

void AppendUtf8(uint32_t code, std::string& out) {
  const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      put(0xE0 | (code >> 12));
    } else {
      put(0xF0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3F));
    }
    put(0x80 | ((code >> 6) & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

TEST(Utf8HoldbackTest, CharactersLeaveWhole) {
  for (const uint32_t code : {0x41U, 0x7FU, 0x80U, 0x7FFU, 0x800U, 0xD7FFU, 0xE000U, 0xFFFFU, 0x10000U, 0x10FFFFU}) {
    std::string character;
    AppendUtf8(code, character);
    Utf8Holdback holdback;
    for (size_t i = 0; i + 1 < character.size(); ++i) EXPECT_EQ(holdback.Push(character.substr(i, 1)), "") << code;
    EXPECT_EQ(holdback.Push(character.substr(character.size() - 1)), character) << code;
    EXPECT_EQ(holdback.Flush(), "");
  }
}

TEST(Utf8HoldbackTest, WhatCannotBecomeACharacterPassesAtOnce) {
  // Overlong forms, surrogates, beyond U+10FFFF, lone continuations, bytes that never occur.
  for (const char* bytes : {"\xC0\x80", "\xC1", "\xE0\x80", "\xE0\x9F", "\xED\xA0", "\xF0\x80", "\xF0\x8F\x80",
                            "\xF4\x90", "\xF5", "\xFF", "\x80", "\xBF\xBF\xBF\xBF", "a\x80", "\xC3\x28", "\xE2\x28"}) {
    Utf8Holdback holdback;
    EXPECT_EQ(holdback.Push(bytes), bytes);
  }
}

TEST(Utf8HoldbackTest, AnUnfinishedCharacterPassesUnchangedAtTheEnd) {
  Utf8Holdback holdback;
  EXPECT_EQ(holdback.Push("ab\xF0\x9F\x98"), "ab");
  EXPECT_EQ(holdback.Flush(), "\xF0\x9F\x98");
  EXPECT_EQ(holdback.Push("x"), "x");
}

// Every sequence of three bytes from the classes that matter: the output is the input, and nothing is held without
// reason.
TEST(Utf8HoldbackTest, EveryByteComesOutOnceInOrder) {
  const std::vector<uint8_t> bytes = {0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF,
                                      0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF};
  for (const uint8_t a : bytes) {
    for (const uint8_t b : bytes) {
      for (const uint8_t c : bytes) {
        Utf8Holdback holdback;
        std::string in;
        std::string out;
        for (const uint8_t byte : {a, b, c}) {
          in.push_back(static_cast<char>(byte));
          out += holdback.Push(in.substr(in.size() - 1));
          ASSERT_LE(in.size() - out.size(), 3U);
          ASSERT_EQ(IncompleteUtf8Suffix(in), in.size() - out.size());
        }
        ASSERT_EQ(out + holdback.Flush(), in);
      }
    }
  }
}

}  // namespace
}  // namespace clm
