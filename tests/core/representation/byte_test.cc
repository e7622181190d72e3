#include "core/representation/byte.h"

#include "core/representation/fingerprint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::testing::ElementsAre;

TEST(ByteRepresentationTest, SymbolsAreByteValues) {
  const ByteRepresentation byte;
  ASSERT_OK_AND_ASSIGN(const auto symbols, byte.Encode(absl::string_view("A\0\xFF", 3)));
  EXPECT_THAT(symbols, ElementsAre(65, 0, 255));
  EXPECT_EQ(byte.layout().vocab_size, 257U);
  EXPECT_EQ(byte.layout().boundary, 256U);
  EXPECT_EQ(byte.SymbolBytes(255), "\xFF");
  EXPECT_EQ(byte.SymbolBytes(256), "");
}

TEST(RepresentationFingerprintTest, DependsOnKindAndTablesInOrder) {
  using Tables = std::vector<absl::string_view>;
  const std::string one = RepresentationFingerprint("k", Tables{"a", "b"});
  EXPECT_EQ(one.size(), 64U);
  EXPECT_EQ(one, RepresentationFingerprint("k", Tables{"a", "b"}));
  EXPECT_NE(one, RepresentationFingerprint("k", Tables{"b", "a"}));
  EXPECT_NE(one, RepresentationFingerprint("k", Tables{"ab"}));
  EXPECT_NE(one, RepresentationFingerprint("l", Tables{"a", "b"}));
}

}  // namespace
}  // namespace clm
