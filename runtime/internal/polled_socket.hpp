// A socket that actors use from whichever worker they run on. The calls that move bytes go straight to the descriptor; the poller of one
// worker, the socket's home, only tells when the next try is worth it. That worker makes the actors that wait ready: so an actor comes
// to where its socket is.
//
// No change is lost, though the kernel tells each of them once: a side counts as ready from a change until a try has shown that nothing is
// left, and that mark is taken away before the try. What changes behind the try sets it again.
// The descriptor's number is not given back while a call on it is under way, or the call might meet another socket: uses_ counts the
// calls, and the last to leave after the close closes it.
// Thread safety: any thread. Lifetime: counted; its poller keeps it while it is open.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <mutex>

#include <greenroom/runtime/detail/readiness.hpp>
#include <greenroom/runtime/detail/unique_fd.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/internal/poller.hpp>

namespace greenroom::internal {

class polled_socket;

/// The sockets of a system, so that its end can close what somebody still holds.
/// Lock order: mutex_ before a socket's lock.
class open_sockets {
public:
  void close_all() noexcept;

private:
  friend class polled_socket;
  std::mutex mutex_;
  polled_socket* first_ = nullptr; // guarded by mutex_
};

/// What a try on a socket gave: a value of 0 or more, or an error number.
struct attempt {
  long value = -1;
  int error = 0; // 0: the socket is closed

  bool done() const noexcept { return value >= 0; }
  bool must_wait() const noexcept { return error == EAGAIN || error == EWOULDBLOCK; }
  bool closed() const noexcept { return value < 0 && error == 0; }
};

class polled_socket final : public detail::readiness_source, public poller::source {
public:
  using side = detail::io_side;

  /// Gives `fd` to the poller `home`. Errors: io with the system's reason; `fd` is closed then.
  static result<std::shared_ptr<polled_socket>> adopt(std::shared_ptr<poller> home, unique_fd fd,
                                                      std::shared_ptr<open_sockets> all);
  polled_socket(std::shared_ptr<poller> home, int fd, std::shared_ptr<open_sockets> all);
  polled_socket(const polled_socket&) = delete;
  polled_socket& operator=(const polled_socket&) = delete;
  ~polled_socket();

  /// Calls `call(fd)`, which must not block, unless the socket is closed.
  template <class Call>
  attempt try_call(Call call) noexcept {
    if ((uses_.fetch_add(1) & closed_bit) != 0) {
      leave();
      return {};
    }
    attempt made;
    do {
      made.value = call(fd_);
      made.error = made.value < 0 ? errno : 0;
    } while (made.error == EINTR);
    leave();
    return made;
  }

  /// The same for a call that moves `size` bytes at most, or takes one connection: if it has moved fewer, the side has to wait.
  template <class Call>
  attempt try_move(side which, std::size_t size, Call call) noexcept {
    auto& ready = ready_[static_cast<std::size_t>(which)];
    // Relaxed: the kernel's lock of the socket orders it before a later change, and so before the store in changed().
    ready.store(false, std::memory_order_relaxed);
    const auto made = try_call(call);
    const bool exhausted =
        made.done() ? made.value != 0 && static_cast<std::size_t>(made.value) < size : made.must_wait();
    if (!exhausted) ready.store(true, std::memory_order_relaxed); // there may be more, or the end
    return made;
  }

  bool ready_or_watch_locked(side which) override;
  void changed(std::uint32_t events) noexcept override;
  bool closed() const noexcept { return (uses_.load() & closed_bit) != 0; }
  void close() noexcept;

private:
  friend class open_sockets;

  static constexpr std::uint32_t closed_bit = 1U << 31;

  void leave() noexcept {
    if (uses_.fetch_sub(1) == (closed_bit | 1U)) release_descriptor();
  }
  void release_descriptor() noexcept;

  const std::shared_ptr<open_sockets> all_;
  const int fd_;
  std::atomic<std::uint32_t> uses_{0}; // calls under way, and closed_bit; that is never taken back
  std::shared_ptr<poller> home_;       // for the one who sets released_
  std::atomic<bool> released_{false};
  // For each side: a try may be worth it, and the same for good, as the kernel tells the end once, maybe together with bytes.
  std::array<std::atomic<bool>, 2> ready_{};
  std::array<std::atomic<bool>, 2> ended_{};
  // Guarded by all_->mutex_.
  polled_socket* prev_ = nullptr;
  polled_socket* next_ = nullptr;
};

} // namespace greenroom::internal
