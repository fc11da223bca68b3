// CAF beneath the workers: where CAF lets its scheduler be replaced (0.17 to 0.19), the worker team takes its place, so that CAF
// actors, lightweight actors and sockets share threads. From 1.0 on CAF's actors keep threads of their own.
#include <greenroom/runtime/internal/caf_border.hpp>

#if GREENROOM_CAF >= 10000

namespace greenroom::internal {

std::unique_ptr<caf_border> make_border_on(worker_team&) { return nullptr; }

} // namespace greenroom::internal

#else

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <greenroom/runtime/internal/worker.hpp>

namespace greenroom::internal {
namespace {

// How many messages a CAF actor handles in one go. CAF's default is all it has, which starves the others on its worker.
constexpr std::size_t caf_throughput = 64;

/// Counts CAF's jobs that wait or run. An actor of CAF's is gone for its system before its last job has returned: the system
/// must not be destroyed by then.
class job_count {
public:
  void add() noexcept { count_.fetch_add(1); }
  void drop() noexcept {
    if (count_.fetch_sub(1) == 1) count_.notify_all();
  }
  void wait_for_none() const noexcept {
    for (auto n = count_.load(); n != 0; n = count_.load()) count_.wait(n);
  }

private:
  std::atomic<std::size_t> count_{0};
};

/// Takes what a CAF actor wakes on one of our workers.
class unit final : public caf::execution_unit {
public:
  unit(caf::actor_system& system, worker& owner, job_count& jobs)
      : execution_unit(&system), owner_(owner), jobs_(jobs) {}
  void exec_later(caf::resumable* job) override {
    jobs_.add();
    owner_.push_behind(job::foreign(job));
  }

private:
  worker& owner_;
  job_count& jobs_;
};

/// CAF's clock and its thread.
class clock_thread {
public:
#if GREENROOM_CAF >= 1800
  void start(caf::actor_system& system) { clock_.start_dispatch_loop(system); }
  void stop() { clock_.stop_dispatch_loop(); }
#else
  void start(caf::actor_system&) {
    timer_ = std::thread([this] { clock_.run_dispatch_loop(); });
  }
  void stop() {
    clock_.cancel_dispatch_loop();
    timer_.join();
  }
#endif
  caf::detail::thread_safe_actor_clock& clock() noexcept { return clock_; }

private:
  caf::detail::thread_safe_actor_clock clock_;
  std::thread timer_; // before 0.18
};

class coordinator final : public caf::scheduler::abstract_coordinator {
public:
  coordinator(caf::actor_system& system, worker_team& team, job_count& jobs)
      : abstract_coordinator(system), team_(team), jobs_(jobs) {}

  void start() override {
    max_throughput_ = caf_throughput;
    num_workers_ = team_.workers();
    clock_.start(system());
    abstract_coordinator::start();
  }

  void stop() override {
    stop_actors();
    jobs_.wait_for_none(); // the workers go on: they do not end with CAF's system, as CAF's own would
    clock_.stop();
  }

  void enqueue(caf::resumable* job) override {
    jobs_.add();
    team_.submit_job(job::foreign(job));
  }
  caf::detail::thread_safe_actor_clock& clock() noexcept override { return clock_.clock(); }

private:
  worker_team& team_;
  job_count& jobs_;
  clock_thread clock_;
};

class workers_border final : public own_border {
public:
  explicit workers_border(worker_team& team) {
    config().module_factories.push_back([this, &team](caf::actor_system& system) -> caf::actor_system::module* {
      // Before the first job: the system starts actors of its own while it is being made.
      for (std::size_t i = 0; i < team.workers(); ++i) {
        units_.push_back(std::make_unique<unit>(system, team.at(i), jobs_));
      }
      return new coordinator(system, team, jobs_);
    });
  }

  caf_unit* unit_of(const worker& w, const caf::actor_system& home) noexcept override {
    auto* const mine = units_[w.index()].get();
    // A worker of one system may send to an actor of another, whose jobs it must not run.
    return &mine->system() == &home ? mine : nullptr;
  }

  void run_job(void* foreign, worker& on) noexcept override {
    auto* const job = static_cast<caf::resumable*>(foreign);
    switch (job->resume(units_[on.index()].get(), caf_throughput)) {
    case caf::resumable::resume_later: on.push_behind(job::foreign(job)); break;
    default: drop_job(foreign);
    }
  }

  void drop_job(void* foreign) noexcept override {
    intrusive_ptr_release(static_cast<caf::resumable*>(foreign));
    jobs_.drop();
  }

private:
  job_count jobs_;
  std::vector<std::unique_ptr<unit>> units_;
};

} // namespace

std::unique_ptr<caf_border> make_border_on(worker_team& team) { return std::make_unique<workers_border>(team); }

} // namespace greenroom::internal

#endif
