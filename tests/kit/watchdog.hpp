// watchdog: says why a test hangs, before the test's runner kills it without a word.
//
//   actor_system sys;
//   watchdog dog(sys, 60s);
//   sys.run(transfer_all);        // if this takes longer, stderr shows who waits for what, and the process aborts
//
// If it still lives when its time is over it prints every living actor, with its name, where it was spawned, what it waits for and
// since when, then the deadlocks found (see deadlock.hpp), and aborts. Its time is real time, whatever clock the system has, and it
// sleeps on a thread of its own until then. Make the limit shorter than that of whoever kills the test (ctest: TIMEOUT).
// A simulation needs one only against loops without an await: it knows by itself when nothing can go on, and gives up a run of too
// many steps.
// Thread safety: owner only. Lifetime: not longer than its system, so declare it after the system.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::testkit {

/// Returns what the watchdog prints: a sentence, a line for each living actor, and the deadlocks found.
/// Waits: never. Thread safety: any thread. Cost: holds off spawns and ends while it lists the actors.
GREENROOM_EXPORT std::string describe_actors(const actor_system& sys);

/// Thread safety: owner only; its handler runs on a thread of its own.
class GREENROOM_EXPORT watchdog {
public:
  /// What to do once the report was printed; called with it on the watchdog's thread, at most once. Empty: std::abort().
  using handler = std::function<void(const std::string& report)>;

  /// Begins to watch; a report comes after `limit` of real time, not earlier. milliseconds::max() is for ever.
  /// Waits: never. Errors: std::system_error when there is no thread to be had.
  watchdog(const actor_system& sys, std::chrono::milliseconds limit, handler then = {});
  /// Ends the watch: it was in time. Waits: blocks the thread while a report is printed and its handler runs.
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

private:
  void watch();
  /// Prints the report, then ends the process or calls the handler.
  void bark() const;

  const actor_system& sys_;
  const std::chrono::milliseconds limit_;
  const handler then_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false; // guarded by mutex_
  std::thread thread_;
};

} // namespace greenroom::testkit
