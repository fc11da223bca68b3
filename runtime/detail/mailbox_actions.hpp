// Receiving and sending as actions: what queued_op and select() wait for.
// Thread safety and lifetime: as queued_op.hpp; the end that made the action outlives the wait.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <greenroom/runtime/detail/flight_ring.hpp>
#include <greenroom/runtime/detail/mailbox_core.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// The result of a send: success, or an error and the item.
/// Thread safety: owner only.
template <class T>
class [[nodiscard("a send can fail, and the item comes back")]] send_result {
public:
  send_result() noexcept {} // defaulted it would be deleted: the union has a member with a constructor
  /// Holds success, or an error and the item.
  send_result(errc why, T && item) noexcept : code_(why) { std::construct_at(&item_, std::move(item)); }
  // By hand rather than with std::optional: success then moves two bytes, in every send.
  send_result(send_result && other) noexcept : code_(other.code_) {
    if (!has_value()) std::construct_at(&item_, std::move(other.item_));
  }
  send_result& operator=(send_result&& other) noexcept {
    std::destroy_at(this);
    return *std::construct_at(this, std::move(other));
  }
  ~send_result() {
    if (!has_value()) std::destroy_at(&item_);
  }

  /// Returns whether the item was sent.
  bool has_value() const noexcept { return code_ == errc{}; }
  explicit operator bool() const noexcept { return has_value(); }
  /// Requires: the send failed.
  greenroom::error error() const noexcept { return greenroom::error(code_); }
  /// Returns the item that was not sent. Requires: the send failed.
  T& item() noexcept { return item_; }
  /// Returns it without the item.
  operator result<void>() const { return has_value() ? result<void>() : result<void>(error()); }

private:
  errc code_{}; // zero: sent, and there is no item
  union {
    T item_;
  };
};

namespace detail {

GREENROOM_EXPORT void check_limits(std::uint32_t capacity, overflow policy, duration expires_after);
[[noreturn]] GREENROOM_EXPORT void throw_no_mailbox(const char* what);
template <class T>
mailbox_core<T>* make_mailbox_core(std::uint32_t capacity, overflow policy, duration expires_after) {
  check_limits(capacity, policy, expires_after);
  auto core = std::make_unique<mailbox_core<T>>(capacity, policy);
  if (expires_after != duration::max()) core->expire_after(expires_after);
  return core.release();
}

inline void check_present(const void* core, const char* what) {
  if (core == nullptr) throw_no_mailbox(what);
}

template <class T>
struct receive_action : receive_place<T> {
  static constexpr wait_kind kind = wait_kind::receive;
  explicit receive_action(mailbox_core<T>* c) noexcept : core(c) {}
  spin_lock& queue_lock() noexcept { return core->lock(); }
  wait_queue& queue() noexcept { return core->receive_queue(); }
  const void* place() const noexcept { return static_cast<const mailbox_base*>(core); }
  void check() const { check_present(core, "receive"); }
  void prepare() noexcept { shown = core->before_receive(*this_turn.cell); }
  bool must_ask() const noexcept { return core->metered(); }
  void ask_locked() noexcept { core->ask_locked(); }
  bool looks_ready() const noexcept { return core->looks_ready(); }
  bool try_locked(actor_cell*& wake) noexcept { return core->receive_locked(this->item, this->trace, wake); }
  [[gnu::always_inline]] std::optional<T> take(std::uint8_t) noexcept {
    if (!this->item) return std::nullopt;
    note_taken(core, *this->item, shown);
    note_trace(*this->cell, this->trace, place(), typeid(T));
    return *std::move(this->item);
  }

  mailbox_core<T>* core;
  bool shown = false; // the flight recorder keeps the text of the item
};

template <class T>
struct timed_receive_action : receive_action<T> {
  using receive_action<T>::receive_action;
  result<T> take(std::uint8_t outcome) noexcept {
    if (outcome == fired_timeout) return errc::timed_out;
    if (!this->item) return errc::closed;
    note_taken(this->core, *this->item, this->shown);
    note_trace(*this->cell, this->trace, this->place(), typeid(T));
    return *std::move(this->item);
  }
};

/// Where the item of a send stands until it is sent: with the caller, or in the operation.
template <class T>
struct moved_item {
  explicit moved_item(T& item) noexcept : item_(&item) {}
  T& get() noexcept { return *item_; }

private:
  T* item_;
};
template <class T>
struct copied_item {
  explicit copied_item(const T& item) : item_(item) {}
  T& get() noexcept { return item_; }

private:
  T item_;
};

template <class T, class Item>
struct send_action : send_place<T> {
  static constexpr wait_kind kind = wait_kind::send;
  template <class U>
  send_action(mailbox_core<T>* c, U& value) : core(c), storage(value) {}
  send_action(send_action&& other) noexcept : core(other.core), storage(std::move(other.storage)) {}
  spin_lock& queue_lock() noexcept { return core->lock(); }
  wait_queue& queue() noexcept { return core->send_queue(); }
  const void* place() const noexcept { return static_cast<const mailbox_base*>(core); }
  void check() const { check_present(core, "send"); }
  void prepare() noexcept { core->before_send(); }
  bool try_locked(actor_cell*& wake) {
    state = core->send_locked(storage.get(), wake, victim);
    this->item = &storage.get(); // for the claimer, if we wait
    return state != send_outcome::must_wait;
  }
  send_result<T> take(std::uint8_t outcome) noexcept {
    if constexpr (!std::is_trivially_destructible_v<T>) victim.reset(); // the wait may have a name, and live on
    if (outcome == fired_timeout) return {errc::timed_out, std::move(storage.get())};
    if (this->was_closed || state == send_outcome::closed) return {errc::closed, std::move(storage.get())};
    if (state == send_outcome::full) return {errc::full, std::move(storage.get())};
    return {};
  }

  mailbox_core<T>* core;
  [[no_unique_address]] Item storage;
  send_outcome state = send_outcome::must_wait;
  std::optional<T> victim; // outlives the lock
};

template <class T>
result<T> try_receive(mailbox_core<T>* there) {
  check_present(there, "try_receive");
  auto& core = *there;
  auto* const who = this_turn.cell;
  const bool shown = who != nullptr ? core.before_receive(*who) : core.before_receive();
  std::optional<T> item;
  trace_context trace;
  actor_cell* wake = nullptr;
  bool settled = false;
  {
    std::lock_guard guard(core.lock());
    settled = core.receive_locked(item, trace, wake);
  }
  if (wake != nullptr) make_ready(*wake);
  if (item) {
    if (who != nullptr) {
      note_taken(&core, *item, shown);
      note_trace(*who, trace, static_cast<const mailbox_base*>(there), typeid(T));
    }
    return *std::move(item);
  }
  return settled ? errc::closed : errc::empty;
}

template <class T>
send_result<T> try_send(mailbox_core<T>* there, T&& item) {
  check_present(there, "try_send");
  auto& core = *there;
  core.before_send();
  std::optional<T> victim;
  actor_cell* wake = nullptr;
  auto outcome = send_outcome::closed;
  {
    std::lock_guard guard(core.lock());
    outcome = core.send_locked(item, wake, victim);
  }
  if (wake != nullptr) make_ready(*wake);
  if (outcome == send_outcome::sent) return {};
  return {outcome == send_outcome::closed ? errc::closed : errc::full, std::move(item)};
}

} // namespace detail
} // namespace greenroom
