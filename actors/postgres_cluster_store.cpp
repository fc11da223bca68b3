// The cluster store in PostgreSQL: each call is one statement, by the database's clock.
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/cluster_store.hpp>

#ifdef GREENROOM_HAS_POSTGRES
#include <greenroom/actors/internal/cluster_errors.hpp>
#include <greenroom/actors/internal/journal_parts.hpp>
#include <greenroom/actors/internal/postgres.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/mutex.hpp>
#endif

namespace greenroom {

#ifndef GREENROOM_HAS_POSTGRES

result<std::shared_ptr<cluster_store>> open_postgres_cluster_store(std::string, postgres_cluster_options how) {
  return error(errc::unsupported,
               fmt::format("cannot open the cluster store '{}': this build has no PostgreSQL; install libpq-dev and "
                           "build with GREENROOM_POSTGRES=ON",
                           how.schema));
}

#else

namespace {

using internal::postgres_connection;
using internal::postgres_place;
using internal::postgres_rows;
using internal::postgres_value;

// now() is when the statement began, on the server: behind when the caller began to count, and before any wait for a row. So a lease never ends
// earlier here than its holder thinks, and is never taken for over too early. {} is the schema, quoted.
constexpr std::pair<const char*, const char*> statements[] = {
    {"announce", "INSERT INTO {}.members VALUES($1::bytea, $2::bytea, $3::bigint, "
                 "now() + $4::bigint * interval '1 microsecond') ON CONFLICT (name) DO UPDATE "
                 "SET host = excluded.host, port = excluded.port, until = excluded.until "
                 "WHERE members.until <= now() OR (members.host = excluded.host AND members.port = excluded.port)"},
    {"who_is", "SELECT host, port, (extract(epoch FROM until - now()) * 1000000)::bigint FROM {}.members "
               "WHERE name = $1::bytea"},
    {"withdraw", "DELETE FROM {}.members WHERE name = $1::bytea AND host = $2::bytea AND port = $3::bigint"},
    {"members", "SELECT name, host, port FROM {}.members WHERE until > now() ORDER BY name"},
    {"acquire", "INSERT INTO {}.leases VALUES($1::bytea, $2::bytea, 1, "
                "now() + $3::bigint * interval '1 microsecond') ON CONFLICT (name) DO UPDATE "
                "SET holder = excluded.holder, token = leases.token + 1, until = excluded.until "
                "WHERE leases.until <= now() RETURNING token"},
    {"renew", "UPDATE {}.leases SET until = now() + $3::bigint * interval '1 microsecond' "
              "WHERE name = $1::bytea AND token = $2::bigint AND until > now() RETURNING token"},
    {"release", "UPDATE {}.leases SET until = '-infinity' WHERE name = $1::bytea AND token = $2::bigint"},
    {"look", "SELECT holder, token FROM {}.leases WHERE name = $1::bytea AND until > now()"},
};

constexpr const char* tables[] = {
    "CREATE TABLE {}.members(name bytea PRIMARY KEY, host bytea NOT NULL, port bigint NOT NULL, until timestamptz NOT "
    "NULL)",
    "CREATE TABLE {}.leases(name bytea PRIMARY KEY, holder bytea NOT NULL, token bigint NOT NULL, until timestamptz "
    "NOT NULL)",
    "CREATE TABLE {}.greenroom_cluster AS SELECT 1::bigint AS version",
};

std::int64_t microseconds(duration ttl) { return std::chrono::ceil<std::chrono::microseconds>(ttl).count(); }

class postgres_store final : public cluster_store {
public:
  postgres_store(std::string connection, postgres_cluster_options how)
      : what_(fmt::format("the cluster store '{}' in PostgreSQL", how.schema)),
        where_{std::move(connection), what_, how.connect_limit, how.statement_limit + std::chrono::seconds(1)},
        schema_('"' + how.schema + '"'),
        how_(std::move(how)) {}

  result<void> connect();

  task<result<void>> announce(cluster_member who, duration ttl) override {
    return call(&postgres_store::announce_now, std::move(who), ttl);
  }
  task<result<void>> withdraw(cluster_member who) override {
    return call(&postgres_store::withdraw_now, std::move(who));
  }
  task<result<std::vector<cluster_member>>> members() override { return call(&postgres_store::members_now); }
  task<result<lease>> acquire(std::string name, std::string holder, duration ttl) override {
    return call(&postgres_store::acquire_now, std::move(name), std::move(holder), ttl);
  }
  task<result<void>> renew(lease held, duration ttl) override {
    return call(&postgres_store::renew_now, std::move(held), ttl);
  }
  task<result<void>> release(lease held) override { return call(&postgres_store::release_now, std::move(held)); }
  task<result<std::optional<lease>>> look(std::string name) override {
    return call(&postgres_store::look_now, std::move(name));
  }

private:
  /// One call at a time has the connection; the others wait as actors, not on blocking threads.
  template <class T, class... Params, class... Args>
  task<result<T>> call(result<T> (postgres_store::*method)(Params...), Args... args) {
    const auto has_it = co_await turn_.lock();
    auto doing = [this, method, ... args = std::move(args)]() mutable { return (this->*method)(std::move(args)...); };
    auto done = co_await blocking(std::move(doing));
    co_return done;
  }

  // -- these block ---------------------------------------------------------------------------------
  result<void> announce_now(cluster_member who, duration ttl);
  result<void> withdraw_now(cluster_member who) {
    return done(ask("withdraw", {std::string_view(who.name), std::string_view(who.host), std::uint64_t{who.port}}));
  }
  result<std::vector<cluster_member>> members_now();
  result<lease> acquire_now(std::string name, std::string holder, duration ttl);
  result<void> renew_now(lease held, duration ttl);
  result<void> release_now(lease held) { return done(ask("release", {std::string_view(held.name), held.token})); }
  result<std::optional<lease>> look_now(std::string name);

  static result<void> done(const result<postgres_rows>& rows) { return rows ? result<void>() : rows.error(); }
  result<postgres_rows> ask(const char* statement, std::initializer_list<postgres_value> with);
  result<void> settle();
  result<void> ensure_tables();
  result<void> make_tables();
  result<bool> has(const char* table);

  const std::string what_;
  const postgres_place where_;
  const std::string schema_; // quoted: it may be a word of SQL
  const postgres_cluster_options how_;
  mutex turn_;
  postgres_connection db_; // guarded by turn_
};

result<void> postgres_store::connect() {
  auto made = postgres_connection::open(where_);
  if (!made) return made.error();
  db_ = *std::move(made);
  auto settled = settle();
  if (!settled) db_.close();
  return settled;
}

result<void> postgres_store::settle() {
  for (const auto& setting : {std::string("SET synchronous_commit = on"),
                              fmt::format("SET statement_timeout = {}", how_.statement_limit.count())}) {
    if (auto set = db_.run(setting); !set) return set.error();
  }
  if (auto made = ensure_tables(); !made) return made;
  for (const auto& [name, sql] : statements) {
    if (auto prepared = db_.prepare(name, fmt::format(fmt::runtime(sql), schema_)); !prepared) return prepared;
  }
  return {};
}

result<bool> postgres_store::has(const char* table) {
  const auto rows = db_.run(fmt::format("SELECT (to_regclass('{}.{}') IS NOT NULL)::int::bigint", schema_, table));
  if (!rows) return rows.error();
  return rows->number(0, 0) == 1;
}

/// Members that open it at the same time make them one after the other. The lock is the session's, since a transaction that waits for it goes on by what it knew of
/// the catalogue when it began; if this fails, the connection is closed.
result<void> postgres_store::ensure_tables() {
  auto is_there = has("greenroom_cluster");
  if (!is_there) return is_there.error();
  if (*is_there) return {};
  const auto key = fmt::format("(hashtextextended('greenroom cluster {}', 0))", how_.schema);
  if (auto locked = db_.run("SELECT pg_advisory_lock" + key); !locked) return locked.error();
  is_there = has("greenroom_cluster");
  if (!is_there) return is_there.error();
  if (!*is_there) {
    if (auto made = make_tables(); !made) return made;
  }
  return done(db_.run("SELECT pg_advisory_unlock" + key));
}

result<void> postgres_store::make_tables() {
  const auto taken = has("leases");
  if (!taken) return taken.error();
  if (*taken)
    return error(errc::parse,
                 fmt::format("cannot use {}: the schema has tables of something else; name another schema", what_));
  const auto has_schema = db_.run(fmt::format("SELECT (to_regnamespace('{}') IS NOT NULL)::int::bigint", schema_));
  if (!has_schema) return has_schema.error();
  if (auto begun = db_.run("BEGIN"); !begun) return begun.error();
  if (has_schema->number(0, 0) == 0) { // who may not make one can be given one
    if (auto made = db_.run(fmt::format("CREATE SCHEMA {}", schema_)); !made) return made.error();
  }
  for (const auto* table : tables) {
    if (auto made = db_.run(fmt::format(fmt::runtime(table), schema_)); !made) return made.error();
  }
  return done(db_.run("COMMIT"));
}

result<postgres_rows> postgres_store::ask(const char* statement, std::initializer_list<postgres_value> with) {
  db_.notice_end();
  if (!db_.alive()) {
    if (auto connected = connect(); !connected) return connected.error();
  }
  return db_.ask(statement, with);
}

result<void> postgres_store::announce_now(cluster_member who, duration ttl) {
  if (auto fine = internal::check_ttl("announce", who.name, ttl); !fine) return fine;
  const auto rows = ask(
      "announce", {std::string_view(who.name), std::string_view(who.host), std::uint64_t{who.port}, microseconds(ttl)});
  if (!rows) return rows.error();
  if (rows->done() == "INSERT 0 1") return {};
  const auto has = ask("who_is", {std::string_view(who.name)});
  if (!has) return has.error();
  if (has->size() == 0) return internal::name_taken(who, {who.name, "a place that it has left", 0}, {});
  return internal::name_taken(who, {who.name, has->bytes(0, 0), static_cast<std::uint16_t>(has->number(0, 1))},
                              std::chrono::microseconds(has->number(0, 2)));
}

result<std::vector<cluster_member>> postgres_store::members_now() {
  const auto rows = ask("members", {});
  if (!rows) return rows.error();
  std::vector<cluster_member> all;
  for (int i = 0; i < rows->size(); ++i)
    all.push_back({rows->bytes(i, 0), rows->bytes(i, 1), static_cast<std::uint16_t>(rows->number(i, 2))});
  return all;
}

result<lease> postgres_store::acquire_now(std::string name, std::string holder, duration ttl) {
  if (auto fine = internal::check_ttl("acquire", name, ttl); !fine) return fine.error();
  const auto rows = ask("acquire", {std::string_view(name), std::string_view(holder), microseconds(ttl)});
  if (!rows) return rows.error();
  if (rows->size() == 1)
    return lease{std::move(name), std::move(holder), static_cast<std::uint64_t>(rows->number(0, 0))};
  const auto has = look_now(name);
  if (!has) return has.error();
  return internal::lease_taken(*has ? **has : lease{name, "somebody who has just let go of it", 0});
}

result<void> postgres_store::renew_now(lease held, duration ttl) {
  if (auto fine = internal::check_ttl("renew", held.name, ttl); !fine) return fine;
  const auto rows = ask("renew", {std::string_view(held.name), held.token, microseconds(ttl)});
  if (!rows) return rows.error();
  return rows->size() == 1 ? result<void>() : internal::lease_over(held);
}

result<std::optional<lease>> postgres_store::look_now(std::string name) {
  const auto rows = ask("look", {std::string_view(name)});
  if (!rows) return rows.error();
  if (rows->size() == 0) return std::optional<lease>();
  lease held{std::move(name), rows->bytes(0, 0), static_cast<std::uint64_t>(rows->number(0, 1))};
  return std::optional<lease>(std::move(held));
}

} // namespace

result<std::shared_ptr<cluster_store>> open_postgres_cluster_store(std::string connection,
                                                                   postgres_cluster_options how) {
  postgres_journal_options like;
  like.schema = how.schema;
  like.connect_limit = how.connect_limit;
  like.statement_limit = how.statement_limit;
  if (auto fine = internal::check(like, "a cluster store"); !fine) return fine.error();
  auto made = std::make_shared<postgres_store>(std::move(connection), std::move(how));
  if (auto connected = made->connect(); !connected) return connected.error();
  return std::shared_ptr<cluster_store>(std::move(made));
}

#endif

} // namespace greenroom
