#include <greenroom/runtime/actor.hpp>

#include <algorithm>
#include <mutex>
#include <semaphore>
#include <thread>

#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {
namespace detail {

std::uint32_t actor_cell::await_end_of_report() const noexcept {
  for (int polls = 0;; ++polls) {
    const auto w = word.load(std::memory_order_acquire);
    if ((w & observed) == 0) return w;
    if (polls < 100) {
      cpu_pause();
    } else {
      std::this_thread::yield(); // the reader may have been preempted
    }
  }
}

void release(actor_cell& cell) noexcept {
  // Who finds no other reference than his own is alone, and nobody can make one of it: no read-modify-write is needed then. The acquire
  // pairs with the other releases, as that of the subtraction does.
  if (cell.refs.load(std::memory_order_acquire) != 1 && cell.refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  delete cell.extras.load(std::memory_order_acquire);
  delete &cell;
}

actor_extras& extras_of(actor_cell& cell) {
  if (auto* there = cell.extras.load(std::memory_order_acquire)) return *there;
  auto fresh = std::make_unique<actor_extras>();
  actor_extras* expected = nullptr;
  if (cell.extras.compare_exchange_strong(expected, fresh.get(), std::memory_order_seq_cst)) return *fresh.release();
  return *expected;
}

bool add_listener(actor_cell& cell, std::shared_ptr<exit_listener> listener) {
  auto& extras = extras_of(cell);
  std::lock_guard guard(extras.lock);
  if ((cell.word.load(std::memory_order_seq_cst) & actor_cell::finished) != 0) return false;
  extras.listeners.push_back(std::move(listener));
  return true;
}

void remove_listener(actor_cell& cell, const exit_listener* listener) noexcept {
  auto* const extras = cell.extras.load(std::memory_order_acquire);
  if (extras == nullptr) return;
  std::shared_ptr<exit_listener> removed; // released after the lock
  std::lock_guard guard(extras->lock);
  auto& all = extras->listeners;
  const auto at = std::find_if(all.begin(), all.end(), [listener](const auto& l) { return l.get() == listener; });
  if (at == all.end()) return;
  removed = std::move(*at);
  *at = std::move(all.back());
  all.pop_back();
}

namespace {
/// Sets the mark; false if it was there, and then it is with all above, too.
bool set_exposed(actor_cell& cell) noexcept {
  if ((cell.word.load(std::memory_order_relaxed) & actor_cell::exposed) != 0) return false;
  cell.word.fetch_or(actor_cell::exposed, std::memory_order_relaxed);
  return true;
}
} // namespace

void mark_exposed(actor_cell& cell) noexcept {
  if (!set_exposed(cell) || cell.listener == nullptr) return;
  auto* above = cell.listener;
  above->add_ref();
  while (above != nullptr) { // no recursion: scopes may be nested deeply
    auto* const next = above->expose_parent();
    std::exchange(above, next)->drop_ref();
  }
}

exit_listener* expose_counted(actor_cell& parent) noexcept {
  if (!set_exposed(parent) || parent.listener == nullptr) return nullptr;
  parent.listener->add_ref();
  return parent.listener;
}

void throw_cancelled(actor_cell& cell) {
  const auto word = cell.word.load(std::memory_order_relaxed);
  if ((word & actor_cell::actor_cancel) != 0) {
    if (auto* extras = cell.extras.load(std::memory_order_acquire)) {
      std::lock_guard guard(extras->lock);
      if (extras->cancel_cause) throw cancelled{*extras->cancel_cause};
    }
    throw cancelled{errc::stopped};
  }
  throw cancelled{cause_of(*cell.context)};
}

void throw_awaited_twice() {
  throw usage_error("a wait was awaited a second time, or after it was given away: describe it anew for each await");
}

void throw_no_mailbox(const char* what) {
  throw usage_error(std::string(what) +
                    ": there is no mailbox behind this end: it was default-constructed or moved from");
}

void check_limits(std::uint32_t capacity, overflow policy, duration expires_after) {
  if (expires_after <= duration::zero())
    throw usage_error("mailbox: items that expire need a time above 0: see mailbox_limits::expiring");
  if (capacity == 0 && expires_after != duration::max()) {
    throw usage_error("mailbox: an item of a rendezvous is never queued, so it cannot expire; limit the wait of its "
                      "sender with send_for");
  }
  if (capacity == 0 && policy == overflow::drop_oldest) {
    throw usage_error("mailbox: overflow::drop_oldest needs a queue: capacity is 0; give it room, or use drop_newest");
  }
}

void check_may_block(const char* what, const char* instead) {
  if (this_turn.worker == nullptr && this_turn.cell == nullptr)
    return; // a simulation runs actors on a thread that is no worker
  throw usage_error(std::string(what) + ": it would block a worker thread; inside an actor use " + instead);
}

join_action::join_action(actor_cell* t) : target(t), extras(t == nullptr ? nullptr : &extras_of(*t)) {
  if (target != nullptr) add_ref(*target);
}

void join_action::check() const {
  if (target == nullptr)
    throw usage_error("join: this handle names no actor: it was default-constructed or moved from");
}

runtime_core& core_here(const char* what) {
  if (this_turn.cell == nullptr) {
    throw usage_error(std::string(what) +
                      ": called outside an actor; call it on the actor_system, or from a task that it runs");
  }
  return *this_turn.cell->home;
}

} // namespace detail

mailbox_limits bounded(std::int64_t capacity, overflow when_full) {
  constexpr std::int64_t most = std::int64_t{1} << 31;
  if (capacity < 0 || capacity > most) {
    throw usage_error("bounded: a mailbox holds 0 to " + std::to_string(most) + " items, not " +
                      std::to_string(capacity));
  }
  return {static_cast<std::uint32_t>(capacity), when_full};
}

void actor::cancel(error cause) const {
  auto& extras = detail::extras_of(*cell_);
  {
    std::lock_guard guard(extras.lock);
    if (!extras.cancel_cause) extras.cancel_cause = std::move(cause);
  }
  if (cell_->strike(detail::actor_cell::actor_cancel)) detail::make_ready(*cell_);
}

void actor::kill() const noexcept {
  if (cell_->strike(detail::actor_cell::kill)) detail::make_ready(*cell_);
}

exit_reason actor::wait() const {
  detail::check_may_block("actor::wait", "co_await join()");
  struct signal final : detail::exit_listener {
    std::binary_semaphore ended{0};
    void on_exit(detail::actor_cell&, const exit_reason&) noexcept override { ended.release(); }
  };
  const auto end = std::make_shared<signal>();
  if (detail::add_listener(*cell_, end)) end->ended.acquire();
  return detail::extras_of(*cell_).reason;
}

namespace this_actor {

actor self() {
  detail::core_here("this_actor::self");
  detail::add_ref(*detail::this_turn.cell);
  return {detail::this_turn.cell, actor::adopt{}};
}
std::uint64_t id() { return detail::core_here("this_actor::id"), detail::this_turn.cell->id; }
std::string_view name() { return detail::core_here("this_actor::name"), detail::this_turn.cell->name; }
greenroom::context context() {
  detail::core_here("this_actor::context");
  auto& node = *detail::this_turn.cell->context;
  detail::add_ref(node);
  return {&node, greenroom::context::adopt{}};
}
actor_system& system() { return *detail::core_here("this_actor::system").system; }
bool cancel_requested() {
  return detail::core_here("this_actor::cancel_requested"), detail::this_turn.cell->cancel_pending();
}

} // namespace this_actor
} // namespace greenroom
