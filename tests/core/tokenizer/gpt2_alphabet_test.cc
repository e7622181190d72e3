#include "core/tokenizer/gpt2_alphabet.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace clm {
namespace {

TEST(Gpt2AlphabetTest, EveryByteHasItsOwnCharacterAndComesBack) {
  std::set<std::string> characters;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte));
    characters.insert(ToGpt2Alphabet(bytes));
    all += bytes;
  }
  EXPECT_EQ(characters.size(), 256);
  EXPECT_EQ(FromGpt2Alphabet(ToGpt2Alphabet(all)), all);
}

// Known from every GPT-2 vocabulary: space U+0120, newline U+010A, and U+0143 for 0xAD, the last of the 68.
TEST(Gpt2AlphabetTest, KnownSpellings) {
  EXPECT_EQ(ToGpt2Alphabet(" a\n"),
            "\xC4\xA0"
            "a\xC4\x8A");
  EXPECT_EQ(ToGpt2Alphabet("\xAD"), "\xC5\x83");
  EXPECT_EQ(ToGpt2Alphabet("\xC3\xA9"), "\xC3\x83\xC2\xA9");
  EXPECT_EQ(ToGpt2Alphabet(absl::string_view("\0", 1)), "\xC4\x80");
}

TEST(Gpt2AlphabetTest, RefusesOtherCharactersAndInvalidText) {
  EXPECT_EQ(FromGpt2Alphabet(" "), std::nullopt);
  EXPECT_EQ(FromGpt2Alphabet("a\xC5\x84"), std::nullopt);  // U+0144, one past the end
  EXPECT_EQ(FromGpt2Alphabet("\xE4\xB8\xAD"), std::nullopt);
  EXPECT_EQ(FromGpt2Alphabet("a\xFF"), std::nullopt);
  EXPECT_EQ(FromGpt2Alphabet("\xC2\xAD"), std::nullopt);  // U+00AD, not printable
}

}  // namespace
}  // namespace clm
