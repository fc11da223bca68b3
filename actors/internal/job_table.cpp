#include <greenroom/actors/internal/job_table.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace greenroom::internal {
namespace {

using namespace std::chrono_literals;

// Set back by less, the clock was corrected and will soon be where it was; by more, it was wrong. Source: cron(8) of Debian.
constexpr duration corrected = 3h;
constexpr duration nothing_is_in_time{-1};
// The times of a job that is new: the point of at() may have passed, what comes again begins now.
constexpr duration long_ago = duration::min() / 2;

error bad_job(const std::string& name, std::string_view why) {
  return error(errc::invalid_argument, fmt::format("cannot add the job '{}': {}", name, why));
}

bool good_name(const std::string& name) noexcept {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

constexpr std::size_t most_runs = 10'000;

} // namespace

result<void> check_job(const job_spec& spec) {
  if (!good_name(spec.name)) return bad_job(spec.name, "a name has 1 to 64 letters, digits, '.', '_' and '-'");
  struct bounded_number {
    const char* what;
    std::size_t value, least;
  };
  for (const auto& [what, value, least] :
       {bounded_number{"queue", spec.queue, 1}, bounded_number{"most_missed", spec.most_missed, 1},
        bounded_number{"history", spec.history, 0}}) {
    if (value < least || value > most_runs)
      return bad_job(spec.name, fmt::format("{} must be from {} to {} runs, not {}", what, least, most_runs, value));
  }
  if (spec.limit <= duration::zero()) return bad_job(spec.name, "its limit must be longer than nothing");
  if (spec.grace < duration::zero()) return bad_job(spec.name, "its grace must not be negative");
  if (spec.jitter < duration::zero() || spec.jitter > std::chrono::days(31))
    return bad_job(spec.name, "its jitter must be from nothing to 31 days");
  const auto period = spec.when.period();
  if (period != duration::zero() && spec.jitter >= period)
    return bad_job(spec.name, "its jitter must be less than the period, or its times would come in another order");
  return {};
}

job_table::job_table(std::vector<kept_job> kept, std::uint64_t seed) : random_(seed) {
  for (auto& k : kept) {
    auto name = k.name;
    kept_.emplace(std::move(name), std::move(k));
  }
}

job_table::~job_table() { stop(); }

// -- time ------------------------------------------------------------------------------------------------------------

duration job_table::on_axis(const job& j, moment at) noexcept {
  return j.spec.when.by_wall_clock() ? duration(at.wall.time_since_epoch()) : at.now - j.begins;
}

wall_time job_table::wall_of(const job& j, duration due, moment at) noexcept {
  return j.spec.when.by_wall_clock() ? wall_time(due) : at.wall + (due - on_axis(j, at));
}

void job_table::plan(job& j) {
  j.next = j.spec.when.next(j.last);
  const auto most = static_cast<std::uint64_t>(j.spec.jitter.count());
  j.shift = duration(most == 0 ? 0 : static_cast<duration::rep>(random_.below(most + 1)));
}

void job_table::follow_clock(moment at) {
  const bool set_back = seen_ && *seen_ - at.wall >= corrected;
  seen_ = at.wall;
  if (!set_back) return;
  for (auto& [name, j] : jobs_) {
    if (!j.spec.when.by_wall_clock() || j.spec.when.once()) continue; // what was to be once was
    j.last = std::min(j.last, on_axis(j, at));
    j.changed = true;
    plan(j);
  }
}

void job_table::look(moment at) {
  follow_clock(at);
  for (auto& [name, j] : jobs_) {
    if (j.paused || j.removed || j.next == duration::max() || on_axis(j, at) < j.next + j.shift) continue;
    come_due(j, at, j.spec.grace);
  }
}

time_point job_table::next_look(moment at, duration look_at_clock) const {
  auto when = never;
  for (const auto& [name, j] : jobs_) {
    if (j.paused || j.removed || j.next == duration::max()) continue;
    when = std::min(when, saturating_add(at.now, j.next + j.shift - on_axis(j, at)));
    if (j.spec.when.by_wall_clock()) when = std::min(when, saturating_add(at.now, look_at_clock));
  }
  return when;
}

// -- what begins -----------------------------------------------------------------------------------------------------

void job_table::come_due(job& j, moment at, duration grace) {
  const auto now = on_axis(j, at) - j.shift;
  const bool each = j.spec.missed == missed_rule::all;
  const auto dues = j.spec.when.last(j.last, now, each ? j.spec.most_missed : 1);
  if (!dues.empty()) {
    const auto newest = dues.back();
    const bool in_time = now - newest <= grace;
    j.last = newest;
    j.changed = true;
    if (each && !(in_time && dues.size() == 1)) {
      come_due_again(j, dues, at);
    } else if (in_time || j.spec.missed == missed_rule::once) {
      trigger(j, {newest, wall_of(j, newest, at)}, at);
    }
  }
  plan(j);
}

void job_table::come_due_again(job& j, const std::vector<duration>& missed, moment at) {
  for (const auto due : missed) j.queue.push_back({due, wall_of(j, due, at)});
  while (j.queue.size() > std::max(j.spec.queue, j.spec.most_missed)) {
    j.queue.pop_front();
    ++j.skipped;
  }
  begin_next(j, at);
}

void job_table::trigger(job& j, pending p, moment at) {
  j.changed = true;
  if (j.now && j.spec.overlap == overlap_rule::skip) {
    ++j.skipped;
  } else if (j.now && j.spec.overlap == overlap_rule::queue && j.queue.size() >= j.spec.queue) {
    ++j.skipped;
  } else {
    if (j.now && j.spec.overlap == overlap_rule::replace) {
      cancel_run(j, "the next run has replaced it");
      j.skipped += j.queue.size();
      j.queue.clear();
    }
    j.queue.push_back(p);
    begin_next(j, at);
  }
}

void job_table::begin_next(job& j, moment at) {
  if (stopping_ || j.now || j.queue.empty()) return;
  const auto p = j.queue.front();
  j.queue.pop_front();
  j.now.emplace();
  j.now->run.number = ++j.runs;
  j.now->run.due = p.wall;
  j.now->run.started = at.wall;
  j.now->run.by_hand = p.by_hand;
  j.changed = true;
  starts_.push_back({j.spec.name, j.now->run.number, j.spec.limit, j.work});
}

void job_table::started(const job_start& run, canceller cancel) {
  auto* const j = find(run.name);
  if (j == nullptr || !j->now || j->now->run.number != run.number) return;
  if (j->now->stopped) cancel(*j->now->stopped); // in between
  j->now->cancel = std::move(cancel);
}

void job_table::cancel_run(job& j, const char* why) {
  if (!j.now || j.now->stopped) return;
  j.now->stopped = error(errc::cancelled, why);
  if (j.now->cancel) (*j.now->cancel)(*j.now->stopped);
}

// -- what ends -------------------------------------------------------------------------------------------------------

void job_table::remember(job& j, job_run run) {
  if (run.outcome == run_outcome::failed || run.outcome == run_outcome::timed_out) ++j.failures;
  j.history.push_front(std::move(run));
  if (j.history.size() > j.spec.history) j.history.pop_back();
  j.changed = true;
}

void job_table::finish(job& j, run_outcome outcome, std::string why, moment at) {
  auto run = std::move(j.now->run);
  run.ended = at.wall;
  run.outcome = outcome;
  run.error = std::move(why);
  j.now.reset();
  remember(j, std::move(run));
}

bool job_table::ended(const job_end& end, moment at) {
  auto* const j = find(end.name);
  if (j == nullptr || !j->now || j->now->run.number != end.number) return false;
  const auto stopped = j->now->stopped;
  if (end.outcome != run_outcome::cancelled) {
    finish(*j, end.outcome, end.error, at);
  } else if (stopped && !j->now->at_stop) {
    finish(*j, end.outcome, std::string(stopped->message()), at);
  } else { // by stop(), or by the end of the system itself
    finish(*j, run_outcome::interrupted, "the program was stopped while it ran", at);
  }
  if (j->removed) {
    forget(end.name);
  } else {
    begin_next(*j, at);
  }
  return true;
}

void job_table::refuse_starts(const error& why, moment at) {
  for (const auto& run : std::exchange(starts_, {})) {
    auto* const j = find(run.name);
    if (j == nullptr || !j->now || j->now->run.number != run.number) continue;
    finish(*j, run_outcome::failed,
           "it was not begun, as that could not be written down: " + std::string(why.message()), at);
    j->skipped += j->queue.size();
    j->queue.clear();
    if (j->removed) forget(run.name);
  }
}

void job_table::forget(const std::string& name) {
  jobs_.erase(name);
  gone_.push_back(name);
  free_.push_back(name);
}

void job_table::stop() {
  stopping_ = true; // what is queued stays so: on disk it is missed
  for (auto& [name, j] : jobs_) {
    if (!j.now || j.now->stopped) continue;
    cancel_run(j, "the jobs are stopped");
    j.now->at_stop = true;
  }
}

std::size_t job_table::running() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(jobs_.begin(), jobs_.end(), [](const auto& each) { return each.second.now.has_value(); }));
}

// -- orders ----------------------------------------------------------------------------------------------------------

void job_table::add(job_spec spec, std::shared_ptr<detail::job_work> work, moment at) {
  const auto name = spec.name;
  auto& j = jobs_.emplace(name, job{std::move(spec), std::move(work)}).first->second;
  j.begins = at.now;
  j.last = j.spec.when.once() ? long_ago : on_axis(j, at);
  if (auto kept = kept_.extract(name)) {
    restore(j, std::move(kept.mapped()), at);
  } else {
    plan(j);
  }
}

void job_table::restore(job& j, kept_job kept, moment at) {
  j.paused = kept.paused;
  j.runs = kept.runs;
  j.history.assign(kept.found.begin(), kept.found.end());
  const auto last = j.history.empty() ? run_outcome::succeeded : j.history.front().outcome;
  const bool interrupted = last == run_outcome::running || last == run_outcome::interrupted;
  if (last == run_outcome::running) {
    auto& run = j.history.front();
    run.outcome = run_outcome::interrupted;
    run.ended = at.wall;
    run.error = "the program ended while it ran";
  }
  if (kept.when != j.spec.when.text()) return plan(j); // its times are others now
  if (j.spec.when.by_wall_clock()) {
    const auto settled = duration(kept.settled.time_since_epoch());
    const bool wrong = !j.spec.when.once() && settled - on_axis(j, at) >= corrected;
    if (!wrong) j.last = settled;
  } else {
    j.begins -= std::max<duration>(at.wall - kept.settled, duration::zero()); // the grid goes on
  }
  if (j.paused) return plan(j);
  if (interrupted && j.spec.missed != missed_rule::skip) {
    const auto& run = j.history.front();
    const auto since = j.spec.when.by_wall_clock() ? run.due.time_since_epoch() : run.due - at.wall + on_axis(j, at);
    j.queue.push_back({since, run.due, run.by_hand});
  }
  if (j.spec.missed == missed_rule::once && !j.queue.empty()) { // that run stands for all that were missed
    const auto dues = j.spec.when.last(j.last, on_axis(j, at), 1);
    if (!dues.empty()) j.last = dues.back();
    plan(j);
  } else {
    come_due(j, at, nothing_is_in_time);
  }
  begin_next(j, at);
}

result<void> job_table::run_by_hand(job& j, moment at) {
  if (j.now && j.spec.overlap == overlap_rule::skip)
    return error(errc::already_exists,
                 fmt::format("the job '{}' runs already, since {}", j.spec.name, iso_text(j.now->run.started)));
  if (j.now && j.spec.overlap == overlap_rule::queue && j.queue.size() >= j.spec.queue)
    return error(errc::limit, fmt::format("the job '{}' runs already, and {} of {} runs are queued behind it",
                                          j.spec.name, j.queue.size(), j.spec.queue));
  trigger(j, {on_axis(j, at), at.wall, true}, at);
  return {};
}

result<job_info> job_table::order(const std::string& name, detail::job_order what, moment at) {
  auto* const j = find(name);
  if (j == nullptr || j->removed) return error(errc::not_found, fmt::format("there is no job '{}'", name));
  j->changed = true;
  switch (what) {
  case detail::job_order::run_now:
    if (auto run = run_by_hand(*j, at); !run) return run.error();
    break;
  case detail::job_order::pause: j->paused = true; break;
  case detail::job_order::resume:
    if (std::exchange(j->paused, false)) come_due(*j, at, nothing_is_in_time);
    break;
  case detail::job_order::cancel:
  case detail::job_order::remove:
    j->skipped += j->queue.size();
    j->queue.clear();
    cancel_run(*j, "it was cancelled by hand");
  }
  auto shown = info_of(*j, at);
  if (what == detail::job_order::remove) {
    j->removed = true;
    if (!j->now) forget(name);
  }
  return shown;
}

job_table::job* job_table::find(const std::string& name) {
  const auto found = jobs_.find(name);
  return found == jobs_.end() ? nullptr : &found->second;
}

// -- what is shown and kept ------------------------------------------------------------------------------------------

job_info job_table::info_of(const job& j, moment at) {
  job_info shown{.name = j.spec.name, .when = j.spec.when.text(), .paused = j.paused};
  if (!j.paused && j.next != duration::max()) shown.next = wall_of(j, j.next + j.shift, at);
  if (j.now) shown.running = j.now->run;
  shown.queued = j.queue.size();
  shown.runs = j.runs;
  shown.failures = j.failures;
  shown.skipped = j.skipped;
  return shown;
}

result<job_info> job_table::info(const std::string& name, moment at) const {
  const auto found = jobs_.find(name);
  if (found == jobs_.end() || found->second.removed)
    return error(errc::not_found, fmt::format("there is no job '{}'", name));
  auto shown = info_of(found->second, at);
  shown.history.assign(found->second.history.begin(), found->second.history.end());
  return shown;
}

std::vector<job_info> job_table::list(moment at) const {
  std::vector<job_info> all;
  for (const auto& [name, j] : jobs_) {
    if (!j.removed) all.push_back(info_of(j, at));
  }
  return all;
}

duration job_table::settled(const job& j) {
  if (j.queue.empty()) return j.last;
  // What is queued was not dealt with: after a crash it is missed.
  const auto before = j.queue.front().due - 1ns;
  const auto period = j.spec.when.period();
  return period == duration::zero() ? before : j.spec.when.last(before - period, before, 1).front();
}

void job_table::not_written(job_changes changes) {
  gone_.insert(gone_.end(), changes.gone.begin(), changes.gone.end());
  write_all_ = true;
}

job_changes job_table::take_changes(moment at) {
  const bool all = std::exchange(write_all_, false);
  job_changes made{{}, std::exchange(gone_, {})};
  for (auto& [name, j] : jobs_) {
    if (!std::exchange(j.changed, false) && !all) continue;
    kept_job k{name, j.spec.when.text(), j.paused, wall_of(j, settled(j), at), j.runs, j.runs + 1, {}};
    if (j.now) k.found.push_back(j.now->run);
    // At most one run ends between two calls.
    const auto ended = all ? j.history.size() : std::min<std::size_t>(j.history.size(), 1);
    k.found.insert(k.found.end(), j.history.begin(), j.history.begin() + static_cast<std::ptrdiff_t>(ended));
    if (j.now) k.oldest = j.now->run.number;
    if (!j.history.empty()) k.oldest = j.history.back().number;
    made.jobs.push_back(std::move(k));
  }
  return made;
}

} // namespace greenroom::internal
