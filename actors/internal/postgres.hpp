// libpq's connection and results as values, its failures as results. Statements are sent in libpq's pipeline mode: one may follow the other without waiting
// for the answer. Every wait ends: by the answer, by the loss of the connection, or after `silence` without a byte from the server.
// Thread safety: one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/runtime/error.hpp>

// libpq's PGconn and PGresult, so that only postgres.cpp needs its header.
struct pg_conn;
struct pg_result;

namespace greenroom::internal {

/// A parameter of a statement: bigint, bytea or NULL. Lifetime: bytes must live during the call.
struct postgres_value {
  postgres_value(std::int64_t n) noexcept : number(n), kind(is_number) {}
  postgres_value(std::uint64_t n) noexcept : postgres_value(static_cast<std::int64_t>(n)) {}
  postgres_value(std::string_view b) noexcept : bytes(b), kind(is_bytes) {}
  postgres_value(std::nullptr_t) noexcept {}

  std::int64_t number = 0;
  std::string_view bytes = {};
  enum { is_null, is_number, is_bytes } kind = is_null;
};

/// What a statement gave. Requires: columns of bigint and bytea only.
class postgres_rows {
public:
  postgres_rows() = default;
  explicit postgres_rows(pg_result* made) noexcept : made_(made) {}

  int size() const noexcept;
  std::int64_t number(int row, int column) const noexcept;
  /// Of NULL it is "".
  std::string bytes(int row, int column) const;
  /// Returns what was done, as "COMMIT" or "INSERT 0 1".
  std::string_view done() const noexcept;
  pg_result* get() const noexcept { return made_.get(); }

private:
  struct clear {
    void operator()(pg_result* r) const noexcept;
  };
  std::unique_ptr<pg_result, clear> made_;
};

struct postgres_place {
  std::string connection; ///< libpq's: key=value pairs or a URI
  std::string what;       ///< what errors call it
  std::chrono::milliseconds connect_limit;
  std::chrono::milliseconds silence;
};

class postgres_connection {
public:
  /// Connects. Errors: invalid_argument for a connection string that cannot be right; io. No text has the password in it.
  static result<postgres_connection> open(const postgres_place& where);

  /// Makes one that is not connected.
  postgres_connection() = default;

  bool alive() const noexcept { return connection_ != nullptr; }
  /// Closes it, if the server has done so, as far as that is known here. Asks nobody. Requires: nothing was sent since finish().
  void notice_end();
  /// Returns SQLSTATE of the last error that the server has told; "" if it was another.
  const std::string& state() const noexcept { return state_; }

  /// Does one statement without parameters, and waits for it. Errors: io.
  result<postgres_rows> run(const std::string& sql);
  result<void> prepare(const char* name, const std::string& sql);
  /// Sends a prepared statement. Waits only if a lot was sent; an error that comes of it is given by a later call. Errors: io.
  result<void> send(const char* name, std::initializer_list<postgres_value> with);
  /// Waits for all that was sent, gives what the last gave, or the first error; statements behind that were not done.
  result<postgres_rows> finish();
  result<postgres_rows> ask(const char* name, std::initializer_list<postgres_value> with);
  void close() noexcept { connection_.reset(); }

private:
  struct disconnect {
    void operator()(pg_conn* c) const noexcept;
  };
  result<void> queue(const char* name, std::initializer_list<postgres_value> with);
  result<void> await_result();
  error refused(const pg_result* r);
  error lost(std::string_view why = {});
  std::string without_secrets(std::string text) const;

  std::unique_ptr<pg_conn, disconnect> connection_;
  std::string what_;
  std::string password_;
  std::string state_;
  std::chrono::milliseconds silence_{};
  int sent_ = 0;
  std::size_t bytes_sent_ = 0;
};

} // namespace greenroom::internal
