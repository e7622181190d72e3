#include "server/job/sqlite.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class SqliteTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory_;
};

TEST_F(SqliteTest, BytesAndNumbersComeBack) {
  ASSERT_OK_AND_ASSIGN(SqliteDatabase database, SqliteDatabase::Open(directory_.File("db")));
  ASSERT_OK(database.Execute("CREATE TABLE t (n INTEGER, b BLOB)"));
  const std::string bytes("\0\xff'\"", 4);
  ASSERT_OK_AND_ASSIGN(SqliteStatement insert, database.Prepare("INSERT INTO t VALUES (?, ?)"));
  for (const uint64_t number : {uint64_t{0}, uint64_t{1} << 62}) {
    insert.BindInteger(1, number);
    insert.BindBlob(2, bytes);
    ASSERT_OK(insert.Run());
  }
  ASSERT_OK_AND_ASSIGN(SqliteStatement select, database.Prepare("SELECT n, b FROM t ORDER BY n"));
  for (const uint64_t number : {uint64_t{0}, uint64_t{1} << 62}) {
    ASSERT_OK_AND_ASSIGN(const bool row, select.Step());
    ASSERT_TRUE(row);
    EXPECT_EQ(select.ColumnInteger(0), number);
    EXPECT_EQ(select.ColumnBlob(1), bytes);
  }
  ASSERT_OK_AND_ASSIGN(const bool more, select.Step());
  EXPECT_FALSE(more);
}

TEST_F(SqliteTest, EmptyBytesAreNotNull) {
  ASSERT_OK_AND_ASSIGN(SqliteDatabase database, SqliteDatabase::Open(directory_.File("db")));
  ASSERT_OK(database.Execute("CREATE TABLE t (b BLOB NOT NULL)"));
  ASSERT_OK_AND_ASSIGN(SqliteStatement insert, database.Prepare("INSERT INTO t VALUES (?)"));
  insert.BindBlob(1, {});
  EXPECT_OK(insert.Run());
}

TEST_F(SqliteTest, ErrorsAreToldApart) {
  EXPECT_THAT(SqliteDatabase::Open(directory_.File("missing/db")), StatusIs(absl::StatusCode::kPermissionDenied));
  std::ofstream(directory_.File("text")) << std::string(4096, 'x');
  ASSERT_OK_AND_ASSIGN(SqliteDatabase text, SqliteDatabase::Open(directory_.File("text")));
  EXPECT_THAT(text.Execute("SELECT * FROM sqlite_master"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(directory_.File("text"))));
  ASSERT_OK_AND_ASSIGN(SqliteDatabase database, SqliteDatabase::Open(directory_.File("db")));
  EXPECT_THAT(database.Execute("SELEKT"), StatusIs(absl::StatusCode::kInternal, HasSubstr("SELEKT")));
  EXPECT_THAT(database.Prepare("SELECT * FROM nowhere"), StatusIs(absl::StatusCode::kInternal, HasSubstr("nowhere")));
}

}  // namespace
}  // namespace clm
