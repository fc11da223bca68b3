// A socket that actors use from whichever worker they run on. The calls that move bytes go straight to the descriptor; the Asio
// loop of one worker, the socket's home, only tells when the next try is worth it.
//
// Three rules keep threads apart:
// - The Asio object is used under the lock alone, by any thread; its loop may be used by any thread anyway. The handler of a wait
//   runs on the home worker, takes the lock, and makes the actors that wait ready: so an actor comes to where its socket is.
// - An actor's wait and Asio's are independent: a cancelled actor leaves the queue, Asio's wait stays and serves the next one.
// - The descriptor's number is not given back while a call on it is under way, or the call might meet another socket: uses_
//   counts the calls, and the last to leave after the close closes it.
// Thread safety: any thread. Lifetime: counted; a pending wait of Asio's keeps the socket, not the descriptor, once it is closed.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <greenroom/runtime/detail/readiness.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

class polled_socket;

/// The sockets of a system, so that its end can close what somebody still holds: without its Asio loops they could not be.
/// Lock order: mutex_ before a socket's lock.
class open_sockets {
public:
  void close_all() noexcept;

private:
  friend class polled_socket;
  std::mutex mutex_;
  polled_socket* first_ = nullptr; // guarded by mutex_
};

/// A descriptor that has no polled_socket yet.
class unique_fd {
public:
  explicit unique_fd(int number) noexcept : number_(number) {}
  unique_fd(unique_fd&& from) noexcept : number_(std::exchange(from.number_, -1)) {}
  unique_fd& operator=(unique_fd&&) = delete;
  ~unique_fd() {
    if (number_ >= 0) ::close(number_);
  }
  explicit operator bool() const noexcept { return number_ >= 0; }
  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }

private:
  int number_;
};

/// What a try on a socket gave: a value of 0 or more, or an error number.
struct attempt {
  long value = -1;
  int error = 0; // 0: the socket is closed

  bool done() const noexcept { return value >= 0; }
  bool must_wait() const noexcept { return error == EAGAIN || error == EWOULDBLOCK; }
  bool closed() const noexcept { return value < 0 && error == 0; }
};

class polled_socket final : public detail::readiness_source, public std::enable_shared_from_this<polled_socket> {
public:
  using side = detail::io_side;

  /// Gives `fd` to the loop `home`. Errors: io with the system's reason; `fd` is closed then.
  static result<std::shared_ptr<polled_socket>> adopt(boost::asio::io_context& home, unique_fd fd,
                                                      std::shared_ptr<open_sockets> all);
  polled_socket(int fd, std::shared_ptr<open_sockets> all);
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

  bool ready_or_watch_locked(side which) override;
  bool closed() const noexcept { return (uses_.load() & closed_bit) != 0; }
  void close() noexcept;

private:
  friend class open_sockets;
  using descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  static constexpr std::uint32_t closed_bit = 1U << 31;

  void leave() noexcept {
    if (uses_.fetch_sub(1) == (closed_bit | 1U)) release_descriptor();
  }
  void became_ready(side which) noexcept;
  void release_descriptor() noexcept;

  const std::shared_ptr<open_sockets> all_;
  const int fd_;
  std::atomic<std::uint32_t> uses_{0}; // calls under way, and closed_bit; that is never taken back
  // Guarded by the lock, as is watched_; empty once closed. The lock is a spin lock although the kernel is entered under it
  // (epoll_ctl, close): only the two sides of one connection, its close and a wake() can meet here, and the wait queues need one.
  std::optional<descriptor> descriptor_;
  std::array<bool, 2> watched_{}; // a wait of Asio's is pending
  // Guarded by all_->mutex_.
  polled_socket* prev_ = nullptr;
  polled_socket* next_ = nullptr;
};

} // namespace greenroom::internal
