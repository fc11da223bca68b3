// CAF 0.17.6 beneath the workers: CAF's scheduler module is replaced by the worker team, so that CAF actors, lightweight actors and
// sockets share threads. Another CAF version means another version of this file and of caf_identity.cpp.
#include <greenroom/runtime/internal/caf_border.hpp>

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

/// Takes what a CAF actor wakes on one of our workers.
class unit final : public caf::execution_unit {
public:
  unit(caf::actor_system& system, worker& owner) : execution_unit(&system), owner_(owner) {}
  void exec_later(caf::resumable* job) override { owner_.push_behind(job::foreign(job)); }

private:
  worker& owner_;
};

class coordinator final : public caf::scheduler::abstract_coordinator {
public:
  coordinator(caf::actor_system& system, worker_team& team) : abstract_coordinator(system), team_(team) {}

  void start() override {
    max_throughput_ = caf_throughput;
    num_workers_ = team_.workers();
    timer_ = std::thread([this] { clock_.run_dispatch_loop(); });
    abstract_coordinator::start();
  }

  void stop() override {
    stop_actors();
    clock_.cancel_dispatch_loop();
    timer_.join();
  }

  void enqueue(caf::resumable* job) override { team_.submit_job(job::foreign(job)); }
  caf::detail::thread_safe_actor_clock& clock() noexcept override { return clock_; }

private:
  worker_team& team_;
  caf::detail::thread_safe_actor_clock clock_;
  std::thread timer_;
};

/// CAF's system is made and run by ours.
class own_border final : public caf_border {
public:
  explicit own_border(worker_team& team) : team_(team) {
    config_.module_factories.push_back([this](caf::actor_system& system) -> caf::actor_system::module* {
      // Before the first job: the system starts actors of its own while it is being made.
      for (std::size_t i = 0; i < team_.workers(); ++i) {
        units_.push_back(std::make_unique<unit>(system, team_.at(i)));
      }
      return new coordinator(system, team_);
    });
  }

  void start() override { system_ = std::make_unique<caf::actor_system>(config_); }
  void stop() noexcept override { system_.reset(); }
  caf::actor_system& system() noexcept override { return *system_; }
  caf::execution_unit* unit_of(const worker& w) noexcept override { return units_[w.index()].get(); }

  void run_job(void* foreign, worker& on) noexcept override {
    auto* const job = static_cast<caf::resumable*>(foreign);
    switch (job->resume(units_[on.index()].get(), caf_throughput)) {
    case caf::resumable::resume_later: on.push_behind(job::foreign(job)); break;
    default: intrusive_ptr_release(job);
    }
  }

  void drop_job(void* foreign) noexcept override { intrusive_ptr_release(static_cast<caf::resumable*>(foreign)); }

private:
  worker_team& team_;
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
  return std::make_unique<own_border>(*team);
}

} // namespace greenroom::internal
