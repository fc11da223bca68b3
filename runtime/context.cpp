#include <greenroom/runtime/context.hpp>

#include <mutex>
#include <new>

#include <greenroom/runtime/detail/same_type.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom {
namespace detail {
namespace {

/// Takes a reference unless the node is already being destroyed.
bool try_add_ref(context_node& node) noexcept {
  auto n = node.refs.load(std::memory_order_relaxed);
  while (n != 0) {
    if (node.refs.compare_exchange_weak(n, n + 1, std::memory_order_acquire, std::memory_order_relaxed)) return true;
  }
  return false;
}

void unlink_child_locked(context_node& parent, context_node& child) noexcept {
  if (child.sibling_prev == &child) return;
  (child.sibling_prev != nullptr ? child.sibling_prev->sibling_next : parent.first_child) = child.sibling_next;
  if (child.sibling_next != nullptr) child.sibling_next->sibling_prev = child.sibling_prev;
  child.sibling_prev = &child;
}

void expired_unlocked(timer_node& timer) noexcept {
  auto& node = static_cast<context_node&>(timer);
  cancel(node, errc::timed_out);
  release(node);
}

/// Runs under the timer queue's lock: a destructor that comes now waits there to cancel the timer.
void expired(timer_node& timer) noexcept {
  auto& node = static_cast<context_node&>(timer);
  if (try_add_ref(node)) node.queue->defer(node, expired_unlocked);
}

void run_callbacks(std::vector<std::weak_ptr<context_callback>> callbacks) noexcept {
  for (auto& weak : callbacks) {
    if (auto callback = weak.lock(); callback && !callback->taken.exchange(true)) callback->call();
  }
}

/// Errors: null when memory is short.
context_extras* try_extras_locked(context_node& node) noexcept {
  auto* more = node.extras.load(std::memory_order_relaxed);
  if (more != nullptr) return more;
  more = new (std::nothrow) context_extras;
  // Release, against the acquire in find_value(): who sees the extras sees the value in them, which is constant by then.
  node.extras.store(more, std::memory_order_release);
  return more;
}

/// Errors: std::bad_alloc.
context_extras& extras_locked(context_node& node) {
  if (auto* const more = try_extras_locked(node)) return *more;
  throw std::bad_alloc();
}

/// Keeps why a node ends: mostly a code, which needs no memory. Without memory for the text of another cause its code is left.
void end_locked(context_node& node, error cause) noexcept {
  node.ended = cause.code();
  if (cause.message() == sentence(cause.code())) return;
  if (auto* const more = try_extras_locked(node)) more->cause.emplace(std::move(cause));
}

error cause_locked(const context_node& node) {
  const auto* const more = node.extras.load(std::memory_order_relaxed);
  if (more != nullptr && more->cause) return *more->cause;
  return node.ended != errc{} ? node.ended : errc::cancelled;
}

/// Marks one node and wakes what waits directly under it. False if it was cancelled before.
bool cancel_one(context_node& node, error&& cause) noexcept {
  std::vector<std::weak_ptr<context_callback>> callbacks;
  {
    std::lock_guard guard(node.lock);
    if (node.ended != errc{}) return false;
    end_locked(node, std::move(cause));
    for (auto* actor = node.first_actor; actor != nullptr;) {
      auto* const next = actor->context_next; // struck, it may run and leave as soon as the lock is free
      if (actor->strike(actor_cell::context_cancel)) make_ready(*actor);
      actor = next;
    }
    while (auto* w = node.waiters.claim_front()) make_ready(*w->cell);
    if (auto* const more = node.extras.load(std::memory_order_relaxed)) callbacks.swap(more->callbacks);
  }
  if (node.queue != nullptr) node.queue->cancel(node);
  run_callbacks(std::move(callbacks));
  return true;
}

/// Takes the first living child out of the node's list, with a reference.
context_node* pop_child(context_node& node) noexcept {
  std::lock_guard guard(node.lock);
  while (auto* child = node.first_child) {
    unlink_child_locked(node, *child);
    if (try_add_ref(*child)) return child;
  }
  return nullptr;
}

} // namespace

context_node::context_node(runtime_core& c, context_node* p) noexcept : core(&c), parent(p) {
  if (parent != nullptr) {
    add_ref(*parent);
    traced = parent->traced;
  }
  fire = expired;
}

context_node::~context_node() { delete extras.load(std::memory_order_relaxed); }

context_node* followed_by(const context_node& node) noexcept {
  return node.follows_root ? &node.core->root : node.parent;
}

namespace {

/// Takes a node out of the list that it is in, if its only reference is the caller's. Then nobody else can come by one: whoever finds it
/// does so under the lock of that list, or by its timer, which is taken back first; where another one is faster after all, it ends the
/// node, and the timer is not missed. Saves a read-modify-write for each request.
bool unlink_last(context_node& node) noexcept {
  auto* const above = followed_by(node);
  // Acquire: pairs with the release of the other references.
  if (above == nullptr || node.refs.load(std::memory_order_acquire) != 1) return false;
  if (node.queue != nullptr) node.queue->cancel(node);
  std::lock_guard guard(above->lock);
  if (node.refs.load(std::memory_order_acquire) != 1) return false;
  unlink_child_locked(*above, node);
  return true;
}

/// Gives back a reference. Returns whether it was the last one; the node is then in no list, and has no timer.
bool drop_reference(context_node& node) noexcept {
  if (unlink_last(node)) return true;
  if (node.refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  if (node.queue != nullptr) node.queue->cancel(node);
  if (auto* const above = followed_by(node)) {
    std::lock_guard guard(above->lock);
    unlink_child_locked(*above, node);
  }
  return true;
}

} // namespace

void release(context_node& first) noexcept {
  for (auto* node = &first; node != nullptr && drop_reference(*node);) {
    auto* const parent = node->parent;
    delete node;
    node = parent; // a loop: a long chain of contexts must not cost stack
  }
}

bool is_cancelled(context_node& node) noexcept {
  std::lock_guard guard(node.lock);
  return node.ended != errc{};
}

error cause_of(context_node& node) {
  std::lock_guard guard(node.lock);
  return cause_locked(node);
}

const std::any* find_value(const context_node& first, std::type_index type) noexcept {
  for (auto* node = &first; node != nullptr; node = node->parent) {
    const auto* const more = node->extras.load(std::memory_order_acquire);
    if (more != nullptr && same_type(more->value.type(), type)) return &more->value;
  }
  return nullptr;
}

void cancel(context_node& first, error cause) noexcept {
  if (!cancel_one(first, error(cause))) return;
  // A walk, not a recursion: a deep tree must not cost stack. A child made meanwhile sees its cancelled parent by itself.
  for (auto* node = &first;;) {
    if (auto* const child = pop_child(*node)) {
      cancel_one(*child, error(cause));
      node = child; // holds a reference until its own children are done
    } else if (node != &first) {
      auto* const above = followed_by(*node);
      release(*node);
      node = above;
    } else {
      return;
    }
  }
}

namespace {

/// Has a new child end with the node it follows: at once if that has ended already, and then it returns false.
bool follow(context_node& above, context_node& child) {
  std::optional<error> cause;
  {
    std::lock_guard guard(above.lock);
    if (above.ended == errc{}) {
      child.sibling_prev = nullptr;
      child.sibling_next = above.first_child;
      if (above.first_child != nullptr) above.first_child->sibling_prev = &child;
      above.first_child = &child;
      return true;
    }
    cause = cause_locked(above);
  }
  cancel(child, *std::move(cause));
  return false;
}

} // namespace

context_node& new_independent_child(context_node& parent) {
  auto& child = *new context_node(*parent.core, &parent);
  child.follows_root = true;
  follow(parent.core->root, child);
  return child;
}

context_node& new_value_child(context_node& parent, std::any value) {
  auto more = std::make_unique<context_extras>();
  more->value = std::move(value);
  auto& child = *new context_node(*parent.core, &parent);
  child.deadline = parent.deadline;
  if (more->value.type() == typeid(trace_context)) child.traced = true;
  child.extras.store(more.release(), std::memory_order_relaxed); // nobody else knows the node yet
  follow(parent, child);
  return child;
}

context_node& new_child(context_node& parent, time_point deadline) {
  return new_child(parent, deadline, deadline < parent.deadline ? now_of(*parent.core) : time_point());
}

context_node& new_child(context_node& parent, time_point deadline, time_point now) {
  auto& child = *new context_node(*parent.core, &parent);
  child.deadline = std::min(deadline, parent.deadline);
  if (child.deadline < parent.deadline && child.deadline > now) {
    timers_of(*child.core)
        .arm(child, child.deadline); // before a parent's cancellation can find the child and disarm it
  }
  if (follow(parent, child) && child.deadline < parent.deadline && child.queue == nullptr)
    cancel(child, errc::timed_out); // it had passed already
  return child;
}

context_node& new_supervised_child(context_node& parent, time_point deadline) {
  auto& child = *new context_node(*parent.core, &parent);
  child.refs.store(2, std::memory_order_relaxed); // nobody else knows it
  child.deadline = std::min(deadline, parent.deadline);
  return child;
}

namespace {

void set_context(actor_cell& cell, context_node& node) noexcept {
  cell.context = &node;
  // An item in hand stays there.
  set_traced(cell, actor_cell::by_context, node.traced);
}

void link_actor_locked(actor_cell& cell, context_node& node) noexcept {
  cell.context_prev = nullptr;
  cell.context_next = node.first_actor;
  if (node.first_actor != nullptr) node.first_actor->context_prev = &cell;
  node.first_actor = &cell;
}

} // namespace

void enter_supervised(actor_cell& cell, context_node& node) noexcept {
  set_context(cell, node);
  link_actor_locked(cell, node); // nobody knows the node before it follows its parent, so its lock is not needed
  follow(*node.parent, node);
}

void enter_context(actor_cell& cell, context_node& node) noexcept {
  set_context(cell, node);
  // The actor runs: no claim is possible. Only its former context, whose list it has left, could set the bit.
  if ((cell.word.load(std::memory_order_relaxed) & actor_cell::context_cancel) != 0)
    cell.word.fetch_and(~actor_cell::context_cancel, std::memory_order_relaxed);
  if (is_root(node)) return; // cancelled only when the system stops, which strikes every actor by itself
  std::lock_guard guard(node.lock);
  link_actor_locked(cell, node);
  if (node.ended != errc{}) cell.word.fetch_or(actor_cell::context_cancel, std::memory_order_relaxed);
}

void leave_context(actor_cell& cell) noexcept {
  auto& node = *cell.context;
  if (is_root(node)) return;
  std::lock_guard guard(node.lock);
  (cell.context_prev != nullptr ? cell.context_prev->context_next : node.first_actor) = cell.context_next;
  if (cell.context_next != nullptr) cell.context_next->context_prev = cell.context_prev;
}

} // namespace detail

duration context::remaining() const noexcept {
  if (deadline() == never) return duration::max();
  return std::max(duration::zero(), deadline() - now());
}

time_point context::now() const noexcept { return detail::now_of(*node_->core); }

context context::with_deadline(time_point deadline) const { return {&detail::new_child(*node_, deadline), adopt{}}; }

context context::with_deadline(time_point deadline, time_point now) const {
  return {&detail::new_child(*node_, deadline, now), adopt{}};
}

cancellable_context context::with_cancel() const {
  context child{&detail::new_child(*node_), adopt{}};
  return {child, canceller(child)};
}

context context::with_any(std::any value, bool may_refer) const {
  if (may_refer && detail::this_turn.cell != nullptr) detail::mark_exposed(*detail::this_turn.cell);
  // A value has no end of its own: it shares its parent's, through a child that is cancelled with it.
  return {&detail::new_value_child(*node_, std::move(value)), adopt{}};
}

context context::without_cancel() const { return {&detail::new_independent_child(*node_), adopt{}}; }

after_func_handle context::keep(std::shared_ptr<detail::context_callback> callback, bool may_refer) const {
  if (may_refer && detail::this_turn.cell != nullptr)
    detail::mark_exposed(*detail::this_turn.cell); // to what it refers to
  {
    std::lock_guard guard(node_->lock);
    if (node_->ended == errc{}) {
      auto& all = detail::extras_locked(*node_).callbacks;
      std::erase_if(all, [](const auto& c) { return c.expired(); });
      all.push_back(callback);
      return after_func_handle(std::move(callback));
    }
  }
  callback->taken = true;
  callback->call();
  return {};
}

after_func_handle::after_func_handle(std::shared_ptr<detail::context_callback> callback) noexcept
    : callback_(std::move(callback)) {}

after_func_handle& after_func_handle::operator=(after_func_handle&& other) noexcept {
  stop();
  callback_ = std::move(other.callback_);
  return *this;
}

bool after_func_handle::stop() noexcept {
  return callback_ != nullptr && !std::exchange(callback_, nullptr)->taken.exchange(true);
}

} // namespace greenroom
