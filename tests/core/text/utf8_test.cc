#include "core/text/utf8.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/rng.h"
#include "tests/core/text/encode_utf8.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::EncodeUtf8;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(DecodeUtf8Test, EveryScalarValueComesBackAndSurrogatesAreInvalid) {
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
    const std::string text = EncodeUtf8(c);
    const Utf8Char decoded = DecodeUtf8(text);
    if (c >= 0xD800 && c <= 0xDFFF) {
      ASSERT_EQ(decoded.state, Utf8State::kInvalid) << c;
      continue;
    }
    ASSERT_EQ(decoded.state, Utf8State::kValid) << c;
    ASSERT_EQ(decoded.code_point, c);
    ASSERT_EQ(decoded.length, text.size()) << c;
  }
}

TEST(DecodeUtf8Test, OverlongFormsAndTooLargeValuesAreInvalid) {
  for (const char* text : {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80",
                           "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\x80", "\xBF"}) {
    const Utf8Char decoded = DecodeUtf8(text);
    EXPECT_EQ(decoded.state, Utf8State::kInvalid) << text;
    EXPECT_EQ(decoded.length, 1) << text;
  }
}

TEST(DecodeUtf8Test, AProperPrefixIsTruncatedOnlyWhileItCanBecomeValid) {
  EXPECT_EQ(DecodeUtf8("\xF0\x9F\x98").state, Utf8State::kTruncated);
  EXPECT_EQ(DecodeUtf8("\xF0\x9F\x98").length, 3);
  EXPECT_EQ(DecodeUtf8("\xE2").state, Utf8State::kTruncated);
  EXPECT_EQ(DecodeUtf8("\xED\xA0").state, Utf8State::kInvalid);  // the beginning of a surrogate
  EXPECT_EQ(DecodeUtf8("\xE0\x80").state, Utf8State::kInvalid);  // the beginning of an overlong form
}

TEST(ValidateUtf8Test, NamesTheFirstInvalidByte) {
  EXPECT_OK(ValidateUtf8(""));
  EXPECT_OK(ValidateUtf8("h\xC3\xA9llo \xF0\x9F\x98\x80"));
  EXPECT_EQ(ValidUtf8Prefix("ab\xFF"
                            "cd"),
            2);
  EXPECT_THAT(ValidateUtf8("ab\xFF"
                           "cd"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("offset 2: byte 0xFF")));
  EXPECT_THAT(ValidateUtf8("abc\xE2\x82"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("offset 3: byte 0xE2 begins a character")));
}

TEST(IncompleteUtf8SuffixTest, HoldsBackOnlyWhatMoreTextMayComplete) {
  EXPECT_EQ(IncompleteUtf8Suffix(""), 0);
  EXPECT_EQ(IncompleteUtf8Suffix("abc"), 0);
  EXPECT_EQ(IncompleteUtf8Suffix("ab\xE2\x82"), 2);
  EXPECT_EQ(IncompleteUtf8Suffix("ab\xE2\x82\xAC"), 0);
  EXPECT_EQ(IncompleteUtf8Suffix("\xF0\x9F\x98"), 3);
  EXPECT_EQ(IncompleteUtf8Suffix("\xE2\xF0\x9F"), 2);
  EXPECT_EQ(IncompleteUtf8Suffix("\xFF"), 0);
  EXPECT_EQ(IncompleteUtf8Suffix("\x82\x82"), 0);
}

TEST(IncompleteUtf8SuffixTest, ACutValidTextIsValidWithoutItsSuffix) {
  std::string text;
  CounterRng rng(11, "utf8_test", 0);
  for (int i = 0; i < 200; ++i) text += EncodeUtf8(static_cast<uint32_t>(rng.NextBelow(0xD800)));
  text += "\xF0\x9F\x98\x80";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const absl::string_view head = absl::string_view(text).substr(0, cut);
    EXPECT_EQ(ValidUtf8Prefix(head), cut - IncompleteUtf8Suffix(head)) << cut;
  }
}

}  // namespace
}  // namespace clm
