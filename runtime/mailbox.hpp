// Typed mailboxes: what channels are in Go. mailbox<T> is a receive end, address<T> a send end, weak_address<T> a send end
// that keeps nothing open. Use capacity 0 (rendezvous) for turn-taking, bounded for work, unbounded only where it cannot grow.
// Thread safety: an end may be copied, used and dropped from any thread; one end object is used by one thread at a time.
// Waiting calls belong to actors; the try_ calls and close() may come from anywhere.
// Lifetime: ends are counted. When the last strong address goes, receivers get what is queued and then the end; when the last
// mailbox goes, queued items are dropped and senders get their items back with errc::closed.
// Give an item that is an aggregate a name before it is sent, `order o{"buy", 3}; co_await out.send(std::move(o));`: g++ 12 destroys an
// aggregate that is made inside a co_await expression, as in `co_await out.send(order{"buy", 3})`, twice. A constructor helps, too.
// Order: items of one sender arrive in the order sent. Several receivers share a mailbox: each item goes to exactly one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <greenroom/runtime/detail/end_word.hpp>
#include <greenroom/runtime/detail/mailbox_actions.hpp>
#include <greenroom/runtime/detail/mailbox_core.hpp>
#include <greenroom/runtime/detail/refers_to_nothing.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// How many items a mailbox holds, how long, and what happens to one more; made by rendezvous(), bounded() and unbounded().
struct mailbox_limits {
  std::uint32_t capacity;                   ///< 0: rendezvous. Units: items
  overflow when_full;                       ///< what happens to one more
  duration expires_after = duration::max(); ///< for ever

  /// Has items expire that are queued longer: they are dropped, and counted as expired, before a receive or a send would find them. Time is that of
  /// the sender's system; for senders that are no actors, that of the machine. A sender that waits for room is not woken by it.
  constexpr mailbox_limits expiring(duration after) const noexcept { return {capacity, when_full, after}; }
};

/// No queue: a send completes when a receiver takes the item.
constexpr mailbox_limits rendezvous(overflow when_no_receiver = overflow::wait) noexcept {
  return {0, when_no_receiver};
}
/// A queue of up to `capacity` items. Errors: usage_error for a capacity outside 0 .. 2^31.
GREENROOM_EXPORT mailbox_limits bounded(std::int64_t capacity, overflow when_full = overflow::wait);
/// A queue that only memory bounds: a slow receiver then ends the process, so say why where you use it.
constexpr mailbox_limits unbounded() noexcept { return {detail::no_bound, overflow::wait}; }

template <class T>
class address;
template <class T>
class weak_address;

/// A receive end; copies share the queue. Default-constructed: no mailbox; receiving from it is a usage_error, and a select case
/// on it never wins.
template <class T>
class mailbox {
public:
  using value_type = T;

  mailbox() noexcept = default;
  /// Makes a mailbox. Errors: usage_error for drop_oldest without a queue, and for items that expire at once or are never queued.
  explicit mailbox(mailbox_limits limits)
      : core_(detail::make_mailbox_core<T>(limits.capacity, limits.when_full, limits.expires_after)) {}
  mailbox(const mailbox& other) noexcept : core_(other.core_.get()) {
    if (core_ != nullptr) core_->add_receiver();
  }
  mailbox(mailbox&& other) noexcept : core_(std::move(other.core_)) {}
  mailbox& operator=(mailbox other) noexcept { return core_.swap(other.core_), *this; }
  ~mailbox() {
    if (core_ != nullptr) core_->drop_receiver();
  }

  /// Receives the next item, or nothing when the mailbox is closed and empty: `while (auto item = co_await in.receive())`.
  /// Waits: suspends the actor until an item comes or the mailbox closes. Cancellation: throws `cancelled`, having taken nothing.
  auto receive() const { return detail::queued_op(detail::receive_action<T>(core_)); }

  /// The same with a limit. Errors: errc::timed_out, errc::closed.
  auto receive_until(time_point deadline) const {
    return detail::queued_op(detail::timed_receive_action<T>(core_), deadline);
  }
  /// The same with a limit that counts from this call.
  template <class Rep, class Period>
  auto receive_for(std::chrono::duration<Rep, Period> limit) const {
    return receive_until(detail::deadline_in(limit));
  }

  /// Receives an item if one is there. Waits: never. Errors: errc::empty, errc::closed.
  result<T> try_receive() const { return detail::try_receive(core_.get()); }

  /// Makes a send end. Give it away, or hold it weak: an actor that keeps its own address never sees its mailbox close.
  greenroom::address<T> address() const noexcept { return greenroom::address<T>(core_); }

  /// Accepts no more items; what is queued is delivered, or dropped. Senders that wait get their items back with errc::closed.
  /// Closing twice is fine.
  void close(queued fate = queued::deliver) const noexcept {
    if (core_ != nullptr) core_->close(fate);
  }

  /// Drops what is queued, counted as dropped, and returns how many items; the mailbox stays open. Senders that wait then have room.
  std::size_t discard() const noexcept { return core_ == nullptr ? 0 : core_->discard(); }

  /// Has the flight recorder keep the text of each item that is taken from here, from now on: see flight_recorder.hpp.
  void show_items() const noexcept {
    static_assert(detail::has_item_text<T>,
                  "the items have no text: write describe(const T&) beside T, or operator<<, or a fmt::formatter");
    if (core_ != nullptr) core_->keep_texts();
  }

  /// Returns whether it accepts no more items; some may still be queued. Waits: never.
  bool closed() const noexcept { return core_ == nullptr || core_->look().closed; }
  /// Returns how many items are queued, as it was a moment ago. Units: items.
  std::size_t size_approx() const noexcept { return core_ == nullptr ? 0 : core_->look().queued; }
  /// Counts the items that were queued too long. Units: items.
  std::uint64_t expired() const noexcept { return core_ == nullptr ? 0 : core_->expired(); }
  /// Counts the items dropped by policy, by close, or by discard(). Units: items.
  std::uint64_t dropped() const noexcept { return core_ == nullptr ? 0 : core_->look().dropped; }
  /// Returns the capacity, or nothing when unbounded. Units: items.
  std::optional<std::size_t> capacity() const noexcept {
    if (core_ == nullptr || core_->capacity() == detail::no_bound) return std::nullopt;
    return core_->capacity();
  }
  /// For the runtime.
  detail::mailbox_core<T>* base() const noexcept { return core_.get(); }

  explicit operator bool() const noexcept { return core_ != nullptr; }
  friend bool operator==(const mailbox& a, const mailbox& b) noexcept { return a.core_ == b.core_; }

private:
  detail::end_word<detail::mailbox_core<T>, detail::end_kind::mailbox> core_;
};

/// A strong send end: the mailbox stays open while one exists.
template <class T>
class address {
public:
  using value_type = T;

  address() noexcept = default;
  address(const address& other) noexcept : address(other.core_.get()) {}
  address(address&& other) noexcept : core_(std::move(other.core_)) {}
  address& operator=(address other) noexcept { return core_.swap(other.core_), *this; }
  ~address() {
    if (core_ != nullptr) core_->drop_sender();
  }

  /// Sends an item; true in the result once it is queued, handed over, or dropped by policy. On failure the result holds the item.
  /// An rvalue is moved from only when the send completes (in a select: only if this case wins), so it must live until then; an lvalue is
  /// copied at the call.
  /// Waits: suspends the actor while the mailbox is full and its policy is overflow::wait.
  /// Cancellation: throws `cancelled`; the item was not sent. Errors: errc::closed, errc::full (overflow::reject).
  auto send(T&& item) const { return detail::queued_op(detail::send_action<T, detail::moved_item<T>>(core_, item)); }
  auto send(const T& item) const {
    return detail::queued_op(detail::send_action<T, detail::copied_item<T>>(core_, item));
  }

  /// The same with a limit. Errors: also errc::timed_out, with the item handed back.
  auto send_until(T&& item, time_point deadline) const {
    return detail::queued_op(detail::send_action<T, detail::moved_item<T>>(core_, item), deadline);
  }
  auto send_until(const T& item, time_point deadline) const {
    return detail::queued_op(detail::send_action<T, detail::copied_item<T>>(core_, item), deadline);
  }
  // Two overloads as above, not one template: an item that is converted must live as long as the caller's expression.
  /// The same with a limit that counts from this call.
  template <class Rep, class Period>
  auto send_for(T&& item, std::chrono::duration<Rep, Period> limit) const {
    return send_until(std::move(item), detail::deadline_in(limit));
  }
  template <class Rep, class Period>
  auto send_for(const T& item, std::chrono::duration<Rep, Period> limit) const {
    return send_until(item, detail::deadline_in(limit));
  }

  /// Sends if that needs no wait. Waits: never. Errors: errc::full, errc::closed; the result hands the item back.
  send_result<T> try_send(T item) const { return detail::try_send(core_.get(), std::move(item)); }

  /// Closes the mailbox for all its senders, as mailbox::close does.
  void close(queued fate = queued::deliver) const noexcept {
    if (core_ != nullptr) core_->close(fate);
  }
  /// Returns whether it accepts no more items. Waits: never.
  bool closed() const noexcept { return core_ == nullptr || core_->look().closed; }
  explicit operator bool() const noexcept { return core_ != nullptr; }
  // Not by default: clang would look into the item's type for it, which may be one that holds an address of itself.
  friend bool operator==(const address& a, const address& b) noexcept { return a.core_ == b.core_; }

  /// For the runtime.
  const detail::mailbox_base* base() const noexcept { return core_.get(); }

private:
  friend class mailbox<T>;
  friend class weak_address<T>;
  struct adopt {};
  explicit address(detail::mailbox_core<T>* core) noexcept : core_(core) {
    if (core_ != nullptr) core_->add_sender();
  }
  address(detail::mailbox_core<T>* core, adopt) noexcept : core_(core) {}

  detail::end_word<detail::mailbox_core<T>, detail::end_kind::address> core_;
};

/// A send end that keeps nothing open: lock() it for each use.
template <class T>
class weak_address {
public:
  weak_address() noexcept = default;
  /// Names the mailbox of a strong one; default-constructed: none.
  weak_address(const address<T>& strong) noexcept : weak_address(strong.core_.get()) {}
  weak_address(const weak_address& other) noexcept : weak_address(other.core_.get()) {}
  weak_address(weak_address&& other) noexcept : core_(std::move(other.core_)) {}
  weak_address& operator=(weak_address other) noexcept { return core_.swap(other.core_), *this; }
  ~weak_address() {
    if (core_ != nullptr) core_->release();
  }

  /// Returns a strong address if one still exists somewhere, else an empty one.
  address<T> lock() const noexcept {
    if (core_ == nullptr || !core_->try_add_sender()) return {};
    return address<T>(core_, typename address<T>::adopt{});
  }

  /// For the runtime.
  detail::mailbox_base* base() const noexcept { return core_.get(); }

private:
  explicit weak_address(detail::mailbox_core<T>* core) noexcept : core_(core) {
    if (core_ != nullptr) core_->add_weak();
  }

  detail::end_word<detail::mailbox_core<T>, detail::end_kind::weak> core_;
};

template <class T>
inline constexpr bool owns_what_it_names<mailbox<T>> = true;
template <class T>
inline constexpr bool owns_what_it_names<address<T>> = true;
template <class T>
inline constexpr bool owns_what_it_names<weak_address<T>> = true;

/// Both ends of a new mailbox: `auto [in, out] = make_mailbox<job>(bounded(64));`
template <class T>
struct mailbox_ends {
  mailbox<T> in;  ///< the receive end
  address<T> out; ///< the send end
};
/// Makes a mailbox and gives both ends. Errors: as mailbox's constructor.
template <class T>
mailbox_ends<T> make_mailbox(mailbox_limits limits) {
  mailbox<T> in(limits);
  auto out = in.address();
  return {std::move(in), std::move(out)};
}

} // namespace greenroom
