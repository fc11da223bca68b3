#include <greenroom/runtime/deadlock.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace greenroom {
namespace {

constexpr std::size_t most_named = 8;

std::string names_of(const std::vector<std::uint64_t>& ids, const std::vector<deadlocked_actor>& all) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), most_named); ++i) {
    const auto who = std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.id == ids[i]; });
    text += fmt::format("{}{}", i == 0 ? "" : ", ",
                        who == all.end() ? fmt::format("actor {}", ids[i])
                                         : fmt::format("actor {} '{}'", who->id, who->name));
  }
  if (ids.size() > most_named) text += fmt::format(" and {} more", ids.size() - most_named);
  return text;
}

} // namespace

std::string deadlock::to_string() const {
  const auto knot = std::count_if(actors.begin(), actors.end(), [](const auto& a) { return a.in_knot; });
  auto text = knot == 1 ? fmt::format("deadlock: actor {} '{}' waits for what only itself could do", actors.front().id,
                                      actors.front().name)
                        : fmt::format("deadlock: {} actors wait for each other", knot);
  text += until_deadline ? "; a deadline will end it" : "; only a cancellation can end it";
  for (const auto& a : actors) {
    text +=
        fmt::format("\n  {}actor {} '{}', spawned at {}, has waited {} ms {}", a.in_knot ? "" : "behind them: ", a.id,
                    a.name, a.spawned_at, a.waits_since.count(), a.waits_for);
    if (a.until_deadline) text += ", until its deadline";
    if (!a.held_up_by.empty()) text += ": held up by " + names_of(a.held_up_by, actors);
  }
  return text;
}

std::string deadlock_report::to_string() const {
  if (found.empty()) return fmt::format("no deadlock among {} waiting actor(s)", actors);
  std::string text;
  for (const auto& d : found) text += (text.empty() ? "" : "\n") + d.to_string();
  return text;
}

} // namespace greenroom
