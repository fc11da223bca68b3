#include <greenroom/http/detail/body_pipe.hpp>

#include <mutex>
#include <utility>

namespace greenroom::http::detail {

bool body_pipe::has_room() noexcept {
  std::lock_guard guard(lock_);
  return has_room_locked();
}

bool body_pipe::wanted() noexcept {
  std::lock_guard guard(lock_);
  return asked_ && !left_;
}

bool body_pipe::abandoned() noexcept {
  std::lock_guard guard(lock_);
  return left_;
}

result<void> body_pipe::put(std::string bytes) {
  std::string old; // freed without the lock
  std::lock_guard guard(lock_);
  if (left_) return error(errc::closed, "cannot send a part of a body: nobody takes it any more");
  if (bytes.empty()) return {};
  if (bytes_.empty()) {
    old = std::exchange(bytes_, std::move(bytes));
  } else {
    bytes_ += bytes;
  }
  wake_locked(taking_);
  return {};
}

void body_pipe::end(std::unique_ptr<trailer_section> behind) noexcept {
  std::lock_guard guard(lock_);
  ended_ = true;
  trailers_ = std::move(behind);
  wake_locked(taking_);
}

void body_pipe::fail(error why) noexcept {
  std::lock_guard guard(lock_);
  if (std::exchange(ended_, true)) return;
  failure_.emplace(std::move(why));
  wake_locked(taking_);
}

void body_pipe::ask() noexcept {
  std::lock_guard guard(lock_);
  if (std::exchange(asked_, true)) return;
  wake_locked(putting_);
}

result<std::string> body_pipe::take() {
  std::lock_guard guard(lock_);
  if (bytes_.empty() && failure_) return *failure_;
  auto all = std::exchange(bytes_, {});
  wake_locked(putting_);
  return all;
}

bool body_pipe::drained() noexcept {
  std::lock_guard guard(lock_);
  return ended_ && bytes_.empty();
}

const trailer_section* body_pipe::trailers() noexcept {
  std::lock_guard guard(lock_);
  return bytes_.empty() ? trailers_.get() : nullptr;
}

void body_pipe::leave() noexcept {
  std::string dropped; // freed without the lock
  std::lock_guard guard(lock_);
  left_ = true;
  dropped.swap(bytes_);
  wake_locked(putting_);
}

void body_pipe::wake_locked(greenroom::detail::wait_queue& who) noexcept {
  while (auto* w = who.claim_front()) greenroom::detail::make_ready(*w->cell);
}

} // namespace greenroom::http::detail
