#include <greenroom/runtime/scope.hpp>

#include <mutex>

#include <fmt/format.h>

namespace greenroom::detail {

void scope_state::add_child() noexcept {
  refs_.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard guard(lock_);
  ++children_;
}

void scope_state::on_exit(actor_cell& cell, const exit_reason& why) noexcept {
  const bool bad = why.kind() == exit_kind::failed || why.kind() == exit_kind::killed;
  if (bad) {
    error cause(why.why().code(), fmt::format("child actor {} '{}' {}", cell.id, cell.name, why.to_string()));
    {
      std::lock_guard guard(lock_);
      if (!failure_) failure_ = cause;
    }
    cancel(std::move(cause)); // the first cause holds
  }
  drop_child();
}

void scope_state::drop_child() noexcept {
  {
    std::lock_guard guard(lock_);
    if (--children_ == 0) {
      while (auto* w = joiners_.claim_front()) make_ready(*w->cell);
    }
  }
  release();
}

void scope_state::cancel(error cause) noexcept { ctx_.cancel(std::move(cause)); }

void scope_state::release() noexcept {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void scope_state::leave() noexcept {
  // Children that a killed parent leaves behind may refer to variables of those above it. Before the link is cut: no search may see neither.
  if (children() != 0) mark_exposed(*parent_.load());
  std::lock_guard guard(lock_);
  parent_ = nullptr;
}

exit_listener* scope_state::expose_parent() noexcept {
  std::lock_guard guard(lock_); // keeps the parent alive: it must come through leave()
  auto* const parent = parent_.load();
  return parent == nullptr ? nullptr : expose_counted(*parent);
}

std::size_t scope_state::children() noexcept {
  std::lock_guard guard(lock_);
  return children_;
}

} // namespace greenroom::detail
