// load_course: how the times of a load went on, in at most ten parts of equal length. They are as fine as a run allows that may be ended at any
// moment: each time that ten are not enough two become one.
// Thread safety: owner only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <greenroom/tools/greenroom/latency_histogram.hpp>

namespace load {

class load_course {
public:
  using nanoseconds = std::chrono::nanoseconds;
  static constexpr std::size_t most_parts = 10;

  /// Counts a time of what was due at `offset`, of a run that is to last `measured`, which is the same in all calls and at most a day.
  void record(nanoseconds offset, nanoseconds measured, nanoseconds took) {
    cover(offset, measured);
    parts_[std::min(index_of(offset), most_parts - 1)].record(took);
  }

  /// Makes the parts so long that they reach there.
  void cover(nanoseconds offset, nanoseconds measured) {
    measured_ = std::max(measured, nanoseconds(1));
    while (level_ != 0 && index_of(offset) >= most_parts) halve();
  }

  void merge(load_course other) {
    if (other.measured_ == nanoseconds::zero()) return;
    measured_ = other.measured_;
    while (level_ > other.level_) halve();
    while (other.level_ > level_) other.halve();
    for (std::size_t i = 0; i < most_parts; ++i) parts_[i].merge(other.parts_[i]);
  }

  /// When the part with this index begins, and the one before it ends.
  nanoseconds begin_of(std::size_t part) const noexcept {
    return measured_ * static_cast<std::int64_t>(part) / (static_cast<std::int64_t>(most_parts) << level_);
  }
  /// Those that begin before `end`.
  std::vector<const latency_histogram*> until(nanoseconds end) const {
    std::vector<const latency_histogram*> all;
    for (std::size_t i = 0; i < most_parts && (i == 0 || begin_of(i) < end); ++i) all.push_back(&parts_[i]);
    return all;
  }

private:
  std::size_t index_of(nanoseconds offset) const noexcept {
    const auto past = static_cast<std::uint64_t>(std::clamp(offset, nanoseconds::zero(), measured_).count());
    return static_cast<std::size_t>((past * most_parts << level_) / static_cast<std::uint64_t>(measured_.count()));
  }
  void halve() {
    for (std::size_t i = 0; i < most_parts; ++i) {
      auto one = 2 * i < most_parts ? std::move(parts_[2 * i]) : latency_histogram();
      if (2 * i + 1 < most_parts) one.merge(parts_[2 * i + 1]);
      parts_[i] = std::move(one);
    }
    --level_;
  }

  std::vector<latency_histogram> parts_ = std::vector<latency_histogram>(most_parts);
  nanoseconds measured_{0};
  unsigned level_ = 14; // a part is a tenth of `measured` by 2^level: a day times ten by 2^14 fits into 64 bits
};

} // namespace load
