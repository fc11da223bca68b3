// host_loop: the event loop that a program has already (Asio's, Qt's, a game's), as actors see it, and actors as the loop sees them. It is made
// of one function, which puts a call into the loop's queue; neither side ever holds up the other.
//
//   host_loop loop([&io](std::function<void()> work) { boost::asio::post(io, std::move(work)); });
//   host_loop loop([](std::function<void()> work) { QMetaObject::invokeMethod(qApp, std::move(work), Qt::QueuedConnection); });
//
//   const auto level = co_await loop.call(read_level, &tank);   // in an actor: done on the loop's thread, gives a result<double>
//   loop.start(sys, show, ask_price, prices, item);             // in the loop: an actor asks; then show(result<money>) is called there
//   (void)orders.try_send(item);                                // in the loop: sends as anybody does, and never waits
//
// So what belongs to the loop needs no lock. To end, stop the front and the system, then the loop: what still comes into its queue refers to
// nothing of theirs. A loop that polls can do without this and look into a mailbox with try_receive().
// Thread safety: any thread; copies share the function. Lifetime: the loop outlives the actors that use it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/reason_of.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {

class host_loop;

namespace detail {

/// What a call gives as a result, exceptions included.
template <class R, class Work>
R result_of_work(Work& work) noexcept {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Work&>>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (...) {
    return reason_of(std::current_exception()).why();
  }
}

/// A call on its way through the loop's queue. One that is dropped there closes the mailbox behind `to`.
template <class R, class Work>
struct loop_call {
  Work work;
  address<R> to;

  void run() {
    const auto out = std::exchange(to, {});
    if (out && !out.closed()) (void)out.try_send(result_of_work<R>(work)); // closed: who called has given up
  }
};

/// What an actor that the loop has started leaves for it.
template <class R, class Then>
struct loop_answer {
  Then then;
  std::optional<R> value;

  // Takes it out, so that what `then` holds ends in the loop, wherever the last copy of the queued function does.
  void run() {
    auto tell = std::move(then);
    tell(*std::move(value));
  }
};

template <class R, class Then>
struct loop_listener;

// g++ 12 takes the frame of a coroutine template for a type of this header, and warns where a type of an unnamed namespace is in it.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

template <class R, class Work>
task<R> call_in_loop(host_loop loop, Work work);

template <class R, class Then, class F, class... Args>
task<> run_for_loop(std::shared_ptr<loop_answer<R, Then>> answer, F fn, Args... args) {
  auto body = std::invoke(fn, std::move(args)...);
  if constexpr (std::is_same_v<R, result<void>> && std::is_same_v<decltype(body), task<void>>) {
    co_await std::move(body);
    answer->value.emplace();
  } else {
    auto value = co_await std::move(body);
    answer->value.emplace(std::move(value));
  }
}

} // namespace detail

/// The loop of a host. Thread safety: any thread.
class host_loop {
public:
  /// Makes it of a function that has `work` called on the loop's thread, soon, and in order. Requires: `post` may be called from any
  /// thread, does not wait, does not call `work` itself, and does not throw.
  explicit host_loop(std::function<void(std::function<void()> work)> post)
      : post_(std::make_shared<const std::function<void(std::function<void()>)>>(std::move(post))) {}

  /// Has `work` called on the loop's thread, and does not wait for it. Waits: never. Order: as the loop's queue.
  void post(std::function<void()> work) const { (*post_)(std::move(work)); }

  /// Has `fn(args...)` called on the loop's thread and gives its value, as a result<T> for a T and for a result<T>. Function and arguments
  /// are moved there; give a lambda with captures a name before the await, as for blocking().
  /// Waits: suspends the actor until it was called. Cancellation: throws `cancelled`; if it has not begun by then, it is not called.
  /// Errors: errc::no_reply if the loop dropped the call; errc::failed with the text of an exception. Cost: three allocations.
  template <class F, class... Args>
  auto call(F fn, Args... args) const {
    using value = std::remove_cvref_t<std::invoke_result_t<F&, Args...>>;
    auto work = [fn = std::move(fn), ... args = std::move(args)]() mutable -> value {
      return std::invoke(fn, std::move(args)...);
    };
    return detail::call_in_loop<detail::as_result<value>>(*this, std::move(work));
  }

  /// Starts the task `fn(args...)` as an actor of `sys`, and has `then(result)` called on the loop's thread when it has ended, once: with a
  /// result<T> for a task<T> and for a task<result<T>>. Waits: never. Errors, in the result: what ended the actor otherwise, an exception, a
  /// cancel() or kill() of the handle that this returns, or errc::stopped. If the loop drops its queue, `then` is not called.
  template <class Then, class F, class... Args>
  actor start(actor_system& sys, Then then, F fn, Args... args) const {
    using made = std::invoke_result_t<F&, Args...>;
    using outcome = detail::as_result<typename made::value_type>;
    static_assert(std::is_invocable_v<Then&, outcome>, "host_loop::start: `then` must take the result<T> of the task");
    auto answer = std::make_shared<detail::loop_answer<outcome, Then>>(std::move(then), std::nullopt);
    auto listener = std::make_shared<detail::loop_listener<outcome, Then>>(*this, answer);
    const auto who = sys.spawn({.name = "host_call"}, &detail::run_for_loop<outcome, Then, F, Args...>,
                               std::move(answer), std::move(fn), std::move(args)...);
    if (!detail::add_listener(*who.cell(), listener)) listener->tell(detail::extras_of(*who.cell()).reason);
    return who;
  }

private:
  std::shared_ptr<const std::function<void(std::function<void()>)>> post_;
};

namespace detail {

template <class R, class Then>
struct loop_listener final : exit_listener {
  loop_listener(host_loop l, std::shared_ptr<loop_answer<R, Then>> a) noexcept
      : loop(std::move(l)), answer(std::move(a)) {}
  void on_exit(actor_cell&, const exit_reason& why) noexcept override { tell(why); }
  void tell(const exit_reason& why) noexcept {
    if (!answer->value) answer->value.emplace(why.why());
    loop.post([last = std::move(answer)] { last->run(); });
  }

  const host_loop loop;
  std::shared_ptr<loop_answer<R, Then>> answer;
};

template <class R, class Work>
task<R> call_in_loop(host_loop loop, Work work) {
  auto [in, out] = make_mailbox<R>(bounded(1));
  auto queued = std::make_shared<loop_call<R, Work>>(std::move(work), std::move(out));
  loop.post([queued = std::move(queued)] { queued->run(); });
  auto answer = co_await in.receive();
  if (!answer) co_return error(errc::no_reply, "host_loop::call: the loop has dropped the call: it ended before");
  co_return *std::move(answer);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

} // namespace detail
} // namespace greenroom
