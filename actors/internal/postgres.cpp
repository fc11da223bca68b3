#ifdef GREENROOM_HAS_POSTGRES
#include <greenroom/actors/internal/postgres.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>

#include <libpq-fe.h>

#include <fmt/format.h>

namespace greenroom::internal {
namespace {

// Bounds what is in memory, and what the server answers before anybody reads it: some 50 bytes a statement.
constexpr int most_sent = 256;
constexpr std::size_t most_bytes_sent = 1 << 20;

std::uint64_t big_endian(std::uint64_t n) noexcept {
  std::array<unsigned char, 8> bytes;
  for (int i = 7; i >= 0; --i, n >>= 8) bytes[static_cast<std::size_t>(i)] = static_cast<unsigned char>(n);
  std::memcpy(&n, bytes.data(), 8);
  return n;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

struct parsed_options {
  std::string password, host, port, dbname;
};

// Says nothing of the text itself: it may have a password, also at a place where none belongs.
error unreadable(const std::string& what, const char* why) {
  return error(errc::invalid_argument,
               fmt::format("cannot open {}: the connection string {}; it is key=value pairs, as \"host=db.example "
                           "dbname=shop\", or postgresql://USER:PASSWORD@HOST/DATABASE, in which a password has its "
                           "special characters as %40 (@), %2F (/), %3A (:)",
                           what, why));
}

result<parsed_options> parse(const postgres_place& where) {
  char* why = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all(
      PQconninfoParse(where.connection.c_str(), &why), &PQconninfoFree);
  PQfreemem(why);
  if (!all) return unreadable(where.what, "cannot be read");
  parsed_options found;
  for (const auto* o = all.get(); o->keyword != nullptr; ++o) {
    if (o->val == nullptr) continue;
    const std::string_view name(o->keyword);
    if (name == "password") found.password = o->val;
    if (name == "host") found.host = o->val;
    if (name == "port") found.port = o->val;
    if (name == "dbname") found.dbname = o->val;
  }
  // What a part of a password becomes that is not written as it must be in a URI; libpq's errors would tell it.
  if (found.port.find_first_not_of("0123456789,") != std::string::npos)
    return unreadable(where.what, "has a port that is no number");
  if (where.connection.find("://") != std::string::npos && (found.host + found.dbname).find('@') != std::string::npos)
    return unreadable(where.what, "has an '@' in the name of the host or the database");
  return found;
}

} // namespace

void postgres_rows::clear::operator()(pg_result* r) const noexcept { PQclear(r); }

void postgres_connection::disconnect::operator()(pg_conn* c) const noexcept { PQfinish(c); }

int postgres_rows::size() const noexcept { return PQntuples(made_.get()); }

std::string_view postgres_rows::done() const noexcept { return PQcmdStatus(made_.get()); }

std::int64_t postgres_rows::number(int row, int column) const noexcept {
  std::uint64_t n = 0;
  if (PQgetlength(made_.get(), row, column) == 8) std::memcpy(&n, PQgetvalue(made_.get(), row, column), 8);
  return static_cast<std::int64_t>(big_endian(n)); // its own inverse
}

std::string postgres_rows::bytes(int row, int column) const {
  return {PQgetvalue(made_.get(), row, column), static_cast<std::size_t>(PQgetlength(made_.get(), row, column))};
}

result<postgres_connection> postgres_connection::open(const postgres_place& where) {
  auto parsed = parse(where);
  if (!parsed) return parsed.error();
  postgres_connection made;
  made.what_ = where.what;
  made.password_ = parsed->password;
  made.silence_ = where.silence;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(where.connect_limit).count();
  const auto connect_limit = std::to_string(std::max<std::int64_t>(2, seconds)); // libpq knows no less
  const auto silence = std::to_string(where.silence.count());
  // The later of two counts; what "dbname" says is taken apart first.
  const char* const names[] = {"dbname",
                               "connect_timeout",
                               "client_encoding",
                               "keepalives",
                               "keepalives_idle",
                               "keepalives_interval",
                               "keepalives_count",
                               "tcp_user_timeout",
                               "fallback_application_name",
                               nullptr};
  const char* const values[] = {where.connection.c_str(), connect_limit.c_str(), "UTF8", "1", "10", "5", "3",
                                silence.c_str(),          "greenroom",           nullptr};
  made.connection_.reset(PQconnectdbParams(names, values, 1));
  if (!made.connection_ || PQstatus(made.connection_.get()) != CONNECTION_OK) return made.lost();
  PQsetNoticeProcessor(
      made.connection_.get(), [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(made.connection_.get(), 1) != 0 || PQenterPipelineMode(made.connection_.get()) != 1)
    return made.lost();
  return made;
}

void postgres_connection::notice_end() {
  // A last word of the server may come before the end.
  while (alive()) {
    pollfd on{PQsocket(connection_.get()), POLLIN, 0};
    if (::poll(&on, 1, 0) <= 0) return;
    if (PQconsumeInput(connection_.get()) != 1) connection_.reset();
  }
}

result<postgres_rows> postgres_connection::run(const std::string& sql) {
  if (!alive()) return lost();
  if (PQsendQueryParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1) != 1) return lost();
  return finish();
}

result<void> postgres_connection::prepare(const char* name, const std::string& sql) {
  if (!alive() || PQsendPrepare(connection_.get(), name, sql.c_str(), 0, nullptr) != 1) return lost();
  if (const auto done = finish(); !done) return done.error();
  return {};
}

result<void> postgres_connection::send(const char* name, std::initializer_list<postgres_value> with) {
  if (auto queued = queue(name, with); !queued) return queued;
  if (sent_ < most_sent && bytes_sent_ < most_bytes_sent) return {};
  if (const auto done = finish(); !done) return done.error();
  return {};
}

result<void> postgres_connection::queue(const char* name, std::initializer_list<postgres_value> with) {
  if (!alive()) return lost();
  constexpr std::size_t most = 6;
  std::array<std::uint64_t, most> numbers{};
  std::array<const char*, most> values{};
  std::array<int, most> lengths{};
  std::array<int, most> binary{};
  std::size_t at = 0;
  for (const auto& value : with) {
    if (value.kind == postgres_value::is_number) {
      numbers[at] = big_endian(static_cast<std::uint64_t>(value.number));
      values[at] = reinterpret_cast<const char*>(&numbers[at]);
      lengths[at] = 8;
    } else if (value.kind == postgres_value::is_bytes) {
      values[at] = value.bytes.data() == nullptr ? "" : value.bytes.data();
      lengths[at] = static_cast<int>(value.bytes.size());
    }
    bytes_sent_ += value.bytes.size();
    binary[at++] = 1;
  }
  if (PQsendQueryPrepared(connection_.get(), name, static_cast<int>(at), values.data(), lengths.data(), binary.data(),
                          1) != 1)
    return lost();
  ++sent_;
  return {};
}

result<postgres_rows> postgres_connection::ask(const char* name, std::initializer_list<postgres_value> with) {
  if (auto queued = queue(name, with); !queued) return queued.error();
  return finish();
}

result<postgres_rows> postgres_connection::finish() {
  if (!alive() || PQpipelineSync(connection_.get()) != 1) return lost();
  sent_ = 0;
  bytes_sent_ = 0;
  state_.clear();
  postgres_rows last;
  std::optional<error> why;
  for (;;) {
    if (auto there = await_result(); !there) return there.error();
    postgres_rows next(PQgetResult(connection_.get()));
    if (next.get() == nullptr) { // between two statements
      if (PQstatus(connection_.get()) == CONNECTION_BAD) return lost();
      continue;
    }
    const auto status = PQresultStatus(next.get());
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      last = std::move(next);
    } else if (status != PGRES_PIPELINE_ABORTED && !why) {
      why = refused(next.get());
      if (PQstatus(connection_.get()) == CONNECTION_BAD) return lost();
    }
  }
  if (why) return *why;
  return last;
}

result<void> postgres_connection::await_result() {
  for (;;) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) {
      // The server may have said why it closed.
      (void)PQconsumeInput(connection_.get());
      return lost();
    }
    if (PQisBusy(connection_.get()) == 0) return {};
    pollfd on{PQsocket(connection_.get()), static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
    const int ready = ::poll(&on, 1, static_cast<int>(silence_.count()));
    if (ready == 0) return lost(fmt::format("the server has said nothing for {} ms", silence_.count()));
    if (ready < 0 && errno != EINTR) return lost(std::strerror(errno));
    if (ready > 0 && PQconsumeInput(connection_.get()) != 1) return lost();
  }
}

error postgres_connection::refused(const PGresult* r) {
  const char* const text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY); // details may have contents of records
  const char* const state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  state_ = state == nullptr ? "" : state;
  return error(errc::io, without_secrets(fmt::format("cannot use {}: {} (PostgreSQL {})", what_,
                                                     text == nullptr ? trimmed(PQresultErrorMessage(r)) : text,
                                                     state_.empty() ? "gives no code" : state_)));
}

error postgres_connection::lost(std::string_view why) {
  std::string text(why);
  if (why.empty()) text = connection_ ? trimmed(PQerrorMessage(connection_.get())) : std::string("it is not connected");
  connection_.reset();
  return error(errc::io, without_secrets(fmt::format("cannot reach the server of {}: {}", what_, text)));
}

std::string postgres_connection::without_secrets(std::string text) const {
  if (password_.empty()) return text;
  for (auto at = text.find(password_); at != std::string::npos; at = text.find(password_, at + 3))
    text.replace(at, password_.size(), "***");
  return text;
}

} // namespace greenroom::internal
#endif
