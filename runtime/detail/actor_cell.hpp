// The record of one lightweight actor: who it is, where it waits, and how it is woken.
//
// Wake protocol, on which everything rests. A suspending actor links a waiter into each queue it waits on and then arms its
// word; whoever turns `armed` off (a claim) has won the wait, alone, and is the only one who may write the outcome and make
// the actor ready. Queue owners claim under the queue's lock, timers under their wheel's lock, cancellation at any time. A
// waiter is unlinked under its queue's lock before the awaiter that holds it ends, so no claimer meets a dead frame.
// Nothing of the suspending actor is touched after its last lock is released: it may already run on another worker.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <source_location>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/frame_pool.hpp>

namespace greenroom::detail {

struct actor_extras;
struct context_node;
struct exit_listener;
struct promise_base;
struct request_counters;
class flight_ring;
class runtime_core;
class timer_queue;

/// What an actor waits for; the first half of its wait record.
enum class wait_kind : std::uint8_t {
  none,
  start,
  receive,
  send,
  select,
  sleep,
  lock,
  condition,
  wait_group,
  semaphore,
  join,
  reply,
  blocking,
  io,
  turn,
  context,
  scope,
  outside, // an answer from something that no report knows
  monitor
};
/// Set in a wait_kind beside one of these when a deadline of the wait itself will end it.
inline constexpr std::uint8_t wait_is_timed = 0x80;
constexpr wait_kind timed(wait_kind kind) noexcept {
  return static_cast<wait_kind>(static_cast<std::uint8_t>(kind) | wait_is_timed);
}

constexpr bool is_timed(wait_kind noted) noexcept { return (static_cast<std::uint8_t>(noted) & wait_is_timed) != 0; }
constexpr wait_kind kind_of(wait_kind noted) noexcept {
  return static_cast<wait_kind>(static_cast<std::uint8_t>(noted) & ~wait_is_timed);
}

/// Outcome of a wait: the index of the case that won, or one of these.
inline constexpr std::uint8_t fired_nothing = 0xff;
inline constexpr std::uint8_t fired_cancel = 0xfe;
inline constexpr std::uint8_t fired_timeout = 0xfd;

struct actor_cell {
  // Bits of `word`. Others set cancel and kill bits at any time, so the owner changes its own bits by read-modify-write too, as long as others can find it.
  static constexpr std::uint32_t armed = 1;          // suspended and unclaimed
  static constexpr std::uint32_t masked = 2;         // shielded: cancellation is noted but does not claim
  static constexpr std::uint32_t context_cancel = 4; // the current context is cancelled; recomputed when it changes
  static constexpr std::uint32_t actor_cancel = 8;   // this actor itself was cancelled; never taken back
  static constexpr std::uint32_t kill = 16;          // destroy the frames instead of resuming
  static constexpr std::uint32_t finished = 32;      // the exit reason is set
  static constexpr std::uint32_t pinned = 64;        // as masked, but for one wait, and not ended by a shield's limit
  static constexpr std::uint32_t lent = 128; // the frames serve a blocking call: not even a kill ends the wait for it
  static constexpr std::uint32_t exposed = 256; // somebody who is no child in a scope may refer to what its frames hold
  static constexpr std::uint32_t observed =
      512; // a report reads the frames of this waiting actor: it must not go on meanwhile
  static constexpr std::uint32_t one_wait =
      1024; // from here up: counts the waits, so that a report tells one from the next
  // Bits of `traces`.
  static constexpr std::uint8_t by_context = 1;
  static constexpr std::uint8_t by_item = 2; // in `extras`; goes before the other
  static constexpr std::uint8_t no_list = 63;
  static constexpr std::uint32_t any_cancel = context_cancel | actor_cancel;
  static constexpr std::uint32_t sheltered = masked | pinned | lent;

  std::atomic<std::uint32_t> word{0};
  std::atomic<std::uint32_t> refs{1}; // one for being alive, one for each `actor` handle

  // Constant after the spawn.
  std::uint64_t id = 0;
  runtime_core* home = nullptr;
  const char* name = nullptr; // static or interned by the system
  std::source_location site;

  // Owned by whoever may resume the actor (the worker that runs it, or the claimer).
  std::coroutine_handle<> resume_point;
  promise_base* leaf = nullptr;    // promise of resume_point; its callers are found from there
  context_node* context = nullptr; // counted
  exit_listener* listener = nullptr;
  // Two of the wait record (below) stand here, where there is room for them.
  std::atomic<std::uint32_t> wait_since{0}; // Units: milliseconds since the system started
  std::atomic<wait_kind> waits_for{wait_kind::start};
  std::uint8_t fired = fired_nothing;
  std::uint8_t list : 6 = 0;   // which of live_actors holds it; constant until the actor ends
  std::uint8_t traces : 2 = 0; // whence it has a trace, see item_trace.hpp
  std::uint8_t shields = 0;

  std::atomic<actor_extras*> extras{nullptr}; // rarely needed parts, made on first use

  // The wait record, for reports from other threads; one may show a wait that is just over.
  std::atomic<const void*> wait_object{nullptr}; // the mailbox, lock, ... waited for

  // Guarded by the lock of `context`.
  actor_cell* context_prev = nullptr;
  actor_cell* context_next = nullptr;
  // Guarded by the lock of list `list` of live_actors.
  actor_cell* live_prev = nullptr;
  actor_cell* live_next = nullptr;

  static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { frame_free(p, bytes); }

  /// True when the next wait must end as cancelled.
  bool cancel_pending() const noexcept {
    auto const w = word.load(std::memory_order_relaxed); // own earlier stores and a hint of others': arm() decides
    return (w & any_cancel) != 0 && (w & sheltered) == 0;
  }
  bool kill_pending() const noexcept { return (word.load(std::memory_order_relaxed) & kill) != 0; }

  /// Opens the wait; false if cancellation came first, and then the actor must not suspend.
  bool arm() noexcept {
    auto w = word.load(std::memory_order_relaxed);
    do {
      if ((w & kill) != 0 && (w & lent) == 0) return false;
      if ((w & any_cancel) != 0 && (w & sheltered) == 0) return false;
      // Release: what the actor wrote before (its waiter, resume_point) is seen by the claimer's acquire below.
    } while (
        !word.compare_exchange_weak(w, (w + one_wait) | armed, std::memory_order_acq_rel, std::memory_order_relaxed));
    return true;
  }

  /// Takes the wait for the caller; false if somebody else has it.
  bool claim(std::uint8_t outcome) noexcept {
    auto w = word.load(std::memory_order_relaxed);
    do {
      while ((w & (armed | observed)) != armed) {
        if ((w & armed) == 0) return false; // also if another one has won while we waited for the report
        w = await_end_of_report();
      }
      // Acquire: pairs with arm(); the claimer reads and writes the awaiter after this.
    } while (!word.compare_exchange_weak(w, w & ~armed, std::memory_order_acq_rel, std::memory_order_relaxed));
    fired = outcome;
    return true;
  }

  /// Ends a shield; true if a cancellation that it held off ends the wait now, and then the caller makes the actor ready.
  bool unmask() noexcept {
    auto w = word.load(std::memory_order_relaxed);
    bool take = false;
    do {
      if ((w & observed) != 0) w = await_end_of_report();
      take = (w & armed) != 0 && (w & any_cancel) != 0 && (w & (pinned | lent)) == 0;
    } while (!word.compare_exchange_weak(w, w & ~(masked | (take ? armed : 0U)), std::memory_order_acq_rel,
                                         std::memory_order_relaxed));
    if (take) fired = fired_cancel;
    return take;
  }

  /// Notes a cancellation or a kill; true if it ended a wait, and then the caller makes the actor ready.
  bool strike(std::uint32_t bit) noexcept {
    auto w = word.load(std::memory_order_relaxed);
    bool take = false;
    std::uint32_t next = 0;
    do {
      if ((w & observed) != 0) w = await_end_of_report();
      take = (w & armed) != 0 && (w & (bit == kill ? lent : sheltered)) == 0;
      next = (w | bit) & ~(take ? armed : 0U);
    } while (!word.compare_exchange_weak(w, next, std::memory_order_acq_rel, std::memory_order_relaxed));
    if (take) fired = fired_cancel;
    return take;
  }

  /// Keeps the actor in its wait while a report reads its frames, for some microseconds; false if it does not wait.
  bool observe() noexcept {
    auto w = word.load(std::memory_order_relaxed);
    do {
      if ((w & (armed | observed)) != armed) return false;
      // Acquire: pairs with arm(), what the actor wrote before it waited is seen.
    } while (!word.compare_exchange_weak(w, w | observed, std::memory_order_acq_rel, std::memory_order_relaxed));
    return true;
  }
  void end_observation() noexcept { word.fetch_and(~observed, std::memory_order_release); }

private:
  /// Returns the word once nobody reads the frames. Out of line: reports are rare.
  GREENROOM_EXPORT std::uint32_t await_end_of_report() const noexcept;
};

/// Sets or clears a bit of `traces`. Owner only.
inline void set_traced(actor_cell& cell, std::uint8_t bit, bool yes) noexcept {
  cell.traces = static_cast<std::uint8_t>(yes ? cell.traces | bit : cell.traces & ~bit) & 3;
}

static_assert(sizeof(actor_cell) <= 128, "two cache lines: a million idle actors hold a million of these");

/// What the thread is doing for actors right now. `next` is the trampoline: a coroutine that hands over to another one stores it
/// here and returns, so the stack never grows, in unoptimised and sanitised builds too.
struct turn_state {
  actor_cell* cell = nullptr;
  std::coroutine_handle<> next;
  promise_base* next_leaf = nullptr;
  void* worker = nullptr; // internal::worker of this thread, if it is one
  runtime_core* core = nullptr;
  timer_queue* timers = nullptr;             // where this thread's timers go
  request_counters* asks = nullptr;          // this thread's own share of the counts, if it has one
  flight_ring* flight = nullptr;             // where this thread's events are kept, if they are
  std::uint32_t budget = 0;                  // awaits that need not wait before others must get a turn
  std::uint32_t now_ms = 0;                  // time since the system started, as of the last look at the clock
  std::uint64_t random = 0x9e3779b97f4a7c15; // for fair choices; seeded by the worker
  std::coroutine_handle<> finished_root;     // set by the root task's end; next_leaf is then its promise
};

// Initial-exec: a few dozen bytes, read on every await; the default model costs a function call each in a shared library.
extern GREENROOM_EXPORT thread_local constinit turn_state this_turn __attribute__((tls_model("initial-exec")));

/// Hands a claimed actor to its system's workers. Any thread.
GREENROOM_EXPORT void make_ready(actor_cell& cell) noexcept;
/// Puts the running actor, suspended at `at`, behind all that is ready now.
GREENROOM_EXPORT void requeue(actor_cell& cell) noexcept;

/// Notes where the actor suspends; before it is linked or armed.
inline void park_at(actor_cell& cell, std::coroutine_handle<> at, promise_base& leaf) noexcept {
  cell.resume_point = at;
  cell.leaf = &leaf;
  cell.fired = fired_nothing;
}

/// Fills the wait record that reports and dumps show.
inline void note_wait(actor_cell& cell, wait_kind kind, const void* object) noexcept {
  cell.wait_object.store(object, std::memory_order_relaxed);
  cell.wait_since.store(this_turn.now_ms, std::memory_order_relaxed);
  // Release: who sees the wait in a report sees what the actor did before it.
  cell.waits_for.store(kind, std::memory_order_release);
}

/// Resumes `at` through the trampoline instead of waiting.
inline void go_on(std::coroutine_handle<> at, promise_base& leaf) noexcept {
  this_turn.next = at;
  this_turn.next_leaf = &leaf;
}

/// A number below `n` for choices that must be fair, not secret (xorshift64*; Vigna 2016). Requires: n < 2^32, n > 0.
inline std::uint32_t random_below(std::uint32_t n) noexcept {
  auto& x = this_turn.random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  return static_cast<std::uint32_t>((((x * 0x2545f4914f6cdd1d) >> 32) * n) >> 32);
}

/// Lets others run after an await that did not wait, once the step budget is used up.
inline bool budget_left() noexcept { return this_turn.budget != 0 && --this_turn.budget != 0; }

GREENROOM_EXPORT void release(actor_cell& cell) noexcept;
inline void add_ref(actor_cell& cell) noexcept {
  cell.refs.fetch_add(1, std::memory_order_relaxed); // the caller holds one already
}

} // namespace greenroom::detail
