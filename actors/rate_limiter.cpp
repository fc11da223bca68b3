#include <greenroom/actors/rate_limiter.hpp>

#include <algorithm>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include <greenroom/actors/detail/cell_rate.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom {
namespace {

using namespace std::chrono_literals;

double seconds(duration d) noexcept { return std::chrono::duration<double>(d).count(); }

duration interval_of(const rate_limiter_options& how) noexcept {
  return how.period / static_cast<duration::rep>(how.calls);
}

rate_limiter_options checked(rate_limiter_options how) {
  if (how.calls == 0 || how.period <= 0ns || how.period > 24h ||
      how.calls > static_cast<std::uint64_t>(how.period.count())) {
    throw usage_error(fmt::format("rate_limiter '{}': calls must be at least 1, period up to a day and at least 1 ns "
                                  "for each of them, not {} in {} ns",
                                  how.name, how.calls, how.period.count()));
  }
  const auto most = std::min<std::uint64_t>(1'000'000, static_cast<std::uint64_t>(24h * 365 / interval_of(how)));
  if (how.burst == 0 || how.burst > most) {
    throw usage_error(fmt::format("rate_limiter '{}': burst must be from 1 to {}, not {}", how.name, most, how.burst));
  }
  return how;
}

} // namespace

struct rate_limiter::core {
  explicit core(rate_limiter_options o) : how(checked(std::move(o))), rate(interval_of(how), how.burst) {}

  error refusal(duration next, std::string_view reason) const {
    return {errc::limit, fmt::format("rate limiter '{}': {} call{} in {:g} s {}; the next turn is in {:.3f} s{}",
                                     how.name, how.calls, how.calls == 1 ? "" : "s", seconds(how.period),
                                     how.calls == 1 ? "is let through" : "are let through", seconds(next), reason)};
  }

  const rate_limiter_options how;
  const detail::cell_rate rate;
  detail::spin_lock lock;
  time_point full_at{}; // owned by lock, as is the following
  rate_limiter_stats seen{};
};

/// A turn that was reserved, and is given back if its time does not come.
class rate_limiter::turn {
public:
  turn(core& of, time_point now, duration longest_wait) : of_(of), now_(now) {
    std::lock_guard guard(of.lock);
    const auto wait = of.rate.wait(of.full_at, now);
    if (wait > longest_wait) {
      ++of.seen.refused;
      too_late_ = wait;
      return;
    }
    of.rate.take(of.full_at, now);
    reserved_ = of.full_at;
    ++of.seen.taken;
    if (wait > duration::zero()) ++of.seen.waited;
    comes_at_ = now + wait;
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    if (reserved_ == time_point()) return;
    std::lock_guard guard(of_.lock);
    ++of_.seen.left;
    // Behind it others may have reserved theirs: this one would then come a second time beside the last of them.
    if (of_.full_at == reserved_) of_.rate.give_back(of_.full_at);
  }

  /// How long it would have taken, if that is too long.
  std::optional<duration> too_late() const noexcept { return too_late_; }
  bool has_come() const noexcept { return comes_at_ <= now_; }
  time_point comes_at() const noexcept { return comes_at_; }
  void use() noexcept { reserved_ = {}; }

private:
  core& of_;
  const time_point now_;
  time_point comes_at_{};
  time_point reserved_{}; // what full_at was by it; none: used, or refused
  std::optional<duration> too_late_;
};

rate_limiter::rate_limiter(rate_limiter_options how) : core_(std::make_shared<core>(std::move(how))) {}

result<void> rate_limiter::try_take() const {
  turn mine(*core_, this_actor::system().now(), duration::zero());
  if (const auto wait = mine.too_late()) return core_->refusal(*wait, "");
  mine.use();
  return {};
}

task<result<void>> rate_limiter::wait_for_turn(std::shared_ptr<core> at, duration longest_wait) {
  const auto left = this_actor::context().remaining();
  turn mine(*at, this_actor::system().now(), std::min(longest_wait, left));
  if (const auto wait = mine.too_late())
    co_return at->refusal(*wait, fmt::format(", and who asks has {:.3f} s", seconds(std::min(longest_wait, left))));
  if (!mine.has_come()) co_await sleep_until(mine.comes_at());
  mine.use();
  co_return result<void>();
}

rate_limiter_stats rate_limiter::stats() const noexcept {
  std::lock_guard guard(core_->lock);
  return core_->seen;
}

} // namespace greenroom
