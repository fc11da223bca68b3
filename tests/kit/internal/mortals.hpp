// mortals: the actors of a run that the faults may kill, by their names.
// Thread safety: any thread. Lifetime: holds handles; these may outlive the system.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/testkit/internal/fault_source.hpp>

namespace greenroom::testkit::internal {

class mortals {
public:
  explicit mortals(std::vector<std::string> names) : names_(std::move(names)) {}

  /// Notes an actor that becomes ready; the first time counts.
  void meet(greenroom::detail::actor_cell& cell) {
    if (names_.empty() || std::find(names_.begin(), names_.end(), cell.name) == names_.end()) return;
    std::lock_guard guard(mutex_);
    const auto [it, is_new] = alive_.try_emplace(cell.id);
    if (!is_new) return;
    greenroom::detail::add_ref(cell);
    it->second = {actor(&cell, actor::adopt{}), ++met_[cell.name]};
  }

  /// Kills one of those alive, as the faults say, but not `program`.
  void kill_one(fault_source& faults, const actor& program) {
    std::vector<mortal> all;
    {
      std::lock_guard guard(mutex_);
      std::erase_if(alive_, [](const auto& each) { return each.second.who.finished(); });
      for (const auto& [id, each] : alive_) {
        if (each.who != program && !each.who.cell()->kill_pending()) all.push_back(each);
      }
    }
    if (all.empty()) return;
    const auto& victim = all[faults.pick_victim(all.size())];
    faults.note_crash(fmt::format("actor '{}' killed, number {} of that name", victim.who.name(), victim.number));
    victim.who.kill(); // outside the lock: it becomes ready
  }

  /// Forgets them all, at the end of a run.
  void forget() {
    std::map<std::uint64_t, mortal> gone;
    std::lock_guard guard(mutex_);
    gone.swap(alive_);
    met_.clear();
  }

private:
  struct mortal {
    actor who;
    std::uint64_t number = 0; // among those of its name
  };

  const std::vector<std::string> names_;
  std::mutex mutex_;
  std::map<std::uint64_t, mortal> alive_; // guarded by mutex_, as the next one; by id, so in the order of their spawns
  std::map<std::string, std::uint64_t> met_;
};

} // namespace greenroom::testkit::internal
