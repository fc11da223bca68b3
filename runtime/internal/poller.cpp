#include <greenroom/runtime/internal/poller.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <mutex>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>

namespace greenroom::internal {
namespace {

constexpr std::uint32_t all_edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

unique_fd made(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return unique_fd(fd);
}

/// In milliseconds, as epoll wants them: rounded up, since a timer must not fire early.
int in_milliseconds(std::chrono::nanoseconds limit) noexcept {
  if (limit == std::chrono::nanoseconds::max()) return -1;
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(std::max(limit, std::chrono::nanoseconds::zero()));
  return static_cast<int>(std::min<std::int64_t>(whole.count(), INT_MAX));
}

} // namespace

poller::poller()
    : epoll_(made(::epoll_create1(EPOLL_CLOEXEC), "cannot make a worker: epoll_create1")),
      bell_(made(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "cannot make a worker: eventfd")) {
  epoll_event ring{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), &ring) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot make a worker: epoll_ctl");
}

result<void> poller::watch(int fd, std::shared_ptr<source> what) {
  epoll_event edges{.events = all_edges, .data = {.ptr = what.get()}};
  auto& watched = *what;
  watched.kept_ = std::move(what); // before the owner can get an event of it
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &edges) == 0) return {};
  error why(errc::io, std::generic_category().message(errno));
  watched.kept_.reset();
  return why;
}

void poller::forget(int fd, source& what) noexcept {
  // Not left to the close: a child process may hold a copy of the descriptor, and its events would go on.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  std::shared_ptr<source> last; // outlives the lock
  std::lock_guard guard(lock_);
  if (shut_) {
    last = std::move(what.kept_);
  } else {
    what.next_ = std::exchange(forgotten_, &what);
  }
}

void poller::try_look() noexcept {
  std::unique_lock turn(turn_, std::try_to_lock);
  if (turn && tell(fetch(std::chrono::nanoseconds::zero()))) interrupt(); // the ring was for the owner
}

/// Waits for events, and returns how many. Requires: turn_ is held.
int poller::fetch(std::chrono::nanoseconds limit) noexcept {
  drop_forgotten(false);
  return ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), in_milliseconds(limit));
}

/// Returns whether there was a ring among them. Requires: turn_ is held, since fetch().
bool poller::tell(int count) noexcept {
  bool rung = false;
  for (int i = 0; i < count; ++i) {
    const auto& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      rung = true;
    } else {
      static_cast<source*>(event.data.ptr)->changed(event.events);
    }
  }
  return rung;
}

void poller::interrupt() noexcept {
  const std::uint64_t one = 1; // the count is never read: each write is an edge
  (void)!::write(bell_.get(), &one, sizeof one);
}

void poller::shut_down() noexcept { drop_forgotten(true); }

void poller::drop_forgotten(bool for_good) noexcept {
  source* first = nullptr;
  {
    std::lock_guard guard(lock_);
    first = std::exchange(forgotten_, nullptr);
    shut_ |= for_good;
  }
  while (first != nullptr) {
    auto& one = *first;
    first = one.next_;
    const auto last = std::move(one.kept_); // destroys it, mostly
  }
}

} // namespace greenroom::internal
