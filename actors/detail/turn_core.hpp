// The state of one game of turns: who sits where, and whose turn it is.
// Thread safety: any thread, by one spin lock. Lifetime: counted by the table and the seats that were taken.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/runtime/detail/queued_op.hpp>
#include <greenroom/runtime/detail/wait_places.hpp>
#include <greenroom/runtime/detail/wake_list.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// One party as reports show it.
struct turn_info {
  std::string name;            ///< as it was given to the table
  bool present = true;         ///< has not left
  std::uint64_t turns = 0;     ///< turns it has taken
  std::uint64_t timed_out = 0; ///< turns that were taken away from it, or that it did not take up, at the limit
};

namespace detail {

struct turn_place : waiter {
  std::uint64_t won = 0; // written by the claimer: the number of your turn; stays 0 when the game is over
};

class GREENROOM_EXPORT turn_core : public shared_place {
public:
  turn_core(std::vector<std::string> names, duration limit);
  void add_ref() noexcept { refs.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // -- waiting ------------------------------------------------------------------------------------
  spin_lock& lock() noexcept { return lock_; }
  wait_queue& queue(std::size_t seat) noexcept { return seats_[seat].queue; }
  /// Takes up the turn of `seat` if it is its turn; true also if it will never be again.
  bool take_locked(std::size_t seat, std::uint64_t& won) noexcept;

  bool limited() const noexcept { return limit_ != duration::max(); }
  /// Returns when the current turn ends, after ending it if that is over already. Begins the clock of the first turn.
  time_point end_of_turn(time_point now) noexcept;

  // -- moving -------------------------------------------------------------------------------------
  /// Ends the turn of `seat` and gives the next to the present party after the `skipped` ones that follow.
  result<void> pass(std::size_t seat, std::size_t skipped, time_point now);
  void leave(std::size_t seat, time_point now) noexcept;
  void finish() noexcept;

  // -- looking ------------------------------------------------------------------------------------
  std::size_t size() const noexcept { return seats_.size(); }
  const std::string& name(std::size_t seat) const noexcept { return seats_[seat].info.name; }
  bool holds(std::size_t seat) noexcept;
  bool over() noexcept;
  std::optional<std::size_t> holder() noexcept;
  turn_info info(std::size_t seat);

private:
  struct place {
    turn_info info;
    std::uint64_t taken = 0; // the number of the turn it took last; 0: none
    bool overdue = false;    // that turn was taken away and it has not heard of it
    wait_queue queue;        // the party, while it waits
  };

  ~turn_core() = default;
  void expire_locked(time_point now, wake_list& wake) noexcept;
  void move_on_locked(std::size_t skipped, time_point now, wake_list& wake) noexcept;
  void mark_taken_locked(place& seat) noexcept;
  void finish_locked(wake_list& wake) noexcept;

  const duration limit_;
  spin_lock lock_;
  // Guarded by lock_, except the names, which are constant.
  std::vector<place> seats_;
  std::size_t present_;
  std::size_t holder_ = 0;  // present, unless the game is over
  std::uint64_t turn_ = 1;  // its number: no two turns have the same
  time_point ends_ = never; // of this turn
  bool clock_runs_ = false; // from the first wait on: until then nobody plays
  bool over_ = false;
};

/// Waits for the turn of one seat. Gives its number, 0 for the end of the game, nothing at a time-out.
struct turn_action : turn_place {
  static constexpr wait_kind kind = wait_kind::turn;
  turn_action(turn_core* c, std::size_t s) noexcept : core(c), seat(s) {}
  spin_lock& queue_lock() noexcept { return core->lock(); }
  wait_queue& queue() noexcept { return core->queue(seat); }
  const void* place() const noexcept { return static_cast<const shared_place*>(core); }
  bool try_locked(actor_cell*&) noexcept { return core->take_locked(seat, won); }
  std::optional<std::uint64_t> take(std::uint8_t outcome) const noexcept {
    if (outcome == fired_timeout) return std::nullopt;
    return won;
  }

  turn_core* core;
  std::size_t seat;
};

} // namespace detail
} // namespace greenroom
