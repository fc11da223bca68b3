#include <greenroom/actors/restart.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace greenroom {

const char* to_string(restart_kind kind) noexcept {
  static constexpr const char* names[] = {"permanent", "transient", "temporary"};
  const auto n = static_cast<std::size_t>(kind);
  return n < std::size(names) ? names[n] : "";
}

const char* to_string(queue_fate fate) noexcept {
  static constexpr const char* names[] = {"drop_poison", "dead_letter", "keep", "drop"};
  const auto n = static_cast<std::size_t>(fate);
  return n < std::size(names) ? names[n] : "";
}

bool calls_for_restart(restart_kind kind, const exit_reason& why) noexcept {
  if (kind == transient) return why.kind() == exit_kind::failed || why.kind() == exit_kind::killed;
  return kind == permanent;
}

result<void> backoff::check() const {
  const auto bad = [](const char* field, const char* range, double value) {
    return error(errc::invalid_argument, fmt::format("backoff: {} must be {}, not {}", field, range, value));
  };
  const auto seconds = [](duration d) { return std::chrono::duration<double>(d).count(); };
  if (first < duration::zero()) return bad("first", "0 or more seconds", seconds(first));
  if (most < first) return bad("most", fmt::format("`first`, {} s, or more", seconds(first)).c_str(), seconds(most));
  if (!(factor >= 1)) return bad("factor", "1 or more", factor);
  if (!(jitter >= 0 && jitter <= 1)) return bad("jitter", "from 0 to 1", jitter);
  if (lasts < duration::zero()) return bad("lasts", "0 or more seconds", seconds(lasts));
  return {};
}

result<void> restart_intensity::check() const {
  if (restarts < 0) {
    return error(errc::invalid_argument, fmt::format("intensity: restarts must be 0 or more, not {}", restarts));
  }
  if (period <= duration::zero()) {
    return error(errc::invalid_argument, fmt::format("intensity: the period must be more than 0 s, not {} s",
                                                     std::chrono::duration<double>(period).count()));
  }
  return {};
}

namespace detail {

bool restart_window::admit(time_point now) {
  while (!when_.empty() && now - when_.front() > limit_.period) when_.pop_front();
  when_.push_back(now);
  return when_.size() <= static_cast<std::size_t>(limit_.restarts);
}

duration restart_pauses::next(const backoff& how, duration ran, xoshiro& random) noexcept {
  if (how.first == duration::zero()) return {};
  const auto most = static_cast<double>(how.most.count());
  const bool lasted = ran >= how.lasts;
  pause_ = pause_ == 0 || lasted ? static_cast<double>(how.first.count()) : std::min(pause_ * how.factor, most);
  const auto part = static_cast<double>(random.next() >> 11) * 0x1p-53; // 0 to 1
  const auto drawn = pause_ * (1 + how.jitter * (2 * part - 1));
  return duration(static_cast<duration::rep>(std::min(drawn, 9e18)));
}

} // namespace detail
} // namespace greenroom
