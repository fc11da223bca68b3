// task<T>: a lazy coroutine, the only coroutine type of the framework. An actor is a task<> that was spawned; inside an actor, a
// task is called by `co_await`, runs on the same turn and returns its value or throws its exception there.
// Thread safety: a task is used by one thread at a time; the actor that awaits it may move between workers while it waits.
// Lifetime: the task owns its frame. Parameters taken by value live in the frame; reference parameters must outlive the await.
// An argument that is an aggregate needs a name first: g++ 12 destroys one that is made inside a co_await expression, as in
// `co_await f(order{"buy", 3})`, twice.
// Depth: calling, returning and finishing go through a trampoline, so a chain of any length uses no stack, in every build.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/frame_pool.hpp>

namespace greenroom {

template <class T = void>
class task;

namespace detail {

/// What links a called task to its caller; lives in the caller's frame while the call lasts.
struct call_record {
  std::coroutine_handle<> callee;
  std::coroutine_handle<> caller;
  promise_base* caller_promise = nullptr;
};

struct promise_base {
  call_record* call = nullptr; // null in an actor's root task

  static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { frame_free(frame, bytes); }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct return_to_caller {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      if (auto* from = self.promise().call) {
        go_on(from->caller, *from->caller_promise);
      } else {
        this_turn.finished_root = self;
        this_turn.next_leaf = &self.promise();
      }
    }
    void await_resume() const noexcept {}
  };
  return_to_caller final_suspend() const noexcept { return {}; }
};

/// Destroys a suspended call chain from the innermost frame outwards, so that its depth costs no stack.
inline void destroy_chain(std::coroutine_handle<> frame, promise_base* promise) noexcept {
  while (frame) {
    auto* const call = promise->call;
    frame.destroy();
    if (call == nullptr) return;
    call->callee = nullptr; // the caller's frame no longer owns it
    frame = call->caller;
    promise = call->caller_promise;
  }
}

template <class T>
struct task_promise : promise_base {
  std::variant<std::monostate, T, std::exception_ptr> outcome;

  task<T> get_return_object() noexcept;
  template <class U>
    requires std::convertible_to<U&&, T>
  void return_value(U&& value) { outcome.template emplace<1>(std::forward<U>(value)); }
  void unhandled_exception() noexcept { outcome.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome.index() == 2) std::rethrow_exception(std::get<2>(std::move(outcome)));
    return std::get<1>(std::move(outcome));
  }
};

template <>
struct task_promise<void> : promise_base {
  std::exception_ptr failure;

  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { failure = std::current_exception(); }
  void take() {
    if (failure) std::rethrow_exception(std::move(failure));
  }
};

/// Ends the program with a sentence about handle_of().
[[noreturn]] GREENROOM_EXPORT void broken_frame() noexcept;

/// Returns the handle of a new frame. g++ 12 puts a variable of its own at the head of a frame if the coroutine tests an await in
/// place, as in `if (co_await f())`, and declares nothing in its outermost block; promise and frame then do not find each other.
/// Frames are aligned to 16, so it shows here, before anything breaks. clang has not the fault, and where it leaves out the allocation of a
/// frame, of a task that nobody awaits, there is less alignment.
template <class Promise>
std::coroutine_handle<Promise> handle_of(Promise& promise) noexcept {
  const auto made = std::coroutine_handle<Promise>::from_promise(promise);
#ifndef __clang__
  if ((reinterpret_cast<std::uintptr_t>(made.address()) & 15U) != 0) broken_frame();
#endif
  return made;
}

/// Awaiters of this framework suspend a task and nothing else: the promise tells who suspends.
template <class Promise>
inline constexpr bool is_task_promise = std::derived_from<Promise, promise_base>;

} // namespace detail

/// A lazy computation of a T; starts when awaited, or when spawned as an actor.
/// Thread safety: owner only. Cost: one frame from the pool; a call and return take no lock.
template <class T>
class [[nodiscard("a task does nothing until it is awaited or spawned")]] task {
public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  task(task && other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    task old(std::move(*this));
    frame_ = std::exchange(other.frame_, nullptr);
    return *this;
  }
  ~task() {
    if (frame_) frame_.destroy();
  }

  /// Runs the task to its end and gives its value.
  /// Waits: suspends the actor whenever the task does. Cancellation: `cancelled` comes out of it like any exception.
  auto operator co_await()&& noexcept { return call(std::exchange(frame_, nullptr)); }

  /// Gives up the frame; the caller owns it then. For the runtime.
  std::coroutine_handle<promise_type> release() noexcept { return std::exchange(frame_, nullptr); }

private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  class [[nodiscard]] call : detail::call_record {
  public:
    explicit call(std::coroutine_handle<promise_type> frame) noexcept { callee = frame; }
    call(const call&) = delete;
    call& operator=(const call&) = delete;
    ~call() {
      if (callee) callee.destroy();
    }
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> at) noexcept {
      static_assert(detail::is_task_promise<Promise>, "a greenroom task can be awaited only inside a greenroom task<>");
      caller = at;
      caller_promise = &at.promise();
      auto& promise = typed().promise();
      promise.call = this;
      detail::go_on(callee, promise);
    }
    T await_resume() { return typed().promise().take(); }

  private:
    std::coroutine_handle<promise_type> typed() const noexcept {
      return std::coroutine_handle<promise_type>::from_address(callee.address());
    }
  };

  std::coroutine_handle<promise_type> frame_;
};

namespace detail {
template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>(handle_of(*this));
}
inline task<void> task_promise<void>::get_return_object() noexcept { return task<void>(handle_of(*this)); }
} // namespace detail

} // namespace greenroom
