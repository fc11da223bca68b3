#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/internal/sqlite.hpp>

#include <fmt/format.h>

namespace greenroom::internal {

result<sqlite_database> sqlite_database::open(const std::string& file, const std::string& vfs,
                                              const std::string& shown) {
  sqlite_database made;
  made.file_ = shown.empty() ? file : shown;
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                   vfs.empty() ? nullptr : vfs.c_str());
  made.db_.reset(db);
  if (code != SQLITE_OK) return made.failure("open", code);
  sqlite3_extended_result_codes(db, 1);
  return made;
}

result<void> sqlite_database::run(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure("use", code);
  return {};
}

result<sqlite_statement> sqlite_database::prepare(const char* sql) {
  sqlite3_stmt* made = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  if (code != SQLITE_OK) return failure("use", code);
  return sqlite_statement(made);
}

error sqlite_database::failure(const char* what, int code) const {
  // The code is that of the call; the message of the connection may be more exact, if it is about the same.
  const bool same = db_ != nullptr && sqlite3_extended_errcode(db_.get()) == code;
  const char* const why = same ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code);
  const char* const advice = (code & 0xff) == SQLITE_FULL ? "; make room, nothing was lost"
                             : (code & 0xff) == SQLITE_BUSY
                                 ? "; another process uses it: stop that, or name another file"
                                 : "";
  return error(errc::io, fmt::format("cannot {} '{}': {} (SQLite {}){}", what, file_, why, code, advice));
}

result<std::string> sqlite_database::ask(const char* sql) {
  auto made = prepare(sql);
  if (!made) return made.error();
  const int code = made->step();
  if (code == SQLITE_ROW) return made->text(0);
  if (code == SQLITE_DONE) return error(errc::not_found, fmt::format("'{}' has no answer to {}", file_, sql));
  return failure("read", code);
}

} // namespace greenroom::internal
#endif
