#include <greenroom/actors/detail/build_parts.hpp>

#include <fmt/format.h>

#ifdef GREENROOM_HAS_SQLITE
#include <sqlite3.h>
#endif
#ifdef GREENROOM_HAS_POSTGRES
#include <libpq-fe.h>
#endif

namespace greenroom::detail {

std::vector<build_part> actors_parts() {
  std::vector<build_part> parts;
#ifdef GREENROOM_HAS_SQLITE
  parts.push_back({"SQLite", SQLITE_VERSION, ::sqlite3_libversion(), {}});
#else
  parts.push_back(
      {"SQLite",
       {},
       {},
       "journals and ledgers cannot be kept on disk: build Greenroom with GREENROOM_SQLITE=ON and libsqlite3-dev"});
#endif
#ifdef GREENROOM_HAS_POSTGRES
  parts.push_back(
      {"PostgreSQL client", "yes", fmt::format("{}.{}", ::PQlibVersion() / 10'000, ::PQlibVersion() % 10'000), {}});
#else
  parts.push_back({"PostgreSQL client",
                   {},
                   {},
                   "journals cannot be kept in PostgreSQL: build Greenroom with GREENROOM_POSTGRES=ON and libpq-dev"});
#endif
#ifdef GREENROOM_HAS_TIME_ZONES
  parts.push_back({"time zones", "yes", {}, {}});
#else
  parts.push_back(
      {"time zones",
       {},
       {},
       "cron expressions know UTC alone: build Greenroom with GREENROOM_TIME_ZONES=ON and libhowardhinnant-date-dev"});
#endif
  return parts;
}

} // namespace greenroom::detail
