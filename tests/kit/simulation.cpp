#include <greenroom/testkit/simulation.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/detail/timer_queue.hpp>
#include <greenroom/runtime/executor.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/testkit/internal/fault_source.hpp>
#include <greenroom/testkit/internal/faulty_network.hpp>
#include <greenroom/testkit/internal/mortals.hpp>

namespace greenroom::testkit {
namespace {

namespace inner = greenroom::detail;

/// Stands still until it is moved. Read by any thread, moved by the one that runs the simulation.
class virtual_clock final : public clock {
public:
  time_point now() const noexcept override { return time_point(duration(now_.load())); }
  std::chrono::system_clock::time_point wall_now() const noexcept override {
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(duration(now_.load())));
  }
  void move_to(time_point t) noexcept { now_ = std::max(now_.load(), t.time_since_epoch().count()); }

private:
  std::atomic<std::int64_t> now_{duration(std::chrono::hours(1)).count()};
};

struct virtual_timers final : inner::timer_queue {
  using timer_queue::timer_queue;
  void nudge() noexcept override {} // nobody sleeps
};

/// Keeps the actors that are ready, and gives turns to those that it is told to.
class step_executor final : public executor {
public:
  step_executor(virtual_clock& c, std::shared_ptr<internal::fault_source> faults)
      : clock_(c),
        timers_(c.now()),
        started_at_(c.now()),
        faults_(std::move(faults)),
        mortals_(faults_->plan().crashes.names) {}

  void start(inner::runtime_core& core) override { core_ = &core; }
  void stop() noexcept override {}
  void submit(inner::actor_cell& cell) noexcept override {
    mortals_.meet(cell);
    std::lock_guard guard(mutex_);
    ready_.push_back(&cell);
  }
  void requeue(inner::actor_cell& cell) noexcept override { submit(cell); }
  bool run_blocking(const std::function<void()>& work) override { return work(), true; }
  inner::timer_queue& timers() noexcept override { return timers_; }
  std::size_t live_timers() noexcept override { return timers_.size(); }
  std::size_t workers() const noexcept override { return 1; }

  /// The calling thread runs actors for as long as this lives.
  class host {
  public:
    host(step_executor& x, std::uint64_t seed) noexcept : former_(inner::this_turn) {
      inner::this_turn = {};
      inner::this_turn.core = x.core_;
      inner::this_turn.timers = &x.timers_;
      inner::this_turn.flight = inner::flight_ring_of(*x.core_, 0);
      inner::this_turn.random = seed * 0x9e3779b97f4a7c15 | 1; // never zero
      x.look_at_the_clock();
    }
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host() { inner::this_turn = former_; }

  private:
    inner::turn_state former_;
  };

  std::vector<inner::actor_cell*> ready() {
    std::lock_guard guard(mutex_);
    return ready_;
  }
  /// Gives the actor at this position one turn: one await at most.
  void step(std::size_t position) {
    inner::actor_cell* cell = nullptr;
    {
      std::lock_guard guard(mutex_);
      cell = ready_[position];
      ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(position));
    }
    take_turn(*cell, 1);
  }
  /// Moves time to the next timer, or moment of a fault, and fires it; false if there is none.
  bool let_time_pass() {
    const auto armed = timers_.size();
    while (timers_.size() == armed) { // the wheel may only sort, and have nothing to fire yet
      const auto moment = faults_->next_moment();
      const auto next = std::min(timers_.next_expiry(), moment);
      if (next == never) return false;
      clock_.move_to(next);
      look_at_the_clock();
      faults_->pass(clock_.now());
      if (moment == next) return true;
      timers_.advance(clock_.now());
    }
    return true;
  }
  bool has_timers() { return std::min(timers_.next_expiry(), faults_->next_moment()) != never; }
  /// Kills one of the actors that the faults name, if it is time for that.
  void crash_one(const actor& program) {
    if (faults_->wants_crash()) mortals_.kill_one(*faults_, program);
  }
  void forget_mortals() { mortals_.forget(); }

private:
  void look_at_the_clock() noexcept {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - started_at_);
    inner::this_turn.now_ms = static_cast<std::uint32_t>(since.count());
  }

  virtual_clock& clock_;
  virtual_timers timers_;
  const time_point started_at_;
  inner::runtime_core* core_ = nullptr;
  std::mutex mutex_;                      // other threads may wake actors, as when a system stops
  std::vector<inner::actor_cell*> ready_; // guarded by mutex_; in the order in which they became so
  const std::shared_ptr<internal::fault_source> faults_;
  internal::mortals mortals_;
};

options quiet() {
  options o;
  o.name = "simulation";
  o.workers = 1;
  o.log_level = "off";
  return o;
}

} // namespace

const char* to_string(verdict v) noexcept {
  switch (v) {
  case verdict::passed: return "passed";
  case verdict::failed: return "failed";
  case verdict::deadlocked: return "deadlocked";
  case verdict::ran_too_long: return "ran too long";
  }
  return "unknown";
}

void require(bool holds, const std::string& sentence) {
  if (!holds) throw broken_requirement(sentence);
}

struct simulation::world {
  world(const fault_plan& plan, memory_files& disk)
      : faults(std::make_shared<internal::fault_source>(plan)),
        net(network_of(plan, faults)),
        steps(std::make_shared<step_executor>(time, faults)),
        sys(quiet(), environment{.time = &time, .disk = &disk, .net = net.get(), .runs_on = steps}) {
    if (!internal::touches_disk(plan.disk)) return; // a test may have asked for failures of its own
    disk.fail_when([faults = faults, &disk](disk_call call, const std::filesystem::path& at) {
      return faults->disk_fails(disk, call, at.native());
    });
  }
  ~world() { end(); }
  /// What is left ends as at the stop of any system, on a thread of its own: this one waits for it.
  void end() {
    if (sys.live_actors() == 0) return;
    std::atomic<bool> over{false};
    std::thread runs([this, &over] {
      const step_executor::host here(*steps, 1);
      while (!over) {
        if (steps->ready().empty())
          std::this_thread::yield();
        else
          steps->step(0);
      }
    });
    sys.stop();
    over = true;
    runs.join();
  }

  static std::unique_ptr<transport> network_of(const fault_plan& plan, std::shared_ptr<internal::fault_source> faults) {
    if (!internal::touches_connections(plan.network)) return std::make_unique<memory_transport>();
    return std::make_unique<internal::faulty_network>(std::move(faults));
  }

  virtual_clock time;
  std::shared_ptr<internal::fault_source> faults;
  std::unique_ptr<transport> net;
  std::shared_ptr<step_executor> steps;
  actor_system sys;
};

simulation::simulation(simulation_options how)
    : how_(std::move(how)),
      disk_(std::make_unique<memory_files>()),
      world_(std::make_unique<world>(how_.faults, *disk_)) {}
simulation::~simulation() = default;
actor_system& simulation::system() noexcept { return world_->sys; }
transport& simulation::net() noexcept { return *world_->net; }
memory_files& simulation::disk() noexcept { return *disk_; }
time_point simulation::now() const noexcept { return world_->time.now(); }

namespace {

/// Numbers the actors of a run in the order in which they are first ready: ids go on from run to run.
class numbering {
public:
  candidate of(const inner::actor_cell& cell) {
    return numbers_.try_emplace(cell.id, static_cast<candidate>(numbers_.size() + 1)).first->second;
  }

private:
  std::unordered_map<std::uint64_t, candidate> numbers_;
};

void add_to_hash(std::uint64_t& hash, std::uint64_t value) noexcept {
  hash = (hash ^ value) * 0x100000001b3; // FNV-1a, a word at a time
}

} // namespace

void simulation::renew_if_stopped() {
  if (system().stopping()) world_ = std::make_unique<world>(how_.faults, *disk_);
}

run_report simulation::drive(schedule& by, const actor& root) {
  run_report r;
  play(by, root, r);
  judge(root, r);
  if (!system().ledger().empty()) {
    world_->end();
    system().stop();
  }
  return r;
}

/// Takes step after step until nothing is left to do.
void simulation::play(schedule& by, const actor& root, run_report& r) {
  auto& steps = *world_->steps;
  auto& faults = *world_->faults;
  faults.begin(by.seed(), now());
  r.trace_hash = 0xcbf29ce484222325;
  const step_executor::host here(steps, by.seed());
  numbering numbers;
  std::vector<candidate> candidates;
  for (; r.steps < how_.most_steps; ++r.steps) {
    faults.set_time(r.steps, now());
    steps.crash_one(root);
    const auto ready = steps.ready();
    if (ready.empty()) {
      if (!steps.let_time_pass()) break;
      add_to_hash(r.trace_hash, time);
      continue;
    }
    candidates.clear();
    for (const auto* cell : ready) candidates.push_back(numbers.of(*cell));
    if (how_.time_races && steps.has_timers()) candidates.push_back(time);
    std::size_t chosen = 0;
    if (candidates.size() > 1) {
      chosen = by.choose(candidates);
      r.choices.push_back(static_cast<std::uint32_t>(chosen));
      r.widths.push_back(static_cast<std::uint32_t>(candidates.size()));
    }
    add_to_hash(r.trace_hash, candidates[chosen]);
    if (candidates[chosen] == time)
      steps.let_time_pass();
    else
      steps.step(chosen);
  }
  r.faults = faults.end();
  steps.forget_mortals();
}

void simulation::judge(const actor& root, run_report& r) {
  const auto left = system().ledger();
  if (r.steps == how_.most_steps) {
    r.how = verdict::ran_too_long;
    r.why = fmt::format("the program did not end within {} steps; alive are {}", how_.most_steps, left.to_string());
  } else if (root.finished() && !root.wait().normal()) {
    r.how = verdict::failed;
    r.why = std::string(root.wait().why().message());
  } else if (!left.actors.empty()) {
    r.how = verdict::deadlocked;
    r.why = fmt::format("{} actor(s) wait, and nothing will ever end that: {}", left.actors.size(), left.to_string());
    if (const auto why = system().deadlocks(); !why.found.empty()) r.why += "\n" + why.to_string();
  } else if (!left.empty()) {
    r.how = verdict::failed;
    r.why = fmt::format("the program has ended, but left {}", left.to_string());
  }
}

} // namespace greenroom::testkit
