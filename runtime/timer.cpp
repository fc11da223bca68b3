#include <greenroom/runtime/timer.hpp>

#include <string>

namespace greenroom {
namespace {

duration positive(duration period) {
  if (period > duration::zero()) return period;
  throw usage_error("ticker: the period must be positive, not " + std::to_string(period.count()) + " ns");
}

} // namespace

ticker::ticker(duration period, missed_ticks rule)
    : period_(positive(period)), rule_(rule), next_(detail::deadline_after(period)) {}

void ticker::reset(duration period) {
  period_ = positive(period);
  next_ = detail::deadline_after(period);
}

task<time_point> ticker::tick() {
  co_await sleep_until(next_);
  const auto due = next_;
  const auto now = detail::deadline_after(duration::zero());
  next_ = saturating_add(due, period_);
  if (next_ <= now) {
    if (rule_ == missed_ticks::delay) {
      next_ = saturating_add(now, period_);
    } else if (rule_ == missed_ticks::skip) {
      next_ = saturating_add(due, ((now - due) / period_ + 1) * period_);
    }
  }
  co_return due;
}

} // namespace greenroom
