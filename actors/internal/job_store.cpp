#include <greenroom/actors/internal/job_store.hpp>

#include <chrono>
#include <utility>

#include <fmt/format.h>

#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/internal/sqlite.hpp>
#endif

namespace greenroom::internal {

job_store::~job_store() = default;

#ifndef GREENROOM_HAS_SQLITE

result<std::unique_ptr<job_store>> job_store::open(const std::string& file, const std::string&) {
  return error(errc::unsupported,
               fmt::format("cannot open the jobs '{}': this build has no SQLite; install libsqlite3-dev and build with "
                           "GREENROOM_SQLITE=ON",
                           file));
}

#else

namespace {

// As for a journal: a commit waits for the flush, and nobody else may write in between.
constexpr const char* settings =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;";
constexpr const char* schema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE jobs(name TEXT PRIMARY KEY, schedule TEXT NOT NULL, paused INTEGER NOT NULL, settled INTEGER NOT "
    "NULL,"
    " runs INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE runs(job TEXT NOT NULL, number INTEGER NOT NULL, due INTEGER NOT NULL, started INTEGER NOT NULL,"
    " ended INTEGER NOT NULL, outcome TEXT NOT NULL, error TEXT NOT NULL, by_hand INTEGER NOT NULL,"
    " PRIMARY KEY(job, number)) WITHOUT ROWID;"
    "PRAGMA application_id = 1196583522; PRAGMA user_version = 1;" // "GRjb"
    "COMMIT;";

std::int64_t to_number(wall_time t) {
  return std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count();
}
wall_time to_time(std::int64_t ms) { return wall_time(std::chrono::milliseconds(ms)); }

/// An open database with its statements.
struct open_store {
  sqlite_database db; // before its statements
  sqlite_statement put_job, put_run, drop_old, drop_runs, drop_job, begin, commit, rollback;
};

class sqlite_job_store final : public job_store {
public:
  sqlite_job_store(std::string file, std::string vfs) : file_(std::move(file)), vfs_(std::move(vfs)) {}

  result<void> open();
  result<std::vector<kept_job>> load() override;
  result<void> save(const job_changes& changes) override;

private:
  result<void> set_up(open_store& s) const;
  result<void> write(const job_changes& changes);
  result<void> step(sqlite_statement& s);
  result<std::vector<job_run>> runs_of(sqlite_statement& s, const std::string& job) const;

  const std::string file_, vfs_;
  std::optional<open_store> open_; // none: to be opened anew
};

result<void> sqlite_job_store::open() {
  auto db = sqlite_database::open(file_, vfs_);
  if (!db) return db.error();
  open_store made{*std::move(db), {}, {}, {}, {}, {}, {}, {}, {}};
  if (auto set = set_up(made); !set) return set;
  open_.emplace(std::move(made));
  return {};
}

result<void> sqlite_job_store::set_up(open_store& s) const {
  if (auto set = s.db.run(settings); !set) return set;
  const auto mode = s.db.ask("PRAGMA journal_mode = WAL");
  if (!mode) return mode.error();
  const auto version =
      s.db.ask("SELECT (SELECT * FROM pragma_application_id) || ' ' || (SELECT * FROM pragma_user_version) || ' ' || "
               "(SELECT count(*) FROM sqlite_schema)");
  if (!version) return version.error();
  if (*version == "0 0 0") {
    if (auto made = s.db.run(schema); !made) return made;
  } else if (!version->starts_with("1196583522 1 ")) {
    return error(
        errc::parse,
        fmt::format("cannot use '{}': it is a database, but not one of jobs of this version; name another file",
                    file_));
  }
  struct wanted {
    sqlite_statement* to;
    const char* sql;
  };
  for (const auto& [to, sql] : {
           wanted{&s.put_job, "INSERT OR REPLACE INTO jobs VALUES(?, ?, ?, ?, ?)"},
           wanted{&s.put_run, "INSERT OR REPLACE INTO runs VALUES(?, ?, ?, ?, ?, ?, ?, ?)"},
           wanted{&s.drop_old, "DELETE FROM runs WHERE job = ? AND number < ?"},
           wanted{&s.drop_runs, "DELETE FROM runs WHERE job = ?"},
           wanted{&s.drop_job, "DELETE FROM jobs WHERE name = ?"},
           wanted{&s.begin, "BEGIN IMMEDIATE"},
           wanted{&s.commit, "COMMIT"},
           wanted{&s.rollback, "ROLLBACK"},
       }) {
    auto made = s.db.prepare(sql);
    if (!made) return made.error();
    *to = *std::move(made);
  }
  return {};
}

result<std::vector<job_run>> sqlite_job_store::runs_of(sqlite_statement& s, const std::string& job) const {
  std::vector<job_run> found;
  int code = s.begin(std::string_view(job)).step();
  for (; code == SQLITE_ROW; code = s.step()) {
    const auto outcome = parse_run_outcome(s.text(4));
    if (!outcome)
      return error(errc::parse, fmt::format("cannot use '{}': the run {} of '{}' has ended in no known way, '{}'",
                                            file_, s.number(0), job, s.text(4)));
    found.push_back({static_cast<std::uint64_t>(s.number(0)), to_time(s.number(1)), to_time(s.number(2)),
                     to_time(s.number(3)), *outcome, s.text(5), s.number(6) != 0});
  }
  s.end();
  if (code != SQLITE_DONE) return open_->db.failure("read", code);
  return found;
}

result<std::vector<kept_job>> sqlite_job_store::load() {
  auto jobs = open_->db.prepare("SELECT name, schedule, paused, settled, runs FROM jobs ORDER BY name");
  if (!jobs) return jobs.error();
  auto runs = open_->db.prepare("SELECT number, due, started, ended, outcome, error, by_hand FROM runs WHERE job = ? "
                                "ORDER BY number DESC");
  if (!runs) return runs.error();
  std::vector<kept_job> found;
  int code = jobs->begin().step();
  for (; code == SQLITE_ROW; code = jobs->step()) {
    kept_job job{jobs->text(0),
                 jobs->text(1),
                 jobs->number(2) != 0,
                 to_time(jobs->number(3)),
                 static_cast<std::uint64_t>(jobs->number(4)),
                 0,
                 {}};
    auto its = runs_of(*runs, job.name);
    if (!its) return its.error();
    job.found = *std::move(its);
    found.push_back(std::move(job));
  }
  if (code != SQLITE_DONE) return open_->db.failure("read", code);
  return found;
}

result<void> sqlite_job_store::step(sqlite_statement& s) {
  const int code = s.step();
  s.end();
  if (code != SQLITE_DONE) return open_->db.failure("write to", code);
  return {};
}

result<void> sqlite_job_store::write(const job_changes& changes) {
  auto& s = *open_;
  if (auto begun = step(s.begin.begin()); !begun) return begun;
  for (const auto& name : changes.gone) {
    const std::string_view job(name);
    if (auto done = step(s.drop_runs.begin(job)); !done) return done;
    if (auto done = step(s.drop_job.begin(job)); !done) return done;
  }
  for (const auto& j : changes.jobs) {
    const std::string_view job(j.name), when(j.when);
    if (auto done = step(s.put_job.begin(job, when, std::int64_t{j.paused}, to_number(j.settled), j.runs)); !done)
      return done;
    for (const auto& r : j.found) {
      const std::string_view outcome(to_string(r.outcome)), why(r.error);
      if (auto done = step(s.put_run.begin(job, r.number, to_number(r.due), to_number(r.started), to_number(r.ended),
                                           outcome, why, std::int64_t{r.by_hand}));
          !done)
        return done;
    }
    if (auto done = step(s.drop_old.begin(job, j.oldest)); !done) return done;
  }
  return step(s.commit.begin());
}

result<void> sqlite_job_store::save(const job_changes& changes) {
  if (!open_) {
    if (auto opened = open(); !opened) return opened;
  }
  auto done = write(changes);
  if (!done) {
    (void)open_->rollback.begin().step(); // after some failures SQLite has done it already
    open_.reset();                        // after a failed flush nobody knows what is on disk
  }
  return done;
}

} // namespace

result<std::unique_ptr<job_store>> job_store::open(const std::string& file, const std::string& vfs) {
  auto made = std::make_unique<sqlite_job_store>(file, vfs);
  if (auto opened = made->open(); !opened) return opened.error();
  return result<std::unique_ptr<job_store>>(std::move(made));
}

#endif

} // namespace greenroom::internal
