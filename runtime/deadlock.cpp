#include <greenroom/runtime/deadlock.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

namespace greenroom {
namespace {

constexpr std::size_t most_named = 8;
constexpr std::size_t most_lines = 20;

using names = std::unordered_map<std::uint64_t, std::string_view>;

std::string list(const std::vector<std::uint64_t>& ids, const names& all) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), most_named); ++i) {
    const auto who = all.find(ids[i]);
    text += fmt::format("{}actor {}{}", i == 0 ? "" : ", ", ids[i],
                        who == all.end() ? std::string() : fmt::format(" '{}'", who->second));
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
  names all;
  for (const auto& a : actors) all.emplace(a.id, a.name);
  for (std::size_t i = 0; i < actors.size(); ++i) {
    if (i == most_lines) return text + fmt::format("\n  and {} more", actors.size() - most_lines);
    const auto& a = actors[i];
    text +=
        fmt::format("\n  {}actor {} '{}', spawned at {}, has waited {} ms {}", a.in_knot ? "" : "behind them: ", a.id,
                    a.name, a.spawned_at, a.waits_since.count(), a.waits_for);
    if (a.until_deadline) text += ", until its deadline";
    if (!a.held_up_by.empty()) text += ": held up by " + list(a.held_up_by, all);
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
