// executor: what runs the actors of one system. The default is a team of worker threads, each with its own run queue, timers and
// sockets; a test can put a single-threaded one with virtual time in its place.
// Thread safety: submit() and requeue() from any thread; start() and stop() by the system only.
// Lifetime: outlives every actor of its system.
#pragma once

#include <cstddef>
#include <functional>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// Runs actors: takes those that are ready and gives each its turns.
class GREENROOM_EXPORT executor {
public:
  virtual ~executor();

  /// Begins to run. Called once, before the first submit().
  virtual void start(detail::runtime_core& core) = 0;
  /// Ends. Called once, when no actor is left. Waits: blocks the thread until no turn is running.
  virtual void stop() noexcept = 0;
  /// Takes an actor that has become ready. Requires: the caller has claimed its wait, or just made it.
  virtual void submit(detail::actor_cell& cell) noexcept = 0;
  /// Takes the actor that is running on this thread, to run again behind those that are ready.
  virtual void requeue(detail::actor_cell& cell) noexcept = 0;
  /// Runs a function that blocks; false if this executor leaves that to the system's blocking threads, as is usual.
  virtual bool run_blocking(const std::function<void()>& work);
  /// Returns the timers for calls from a thread that is none of the executor's.
  virtual detail::timer_queue& timers() noexcept = 0;
  /// Counts the timers that are armed.
  virtual std::size_t live_timers() noexcept = 0;
  /// Counts the threads. Units: threads.
  virtual std::size_t workers() const noexcept = 0;

protected:
  /// Gives `cell` one turn on this thread: resumes it until it waits or ends. Requires: this_turn names the core.
  static void take_turn(detail::actor_cell& cell, std::uint32_t step_budget) noexcept;
};

} // namespace greenroom
