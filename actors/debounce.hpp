// debounce: of values that come in bursts only the last of each, once it is quiet: what somebody types, settings that change, files that are written.
//
//   debounce<query> typed(sys, {.quiet = 300ms, .longest = 2s}, to_search);
//   typed.put(text);                    // never waits; to_search gets the last one 300 ms after it, or 2 s after the first
//
// debounced() and throttled() are actors that do so between a mailbox and an address: nodes for a graph.
// Thread safety: put() any thread, handles may be copied. The state belongs to the actor. Lifetime: when the last handle goes, the value that waits
// is sent at once, and the actor ends. Order: as put. A receiver that is slow gets the newest value, not all that have come meanwhile.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <source_location>
#include <utility>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom {

/// When it counts as quiet. Thread safety: as a value.
struct debounce_options {
  /// A value is sent when none has come for so long, more than 0,
  duration quiet = std::chrono::milliseconds(200);
  /// or so long after the first of those that it stands for, at least `quiet`.
  duration longest = duration::max();
};

/// Taken while it works, the numbers may be of slightly different moments.
struct debounce_stats {
  std::uint64_t put = 0;  ///< values that came
  std::uint64_t sent = 0; ///< values that went on, each for all that had come since the one before
};

namespace detail {
/// Errors: usage_error.
GREENROOM_EXPORT debounce_options checked(debounce_options how);
GREENROOM_EXPORT duration checked_throttle(duration period);

struct debounce_counts {
  std::atomic<std::uint64_t> put{0}, sent{0};
};

template <class T>
task<> send_when_quiet(mailbox<T> in, address<T> out, debounce_options how, std::shared_ptr<debounce_counts> counts) {
  while (auto latest = co_await in.receive()) {
    auto& sys = this_actor::system();
    const auto last_moment = saturating_add(sys.now(), how.longest);
    while (sys.now() < last_moment) { // looked at each time: values may come without a pause
      const auto quiet_at = saturating_add(sys.now(), how.quiet);
      auto newer = co_await in.receive_until(std::min(quiet_at, last_moment));
      if (!newer) break; // quiet, late, or the end
      latest = *std::move(newer);
    }
    const auto sent = co_await out.send(*std::move(latest));
    if (!sent) co_return;
    counts->sent.fetch_add(1, std::memory_order_relaxed);
  }
}
} // namespace detail

/// Sends of the values that come the last of each burst. Ends when its input has ended, or nobody takes what it sends. Errors: usage_error if an
/// option is out of range.
template <class T>
task<> debounced(mailbox<T> in, address<T> out, debounce_options how) {
  return detail::send_when_quiet(std::move(in), std::move(out), detail::checked(how),
                                 std::make_shared<detail::debounce_counts>());
}

/// Sends the first value at once, and from then on at most one in each `period`, the newest. An actor as debounced(). Errors: usage_error unless the
/// period is positive.
template <class T>
task<> throttled(mailbox<T> in, address<T> out, duration period) {
  period = detail::checked_throttle(period);
  auto next = time_point::min();
  while (auto latest = co_await in.receive()) {
    auto& sys = this_actor::system();
    while (sys.now() < next) {
      auto newer = co_await in.receive_until(next);
      if (!newer) break; // it is time, or the end
      latest = *std::move(newer);
    }
    const auto sent = co_await out.send(*std::move(latest));
    if (!sent) co_return;
    next = saturating_add(sys.now(), period);
  }
}

/// Thread safety, lifetime and order: see the file comment.
template <class T>
class debounce {
public:
  /// Starts the actor. Errors: usage_error with a sentence if an option is out of range.
  debounce(actor_system& sys, debounce_options how, address<T> to,
           std::source_location where = std::source_location::current())
      : counts_(std::make_shared<detail::debounce_counts>()) {
    auto [in, out] = make_mailbox<T>(bounded(1, overflow::drop_oldest)); // only the newest counts
    sys.spawn(spawn_options{.name = "debounce"}, {detail::send_when_quiet<T>, where}, std::move(in), std::move(to),
              detail::checked(how), counts_);
    in_ = std::move(out);
  }

  /// Leaves a value, in the place of one that has not been sent. Waits: never. After the receiver has gone it is dropped.
  void put(T value) const {
    counts_->put.fetch_add(1, std::memory_order_relaxed);
    (void)in_.try_send(std::move(value));
  }

  /// Returns what it has done.
  debounce_stats stats() const noexcept {
    return {.put = counts_->put.load(std::memory_order_relaxed), .sent = counts_->sent.load(std::memory_order_relaxed)};
  }

private:
  std::shared_ptr<detail::debounce_counts> counts_;
  address<T> in_;
};

} // namespace greenroom
