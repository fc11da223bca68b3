#include <greenroom/actors/cache.hpp>

#include <fmt/format.h>

namespace greenroom::detail {

cache_options checked(cache_options how) {
  if (how.entries == 0) throw usage_error("cache: entries must be 1 or more, not 0");
  const auto check = [](const char* what, duration d, bool may_be_zero) {
    if (d > duration::zero() || (may_be_zero && d == duration::zero())) return;
    throw usage_error(fmt::format("cache: {} must be {} 0 s, not {} s", what, may_be_zero ? "at least" : "more than",
                                  std::chrono::duration<double>(d).count()));
  };
  check("fresh", how.fresh, true);
  check("stale", how.stale, true);
  check("negative", how.negative, true);
  check("reload_limit", how.reload_limit, false);
  return how;
}

} // namespace greenroom::detail
