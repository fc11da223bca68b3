// ledger: accounts and transfers between them, each done once and as a whole, or not at all. What was acknowledged is on disk.
//
//   money::ledger books(sys, {.file = "shop.db"});
//   money::transfer t{"order-17", "customer 7", "till", 1'999};           // 19.99 EUR
//   auto done = co_await books.tell(t);                                   // money::answer<money::receipt>
//   if (!done && done.error().why == money::fault::insufficient_funds) ...
//
// Double entry: what one account gets another gives, so all accounts of a currency add up to zero. An actor with a journal (event_sourced.hpp) decides one
// order after the other; those that wait together share a flush of the disk.
// Give an order a name before the co_await, as for ask(): g++ 12 destroys strings that are made inside twice.
// Thread safety: handles may be copied to any actor. Lifetime: the actor ends when the last handle goes.
#pragma once

#include <chrono>
#include <filesystem>
#include <source_location>
#include <string>

#include <greenroom/actors/event_sourced.hpp>
#include <greenroom/actors/ledger_orders.hpp>
#include <greenroom/actors/ledger_posting.hpp>
#include <greenroom/actors/ledger_state.hpp>

namespace greenroom::money {

/// Where a ledger keeps its books. Thread safety: as a value.
struct ledger_options {
  std::filesystem::path file = "ledger.db"; ///< its journal, a SQLite database; ":memory:" is on no disk
  event_sourced_options keeping = {};       ///< how it is written
};

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT ledger {
public:
  /// Starts its actor.
  explicit ledger(actor_system& sys, ledger_options how = {},
                  std::source_location where = std::source_location::current());
  /// For one that somebody else supervises, by keep_state<ledger_state>().
  explicit ledger(event_sourced<ledger_state> books) noexcept : books_(std::move(books)) {}

  /// Has an order carried out, or a question answered. Waits: suspends the actor for a flush of the disk and those before it, at most for `limit`.
  /// Cancellation: throws `cancelled`; the order may have been carried out: send it again with the same key. Errors: those of fault.
  template <has_reply M>
  task<typename M::reply> tell(M order, duration limit = std::chrono::seconds(5)) const {
    return tell_books(books_, std::move(order), limit);
  }

  /// Returns its journal's actor, for an outbox: `outbox(books.journaled(), {...}, publish)`; posting_of() reads the records.
  const event_sourced<ledger_state>& journaled() const noexcept { return books_; }

private:
  template <class M>
  static task<typename M::reply> tell_books(event_sourced<ledger_state> books, M order, duration limit) {
    auto answer = co_await books.tell(std::move(order), limit);
    if (answer) co_return *std::move(answer);
    co_return refusal{fault::unavailable, std::string(answer.error().message())};
  }

  event_sourced<ledger_state> books_;
};

} // namespace greenroom::money
