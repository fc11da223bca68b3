// caf: where Greenroom meets CAF. Lightweight actors become genuine CAF actors (handles to monitor, link, register and publish),
// and CAF's actors can be asked, monitored and linked from theirs. The only public header that includes CAF: opt in where the
// two worlds meet, and nowhere else.
//
//   caf::actor front = caf_handle(worker);                        // for CAF's side
//   caf_accept(orders_out);                                       // inside the worker: orders from CAF go to this mailbox
//   result<int> sum = co_await ask_caf<int>(adder, 1s, 40, 2);    // behaviours, typed actors and remote proxies alike
//
// The same source compiles with CAF 0.17.6, 0.18 and 1.x. From 0.18 on every type in a message needs a type id
// (CAF_BEGIN_TYPE_ID_BLOCK), announced by CAF_MAIN or caf::init_global_meta_objects before the first system is made.
//
// Thread safety: all functions may be called from any thread; those that say so need a running actor.
// Lifetime: handles are made while the system lives and stay valid after it; an actor that has ended answers with errors.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/mailbox_element.hpp> // and with it make_message(), whose own header is gone from 1.0 on
#include <caf/message.hpp>
#include <caf/message_id.hpp>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

// -- systems --------------------------------------------------------------------------------------

/// Returns `env` changed so that an actor_system made with it lives in `host`, beside CAF's own scheduler: ids, registry and
/// middleman are the host's. Lifetime: the host outlives the actor_system.
GREENROOM_EXPORT environment in_caf_system(caf::actor_system& host, environment env = {});

/// Returns the CAF system that the actors of `sys` live in: the host's, or the system's own, which has no modules of CAF loaded
/// and runs its CAF actors on our workers, or, with CAF 1.0 and later, on as many threads of CAF's. Lifetime: as `sys`.
GREENROOM_EXPORT caf::actor_system& caf_system(actor_system& sys);

/// What the border has seen. Units: counts since the start, except the first two, which are as of now.
struct caf_counters {
  std::size_t identities;   ///< lightweight actors that CAF knows: made on first use of a handle, gone after the end
  std::size_t pending_asks; ///< asks that wait for their answer
  std::uint64_t late_responses;   ///< answers that came after their ask was over
  std::uint64_t dropped_messages; ///< messages that no accepted mailbox could take
};
/// Returns the counts of a system's border.
GREENROOM_EXPORT caf_counters caf_counters_of(const actor_system& sys);

// -- handles --------------------------------------------------------------------------------------

namespace detail {
GREENROOM_EXPORT caf::strong_actor_ptr caf_pointer(const actor& a);
}

/// Returns the actor as CAF sees it. To CAF it behaves as its own actors do: kill and other exit messages end it, monitors and
/// links fire with its exit reason, also when it has ended already. It is never counted as running, so it holds up no shutdown.
/// Requires: the handle names an actor, whose system lives. Errors: usage_error for an empty handle.
/// Cost: the first call for an actor makes its identity (about 350 bytes), which stays until the actor's end.
inline caf::actor caf_handle(const actor& a) { return caf::actor_cast<caf::actor>(detail::caf_pointer(a)); }

/// The same as a typed handle. Requires: the actor accepts what Handle promises (see caf_accept); nothing checks that.
template <class Handle>
Handle typed_caf_handle(const actor& a) {
  return caf::actor_cast<Handle>(detail::caf_pointer(a));
}

/// Maps how an actor ended: normal is no error, killed exit_reason::kill, cancelled exit_reason::user_shutdown, and failed
/// sec::runtime_error with the text as its context.
GREENROOM_EXPORT caf::error to_caf(const exit_reason& why);
/// Maps back; any other error of CAF is a failure that says what `where` renders.
GREENROOM_EXPORT exit_reason from_caf(const caf::actor_system& where, const caf::error& why);

// -- from CAF to a lightweight actor --------------------------------------------------------------

namespace detail {

/// The duty to answer one CAF message: paid once, and with an error if forgotten. Messages that are no requests need none.
class GREENROOM_EXPORT caf_promise {
public:
  caf_promise(caf::strong_actor_ptr self, caf::mailbox_element& asked) noexcept;
  caf_promise(caf_promise&&) noexcept = default;
  caf_promise& operator=(caf_promise&& other) noexcept;
  ~caf_promise();
  bool pending() const noexcept { return source_ != nullptr; }
  void deliver(caf::message answer);
  void fail(const error& why);
  /// Answers that the actor has not taken the message.
  void refuse(errc why);

private:
  caf::strong_actor_ptr self_, source_; // source_ is null once answered
  caf::message_id id_;
  std::vector<caf::strong_actor_ptr> stages_; // of composed actors: who gets the answer before source_
};

/// How a value of T stands in a message: one element, the elements of a tuple, or none.
template <class T>
struct caf_content {
  static bool matches(const caf::message& m) noexcept { return m.match_elements<T>(); }
  static T take(caf::message& m) { return std::move(m.get_mutable_as<T>(0)); }
  static caf::message make(T&& value) { return caf::make_message(std::move(value)); }
};
template <class... Ts>
struct caf_content<std::tuple<Ts...>> {
  static bool matches(const caf::message& m) noexcept { return m.match_elements<Ts...>(); }
  static std::tuple<Ts...> take(caf::message& m) { return take(m, std::index_sequence_for<Ts...>()); }
  static caf::message make(std::tuple<Ts...>&& values) {
    return std::apply([](auto&... v) { return caf::make_message(std::move(v)...); }, values);
  }

private:
  template <std::size_t... I>
  static std::tuple<Ts...> take(caf::message& m, std::index_sequence<I...>) {
    return {std::move(m.get_mutable_as<Ts>(I))...};
  }
};
template <>
struct caf_content<void> {
  static bool matches(const caf::message& m) noexcept { return m.empty(); }
};

/// Where messages of one kind go. Offered to on CAF's threads.
class GREENROOM_EXPORT caf_port {
public:
  virtual ~caf_port();
  virtual bool takes(const caf::message& content) const noexcept = 0;
  virtual bool replies() const noexcept = 0;
  /// Delivers without waiting, or returns why not; `answer` is then still the caller's duty.
  virtual std::optional<errc> deliver(caf::message& content, caf_promise& answer) const = 0;
};
GREENROOM_EXPORT void open_caf_port(std::shared_ptr<const caf_port> port);

} // namespace detail

/// A request that a CAF actor (or a lightweight actor by ask_caf) has made: `message`, and the right to answer it once.
/// Dropped unanswered, the requester gets an error at once. A message sent without a request arrives too; its answer goes nowhere.
/// Thread safety: owner only; may be handed to another actor.
template <class T, class R>
class caf_request {
public:
  /// For the border.
  caf_request(T value, detail::caf_promise answer) noexcept : message(std::move(value)), answer_(std::move(answer)) {}

  /// What is asked.
  T message;

  /// Answers. Answering again does nothing.
  template <std::convertible_to<R> V = R>
  void reply(V&& value) {
    answer_.deliver(detail::caf_content<R>::make(R(std::forward<V>(value))));
  }
  void reply() requires std::is_void_v<R> { answer_.deliver(caf::make_message()); }
  /// Answers with an error: sec::runtime_error with the text as its context.
  void fail(const error& why) { answer_.fail(why); }
  /// Returns whether somebody waits for the answer.
  bool pending() const noexcept { return answer_.pending(); }

  /// For the runtime.
  detail::caf_promise release() noexcept { return std::move(answer_); }

private:
  detail::caf_promise answer_;
};

namespace detail {

template <class T>
class caf_message_port final : public caf_port {
public:
  explicit caf_message_port(const address<T>& to) noexcept : to_(to) {}
  bool takes(const caf::message& content) const noexcept override { return caf_content<T>::matches(content); }
  bool replies() const noexcept override { return false; }
  std::optional<errc> deliver(caf::message& content, caf_promise& answer) const override {
    const auto strong = to_.lock();
    if (!strong) return errc::closed;
    const auto sent = strong.try_send(caf_content<T>::take(content));
    if (!sent) return sent.error().code();
    answer.deliver(caf::make_message());
    return std::nullopt;
  }

private:
  weak_address<T> to_;
};

template <class T, class R>
class caf_request_port final : public caf_port {
public:
  explicit caf_request_port(const address<caf_request<T, R>>& to) noexcept : to_(to) {}
  bool takes(const caf::message& content) const noexcept override { return caf_content<T>::matches(content); }
  bool replies() const noexcept override { return true; }
  std::optional<errc> deliver(caf::message& content, caf_promise& answer) const override {
    const auto strong = to_.lock();
    if (!strong) return errc::closed;
    auto sent = strong.try_send(caf_request<T, R>(caf_content<T>::take(content), std::move(answer)));
    if (sent) return std::nullopt;
    answer = sent.item().release();
    return sent.error().code();
  }

private:
  weak_address<caf_request<T, R>> to_;
};

} // namespace detail

/// Has CAF messages that are one T (for a tuple: its elements) put into the mailbox behind `to`, until the running actor ends or the
/// mailbox closes. The address is held weakly: keep one yourself. A later call for the same type takes the place of the former.
/// A full mailbox drops the message and counts it. A request for T is answered with no value once it is queued, as by a behaviour
/// that returns void; with an error if it is not. What is accepted nowhere is dropped and counted, a request for it answered with
/// sec::unexpected_message. Requires: a running actor. Order: messages of one sender arrive in the order sent.
template <class T>
void caf_accept(const address<T>& to) {
  detail::open_caf_port(std::make_shared<detail::caf_message_port<T>>(to));
}
/// The same for requests whose answer is an R (void: none; a tuple: several values).
template <class T, class R>
void caf_accept(const address<caf_request<T, R>>& to) {
  detail::open_caf_port(std::make_shared<detail::caf_request_port<T, R>>(to));
}

// -- from a lightweight actor to CAF --------------------------------------------------------------

namespace detail {
GREENROOM_EXPORT void caf_send(const caf::strong_actor_ptr& to, caf::message content);
GREENROOM_EXPORT void caf_link(const caf::strong_actor_ptr& to);
GREENROOM_EXPORT task<result<caf::message>> caf_ask(caf::strong_actor_ptr to, duration limit, caf::message content);
GREENROOM_EXPORT error wrong_answer(const caf::message& answer);

template <class R>
task<result<R>> caf_ask_for(caf::strong_actor_ptr to, duration limit, caf::message content) {
  auto asking = caf_ask(std::move(to), limit, std::move(content));
  auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  if (!caf_content<R>::matches(*answer)) co_return wrong_answer(*answer);
  if constexpr (std::is_void_v<R>) {
    co_return result<void>();
  } else {
    co_return caf_content<R>::take(*answer);
  }
}
} // namespace detail

/// Sends `args...` with the running actor as the sender. Waits: never. Errors: usage_error for an empty handle.
template <class Handle, class... Args>
void send_caf(const Handle& to, Args&&... args) {
  detail::caf_send(caf::actor_cast<caf::strong_actor_ptr>(to), caf::make_message(std::forward<Args>(args)...));
}

/// Sends the request `args...` and gives its answer as an R (void: none; a tuple: several values), exactly once.
/// Waits: suspends the running actor until the answer or the limit, by our timers; a later answer is dropped and counted.
/// Cancellation: throws `cancelled`; the answer is dropped. Errors: errc::timed_out; errc::no_reply if the receiver is gone or
/// dropped the request; errc::failed with the text of any other error of CAF; errc::type_mismatch if the answer is no R.
template <class R, class Handle, class Rep, class Period, class... Args>
task<result<R>> ask_caf(const Handle& to, std::chrono::duration<Rep, Period> limit, Args&&... args) {
  return detail::caf_ask_for<R>(caf::actor_cast<caf::strong_actor_ptr>(to), detail::saturating_nanoseconds(limit),
                                caf::make_message(std::forward<Args>(args)...));
}

/// Links the running actor and a CAF actor: whichever ends other than normally ends the other one, as if by an exit message.
/// Linking to one that has failed already cancels at once. Errors: usage_error for an empty handle.
template <class Handle>
void link_caf(const Handle& to) {
  detail::caf_link(caf::actor_cast<caf::strong_actor_ptr>(to));
}

/// The end of a monitored CAF actor.
struct caf_down {
  std::uint64_t id; ///< of the actor
  exit_reason why;  ///< how it ended
};

/// Watches one CAF actor, without keeping it alive, until destroyed: `auto watch = monitor_caf(peer); co_await watch.down();`
/// Thread safety: owner only.
class GREENROOM_EXPORT caf_monitor {
public:
  /// For monitor_caf().
  explicit caf_monitor(const caf::strong_actor_ptr& watched);
  caf_monitor(caf_monitor&&) noexcept = default;
  caf_monitor& operator=(caf_monitor other) noexcept;
  ~caf_monitor();

  /// Waits for the end and gives the notice; exactly one comes, at once if it had ended already. Also a select case.
  /// Cancellation: throws `cancelled`; the notice is kept.
  auto down() const { return in_.receive(); }

private:
  mailbox<caf_down> in_;
  caf::weak_actor_ptr watched_;
};

/// Monitors a CAF actor, also a remote one. Errors: usage_error for an empty handle.
template <class Handle>
[[nodiscard]] caf_monitor monitor_caf(const Handle& watched) {
  return caf_monitor(caf::actor_cast<caf::strong_actor_ptr>(watched));
}

} // namespace greenroom
