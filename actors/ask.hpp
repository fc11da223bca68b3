// ask: sends a request and waits for its answer: a call with a time limit.
//
//   deposit d{id, 100};
//   result<balance> b = co_await ask(to_account, d, 1s);   // a value or an error, once
//
// The limit holds for the whole call, waiting for room in a full mailbox included; so does the end of the asker's context, which
// throws `cancelled` as in every wait. An answer that comes after the call has ended is dropped and counted, see
// actor_system::requests(); it cannot reach another call. Two actors that ask each other wait until a limit ends it: let requests
// go one way only.
// Thread safety: awaited by an actor; the address may be shared. Lifetime: the address outlives the await, the message is moved in.
// Give the message a name, as above, unless it is trivially copyable: g++ 12 destroys an aggregate that is made inside a co_await
// expression, as in `co_await ask(to, greeting{name}, 1s)`, twice.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include <greenroom/actors/detail/task_call.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {
namespace detail {

/// An ask under way.
template <class T, has_reply M>
class ask_op {
  using R = typename M::reply;

public:
  ask_op(const address<T>& to, M&& message, time_point deadline)
      : to_(to),
        message_(std::move(message)),
        cell_(*this_turn.cell),
        deadline_(deadline),
        wait_(reply_action<R>(&end_), own_limit()) {}
  ask_op(const ask_op&) = delete;
  ask_op& operator=(const ask_op&) = delete;
  ~ask_op() {
    if (started_ && !counted_) count(ask_event::cancelled);
  }

  bool await_ready() {
    if (cell_.cancel_pending()) return wait_.await_ready(); // says yes, and throws in await_resume()
    started_ = true;
    count(ask_event::started);
    auto* const slot = end_.make(cell_, call_limit());
    slot->asked = to_.base();
    auto sent = to_.try_send(T(request<M>(std::move(message_), slot)));
    if (sent) return wait_.await_ready();
    if (sent.error().is(errc::full)) {
      wait_for_room_.make(finish(this, std::move(sent.item())));
      return false;
    }
    refused_ = sent.error().code();
    return true;
  }

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) noexcept {
    if (wait_for_room_.made()) {
      wait_for_room_.await_suspend(at);
    } else {
      wait_.await_suspend(at);
    }
  }

  result<R> await_resume() {
    auto answer = refused_                ? result<R>(*refused_)
                  : wait_for_room_.made() ? wait_for_room_.await_resume()
                                          : wait_.await_resume();
    counted_ = true;
    end_.delivered();
    count(answer ? ask_event::answered : answer.error().is(errc::timed_out) ? ask_event::timed_out : ask_event::failed);
    return answer;
  }

  /// Returns why the mailbox did not take the request, if it did not.
  std::optional<errc> refused() const noexcept { return refused_; }

private:
  /// The rest of the call when the mailbox is full.
  static task<result<R>> finish(ask_op* self, T item) {
    auto sent = co_await self->to_.send_until(std::move(item), self->own_limit());
    if (!sent) {
      self->refused_ = sent.error().code();
      co_return sent.error();
    }
    co_return co_await self->wait_;
  }

  bool shielded() const noexcept { return (cell_.word.load(std::memory_order_relaxed) & actor_cell::masked) != 0; }
  /// When the call ends at the latest. In a shield the context does not count: clean-up may ask after the context's end.
  time_point call_limit() const noexcept {
    return shielded() ? deadline_ : std::min(deadline_, cell_.context->deadline);
  }
  /// The limit that needs a timer of ours: an earlier end of the context cancels the wait by itself.
  time_point own_limit() const noexcept {
    return !shielded() && cell_.context->deadline <= deadline_ ? never : deadline_;
  }
  void count(ask_event what) const noexcept { count_ask(*cell_.home, what); }

  const address<T>& to_;
  M message_;
  actor_cell& cell_;
  const time_point deadline_;
  bool started_ = false;
  bool counted_ = false;
  std::optional<errc> refused_;
  // In this order: the waits leave the slot before the asker's end does.
  asker_end<R> end_;
  queued_op<reply_action<R>, until_deadline> wait_;
  task_call<result<R>> wait_for_room_;
};

/// An ask described.
template <class T, has_reply M>
class [[nodiscard("an ask does nothing until it is awaited")]] ask_call {
public:
  ask_call(const address<T>& to, M&& message, time_point deadline)
      : to_(to), message_(std::move(message)), deadline_(deadline) {}
  auto operator co_await()&& {
    if (!to_) throw_no_mailbox("ask");
    return ask_op<T, M>(to_, std::move(message_), deadline_);
  }

private:
  const address<T>& to_;
  M message_;
  time_point deadline_;
};

} // namespace detail

/// Sends `message` and waits for its answer, at most for `timeout`. Besides an address<request<M>> any address<T> will do whose T
/// is made from a request<M>, such as a std::variant of several requests. Gives a result<M::reply>.
/// Waits: suspends the actor until there is an answer, an error, or the time is over.
/// Cancellation: throws `cancelled`; the request may have been received. The end of the context is a cancellation too.
/// Errors: errc::timed_out; errc::closed, there is no receiver; errc::no_reply, dropped unanswered; errc::full, by a mailbox that
/// rejects; and what the server gave to fail(). Cost: one allocation from the pool, one more if the mailbox is full.
template <class T, class M, class Rep, class Period>
  requires std::constructible_from<T, request<M>>
auto ask(const address<T>& to, M message, std::chrono::duration<Rep, Period> timeout) {
  return detail::ask_call<T, M>(to, std::move(message), detail::deadline_in(timeout));
}

/// The same with a point in time.
template <class T, class M>
  requires std::constructible_from<T, request<M>>
auto ask_until(const address<T>& to, M message, time_point deadline) {
  return detail::ask_call<T, M>(to, std::move(message), deadline);
}

} // namespace greenroom
