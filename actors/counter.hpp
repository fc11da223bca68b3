// counter: a number that one actor owns and others change by messages; what a std::atomic does by the processor. Prefer the atomic
// for mere counting: it is ten times cheaper. The counter shows the other way, and is where a number needs more than addition.
//
//   counter hits(sys);
//   (void)co_await hits.add(1);
//   result<std::int64_t> n = co_await hits.read(1s);
//
// Thread safety: handles may be copied to any actor. Lifetime: the owning actor ends when the last handle goes.
// Order: what an actor has added, it sees in what it reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <source_location>
#include <variant>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/detail/kept_send.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {
namespace detail {

struct counter_add {
  std::int64_t by;
};
struct counter_read {
  using reply = std::int64_t;
};
using counter_message = std::variant<counter_add, request<counter_read>>;

/// The actor that owns the number.
GREENROOM_EXPORT task<> count(mailbox<counter_message> in, std::int64_t value);

/// An addition needs no message back.
struct forget_message {
  result<void> operator()(const send_result<counter_message>& sent) const { return sent; }
};

} // namespace detail

/// Thread safety and lifetime: see the file comment.
class counter {
public:
  /// Starts the owner. Cost: an actor and a mailbox.
  explicit counter(actor_system& sys, std::int64_t first = 0,
                   std::source_location where = std::source_location::current()) {
    auto [in, out] = make_mailbox<detail::counter_message>(bounded(1024));
    sys.spawn(spawn_options{.name = "counter"}, {detail::count, where}, std::move(in), first);
    out_ = std::move(out);
  }

  /// Adds, which may be negative. Waits: suspends the actor while 1,024 messages are queued. Cancellation: throws `cancelled`, with
  /// nothing added. Errors: errc::closed, the owner has ended with its system.
  auto add(std::int64_t by) const {
    return detail::kept_send(out_, detail::counter_message(detail::counter_add{by}), never, detail::forget_message());
  }

  /// Returns the number. Waits: as ask(). Errors: as ask().
  template <class Rep, class Period>
  auto read(std::chrono::duration<Rep, Period> timeout) const {
    return ask(out_, detail::counter_read{}, timeout);
  }

private:
  address<detail::counter_message> out_;
};

} // namespace greenroom
