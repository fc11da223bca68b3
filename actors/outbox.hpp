// outbox: hands the records of a journal on to somebody outside, a message broker or another service: each at least once, in order, whatever crashes.
// What must be told is written with what has happened, in one transaction, and told afterwards; so nothing is told that did not happen, and nothing
// that happened stays untold.
//
//   task<result<void>> announce(journal_record r) { ... }                     // false or an exception: it is tried again
//   actor mail = start_outbox(sys, sums, {.reader = "mail"}, announce);
//
// How far a reader has got is kept in the journal under its name; each name has one outbox. A crash between a delivery and that note repeats it, so whoever
// gets the records must know repeated ones by their number. The actor keeps the event_sourced alive, and ends when it is cancelled.
// Thread safety: an actor. Source: "Transactional outbox", C. Richardson, Microservices Patterns, 2018.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/actors/event_sourced.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom {

/// How an outbox delivers. Thread safety: as a value.
struct outbox_options {
  /// Its name in the journal, under which stands how far it has got.
  std::string reader = "outbox";
  /// Records that are taken at once, from 1; a crash repeats as many deliveries at most. More need fewer notes of how far it has got.
  std::size_t batch = 100;
  /// Before a failed delivery is tried again; it doubles with each failure, up to most_pause.
  duration pause = std::chrono::milliseconds(100);
  /// The longest such pause.
  duration most_pause = std::chrono::seconds(30);
  /// How often one record is tried before it is given up, from 1; 0: until it is taken, and those behind it wait.
  std::uint32_t tries = 0;
  /// Called with what was given up. None: a line of the log.
  std::function<void(const journal_record&, const error&)> given_up = {};
};

namespace detail {

/// Returns the pause behind the n-th failure.
GREENROOM_EXPORT duration outbox_pause(const outbox_options& how, std::uint32_t failures) noexcept;
GREENROOM_EXPORT void note_failure(const outbox_options& how, const journal_record& r, const error& why,
                                   std::uint32_t failures);
GREENROOM_EXPORT void note_no_records(const outbox_options& how, const error& why);

template <class Deliver>
task<result<void>> try_to_deliver(Deliver& deliver, journal_record r) {
  const auto number = r.number;
  try {
    auto handing = deliver(std::move(r));
    co_return co_await std::move(handing);
  } catch (const std::exception& e) {
    co_return error(errc::failed, "the delivery of record " + std::to_string(number) + " threw: " + e.what());
  }
}

/// Returns when the record is taken, or given up.
template <class Deliver>
task<> deliver_one(const outbox_options& how, Deliver& deliver, const journal_record& r) {
  for (std::uint32_t failures = 0;;) {
    auto trying = try_to_deliver(deliver, r);
    const auto done = co_await std::move(trying);
    if (done) co_return;
    note_failure(how, r, done.error(), ++failures);
    if (failures == how.tries) co_return;
    co_await sleep_for(outbox_pause(how, failures));
  }
}

} // namespace detail

/// The actor itself, as a child of a supervisor or a node of a graph: delivers until it is cancelled. `deliver` is a
/// task<result<void>>(journal_record). Errors: usage_error for a batch or a reader without any.
/// While the journal fails it waits and asks again.
template <class State, class Deliver>
task<> outbox(event_sourced<State> from, outbox_options how, Deliver deliver) {
  if (how.batch == 0 || how.reader.empty())
    throw usage_error("outbox: it needs the name of a reader, and batches of one record at least");
  read_records next{how.reader, 0, how.batch};
  for (std::uint32_t failures = 0;;) {
    const auto got = co_await from.tell(next, std::chrono::seconds(30));
    if (!got) {
      if (got.error().is(errc::timed_out)) continue; // nothing has happened for so long
      detail::note_no_records(how, got.error());
      ++failures;
      co_await sleep_for(detail::outbox_pause(how, failures));
      continue;
    }
    failures = 0;
    for (const auto& r : *got) {
      co_await detail::deliver_one(how, deliver, r);
      next.done = r.number;
    }
  }
}

/// Starts such an actor, named "outbox NAME OF THE READER". It runs until it is cancelled, or the system stops.
template <class State, class Deliver>
actor start_outbox(actor_system& sys, event_sourced<State> from, outbox_options how, Deliver deliver,
                   std::source_location where = std::source_location::current()) {
  const spawn_options as{.name = "outbox", .made_name = "outbox " + how.reader};
  return sys.spawn(as, {outbox<State, Deliver>, where}, std::move(from), std::move(how), std::move(deliver));
}

} // namespace greenroom
