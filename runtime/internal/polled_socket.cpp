#include <greenroom/runtime/internal/polled_socket.hpp>

#include <mutex>

namespace greenroom::internal {

void open_sockets::close_all() noexcept {
  std::lock_guard guard(mutex_);
  for (auto* socket = first_; socket != nullptr; socket = socket->next_) socket->close();
}

result<std::shared_ptr<polled_socket>> polled_socket::adopt(boost::asio::io_context& home, unique_fd fd,
                                                            std::shared_ptr<open_sockets> all) {
  auto socket = std::make_shared<polled_socket>(fd.get(), std::move(all));
  boost::system::error_code failure;
  socket->descriptor_.emplace(home);
  socket->descriptor_->assign(fd.get(), failure);
  if (failure) return error(errc::io, failure.message());
  fd.release();
  return socket;
}

polled_socket::polled_socket(int fd, std::shared_ptr<open_sockets> all) : all_(std::move(all)), fd_(fd) {
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

/// Has Asio tell when the side is ready, unless it is about to. No readiness is lost: Asio arms the descriptor anew for each wait
/// (EPOLL_CTL_MOD), which reports what is there already.
bool polled_socket::ready_or_watch_locked(side which) {
  if (closed()) return true;
  auto& watched = watched_[static_cast<std::size_t>(which)];
  if (watched) return false;
  const auto event = which == side::reading ? descriptor::wait_read : descriptor::wait_write;
  descriptor_->async_wait(event, [self = shared_from_this(), which](const boost::system::error_code&) noexcept {
    self->became_ready(which); // aborted too: then the socket was closed
  });
  watched = true;
  return false;
}

void polled_socket::became_ready(side which) noexcept {
  {
    std::lock_guard guard(lock);
    watched_[static_cast<std::size_t>(which)] = false;
  }
  wake(which); // all of them: who comes first may not take all that is there
}

void polled_socket::close() noexcept {
  const auto uses = uses_.fetch_or(closed_bit);
  if ((uses & closed_bit) != 0) return;
  wake(); // after the bit was set: whoever queued before is found, and nobody queues any more
  if (uses == 0) release_descriptor();
}

void polled_socket::release_descriptor() noexcept {
  std::lock_guard guard(lock);
  descriptor_.reset();
}

} // namespace greenroom::internal
