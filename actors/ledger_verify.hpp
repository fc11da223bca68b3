// ledger_verify: checks the journal of a ledger as an auditor does: from its first record on, by books of its own, with nothing of what the ledger itself believes.
//
//   auto log = open_sqlite_journal_copy("shop.db");            // or any journal
//   auto found = money::verify_ledger(**log);                  // result<money::ledger_verdict>
//   if (found && !found->sound()) report(found->first[0].text);
//
// Thread safety: pure functions and values; the journal is used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/actors/journal.hpp>
#include <greenroom/actors/ledger_orders.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::money {

/// Something that cannot be in a sound ledger. Thread safety: as a value.
struct ledger_violation {
  std::uint64_t record = 0; ///< at which record of the journal; 0: of the journal as a whole
  std::string text;         ///< a sentence with names and figures
};

/// What the journal of a ledger holds, and what is wrong with it. Thread safety: as a value.
struct ledger_verdict {
  std::uint64_t records = 0; ///< that were read
  std::uint64_t last = 0;    ///< the highest number

  std::uint64_t opened = 0;     ///< accounts
  std::uint64_t closed = 0;     ///< accounts
  std::uint64_t transfers = 0;  ///< between two accounts
  std::uint64_t reversals = 0;  ///< transfers that were moved back
  std::uint64_t holds = 0;      ///< amounts that were set aside
  std::uint64_t captures = 0;   ///< holds that were moved in the end
  std::uint64_t releases = 0;   ///< holds that were given up
  std::uint64_t open_holds = 0; ///< at the end

  std::vector<currency_total> totals;    ///< by the balances that the records say, at the end
  std::optional<std::uint64_t> snapshot; ///< the record that it is of
  std::vector<journal_reader> readers;   ///< outboxes, and how far they are

  std::uint64_t violations = 0;        ///< all of them
  std::vector<ledger_violation> first; ///< of them, in order; those of the whole journal come last
  /// Returns whether nothing is wrong.
  bool sound() const noexcept { return violations == 0; }
};

/// Reads a ledger's journal and checks that
/// - it is undamaged as far as journal::verify() sees, and its numbers have no gap;
/// - each record is one that a ledger writes, with its key, and found by the accounts that it concerns;
/// - each transfer takes from one account what it gives to another of the same currency, both open; the balances that it says are behind it follow from
///   those before; captures and releases end a hold that is there, a reversal moves back a transfer, once; accounts are closed empty;
/// - no account is overdrawn that must not be, what is held of it included;
/// - the balances of each currency add up to zero;
/// - the ledger's own state can be made of it, and its snapshot is what that was at this record;
/// - no reader is beyond the end.
/// A fault is told once, not at each record behind it, as far as can be. `most` violations are kept, all are counted.
/// Waits: blocks the thread, while it reads everything. Errors: those of the journal, if it cannot be read to its end. Cost: some 5 us a record, memory for
/// all accounts and reversals.
GREENROOM_EXPORT result<ledger_verdict> verify_ledger(journal& log, std::size_t most = 20);

} // namespace greenroom::money
