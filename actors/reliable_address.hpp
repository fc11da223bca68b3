// reliable_address: sends items at least once, in order, to an inbox at another node or here; with an inbox that remembers, exactly once.
//
//   reliable_address<order> to(sys, {.sender = "shop"}, route_via<order>(here.connect("127.0.0.1", 7001), "orders"));
//   auto kept = co_await to.send(o);                 // kept, to be repeated until it is acknowledged
//   auto done = co_await to.deliver(o, 10s);         // true: its handler has finished
//   auto all = co_await to.flush(10s);               // true: so have those of all that was sent before
//
// Items are kept in memory until they are acknowledged, `window` under way and as many waiting; who sends more waits. After a time-out or a lost connection what is not
// acknowledged is sent again, with growing pauses. If this process dies, what was not acknowledged is lost, unless it got there; so deliver() and flush() tell the
// truth, and send() does not. What must outlive the process goes into a journal: reliable_outbox.hpp. If the receiver dies, see inbox.hpp.
// Give an item that is an aggregate a name before it is sent, as for a mailbox: g++ 12 destroys one that is made inside a co_await expression twice.
// Thread safety: handles may be copied to any actor. Order: of one caller, as sent. Lifetime: the actor behind it ends when the last handle has gone and all is
// acknowledged or given up, when the inbox is closed for good, or when it is cancelled with its system.
#pragma once

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <variant>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/detail/send_window.hpp>
#include <greenroom/actors/reliable_options.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// What a reliable_address has done. Units: items, but for the last four.
struct reliable_stats {
  std::uint64_t taken = 0;        ///< that have a number
  std::uint64_t acknowledged = 0; ///< whose handlers have finished
  std::uint64_t given_up = 0;     ///< refused too often, or left when the inbox was closed for good
  std::uint64_t deliveries = 0;   ///< that were sent, repeated ones too. Units: deliveries
  std::uint64_t failures = 0;     ///< that were not answered, or refused. Units: deliveries
  std::uint64_t forgotten = 0;    ///< how often the receiver had lost its memory. Units: times
  std::uint64_t superseded = 0;   ///< how often another that lives under this name was heard. Units: times
};

namespace detail {

template <class T>
using outgoing = std::variant<hand_over<T>, request<hand_over<T>>, request<flush_order>>;

template <class T>
task<> send_reliably(mailbox<outgoing<T>> in, reliable_options<T> how, route<T> where,
                     std::shared_ptr<reliable_counts> counts) {
  send_window<T> window(how, std::move(counts));
  delivery_line<T> line(std::move(where), how.limit);
  const auto keep = [&window](outgoing<T>&& what) {
    std::visit([&window](auto&& each) { window.keep(std::move(each)); }, std::move(what));
  };
  for (;;) {
    if (window.empty()) {
      auto first = co_await in.receive();
      if (!first) co_return;
      keep(*std::move(first));
    }
    while (!window.full()) {
      auto more = in.try_receive();
      if (!more) break;
      keep(*std::move(more));
    }
    if (window.empty()) continue; // it was a flush
    auto sending = send_once<T>(&window, &line);
    const auto sent = co_await std::move(sending);
    if (!sent) co_return window.give_up_all(sent.error());
  }
}

} // namespace detail

/// Thread safety and lifetime: see the file comment. T is copied for each time that it is sent.
template <class T>
class reliable_address {
public:
  /// Starts the actor. Errors: usage_error for options outside their bounds.
  reliable_address(actor_system& sys, reliable_options<T> how, route<T> where,
                   std::source_location at = std::source_location::current())
      : counts_(std::make_shared<detail::reliable_counts>()), most_bytes_(how.most_bytes) {
    detail::check_reliable(how.sender, how.window, how.most_bytes, how.limit);
    auto ends = make_mailbox<detail::outgoing<T>>(bounded(static_cast<std::int64_t>(how.window)));
    const spawn_options as{.name = "reliable", .made_name = "reliable " + how.sender};
    self_ =
        sys.spawn(as, {detail::send_reliably<T>, at}, std::move(ends.in), std::move(how), std::move(where), counts_);
    out_ = std::move(ends.out);
  }

  /// Has the item kept, to be sent until it is acknowledged. Waits: for room. Cancellation: throws `cancelled`; the item was not taken.
  /// Errors: limit, for an item of more than most_bytes; closed, when the inbox is closed for good.
  task<result<void>> send(T item) const { return hand(out_, std::move(item), most_bytes_); }

  /// The same, and waits until its handler has finished. Waits: for that, `limit` at most. Cancellation: throws `cancelled`; the item may be delivered.
  /// Errors: as send(); timed_out: it may be delivered yet; why it was refused, when it was given up; no_reply, if the actor behind this was cancelled.
  task<result<void>> deliver(T item, duration limit) const {
    return await_delivery(out_, std::move(item), most_bytes_, limit);
  }

  /// Waits until all that was sent before, by any holder of this, is acknowledged or given up. Waits: `limit` at most. Cancellation: throws `cancelled`; nothing changes.
  /// Errors: failed, if something was given up since the last flush; timed_out; closed; no_reply.
  task<result<void>> flush(duration limit) const { return await_flush(out_, limit); }

  /// Ends it at once: what is not acknowledged is repeated no more. Who waits for it gets no_reply or closed. Waits: never.
  void cancel() const { self_.cancel(); }

  /// Returns what was done so far.
  reliable_stats stats() const noexcept {
    const auto& c = *counts_;
    return {c.taken, c.acknowledged, c.given_up, c.deliveries, c.failures, c.forgotten, c.superseded};
  }

private:
  using to_actor = address<detail::outgoing<T>>;

  static task<result<void>> hand(to_actor to, T item, std::size_t most) {
    const auto bytes = detail::wire_size(item);
    if (bytes > most) co_return detail::too_large(bytes, most);
    detail::outgoing<T> what(std::in_place_index<0>, detail::hand_over<T>{std::move(item), bytes});
    const auto sent = co_await to.send(std::move(what));
    if (!sent) co_return sent.error();
    co_return result<void>();
  }
  static task<result<void>> await_delivery(to_actor to, T item, std::size_t most, duration limit) {
    const auto bytes = detail::wire_size(item);
    if (bytes > most) co_return detail::too_large(bytes, most);
    detail::hand_over<T> what{std::move(item), bytes};
    co_return co_await ask(to, std::move(what), limit);
  }
  static task<result<void>> await_flush(to_actor to, duration limit) {
    co_return co_await ask(to, detail::flush_order{}, limit);
  }

  std::shared_ptr<detail::reliable_counts> counts_;
  std::size_t most_bytes_;
  to_actor out_;
  actor self_;
};

} // namespace greenroom
