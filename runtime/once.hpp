// once: runs a piece of work, such as opening a connection that many share, exactly once, whoever comes first; the others wait for it.
//
//   co_await opened.call(open_connection);
//
// Thread safety: called by actors, on any workers; done() from any thread. Lifetime: outlives its calls.
// Source: Go's sync.Once, also in that work that failed is not repeated. Who wants another try keeps a mutex and a flag.
#pragma once

#include <atomic>
#include <concepts>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/wait_group.hpp>

namespace greenroom {

/// Work that is done once. Thread safety and lifetime: see the file comment.
class once {
public:
  once() { running_.add(); }
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  /// Runs `fn`, a plain function or a coroutine function without parameters, unless a call has begun to run its own; then waits for
  /// the end of that one, and `fn` is not called. `fn` must not call this object's call(): it would wait for itself.
  /// Waits: suspends the actor while the work runs. Cancellation: throws `cancelled` out of a call that waits for another's work.
  /// Errors: what `fn` throws comes out of the call that ran it; the work counts as done however it ends, by an exception,
  /// a cancellation or a kill too, and all other calls return as usual. Cost: a frame; look at done() first where that matters.
  template <class F>
    requires std::invocable<F&> task<> call(F fn) {
      using value = std::invoke_result_t<F&>;
      static_assert(std::is_void_v<value> || std::is_same_v<value, task<>>,
                    "once: the function must return nothing, or be a coroutine that returns greenroom::task<>");
      if (begun_.exchange(true)) {
        if (!done()) co_await running_.wait();
        co_return;
      }
      const end_mark end(*this);
      if constexpr (std::is_void_v<value>) {
        detail::invoke(fn);
      } else {
        auto body = detail::invoke(fn);
        co_await std::move(body);
      }
    }

  /// Returns whether the work has ended.
  bool done() const noexcept { return done_.load(); }

private:
  /// Lets the others go on, however the frame that holds it ends.
  class end_mark {
  public:
    explicit end_mark(once& o) noexcept : once_(o) {}
    end_mark(const end_mark&) = delete;
    end_mark& operator=(const end_mark&) = delete;
    ~end_mark() {
      once_.done_ = true;
      once_.running_.done();
    }

  private:
    once& once_;
  };

  std::atomic<bool> begun_{false};
  std::atomic<bool> done_{false};
  wait_group running_; // the work: one thing to wait for
};

} // namespace greenroom
