// Random bits for identifiers of requests and traces: unique, not secret. They derive from the random choices of the actor's system, so that
// a run with the same seed gives the same ones.
// Thread safety: any thread that runs actors; each draws from a generator of its own, or nearly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include <greenroom/http/internal/share.hpp>
#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::http::internal {

class id_source {
public:
  /// Fills `digits` with random hexadecimal ones that are not all zero. Requires: an actor runs here.
  void fill(std::span<char> digits) noexcept {
    auto& from = shares_[share_here() % shares_.size()];
    std::lock_guard guard(from.lock);
    // Seeded by the first who draws: in a simulation that is at the same point of each run.
    if (!from.random) from.random.emplace(seed());
    constexpr const char* hex = "0123456789abcdef";
    std::uint64_t bits = 0;
    bool any = false;
    for (std::size_t i = 0; i < digits.size(); ++i, bits >>= 4) {
      if (i % 16 == 0) bits = from.random->next();
      any |= (bits & 15) != 0;
      digits[i] = hex[bits & 15];
    }
    if (!any && !digits.empty()) digits.back() = '1';
  }

  /// Draws a number from 0 to 1, without 1. Requires: an actor runs here.
  double fraction() noexcept {
    const auto bits = std::uint64_t{greenroom::detail::random_below(1U << 31)};
    return static_cast<double>(bits) * 0x1p-31;
  }

private:
  struct alignas(64) share {
    greenroom::detail::spin_lock lock;
    std::optional<xoshiro> random; // guarded by lock
  };

  static std::uint64_t seed() noexcept {
    const std::uint64_t high = greenroom::detail::random_below(UINT32_MAX);
    return high << 32 | greenroom::detail::random_below(UINT32_MAX);
  }

  std::array<share, 16> shares_{};
};

} // namespace greenroom::http::internal
