// What attempts that are made anew have in common: a budget, so that they stay a share of all calls, and the pauses between them.
// Thread safety: the tokens any thread; full_jitter() draws from the worker's numbers.
// Source: gRPC A6 (retry throttling), Brooker, "Exponential Backoff And Jitter", 2015.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Each call earns a part of a token, each retry costs one, and what is saved has a limit. So retries stay a share of all calls, but for the few
/// that the savings pay.
class GREENROOM_EXPORT retry_tokens {
public:
  retry_tokens(double share, int reserve) noexcept;

  void earn() noexcept;
  /// Takes a token; false if there is none.
  bool spend() noexcept;

private:
  static constexpr std::int64_t token = 1'000;

  const std::int64_t earned_; // by one call. Units: 1/1000 of a token
  const std::int64_t most_;
  std::atomic<std::int64_t> saved_;
};

/// Returns a pause from 0 to `first` doubled `retries` times, `longest` at most, each equally likely. Requires: in an actor.
GREENROOM_EXPORT duration full_jitter(duration first, int retries,
                                      duration longest = std::chrono::seconds(30)) noexcept;

} // namespace greenroom::detail
