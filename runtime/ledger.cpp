#include <greenroom/runtime/ledger.hpp>

#include <fmt/format.h>

namespace greenroom {
namespace {

void add_line(std::string& text, const ledger_entry& e, int depth) {
  text += fmt::format("\n{:{}}actor {} '{}', spawned at {}, waits for {} since {} ms", "", 2 * (depth + 1), e.actor.id,
                      e.actor.name, e.actor.spawned_at, e.actor.waits_for, e.actor.waits_since.count());
  if (e.until_deadline) text += ", until a deadline";
  if (e.guards != 0) text += fmt::format("; holds {} lock(s) or permit(s)", e.guards);
}

// A tree of scopes is rarely deeper; what is goes on at this depth.
constexpr int deepest = 32;

void add_children(std::string& text, const ledger& all, std::uint64_t parent, int depth) {
  for (const auto& e : all.actors) {
    if (e.parent != parent) continue;
    add_line(text, e, depth);
    if (depth < deepest) add_children(text, all, e.actor.id, depth + 1);
  }
}

} // namespace

std::string ledger::to_string() const {
  if (empty()) return "nothing is left";
  auto text = fmt::format("{} actor(s), {} timer(s), {} pending request(s)", actors.size(), timers, pending_requests);
  add_children(text, *this, 0, 0);
  return text;
}

} // namespace greenroom
