#include <greenroom/actors/internal/supervisor_actor.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/detail/file_and_line.hpp>
#include <greenroom/runtime/detail/reason_of.hpp>
#include <greenroom/runtime/detail/type_name.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::internal {
namespace {

constexpr duration usual_grace = std::chrono::seconds(5);
// How long a killed child may go on computing before it is left behind: running code cannot be stopped, and must not hold the rest.
constexpr duration kill_limit = std::chrono::seconds(1);

// Shorter than the usual period, so that a child which is never ready ends the supervisor.
constexpr duration usual_start_limit = std::chrono::seconds(4);

/// Ends a supervisor, with this sentence as its exit reason.
[[noreturn]] void fail(std::string sentence) { throw bad_result(error(errc::failed, std::move(sentence))); }

duration grace_of(const detail::child_spec& child) noexcept {
  return child.how.grace.value_or(child.is_supervisor ? duration::max() : usual_grace);
}
duration start_limit_of(const detail::child_spec& child) noexcept {
  return child.how.start_limit.value_or(child.is_supervisor ? duration::max() : usual_start_limit);
}

double milliseconds(duration d) noexcept { return std::chrono::duration<double, std::milli>(d).count(); }

std::uint64_t seed() noexcept {
  return (std::uint64_t{detail::random_below(UINT32_MAX)} << 32) + detail::random_below(UINT32_MAX);
}

} // namespace

task<> run_supervisor(std::shared_ptr<const detail::supervisor_plan> plan, mailbox<detail::supervisor_call> calls,
                      std::shared_ptr<detail::family> orphans) {
  const auto open = calls.address(); // without handles it goes on, too
  supervisor_actor here(std::move(plan), std::move(calls), std::move(orphans));
  co_await here.run();
}

supervisor_actor::supervisor_actor(std::shared_ptr<const detail::supervisor_plan> plan,
                                   mailbox<detail::supervisor_call> calls, std::shared_ptr<detail::family> orphans)
    : plan_(std::move(plan)),
      calls_(std::move(calls)),
      orphans_(std::move(orphans)),
      system_(this_actor::system()),
      base_(this_actor::context().without_cancel()),
      random_(seed()),
      window_(plan_->how.intensity) {}

supervisor_actor::~supervisor_actor() {
  for (const auto& c : children_) {
    if (!c.who || c.who.finished()) continue;
    c.who.kill();
    if (orphans_ != nullptr) orphans_->add(c.who);
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
    // One that gave up its ports has ended for good, before this supervisor was started anew.
    if (spec.start->gave_up() && spec.how.restart == temporary) continue;
    const auto at = add(spec);
    if (spec.start->gave_up()) continue;
    const auto started = co_await start(at);
    if (!started) {
      fail(fmt::format("supervisor '{}': {} did not start: {}", plan_->name, describe(*at), started.error().message()));
    }
    if (at->state == child_state::declined && spec.how.restart == temporary) forget(at);
  }
}

/// Makes the actor; it may run already when this returns.
result<void> supervisor_actor::launch(child& c, const address<nothing>& ready) {
  auto& start = *c.spec.start;
  const bool has_inputs = start.work != nullptr && !start.work->inputs().empty();
  if (c.spec.how.queue == queue_fate::dead_letter && has_inputs && !start.gave_up() && !letters_of(start)) {
    return error(errc::invalid_argument,
                 "its items may become dead letters, but nobody takes these: give the supervisor's "
                 "spec an address for them, with dead_letters()");
  }
  try {
    if (start.was_started && c.spec.how.queue == queue_fate::drop) {
      const auto dropped = start.drop_queued();
      if (dropped != 0)
        system_.log().warn("{} is restarted, and {} queued message(s) of it are dropped", describe(c), dropped);
    }
    const auto ctx = base_.with_value(start_signal{ready});
    const auto* const name = detail::intern_name(system_.core(), c.spec.name);
    c.who = detail::launch({.core = system_.core(),
                            .made = start.begin(),
                            .site = start.where,
                            .ctx = &ctx.node(),
                            .name = name,
                            .first = greenroom::detail::launch_request::turn::last,
                            .follows_trace = false});
    start.was_started = true;
    note(c, detail::child_phase::up);
    return {};
  } catch (...) {
    return detail::reason_of(std::current_exception()).why();
  }
}

task<result<void>> supervisor_actor::start(place at) {
  auto& c = *at;
  leave_pause(c);
  c.ready.reset();
  co_await await_orphans(at);
  // Of a start that did not come up, or of children whose supervisor was killed.
  settle_and_log(c, "had ended");
  const bool tells = c.spec.how.reports_ready || c.spec.is_supervisor;
  const mailbox<nothing> ready(bounded(1, overflow::drop_newest));
  // Kept: only the child's end ends the wait, not that of its address.
  const auto signal = tells ? ready.address() : address<nothing>();
  if (auto made = launch(c, signal); !made) co_return made.error();
  if (tells) {
    const auto limit = start_limit_of(c.spec);
    auto first = co_await select(ready.receive(), c.who.join(), greenroom::at(detail::deadline_in(limit)));
    // What it said before it ended counts, and before its time was over.
    const bool said_so = first.index() == 0 || ready.try_receive().has_value();
    if (!said_so && first.index() == 2) {
      c.who.kill();
      co_await await_end(at, detail::deadline_in(kill_limit));
      settle_and_log(c, "was not ready in time, and was killed");
      co_return error(errc::timed_out, fmt::format("it was not ready within {} ms", milliseconds(limit)));
    }
    if (!said_so) {
      c.last_exit = first.get<1>();
      settle_and_log(c, "ended before it was ready");
      if (!c.last_exit->normal()) co_return error(c.last_exit->why().code(), c.last_exit->to_string());
      c.state = child_state::declined;
      note(c, detail::child_phase::ended);
      c.spec.start->rest();
      co_return result<void>();
    }
  }
  c.state = child_state::running;
  c.ready = system_.now();
  by_actor_.emplace(c.who.cell(), at);
  ends_.add(c.who);
  co_return result<void>();
}

/// Cancels or kills a child; false if it has ended already.
bool supervisor_actor::ask_to_end(child& c) const {
  if (!c.who || c.who.finished()) return false;
  if (grace_of(c.spec) == duration::zero()) {
    c.who.kill();
  } else {
    c.who.cancel(error(errc::stopped, fmt::format("supervisor '{}' stops it", plan_->name)));
  }
  return true;
}

namespace {

/// Sends a copy of an item to the dead letters; false if it did not go.
bool send_letter(const address<dead_letter>& to, const detail::left_item& left, dead_letter letter) {
  try {
    letter.item = left.kind->to_any(left.copy.get());
    const detail::works_for trace(left.trace);
    return to.try_send(std::move(letter)).has_value();
  } catch (...) { // its copy constructor
    return false;
  }
}

} // namespace

/// Tells what a child that has ended had in hand, and sends it to the dead letters if it does not come again. Returns ", with ... in hand", or "".
std::string supervisor_actor::settle(child& c) const {
  if (c.spec.start->work == nullptr) return {};
  std::string all;
  const auto& how = c.spec.how;
  const auto& letters = letters_of(*c.spec.start);
  for (const auto& [input, left] : c.spec.start->work->take_left()) {
    const auto type = left.kind == nullptr ? std::string("an item") : detail::type_name(left.kind->type);
    const auto content = left.copy.text();
    all += fmt::format(", with item {} of input {} in hand ({}{}{}", left.number, input, type,
                       content.empty() ? "" : ": ", content);
    const bool may_be_letter = how.queue == queue_fate::dead_letter || how.queue == queue_fate::keep;
    const bool is_letter = !left.comes_again && left.copy && letters && may_be_letter;
    if (left.comes_again) {
      all += fmt::format(", which is queued again, for delivery {} of {})", left.deliveries + 1, how.deliveries);
    } else if (is_letter &&
               send_letter(letters, left,
                           {{}, type, content, c.spec.name, left.deliveries, c.last_exit.value_or(exit_reason())})) {
      all += ", which is a dead letter now)";
    } else {
      all += is_letter ? ", which is lost, as nobody had room for one more dead letter)" : ", which is lost)";
    }
  }
  if (!all.empty()) c.last_item = all.substr(std::string_view(", with ").size());
  return all;
}

/// The same with a line in the log.
void supervisor_actor::settle_and_log(child& c, const char* what) const {
  if (const auto in_hand = settle(c); !in_hand.empty()) system_.log().warn("{} {}{}", describe(c), what, in_hand);
}

/// Waits for the end of a child that was killed.
task<> supervisor_actor::await_end(place at, time_point deadline) {
  auto& c = *at;
  auto ended = co_await select(c.who.join(), greenroom::at(deadline));
  if (ended.index() == 0) {
    c.last_exit = ended.get<0>();
  } else {
    system_.log().error("{} does not come to a wait, where its kill would end it: it computes, or serves a blocking "
                        "call; it is left behind",
                        describe(c));
  }
}

/// Waits for what a supervisor that was killed has killed in turn: no child may run beside its successor.
task<> supervisor_actor::await_orphans(place at) {
  for (auto left = at->spec.start->take_orphans(); !left.empty(); left = at->spec.start->take_orphans()) {
    const auto deadline = detail::deadline_in(kill_limit);
    for (const auto& orphan : left) (void)co_await select(orphan.join(), greenroom::at(deadline));
  }
}

/// Ends a child, and waits for that.
task<> supervisor_actor::stop(place at) {
  auto& c = *at;
  leave_pause(c);
  if (ask_to_end(c)) {
    const auto grace = grace_of(c.spec);
    auto ended = co_await select(c.who.join(), greenroom::at(detail::deadline_in(grace)));
    if (ended.index() == 1) {
      if (grace != duration::zero()) system_.log().warn("{} did not end in time and is killed", describe(c));
      c.who.kill();
    }
  }
  if (c.who) {
    co_await await_end(at, detail::deadline_in(kill_limit));
    co_await await_orphans(at);
    (void)ends_.remove(c.who);
    by_actor_.erase(c.who.cell());
    settle_and_log(c, "was stopped");
  }
  c.state = child_state::terminated;
  note(c, detail::child_phase::ended);
}

task<> supervisor_actor::stop_all() {
  if (is(dynamic)) co_await stop_at_once();
  for (auto at = children_.end(); at != children_.begin();) {
    --at;
    co_await stop(at);
    at->spec.start->rest();
  }
}

/// Ends all children together, however many are stuck: each has its grace, counted from now.
task<> supervisor_actor::stop_at_once() {
  const auto begun = system_.now();
  for (auto& c : children_) ask_to_end(c);
  for (auto& c : children_) {
    if (c.who) (void)co_await select(c.who.join(), greenroom::at(saturating_add(begun, grace_of(c.spec))));
  }
  std::size_t killed = 0;
  for (auto& c : children_) {
    if (!c.who || c.who.finished()) continue;
    c.who.kill();
    ++killed;
  }
  if (killed != 0) system_.log().warn("{} children did not end in time and are killed", killed);
  const auto deadline = detail::deadline_in(kill_limit);
  for (auto at = children_.begin(); at != children_.end(); ++at) {
    if (!at->who) continue;
    co_await await_end(at, deadline);
    settle_and_log(*at, "was stopped");
    if (!at->who.finished()) at->who = {}; // not to be waited for once more
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
      auto& call = event.get<1>();
      if (call) co_await serve(std::move(*call));
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
  const auto in_hand = settle(*at);
  if (!calls_for_restart(at->spec.how.restart, *at->last_exit) || at->spec.start->has_nothing_to_do()) {
    if (!in_hand.empty()) system_.log().warn("{} has ended: {}{}", describe(*at), at->last_exit->to_string(), in_hand);
    co_return ends_with(at);
  }
  co_await restart_later(at, at->last_exit->to_string() + in_hand);
  co_return false;
}

/// Lets a child that has ended go; true if the supervisor ends with it.
bool supervisor_actor::ends_with(place at) {
  at->state = child_state::ended;
  const bool failed = at->last_exit->kind() == exit_kind::failed || at->last_exit->kind() == exit_kind::killed;
  note(*at, failed ? detail::child_phase::failed : detail::child_phase::ended);
  if (failed) note_failure(*at, at->last_exit->to_string());
  at->spec.start->give_up();
  system_.log().debug("{} has ended: {}", describe(*at), at->last_exit->to_string());
  const bool significant = at->spec.how.significant;
  if (at->spec.how.restart == temporary || is(dynamic)) forget(at);
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
  note_failure(*at, why);
  if (!window_.admit(now)) {
    at->state = child_state::ended;
    note(*at, detail::child_phase::failed);
    fail(fmt::format("supervisor '{}' gives up: more than {} restart(s) within {} ms; the last was due as {} {}",
                     plan_->name, limit.restarts, milliseconds(limit.period), describe(*at), why));
  }
  const auto ran = at->ready ? now - *at->ready : duration();
  const auto pause = at->pauses.next(at->spec.how.backoff, ran, random_);
  system_.log().warn("{} {}; it is restarted in {} ms, restart {} of {} within {} ms", describe(*at), why,
                     milliseconds(pause), window_.size(), limit.restarts, milliseconds(limit.period));
  const auto when = saturating_add(now, pause);
  come_back(at, when);
  if (!is_group()) co_return;
  std::vector<place> others; // the last first; a list of them, as temporary ones are forgotten on the way
  const auto first = is(one_for_all) ? children_.begin() : std::next(at);
  for (auto next = children_.end(); next != first;) {
    --next;
    if (next != at && (runs(*next) || next->state == child_state::pausing)) others.push_back(next);
  }
  for (const auto other : others) {
    co_await stop(other);
    if (other->spec.how.restart == temporary) {
      forget(other);
    } else {
      come_back(other, when);
    }
  }
}

/// Starts those whose pause is over: all of a group, that began it together, or else one, so that calls come in between.
task<> supervisor_actor::restart_due() {
  const auto now = system_.now();
  std::vector<place> due;
  for (auto at = children_.begin(); is_group() && at != children_.end(); ++at) {
    if (at->state == child_state::pausing && at->pause->first <= now) due.push_back(at);
  }
  if (!is_group() && !pauses_.empty() && pauses_.begin()->first <= now) due.push_back(pauses_.begin()->second);
  for (const auto at : due) {
    ++at->restarts;
    const auto started = co_await start(at);
    if (started) continue;
    co_await restart_later(at, fmt::format("did not start: {}", started.error().message()));
    co_return; // in a group those that had started are stopped again, and wait for the next round
  }
}

void supervisor_actor::come_back(place at, time_point when) {
  leave_pause(*at);
  at->pause = pauses_.emplace(when, at);
  at->state = child_state::pausing;
  note(*at, detail::child_phase::pausing);
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
  at->spec.start->give_up(); // it may still stand in the spec
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

void supervisor_actor::note(const child& c, detail::child_phase phase) {
  if (const auto& work = c.spec.start->work) work->note(phase, c.who);
}
void supervisor_actor::note_failure(const child& c, const std::string& why) {
  if (const auto& work = c.spec.start->work) work->note_failure(why);
}

std::string supervisor_actor::place_of(const child& c) const {
  return c.spec.declared_at.empty() ? detail::file_and_line(c.spec.start->where) : c.spec.declared_at;
}

std::string supervisor_actor::describe(const child& c) const {
  const auto where = place_of(c);
  return c.who ? fmt::format("child '{}' (actor {}, declared at {})", c.spec.name, c.who.id(), where)
               : fmt::format("child '{}' (declared at {})", c.spec.name, where);
}

} // namespace greenroom::internal
