#include <greenroom/runtime/internal/polled_socket.hpp>

#include <utility>

#include <sys/epoll.h>

namespace greenroom::internal {

void open_sockets::close_all() noexcept {
  std::lock_guard guard(mutex_);
  for (auto* socket = first_; socket != nullptr; socket = socket->next_) socket->close();
}

result<std::shared_ptr<polled_socket>> polled_socket::adopt(std::shared_ptr<poller> home, unique_fd fd,
                                                            std::shared_ptr<open_sockets> all) {
  auto socket = std::make_shared<polled_socket>(home, fd.get(), std::move(all));
  if (const auto watched = home->watch(fd.get(), socket); !watched) return watched.error();
  fd.release();
  return socket;
}

polled_socket::polled_socket(std::shared_ptr<poller> home, int fd, std::shared_ptr<open_sockets> all)
    : all_(std::move(all)), fd_(fd), home_(std::move(home)) {
  std::lock_guard guard(all_->mutex_);
  next_ = all_->first_;
  if (next_ != nullptr) next_->prev_ = this;
  all_->first_ = this;
}

polled_socket::~polled_socket() {
  std::lock_guard guard(all_->mutex_);
  (prev_ != nullptr ? prev_->next_ : all_->first_) = next_;
  if (next_ != nullptr) next_->prev_ = prev_;
}

bool polled_socket::ready_or_watch_locked(side which) {
  const auto i = static_cast<std::size_t>(which);
  return ready_[i].load(std::memory_order_relaxed) || ended_[i].load(std::memory_order_relaxed) || closed();
}

/// Relaxed stores: who looks does so under the lock that wake() takes behind them, and is either woken or sees them.
void polled_socket::changed(std::uint32_t events) noexcept {
  constexpr auto reading = static_cast<std::size_t>(side::reading);
  constexpr auto writing = static_cast<std::size_t>(side::writing);
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (broken || (events & EPOLLRDHUP) != 0) ended_[reading].store(true, std::memory_order_relaxed);
  if (broken) ended_[writing].store(true, std::memory_order_relaxed);
  const bool readable = broken || (events & (EPOLLIN | EPOLLRDHUP)) != 0;
  const bool writable = broken || (events & EPOLLOUT) != 0;
  if (readable) ready_[reading].store(true, std::memory_order_relaxed);
  if (writable) ready_[writing].store(true, std::memory_order_relaxed);
  // All that wait: who comes first may not take all that is there.
  wake(static_cast<std::uint8_t>((readable ? to_read : 0) | (writable ? to_write : 0)));
}

void polled_socket::close() noexcept {
  const auto uses = uses_.fetch_or(closed_bit);
  if ((uses & closed_bit) != 0) return;
  wake(); // after the bit was set: whoever queued before is found, and nobody queues any more
  if (uses == 0) release_descriptor();
}

void polled_socket::release_descriptor() noexcept {
  if (released_.exchange(true)) return; // a call that finds it closed comes by, too
  const auto home = std::move(home_);   // forget() may let go of this socket
  const auto fd = fd_;
  home->forget(fd, *this);
  ::close(fd);
}

} // namespace greenroom::internal
