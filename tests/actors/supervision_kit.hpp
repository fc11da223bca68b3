// Children whose ends the test decides, and programs under many schedules in virtual time.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/supervisor.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/actors/play.hpp>

namespace greenroom::test {

using namespace std::chrono_literals;
using testkit::require;

/// How a child is to end.
enum class ending { normal, cancelled, failed, killed };
inline constexpr ending all_endings[] = {ending::normal, ending::cancelled, ending::failed, ending::killed};

inline const char* to_string(ending how) {
  static constexpr const char* names[] = {"normal", "cancelled", "failed", "killed"};
  return names[static_cast<int>(how)];
}

/// What the children of a test have done, and how to reach them.
struct cast {
  std::vector<std::string> log; // "start a", "end a"
  std::map<std::string, int> starts;
  std::map<std::string, actor> who; // the last start
  std::map<std::string, address<ending>> orders;
  std::map<std::string, int> fails_to_start; // so many of the next starts

  /// "start a, start b, end b"
  std::string story() {
    std::string text;
    for (const auto& line : log) text += (text.empty() ? "" : ", ") + line;
    log.clear();
    return text;
  }
  std::string counts() const {
    std::string text;
    for (const auto& [name, n] : starts) text += (text.empty() ? "" : " ") + name + std::to_string(n);
    return text;
  }
};
using stage = std::shared_ptr<cast>;

struct note_end {
  stage s;
  std::string name;
  note_end(stage to, std::string who) : s(std::move(to)), name(std::move(who)) {}
  note_end(const note_end&) = delete;
  note_end& operator=(const note_end&) = delete;
  ~note_end() { s->log.push_back("end " + name); }
};

/// A child that waits for the order to end.
inline task<> performer(stage s, std::string name) {
  ++s->starts[name];
  const mailbox<ending> in(bounded(4));
  s->orders[name] = in.address();
  s->who[name] = this_actor::self();
  if (s->fails_to_start[name] > 0) {
    --s->fails_to_start[name];
    s->log.push_back("fail " + name);
    throw std::runtime_error("no luck");
  }
  s->log.push_back("start " + name);
  const note_end at_end(s, name);
  this_child::ready();
  const auto how = co_await in.receive();
  if (how == ending::failed) throw std::runtime_error("as ordered");
}

/// One that needs `needs` to unwind.
inline task<> slow_performer(stage s, std::string name, duration needs) {
  s->who[name] = this_actor::self();
  const note_end at_end(s, name);
  s->log.push_back("start " + name);
  bool was_cancelled = false;
  try {
    co_await sleep_for(24h);
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  if (was_cancelled) co_await shielded(24h, [](duration d) -> task<> { co_await sleep_for(d); }(needs));
  s->log.push_back("unwound " + name);
}

/// Time for all to happen that can happen at once: in a simulation time passes only when all wait.
inline task<> settle_all() { co_await sleep_for(1ms); }

inline task<> end(stage s, std::string name, ending how) {
  const auto who = s->who.at(name);
  switch (how) {
  case ending::cancelled: who.cancel(); break;
  case ending::killed: who.kill(); break;
  default: require(s->orders.at(name).try_send(how).has_value(), name + " takes no orders");
  }
  (void)co_await who.join();
  co_await settle_all();
}

/// Stops a supervisor as any actor, and gives its exit reason.
inline task<exit_reason> stop(supervisor top) {
  top.self().cancel();
  co_return co_await top.self().join();
}

/// Starts a supervisor; the run fails if that does.
inline task<supervisor> started(supervisor_spec spec) {
  auto top = co_await supervise(std::move(spec));
  require(top.has_value(), top ? "" : std::string(top.error().message()));
  co_return *std::move(top);
}

template <class T>
void require_equal(const T& is, const T& wanted, const std::string& what) {
  if (is == wanted) return;
  std::string text = what + ": ";
  if constexpr (std::is_same_v<T, std::string>) {
    text += "'" + is + "' instead of '" + wanted + "'";
  } else {
    text += std::to_string(is) + " instead of " + std::to_string(wanted);
  }
  require(false, text);
}

} // namespace greenroom::test
