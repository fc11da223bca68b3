// with_scope: children that cannot outlive their parent's step. It runs a body that may spawn children, and returns when the body
// and all children have ended; the first failure cancels the rest. What errgroup and WaitGroup do together in Go.
//
//   task<> both(scope& s, address<int> out) { s.spawn(fetch, 1, out); s.spawn(fetch, 2, out); co_return; }
//   auto ok = co_await with_scope(both, out);
//
// Thread safety: a scope is used by the actor that runs its body. Lifetime: the scope lives while with_scope runs; children
// inherit its context, hence the parent's deadline and cancellation.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {
namespace detail {

/// What a scope and its children share.
class GREENROOM_EXPORT scope_state final : public exit_listener {
public:
  explicit scope_state(cancellable_context ctx) noexcept : parent_(this_turn.cell), ctx_(std::move(ctx)) {}
  void add_child() noexcept;
  void drop_child() noexcept;
  void on_exit(actor_cell& cell, const exit_reason& why) noexcept override;
  void cancel(error cause) noexcept;
  void release() noexcept;
  /// The scope is left; what is left of its children has no parent any more.
  void leave() noexcept;
  actor_cell* parent() noexcept override { return parent_.load(); }
  exit_listener* expose_parent() noexcept override;
  void add_ref() noexcept override { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop_ref() noexcept override { release(); }

  context& ctx() noexcept { return ctx_.ctx; }
  /// Returns the failure that cancelled the rest. Requires: all children have ended.
  const std::optional<error>& failure() const noexcept { return failure_; }
  std::size_t children() noexcept;

  /// Waits until no child is left.
  struct join_action : waiter {
    static constexpr wait_kind kind = wait_kind::scope;
    explicit join_action(scope_state* s) noexcept : state(s) {}
    spin_lock& queue_lock() noexcept { return state->lock_; }
    wait_queue& queue() noexcept { return state->joiners_; }
    const void* place() const noexcept { return static_cast<exit_listener*>(state); } // as its children know it
    bool try_locked(actor_cell*&) const noexcept { return state->children_ == 0; }
    void take(std::uint8_t) const noexcept {}
    scope_state* state;
  };

private:
  std::atomic<std::size_t> refs_{1}; // the scope's, and one for each child
  // Written under lock_; lives while it is set and lock_ is held. Without the lock it only says which actor it is.
  std::atomic<actor_cell*> parent_;
  cancellable_context ctx_;
  spin_lock lock_;
  std::size_t children_ = 0;     // guarded by lock_, as are the following
  std::optional<error> failure_; // the first
  wait_queue joiners_;
};

} // namespace detail

/// Where a body spawns its children. Made by with_scope.
class scope {
public:
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope() {
    state_->cancel(errc::cancelled); // nobody is left, unless a kill destroyed the parent
    state_->leave();
    state_->release();
  }

  /// Starts `fn(args...)` as a child of this scope. Waits: never.
  template <class... Args>
  actor spawn(detail::target_for<Args...> fn, Args&&... args) {
    return launch(fn.begin(std::forward<Args>(args)...), nullptr, fn.site);
  }
  template <class... Args>
  actor spawn(const spawn_options& how, detail::target_for<Args...> fn, Args&&... args) {
    return launch(fn.begin(std::forward<Args>(args)...), &how, fn.site);
  }

  /// Cancels the body and all children.
  void cancel(error cause = errc::cancelled) noexcept { state_->cancel(std::move(cause)); }
  /// Returns the context of the children. Its end cancels them.
  greenroom::context context() const noexcept { return state_->ctx(); }
  /// Counts the children that have not ended.
  std::size_t children() const noexcept { return state_->children(); }
  /// Waits until every child spawned so far has ended. Cancellation: throws `cancelled`.
  auto join() const noexcept { return detail::queued_op(detail::scope_state::join_action(state_)); }

private:
  template <class T, class F, class... Args>
  friend task<result<T>> run_scope(F fn, Args... args);

  scope() : state_(new detail::scope_state(this_actor::context().with_cancel())) {}
  actor launch(detail::started made, const spawn_options* how, std::source_location site) {
    auto& core = detail::core_here("scope::spawn");
    state_->add_child();
    try {
      return detail::launch({core, made, how, site, &state_->ctx().node(), state_});
    } catch (...) { // out of memory: there is no child
      state_->drop_child();
      throw;
    }
  }

  detail::scope_state* state_;
};

/// For with_scope().
template <class T, class F, class... Args>
task<result<T>> run_scope(F fn, Args... args) {
  scope here;
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value;
  std::exception_ptr thrown;
  {
    detail::context_switch inside(here.context());
    try {
      auto body = detail::invoke(fn, here, std::move(args)...);
      if constexpr (std::is_void_v<T>) {
        co_await std::move(body);
        value.emplace();
      } else {
        value.emplace(co_await std::move(body));
      }
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  if (thrown) here.cancel();
  try {
    co_await here.join();
  } catch (const cancelled& c) {
    thrown = std::current_exception();
    here.cancel(c.cause);
  }
  if (here.children() != 0) {
    const detail::cancel_mask until_all_have_ended;
    co_await here.join();
  }
  if (here.state_->failure()) co_return *here.state_->failure();
  if (thrown) std::rethrow_exception(thrown);
  if constexpr (std::is_void_v<T>) {
    co_return result<void>();
  } else {
    co_return *std::move(value);
  }
}

/// Runs `fn(scope&, args...)` and waits for all children it spawns. Gives the value of the body.
/// Waits: until the body and every child have ended, whatever happens. Cancellation: cancels the children, waits for them, and
/// throws `cancelled`. Errors: the first child that failed or was killed, as errc::failed or errc::killed naming it; the body and
/// its other children are then cancelled. An exception of the body cancels the children and passes when they have ended.
template <class F, class... Args>
auto with_scope(F fn, Args... args) {
  using body = std::invoke_result_t<F&, scope&, Args...>;
  return run_scope<typename body::value_type, F, Args...>(std::move(fn), std::move(args)...);
}

} // namespace greenroom
