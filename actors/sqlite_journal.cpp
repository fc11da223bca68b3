// The journal in SQLite: a commit is one flush of the write-ahead log.
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/journal.hpp>

#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/internal/journal_parts.hpp>
#include <greenroom/actors/internal/sqlite.hpp>
#endif

namespace greenroom {

journal::~journal() = default;

#ifndef GREENROOM_HAS_SQLITE

result<std::unique_ptr<journal>> open_sqlite_journal(const std::filesystem::path& file, const std::string&) {
  return error(
      errc::unsupported,
      fmt::format("cannot open the journal '{}': this build has no SQLite; install libsqlite3-dev and build with "
                  "GREENROOM_SQLITE=ON",
                  file.native()));
}

#else

namespace {

using internal::joined_tags;
using internal::journal_time;
using internal::sqlite_database;
using internal::sqlite_statement;
using internal::tags_apart;

// FULL: the commit waits for the flush. EXCLUSIVE: nobody else may append in between; the index of the log is in memory then.
constexpr const char* settings =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
    "PRAGMA temp_store = MEMORY;";
constexpr const char* schema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE records(number INTEGER PRIMARY KEY, written_at INTEGER NOT NULL, key TEXT UNIQUE, tags TEXT NOT "
    "NULL, content TEXT NOT "
    "NULL);"
    "CREATE TABLE tags(tag TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY(tag, number)) WITHOUT ROWID;"
    "CREATE TABLE snapshots(id INTEGER PRIMARY KEY CHECK(id = 1), number INTEGER NOT NULL, content TEXT NOT NULL);"
    "CREATE TABLE cursors(reader TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA application_id = 1196576364; PRAGMA user_version = 1;" // "GRjl"
    "COMMIT;";

class sqlite_journal final : public journal {
public:
  sqlite_journal(sqlite_database db, std::string file) : db_(std::move(db)), file_(std::move(file)) {}
  ~sqlite_journal() override { rollback(); }

  result<void> set_up();

  std::uint64_t last() const noexcept override { return last_; }
  result<void> begin() override;
  result<std::uint64_t> append(journal_record record) override;
  result<void> commit() override;
  void rollback() noexcept override;
  bool usable() const noexcept override { return usable_; }

  result<std::optional<journal_record>> find(std::string_view key) override { return one(by_key_, key); }
  result<std::optional<journal_record>> read(std::uint64_t number) override { return one(by_number_, number); }
  result<void> replay(std::uint64_t after, const std::function<result<void>(const journal_record&)>& each) override;
  result<std::vector<journal_record>> behind(std::uint64_t after, std::size_t limit) override {
    return some(behind_.begin(after, static_cast<std::uint64_t>(limit)));
  }
  result<std::vector<journal_record>> tagged(std::string_view tag, std::uint64_t after, std::size_t limit) override {
    return some(by_tag_.begin(tag, after, static_cast<std::uint64_t>(limit)));
  }

  result<std::optional<journal_snapshot>> snapshot() override;
  result<void> save_snapshot(const journal_snapshot& made) override {
    return write(put_snapshot_.begin(made.number, std::string_view(made.content)));
  }
  result<std::uint64_t> cursor(std::string_view reader) override;
  result<void> set_cursor(std::string_view reader, std::uint64_t number) override {
    moved_ = true;
    return write(put_cursor_.begin(reader, number));
  }
  result<std::vector<journal_reader>> readers() override;
  result<void> verify() override;
  std::uint64_t flushes() const noexcept override { return flushes_; }

private:
  result<void> check_usable() const;
  error fail(const char* what, int code);
  result<void> write(sqlite_statement& s);
  result<std::vector<journal_record>> some(sqlite_statement& s);
  template <class Value>
  result<std::optional<journal_record>> one(sqlite_statement& s, const Value& by);
  static journal_record record_of(const sqlite_statement& s) {
    return {static_cast<std::uint64_t>(s.number(0)), s.number(1), s.text(2), tags_apart(s.text(3)), s.text(4)};
  }

  sqlite_database db_; // before its statements
  const std::string file_;
  sqlite_statement put_record_, put_tag_, by_key_, by_number_, behind_, by_tag_, get_snapshot_, put_snapshot_,
      get_cursor_, get_cursors_, put_cursor_, begin_, commit_, rollback_;
  std::uint64_t last_ = 0;
  std::uint64_t committed_ = 0; // the last that is on disk
  bool open_ = false;           // a transaction is under way
  bool moved_ = false;          // a cursor, in it
  bool usable_ = true;
  std::uint64_t flushes_ = 0;
};

result<void> sqlite_journal::set_up() {
  if (auto set = db_.run(settings); !set) return set;
  const auto mode = db_.ask("PRAGMA journal_mode = WAL");
  if (!mode) return mode.error();
  if (*mode != (file_ == ":memory:" ? "memory" : "wal"))
    return error(errc::unsupported, fmt::format("cannot use '{}': it can have no write-ahead log ({})", file_, *mode));
  const auto version =
      db_.ask("SELECT (SELECT * FROM pragma_application_id) || ' ' || (SELECT * FROM pragma_user_version) || ' ' || "
              "(SELECT count(*) FROM sqlite_schema)");
  if (!version) return version.error();
  if (*version == "0 0 0") {
    if (auto made = db_.run(schema); !made) return made;
  } else if (!version->starts_with("1196576364 1 ")) {
    return error(
        errc::parse,
        fmt::format("cannot use '{}': it is a database, but no journal of this version; name another file", file_));
  }
  struct wanted {
    sqlite_statement* to;
    const char* sql;
  };
  for (const auto& [to, sql] : {
           wanted{&put_record_, "INSERT INTO records VALUES(?, ?, ?, ?, ?)"},
           wanted{&put_tag_, "INSERT INTO tags VALUES(?, ?)"},
           wanted{&by_key_, "SELECT number, written_at, key, tags, content FROM records WHERE key = ?"},
           wanted{&by_number_, "SELECT number, written_at, key, tags, content FROM records WHERE number = ?"},
           wanted{
               &behind_,
               "SELECT number, written_at, key, tags, content FROM records WHERE number > ? ORDER BY number LIMIT ?"},
           wanted{&by_tag_,
                  "SELECT r.number, written_at, key, tags, content FROM tags t JOIN records r ON r.number = t.number "
                  "WHERE tag = ? AND t.number > ? ORDER BY t.number LIMIT ?"},
           wanted{&get_snapshot_, "SELECT number, content FROM snapshots"},
           wanted{&put_snapshot_, "INSERT OR REPLACE INTO snapshots VALUES(1, ?, ?)"},
           wanted{&get_cursor_, "SELECT number FROM cursors WHERE reader = ?"},
           wanted{&get_cursors_, "SELECT number, reader FROM cursors ORDER BY reader"},
           wanted{&put_cursor_, "INSERT OR REPLACE INTO cursors VALUES(?, ?)"},
           wanted{&begin_, "BEGIN IMMEDIATE"},
           wanted{&commit_, "COMMIT"},
           wanted{&rollback_, "ROLLBACK"},
       }) {
    auto made = db_.prepare(sql);
    if (!made) return made.error();
    *to = *std::move(made);
  }
  const auto newest = db_.ask("SELECT coalesce(max(number), 0) FROM records");
  if (!newest) return newest.error();
  last_ = committed_ = std::stoull(*newest);
  return {};
}

result<void> sqlite_journal::check_usable() const {
  if (usable_) return {};
  return error(
      errc::io,
      fmt::format("the journal '{}' is not used any more, as the disk has failed: what is on it is unknown until the "
                  "journal is opened anew",
                  file_));
}

error sqlite_journal::fail(const char* what, int code) {
  const int kind = code & 0xff;
  if (kind == SQLITE_IOERR || kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB) usable_ = false;
  return db_.failure(what, code);
}

result<void> sqlite_journal::write(sqlite_statement& s) {
  if (auto fine = check_usable(); !fine) return fine;
  const int code = s.step();
  s.end();
  if (code != SQLITE_DONE) return fail("write to", code);
  return {};
}

result<void> sqlite_journal::begin() {
  auto begun = write(begin_.begin());
  open_ = begun.has_value();
  moved_ = false;
  return begun;
}

result<std::uint64_t> sqlite_journal::append(journal_record record) {
  const auto number = last_ + 1;
  if (record.written_at == 0) record.written_at = journal_time();
  if (auto fine = check_usable(); !fine) return fine.error();
  const auto tags = joined_tags(record.tags);
  if (!tags) return tags.error();
  const std::string_view content(record.content), all_tags(*tags);
  record.key.empty() ? put_record_.begin(number, record.written_at, nullptr, all_tags, content)
                     : put_record_.begin(number, record.written_at, std::string_view(record.key), all_tags, content);
  const int code = put_record_.step();
  put_record_.end();
  if (code == SQLITE_CONSTRAINT_UNIQUE)
    return error(errc::already_exists, fmt::format("'{}' has a record of the key '{}' already", file_, record.key));
  if (code != SQLITE_DONE) return fail("write to", code);
  for (const auto& tag : record.tags) {
    if (auto put = write(put_tag_.begin(std::string_view(tag), number)); !put) return put.error();
  }
  return last_ = number;
}

result<void> sqlite_journal::commit() {
  const bool wrote = last_ != committed_ || moved_;
  auto done = write(commit_.begin());
  if (!done) {
    rollback();
    return done;
  }
  open_ = false;
  committed_ = last_;
  if (wrote) ++flushes_;
  return {};
}

void sqlite_journal::rollback() noexcept {
  if (!std::exchange(open_, false)) return;
  rollback_.begin().step(); // after some failures SQLite has done it already
  rollback_.end();
  last_ = committed_;
}

template <class Value>
result<std::optional<journal_record>> sqlite_journal::one(sqlite_statement& s, const Value& by) {
  if (auto fine = check_usable(); !fine) return fine.error();
  const int code = s.begin(by).step();
  if (code == SQLITE_DONE) return std::optional<journal_record>();
  if (code != SQLITE_ROW) return fail("read", code);
  std::optional<journal_record> found(record_of(s));
  s.end();
  return found;
}

result<void> sqlite_journal::replay(std::uint64_t after,
                                    const std::function<result<void>(const journal_record&)>& each) {
  if (auto fine = check_usable(); !fine) return fine;
  int code = behind_.begin(after, std::int64_t{-1}).step(); // all of them
  for (; code == SQLITE_ROW; code = behind_.step()) {
    if (auto done = each(record_of(behind_)); !done) {
      behind_.end();
      return done;
    }
  }
  behind_.end();
  if (code != SQLITE_DONE) return fail("read", code);
  return {};
}

result<std::vector<journal_record>> sqlite_journal::some(sqlite_statement& s) {
  if (auto fine = check_usable(); !fine) return fine.error();
  std::vector<journal_record> found;
  int code = s.step();
  for (; code == SQLITE_ROW; code = s.step()) found.push_back(record_of(s));
  s.end();
  if (code != SQLITE_DONE) return fail("read", code);
  return found;
}

result<std::optional<journal_snapshot>> sqlite_journal::snapshot() {
  if (auto fine = check_usable(); !fine) return fine.error();
  const int code = get_snapshot_.begin().step();
  std::optional<journal_snapshot> found;
  if (code == SQLITE_ROW) found = {static_cast<std::uint64_t>(get_snapshot_.number(0)), get_snapshot_.text(1)};
  get_snapshot_.end();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return fail("read", code);
  return found;
}

result<std::uint64_t> sqlite_journal::cursor(std::string_view reader) {
  if (auto fine = check_usable(); !fine) return fine.error();
  const int code = get_cursor_.begin(reader).step();
  const auto number = code == SQLITE_ROW ? static_cast<std::uint64_t>(get_cursor_.number(0)) : 0;
  get_cursor_.end();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return fail("read", code);
  return number;
}

result<std::vector<journal_reader>> sqlite_journal::readers() {
  if (auto fine = check_usable(); !fine) return fine.error();
  std::vector<journal_reader> all;
  int code = get_cursors_.begin().step();
  for (; code == SQLITE_ROW; code = get_cursors_.step())
    all.push_back({get_cursors_.text(1), static_cast<std::uint64_t>(get_cursors_.number(0))});
  get_cursors_.end();
  if (code != SQLITE_DONE) return fail("read", code);
  return all;
}

result<void> sqlite_journal::verify() {
  if (auto fine = check_usable(); !fine) return fine;
  const auto found = db_.ask("PRAGMA integrity_check(1)");
  if (!found) return found.error();
  if (*found != "ok") return error(errc::io, fmt::format("'{}' is damaged: {}", file_, *found));
  std::uint64_t records = 0, newest = 0, tags = 0;
  const auto counted = replay(0, [&](const journal_record& r) -> result<void> {
    ++records;
    newest = r.number;
    tags += r.tags.size();
    return {};
  });
  if (!counted) return counted;
  if (records != newest)
    return error(errc::io, fmt::format("'{}' is damaged: there are numbers without a record", file_));
  // As bytes: a text would end at its first zero.
  const auto listed =
      db_.ask("SELECT count(*) || ' ' || count(r.number) FROM tags t LEFT JOIN records r ON r.number = t.number AND "
              "instr(x'0a' || CAST(r.tags AS BLOB) || x'0a', x'0a' || CAST(t.tag AS BLOB) || x'0a') > 0");
  if (!listed) return listed.error();
  if (*listed != fmt::format("{0} {0}", tags))
    return error(errc::io, fmt::format("'{}' is damaged: the list of tags is not that of the records", file_));
  return {};
}

} // namespace

result<std::unique_ptr<journal>>
internal::open_sqlite_journal_as(const std::string& shown, const std::filesystem::path& file, const std::string& vfs) {
  auto db = sqlite_database::open(file.native(), vfs, shown);
  if (!db) return db.error();
  auto made = std::make_unique<sqlite_journal>(*std::move(db), shown);
  if (auto set = made->set_up(); !set) return set.error();
  return result<std::unique_ptr<journal>>(std::move(made));
}

result<std::unique_ptr<journal>> open_sqlite_journal(const std::filesystem::path& file, const std::string& vfs) {
  return internal::open_sqlite_journal_as(file.native(), file, vfs);
}

#endif

} // namespace greenroom
