// What a worker sleeps in: epoll, edge-triggered, which tells each change of a socket once, and a wake-up by other threads.
// A socket is known to the kernel once, for both of its sides and for as long as it is open: a wait costs no system call.
// Why no library: Asio arms a descriptor anew for each wait, which was 8 % of a request to the HTTP front (ARCHITECTURE.md).
// Thread safety: any thread, but for wait(), which is for the owner: others may try_look() for it while it has no time. Lifetime: counted by the sockets that it watches; the owner calls
// shut_down() when it will not wait any more.
// Source: epoll(7), "Level-triggered and edge-triggered".
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include <sys/epoll.h>

#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/detail/unique_fd.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

using detail::unique_fd;

class poller {
public:
  /// Something with a descriptor. It is kept from watch() until after forget().
  class source {
  public:
    source() = default;
    source(const source&) = delete;
    source& operator=(const source&) = delete;
    virtual ~source() = default;
    /// What has changed, as bits of epoll. Called by one thread at a time.
    virtual void changed(std::uint32_t events) noexcept = 0;

  private:
    friend class poller;
    std::shared_ptr<source> kept_; // itself while it is watched; then until no event can name it
    source* next_ = nullptr;       // guarded by the poller's lock_
  };

  /// Errors: std::system_error when there are no descriptors left.
  poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;
  ~poller() { shut_down(); }

  /// Reports what is there already, and each change from now on. Errors: io.
  result<void> watch(int fd, std::shared_ptr<source> what);
  /// Requires: `fd` is watched, and still open.
  void forget(int fd, source& what) noexcept;

  /// Waits for changes until `limit` is over, and calls changed() for each; zero: only looks; duration::max(): for as long as it takes.
  /// It wakes up to a millisecond late.
  void wait(std::chrono::nanoseconds limit) noexcept {
    wait(limit, [] {});
  }
  /// The same, and calls `awake` first when the wait is over: what the changes set off finds the owner at work.
  template <class F>
  void wait(std::chrono::nanoseconds limit, F awake) noexcept {
    const std::lock_guard turn(turn_);
    const int count = fetch(limit);
    awake();
    tell(count);
  }
  /// Calls changed() for what has changed by now, unless another thread does that or waits. Waits: never.
  void try_look() noexcept;
  /// Ends a wait, that under way or else the next one.
  void interrupt() noexcept;
  /// Lets go of what it keeps, from now on at once. Requires: nobody waits.
  void shut_down() noexcept;

private:
  int fetch(std::chrono::nanoseconds limit) noexcept;
  bool tell(int count) noexcept;
  void drop_forgotten(bool for_good) noexcept;

  const unique_fd epoll_;
  const unique_fd bell_;
  detail::eager_spin_lock
      turn_; // held by who fetches events, until they are told: nothing is dropped meanwhile that they name
  std::array<epoll_event, 128> events_; // guarded by turn_
  detail::spin_lock lock_;
  source* forgotten_ = nullptr; // guarded by lock_: events that were fetched before may still name them
  bool shut_ = false;           // guarded by lock_
};

} // namespace greenroom::internal
