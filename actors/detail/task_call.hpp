// A call of a task that may or may not be made: for awaiters that get by with one wait as a rule, which costs no frame, and leave
// it to a task when several are needed.
// Thread safety: owner only.
#pragma once

#include <coroutine>
#include <memory>
#include <new>
#include <utility>

#include <greenroom/runtime/task.hpp>

namespace greenroom::detail {

template <class T>
class task_call {
  using call = decltype(std::declval<task<T>>().operator co_await());

public:
  task_call() noexcept {}
  task_call(const task_call&) = delete;
  task_call& operator=(const task_call&) = delete;
  ~task_call() {
    if (made_) std::destroy_at(&call_);
  }

  bool made() const noexcept { return made_; }

  /// Requires: none was made before.
  void make(task<T> body) noexcept {
    ::new (static_cast<void*>(&call_)) call(std::move(body).operator co_await()); // not movable: made in place
    made_ = true;
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) noexcept {
    call_.await_suspend(at);
  }
  T await_resume() { return call_.await_resume(); }

private:
  bool made_ = false;
  union {
    call call_;
  };
};

} // namespace greenroom::detail
