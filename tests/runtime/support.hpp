// What the tests of the runtime share: systems whose order of events the test decides, and ways to see that an actor waits.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::test {

using namespace std::chrono_literals;

inline options quiet(std::size_t workers = 2) {
  options o;
  o.name = "test";
  o.workers = workers;
  o.log_level = "off";
  return o;
}

/// With one worker only one actor runs at a time, and a yield lets all others run until they wait.
struct one_worker : actor_system {
  one_worker() : actor_system(quiet(1)) {}
};

/// Says what `who` waits for, or "ended".
inline std::string waits_for(actor_system& sys, const actor& who) {
  for (const auto& info : sys.actors()) {
    if (info.id == who.id()) return info.waits_for;
  }
  return "ended";
}

/// Blocks the thread until `who` waits for `what`. On a system with one worker its turn is then over: what the wait has queued
/// and armed can be counted.
inline void await_wait(actor_system& sys, const actor& who, const std::string& what) {
  while (waits_for(sys, who) != what) std::this_thread::yield();
  // A report may show a wait that has just begun; another actor runs only once that turn has ended.
  (void)sys.run([]() -> task<> { co_return; });
}

/// The same for an actor.
inline task<> until_waits(actor who, std::string what) {
  while (waits_for(this_actor::system(), who) != what) co_await yield();
}

/// Cancels `who` once it waits for `what`, and gives its exit reason.
inline exit_reason cancel_in(actor_system& sys, const actor& who, const std::string& what) {
  await_wait(sys, who, what);
  who.cancel();
  return who.wait();
}

inline exit_reason kill_in(actor_system& sys, const actor& who, const std::string& what) {
  await_wait(sys, who, what);
  who.kill();
  return who.wait();
}

/// Lets the other actors run until each of them waits or has had many turns. For systems with one worker.
inline task<> settle() {
  for (int i = 0; i < 200; ++i) co_await yield();
}

/// Time that stands still until it is moved.
class manual_clock final : public clock {
public:
  time_point now() const noexcept override { return time_point(duration(now_.load())); }
  std::chrono::system_clock::time_point wall_now() const noexcept override { return {}; }
  void advance(duration by) { now_ += by.count(); }

private:
  std::atomic<std::int64_t> now_{duration(1h).count()};
};

/// One worker that lives in manual time.
struct timed_system {
  manual_clock time;
  actor_system sys{quiet(1), environment{.time = &time}};

  /// Moves time on and lets what is due run until it waits again.
  void advance(duration by) {
    time.advance(by);
    (void)sys.run(settle);
  }
};

/// Where the stack stands; not a local's address, which ASan may put elsewhere.
[[gnu::noinline]] inline std::uintptr_t stack_here() noexcept {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

/// A number from the environment, for stress tests that can run longer than ctest should.
inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace greenroom::test
