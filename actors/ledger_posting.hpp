// ledger_posting: what a ledger has done, one after the other, for those outside who are told: see outbox.hpp.
//
//   task<result<void>> publish(journal_record r) {
//     const auto p = money::posting_of(r);
//     if (!p) co_return p.error();
//     ... p->what, p->from, p->to, p->moved
//   }
//
// Thread safety: as values.
#pragma once

#include <cstdint>
#include <string>

#include <greenroom/actors/journal.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::money {

/// One thing that a ledger has done. Thread safety: as a value.
struct posting {
  std::uint64_t number = 0;      ///< in the order of all postings; know repeated ones by it
  std::int64_t written_at = 0;   ///< Units: milliseconds since 1970, UTC
  std::string key;               ///< of the order
  std::string what;              ///< "open", "close", "transfer", "hold", "capture", "release", "reversal"
  std::string from;              ///< the account, where only one is concerned
  std::string to;                ///< "" where only one is
  std::string currency;          ///< of the accounts
  std::int64_t amount = 0;       ///< moved or held, in minor units
  std::int64_t moved = 0;        ///< from the one account to the other; 0 where nothing moves
  std::uint64_t of = 0;          ///< number of the hold or transfer that it is about; 0: of none
  std::int64_t from_balance = 0; ///< behind it
  std::int64_t to_balance = 0;   ///< behind it
  std::string note;              ///< that of the order
};

/// Reads a record of a ledger's journal. Errors: parse, for a record that no ledger has written.
GREENROOM_EXPORT result<posting> posting_of(const journal_record& record);

} // namespace greenroom::money
