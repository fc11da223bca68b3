// journal: a log of records on disk that only grows, in SQLite or PostgreSQL. What happened is told by it, in order; a state that is changed by nothing else can
// always be made anew from it (event_sourced.hpp).
//
//   auto log = open_sqlite_journal("shop.db").value();
//   ...
//   (void)log->begin();
//   auto number = log->append({.key = "order-17", .tags = {"customer 7"}, .content = "..."});   // result<std::uint64_t>
//   auto done = log->commit();                                          // on disk, or not at all
//
//   money::ledger books(event_sourced<money::ledger_state>(sys, [] { return open_postgres_journal("dbname=shop"); }));
//
// Waits: every call blocks the thread; in an actor use them through blocking().
// Thread safety: one thread at a time. Lifetime: owns its file, or its connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// What has happened, as a journal keeps it. Thread safety: as a value.
struct journal_record {
  std::uint64_t number = 0;           ///< from 1 without gaps, in the order of append(); which sets it
  std::int64_t written_at = 0;        ///< set by append() unless given. Units: milliseconds since 1970, UTC
  std::string key = {};               ///< what it is found by; "" has none. No two have the same
  std::vector<std::string> tags = {}; ///< what it concerns, for tagged(); none twice, none empty or with a line feed
  std::string content = {};           ///< what happened, in whatever form its writer likes
};

/// A state as it was behind a record, so that a replay need not begin at the first.
struct journal_snapshot {
  std::uint64_t number = 0; ///< of that record
  std::string content = {}; ///< what State::save() has written
};

/// Somebody who reads a journal, and up to which record that is done.
struct journal_reader {
  std::string name;         ///< as it was given to set_cursor()
  std::uint64_t number = 0; ///< of the last record that it is done with
};

/// A log of records that only grows. Thread safety: one thread at a time.
class GREENROOM_EXPORT journal {
public:
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;
  virtual ~journal();

  /// Returns the number of the last record, of the transaction under way too; 0 if there is none.
  virtual std::uint64_t last() const noexcept = 0;

  /// Begins a transaction: what is appended until commit() counts together or not at all. Requires: none is under way. Errors: as append().
  virtual result<void> begin() = 0;
  /// Appends a record and returns its number. Requires: a transaction is under way. Errors: already_exists for a key that is there; invalid_argument for a tag that cannot be; io, naming the
  /// file and the reason, as a full disk. After io the transaction can only be rolled back.
  virtual result<std::uint64_t> append(journal_record record) = 0;
  /// Ends the transaction; returns when its records would survive a power failure. Without anything to write it waits for no disk. Errors: io; none of its records is
  /// then there, unless usable() says that it is not known.
  virtual result<void> commit() = 0;
  /// Ends the transaction without a trace. Does nothing if none is under way.
  virtual void rollback() noexcept = 0;
  /// Returns false once a flush of the disk has failed, or a server was lost during a commit: nobody knows then what is on it. All calls fail until the journal is opened anew.
  virtual bool usable() const noexcept = 0;

  // -- reading: the records of the transaction under way count too. Errors: io -------------------------------------
  /// Returns the record of that key, or nothing. Waits: blocks the thread. Errors: io.
  virtual result<std::optional<journal_record>> find(std::string_view key) = 0;
  /// Returns the record of that number, or nothing. Waits: blocks the thread. Errors: io.
  virtual result<std::optional<journal_record>> read(std::uint64_t number) = 0;
  /// Calls `each` with every record behind `after`, in order, until it fails; then gives its error.
  virtual result<void> replay(std::uint64_t after, const std::function<result<void>(const journal_record&)>& each) = 0;
  /// Returns the first `limit` records behind `after`, in order.
  virtual result<std::vector<journal_record>> behind(std::uint64_t after, std::size_t limit) = 0;
  /// The same of those that have the tag.
  virtual result<std::vector<journal_record>> tagged(std::string_view tag, std::uint64_t after, std::size_t limit) = 0;

  // -- snapshots and readers. Errors: io -----------------------------------------------------------------------------
  /// Returns the newest snapshot, or nothing. Waits: blocks the thread. Errors: io.
  virtual result<std::optional<journal_snapshot>> snapshot() = 0;
  /// Replaces the snapshot. Requires: no transaction is under way.
  virtual result<void> save_snapshot(const journal_snapshot& made) = 0;
  /// Returns up to which record a reader of that name has got, by set_cursor(); 0 for a new one.
  virtual result<std::uint64_t> cursor(std::string_view reader) = 0;
  /// Counts with the transaction under way, if there is one.
  virtual result<void> set_cursor(std::string_view reader, std::uint64_t number) = 0;

  /// Returns all readers, by name.
  virtual result<std::vector<journal_reader>> readers() = 0;

  /// Looks for damage: all of the file, that no number is missing, and that the tags found are those of the records. Errors: io, with what was found. Cost: reads everything.
  virtual result<void> verify() = 0;
  /// Counts the commits that had to wait for the disk.
  virtual std::uint64_t flushes() const noexcept = 0;

protected:
  journal() = default;
};

/// Opens a journal in a SQLite database, or makes one. It has the file for itself: another process that opens it gets an error.
/// ":memory:" makes one that is on no disk and goes with the object, for tests and trials. `vfs` names one that is registered with SQLite; "" is the system's. Errors: io; parse, if the file is no journal; unsupported, in a build without SQLite.
/// Source: the SQLite documentation, "Write-Ahead Logging" and "PRAGMA synchronous".
GREENROOM_EXPORT result<std::unique_ptr<journal>> open_sqlite_journal(const std::filesystem::path& file,
                                                                      const std::string& vfs = {});

/// How a journal in PostgreSQL is reached. Thread safety: as a value.
struct postgres_journal_options {
  /// The name of the journal: its tables have this schema for themselves, which the first use makes. Small letters, digits, '_'; 48 at most; no digit or "pg_" first.
  std::string schema = "greenroom_journal";
  std::chrono::milliseconds connect_limit =
      std::chrono::seconds(5); ///< for each host of the connection string, from 2 s
  /// One statement takes so long at most: then the server ends it. A server that says nothing for this, lock_limit and 2 s together counts as lost.
  std::chrono::milliseconds statement_limit = std::chrono::seconds(30);
  std::chrono::milliseconds lock_limit =
      std::chrono::seconds(2); ///< opening waits so long for another process to let go
  /// The keys of so many records are read when it is opened, for a filter in memory (2 bytes each), so that looking for a key that is new asks nobody. A journal with more
  /// asks the server for each key: one round trip. 0 has no filter.
  std::size_t known_keys = 1'000'000;
  /// Only reads, what was there when it was opened, also while another process has the journal and writes to it: it takes no lock and makes no tables
  /// (not_found, if there are none). begin() and all that writes fail with unsupported.
  bool read_only = false;
};

/// Opens a journal in a PostgreSQL database, or makes one. `connection` is libpq's: key=value pairs or a URI. It has the journal for itself by an advisory lock of its session (so
/// no pooler that shares sessions may be between): another process that opens it gets an error. A commit waits for the server's disk (synchronous_commit = on), and sends the
/// records of a transaction together. A connection that is lost is made again by the next call, if nobody knows less by that; see usable(). Keys, tags and names of readers
/// have 2,000 bytes at most: append() gives invalid_argument.
/// Waits: all waits are bounded, by the options, and by keep-alives of TCP on both sides; replay() and verify() wait so for each part. The name of a host is looked up within the limits of the resolver.
/// Errors: io, never with the password in its text; already_exists, if another process has it; invalid_argument for the options and the connection string; parse, if the schema has tables that are no journal's; unsupported, in a build
/// without PostgreSQL (GREENROOM_POSTGRES=ON), and for a server with fsync = off.
/// Source: the PostgreSQL 15 documentation, "Pipeline Mode", "Advisory Locks" and "Asynchronous Commit".
GREENROOM_EXPORT result<std::unique_ptr<journal>> open_postgres_journal(std::string connection,
                                                                        postgres_journal_options how = {});

} // namespace greenroom
