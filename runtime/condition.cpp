#include <greenroom/runtime/condition.hpp>

#include <cassert>
#include <exception>
#include <mutex>

#include <greenroom/runtime/detail/wake_list.hpp>

namespace greenroom {
namespace {

/// Makes the running actor's waits end by themselves, or by a kill, only.
class pin {
public:
  pin() noexcept : cell_(*detail::this_turn.cell) {
    cell_.word.fetch_or(detail::actor_cell::pinned, std::memory_order_relaxed);
  }
  pin(const pin&) = delete;
  pin& operator=(const pin&) = delete;
  ~pin() { cell_.word.fetch_and(~detail::actor_cell::pinned, std::memory_order_relaxed); }

private:
  detail::actor_cell& cell_;
};

} // namespace

/// One wait, in the frame of pause().
struct condition::notice {
  ~notice() {
    if (pass_on) from.notify_one();
  }
  condition& from;
  mutex_guard& guard;
  // Written under the condition's lock by who notifies.
  bool given = false;
  bool pass_on = false; // given to this actor alone: if it is killed before it has the mutex, the next one gets it
};

struct condition::notice_action : detail::waiter {
  static constexpr auto kind = detail::wait_kind::condition;
  explicit notice_action(notice& n) noexcept : wait(&n) {}
  detail::spin_lock& queue_lock() noexcept { return wait->from.lock_; }
  detail::wait_queue& queue() noexcept { return wait->from.waiting_; }
  const void* place() const noexcept { return &wait->from; }
  /// Gives the mutex up. The condition's lock stays held until this action is queued, so that whoever gets the mutex and then
  /// notifies finds it there. Lock order: a condition's lock before its mutex's.
  bool try_locked(detail::actor_cell*&) noexcept {
    wait->guard.unlock();
    return false;
  }
  void take(std::uint8_t) const noexcept {}

  notice* wait;
};

condition::~condition() { assert(waiting_.empty() && "a condition was destroyed while an actor waits for it"); }

task<bool> condition::pause(mutex_guard& guard, time_point deadline) {
  auto* const mutex = guard.held_.from();
  if (mutex == nullptr) throw usage_error("condition: wait() needs a guard that holds its mutex; this one holds none");
  notice seen{*this, guard};
  std::exception_ptr failure;
  try {
    detail::queued_op notification(notice_action(seen), deadline);
    co_await notification;
  } catch (...) {
    failure = std::current_exception();
  }
  if (!guard) {
    const pin until_held;
    guard = co_await detail::acquire<mutex_guard>(*mutex, 1);
  }
  seen.pass_on = false;
  if (failure) std::rethrow_exception(std::move(failure));
  co_return seen.given;
}

task<> condition::wait(mutex_guard& guard) { co_await pause(guard, never); }

void condition::notify_one() noexcept {
  detail::wake_list woken;
  std::lock_guard guard(lock_);
  if (auto* w = waiting_.claim_front()) {
    auto& wait = *static_cast<notice_action*>(w)->wait;
    wait.given = wait.pass_on = true;
    woken.add(*w);
  }
}

void condition::notify_all() noexcept {
  detail::wake_list woken;
  std::lock_guard guard(lock_);
  while (auto* w = waiting_.claim_front()) {
    static_cast<notice_action*>(w)->wait->given = true;
    woken.add(*w);
  }
}

} // namespace greenroom
