// ledger_orders: what a ledger is asked, and what it answers. Amounts are whole minor units (cents), always above zero; there is no floating point.
// Each order has a key of the client's choice: sent again with the same content it does nothing and gives the first answer, also years later.
// Thread safety: as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::money {

/// Why an order was refused. The numbers are fixed.
enum class fault : std::uint8_t {
  invalid_order = 1, ///< a key, name, currency or amount is out of its range
  key_reused = 2,    ///< the key belongs to an order of other content
  unknown_account = 3,
  account_exists = 4,
  account_closed = 5,
  account_not_empty = 6, ///< one with a balance or a hold cannot be closed
  currency_mismatch = 7,
  insufficient_funds = 8,
  overflow = 9, ///< a balance would leave the range of 64 bits
  unknown_transfer = 10,
  already_reversed = 11,
  unknown_hold = 12,  ///< there is none of that number, or it has ended
  hold_exceeded = 13, ///< more than the hold was to be captured
  unavailable =
      14, ///< not decided, or not known: no answer came in time, or the journal failed. Send it again with the same key
};

/// Returns the fault's name as it is spelled, for answers and metrics.
GREENROOM_EXPORT const char* to_string(fault why) noexcept;

/// Why an order was not carried out. Thread safety: as a value.
struct refusal {
  fault why;        ///< for programs
  std::string text; ///< a sentence with names and figures
};

/// A value, or why there is none.
template <class T>
class [[nodiscard]] answer {
public:
  /// Holds a value, or a refusal.
  answer(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  answer(refusal why) : held_(std::in_place_index<1>, std::move(why)) {}
  /// Returns whether there is a value.
  bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  /// Requires: there is a value.
  const T& operator*() const noexcept { return *std::get_if<0>(&held_); }
  const T* operator->() const noexcept { return std::get_if<0>(&held_); }
  /// Requires: there is none.
  const refusal& error() const noexcept { return *std::get_if<1>(&held_); }

private:
  std::variant<T, refusal> held_;
};

/// An order that was carried out.
struct receipt {
  std::uint64_t number = 0; ///< of the record in the journal: that of a transfer or hold is its name from now on
  bool repeated = false;    ///< it was carried out before, by an order of the same key
  std::int64_t moved = 0;   ///< from the one account to the other; 0 where nothing moves
};

// -- orders: keys have 1 to 128 bytes, names of accounts 1 to 64, notes at most 256; all are UTF-8 without control characters -------------

/// Makes an account. One that may be negative stands for the world outside: money comes into the ledger from it.
struct open_account {
  /// The key of the order, the name of the account, and its currency.
  std::string key, account, currency; ///< a currency is 3 to 8 capital letters: "EUR"
  bool may_be_negative = false;       ///< it stands for the world outside
  using reply = answer<receipt>;
};
/// Ends an empty account; its statement stays.
struct close_account {
  /// The key of the order, and the name of the account.
  std::string key, account;
  using reply = answer<receipt>;
};
/// Moves an amount from one account to another of the same currency.
struct transfer {
  /// The key of the order, and the two accounts.
  std::string key, from, to;
  std::int64_t amount = 0; ///< above zero. Units: minor units
  std::string note = {};   ///< stands in the statements
  using reply = answer<receipt>;
};
/// Sets an amount of `from` apart for `to`, until it is captured or released.
struct hold {
  /// The key of the order, and the two accounts.
  std::string key, from, to;
  std::int64_t amount = 0; ///< above zero. Units: minor units
  std::string note = {};   ///< stands in the statements
  using reply = answer<receipt>;
};
/// Moves what a hold has set apart, or less of it, and ends the hold.
struct capture_hold {
  std::string key;         ///< of this order
  std::uint64_t hold = 0;  ///< the number of the hold's receipt
  std::int64_t amount = 0; ///< 0: all of it
  using reply = answer<receipt>;
};
/// Ends a hold without moving anything.
struct release_hold {
  std::string key;        ///< of this order
  std::uint64_t hold = 0; ///< the number of the hold's receipt
  using reply = answer<receipt>;
};
/// Moves back what a transfer or a capture has moved, once.
struct reverse_transfer {
  std::string key;            ///< of this order
  std::uint64_t transfer = 0; ///< the number of the transfer's receipt, or the capture's
  using reply = answer<receipt>;
};

// -- questions ------------------------------------------------------------------------------------------------

/// How an account stands. Thread safety: as a value.
struct account_state {
  /// Its name, and the currency of its balance.
  std::string account, currency;
  std::int64_t balance = 0;     ///< what is held of it included
  std::int64_t held = 0;        ///< set apart by holds
  bool may_be_negative = false; ///< it stands for the world outside
  bool closed = false;          ///< it takes part in nothing any more
};
/// Asks how an account stands.
struct read_account {
  std::string account; ///< its name
  using reply = answer<account_state>;
};

/// One change of an account's balance, or of what is held of it.
struct statement_line {
  std::uint64_t number = 0;    ///< of the record in the journal
  std::int64_t written_at = 0; ///< Units: milliseconds since 1970, UTC
  std::string what;            ///< "transfer", "hold", "capture", "release", "reversal", "open", "close"
  std::string other;           ///< the other account
  std::int64_t change = 0;     ///< of the balance
  std::int64_t balance = 0;    ///< behind it
  std::string note;            ///< that of the order
};
/// Asks for the lines of an account, in order.
struct read_statement {
  std::string account;     ///< its name
  std::uint64_t after = 0; ///< number of the last line that is known
  std::size_t limit = 100; ///< lines, at most 1,000
  using reply = answer<std::vector<statement_line>>;
};

/// All accounts of a currency together. `sum` is zero, always: each transfer takes as much as it gives.
struct currency_total {
  std::string currency;       ///< "EUR"
  std::int64_t sum = 0;       ///< of all balances: zero
  std::uint64_t accounts = 0; ///< how many there are, closed ones included
  std::uint64_t negative = 0; ///< accounts below zero that must not be: always none
};
/// Asks for the totals of all currencies.
struct read_totals {
  using reply = answer<std::vector<currency_total>>;
};

} // namespace greenroom::money
