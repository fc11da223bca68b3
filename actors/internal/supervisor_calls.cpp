// The calls that a supervisor serves.
#include <greenroom/actors/internal/supervisor_actor.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace greenroom::internal {

using namespace detail;

task<> supervisor_actor::serve(supervisor_call call) {
  if (auto* start = std::get_if<request<start_child_call>>(&call)) {
    co_await answer(std::move(*start));
  } else if (auto* terminate = std::get_if<request<terminate_call>>(&call)) {
    co_await answer(std::move(*terminate));
  } else if (auto* restart = std::get_if<request<restart_call>>(&call)) {
    co_await answer(std::move(*restart));
  } else if (auto* remove = std::get_if<request<remove_call>>(&call)) {
    answer(std::move(*remove));
  } else if (auto* list = std::get_if<request<list_call>>(&call)) {
    answer(std::move(*list));
  } else if (auto* count = std::get_if<request<count_call>>(&call)) {
    answer(std::move(*count));
  } else {
    answer(std::move(std::get<request<find_call>>(call)));
  }
}

task<> supervisor_actor::answer(request<start_child_call> r) {
  const auto& spec = r.message.child;
  if (auto ok = check(spec, plan_->how.shuts_down); !ok) {
    r.fail(ok.error());
    co_return;
  }
  if (const auto taken = names_.find(spec.name); taken != names_.end()) {
    r.fail(error(errc::already_exists,
                 fmt::format("supervisor '{}' has a {} already, which {}", plan_->name, describe(*taken->second),
                             runs(*taken->second) ? "runs: terminate and remove it first"
                                                  : "does not run: restart or remove it")));
    co_return;
  }
  const auto at = add(spec);
  const auto started = co_await start(at);
  if (!started) {
    r.fail(
        error(started.error().code(), fmt::format("{} did not start: {}", describe(*at), started.error().message())));
    forget(at);
  } else if (at->state == child_state::declined) {
    r.reply(actor());
    if (at->spec.how.restart == temporary || is(dynamic)) forget(at);
  } else {
    r.reply(at->who);
  }
}

task<> supervisor_actor::answer(request<terminate_call> r) {
  auto at = children_.end();
  if (r.message.who) {
    const auto known = by_actor_.find(r.message.who.cell());
    if (known != by_actor_.end()) at = known->second;
    for (auto pausing = pauses_.begin(); at == children_.end() && pausing != pauses_.end(); ++pausing) {
      if (pausing->second->who == r.message.who) at = pausing->second;
    }
  } else {
    const auto known = named(r.message.name);
    if (!known) {
      r.fail(known.error());
      co_return;
    }
    at = *known;
  }
  if (at == children_.end()) {
    r.fail(error(errc::not_found, fmt::format("supervisor '{}' has no child that is actor {} and runs", plan_->name,
                                              r.message.who.id())));
    co_return;
  }
  co_await stop(at);
  at->spec.start->rest();
  if (at->spec.how.restart == temporary || is(dynamic)) forget(at);
  r.reply();
}

task<> supervisor_actor::answer(request<restart_call> r) {
  const auto known = named(r.message.name);
  if (!known) {
    r.fail(known.error());
    co_return;
  }
  const auto at = *known;
  if (runs(*at)) {
    r.fail(error(errc::already_exists, describe(*at) + " runs"));
    co_return;
  }
  const auto before = at->state;
  const auto due = before == child_state::pausing ? at->pause->first : never;
  const auto started = co_await start(at);
  if (started) {
    ++at->restarts;
    r.reply(runs(*at) ? at->who : actor());
    co_return;
  }
  if (before == child_state::pausing) {
    come_back(at, due); // as was planned
  } else {
    at->state = before;
  }
  r.fail(error(started.error().code(), fmt::format("{} did not start: {}", describe(*at), started.error().message())));
}

void supervisor_actor::answer(request<remove_call> r) {
  const auto known = named(r.message.name);
  if (!known) {
    r.fail(known.error());
  } else if (runs(**known) || (*known)->state == child_state::pausing) {
    r.fail(error(errc::already_exists,
                 describe(**known) + (runs(**known) ? " runs" : " is about to be restarted") + ": terminate it first"));
  } else {
    forget(*known);
    r.reply();
  }
}

void supervisor_actor::answer(request<list_call> r) const {
  std::vector<child_info> all;
  all.reserve(children_.size());
  for (const auto& c : children_) {
    all.push_back({.name = c.spec.name,
                   .state = c.state,
                   .who = c.who,
                   .restart = c.spec.how.restart,
                   .is_supervisor = c.spec.is_supervisor,
                   .restarts = c.restarts,
                   .last_exit = c.last_exit,
                   .last_item = c.last_item,
                   .declared_at = place_of(c)});
  }
  r.reply(std::move(all));
}

void supervisor_actor::answer(request<count_call> r) const {
  child_counts counts;
  counts.children = children_.size();
  counts.running = by_actor_.size();
  counts.pausing = pauses_.size();
  counts.supervisors = static_cast<std::size_t>(
      std::count_if(children_.begin(), children_.end(), [](const child& c) { return c.spec.is_supervisor; }));
  r.reply(counts);
}

void supervisor_actor::answer(request<find_call> r) const {
  const auto known = named(r.message.name);
  if (!known) {
    r.fail(known.error());
    return;
  }
  const auto& c = **known;
  const auto* const below = c.spec.is_supervisor ? static_cast<const nested_start*>(c.spec.start.get()) : nullptr;
  if (below == nullptr) {
    r.fail(error(errc::type_mismatch, describe(c) + " is no supervisor"));
  } else if (!runs(c) && c.state != child_state::pausing) {
    r.fail(error(errc::closed, fmt::format("{} does not run: it has {}", describe(c), greenroom::to_string(c.state))));
  } else {
    r.reply(nested_supervisor{below->calls(), c.who});
  }
}

} // namespace greenroom::internal
