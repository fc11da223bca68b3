// load_schedule: when requests are due, from the start on: at a steady rate, or one that rises or falls evenly, at equal distances or by chance (Poisson).
// How the requests fare has no say in it: that is what makes a load open-loop.
// Thread safety: owner only.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>

#include <greenroom/runtime/random.hpp>

namespace load {

struct load_shape {
  double from = 100; ///< requests a second, until `warm_up` has passed
  double to = 100;   ///< at the end; evenly from the one to the other
  std::chrono::nanoseconds warm_up{0};
  std::chrono::nanoseconds measured{0}; ///< behind the warm-up
  bool by_chance = false;               ///< distances as of independent clients, in place of equal ones

  std::chrono::nanoseconds total() const noexcept { return warm_up + measured; }
  /// Counts the requests that are due before `at`, if they come at equal distances.
  double due_before(double at) const noexcept {
    const double steady = seconds(warm_up);
    const double length = seconds(measured);
    if (at <= steady || length <= 0) return from * at;
    const double t = at - steady;
    return from * at + (to - from) * t * t / (2 * length);
  }
  /// The inverse of that: when so many have become due. Units: seconds.
  double time_of(double requests) const noexcept {
    const double steady = seconds(warm_up);
    const double before = from * steady;
    const double length = seconds(measured);
    if (requests <= before || length <= 0 || from == to) return requests / from;
    // requests - before = from t + slope/2 t^2, in the form that loses no digits where the slope is small.
    const double slope = (to - from) / length;
    const double under_root = from * from + 2 * slope * (requests - before);
    if (under_root < 0) return 2 * (steady + length); // a falling rate never gets so far
    return steady + 2 * (requests - before) / (from + std::sqrt(under_root));
  }
  static double seconds(std::chrono::nanoseconds t) noexcept { return std::chrono::duration<double>(t).count(); }
};

/// The share of one thread: every so-manieth request, or as many by chance.
class load_schedule {
public:
  /// Thread `index` of `threads`, from 0. `seed` decides what chance gives.
  load_schedule(const load_shape& shape, std::uint64_t index, std::uint64_t threads, std::uint64_t seed)
      : shape_(shape),
        random_(seed + index),
        step_(static_cast<double>(threads)),
        place_(shape.by_chance ? gap() : static_cast<double>(index)) {}

  /// Returns when the next request is due, since the start; nothing behind the end.
  std::optional<std::chrono::nanoseconds> next() noexcept {
    const auto at = std::chrono::duration<double>(shape_.time_of(place_));
    place_ += shape_.by_chance ? gap() : step_;
    if (at >= shape_.total()) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at);
  }

  const load_shape& shape() const noexcept { return shape_; }

private:
  double gap() noexcept {
    const double above_zero = (static_cast<double>(random_.next() >> 11) + 1) * 0x1p-53; // up to and with 1
    return -std::log(above_zero) * step_;
  }

  load_shape shape_;
  greenroom::xoshiro random_;
  double step_;
  double place_; // in the number of requests of all threads
};

} // namespace load
