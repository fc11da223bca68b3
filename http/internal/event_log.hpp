// The memory of an event channel: the last events, numbered, and those who wait for the next. A reader has a place in it, nothing else.
// Thread safety: any thread. Lifetime: shared by the channel and its feeds.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include <greenroom/http/event_channel.hpp>
#include <greenroom/runtime/detail/actor_extras.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>

namespace greenroom::http::internal {

class event_log {
public:
  /// Most bytes that a reader takes at once: a few packets, far below what may be under way to a client. Units: bytes; one event may be longer.
  static constexpr std::size_t batch = 16'384;

  explicit event_log(event_channel_options checked) : how(std::move(checked)) {}
  event_log(const event_log&) = delete;
  event_log& operator=(const event_log&) = delete;

  const event_channel_options how;

  /// Appends an event, drops old ones beyond the limits, wakes those who wait.
  result<std::uint64_t> append(std::string data, std::string name);
  void close() noexcept;
  bool closed() noexcept;

  /// Returns the number of the event behind which one goes on who saw `last_id` as the last one, and counts.
  std::uint64_t place_of(std::string_view last_id) noexcept;

  enum class taken : std::uint8_t {
    some,   ///< appended to `to`; nothing if there was nothing
    lost,   ///< the next one is not kept any more
    at_end, ///< nothing is left, and nothing will come
  };
  /// Takes what follows `after`, which moves along.
  taken take(std::uint64_t& after, std::string& to);

  /// Counts one more reader if there is room.
  bool enter() noexcept;
  void leave() noexcept { readers_.fetch_sub(1, std::memory_order_relaxed); }
  void count_too_slow() noexcept { too_slow_.fetch_add(1, std::memory_order_relaxed); }
  event_channel_stats stats() noexcept;

  struct news_action : greenroom::detail::waiter {
    static constexpr auto kind = greenroom::detail::wait_kind::outside;
    news_action(event_log* l, std::uint64_t number) noexcept : log(l), after(number) {}
    greenroom::detail::spin_lock& queue_lock() noexcept { return log->waiting_lock_; }
    greenroom::detail::wait_queue& queue() noexcept { return log->waiting_; }
    const void* place() const noexcept { return log; }
    bool try_locked(greenroom::detail::actor_cell*&) const noexcept { return log->newest_ > after || log->ended_; }
    /// False when the deadline came first.
    bool take(std::uint8_t outcome) const noexcept { return outcome != greenroom::detail::fired_timeout; }
    event_log* log;
    std::uint64_t after;
  };
  /// Waits until there is something behind `after`, or the end; or for `when`.
  static auto news(event_log* log, std::uint64_t after, time_point when) noexcept {
    return greenroom::detail::queued_op(news_action(log, after), when);
  }

private:
  std::uint64_t number_of(std::string_view id) const noexcept;
  void tell(std::uint64_t newest, bool end) noexcept;

  std::mutex lock_;
  std::deque<std::string> kept_; // guarded by lock_, as is what follows
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0; // the number of the last one ever appended
  bool closed_ = false;

  // A lock of its own, since a wait needs a spin lock and the other is held while bytes are copied.
  greenroom::detail::spin_lock waiting_lock_;
  greenroom::detail::wait_queue waiting_; // guarded by waiting_lock_, as is what follows
  std::uint64_t newest_ = 0;              // follows last_
  bool ended_ = false;                    // follows closed_

  std::atomic<std::uint64_t> readers_{0};
  std::atomic<std::uint64_t> too_slow_{0};
  std::atomic<std::uint64_t> turned_away_{0};
  std::atomic<std::uint64_t> resumed_{0};
  std::atomic<std::uint64_t> resumed_too_late_{0};
};

/// One reader's place, counted for as long as it lives. Thread safety: owner only.
class event_reader {
public:
  event_reader(std::shared_ptr<event_log> entered, std::uint64_t after) noexcept
      : log_(std::move(entered)), after_(after) {}
  event_reader(event_reader&&) noexcept = default;
  event_reader& operator=(event_reader&&) = delete;
  ~event_reader() {
    if (log_) log_->leave();
  }
  event_log& log() const noexcept { return *log_; }
  std::uint64_t& after() noexcept { return after_; }

private:
  std::shared_ptr<event_log> log_;
  std::uint64_t after_;
};

} // namespace greenroom::http::internal
