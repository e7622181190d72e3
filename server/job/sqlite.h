// A thin owner of SQLite handles: what the journal needs and no more.
//
//   CLM_ASSIGN_OR_RETURN(SqliteDatabase database, SqliteDatabase::Open(path));
//   CLM_ASSIGN_OR_RETURN(SqliteStatement statement, database.Prepare("SELECT name FROM t WHERE id = ?"));
//   statement.BindInteger(1, 7);
//   CLM_ASSIGN_OR_RETURN(const bool row, statement.Step());
//   if (row) Use(statement.ColumnBlob(0));
//
// Errors: RESOURCE_EXHAUSTED (no space), DATA_LOSS (damaged, or no database), FAILED_PRECONDITION (held by another
// process), PERMISSION_DENIED (cannot be opened or written), otherwise INTERNAL. Messages name the file and SQLite's
// reason. Thread-safety: none; the owner locks. Statements must go before their database.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace clm {

class SqliteStatement {
 public:
  // Parameters count from 1. `value` is copied.
  void BindInteger(int index, uint64_t value);
  void BindBlob(int index, absl::string_view value);

  // true with a row, false at the end.
  absl::StatusOr<bool> Step();
  // Runs a statement that gives no rows, then makes it ready to be bound again.
  absl::Status Run();

  // Columns count from 0; valid until the next Step().
  uint64_t ColumnInteger(int index) const;
  std::string ColumnBlob(int index) const;

 private:
  friend class SqliteDatabase;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class SqliteDatabase {
 public:
  // Creates the file when it is missing.
  static absl::StatusOr<SqliteDatabase> Open(const std::string& path);

  absl::StatusOr<SqliteStatement> Prepare(absl::string_view sql);
  // Runs statements without parameters; rows are ignored.
  absl::Status Execute(const std::string& sql);

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  explicit SqliteDatabase(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, Closer> database_;
};

}  // namespace clm
