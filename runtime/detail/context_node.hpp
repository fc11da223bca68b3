// One node of the context tree.
// Lock order: a parent's lock before its child's, never the other way; timer locks are taken inside none of them.
// Thread safety: as noted at the fields. Lifetime: counted by handles, children, actors and an expiry under way.
#pragma once

#include <any>
#include <atomic>
#include <memory>
#include <optional>
#include <typeindex>
#include <vector>

#include <greenroom/runtime/detail/frame_pool.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/detail/timer_queue.hpp>
#include <greenroom/runtime/detail/waiter.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::detail {

/// A function to call when a context ends; called or stopped, never both.
struct context_callback {
  virtual ~context_callback() = default;
  virtual void call() = 0;

  std::atomic<bool> taken{false};
};
template <class F>
struct context_callback_of final : context_callback {
  explicit context_callback_of(F f) : fn(std::move(f)) {}
  void call() override { fn(); }
  F fn;
};

/// What few contexts have.
struct context_extras {
  std::any value;                                         // constant before another thread knows the node
  std::optional<error> cause;                             // if it has a text of its own; guarded by the node's lock,
  std::vector<std::weak_ptr<context_callback>> callbacks; // as are these, of a node that has not ended
};

/// Its size is time: a request has one, and a million may wait for their deadlines.
struct context_node : deferred_timer {
  context_node(runtime_core& c, context_node* p) noexcept;
  ~context_node();
  static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { frame_free(p, bytes); }

  std::atomic<std::uint32_t> refs{1};
  spin_lock lock;
  bool follows_root : 1 = false; // constant after construction: it ends with the system, not with its parent
  bool traced : 1 = false;       // constant before another thread knows the node: a trace_context is among its values
  errc ended{};                  // guarded by lock: why; none while it has not, never taken back

  // Constant after construction.
  runtime_core* core;
  context_node* parent; // counted; where values are looked for; null in the system's root
  time_point deadline = never;

  // Set once, under the lock; read also without it, for the value.
  std::atomic<context_extras*> extras{nullptr};

  // Guarded by lock.
  context_node* first_child = nullptr;
  actor_cell* first_actor = nullptr;
  wait_queue waiters;

  // Guarded by the lock of what it follows.
  context_node* sibling_prev = this; // itself: in no list
  context_node* sibling_next = nullptr;
};
static_assert(sizeof(void*) != 8 || sizeof(context_node) <= 128);

inline bool is_root(const context_node& node) noexcept { return node.parent == nullptr; }
inline void add_ref(context_node& node) noexcept { node.refs.fetch_add(1, std::memory_order_relaxed); }
GREENROOM_EXPORT void release(context_node& node) noexcept;
GREENROOM_EXPORT bool is_cancelled(context_node& node) noexcept;
GREENROOM_EXPORT error cause_of(context_node& node);
GREENROOM_EXPORT const std::any* find_value(const context_node& node, std::type_index type) noexcept;
/// Ends the node and everything below it. The first cause holds.
GREENROOM_EXPORT void cancel(context_node& node, error cause) noexcept;
/// Returns whose end ends this one: its parent, or the root; null for the root.
GREENROOM_EXPORT context_node* followed_by(const context_node& node) noexcept;
/// Makes a child that ends with its parent; already ended if the parent is. The caller owns the reference.
GREENROOM_EXPORT context_node& new_child(context_node& parent, time_point deadline = never);
/// The same, at a time that was read already.
GREENROOM_EXPORT context_node& new_child(context_node& parent, time_point deadline, time_point now);
/// The same, but it takes only values from its parent and ends with the system.
GREENROOM_EXPORT context_node& new_independent_child(context_node& parent);
/// Makes a child with a value, which ends with its parent.
GREENROOM_EXPORT context_node& new_value_child(context_node& parent, std::any value);

/// Makes a child with a deadline that no timer watches, for one actor: whoever makes it ends it then, which is for a supervisor that waits
/// anyway. The caller owns two references, of which one is for the actor. It ends with its parent once that actor is under it.
GREENROOM_EXPORT context_node& new_supervised_child(context_node& parent, time_point deadline);
/// Puts a new actor under such a node, to which it gives a reference. Cost: a lock less than enter_context(), and no reference counted.
GREENROOM_EXPORT void enter_supervised(actor_cell& cell, context_node& node) noexcept;

/// Puts the actor under the node: cancelling the node strikes it from now on, at once if it is cancelled already. The actor's
/// flag for its former context is cleared. Requires: called by the actor itself, or before its first turn.
GREENROOM_EXPORT void enter_context(actor_cell& cell, context_node& node) noexcept;
/// Takes the actor out of its context's list; it keeps its reference.
GREENROOM_EXPORT void leave_context(actor_cell& cell) noexcept;

} // namespace greenroom::detail
