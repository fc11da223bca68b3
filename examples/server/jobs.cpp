#include "jobs.hpp"

#include <utility>

#include <greenroom/http/jobs_routes.hpp>
#include <greenroom/http/rate_limit.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

task<> beat() { co_return; }
task<> tidy_up() { co_await sleep_for(5s); } // stands for the work; the run that replaces it ends it right here
task<> count_stock() { co_await sleep_for(100ms); }
task<result<void>> print_labels() { co_return error(errc::upstream, "the printer is out of paper"); }

result<void> add_all(const scheduled_jobs& jobs) {
  const auto nightly = schedule::parse("cron 30 2 * * MON-FRI");
  if (!nightly) return nightly.error();
  for (const auto& added :
       {jobs.add({.name = "beat", .when = schedule::every(10s)}, beat),
        jobs.add({.name = "tidy-up", .when = schedule::every(1min), .overlap = overlap_rule::replace, .limit = 10s},
                 tidy_up),
        jobs.add({.name = "count-stock", .when = *nightly, .missed = missed_rule::once, .jitter = 1min}, count_stock),
        jobs.add({.name = "print-labels", .when = schedule::every(5min)}, print_labels)}) {
    if (!added) return added;
  }
  return {};
}

} // namespace

result<scheduled_jobs> open_jobs(actor_system& sys, const std::filesystem::path& file) {
  auto jobs = file.empty() ? result<scheduled_jobs>(scheduled_jobs(sys)) : scheduled_jobs::open(sys, file);
  if (!jobs) return jobs;
  if (auto added = add_all(*jobs); !added) return added.error();
  return jobs;
}

http::routes job_routes(const scheduled_jobs& jobs) {
  http::routes limited;
  limited.use(http::rate_limit({.requests = 600, .period = 1min, .burst = 100}));
  limited.mount("/jobs", http::jobs_routes(jobs));
  return limited;
}
