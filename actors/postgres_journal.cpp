// The journal in PostgreSQL: a transaction is sent as a whole, and its commit waited for.
#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/journal.hpp>

#ifdef GREENROOM_HAS_POSTGRES
#include <greenroom/actors/internal/journal_parts.hpp>
#include <greenroom/actors/internal/postgres.hpp>
#include <greenroom/actors/internal/postgres_statements.hpp>
#endif

namespace greenroom {

#ifndef GREENROOM_HAS_POSTGRES

result<std::unique_ptr<journal>> open_postgres_journal(std::string, postgres_journal_options how) {
  return error(
      errc::unsupported,
      fmt::format("cannot open the journal '{}': this build has no PostgreSQL; install libpq-dev and build with "
                  "GREENROOM_POSTGRES=ON",
                  how.schema));
}

#else

namespace {

using internal::joined_tags;
using internal::journal_statements;
using internal::journal_tables;
using internal::journal_time;
using internal::key_filter;
using internal::postgres_connection;
using internal::postgres_place;
using internal::postgres_rows;
using internal::postgres_value;
using internal::tags_apart;

constexpr std::size_t longest_key = 2000; // an index of PostgreSQL takes some 2,700 bytes
constexpr std::uint64_t page = 500;       // records that a replay has in memory
constexpr std::uint64_t keys_at_once = 20'000;

class postgres_journal final : public journal {
public:
  postgres_journal(std::string connection, postgres_journal_options how)
      : what_(fmt::format("the journal '{}' in PostgreSQL", how.schema)),
        where_{std::move(connection), what_, how.connect_limit,
               how.statement_limit + how.lock_limit + std::chrono::seconds(2)},
        schema_('"' + how.schema + '"'),
        how_(std::move(how)),
        keys_(how_.known_keys) {}
  ~postgres_journal() override { rollback(); }

  result<void> connect();

  std::uint64_t last() const noexcept override { return last_; }
  result<void> begin() override;
  result<std::uint64_t> append(journal_record record) override;
  result<void> commit() override;
  void rollback() noexcept override;
  bool usable() const noexcept override { return usable_; }

  result<std::optional<journal_record>> find(std::string_view key) override;
  result<std::optional<journal_record>> read(std::uint64_t number) override { return one("by_number", number); }
  result<void> replay(std::uint64_t after, const std::function<result<void>(const journal_record&)>& each) override;
  result<std::vector<journal_record>> behind(std::uint64_t after, std::size_t limit) override {
    return some("behind", {after, at_most(limit)});
  }
  result<std::vector<journal_record>> tagged(std::string_view tag, std::uint64_t after, std::size_t limit) override {
    return some("by_tag", {tag, after, at_most(limit)});
  }
  result<std::optional<journal_snapshot>> snapshot() override;
  result<void> save_snapshot(const journal_snapshot& made) override {
    return write("put_snapshot", {made.number, std::string_view(made.content)});
  }
  result<std::uint64_t> cursor(std::string_view reader) override;
  result<void> set_cursor(std::string_view reader, std::uint64_t number) override;
  result<std::vector<journal_reader>> readers() override;
  result<void> verify() override;
  std::uint64_t flushes() const noexcept override { return flushes_; }

private:
  using values = std::initializer_list<postgres_value>;

  result<void> settle();
  result<void> settle_to_read();
  result<void> prepare();
  result<bool> has_tables();
  result<void> make_tables();
  result<void> learn_keys();
  result<std::int64_t> number_of(const std::string& sql);
  result<void> ready();
  result<void> write(const char* statement, values with);
  result<postgres_rows> ask(const char* statement, values with);
  result<std::optional<journal_record>> one(const char* statement, postgres_value by);
  result<std::vector<journal_record>> some(const char* statement, values with);
  static std::uint64_t at_most(std::size_t limit) noexcept {
    return std::min<std::uint64_t>(limit, std::numeric_limits<std::int64_t>::max());
  }
  static journal_record record_of(const postgres_rows& from, int row) {
    return {static_cast<std::uint64_t>(from.number(row, 0)), from.number(row, 1), from.bytes(row, 2),
            tags_apart(from.bytes(row, 3)), from.bytes(row, 4)};
  }

  const std::string what_;
  const postgres_place where_;
  const std::string schema_; // quoted: it may be a word of SQL
  const postgres_journal_options how_;
  postgres_connection db_;
  key_filter keys_;
  bool knows_keys_ = false;
  bool opened_ = false; // once it was
  std::uint64_t last_ = 0;
  std::uint64_t committed_ = 0; // the last that is on disk
  bool open_ = false;           // a transaction is under way
  bool begun_ = false;          // and the server knows of it: something was written
  bool broken_ = false;         // and can only be rolled back
  bool usable_ = true;
  std::uint64_t flushes_ = 0;
};

// -- the connection ----------------------------------------------------------------------------------------------------

result<void> postgres_journal::connect() {
  auto made = postgres_connection::open(where_);
  if (!made) return made.error();
  db_ = *std::move(made);
  auto settled = settle();
  if (!settled) db_.close(); // so that it does not keep the lock, and the next call begins anew
  return settled;
}

result<void> postgres_journal::settle() {
  if (how_.read_only) return settle_to_read();
  const auto lock_limit = std::max<std::int64_t>(1, how_.lock_limit.count());
  for (const auto& setting : {
           std::string("SET synchronous_commit = on"),
           fmt::format("SET statement_timeout = {}", how_.statement_limit.count() + lock_limit),
           fmt::format("SET lock_timeout = {}", lock_limit),
           std::string("SET idle_in_transaction_session_timeout = 0"),
           // The server lets go of the lock soon, too, when the machine of a client is gone without a word.
           std::string("SET tcp_keepalives_idle = 10"),
           std::string("SET tcp_keepalives_interval = 5"),
           std::string("SET tcp_keepalives_count = 3"),
       }) {
    if (auto set = db_.run(setting); !set) return set.error();
  }
  const auto syncs = number_of("SELECT (current_setting('fsync') = 'on')::int::bigint");
  if (!syncs) return syncs.error();
  if (*syncs != 1)
    return error(errc::unsupported, fmt::format("cannot use {}: the server runs with fsync = off, by which a commit "
                                                "survives no power failure; switch it on",
                                                what_));
  // Of the session: it lasts until the connection ends, whoever ends it.
  if (auto locked =
          db_.run(fmt::format("SELECT pg_advisory_lock(hashtextextended('greenroom journal {}', 0))", how_.schema));
      !locked) {
    if (db_.state() != "55P03") return locked.error();
    return error(errc::already_exists,
                 fmt::format("cannot use {}: another process uses it, and has not let go within {} ms; stop that, or "
                             "name another schema",
                             what_, lock_limit));
  }
  if (auto set = db_.run(fmt::format("SET statement_timeout = {}", how_.statement_limit.count())); !set)
    return set.error();
  if (auto made = make_tables(); !made) return made;
  if (auto prepared = prepare(); !prepared) return prepared;
  const auto newest = db_.ask("newest", {});
  if (!newest) return newest.error();
  const auto there = static_cast<std::uint64_t>(newest->number(0, 0));
  if (opened_ && there != committed_) {
    usable_ = false;
    return error(errc::io, fmt::format("{} is not used any more: while its connection was lost, another has written to "
                                       "it ({} records, not {}); open it anew",
                                       what_, there, committed_));
  }
  last_ = committed_ = there;
  if (auto learned = learn_keys(); !learned) return learned;
  opened_ = true;
  return {};
}

/// Takes no lock and makes nothing: it sees one moment, by a transaction that lasts as long as the connection.
result<void> postgres_journal::settle_to_read() {
  if (opened_)
    return error(
        errc::io,
        fmt::format("the connection to {} was lost, and another would see another moment: open it anew", what_));
  for (const auto& said : {fmt::format("SET statement_timeout = {}", how_.statement_limit.count()),
                           std::string("SET idle_in_transaction_session_timeout = 0"),
                           std::string("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")}) {
    if (auto done = db_.run(said); !done) return done.error();
  }
  const auto is_there = has_tables();
  if (!is_there) return is_there.error();
  if (!*is_there)
    return error(errc::not_found,
                 fmt::format("there is no {}: the database has no such schema, or nothing in it", what_));
  if (auto prepared = prepare(); !prepared) return prepared;
  const auto newest = db_.ask("newest", {});
  if (!newest) return newest.error();
  last_ = committed_ = static_cast<std::uint64_t>(newest->number(0, 0));
  opened_ = true;
  return {};
}

result<void> postgres_journal::prepare() {
  for (const auto& [name, sql] : journal_statements) {
    if (auto prepared = db_.prepare(name, fmt::format(fmt::runtime(sql), schema_)); !prepared) return prepared;
  }
  return {};
}

/// Errors: parse, for tables of something else.
result<bool> postgres_journal::has_tables() {
  const auto has = [this](const char* table) {
    return number_of(fmt::format("SELECT (to_regclass('{}.{}') IS NOT NULL)::int::bigint", schema_, table));
  };
  const auto is_there = has("greenroom_journal"), is_taken = has("records");
  if (!is_there) return is_there.error();
  if (!is_taken) return is_taken.error();
  if (*is_there == 1) {
    const auto version = number_of(fmt::format("SELECT max(version) FROM {}.greenroom_journal", schema_));
    if (!version) return version.error();
    if (*version == 1) return true;
  }
  if (*is_there == 1 || *is_taken == 1)
    return error(errc::parse, fmt::format("cannot use {}: the schema has tables, but no journal of this version; name "
                                          "another schema",
                                          what_));
  return false;
}

result<void> postgres_journal::make_tables() {
  const auto is_there = has_tables();
  if (!is_there) return is_there.error();
  if (*is_there) return {};
  if (auto begun = db_.run("BEGIN"); !begun) return begun.error();
  const auto has_schema = number_of(fmt::format("SELECT (to_regnamespace('{}') IS NOT NULL)::int::bigint", schema_));
  if (!has_schema) return has_schema.error();
  if (*has_schema == 0) { // who may not make one can be given one
    if (auto made = db_.run(fmt::format("CREATE SCHEMA {}", schema_)); !made) return made.error();
  }
  for (const auto* table : journal_tables) {
    if (auto made = db_.run(fmt::format(fmt::runtime(table), schema_)); !made) return made.error();
  }
  if (auto done = db_.run("COMMIT"); !done) return done.error();
  return {};
}

result<std::int64_t> postgres_journal::number_of(const std::string& sql) {
  const auto rows = db_.run(sql);
  if (!rows) return rows.error();
  return rows->size() == 1 ? rows->number(0, 0) : 0;
}

result<void> postgres_journal::learn_keys() {
  if (knows_keys_ || committed_ > how_.known_keys) return {};
  for (std::uint64_t at = 0; at < committed_;) {
    const auto rows = db_.ask("keys", {at, keys_at_once});
    if (!rows) return rows.error();
    if (rows->size() == 0) break;
    for (int i = 0; i < rows->size(); ++i) keys_.add(rows->bytes(i, 1));
    at = static_cast<std::uint64_t>(rows->number(rows->size() - 1, 0));
  }
  knows_keys_ = how_.known_keys > 0;
  return {};
}

result<void> postgres_journal::ready() {
  if (!usable_)
    return error(errc::io, fmt::format("{} is not used any more, as its server was lost during a commit or another has "
                                       "written to it: what is in it is unknown until it is opened anew",
                                       what_));
  if (broken_ || (begun_ && !db_.alive()))
    return error(errc::io, fmt::format("{} cannot go on with this transaction, which has failed: roll it back", what_));
  // What is found to be lost before anything was sent leaves nothing unknown.
  if (!begun_) db_.notice_end();
  if (db_.alive()) return {};
  return connect();
}

result<postgres_rows> postgres_journal::ask(const char* statement, values with) {
  if (auto fine = ready(); !fine) return fine.error();
  auto rows = db_.ask(statement, with);
  if (!rows && begun_) broken_ = true; // what was sent before may be what has failed
  return rows;
}

// -- writing -------------------------------------------------------------------------------------------------------------

result<void> postgres_journal::begin() {
  if (how_.read_only) return error(errc::unsupported, fmt::format("{} was opened for reading alone", what_));
  auto fine = ready();
  open_ = fine.has_value();
  return fine;
}

// In a transaction it only sends; else it waits.
result<void> postgres_journal::write(const char* statement, values with) {
  if (how_.read_only) return error(errc::unsupported, fmt::format("{} was opened for reading alone", what_));
  if (!open_) {
    const auto done = ask(statement, with);
    return done ? result<void>() : done.error();
  }
  if (auto fine = ready(); !fine) return fine;
  auto sent = begun_ ? result<void>() : db_.send("begin", {});
  begun_ = true;
  if (sent) sent = db_.send(statement, with);
  if (!sent) broken_ = true;
  return sent;
}

result<std::uint64_t> postgres_journal::append(journal_record record) {
  const auto number = last_ + 1;
  if (record.written_at == 0) record.written_at = journal_time();
  const auto tags = joined_tags(record.tags);
  if (!tags) return tags.error();
  const auto too_long = [](const std::string& text) { return text.size() > longest_key; };
  if (too_long(record.key) || std::any_of(record.tags.begin(), record.tags.end(), too_long))
    return error(errc::invalid_argument,
                 fmt::format("a key or a tag is too long for {}: {} bytes at most", what_, longest_key));
  if (!record.key.empty()) {
    const auto there = find(record.key);
    if (!there) return there.error();
    if (*there)
      return error(errc::already_exists, fmt::format("{} has a record of the key '{}' already", what_, record.key));
    keys_.add(record.key);
  }
  const auto key = record.key.empty() ? postgres_value(nullptr) : postgres_value(std::string_view(record.key));
  if (auto put = write("put_record",
                       {number, record.written_at, key, std::string_view(*tags), std::string_view(record.content)});
      !put)
    return put.error();
  for (const auto& tag : record.tags) {
    if (auto put = write("put_tag", {std::string_view(tag), number}); !put) return put.error();
  }
  return last_ = number;
}

result<void> postgres_journal::commit() {
  if (!begun_ && !broken_) {
    open_ = false;
    return {};
  }
  if (auto fine = ready(); !fine) {
    rollback();
    return fine;
  }
  const auto done = db_.ask("commit", {});
  if (!done) {
    // An answer says that nothing was done. Without one, it may have been.
    if (!db_.alive()) usable_ = false;
    rollback();
    if (usable_) return done.error();
    return error(errc::io,
                 fmt::format("{}; whether the transaction was done is unknown until the journal is opened anew",
                             done.error().message()));
  }
  if (done->done() != "COMMIT") {
    rollback();
    return error(errc::io, fmt::format("{} has rolled a transaction back, as a part of it had failed", what_));
  }
  open_ = begun_ = false;
  committed_ = last_;
  ++flushes_;
  return {};
}

void postgres_journal::rollback() noexcept {
  if (!std::exchange(open_, false)) return;
  const bool begun = std::exchange(begun_, false);
  broken_ = false;
  last_ = committed_;
  if (!begun || !db_.alive()) return;
  (void)db_.finish(); // what was sent, and what became of it
  if (db_.alive() && !db_.ask("rollback", {})) db_.close();
}

// -- reading -------------------------------------------------------------------------------------------------------------

result<std::optional<journal_record>> postgres_journal::find(std::string_view key) {
  if (auto fine = ready(); !fine) return fine.error();
  if (key.empty() || key.size() > longest_key || (knows_keys_ && !keys_.may_have(key)))
    return std::optional<journal_record>();
  return one("by_key", key);
}

result<std::optional<journal_record>> postgres_journal::one(const char* statement, postgres_value by) {
  const auto rows = ask(statement, {by});
  if (!rows) return rows.error();
  if (rows->size() == 0) return std::optional<journal_record>();
  return std::optional<journal_record>(record_of(*rows, 0));
}

result<std::vector<journal_record>> postgres_journal::some(const char* statement, values with) {
  const auto rows = ask(statement, with);
  if (!rows) return rows.error();
  std::vector<journal_record> found;
  for (int i = 0; i < rows->size(); ++i) found.push_back(record_of(*rows, i));
  return found;
}

result<void> postgres_journal::replay(std::uint64_t after,
                                      const std::function<result<void>(const journal_record&)>& each) {
  for (;;) {
    const auto rows = ask("behind", {after, page});
    if (!rows) return rows.error();
    for (int i = 0; i < rows->size(); ++i) {
      const auto record = record_of(*rows, i);
      if (auto done = each(record); !done) return done;
      after = record.number;
    }
    if (static_cast<std::uint64_t>(rows->size()) < page) return {};
  }
}

result<std::optional<journal_snapshot>> postgres_journal::snapshot() {
  const auto rows = ask("get_snapshot", {});
  if (!rows) return rows.error();
  std::optional<journal_snapshot> found;
  if (rows->size() == 1) found = {static_cast<std::uint64_t>(rows->number(0, 0)), rows->bytes(0, 1)};
  return found;
}

result<std::uint64_t> postgres_journal::cursor(std::string_view reader) {
  const auto rows = ask("get_cursor", {reader});
  if (!rows) return rows.error();
  return rows->size() == 1 ? static_cast<std::uint64_t>(rows->number(0, 0)) : std::uint64_t{0};
}

result<void> postgres_journal::set_cursor(std::string_view reader, std::uint64_t number) {
  if (reader.size() > longest_key)
    return error(errc::invalid_argument,
                 fmt::format("the name of a reader is too long for {}: {} bytes at most", what_, longest_key));
  return write("put_cursor", {reader, number});
}

result<std::vector<journal_reader>> postgres_journal::readers() {
  const auto rows = ask("get_cursors", {});
  if (!rows) return rows.error();
  std::vector<journal_reader> all;
  for (int i = 0; i < rows->size(); ++i)
    all.push_back({rows->bytes(i, 0), static_cast<std::uint64_t>(rows->number(i, 1))});
  return all;
}

result<void> postgres_journal::verify() {
  constexpr std::uint64_t part = 10'000; // one statement each, so that none takes too long
  std::uint64_t at = 0;
  while (at < last_) {
    const auto end = std::min(at + part, last_);
    const auto rows = ask("look", {at, end});
    if (!rows) return rows.error();
    if (static_cast<std::uint64_t>(rows->number(0, 0)) != end - at)
      return error(errc::io, fmt::format("{} is damaged: between {} and {} there are numbers without a record", what_,
                                         at + 1, end));
    at = end;
  }
  const auto newest = ask("newest", {});
  if (!newest) return newest.error();
  const auto lost_tags = ask("look_at_tags", {});
  if (!lost_tags) return lost_tags.error();
  if (static_cast<std::uint64_t>(newest->number(0, 0)) != last_ || lost_tags->number(0, 0) != 0)
    return error(errc::io, fmt::format("{} is damaged: it has records or tags that nothing here has written", what_));
  return {};
}

} // namespace

result<std::unique_ptr<journal>> open_postgres_journal(std::string connection, postgres_journal_options how) {
  if (auto fine = internal::check(how); !fine) return fine.error();
  auto made = std::make_unique<postgres_journal>(std::move(connection), std::move(how));
  if (auto connected = made->connect(); !connected) return connected.error();
  return result<std::unique_ptr<journal>>(std::move(made));
}

#endif

} // namespace greenroom
