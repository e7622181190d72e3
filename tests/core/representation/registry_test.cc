#include "core/representation/registry.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/representation/representation_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::SmallTables;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(RepresentationRegistryTest, EveryKindIsMadeUnderItsName) {
  const RepresentationTables tables = SmallTables("w");
  for (const RepresentationKind& kind : RepresentationKinds()) {
    ASSERT_OK_AND_ASSIGN(const auto representation, MakeRepresentation(kind.name, tables));
    EXPECT_EQ(representation->kind(), kind.name);
    EXPECT_FALSE(kind.description.empty());
  }
}

TEST(RepresentationRegistryTest, MissingTablesAreNamed) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  RepresentationTables tables = SmallTables("w");
  tables.universe.reset();
  EXPECT_OK(MakeRepresentation("token", tables));
  EXPECT_THAT(MakeRepresentation("coordinate", tables), StatusIs(kInvalid, HasSubstr("needs a universe")));
  EXPECT_THAT(MakeRepresentation("token", {}), StatusIs(kInvalid, HasSubstr("'token' needs a tokenizer")));
  EXPECT_OK(MakeRepresentation("byte", {}));
}

TEST(RepresentationRegistryTest, UnknownKindsAreAnsweredWithTheKnownOnes) {
  EXPECT_THAT(MakeRepresentation("nibble", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'nibble', there are: byte, token, coordinate")));
  EXPECT_OK(FindRepresentationKind("byte"));
}

}  // namespace
}  // namespace clm
