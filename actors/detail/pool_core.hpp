// What a worker pool and its workers share, and what a worker does.
// Thread safety: as noted. Lifetime: shared by the pool's handles and the workers' frames.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// What became of a pool's jobs. While nothing moves, submitted = queued + running + done + failed + dropped.
struct pool_stats {
  std::uint64_t submitted = 0; ///< accepted; never goes back
  std::uint64_t queued = 0;    ///< jobs that wait for a worker
  std::uint64_t running = 0;   ///< jobs that workers have in hand
  std::uint64_t done = 0;      ///< jobs that gave a value
  std::uint64_t failed = 0;    ///< ended by an exception, an error or a cancellation, or not wanted any more
  std::uint64_t dropped = 0;   ///< accepted, but not begun: by stop(), or by the queue's overflow policy
  std::uint64_t rejected = 0;  ///< not accepted
};

/// What a pool tells of a job that failed.
struct failed_job {
  error why; ///< errc::failed with the text of an exception, or the error that the job returned
};

namespace detail {

/// The kinds of function that a pool runs: those that return R, result<R>, task<R> or task<result<R>>.
template <class T>
struct job_value {
  using type = T;
  static constexpr bool is_task = false;
};
template <class T>
struct job_value<task<T>> {
  using type = T;
  static constexpr bool is_task = true;
};

template <class T>
using value_or_nothing = std::conditional_t<std::is_void_v<T>, nothing, T>;

template <class Job, class Result>
struct pool_call {
  Job job;
  using reply = Result;
};

/// The counts of one worker, written by it alone.
struct alignas(64) worker_counts {
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> failed{0};

  static void add_one(std::atomic<std::uint64_t>& n) noexcept {
    n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_release); // one writer; see pool_base::stats()
  }
};

/// Counts one job: as failed, unless it is said to be done. Also right if a kill destroys the frame.
class job_count {
public:
  explicit job_count(worker_counts& counts) noexcept : counts_(counts) { worker_counts::add_one(counts_.taken); }
  job_count(const job_count&) = delete;
  job_count& operator=(const job_count&) = delete;
  ~job_count() { settle(false); }
  void settle(bool done) noexcept {
    if (!std::exchange(settled_, true)) worker_counts::add_one(done ? counts_.done : counts_.failed);
  }

private:
  worker_counts& counts_;
  bool settled_ = false;
};

/// The parts that do not depend on the types of job and result.
struct GREENROOM_EXPORT pool_base {
  explicit pool_base(std::size_t count) : counts(count) {}

  /// Each job is looked for first where it goes and then where it comes from, so that one on its way may be missed, but is never seen
  /// twice.
  template <class Queue>
  pool_stats stats(const Queue& queue) noexcept {
    pool_stats s;
    s.rejected = rejected.load(std::memory_order_relaxed);
    for (const auto& c : counts) {
      s.done += c.done.load(std::memory_order_acquire);
      s.failed += c.failed.load(std::memory_order_acquire);
    }
    std::uint64_t taken = 0;
    for (const auto& c : counts) taken += c.taken.load(std::memory_order_acquire);
    s.running = taken - s.done - s.failed;
    s.dropped = queue.dropped();
    s.queued = queue.size_approx();
    s.submitted = raise_submitted(taken + s.dropped + s.queued);
    return s;
  }
  void reject() noexcept { rejected.fetch_add(1, std::memory_order_relaxed); }

  std::uint64_t raise_submitted(std::uint64_t seen) noexcept;
  /// Waits until the workers have ended. Errors: errc::timed_out.
  task<result<void>> join(time_point deadline) const;
  void cancel_workers() const;

  std::vector<worker_counts> counts; // one for each worker; not resized
  std::vector<actor> workers;        // constant once the pool is made
  std::atomic<std::uint64_t> rejected{0};
  std::atomic<std::uint64_t> submitted{0}; // the most that was ever seen
};

/// Returns what an exception of a job says.
GREENROOM_EXPORT error error_of_job(const std::exception_ptr& thrown);
/// Writes a failure to the log that nobody else hears of.
GREENROOM_EXPORT void log_failed_job(const error& why);

template <class Job, class Result>
struct pool_core : pool_base {
  using call = pool_call<Job, Result>;
  using item = std::variant<Job, request<call>>;

  pool_core(std::size_t worker_count, mailbox_limits limits, address<value_or_nothing<Result>> results_to,
            address<failed_job> failures_to)
      : pool_base(worker_count), queue(limits), results(std::move(results_to)), failures(std::move(failures_to)) {}

  const mailbox<item> queue;
  const address<value_or_nothing<Result>> results;
  const address<failed_job> failures;
};

/// What the workers hold in common: with the last of them the queue ends, whatever ended them.
template <class Core>
struct worker_side {
  explicit worker_side(std::shared_ptr<Core> c) noexcept : core(std::move(c)) {}
  worker_side(const worker_side&) = delete;
  worker_side& operator=(const worker_side&) = delete;
  ~worker_side() { core->queue.close(queued::drop); }
  const std::shared_ptr<Core> core;
};

/// What the handles hold in common: with the last of them nobody can submit any more.
template <class Core>
struct user_side {
  explicit user_side(std::shared_ptr<Core> c) noexcept : core(std::move(c)) {}
  user_side(const user_side&) = delete;
  user_side& operator=(const user_side&) = delete;
  ~user_side() { core->queue.close(); }
  const std::shared_ptr<Core> core;
};

/// Sends where there is room at once, even if the sender is cancelled, else waits.
template <class T>
task<> deliver_late(const address<T>* to, T value) {
  (void)co_await to->send(std::move(value));
}

/// One worker: takes jobs until there are no more.
template <class Job, class Result, class F>
task<> pool_worker(std::shared_ptr<worker_side<pool_core<Job, Result>>> side, std::size_t index, F fn) {
  using returned = job_value<std::invoke_result_t<F&, Job>>;
  auto& pool = *side->core;
  while (auto item = co_await pool.queue.receive()) {
    job_count count(pool.counts[index]);
    auto* const asked = std::get_if<1>(&*item);
    if (asked != nullptr && !asked->wanted()) continue; // its time was over before its turn came
    Job& job = asked != nullptr ? asked->message.job : std::get<0>(*item);
    std::optional<result<Result>> outcome;
    try {
      if constexpr (returned::is_task) {
        auto body = fn(std::move(job));
        if constexpr (std::is_void_v<typename returned::type>) {
          co_await std::move(body);
          outcome.emplace();
        } else {
          outcome.emplace(co_await std::move(body));
        }
      } else if constexpr (std::is_void_v<typename returned::type>) {
        fn(std::move(job));
        outcome.emplace();
      } else {
        outcome.emplace(fn(std::move(job)));
      }
    } catch (...) {
      outcome.emplace(error_of_job(std::current_exception()));
    }
    count.settle(outcome->has_value());
    if (asked != nullptr) {
      asked->reply(*std::move(outcome));
    } else if (!outcome->has_value()) {
      if (!pool.failures) {
        log_failed_job(outcome->error());
      } else if (auto sent = pool.failures.try_send(failed_job{outcome->error()});
                 !sent && sent.error().is(errc::full)) {
        co_await deliver_late(&pool.failures, std::move(sent.item()));
      }
    } else if constexpr (!std::is_void_v<Result>) {
      if (!pool.results) continue;
      if (auto sent = pool.results.try_send(**std::move(outcome)); !sent && sent.error().is(errc::full)) {
        co_await deliver_late(&pool.results, std::move(sent.item()));
      }
    }
  }
}

} // namespace detail
} // namespace greenroom
