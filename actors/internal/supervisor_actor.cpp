#include <greenroom/actors/internal/supervisor_actor.hpp>

#include <stdexcept>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::internal {
namespace {

constexpr duration usual_limit = std::chrono::seconds(5);
// How long a killed child may go on computing before it is left behind: running code cannot be stopped, and must not hold the rest.
constexpr duration kill_limit = std::chrono::seconds(1);

/// Ends a supervisor.
struct supervision_failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

duration limit_of(const std::optional<duration>& given, bool is_supervisor) noexcept {
  return given.value_or(is_supervisor ? duration::max() : usual_limit);
}

double milliseconds(duration d) noexcept { return std::chrono::duration<double, std::milli>(d).count(); }

std::uint64_t seed() noexcept {
  return (std::uint64_t{detail::random_below(UINT32_MAX)} << 32) + detail::random_below(UINT32_MAX);
}

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is not derived from std::exception";
  }
}

} // namespace

task<> run_supervisor(std::shared_ptr<const detail::supervisor_plan> plan, mailbox<detail::supervisor_call> calls,
                      address<detail::supervisor_call> self) {
  (void)self; // keeps the calls open
  supervisor_actor here(std::move(plan), std::move(calls));
  co_await here.run();
}

supervisor_actor::supervisor_actor(std::shared_ptr<const detail::supervisor_plan> plan,
                                   mailbox<detail::supervisor_call> calls)
    : plan_(std::move(plan)),
      calls_(std::move(calls)),
      system_(this_actor::system()),
      base_(this_actor::context().without_cancel()),
      random_(seed()),
      window_(plan_->how.intensity) {}

supervisor_actor::~supervisor_actor() {
  for (const auto& c : children_) {
    if (c.who && !c.who.finished()) c.who.kill();
  }
}

task<> supervisor_actor::run() {
  std::exception_ptr why;
  try {
    co_await start_all();
    this_child::ready();
    co_await watch();
  } catch (...) {
    why = std::current_exception();
  }
  {
    const detail::cancel_mask in_order; // each child has a limit of its own
    co_await stop_all();
  }
  if (why) std::rethrow_exception(why);
}

// -- starting and stopping --------------------------------------------------------------------------

task<> supervisor_actor::start_all() {
  for (const auto& spec : plan_->children) {
    const auto at = add(spec);
    if (spec.start->gave_up()) continue; // ended for good, before this supervisor was started anew
    const auto started = co_await start(at);
    if (!started) {
      throw supervision_failed(
          fmt::format("supervisor '{}': {} did not start: {}", plan_->name, describe(*at), started.error().message()));
    }
    if (at->state == child_state::declined && spec.how.restart == temporary) forget(at);
  }
}

/// Makes the actor; it may run already when this returns.
result<void> supervisor_actor::launch(child& c, const address<nothing>& ready) {
  try {
    const auto ctx = base_.with_value(start_signal{ready});
    auto made = c.spec.start->begin();
    c.started = system_.now();
    spawn_options how{.made_name = c.spec.name, .ctx = ctx};
    c.who = detail::launch({system_.core(), made, &how, c.spec.start->where});
    return {};
  } catch (...) {
    return error(errc::failed, text_of(std::current_exception()));
  }
}

task<result<void>> supervisor_actor::start(place at) {
  auto& c = *at;
  leave_pause(c);
  const bool tells = c.spec.how.reports_ready || c.spec.is_supervisor;
  const mailbox<nothing> ready(bounded(1, overflow::drop_newest));
  const auto signal =
      tells ? ready.address() : address<nothing>(); // kept: only the child's end ends the wait, not its address's
  if (auto made = launch(c, signal); !made) {
    c.state = child_state::ended;
    co_return made.error();
  }
  if (tells) {
    const auto limit = limit_of(c.spec.how.start_limit, c.spec.is_supervisor);
    auto first = co_await select(ready.receive(), c.who.join(), greenroom::at(detail::deadline_in(limit)));
    if (first.index() != 0) {
      c.state = child_state::ended;
      if (first.index() == 2) {
        c.who.kill();
        co_await await_end(at, detail::deadline_in(kill_limit));
        co_return error(errc::timed_out, fmt::format("it was not ready within {} ms", milliseconds(limit)));
      }
      c.last_exit = first.get<1>();
      if (!c.last_exit->normal()) co_return error(c.last_exit->why().code(), c.last_exit->to_string());
      c.state = child_state::declined;
      co_return result<void>();
    }
  }
  c.state = child_state::running;
  by_actor_.emplace(c.who.cell(), at);
  ends_.add(c.who);
  co_return result<void>();
}

void supervisor_actor::ask_to_end(child& c) const {
  if (limit_of(c.spec.how.grace, c.spec.is_supervisor) == duration::zero()) {
    c.who.kill();
  } else {
    c.who.cancel(error(errc::stopped, fmt::format("supervisor '{}' stops it", plan_->name)));
  }
}

/// Waits for the end of a child that was asked to, and kills it at the deadline.
task<> supervisor_actor::await_end(place at, time_point deadline) {
  auto& c = *at;
  auto ended = co_await select(c.who.join(), greenroom::at(deadline));
  if (ended.index() == 1) {
    system_.log().warn("{} did not end in time and is killed", describe(c));
    c.who.kill();
    auto killed = co_await select(c.who.join(), after(kill_limit));
    if (killed.index() == 1) {
      system_.log().error("{} computes without waiting, so that not even a kill ends it; it is left behind",
                          describe(c));
      co_return;
    }
  }
  c.last_exit = co_await c.who.join();
}

/// Stops a child that was asked to end at `asked`, or is asked now.
task<> supervisor_actor::stop(place at, time_point asked) {
  auto& c = *at;
  leave_pause(c);
  if (c.who && !c.who.finished()) {
    ask_to_end(c);
    co_await await_end(at, saturating_add(asked, limit_of(c.spec.how.grace, c.spec.is_supervisor)));
  }
  if (c.who) {
    (void)ends_.remove(c.who);
    by_actor_.erase(c.who.cell());
  }
  c.state = child_state::terminated;
}

task<> supervisor_actor::stop_all() {
  const auto begun = system_.now();
  if (is(dynamic)) { // no order: all at once
    for (auto& c : children_) {
      if (c.who && !c.who.finished()) ask_to_end(c);
    }
  }
  for (auto at = children_.end(); at != children_.begin();) {
    --at;
    co_await stop(at, is(dynamic) ? begun : system_.now());
  }
}

// -- restarts -----------------------------------------------------------------------------------------

task<> supervisor_actor::watch() {
  for (;;) {
    const auto due = pauses_.empty() ? never : pauses_.begin()->first;
    auto event = co_await select(ends_.next(), calls_.receive(), greenroom::at(due));
    if (event.index() == 0) {
      const bool done = co_await on_end(std::move(event.get<0>()));
      if (done) co_return;
    } else if (event.index() == 1) {
      co_await serve(std::move(*event.get<1>()));
    } else {
      co_await restart_due();
    }
  }
}

task<bool> supervisor_actor::on_end(down notice) {
  const auto known = by_actor_.find(notice.who.cell());
  if (known == by_actor_.end()) co_return false;
  const auto at = known->second;
  by_actor_.erase(known);
  at->last_exit = std::move(notice.why);
  if (!calls_for_restart(at->spec.how.restart, *at->last_exit) || at->spec.start->has_nothing_to_do()) {
    co_return ends_with(at);
  }
  co_await restart_later(at, at->last_exit->to_string());
  co_return false;
}

/// Lets a child that has ended go; true if the supervisor ends with it.
bool supervisor_actor::ends_with(place at) {
  at->state = child_state::ended;
  at->spec.start->give_up_ports();
  system_.log().debug("{} has ended: {}", describe(*at), at->last_exit->to_string());
  const bool significant = at->spec.how.significant;
  if (at->spec.how.restart == temporary) forget(at);
  if (!significant) return false;
  if (plan_->how.shuts_down == auto_shutdown::any_significant) return true;
  for (const auto& c : children_) {
    if (c.spec.how.significant && (runs(c) || c.state == child_state::pausing)) return false;
  }
  return true;
}

/// Plans the next start of a child, after stopping those that are to be started anew with it.
/// Errors: throws if that is one restart too many.
task<> supervisor_actor::restart_later(place at, std::string why) {
  const auto now = system_.now();
  const auto& limit = plan_->how.intensity;
  if (!window_.admit(now)) {
    at->state = child_state::ended;
    throw supervision_failed(
        fmt::format("supervisor '{}' gives up: more than {} restart(s) within {} ms; the last was due as {} {}",
                    plan_->name, limit.restarts, milliseconds(limit.period), describe(*at), why));
  }
  const auto pause = at->pauses.next(at->spec.how.backoff, at->started, now, random_);
  system_.log().warn("{} {}; it is restarted in {} ms, restart {} of {} within {} ms", describe(*at), why,
                     milliseconds(pause), window_.size(), limit.restarts, milliseconds(limit.period));
  const auto when = saturating_add(now, pause);
  come_back(at, when);
  if (!is_group()) co_return;
  const auto first = is(one_for_all) ? children_.begin() : std::next(at);
  for (auto next = children_.end(); next != first;) {
    const auto other = std::prev(next);
    next = other;
    if (other == at || (!runs(*other) && other->state != child_state::pausing)) continue;
    co_await stop(other, system_.now());
    if (other->spec.how.restart == temporary) {
      next = std::next(other);
      forget(other);
    } else {
      come_back(other, when);
    }
  }
}

/// Starts those whose pause is over: in a group all that pause, since they began their pause together.
task<> supervisor_actor::restart_due() {
  std::vector<place> due;
  if (is_group()) {
    for (auto at = children_.begin(); at != children_.end(); ++at) {
      if (at->state == child_state::pausing) due.push_back(at);
    }
  } else {
    const auto now = system_.now();
    for (auto& [when, at] : pauses_) {
      if (when > now) break;
      due.push_back(at);
    }
  }
  for (const auto at : due) {
    ++at->restarts;
    const auto started = co_await start(at);
    if (started) continue;
    co_await restart_later(at, fmt::format("did not start: {}", started.error().message()));
    if (is_group()) co_return; // those that had started are stopped again, and wait for the next round
  }
}

void supervisor_actor::come_back(place at, time_point when) {
  leave_pause(*at);
  if (at->spec.how.queue == queue_fate::drop) {
    const auto dropped = at->spec.start->drop_queued();
    if (dropped != 0)
      system_.log().warn("{} is restarted, and {} queued message(s) of it are dropped", describe(*at), dropped);
  }
  at->pause = pauses_.emplace(when, at);
  at->state = child_state::pausing;
}

void supervisor_actor::leave_pause(child& c) noexcept {
  if (c.state != child_state::pausing) return;
  pauses_.erase(c.pause);
  c.state = child_state::ended;
}

// -- children -----------------------------------------------------------------------------------------

supervisor_actor::place supervisor_actor::add(const detail::child_spec& spec) {
  children_.push_back({.spec = spec});
  const auto at = std::prev(children_.end());
  if (!is(dynamic)) names_.emplace(at->spec.name, at);
  return at;
}

void supervisor_actor::forget(place at) noexcept {
  leave_pause(*at);
  if (!is(dynamic)) names_.erase(at->spec.name);
  children_.erase(at);
}

result<supervisor_actor::place> supervisor_actor::named(const std::string& name) const {
  const auto at = names_.find(name);
  if (at != names_.end()) return at->second;
  return error(errc::not_found,
               is(dynamic) ? fmt::format("supervisor '{}' is dynamic: its children go by their actors, not by names",
                                         plan_->name)
                           : fmt::format("supervisor '{}' has no child '{}'", plan_->name, name));
}

std::string supervisor_actor::describe(const child& c) const {
  const std::string_view file(c.spec.start->where.file_name());
  const auto where = fmt::format("{}:{}", file.substr(file.rfind('/') + 1), c.spec.start->where.line());
  return c.who ? fmt::format("child '{}' (actor {}, declared at {})", c.spec.name, c.who.id(), where)
               : fmt::format("child '{}' (declared at {})", c.spec.name, where);
}

} // namespace greenroom::internal
