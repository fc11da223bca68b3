#include <greenroom/actors/journal_copy.hpp>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/internal/journal_parts.hpp>
#include <greenroom/actors/internal/sqlite.hpp>
#endif

namespace greenroom {
namespace {

namespace fs = std::filesystem;

constexpr int most_tries = 10;
constexpr std::size_t log_header =
    32; // magic, version, page size, number of the checkpoint, two salts, two checksums. Units: bytes

/// A folder for this process alone, which goes with its content.
class private_folder {
public:
  private_folder() = default;
  private_folder(const private_folder&) = delete;
  private_folder& operator=(const private_folder&) = delete;
  ~private_folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  result<void> make() {
    std::error_code problem;
    auto name = (fs::temp_directory_path(problem) / "greenroom_journal_XXXXXX").native();
    if (problem || ::mkdtemp(name.data()) == nullptr)
      return error(errc::io, fmt::format("cannot make a folder for a copy: {}: {}; TMPDIR names another place", name,
                                         problem ? problem.message() : std::generic_category().message(errno)));
    path_ = name;
    return {};
  }
  const fs::path& path() const noexcept { return path_; }

private:
  fs::path path_;
};

fs::path log_of(const fs::path& file) { return file.native() + "-wal"; }

/// What changes when pages move into the database that may not be in the log any more.
struct generation {
  std::string log; // its header; "" if there is none
  ino_t number = 0;
  off_t size = 0;
  std::int64_t changed = 0;

  bool operator==(const generation& other) const noexcept {
    if (number != other.number || log != other.log) return false;
    return !log.empty() || (size == other.size && changed == other.changed);
  }
};

generation look_at(const fs::path& file) {
  generation g;
  struct stat state {};
  if (::stat(file.c_str(), &state) == 0) {
    g.number = state.st_ino;
    g.size = state.st_size;
    g.changed = state.st_mtim.tv_sec * 1'000'000'000 + state.st_mtim.tv_nsec;
  }
  std::ifstream log(log_of(file), std::ios::binary);
  g.log.resize(log_header);
  log.read(g.log.data(), static_cast<std::streamsize>(log_header));
  if (log.gcount() != static_cast<std::streamsize>(log_header)) g.log.clear();
  return g;
}

result<void> copy(const fs::path& from, const fs::path& to, bool may_be_missing) {
  std::error_code problem;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, problem);
  if (!problem || (may_be_missing && problem == std::errc::no_such_file_or_directory)) return {};
  return error(errc::io, fmt::format("cannot copy '{}' to '{}': {}", from.native(), to.native(), problem.message()));
}

/// The database first: whatever a checkpoint writes into it meanwhile is in the log that is copied behind it.
result<bool> try_to_copy(const fs::path& file, const fs::path& to) {
  std::error_code ignored;
  fs::remove(log_of(to), ignored);
  const auto before = look_at(file);
  if (auto done = copy(file, to, false); !done) return done.error();
  if (auto done = copy(log_of(file), log_of(to), true); !done) return done.error();
  return before == look_at(file);
}

result<void> check_that_it_is_there(const fs::path& file) {
  std::error_code problem;
  if (!fs::is_regular_file(file, problem))
    return error(errc::not_found, fmt::format("there is no journal '{}': {}", file.native(),
                                              problem ? problem.message() : "it is no file"));
  const auto size = fs::file_size(file, problem);
  if (!problem && size == 0 && look_at(file).log.empty())
    return error(errc::parse, fmt::format("'{}' is empty, and no journal", file.native()));
  return {};
}

/// An empty database would be opened as a new journal, and be sound. So would the file of one that was taken without its log.
result<void> check_that_it_is_a_journal(const fs::path& copy, const fs::path& of) {
#ifdef GREENROOM_HAS_SQLITE
  auto db = internal::sqlite_database::open(copy.native(), {});
  if (!db) return {}; // opening it as a journal says why
  const auto tables = db->ask("SELECT count(*) FROM sqlite_schema");
  if (tables && *tables == "0")
    return error(
        errc::parse,
        fmt::format(
            "'{0}' has no journal in it: it is an empty database, or was copied without '{0}-wal', which belongs to it",
            of.native()));
#else
  (void)copy;
  (void)of;
#endif
  return {};
}

/// Opens the copy, whose names then may go: SQLite has the files. Errors, also later ones, name the journal itself.
result<std::unique_ptr<journal>> opened(const fs::path& copy, const fs::path& of) {
  if (auto is = check_that_it_is_a_journal(copy, of); !is) return is.error();
#ifdef GREENROOM_HAS_SQLITE
  return internal::open_sqlite_journal_as(of.native(), copy, {});
#else
  return open_sqlite_journal(of); // says that there is none
#endif
}

} // namespace

result<std::unique_ptr<journal>> open_sqlite_journal_copy(const fs::path& file) {
  if (auto there = check_that_it_is_there(file); !there) return there.error();
  private_folder folder;
  if (auto made = folder.make(); !made) return made.error();
  const auto to = folder.path() / file.filename();
  for (int tries = 0; tries < most_tries; ++tries) {
    const auto whole = try_to_copy(file, to);
    if (!whole) return whole.error();
    if (*whole) return opened(to, file);
  }
  return error(
      errc::io,
      fmt::format("cannot copy '{}': its log was begun anew during each of {} tries; try again when less is written",
                  file.native(), most_tries));
}

} // namespace greenroom
