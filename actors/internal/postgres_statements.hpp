// The tables of a journal in PostgreSQL, and all that is said of them in SQL. {} is the schema, quoted. Thread safety: constants.
#pragma once

namespace greenroom::internal {

struct named_statement {
  const char* name;
  const char* sql; // {} is the schema
};
inline constexpr named_statement journal_statements[] = {
    {"put_record", "INSERT INTO {}.records VALUES($1::bigint, $2::bigint, $3::bytea, $4::bytea, $5::bytea)"},
    {"put_tag", "INSERT INTO {}.tags VALUES($1::bytea, $2::bigint)"},
    {"by_key", "SELECT number, written_at, key, tags, content FROM {}.records WHERE key = $1::bytea"},
    {"by_number", "SELECT number, written_at, key, tags, content FROM {}.records WHERE number = $1::bigint"},
    {"behind", "SELECT number, written_at, key, tags, content FROM {}.records WHERE number > $1::bigint "
               "ORDER BY number LIMIT $2::bigint"},
    {"by_tag", "SELECT r.number, written_at, key, tags, content FROM {0}.tags t JOIN {0}.records r ON r.number = "
               "t.number WHERE tag = $1::bytea AND t.number > $2::bigint ORDER BY t.number LIMIT $3::bigint"},
    {"keys", "SELECT number, key FROM {}.records WHERE number > $1::bigint ORDER BY number LIMIT $2::bigint"},
    {"newest", "SELECT coalesce(max(number), 0) FROM {}.records"},
    {"get_snapshot", "SELECT number, content FROM {}.snapshots"},
    {"put_snapshot", "INSERT INTO {}.snapshots VALUES(1, $1::bigint, $2::bytea) "
                     "ON CONFLICT (id) DO UPDATE SET number = excluded.number, content = excluded.content"},
    {"get_cursor", "SELECT number FROM {}.cursors WHERE reader = $1::bytea"},
    {"get_cursors", "SELECT reader, number FROM {}.cursors ORDER BY reader"},
    {"put_cursor", "INSERT INTO {}.cursors VALUES($1::bytea, $2::bigint) "
                   "ON CONFLICT (reader) DO UPDATE SET number = excluded.number"},
    // md5 has the server read all of what is kept apart from its row, too.
    {"look", "SELECT count(*), sum(length(md5(tags) || md5(content)))::bigint FROM {}.records "
             "WHERE number > $1::bigint AND number <= $2::bigint"},
    {"look_at_tags", "SELECT count(*) FROM {0}.tags t WHERE NOT EXISTS "
                     "(SELECT FROM {0}.records r WHERE r.number = t.number)"},
    {"begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
    {"commit", "COMMIT"},
    {"rollback", "ROLLBACK"},
};

inline constexpr const char* journal_tables[] = {
    ("CREATE TABLE {}.records(number bigint PRIMARY KEY, written_at bigint NOT NULL, key bytea UNIQUE, tags bytea NOT "
     "NULL, content bytea NOT NULL)"),
    "CREATE TABLE {}.tags(tag bytea NOT NULL, number bigint NOT NULL, PRIMARY KEY(tag, number))",
    "CREATE TABLE {}.snapshots(id integer PRIMARY KEY CHECK(id = 1), number bigint NOT NULL, content bytea NOT NULL)",
    "CREATE TABLE {}.cursors(reader bytea PRIMARY KEY, number bigint NOT NULL)",
    "CREATE TABLE {}.greenroom_journal AS SELECT 1::bigint AS version",
};

} // namespace greenroom::internal
