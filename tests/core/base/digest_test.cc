#include "core/base/digest.h"

#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace clm {
namespace {

// FIPS 180-2, appendix B.
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfMillionA[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
constexpr char kOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256Test, GivesThePublishedValues) {
  EXPECT_EQ(Sha256Hex("abc"), kOfAbc);
  EXPECT_EQ(Sha256Hex(""), kOfNothing);
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')), kOfMillionA);
}

TEST(Sha256Test, DoesNotDependOnHowDataIsCut) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.Update(std::string(1000, 'a'));
  hash.Update("");
  EXPECT_EQ(ToHex(hash.Finish()), kOfMillionA);
}

TEST(Sha256Test, MovesWithItsState) {
  Sha256 first;
  first.Update("a");
  Sha256 second = std::move(first);
  second.Update("bc");
  EXPECT_EQ(ToHex(second.Finish()), kOfAbc);
}

}  // namespace
}  // namespace clm
