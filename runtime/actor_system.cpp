#include <greenroom/runtime/actor_system.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/files.hpp>
#include <greenroom/runtime/internal/deadlock_search.hpp>
#include <greenroom/runtime/internal/recorder.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/internal/tcp_transport.hpp>
#include <greenroom/runtime/internal/watch.hpp>

namespace greenroom {

actor_system::actor_system(options opts, environment env)
    : core_(std::make_unique<detail::runtime_core>(*this, std::move(opts), std::move(env))) {}
actor_system::~actor_system() = default;

stop_report actor_system::stop(std::chrono::milliseconds limit) { return core_->stop(limit); }
stop_report actor_system::stop() { return core_->stop(core_->opts.stop_limit); }
bool actor_system::stopping() const noexcept { return core_->stopping(); }

context actor_system::context() const {
  detail::add_ref(core_->root);
  return {&core_->root, greenroom::context::adopt{}};
}
const options& actor_system::settings() const noexcept { return core_->opts; }
const logger& actor_system::log() const noexcept { return core_->log; }
files& actor_system::disk() const noexcept { return core_->env.disk == nullptr ? real_files() : *core_->env.disk; }
transport& actor_system::net() const noexcept { return core_->env.net != nullptr ? *core_->env.net : *core_->sockets; }
time_point actor_system::now() const noexcept { return core_->env.time->now(); }
const clock& actor_system::time() const noexcept { return *core_->env.time; }
std::chrono::system_clock::time_point actor_system::wall_now() const noexcept { return core_->env.time->wall_now(); }
std::size_t actor_system::live_actors() const noexcept { return core_->living.count(); }
std::vector<actor_info> actor_system::actors() const { return core_->actors(); }
deadlock_report actor_system::deadlocks(std::chrono::milliseconds least_age) const {
  return internal::find_deadlocks(*core_, least_age);
}
std::vector<stuck_actor> actor_system::stuck_actors() const {
  return core_->watch == nullptr ? std::vector<stuck_actor>() : core_->watch->stuck();
}
ledger actor_system::ledger() const {
  greenroom::ledger all;
  all.actors = core_->ledger_entries();
  all.timers = live_timers();
  all.pending_requests = requests().pending();
  return all;
}
flight_log actor_system::flight(const flight_query& wanted) const {
  return core_->flight == nullptr ? flight_log() : core_->flight->read(wanted);
}
std::size_t actor_system::live_timers() const noexcept { return core_->runs_on->live_timers(); }

system_stats actor_system::stats() const { return core_->stats(); }

request_stats actor_system::requests() const noexcept { return core_->requests(); }

std::string stop_report::to_string() const {
  if (complete() && (timers != 0 || pending_requests != 0)) {
    return fmt::format("Every actor has ended, but {} timer(s) and {} pending request(s) are left.", timers,
                       pending_requests);
  }
  if (complete()) return "Every actor has ended.";
  std::string text =
      fmt::format("{} actor(s) did not stop, because their code did not return to a wait:", not_stopped.size());
  for (const auto& a : not_stopped)
    text += fmt::format(" {} ('{}', spawned at {}, waits for {});", a.id, a.name, a.spawned_at, a.waits_for);
  text.back() = '.';
  return text;
}

namespace detail {

request_counters& shared_counters(runtime_core& core) noexcept { return core.asks.front(); }

void submit_blocking(runtime_core& core, std::function<void()> work) {
  if (!core.runs_on->run_blocking(work)) core.blocking.submit(std::move(work));
}

time_point now_of(const runtime_core& core) noexcept { return core.env.time->now(); }
std::uint32_t now_ms_of(const runtime_core& core) noexcept { return core.milliseconds(now_of(core)); }

timer_queue& timers_of(runtime_core& core) noexcept {
  if (this_turn.timers != nullptr && this_turn.core == &core) return *this_turn.timers;
  return core.runs_on->timers();
}

time_point deadline_after(duration limit) noexcept {
  const auto* core = this_turn.core;
  return saturating_add(core != nullptr ? now_of(*core) : real_clock().now(), limit);
}

actor launch(const launch_request& request) { return request.core.launch(request); }
const char* intern_name(runtime_core& core, const std::string& name) { return core.intern(name); }

} // namespace detail
} // namespace greenroom
