// reliable_outbox: hands records of a journal on to an inbox at another node, each at least once, in order, whatever crashes; if the inbox writes to a journal, exactly once.
// An outbox (outbox.hpp) whose deliveries are those of reliable_address.hpp, with the numbers of the records.
//
//   std::optional<order> to_be_packed(const journal_record& r) { ... }       // what the other side gets; nothing: the record is not for it
//   actor mail = start_reliable_outbox<order>(sys, shop, {.sender = "shop"}, route_via<order>(packing, "orders"), to_be_packed);
//
// How far it has got is kept in the journal, under the name of the sender, which is that of a reader there. A crash repeats one delivery at most, and its numbers are
// the same, so the inbox knows it. A journal is known by the time of its first record: one that is made anew is a new life of the sender, and must be the later one.
// Thread safety: an actor. Lifetime: it keeps the event_sourced alive, and ends when it is cancelled or the inbox is closed for good.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <utility>

#include <greenroom/actors/detail/send_window.hpp>
#include <greenroom/actors/event_sourced.hpp>
#include <greenroom/actors/outbox.hpp>
#include <greenroom/actors/reliable_options.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom {

/// Asks for the epoch of a journal's numbers, made of the time of its first record; 0 while there is none.
struct journal_epoch {
  using reply = std::uint64_t;
  /// Asks the journal.
  GREENROOM_EXPORT result<reply> of(journal& log) const;
};

namespace detail {

template <class State>
task<std::uint64_t> find_epoch(const event_sourced<State>* from, const outbox_options* how) {
  for (std::uint32_t failures = 1;; ++failures) {
    const auto epoch = co_await from->tell(journal_epoch{}, std::chrono::seconds(30));
    if (epoch) co_return *epoch;
    note_no_records(*how, epoch.error());
    co_await sleep_for(outbox_pause(*how, failures));
  }
}

} // namespace detail

/// The actor itself, as a child of a supervisor. `pick` is a std::optional<T>(const journal_record&). Errors: usage_error for options outside their bounds.
/// While the journal fails it waits and asks again.
template <class T, class State, class Pick>
task<> reliable_outbox(event_sourced<State> from, reliable_options<T> how, route<T> where, Pick pick) {
  detail::check_reliable(how.sender, how.window, how.most_bytes, how.limit);
  const outbox_options asking{.reader = how.sender, .pause = how.pause, .most_pause = how.most_pause};
  detail::delivery_line<T> line(std::move(where), how.limit);
  std::optional<detail::send_window<T>> window;
  read_records next{how.sender, 0, how.window};
  for (std::uint32_t failures = 0;;) {
    const auto got = co_await from.tell(next, std::chrono::seconds(30));
    if (!got) {
      if (got.error().is(errc::timed_out)) continue; // nothing has happened for so long
      detail::note_no_records(asking, got.error());
      ++failures;
      co_await sleep_for(detail::outbox_pause(asking, failures));
      continue;
    }
    failures = 0;
    if (!window) {
      auto finding = detail::find_epoch<State>(&from, &asking);
      const auto epoch = co_await std::move(finding);
      window.emplace(how, std::make_shared<detail::reliable_counts>(), epoch);
    }
    for (const auto& r : *got) {
      if (auto item = pick(r)) {
        const auto bytes = detail::wire_size(*item);
        window->keep(*std::move(item), bytes, r.number, std::nullopt);
      }
    }
    while (!window->empty()) {
      auto sending = detail::send_once<T>(&*window, &line);
      const auto sent = co_await std::move(sending);
      if (!sent) co_return;
    }
    next.done = got->back().number;
  }
}

/// Starts such an actor, named "outbox SENDER". It runs until it is cancelled, or the system stops.
template <class T, class State, class Pick>
actor start_reliable_outbox(actor_system& sys, event_sourced<State> from, reliable_options<T> how, route<T> where,
                            Pick pick, std::source_location at = std::source_location::current()) {
  const spawn_options as{.name = "outbox", .made_name = "outbox " + how.sender};
  return sys.spawn(as, {reliable_outbox<T, State, Pick>, at}, std::move(from), std::move(how), std::move(where),
                   std::move(pick));
}

} // namespace greenroom
