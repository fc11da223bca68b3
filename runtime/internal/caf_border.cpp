// CAF 0.17.6 beneath the workers: CAF's scheduler module is replaced by the worker team, so that CAF actors, lightweight actors and
// sockets share threads. Another CAF version means another version of this file and of caf_identity.cpp.
#include <greenroom/runtime/internal/caf_border.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <greenroom/runtime/internal/runtime_core.hpp>
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

class coordinator final : public caf::scheduler::abstract_coordinator {
public:
  coordinator(caf::actor_system& system, worker_team& team, job_count& jobs)
      : abstract_coordinator(system), team_(team), jobs_(jobs) {}

  void start() override {
    max_throughput_ = caf_throughput;
    num_workers_ = team_.workers();
    timer_ = std::thread([this] { clock_.run_dispatch_loop(); });
    abstract_coordinator::start();
  }

  void stop() override {
    stop_actors();
    jobs_.wait_for_none(); // the workers go on: they do not end with CAF's system, as CAF's own would
    clock_.cancel_dispatch_loop();
    timer_.join();
  }

  void enqueue(caf::resumable* job) override {
    jobs_.add();
    team_.submit_job(job::foreign(job));
  }
  caf::detail::thread_safe_actor_clock& clock() noexcept override { return clock_; }

private:
  worker_team& team_;
  job_count& jobs_;
  caf::detail::thread_safe_actor_clock clock_;
  std::thread timer_;
};

/// CAF's system is made by ours, and run by our workers if there are any: another executor leaves CAF's actors to CAF's own.
class own_border final : public caf_border {
public:
  explicit own_border(worker_team* team) {
    if (team == nullptr) {
      config_.set("scheduler.max-threads", std::size_t{1});
      return;
    }
    config_.module_factories.push_back([this, team](caf::actor_system& system) -> caf::actor_system::module* {
      // Before the first job: the system starts actors of its own while it is being made.
      for (std::size_t i = 0; i < team->workers(); ++i) {
        units_.push_back(std::make_unique<unit>(system, team->at(i), jobs_));
      }
      return new coordinator(system, *team, jobs_);
    });
  }

  void start() override { system_ = std::make_unique<caf::actor_system>(config_); }
  void stop() noexcept override {
    delete system_.get(); // not reset(): CAF's actors may ask for the system until its end
    (void)system_.release();
  }
  caf::actor_system& system() noexcept override { return *system_; }
  caf::execution_unit* unit_of(const worker& w) noexcept override { return units_[w.index()].get(); }

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
  caf::actor_system_config config_;
  std::vector<std::unique_ptr<unit>> units_;
  std::unique_ptr<caf::actor_system> system_;
};

/// The actors live in a CAF system of the host, beside CAF's own workers.
class host_border final : public caf_border {
public:
  explicit host_border(caf::actor_system& host) : host_(host) {}
  void start() override {}
  void stop() noexcept override {}
  caf::actor_system& system() noexcept override { return host_; }
  // CAF's jobs never come to our workers here.
  void run_job(void*, worker&) noexcept override {}
  void drop_job(void*) noexcept override {}

private:
  caf::actor_system& host_;
};

} // namespace

void caf_border::settle() noexcept {
  auto& held = totals_->held;
  for (auto n = held.load(); n != 0; n = held.load()) held.wait(n);
}

void caf_border::take_ids(std::span<std::uint64_t> ids) noexcept {
  for (auto& id : ids) id = system().next_actor_id();
}

caf_border& border_of(const detail::runtime_core& core) noexcept { return static_cast<caf_border&>(*core.caf); }

caf::execution_unit* unit_here(const caf::actor_system& home) noexcept {
  const auto& turn = detail::this_turn;
  if (turn.worker == nullptr) return nullptr;
  auto* const unit = border_of(*turn.core).unit_of(*static_cast<const worker*>(turn.worker));
  // A worker of one system may send to an actor of another, whose jobs it must not run.
  return unit != nullptr && &unit->system() == &home ? unit : nullptr;
}

std::unique_ptr<border> make_border(worker_team* team, void* caf_host) {
  if (caf_host != nullptr) {
    return std::make_unique<host_border>(*static_cast<caf::actor_system*>(caf_host));
  }
  return std::make_unique<own_border>(team);
}

} // namespace greenroom::internal
