#include <greenroom/actors/monitor.hpp>

#include <cassert>
#include <mutex>
#include <unordered_map>

namespace greenroom {
namespace detail {

namespace {

/// One watched actor; stands with that actor as a listener, and with the monitor until its notice is taken.
struct watched final : exit_listener {
  watched(std::shared_ptr<monitor_core> m, const actor& a) noexcept : home(std::move(m)), who(a) {}
  void on_exit(actor_cell& cell, const exit_reason& reason) noexcept override;

  const std::shared_ptr<monitor_core> home;
  const actor who;
  // Guarded by the lock of `home`.
  exit_reason why;
  bool removed = false;
  bool queued = false;
  watched* prev = nullptr;
  watched* next = nullptr;
};

} // namespace

class monitor_core {
public:
  void note(watched& w, const exit_reason& why) noexcept {
    std::lock_guard guard(lock);
    if (w.removed) return;
    w.why = why;
    w.queued = true;
    w.prev = last_;
    (last_ != nullptr ? last_->next : first_) = &w;
    last_ = &w;
    if (auto* waiting = waiters.claim_front()) make_ready(*waiting->cell);
  }
  void remove(watched& w) noexcept {
    {
      std::lock_guard guard(lock);
      w.removed = true;
      if (w.queued) unlink(w);
    }
    remove_listener(*w.who.cell(), &w);
  }
  bool has_notice() const noexcept { return first_ != nullptr; }
  down take() noexcept {
    std::unique_lock guard(lock);
    auto* const w = first_;
    assert(w != nullptr); // only the owner takes, and it was woken for this one
    unlink(*w);
    guard.unlock();
    down notice{w->who, std::move(w->why)};
    all.erase(w->who.cell());
    return notice;
  }

  spin_lock lock;
  wait_queue waiters;                                                  // guarded by lock
  std::unordered_map<const actor_cell*, std::shared_ptr<watched>> all; // the owner's

private:
  void unlink(watched& w) noexcept {
    (w.prev != nullptr ? w.prev->next : first_) = w.next;
    (w.next != nullptr ? w.next->prev : last_) = w.prev;
    w.queued = false;
  }

  // Those that have ended, in that order; guarded by lock.
  watched* first_ = nullptr;
  watched* last_ = nullptr;
};

namespace {
void watched::on_exit(actor_cell&, const exit_reason& reason) noexcept { home->note(*this, reason); }
} // namespace

spin_lock& down_action::queue_lock() noexcept { return core->lock; }
wait_queue& down_action::queue() noexcept { return core->waiters; }
bool down_action::try_locked(actor_cell*&) const noexcept { return core->has_notice(); }
down down_action::take(std::uint8_t) const noexcept { return core->take(); }

} // namespace detail

monitor::monitor() : core_(std::make_shared<detail::monitor_core>()) {}

monitor::~monitor() {
  for (auto& [cell, w] : core_->all) core_->remove(*w);
  core_->all.clear(); // before the core: each refers to it
}

bool monitor::add(const actor& who) {
  if (!who) throw usage_error("monitor::add: this handle names no actor: it was default-constructed or moved from");
  if (core_->all.contains(who.cell())) return false;
  const auto fresh = std::make_shared<detail::watched>(core_, who);
  core_->all.emplace(who.cell(), fresh);
  try {
    if (!detail::add_listener(*who.cell(), fresh)) core_->note(*fresh, detail::extras_of(*who.cell()).reason);
  } catch (...) {
    core_->all.erase(who.cell());
    throw;
  }
  return true;
}

bool monitor::remove(const actor& who) noexcept {
  const auto at = core_->all.find(who.cell());
  if (at == core_->all.end()) return false;
  core_->remove(*at->second);
  core_->all.erase(at);
  return true;
}

std::size_t monitor::size() const noexcept { return core_->all.size(); }

} // namespace greenroom
