#include <greenroom/runtime/within.hpp>

#include <memory>

namespace greenroom::detail {
namespace {

bool derives_from(const context_node& node, const context_node& ancestor) noexcept {
  for (auto* n = &node; n != nullptr; n = followed_by(*n)) {
    if (n == &ancestor) return true;
  }
  return false;
}

} // namespace

context_switch::context_switch(const context& inner) : cell_(*this_turn.cell), outer_(cell_.context), inner_(inner) {
  if (!is_root(*outer_) && !derives_from(inner.node(), *outer_)) {
    // A context from elsewhere, a client's say: the actor's own end must still be felt.
    auto joined = inner.with_cancel();
    add_ref(*outer_);
    const context outer(outer_, context::adopt{});
    follows_outer_ =
        outer.when_ended([cancel = joined.cancel, outer] { cancel(outer.cause().value_or(errc::cancelled)); });
    inner_ = joined.ctx;
  }
  leave_context(cell_);
  enter_context(cell_, inner_.node());
}

void context_switch::restore() noexcept {
  if (outer_ == nullptr) return;
  leave_context(cell_);
  enter_context(cell_, *std::exchange(outer_, nullptr));
}

error context_switch::own_cause() {
  auto cause = cause_of(inner_.node());
  restore();
  if (cell_.cancel_pending()) throw_cancelled(cell_);
  return cause;
}

cancel_mask::cancel_mask() noexcept : cell_(*this_turn.cell) {
  ++cell_.shields;
  cell_.word.fetch_or(actor_cell::masked, std::memory_order_relaxed);
}

cancel_mask::~cancel_mask() {
  if (--cell_.shields == 0) cell_.word.fetch_and(~actor_cell::masked, std::memory_order_relaxed);
}

unmask_timer::unmask_timer(time_point when) noexcept : cell_(*this_turn.cell) {
  fire = [](timer_node& node) noexcept {
    auto& cell = static_cast<unmask_timer&>(static_cast<timer&>(node)).cell_;
    if (cell.unmask()) make_ready(cell);
  };
  if (when != never) timers_of(*cell_.home).arm(*this, when);
}

unmask_timer::~unmask_timer() {
  if (queue != nullptr) queue->cancel(*this);
}

} // namespace greenroom::detail
