#include <greenroom/actors/internal/graph_states.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/detail/wait_record.hpp>

namespace greenroom::internal {
namespace {

using detail::child_phase;
using detail::wait_kind;

/// Says what a wait is for that is neither a receive nor a send.
const char* words_for(wait_kind kind) noexcept {
  switch (kind) {
  case wait_kind::sleep: return "sleeping";
  case wait_kind::lock: return "waiting for a lock";
  case wait_kind::condition: return "waiting for a condition";
  case wait_kind::wait_group:
  case wait_kind::scope:
  case wait_kind::join: return "waiting for others to end";
  case wait_kind::semaphore: return "waiting for a permit";
  case wait_kind::reply:
  case wait_kind::outside: return "waiting for an answer";
  case wait_kind::blocking: return "in a blocking call";
  case wait_kind::io: return "waiting for a connection";
  case wait_kind::turn: return "waiting for its turn";
  case wait_kind::context: return "waiting for its cancellation";
  case wait_kind::receive: return "waiting for a message of its own";
  case wait_kind::send: return "blocked sending";
  default: return "waiting";
  }
}

struct doing {
  node_state state;
  std::string words;
};

/// Finds the words for a wait; of several cases, those for the edge of the graph among them.
doing words_of(const detail::wait_record& wait, std::size_t node, const input_owners& owners,
               std::span<const node_look> nodes) {
  const auto owner = [&](const void* place) {
    const auto found = owners.find(place);
    return found == owners.end() ? nodes.size() : found->second;
  };
  for (const auto& one : wait.cases()) {
    if (one.kind != wait_kind::send) continue;
    const auto to = owner(one.place);
    return {node_state::blocked, to == nodes.size() ? std::string("blocked sending to a mailbox of its own")
                                                    : fmt::format("blocked sending to '{}'", nodes[to].name)};
  }
  for (const auto& one : wait.cases()) {
    if (one.kind == wait_kind::receive && owner(one.place) == node) return {node_state::idle, "waiting for input"};
  }
  if (wait.cases().size() == 1) return {node_state::waiting, words_for(wait.cases().front().kind)};
  return {node_state::waiting, "waiting for one of several events"};
}

} // namespace

actor_look look_at_replica(const detail::child_work& work, std::size_t node, const input_owners& owners,
                           std::span<const node_look> nodes, bool over) {
  const auto noted = work.noted();
  const std::uint64_t starts = work.starts;
  actor_look look{.id = noted.who ? noted.who.id() : 0,
                  .restarts = starts > 1 ? starts - 1 : 0,
                  .last_failure = noted.last_failure};
  const auto is = [&look](node_state state, std::string words) {
    look.state = state;
    look.doing = std::move(words);
  };
  if (noted.phase == child_phase::failed) {
    is(node_state::failed, "failed");
  } else if (noted.phase == child_phase::ended || over) {
    is(node_state::ended, "ended");
  } else if (noted.phase == child_phase::pausing || (noted.who && noted.who.finished())) {
    is(node_state::restarting, "about to be restarted");
  } else if (noted.phase == child_phase::not_started) {
    is(node_state::running, "about to start");
  } else if (const auto wait = detail::read_wait(*noted.who.cell()); wait.waits()) {
    auto [state, words] = words_of(wait, node, owners, nodes);
    is(state, std::move(words));
    look.since = wait.lasted;
  } else {
    is(node_state::running, "running");
  }
  return look;
}

} // namespace greenroom::internal
