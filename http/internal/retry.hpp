// When a request is sent again: a budget that all calls of a client share, the pauses, and what a server asks for.
// Thread safety: the budget any thread; the functions are pure but for full_jitter(), which draws from the worker's numbers.
// Source: gRPC A6 (retry throttling), Brooker, "Exponential Backoff And Jitter", 2015; RFC 9110 sections 5.6.7 and 10.2.3.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <greenroom/runtime/clock.hpp>

namespace greenroom::http::internal {

/// Tokens: each call earns a part of one, each retry costs one, and what is saved has a limit. So retries stay a share of all requests, but
/// for the few that the savings pay.
class retry_budget {
public:
  retry_budget(double share, int reserve) noexcept;

  void earn() noexcept;
  /// Takes a token; false if there is none.
  bool spend() noexcept;

private:
  static constexpr std::int64_t token = 1'000;

  const std::int64_t earned_; // by one call. Units: 1/1000 of a token
  const std::int64_t most_;
  std::atomic<std::int64_t> saved_;
};

/// Returns a pause from 0 to `first` doubled `retries` times, 30 s at most, each equally likely. Requires: in an actor.
duration full_jitter(duration first, int retries) noexcept;

/// Reads the value of a Retry-After field, seconds or a date; nothing if it is neither. A date that has passed is no time.
std::optional<duration> read_retry_after(std::string_view value,
                                         std::chrono::system_clock::time_point wall_now) noexcept;

} // namespace greenroom::http::internal
