#include <greenroom/runtime/internal/deadlock_search.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/runtime/internal/wait_graph.hpp>
#include <greenroom/runtime/internal/wait_snapshot.hpp>

namespace greenroom::internal {
namespace {

using detail::wait_kind;

std::string describe_mailbox(const wait_snapshot& snapshot, const void* place) {
  const auto capacity = snapshot.mailboxes().at(place).capacity;
  return capacity == UINT32_MAX ? "an unbounded mailbox" : fmt::format("a mailbox of capacity {}", capacity);
}

std::string describe(const wait_snapshot& snapshot, const seen_case& c) {
  switch (c.kind) {
  case wait_kind::receive: return "to receive from " + describe_mailbox(snapshot, c.place);
  case wait_kind::send: return "to send to " + describe_mailbox(snapshot, c.place);
  case wait_kind::lock: return "for a lock";
  case wait_kind::semaphore: return "for permits of a semaphore";
  case wait_kind::join: return "for the end of an actor";
  case wait_kind::scope: return "for the children of its scope";
  case wait_kind::reply: return "for the reply to a request";
  case wait_kind::turn: return "for its turn";
  default: return "for something";
  }
}

std::string describe(const wait_snapshot& snapshot, const seen_actor& a) {
  std::string text;
  if (a.cases.empty()) return "in a select without a case that can win";
  for (const auto& c : a.cases) text += (text.empty() ? "" : ", or ") + describe(snapshot, c);
  return text;
}

/// Reports one kind of deadlock: those without any way out, or those that deadlines will end.
class search {
public:
  search(const wait_snapshot& snapshot, std::uint32_t now) : snapshot_(snapshot), now_(now) {}

  void run(bool with_deadlines, deadlock_report& report) {
    wait_graph graph(snapshot_, with_deadlines);
    graph.drop_what_has_changed();
    for (auto& group : graph.groups()) {
      deadlock d;
      for (const auto& member : group) add(d, member);
      // A knot without deadlines has been found by the other search. One actor that waits for itself until a limit does no harm.
      if (with_deadlines && (!d.until_deadline || count_knot(d) < 2)) continue;
      report.found.push_back(std::move(d));
    }
  }

private:
  static std::ptrdiff_t count_knot(const deadlock& d) {
    return std::count_if(d.actors.begin(), d.actors.end(), [](const auto& a) { return a.in_knot; });
  }

  void add(deadlock& d, const wait_graph::member& member) {
    const auto& a = snapshot_.actors()[member.actor];
    auto shown = a.cell->home->describe(*a.cell);
    deadlocked_actor who;
    who.id = shown.id;
    who.name = std::move(shown.name);
    who.spawned_at = std::move(shown.spawned_at);
    who.waits_for = describe(snapshot_, a);
    who.waits_since = std::chrono::milliseconds(now_ - std::min(now_, a.since));
    who.wait = a.wait;
    who.until_deadline = a.timed;
    who.in_knot = member.in_knot;
    for (const auto other : member.held_up_by) who.held_up_by.push_back(snapshot_.actors()[other].cell->id);
    d.until_deadline = d.until_deadline || (a.timed && member.in_knot);
    d.actors.push_back(std::move(who));
  }

  const wait_snapshot& snapshot_;
  const std::uint32_t now_;
};

} // namespace

deadlock_report find_deadlocks(detail::runtime_core& core, std::chrono::milliseconds least_age) {
  const wait_snapshot snapshot(core, least_age);
  deadlock_report report;
  report.actors = snapshot.actors().size();
  search s(snapshot, core.milliseconds(core.env.time->now()));
  s.run(false, report);
  s.run(true, report);
  return report;
}

} // namespace greenroom::internal
