#include <greenroom/tools/greenroom/load_threads.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include <greenroom/runtime/actor_system.hpp>

namespace load {

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

options for_one_thread() {
  options o;
  o.name = "greenroom load";
  o.workers = 1;
  o.log_level = "off";
  o.flight_events = 0; // what is measured is somebody else
  o.deadlock_check = 0ms;
  o.stuck_limit = 0ms;
  return o;
}

struct thread_of_load {
  actor_system system{for_one_thread()};
  load_plan plan;
  load_tally found;
  std::optional<result<void>> outcome; // none: it was cancelled
  actor running;
};

task<> keep_outcome(thread_of_load* of, load_schedule when) {
  auto generating = generate(&of->plan, std::move(when), &of->found);
  of->outcome.emplace(co_await std::move(generating));
}

/// Has the process open as many files as the connections need.
result<void> make_room(std::size_t connections, std::size_t threads) {
  const rlim_t wanted = connections + 8 * threads + 32;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted) return {};
  if (files.rlim_max < wanted)
    return error(errc::limit,
                 fmt::format("{} connections need {} open files, and this process may have {} (ulimit -n): take fewer "
                             "--connections, or raise the limit",
                             connections, wanted, files.rlim_max));
  files.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &files);
  return {};
}

} // namespace

result<load_tally> run_load(const load_job& job, const std::function<bool()>& ended) {
  if (const auto room = make_room(job.plan.connections, job.threads); !room) return room.error();
  std::vector<std::unique_ptr<thread_of_load>> all;
  for (std::size_t i = 0; i < job.threads; ++i) {
    auto& one = *all.emplace_back(std::make_unique<thread_of_load>());
    one.plan = job.plan;
    one.plan.most_waiting = job.plan.most_waiting / job.threads;
    one.plan.connections = job.plan.connections / job.threads + (i < job.plan.connections % job.threads ? 1 : 0);
  }
  for (std::size_t i = 0; i < job.threads; ++i)
    all[i]->running = all[i]->system.spawn({.name = "load"}, keep_outcome, all[i].get(),
                                           load_schedule(job.shape, i, job.threads, job.seed));
  bool cut = false;
  for (auto& one : all) {
    while (!one->running.finished()) {
      if (!cut && ended()) {
        cut = true;
        for (auto& other : all) other->running.cancel();
      }
      std::this_thread::sleep_for(10ms);
    }
  }
  load_tally found;
  std::optional<error> failure;
  for (auto& one : all) {
    found.merge(one->found);
    if (one->outcome && !*one->outcome) failure = one->outcome->error();
  }
  if (found.connects == 0 && failure) return *failure;
  return found;
}

} // namespace load
