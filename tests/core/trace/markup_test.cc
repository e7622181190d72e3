#include "core/trace/markup.h"

#include "gtest/gtest.h"

namespace clm {
namespace {

std::string Marked(absl::string_view text) {
  std::string out;
  AppendMarkup(text, out);
  return out;
}

TEST(MarkupTest, WhatMeansSomethingToXmlIsEscaped) {
  EXPECT_EQ(Marked("<a b=\"c\" d='e'>&amp;"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;");
}

TEST(MarkupTest, ControlCharactersBecomePictures) {
  EXPECT_EQ(Marked(absl::string_view("a\0\x1F\x7F\r", 5)), "a\xE2\x90\x80\xE2\x90\x9F\xE2\x90\xA1\xE2\x90\x8D");
  EXPECT_EQ(Marked("line\n\tline"), "line\n\tline");
}

TEST(MarkupTest, WholeCharactersStay) {
  EXPECT_EQ(Marked("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST(MarkupTest, WhatXmlForbidsIsSpelledOut) {
  EXPECT_EQ(Marked("\xFF\xC3("), "\\xFF\\xC3(");
  EXPECT_EQ(Marked("\xED\xA0\x80"), "\\xED\\xA0\\x80");  // a surrogate
  EXPECT_EQ(Marked("\xEF\xBF\xBE"), "\\xEF\\xBF\\xBE");  // U+FFFE
  EXPECT_EQ(Marked("\xC2\x85"), "\\xC2\\x85");
  EXPECT_EQ(Marked("\xE2\x82"), "\\xE2\\x82");  // cut short
}

}  // namespace
}  // namespace clm
