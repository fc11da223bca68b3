#include <greenroom/http/jobs_routes.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/http/json.hpp>

namespace greenroom::http {
namespace {

struct run_view {
  std::uint64_t number = 0;
  std::string due, started;
  std::optional<std::string> ended, error;
  std::string outcome;
  bool by_hand = false;
};

struct job_view {
  std::string name, schedule;
  bool paused = false;
  std::optional<std::string> next;
  std::optional<run_view> running;
  std::uint64_t queued = 0, runs = 0, failures = 0, skipped = 0;
};

struct job_report : job_view {
  std::vector<run_view> history;
};

void describe(schema<run_view>& s) {
  s.name("job_run");
  s.field("number", &run_view::number);
  s.field("due", &run_view::due);
  s.field("started", &run_view::started);
  s.field("ended", &run_view::ended);
  s.field("outcome", &run_view::outcome).says("running, succeeded, failed, timed_out, cancelled or interrupted");
  s.field("error", &run_view::error);
  s.field("by_hand", &run_view::by_hand);
}
template <class T>
void describe_job(schema<T>& s) {
  s.field("name", &T::name);
  s.field("schedule", &T::schedule);
  s.field("paused", &T::paused);
  s.field("next", &T::next);
  s.field("running", &T::running);
  s.field("queued", &T::queued);
  s.field("runs", &T::runs).says("begun, over all starts of the program");
  s.field("failures", &T::failures).says("since its start");
  s.field("skipped", &T::skipped).says("since its start: they were due while another run went on");
}
void describe(schema<job_view>& s) { describe_job(s.name("job")); }
void describe(schema<job_report>& s) {
  describe_job(s.name("job_report"));
  s.field("history", &job_report::history).says("the newest first");
}

run_view view_of(const job_run& r) {
  run_view shown{.number = r.number,
                 .due = iso_text(r.due),
                 .started = iso_text(r.started),
                 .ended = {},
                 .error = {},
                 .outcome = to_string(r.outcome),
                 .by_hand = r.by_hand};
  if (r.outcome != run_outcome::running) shown.ended = iso_text(r.ended);
  if (!r.error.empty()) shown.error = r.error;
  return shown;
}

job_view view_of(const job_info& j) {
  job_view shown{.name = j.name,
                 .schedule = j.when,
                 .paused = j.paused,
                 .next = {},
                 .running = {},
                 .queued = j.queued,
                 .runs = j.runs,
                 .failures = j.failures,
                 .skipped = j.skipped};
  if (j.next) shown.next = iso_text(*j.next);
  if (j.running) shown.running = view_of(*j.running);
  return shown;
}

task<result<std::vector<job_view>>> list_jobs(scheduled_jobs jobs) {
  const auto found = co_await jobs.list();
  if (!found) co_return found.error();
  std::vector<job_view> shown;
  for (const auto& each : *found) shown.push_back(view_of(each));
  co_return shown;
}

task<result<job_report>> show_job(request r, scheduled_jobs jobs) {
  const auto found = co_await jobs.look(std::string(r.parameter("name")));
  if (!found) co_return found.error();
  job_report shown{{view_of(*found)}, {}};
  for (const auto& each : found->history) shown.history.push_back(view_of(each));
  co_return shown;
}

using order = task<result<job_info>> (scheduled_jobs::*)(std::string) const;

task<result<job_view>> do_order(request r, scheduled_jobs jobs, order what) {
  const auto done = co_await (jobs.*what)(std::string(r.parameter("name")));
  if (!done) co_return done.error();
  co_return view_of(*done);
}

} // namespace

routes jobs_routes(const scheduled_jobs& jobs) {
  routes made;
  made.get("", json_handler(list_jobs, jobs)).get("/{name}", json_handler(show_job, jobs));
  made.post("/{name}/run", json_handler(do_order, jobs, &scheduled_jobs::run_now));
  made.post("/{name}/pause", json_handler(do_order, jobs, &scheduled_jobs::pause));
  made.post("/{name}/resume", json_handler(do_order, jobs, &scheduled_jobs::resume));
  made.post("/{name}/cancel", json_handler(do_order, jobs, &scheduled_jobs::cancel));
  return made;
}

} // namespace greenroom::http
