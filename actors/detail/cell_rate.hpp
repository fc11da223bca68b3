// A token bucket in one word, the moment at which it is full again: by that it says the same as a count and a time would (the generic cell rate
// algorithm).
// Thread safety: constant; who keeps the word guards it. Source: ITU-T I.371, the virtual scheduling algorithm.
#pragma once

#include <algorithm>
#include <cstdint>

#include <greenroom/runtime/clock.hpp>

namespace greenroom::detail {

class cell_rate {
public:
  /// A token comes each `interval`; a bucket holds `burst`. Requires: both positive, interval * burst a duration.
  constexpr cell_rate(duration interval, std::uint64_t burst) noexcept
      : interval_(interval), depth_(interval * static_cast<duration::rep>(burst)) {}

  /// Returns how long it takes until the next token is there; zero if one is.
  constexpr duration wait(time_point full_at, time_point now) const noexcept {
    return std::max(duration::zero(), full_in(full_at, now) + interval_ - depth_);
  }
  /// Takes the next token, also one that is still to come.
  constexpr void take(time_point& full_at, time_point now) const noexcept {
    full_at = std::max(full_at, now) + interval_;
  }
  /// Gives back the token that was taken last.
  constexpr void give_back(time_point& full_at) const noexcept { full_at -= interval_; }

  /// Counts the tokens that are there. Units: tokens.
  constexpr std::uint64_t left(time_point full_at, time_point now) const noexcept {
    return static_cast<std::uint64_t>(std::max(duration::zero(), depth_ - full_in(full_at, now)) / interval_);
  }
  static constexpr duration full_in(time_point full_at, time_point now) noexcept {
    return std::max(duration::zero(), full_at - now);
  }

private:
  duration interval_;
  duration depth_;
};

} // namespace greenroom::detail
