#include <greenroom/actors/debounce.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/error.hpp>

namespace greenroom::detail {
namespace {

double seconds(duration d) noexcept { return std::chrono::duration<double>(d).count(); }

} // namespace

debounce_options checked(debounce_options how) {
  if (how.quiet <= duration::zero())
    throw usage_error(fmt::format("debounce: quiet must be more than 0 s, not {} s", seconds(how.quiet)));
  if (how.longest < how.quiet) {
    throw usage_error(fmt::format("debounce: longest must be quiet, {} s, or longer, not {} s", seconds(how.quiet),
                                  seconds(how.longest)));
  }
  return how;
}

duration checked_throttle(duration period) {
  if (period > duration::zero()) return period;
  throw usage_error(fmt::format("throttled: the period must be more than 0 s, not {} s", seconds(period)));
}

} // namespace greenroom::detail
