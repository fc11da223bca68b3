#include <greenroom/runtime/detail/item_meter.hpp>

#include <algorithm>
#include <utility>

#include <greenroom/runtime/detail/mailbox_base.hpp>
#include <greenroom/runtime/detail/timer_queue.hpp>

namespace greenroom::detail {

// What is in hand is timed in one piece as long as its holder goes from item to item: the clock is read where that begins and ends, and
// not for each item, which would cost more than all the rest here.
inline void item_meter::settle(holder& h, bool gets_one) noexcept {
  h.stale = true;
  h.tag.trace = {};
  if (!h.holds) return;
  ++handled_;
  h.holds = false;
  h.goes_on = gets_one;
  if (!gets_one) end_handling(h);
}

void item_meter::end_handling(const holder& h) noexcept { handling_ += now_of(*h.who->home) - h.begun; }

duration item_meter::handling() const noexcept {
  auto sum = handling_;
  for (const auto& h : holders_) {
    if (h.holds) sum += now_of(*h.who->home) - h.begun;
  }
  return sum;
}

/// Returns the time without a look at the clock, where the caller is an actor.
inline std::uint32_t item_meter::milliseconds() const noexcept {
  if (this_turn.core != nullptr) [[likely]]
    return this_turn.now_ms;
  return holders_.empty() ? unknown_since : now_ms_of(*holders_.front().who->home);
}

void item_meter::begin_with(const queue_look& now) {
  for (std::uint64_t i = 0; i <= now.queued; ++i) tags_.push_back({});
  (void)tags_.pop_back(); // there is room for the one that comes next
  accepted_ = now.queued + now.dropped;
}

void item_meter::ask(const actor_cell* who, bool gets_one) noexcept {
  if (auto* const h = find(who)) settle(*h, gets_one);
}

item_copy item_meter::let_go(const actor_cell* who) noexcept {
  auto* const h = find(who);
  if (h == nullptr) return {};
  settle(*h, false);
  return std::move(h->copy);
}

time_point item_meter::next_expiry() const noexcept {
  return expires_after_ == duration::max() ? never : deadline_in(expires_after_);
}

void item_meter::push(trace_context trace) {
  tags_.push_back({next_expiry(), 0, milliseconds(), std::move(trace)});
  ++accepted_;
}

void item_meter::push_front() { tags_.push_front(item_tag(on_the_way_)); }

void item_meter::pop() noexcept { on_the_way_ = tags_.pop_front(); }

void item_meter::take_back_push() noexcept {
  (void)tags_.pop_back();
  --accepted_;
}

void item_meter::take(const actor_cell* who, const void* item) noexcept {
  ++taken_;
  auto* const h = find(who);
  if (h == nullptr) { // somebody who has not entered
    ++handled_;
    return;
  }
  settle(*h, false);
  if (!std::exchange(h->goes_on, false)) h->begun = now_of(*who->home);
  h->holds = true;
  h->tag = on_the_way_;
  ++h->tag.deliveries;
  h->number = taken_;
  if (kind_ == nullptr || kind_->copy == nullptr || !(keeps_ || kind_->copied_at_no_cost)) return;
  // A copy that is left from an earlier item stays until it can be destroyed without the lock.
  if (h->copy && !kind_->copied_at_no_cost) return;
  try {
    h->copy = item_copy(*kind_, item);
    h->stale = false;
  } catch (...) { // then it cannot come again
  }
}

left_item item_meter::leave(const actor_cell* who, bool in_order, std::uint32_t most_deliveries, mailbox_base& box,
                            actor_cell*& wake) noexcept {
  auto* const h = find(who);
  if (h == nullptr) return {};
  auto last = std::move(*h);
  if (h != &holders_.back()) *h = std::move(holders_.back());
  holders_.pop_back();
  left_item left{
      last.holds && !in_order, false, last.tag.deliveries, last.number, std::move(last.tag.trace), kind_, {}};
  (last.stale ? left.outdated : left.copy) = std::move(last.copy);
  if (last.holds) end_handling(last);
  if (last.holds && in_order) ++handled_;
  if (!left.failed) return left;
  left.comes_again = !last.stale && last.tag.deliveries < most_deliveries && box.has_receivers() &&
                     put_back(left, last.tag, box, wake);
  ++(left.comes_again ? redelivered_ : failed_);
  if (last.stale) left.kind = nullptr;
  return left;
}

bool item_meter::put_back(const left_item& left, const item_tag& as, mailbox_base& box, actor_cell*& wake) noexcept {
  try {
    on_the_way_ = {next_expiry(), as.deliveries, as.since, left.trace.again(deadline_after(duration::zero()))};
    item_copy again(*kind_, left.copy.get());
    kind_->put_back(box, again.get(), wake);
    return true;
  } catch (...) {
    return false;
  }
}

void item_meter::pass(const trace_context& trace) noexcept {
  ++accepted_;
  on_the_way_ = {never, 0, milliseconds(), trace};
}

void item_meter::clear() noexcept {
  undelivered_ += tags_.size();
  tags_.clear();
}

void mailbox_base::drop_copy() noexcept {
  item_copy handled; // destroyed after the lock is released: it may hold an address of this very mailbox
  std::lock_guard guard(lock_);
  handled = meter_locked()->let_go(this_turn.cell);
}

std::uint64_t item_meter::in_hand() const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(holders_.begin(), holders_.end(), [](const holder& h) { return h.holds; }));
}

} // namespace greenroom::detail
