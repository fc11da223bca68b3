// latency_histogram: counts times in buckets that grow with them, so that any quantile is known to 0.4 %, from nanoseconds to centuries, at the cost of an
// addition each.
//
//   latency_histogram h;
//   h.record(420us);
//   h.quantile(0.999);                     // of all that were recorded, rounded up to the end of its bucket
//   all.merge(h);                          // as if it had recorded the same; each thread has one of its own until then
//
// Thread safety: owner only. Cost: 112 KiB. Source: G. Tene, HdrHistogram: log-linear buckets.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

class latency_histogram {
public:
  using nanoseconds = std::chrono::nanoseconds;

  /// Counts a time, so often. A negative one counts as none at all.
  void record(nanoseconds value, std::uint64_t times = 1) {
    if (times == 0) return;
    const auto n = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
    counts_[index_of(n)] += times;
    least_ = count_ == 0 ? n : std::min(least_, n);
    most_ = std::max(most_, n);
    sum_ += static_cast<double>(n) * static_cast<double>(times);
    count_ += times;
  }

  void merge(const latency_histogram& other) {
    if (other.count_ == 0) return;
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    least_ = count_ == 0 ? other.least_ : std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
    sum_ += other.sum_;
    count_ += other.count_;
  }

  std::uint64_t count() const noexcept { return count_; }
  // Exact; zero of an empty one, as are all others.
  nanoseconds least() const noexcept { return as_time(least_); }
  nanoseconds most() const noexcept { return as_time(most_); }
  nanoseconds mean() const noexcept {
    return count_ == 0 ? nanoseconds::zero()
                       : nanoseconds(static_cast<std::int64_t>(sum_ / static_cast<double>(count_)));
  }

  /// Returns a time that at least `share` of those recorded do not exceed: the least such one, or up to 1/256 more. `share` is from 0 to 1,
  /// in millionths. Cost: walks the buckets.
  nanoseconds quantile(double share) const noexcept {
    __extension__ using wide = unsigned __int128;
    constexpr std::uint64_t million = 1'000'000;
    const auto millionths = static_cast<std::uint64_t>(std::clamp(share, 0.0, 1.0) * million + 0.5);
    const auto rank = std::max<wide>((wide{count_} * millionths + million - 1) / million, 1);
    wide seen = 0;
    for (std::size_t i = 0; i < counts_.size() && count_ != 0; ++i) {
      seen += counts_[i];
      if (seen >= rank) return as_time(std::min(last_of(i), most_));
    }
    return nanoseconds::zero();
  }

  /// Counts those recorded that do not exceed `limit`; those in the bucket of the limit, which are within 1/256 of it, count all.
  std::uint64_t count_up_to(nanoseconds limit) const noexcept {
    if (limit < nanoseconds::zero()) return 0;
    const auto end = index_of(static_cast<std::uint64_t>(limit.count()));
    std::uint64_t n = 0;
    for (std::size_t i = 0; i <= end; ++i) n += counts_[i];
    return n;
  }

private:
  // Numbers below 2 * linear have a bucket each; above, each power of two has `linear` buckets of the same width.
  static constexpr unsigned linear_bits = 8;
  static constexpr std::uint64_t linear = std::uint64_t{1} << linear_bits;

  static constexpr std::size_t index_of(std::uint64_t n) noexcept {
    if (n < 2 * linear) return n;
    const auto shift = static_cast<unsigned>(std::bit_width(n)) - (linear_bits + 1);
    return (std::size_t{shift} << linear_bits) + (n >> shift);
  }
  static constexpr std::uint64_t last_of(std::size_t index) noexcept {
    if (index < 2 * linear) return index;
    const auto shift = static_cast<unsigned>(index >> linear_bits) - 1;
    return (((index & (linear - 1)) + linear + 1) << shift) - 1;
  }
  static nanoseconds as_time(std::uint64_t n) noexcept { return nanoseconds(static_cast<std::int64_t>(n)); }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(index_of(INT64_MAX) + 1);
  std::uint64_t least_ = 0;
  std::uint64_t most_ = 0;
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

} // namespace load
