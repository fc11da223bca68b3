// inbox: takes what a reliable_address delivers: each item once, in the order of its sender, and acknowledges it when its handler has finished.
//
//   task<result<void>> take_order(order o) { ... }                          // false or an exception: it is refused, and comes again
//   auto to_orders = start_inbox<order>(sys, take_order);
//   there.publish("orders", to_orders);
//
// What it has had is known by the last number of each sender, in memory: whoever ends the memory, a crash of the process, forgets it, and then what was under way is
// handled twice; the receipts tell the sender. Where that must not be, the effect and the number belong into one transaction: have the items change an event_sourced,
// by take_delivery(), and each is done exactly once whatever crashes.
// One item is handled at a time. Who must have several at once starts several inboxes, with names of their own.
// Thread safety: an actor. Source: "Idempotent Receiver", Hohpe and Woolf, Enterprise Integration Patterns, 2003.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

#include <greenroom/actors/delivery.hpp>
#include <greenroom/actors/event_sourced.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// What an inbox remembers: the last number of each sender. Copies are the same, so a supervised inbox that is started again with it knows what it has had.
/// Thread safety: any thread.
class GREENROOM_EXPORT delivery_memory {
public:
  /// Remembers so many senders, from 1. With one more, the one that was silent longest is forgotten: what it then repeats is handled again. Errors: usage_error for none.
  explicit delivery_memory(std::size_t senders = 1024);

  /// Returns how far a sender has got. A later epoch than the one that is known begins its numbers anew.
  receipt look(const std::string& sender, std::uint64_t epoch);
  /// Notes that a sender's items up to `done` are dealt with. An epoch that is not the one that is known changes nothing.
  void note(const std::string& sender, std::uint64_t epoch, std::uint64_t done);
  /// Counts the senders that are remembered.
  std::size_t senders() const;

private:
  struct known;
  std::shared_ptr<known> known_;
};

namespace detail {

/// The point in time by which a delivery is answered, with as much as is done by then; so slow handlers lose no progress to the sender's limit.
GREENROOM_EXPORT time_point answer_by(time_point deadline);
GREENROOM_EXPORT void refuse(receipt& made, const error& why);

template <class T, class Handle>
task<result<void>> try_to_handle(Handle* handle, T item) {
  try {
    auto handling = (*handle)(std::move(item));
    co_return co_await std::move(handling);
  } catch (const std::exception& e) {
    co_return error(errc::failed, std::string("its handler threw: ") + e.what());
  }
}

template <class T, class Handle>
task<> take_items(request<delivery<T>>* asked, delivery_memory* memory, Handle* handle) {
  auto& d = asked->message;
  auto made = memory->look(d.sender, d.epoch);
  const auto until = answer_by(asked->deadline());
  if (made.epoch == d.epoch) {
    for (auto& each : d.items) {
      if (each.number <= made.done) continue; // it was had
      auto handling = try_to_handle<T, Handle>(handle, std::move(each.item));
      const auto handled = co_await std::move(handling);
      if (!handled) {
        refuse(made, handled.error());
        break;
      }
      made.done = each.number;
      memory->note(d.sender, d.epoch, made.done);
      if (this_actor::system().now() >= until || !asked->wanted()) break; // the rest comes again
    }
  }
  asked->reply(std::move(made));
}

} // namespace detail

/// The actor itself, as a child of a supervisor. `handle` is a task<result<void>>(T): false or an exception refuses the item, which then comes again,
/// or is given up, as its sender says; those behind it wait. Ends when its mailbox does. Killed while an item is handled, it has not had it.
template <class T, class Handle>
task<> inbox(mailbox<request<delivery<T>>> in, delivery_memory memory, Handle handle) {
  while (auto asked = co_await in.receive()) {
    const auto named = check_sender(asked->message.sender);
    if (!named) {
      asked->fail(named.error());
    } else if (asked->wanted()) { // else its sender has given it up, and sends the items again
      auto taking = detail::take_items<T, Handle>(&*asked, &memory, &handle);
      co_await std::move(taking);
    }
  }
}

/// Starts such an actor, and gives the address that senders need. It runs until nobody has that, or the system stops.
template <class T, class Handle>
address<request<delivery<T>>> start_inbox(actor_system& sys, Handle handle, delivery_memory memory = delivery_memory(),
                                          std::source_location where = std::source_location::current()) {
  auto ends = make_mailbox<request<delivery<T>>>(bounded(64));
  sys.spawn(spawn_options{.name = "inbox"}, {inbox<T, Handle>, where}, std::move(ends.in), std::move(memory),
            std::move(handle));
  return std::move(ends.out);
}

// -- into a journal ---------------------------------------------------------------------------------

namespace detail {

/// Where the deliveries of a sender stand in a journal: the reader "from SENDER" is at the last record that one of its items has made, and the key of that record
/// has epoch and number.
class GREENROOM_EXPORT journaled_place {
public:
  /// Errors: as the journal; invalid_argument for the name of the sender.
  static result<journaled_place> of(journal& log, const std::string& sender, std::uint64_t epoch);
  /// Returns the key for the record of an item.
  std::string key(std::uint64_t number) const;
  /// Notes that it was written. Errors: throws bad_result, which ends the transaction.
  void move(journal& log, std::uint64_t number, std::uint64_t record);

  receipt made; // memory is 0: nothing is forgotten

private:
  std::string sender_;
};

template <class T, class RecordOf>
result<journal_record> try_to_decide(RecordOf& record_of, const T& item) {
  try {
    return record_of(item);
  } catch (const std::exception& e) {
    return error(errc::failed, std::string("its handler threw: ") + e.what());
  }
}

} // namespace detail

/// For State::decide(const delivery<T>&, changes<State>&): has each item that was not had make one record, in one transaction with its number; so what an item
/// does is done exactly once, whatever crashes on either side. `record_of` is a result<journal_record>(const T&); an error or an exception refuses the
/// item. The key of the record is set here, "from SENDER EPOCH NUMBER". Errors: as changes::append(). Cost: two look-ups for each delivery.
template <class State, class T, class RecordOf>
result<receipt> take_delivery(const delivery<T>& d, changes<State>& to, RecordOf record_of) {
  auto place = detail::journaled_place::of(to.log(), d.sender, d.epoch);
  if (!place) return place.error();
  auto& made = place->made;
  if (made.epoch != d.epoch) return made;
  for (const auto& [number, item] : d.items) {
    if (number <= made.done) continue;
    auto record = detail::try_to_decide<T>(record_of, item);
    if (!record) {
      detail::refuse(made, record.error());
      break;
    }
    record->key = place->key(number);
    const auto written = to.append(*std::move(record));
    if (!written) return written.error();
    place->move(to.log(), number, *written);
  }
  return made;
}

/// The actor that hands deliveries on to a state that has such a decide(), as a child of a supervisor. Ends when its mailbox or the state does.
template <class T, class State>
task<> journaled_inbox(mailbox<request<delivery<T>>> in, event_sourced<State> to) {
  while (auto asked = co_await in.receive()) {
    event_job<State> job(*std::move(asked));
    const auto sent = co_await to.commands().send(std::move(job));
    if (!sent) co_return;
  }
}

/// Starts it, and gives the address that senders need. It runs until nobody has that, or the system stops.
template <class T, class State>
address<request<delivery<T>>> start_inbox(actor_system& sys, event_sourced<State> to,
                                          std::source_location where = std::source_location::current()) {
  auto ends = make_mailbox<request<delivery<T>>>(bounded(64));
  sys.spawn(spawn_options{.name = "inbox"}, {journaled_inbox<T, State>, where}, std::move(ends.in), std::move(to));
  return std::move(ends.out);
}

} // namespace greenroom
