// schedule: who runs next in a simulation. A run asks it at every step; the answers, and the seed, make the run repeatable.
//   random_schedule   picks evenly: finds most faults within some thousand runs
//   pct_schedule      gives each actor a priority and lowers a few at random moments: finds what needs few, but unlikely, switches
//   path_schedule     follows a list of choices, then takes the first: for replays, for shrinking and for trying them all
// Thread safety: owner only. Lifetime: as a value, for one run.
// Source: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::testkit {

/// Something that may run next: an actor by its order of appearance in the run, from 1; or `time`, which fires the next timer.
using candidate = std::uint32_t;
/// The candidate that fires the next timer.
inline constexpr candidate time = 0;

/// Thread safety: owner only.
class GREENROOM_EXPORT schedule {
public:
  /// `seed` is that of what else is random in the run.
  explicit schedule(std::uint64_t seed) noexcept : seed_(seed) {}
  virtual ~schedule();
  /// Returns the position in `ready` of the one to run. Requires: there are two or more; `time` stands last if it is among them.
  virtual std::size_t choose(std::span<const candidate> ready) = 0;
  /// Returns the seed of what else is random in the run, as the fairness of select.
  std::uint64_t seed() const noexcept { return seed_; }

private:
  std::uint64_t seed_;
};

/// Thread safety: owner only.
class GREENROOM_EXPORT random_schedule final : public schedule {
public:
  /// Equal seeds choose equally.
  explicit random_schedule(std::uint64_t seed) noexcept : schedule(seed), random_(seed) {}
  std::size_t choose(std::span<const candidate> ready) override;

private:
  xoshiro random_;
};

/// Thread safety: owner only.
class GREENROOM_EXPORT pct_schedule final : public schedule {
public:
  /// `depth` switches at random steps among the first `length`. Errors: usage_error unless length is positive.
  pct_schedule(std::uint64_t seed, std::size_t depth, std::size_t length);
  std::size_t choose(std::span<const candidate> ready) override;

private:
  std::int64_t priority_of(candidate c);

  xoshiro random_;
  std::vector<std::size_t> switches_; // steps
  std::unordered_map<candidate, std::int64_t> priorities_;
  std::size_t step_ = 0;
  std::int64_t lowest_ = 0;
};

/// Thread safety: owner only.
class GREENROOM_EXPORT path_schedule final : public schedule {
public:
  /// Makes these choices, then the first each time.
  path_schedule(std::uint64_t seed, std::vector<std::uint32_t> path) noexcept
      : schedule(seed), path_(std::move(path)) {}
  std::size_t choose(std::span<const candidate> ready) override;

private:
  std::vector<std::uint32_t> path_;
  std::size_t step_ = 0;
};

} // namespace greenroom::testkit
