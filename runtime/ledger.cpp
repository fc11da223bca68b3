#include <greenroom/runtime/ledger.hpp>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace greenroom {
namespace {

void add_line(std::string& text, const ledger_entry& e, int depth) {
  text += fmt::format("\n{:{}}actor {} '{}', spawned at {}, waits for {} since {} ms", "", 2 * (depth + 1), e.actor.id,
                      e.actor.name, e.actor.spawned_at, e.actor.waits_for, e.actor.waits_since.count());
  if (e.until_deadline) text += ", until a deadline";
  if (e.guards != 0) text += fmt::format("; holds {} lock(s) or permit(s)", e.guards);
}

constexpr int deepest_indent = 32;

} // namespace

std::string ledger::to_string() const {
  if (empty()) return "nothing is left";
  auto text = fmt::format("{} actor(s), {} timer(s), {} pending request(s)", actors.size(), timers, pending_requests);
  std::unordered_multimap<std::uint64_t, std::size_t> children; // by parent
  for (std::size_t i = actors.size(); i-- > 0;) children.emplace(actors[i].parent, i);
  std::vector<std::pair<std::size_t, int>> open; // to be shown, with their depth; the last is next
  const auto open_children = [&](std::uint64_t parent, int depth) {
    const auto [first, end] = children.equal_range(parent);
    for (auto c = first; c != end; ++c) open.emplace_back(c->second, depth);
  };
  open_children(0, 0);
  while (!open.empty()) {
    const auto [i, depth] = open.back();
    open.pop_back();
    add_line(text, actors[i], std::min(depth, deepest_indent));
    open_children(actors[i].actor.id, depth + 1);
  }
  return text;
}

} // namespace greenroom
