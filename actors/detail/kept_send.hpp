// A send that keeps its item with itself while it waits, for calls that take their item by value, and a say in its result.
// Thread safety: awaited by an actor. Lifetime: the address outlives the await.
#pragma once

#include <coroutine>
#include <utility>

#include <greenroom/runtime/mailbox.hpp>

namespace greenroom::detail {

/// `Finish` makes the value of the await of the send's.
template <class T, class Finish>
class kept_send_op {
  using action = decltype(std::declval<const address<T>&>().send(std::declval<T&&>()))::action_type;

public:
  kept_send_op(const address<T>& to, T&& item, time_point deadline, Finish finish)
      : item_(std::move(item)), finish_(std::move(finish)), op_(to.send(std::move(item_)).release(), deadline) {}
  kept_send_op(const kept_send_op&) = delete;
  kept_send_op& operator=(const kept_send_op&) = delete;

  bool await_ready() { return op_.await_ready(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) noexcept {
    op_.await_suspend(at);
  }
  auto await_resume() { return finish_(op_.await_resume()); }

private:
  T item_;
  Finish finish_;
  queued_op<action, until_deadline> op_;
};

template <class T, class Finish>
class [[nodiscard("a wait does nothing until it is awaited")]] kept_send {
public:
  kept_send(const address<T>& to, T&& item, time_point deadline, Finish finish)
      : to_(to), item_(std::move(item)), deadline_(deadline), finish_(std::move(finish)) {}
  auto operator co_await()&& {
    if (!to_) throw_no_mailbox("send");
    return kept_send_op<T, Finish>(to_, std::move(item_), deadline_, std::move(finish_));
  }

private:
  const address<T>& to_;
  T item_;
  time_point deadline_;
  Finish finish_;
};

} // namespace greenroom::detail
