// context: what Go's context.Context is: a deadline, a cancellation with its cause, and values, in a tree. Every actor runs in one
// (this_actor::context()); scopes, requests and outgoing calls derive theirs from it, so it need not be passed by hand.
// Thread safety: all members may be called from any thread. Lifetime: counted; a context keeps its parents alive, a parent
// forgets children that are gone. Handles must not outlive their actor system.
#pragma once

#include <any>
#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <typeindex>
#include <utility>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/context_node.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>
#include <greenroom/runtime/detail/refers_to_nothing.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

struct cancellable_context;
class after_func_handle;

namespace detail {

/// Waits for the end of a context.
struct done_action : waiter {
  static constexpr wait_kind kind = wait_kind::context;
  explicit done_action(context_node* n) noexcept : node(n) {}
  spin_lock& queue_lock() noexcept { return node->lock; }
  wait_queue& queue() noexcept { return node->waiters; }
  const void* place() const noexcept { return node; }
  bool try_locked(actor_cell*&) const noexcept { return node->ended != errc{}; }
  error take(std::uint8_t) const { return cause_of(*node); }

  context_node* node;
};

} // namespace detail

/// A deadline, a cancellation with its cause, and values. Thread safety: any thread. Cost: 128 bytes each, shared by copies.
class GREENROOM_EXPORT context {
public:
  context(const context& other) noexcept : node_(other.node_) { detail::add_ref(*node_); }
  context(context&& other) noexcept : node_(other.node_) { detail::add_ref(*node_); }
  context& operator=(context other) noexcept { return std::swap(node_, other.node_), *this; }
  ~context() { detail::release(*node_); }

  // -- looking ------------------------------------------------------------------------------------
  /// Returns whether it has ended. Waits: never.
  bool cancelled() const noexcept { return detail::is_cancelled(*node_); }
  /// Returns why the context ended, or nothing while it has not: errc::cancelled, errc::timed_out, or the canceller's error.
  std::optional<error> cause() const {
    if (!cancelled()) return std::nullopt;
    return detail::cause_of(*node_);
  }
  /// Returns the earliest deadline of this context and its parents; `never` if there is none.
  time_point deadline() const noexcept { return node_->deadline; }
  /// Returns the time left, zero when it is over, duration::max() without a deadline.
  duration remaining() const noexcept;
  /// Returns the nearest value of type T on the way to the root, or null. Lifetime: as this context.
  template <class T>
  const T* value() const noexcept {
    return std::any_cast<T>(detail::find_value(*node_, typeid(T)));
  }

  // -- deriving -----------------------------------------------------------------------------------
  /// Returns a child that ends with errc::timed_out at `deadline`, or when this context does, whichever is first.
  context with_deadline(time_point deadline) const;
  /// The same with a limit, counted from this call.
  template <class Rep, class Period>
  context with_timeout(std::chrono::duration<Rep, Period> limit) const {
    const auto from = now();
    return with_deadline(saturating_add(from, limit), from);
  }
  /// Returns a child and the right to cancel it.
  cancellable_context with_cancel() const;
  /// Returns a child that carries `value`; its type is its key, so give each value a type of its own.
  template <class T>
  context with_value(T value) const {
    return with_any(std::any(std::move(value)), !detail::refers_to_nothing<T>);
  }
  /// Returns a context with the same values that ends with its system only: for work that must outlive the request.
  context without_cancel() const;

  // -- waiting ------------------------------------------------------------------------------------
  /// Waits for the end of the context and gives its cause; also a select case. An actor that waits for its own context is
  /// cancelled with it instead.
  auto done() const noexcept { return detail::queued_op(detail::done_action(node_)); }

  /// Has `fn` called once, when the context ends; at once if it has ended. It runs on the thread that ends the context, so it must
  /// be short and must not throw or wait. Ownership: destroying the handle takes the call back.
  template <std::invocable F>
  after_func_handle after_func(F fn) const;

  friend bool operator==(const context&, const context&) noexcept = default;

  /// For the runtime.
  struct adopt {};
  /// Takes over one count of a node.
  context(detail::context_node* counted, adopt) noexcept : node_(counted) {}
  /// As after_func(), with an `fn` that refers to no actor's variables.
  template <std::invocable F>
  after_func_handle when_ended(F fn) const;
  /// Returns what it names.
  detail::context_node& node() const noexcept { return *node_; }

private:
  after_func_handle keep(std::shared_ptr<detail::context_callback> callback, bool may_refer) const;
  time_point now() const noexcept;
  context with_deadline(time_point deadline, time_point now) const;
  context with_any(std::any value, bool may_refer) const;

  detail::context_node* node_;
};

/// The right to end one context; copyable. Thread safety: any thread.
class GREENROOM_EXPORT canceller {
public:
  /// Makes the right to end `target`.
  explicit canceller(context target) noexcept : target_(std::move(target)) {}
  /// Ends the context and all that derive from it. The first cause holds; cancelling again does nothing.
  void operator()(error cause = errc::cancelled) const noexcept { detail::cancel(target_.node(), std::move(cause)); }

private:
  context target_;
};

/// A context and the right to end it.
struct cancellable_context {
  context ctx;      ///< the context
  canceller cancel; ///< ends it
};

/// Keeps an after_func registered. Thread safety: owner only.
class GREENROOM_EXPORT after_func_handle {
public:
  after_func_handle() noexcept = default;
  /// Default-constructed: of nothing.
  explicit after_func_handle(std::shared_ptr<detail::context_callback> callback) noexcept;
  after_func_handle(after_func_handle&&) noexcept = default;
  after_func_handle& operator=(after_func_handle&& other) noexcept;
  ~after_func_handle() { stop(); }
  /// Takes the call back. Returns true if it has not happened and now will not.
  bool stop() noexcept;

private:
  std::shared_ptr<detail::context_callback> callback_;
};

template <std::invocable F>
after_func_handle context::after_func(F fn) const {
  return keep(std::make_shared<detail::context_callback_of<F>>(std::move(fn)), true);
}
template <std::invocable F>
after_func_handle context::when_ended(F fn) const {
  return keep(std::make_shared<detail::context_callback_of<F>>(std::move(fn)), false);
}

} // namespace greenroom
