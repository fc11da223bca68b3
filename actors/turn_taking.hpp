// turn_taking: parties that take turns in a fixed order, round and round: ping-pong of two, a token ring of many.
//
//   task<> player(turn_seat seat) {
//     while (auto turn = co_await seat.wait()) {   // false when the game is over
//       ...                                        // nobody else's turn now
//       seat.pass();
//     }
//   }
//   turn_taking table({"ping", "pong"});
//   sys.spawn(player, table.seat("ping"));
//   sys.spawn(player, table.seat("pong"));
//
// Exactly one party holds the turn at any moment, the first seat at the beginning. For mere mutual exclusion without an order use
// mutex. A party whose seat is destroyed, because its actor ended, was cancelled or killed, leaves, and the others play on.
// Thread safety: a table from any thread; a seat by one thread at a time, its wait by actors.
// Lifetime: seats may outlive the table; seats that were never taken leave with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/actors/detail/task_call.hpp>
#include <greenroom/actors/detail/turn_core.hpp>
#include <greenroom/runtime/detail/end_word.hpp>
#include <greenroom/runtime/detail/mailbox_actions.hpp>
#include <greenroom/runtime/detail/refers_to_nothing.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// Options of a game. Thread safety: as a value.
struct turn_options {
  /// How long a party may hold the turn; then it passes on by itself, as soon as another party waits for its own. The default is no
  /// limit. Set it where a party may hang; it costs a clock reading a turn, and a frame a wait. Must be positive.
  duration limit = duration::max();
};

/// What became of a pass; may be ignored where no limit is set. Thread safety: as a value.
class passed {
public:
  /// For a seat.
  passed(result<void> outcome) noexcept : outcome_(std::move(outcome)) {}
  explicit operator bool() const noexcept { return outcome_.has_value(); }
  /// Requires: the pass failed.
  const greenroom::error& error() const noexcept { return outcome_.error(); }
  /// Returns it as a result.
  operator result<void>() const { return outcome_; }

private:
  result<void> outcome_;
};

/// What a wait gives: a turn that has come, or, false, the end of the game. Thread safety: as a value.
class [[maybe_unused]] turn {
public:
  /// For a seat.
  explicit turn(std::uint64_t number) noexcept : number_(number) {}
  operator bool() const noexcept { return number_ != 0; }
  /// Returns its number, from 1; no two turns of a game have the same.
  std::uint64_t number() const noexcept { return number_; }

private:
  std::uint64_t number_;
};

namespace detail {
/// The wait where a turn has a limit: the parties that wait see to it.
GREENROOM_EXPORT task<std::optional<std::uint64_t>> wait_with_limit(turn_core* core, std::size_t seat,
                                                                    time_point deadline);

class turn_wait {
public:
  turn_wait(turn_core* core, std::size_t seat) : core_(core), seat_(seat), op_(turn_action(core, seat)) {}
  bool await_ready() {
    if (!core_->limited()) return op_.await_ready();
    limited_.make(wait_with_limit(core_, seat_, never));
    return false;
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) noexcept {
    if (limited_.made()) {
      limited_.await_suspend(at);
    } else {
      op_.await_suspend(at);
    }
  }
  turn await_resume() { return turn((limited_.made() ? limited_.await_resume() : op_.await_resume()).value_or(0)); }

private:
  turn_core* core_;
  std::size_t seat_;
  queued_op<turn_action> op_;
  task_call<std::optional<std::uint64_t>> limited_;
};
} // namespace detail

/// One party's place in the order. Move-only; default-constructed and moved-from seats have left.
class GREENROOM_EXPORT turn_seat {
public:
  turn_seat() noexcept = default;
  turn_seat(turn_seat&& other) noexcept : core_(std::move(other.core_)), index_(other.index_) {}
  turn_seat& operator=(turn_seat&& other) noexcept {
    if (this != &other) {
      leave();
      core_ = other.core_.take();
      index_ = other.index_;
    }
    return *this;
  }
  ~turn_seat() { leave(); }

  /// Waits for this party's turn: true when it has come, false when the game is over. While it holds the turn: that turn, at once.
  /// Waits: suspends the actor. Cancellation: throws `cancelled`; the seat leaves when it is destroyed, and what turn it may have been
  /// given meanwhile goes on to the next. Errors: usage_error if the seat has left.
  [[nodiscard]] detail::turn_wait wait() { return {present("wait"), index_}; }

  /// The same with a limit for this wait. Errors: errc::timed_out, the turn did not come; errc::closed, the game is over.
  template <class Rep, class Period>
  [[nodiscard]] task<result<void>> wait_for(std::chrono::duration<Rep, Period> limit) {
    return wait_until(present("wait_for"), index_, detail::deadline_in(limit));
  }

  /// Gives the turn to the next present party. Waits: never. Errors: errc::timed_out, the limit had taken the turn away before:
  /// nothing changes; errc::invalid_argument, this party has not waited for its turn; errc::closed, the game is over.
  passed pass() { return skip(0); }
  /// Gives the turn on past the next `parties` present parties, who miss this round. Errors: as pass().
  passed skip(std::size_t parties);
  /// As skip(1).
  passed skip_next() { return skip(1); }

  /// Leaves the game for good; a turn in hand goes to the next party. With the last party the game is over. Leaving twice is fine.
  void leave() noexcept;
  /// Ends the game for all.
  void finish() noexcept;

  /// Returns whether this party holds the turn, taken up or not.
  bool mine() const noexcept { return core_ != nullptr && core_->holds(index_); }
  /// Returns the party's name; "" if it has left. Lifetime: as the game.
  std::string_view name() const noexcept { return core_ == nullptr ? std::string_view() : core_->name(index_); }
  /// Returns the counts of this party. Requires: it has not left.
  turn_info info() const { return core_->info(index_); }
  explicit operator bool() const noexcept { return core_ != nullptr; }

private:
  friend class turn_taking;
  turn_seat(detail::turn_core* counted, std::size_t index) noexcept : core_(counted), index_(index) {}
  detail::turn_core* present(const char* what) const;
  static task<result<void>> wait_until(detail::turn_core* core, std::size_t index, time_point deadline);

  detail::end_word<detail::turn_core, detail::end_kind::share> core_;
  std::size_t index_ = 0;
};

template <>
inline constexpr bool owns_what_it_names<turn_seat> = true;

/// The table: makes the seats, and looks on. Move-only.
class GREENROOM_EXPORT turn_taking {
public:
  /// Makes a game of the named parties, in this order. Errors: usage_error without parties.
  explicit turn_taking(std::vector<std::string> names, turn_options opts = {});
  turn_taking(std::initializer_list<std::string> names, turn_options opts = {})
      : turn_taking(std::vector<std::string>(names), opts) {}
  /// Makes a game of parties named "0", "1", ... Errors: usage_error without parties.
  explicit turn_taking(std::size_t parties, turn_options opts = {});
  turn_taking(turn_taking&&) noexcept = default;
  turn_taking& operator=(turn_taking&& other) noexcept {
    core_.swap(other.core_);
    untaken_.swap(other.untaken_);
    return *this;
  }
  ~turn_taking() {
    if (core_ != nullptr) core_->release();
  }

  /// Gives a seat away, once. Errors: usage_error if there is none such, or it was given away.
  turn_seat seat(std::size_t index);
  turn_seat seat(std::string_view name);

  /// Ends the game: every wait gives false from now on.
  void finish() noexcept;
  /// Returns whether the game is over.
  bool over() const noexcept;
  /// Returns the position of the party that holds the turn, or nothing when the game is over.
  std::optional<std::size_t> holder() const noexcept;
  /// Lists the parties in order.
  std::vector<turn_info> parties() const;

private:
  detail::end_word<detail::turn_core, detail::end_kind::share> core_;
  std::vector<turn_seat> untaken_;
};

} // namespace greenroom
