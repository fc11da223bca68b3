/// Random numbers behind an interface, so that a simulation can repeat a run from its seed. For
/// schedules, jitter, sampling and tests; not for secrets: whoever sees some numbers can compute
/// the rest.
/// Thread safety: none; one generator belongs to one thread or actor. random_seed() from any
/// thread.
/// Lifetime: a source must outlive what draws from it.
#pragma once

#include <cassert>
#include <cstdint>
#include <limits>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// Where random numbers come from.
/// Thread safety: owner only.
class GREENROOM_EXPORT random_source {
public:
  virtual ~random_source();

  /// Returns 64 random bits.
  virtual std::uint64_t next() noexcept = 0;

protected:
  random_source() = default;
  random_source(const random_source&) = default;
  random_source& operator=(const random_source&) = default;
};

/// Returns a number from 0 to limit - 1, each equally likely.
/// Requires: limit > 0 (asserted).
/// Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019): one
/// multiplication, and a division only when the first draw falls into the part that would favour
/// small numbers.
template <class Source>
std::uint64_t random_below(Source& source, std::uint64_t limit) noexcept {
  __extension__ using wide = unsigned __int128;
  assert(limit > 0);
  wide product = static_cast<wide>(source.next()) * limit;
  if (static_cast<std::uint64_t>(product) < limit) {
    const std::uint64_t surplus = (0 - limit) % limit; // 2^64 mod limit
    while (static_cast<std::uint64_t>(product) < surplus) product = static_cast<wide>(source.next()) * limit;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

/// The generator xoshiro256** 1.0: 32 bytes of state, about a nanosecond a number, period
/// 2^256 - 1. Serves the distributions of <random> as well.
/// Thread safety: owner only.
/// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47
/// (2021); the seed is spread by their splitmix64, so that near seeds give unrelated sequences.
class GREENROOM_EXPORT xoshiro final : public random_source {
public:
  using result_type = std::uint64_t;

  /// Begins the sequence of a seed.
  explicit xoshiro(std::uint64_t seed) noexcept;

  std::uint64_t next() noexcept override {
    const std::uint64_t drawn = rotated(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotated(state_[3], 45);
    return drawn;
  }

  /// Returns a number from 0 to limit - 1, each equally likely. Requires: limit > 0 (asserted).
  std::uint64_t below(std::uint64_t limit) noexcept { return random_below(*this, limit); }

  /// As next(), for <random>.
  result_type operator()() noexcept { return next(); }
  /// Returns 0, for <random>.
  static constexpr result_type min() noexcept { return 0; }
  /// Returns the greatest number of 64 bits, for <random>.
  static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

private:
  static constexpr std::uint64_t rotated(std::uint64_t bits, int by) noexcept {
    return (bits << by) | (bits >> (64 - by));
  }

  std::uint64_t state_[4]; // never all zero
};

/// Draws a seed from the operating system; never 0, which options take for "draw one".
/// Errors: throws what std::random_device throws where the system has no randomness to give.
/// Cost: a system call or two.
GREENROOM_EXPORT std::uint64_t random_seed();

} // namespace greenroom
