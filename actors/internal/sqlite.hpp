// SQLite's handles as values, its failures as results. Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

/// A statement that is kept prepared. Lifetime: as its database at most.
class sqlite_statement {
public:
  sqlite_statement() = default;
  explicit sqlite_statement(sqlite3_stmt* made) noexcept : made_(made) {}

  /// Gives the parameters, from the first; text must live until the next begin().
  template <class... Values>
  sqlite_statement& begin(const Values&... values) noexcept {
    sqlite3_reset(made_.get());
    int at = 0;
    (bind(++at, values), ...);
    return *this;
  }
  /// Returns SQLITE_ROW, SQLITE_DONE or why it failed.
  int step() noexcept { return sqlite3_step(made_.get()); }
  /// Ends it, so that it holds no lock and no text.
  void end() noexcept { sqlite3_reset(made_.get()); }

  std::int64_t number(int column) const noexcept { return sqlite3_column_int64(made_.get(), column); }
  std::string text(int column) const {
    const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(made_.get(), column));
    return bytes == nullptr ? std::string()
                            : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(made_.get(), column)));
  }

private:
  void bind(int at, std::int64_t value) noexcept { sqlite3_bind_int64(made_.get(), at, value); }
  void bind(int at, std::uint64_t value) noexcept { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, std::string_view value) noexcept {
    sqlite3_bind_text64(made_.get(), at, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  void bind(int at, std::nullptr_t) noexcept { sqlite3_bind_null(made_.get(), at); }

  struct finalize {
    void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, finalize> made_;
};

class sqlite_database {
public:
  /// `shown` is its name in errors, if that is another one. Errors: io.
  static result<sqlite_database> open(const std::string& file, const std::string& vfs, const std::string& shown = {});

  result<void> run(const char* sql);
  result<sqlite_statement> prepare(const char* sql);
  /// Says what a call gave: "cannot write to 'shop.db': database or disk is full".
  error failure(const char* what, int code) const;
  /// Returns the first column of the first row. Errors: io; not_found without a row.
  result<std::string> ask(const char* sql);

private:
  struct close {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, close> db_;
  std::string file_;
};

} // namespace greenroom::internal
