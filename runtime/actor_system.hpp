// actor_system: what actors live in: worker threads, timers, contexts, a log and a CAF system. main makes one; several may live in
// one process, and nothing is shared between them.
//
//   actor_system sys;
//   auto answer = sys.run(compute, 42);   // runs a task as an actor and waits for it
//
// Thread safety: all members may be called from any thread unless they say otherwise.
// Lifetime: outlives contexts and mailbox waits of its actors; actor handles may outlive it. The destructor stops it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <greenroom/runtime/deadlock.hpp>
#include <greenroom/runtime/detail/request_counters.hpp>
#include <greenroom/runtime/environment.hpp>
#include <greenroom/runtime/flight_recorder.hpp>
#include <greenroom/runtime/ledger.hpp>
#include <greenroom/runtime/options.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/system_stats.hpp>

namespace greenroom {

/// An actor that keeps its worker for too long.
struct stuck_actor {
  actor_info actor{};                       ///< who it is
  std::chrono::milliseconds for_at_least{}; ///< how long it has run without a wait
};

/// What stop() left behind.
struct stop_report {
  std::vector<actor_info> not_stopped; ///< actors whose code did not return to a wait
  std::size_t timers = 0;              ///< that are armed although every actor has ended; there should be none
  std::uint64_t pending_requests = 0;  ///< the same of requests
  /// Returns whether every actor has ended.
  bool complete() const noexcept { return not_stopped.empty(); }
  /// Returns a sentence that names each of them, and says what else is left.
  std::string to_string() const;
};

/// What actors live in. Thread safety: see the file comment.
class GREENROOM_EXPORT actor_system {
public:
  /// Starts the workers. Errors: usage_error with a sentence if the options are out of range.
  explicit actor_system(options opts = {}, environment env = {});
  /// Stops as stop() does with the limit of the options. Waits: blocks the thread; an actor whose code never returns to a wait
  /// holds it up, and the log names that actor, since freeing the memory it uses would be worse.
  ~actor_system();
  actor_system(const actor_system&) = delete;
  actor_system& operator=(const actor_system&) = delete;

  /// Starts `fn(args...)` as an actor. Waits: never. Errors: once the system stops, the actor is born finished with errc::stopped.
  template <class... Args>
  actor spawn(detail::target_for<Args...> fn, Args&&... args) {
    return detail::launch({*core_, fn.begin(std::forward<Args>(args)...), nullptr, fn.site});
  }
  template <class... Args>
  actor spawn(const spawn_options& how, detail::target_for<Args...> fn, Args&&... args) {
    return detail::launch({*core_, fn.begin(std::forward<Args>(args)...), &how, fn.site});
  }

  /// Runs `fn(args...)` as an actor and gives its value, as a result<T> for a task<T> and for a task<result<T>>. Waits: blocks the thread until the actor ends.
  /// Errors: what ended the actor otherwise: errc::failed with the exception's text, errc::cancelled, errc::stopped.
  /// usage_error on a worker thread.
  template <class F, class... Args>
  auto run(F&& fn, Args&&... args) {
    using value = typename std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...>::value_type;
    detail::check_may_block("actor_system::run", "co_await"); // before anything refers to this frame
    return run_as<value>(std::forward<F>(fn), std::forward<Args>(args)...);
  }

  /// Stops the trees of supervisors, each in its own order; then cancels every other actor, waits for their ends, kills what waits on after
  /// the limit, and refuses spawns from now on. Waits: blocks the thread, up to `limit` for the supervisors, as long again for the
  /// orderly ends of the others, and once more for the killed. Errors: the report names
  /// the actors that are still running; usage_error on a worker thread. Stopping twice is fine.
  stop_report stop(std::chrono::milliseconds limit);
  stop_report stop();
  /// Returns whether a stop has begun.
  bool stopping() const noexcept;

  /// Returns the context that ends when the system stops; the one actors run under by default.
  greenroom::context context() const;
  /// Returns the options that it was made with.
  const options& settings() const noexcept;
  /// Returns its logger.
  const logger& log() const noexcept;
  /// Returns the system's files; see files.hpp.
  files& disk() const noexcept;
  /// Returns what makes listeners and connections; see transport.hpp.
  transport& net() const noexcept;
  /// Returns the system's clock; see clock.hpp.
  const clock& time() const noexcept;
  /// Returns the time of that clock.
  time_point now() const noexcept;
  /// Returns the date and time of day, for people and protocols.
  std::chrono::system_clock::time_point wall_now() const noexcept;

  /// Counts the actors that have not ended. Cost: holds off spawns and ends for a moment.
  std::size_t live_actors() const noexcept;
  /// Lists the actors that have not ended. Cost: holds off spawns and ends meanwhile.
  std::vector<actor_info> actors() const;
  /// Searches for actors that wait for each other, see deadlock.hpp, among those that have waited for `least_age` or longer.
  /// Cost: 2 to 8 microseconds and 500 bytes for each waiting actor, by what it holds; holds off spawns and ends while it lists them.
  deadlock_report deadlocks(std::chrono::milliseconds least_age = {}) const;
  /// Lists the actors that have kept a worker for longer than options::stuck_limit and still do. Empty in a simulation.
  std::vector<stuck_actor> stuck_actors() const;
  /// Lists all that lives. Cost: holds off spawns and ends meanwhile, a list at a time.
  greenroom::ledger ledger() const;
  /// Returns the last events, see flight_recorder.hpp; none if options::flight_events is 0. Cost: copies the rings, 24 bytes an event.
  flight_log flight(const flight_query& wanted = {}) const;
  /// Counts the asks of this system's actors. Exact while none is under way.
  request_stats requests() const noexcept;
  /// Counts the timers that are armed.
  std::size_t live_timers() const noexcept;
  /// Returns all these counts, and those of the workers. Cost: visits every worker.
  system_stats stats() const;

  /// For the runtime.
  detail::runtime_core& core() const noexcept { return *core_; }

private:
  template <class T>
  struct outcome {
    std::optional<T> value;
  };
  template <class T, class F, class... Args>
  detail::as_result<T> run_as(F&& fn, Args&&... args) {
    using call = detail::kept_call<std::decay_t<F>, std::decay_t<Args>...>;
    call kept(std::forward<F>(fn), std::forward<Args>(args)...);
    if constexpr (std::is_void_v<T>) {
      const auto why = spawn(spawn_options{.name = "run"}, &keep_void<call>, &kept).wait();
      if (!why.normal()) return why.why();
      return {};
    } else {
      std::optional<T> value;
      const auto why = spawn(spawn_options{.name = "run"}, &keep_value<T, call>, &kept, &value).wait();
      if (!why.normal()) return why.why();
      return *std::move(value);
    }
  }
  template <class Call>
  static auto begin(Call& call) {
    return std::apply([&call](auto&... args) { return detail::invoke(call.fn, std::move(args)...); }, call.args);
  }
  template <class Call>
  static task<> keep_void(Call* call) {
    auto body = begin(*call);
    co_await std::move(body);
  }
  template <class T, class Call>
  static task<> keep_value(Call* call, std::optional<T>* value) {
    auto body = begin(*call);
    value->emplace(co_await std::move(body));
  }

  std::unique_ptr<detail::runtime_core> core_;
};

} // namespace greenroom
