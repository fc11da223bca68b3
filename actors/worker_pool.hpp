// worker_pool: a fixed number of workers that take jobs from one queue. Use it to bound how much of something happens at once: calls
// to a database, chunks of a computation. For one task a job without a bound, spawn in a scope instead.
//
//   worker_pool<order, receipt> pool(sys, {.workers = 8, .queue = bounded(64), .results = to_printer}, handle);
//   auto accepted = co_await pool.submit(std::move(next));  // waits while 64 are queued: back-pressure
//   result<receipt> r = co_await pool.run(std::move(next), 1s); // or: one job and its own result
//   auto finished = co_await pool.drain(5s);
//
// A job is a plain function or a coroutine: Result, result<Result>, task<Result> or task<result<Result>>, of a Job. An exception ends
// the job, which counts as failed, and never the worker.
// Thread safety: handles may be copied to any thread; waiting calls belong to actors.
// Lifetime: when the last handle goes, the workers finish what is queued and end.
// A job that is an aggregate must have a name, as `next` above: g++ 12 destroys one that is made in a co_await expression twice.
// Order: jobs of one sender begin in the order submitted; with several workers they end in any order.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/detail/kept_send.hpp>
#include <greenroom/actors/detail/pool_core.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom {

/// How a pool works. Thread safety: as a value.
template <class Result = void>
struct worker_pool_options {
  /// Jobs that run at once. For jobs that wait, as many as what they wait for can bear; for jobs that compute, one a processor.
  std::size_t workers = 4;
  /// How many jobs wait for a worker, and what happens to one more.
  mailbox_limits queue = bounded(256);
  /// Where values go; waits when full, so that slow takers slow the pool down. None: they are dropped.
  address<detail::value_or_nothing<Result>> results = {};
  /// Where the errors of failed jobs go. None: they are logged as warnings. Jobs of run() tell their asker instead, in both cases.
  address<failed_job> failures = {};
  /// Name and context of the workers.
  spawn_options as = {.name = "worker"};
};

/// Thread safety, lifetime and order: see the file comment.
template <class Job, class Result = void>
class worker_pool {
  using core = detail::pool_core<Job, Result>;
  using item = typename core::item;
  static_assert(std::is_nothrow_move_constructible_v<Job>, "worker_pool: a Job must be nothrow move constructible");

public:
  /// Starts the workers; each has its own copy of `fn`. Errors: usage_error without workers.
  template <class F>
  worker_pool(actor_system& sys, worker_pool_options<Result> opts, F fn,
              std::source_location where = std::source_location::current()) {
    static_assert(std::is_invocable_v<F&, Job>, "worker_pool: the function of the jobs must take a Job");
    using returned = typename detail::job_value<std::invoke_result_t<F&, Job>>::type;
    static_assert(std::is_same_v<returned, Result> || std::is_convertible_v<returned, result<Result>>,
                  "worker_pool: the function of the jobs must return Result, result<Result>, or a task of either");
    if (opts.workers == 0) throw usage_error("worker_pool: a pool needs one worker at least");
    auto shared = std::make_shared<core>(opts.workers, opts.queue, std::move(opts.results), std::move(opts.failures));
    auto side = std::make_shared<detail::worker_side<core>>(shared);
    for (std::size_t i = 0; i < opts.workers; ++i) {
      shared->workers.push_back(sys.spawn(opts.as, {detail::pool_worker<Job, Result, F>, where}, side, i, fn));
    }
    in_ = shared->queue.address();
    users_ = std::make_shared<detail::user_side<core>>(std::move(shared));
  }

  /// Queues a job; on failure the result holds it. Waits: suspends the actor while the queue is full (unless it rejects or drops).
  /// Lifetime: this handle outlives the await. Cancellation: throws `cancelled`; the job is dropped. Errors: errc::closed, errc::full.
  auto submit(Job job) const { return submit_until(std::move(job), never); }
  /// The same with a limit. Errors: also errc::timed_out.
  template <class Rep, class Period>
  auto submit_for(Job job, std::chrono::duration<Rep, Period> limit) const {
    return submit_until(std::move(job), detail::deadline_in(limit));
  }
  /// The same with a point in time.
  auto submit_until(Job job, time_point deadline) const {
    return detail::kept_send(in_, item(std::in_place_index<0>, std::move(job)), deadline,
                             hand_back{users_->core.get()});
  }
  /// Queues a job if there is room. Waits: never. Errors: errc::full, errc::closed.
  send_result<Job> try_submit(Job job) const {
    return hand_back{users_->core.get()}(in_.try_send(item(std::in_place_index<0>, std::move(job))));
  }

  /// Has one job done and gives its result; `timeout` holds for all of it. A job whose asker has given up is not begun.
  /// Waits: as ask(). Cancellation: throws `cancelled`; a job that has begun goes on.
  /// Errors: those of the job, errc::failed for its exceptions; those of ask().
  template <class Rep, class Period>
  task<result<Result>> run(Job job, std::chrono::duration<Rep, Period> timeout) const {
    return run_until(users_, in_, std::move(job), detail::deadline_in(timeout));
  }

  /// Accepts no more jobs and waits until those accepted are finished. Requires: not called by a job of this pool.
  /// Cancellation: throws `cancelled`; the workers go on. Errors: errc::timed_out, and the workers go on.
  template <class Rep, class Period>
  task<result<void>> drain(std::chrono::duration<Rep, Period> limit) const {
    return finish(users_, detail::deadline_in(limit));
  }

  /// Accepts no more jobs, drops those queued and cancels those running, which count as dropped and as failed. Waits: never; drain()
  /// then waits until the workers have unwound.
  void stop() const {
    users_->core->queue.close(queued::drop);
    users_->core->cancel_workers();
  }

  /// Counts the jobs. Cost: visits every worker's counts and locks the queue.
  pool_stats stats() const noexcept { return users_->core->stats(users_->core->queue); }

private:
  /// Counts what was not accepted, and gives the job back.
  struct hand_back {
    core* pool;
    send_result<Job> operator()(send_result<item> sent) const {
      if (sent) return {};
      pool->reject();
      return {sent.error().code(), std::get<0>(std::move(sent.item()))};
    }
  };

  using users = std::shared_ptr<detail::user_side<core>>;
  static task<result<Result>> run_until(users pool, address<item> in, Job job, time_point deadline) {
    using call = typename core::call;
    detail::ask_op<item, call> asking(in, call{std::move(job)}, deadline);
    auto outcome = co_await asking;
    if (asking.refused()) pool->core->reject();
    co_return outcome;
  }
  static task<result<void>> finish(users pool, time_point deadline) {
    pool->core->queue.close();
    co_return co_await pool->core->join(deadline);
  }

  address<item> in_;
  users users_;
};

} // namespace greenroom
