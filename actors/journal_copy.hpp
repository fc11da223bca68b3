// journal_copy: what a journal in SQLite holds at this moment, to be read while somebody else has it open and writes to it. For reports, checks and
// backups; the journal itself is not touched.
//
//   auto log = open_sqlite_journal_copy("shop.db");          // result<std::unique_ptr<journal>>
//   auto verdict = money::verify_ledger(**log);              // see ledger_verify.hpp
//
// A journal in PostgreSQL needs no copy: open it with postgres_journal_options::read_only.
// Thread safety: as journal. Lifetime: owns the copy, which is gone with it.
#pragma once

#include <filesystem>
#include <memory>

#include <greenroom/actors/journal.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// Copies a journal and its write-ahead log into the folder for temporary files, and opens that. What was committed before the call is in it; what is
/// written to it is lost with it.
/// Requires: the journal is not open in this process: the system's locks of a process on a file end when the process closes that file anywhere.
/// Waits: blocks the thread. Cost: the copy needs as much room as the journal; it is made anew, 10 times at most, if the log is begun anew meanwhile.
/// Errors: not_found, if there is no such file; parse, if it is empty or no journal; io, also if it does not come to rest for long enough; unsupported,
/// in a build without SQLite.
/// Source: the SQLite documentation, "WAL-mode File Format": a page that a checkpoint may be writing is in the log as well, until that is begun anew
/// under another salt.
GREENROOM_EXPORT result<std::unique_ptr<journal>> open_sqlite_journal_copy(const std::filesystem::path& file);

} // namespace greenroom
