#include <greenroom/actors/internal/breaker_core.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace greenroom::detail {
namespace {

double seconds(duration d) noexcept { return std::chrono::duration<double>(d).count(); }

circuit_breaker_options checked(circuit_breaker_options how) {
  const auto refuse = [&how](const char* what, const char* range, auto value) {
    throw usage_error(fmt::format("circuit_breaker '{}': {} must be {}, not {}", how.name, what, range, value));
  };
  if (!(how.failure_share > 0 && how.failure_share <= 1))
    refuse("failure_share", "above 0 and at most 1", how.failure_share);
  if (how.window < std::chrono::milliseconds(1)) refuse("window", "0.001 s or longer", seconds(how.window));
  if (how.least_calls == 0) refuse("least_calls", "1 or more", how.least_calls);
  if (how.slow_after <= duration::zero()) refuse("slow_after", "more than 0 s", seconds(how.slow_after));
  if (how.open_time <= duration::zero()) refuse("open_time", "more than 0 s", seconds(how.open_time));
  if (how.longest_open_time < how.open_time)
    refuse("longest_open_time", "open_time or longer", seconds(how.longest_open_time));
  if (how.trials == 0) refuse("trials", "1 or more", how.trials);
  return how;
}

} // namespace

// -- the window -------------------------------------------------------------------------------------------

void rolling_counts::add(time_point now, bool failed) noexcept {
  const auto number = number_of(now);
  auto& p = parts_[static_cast<std::size_t>(number) % parts_.size()];
  if (p.number > number) return; // noted by somebody who read the clock a window ago
  if (p.number != number) p = {number, {}};
  ++p.in.calls;
  if (failed) ++p.in.failures;
}

rolling_counts::counts rolling_counts::sum(time_point now) const noexcept {
  counts all;
  const auto oldest = number_of(now) - static_cast<std::int64_t>(parts_.size()) + 1;
  for (const auto& p : parts_) {
    if (p.number < oldest) continue;
    all.calls += p.in.calls;
    all.failures += p.in.failures;
  }
  return all;
}

// -- the state --------------------------------------------------------------------------------------------

breaker_core::breaker_core(circuit_breaker_options how)
    : options(checked(std::move(how))), window_(options.window), open_for_(options.open_time) {}

breaker_core::admission breaker_core::enter(time_point now) noexcept {
  std::lock_guard guard(lock_);
  last_ = std::max(last_, now);
  if (state_ == breaker_state::open && now >= tries_at_) {
    state_ = breaker_state::half_open;
    ++period_;
    trying_ = passed_ = 0;
  }
  if (state_ == breaker_state::closed) return {.let_in = true, .period = period_};
  if (state_ == breaker_state::half_open && trying_ + passed_ < options.trials) {
    ++trying_;
    return {.let_in = true, .period = period_};
  }
  ++seen_.refused;
  const auto again_in = state_ == breaker_state::open ? tries_at_ - now : duration::zero();
  return {.again_in = again_in, .why = at_opening_, .by_trial = opened_by_trial_};
}

std::optional<breaker_state> breaker_core::end(std::uint64_t period, call_outcome how, time_point now) noexcept {
  std::lock_guard guard(lock_);
  last_ = std::max(last_, now);
  count(how);
  if (period != period_) return std::nullopt;
  const bool failed = how == call_outcome::failed || how == call_outcome::slow;
  if (state_ == breaker_state::half_open) {
    --trying_;
    if (failed) return open(now, true), state_;
    if (how == call_outcome::succeeded && ++passed_ == options.trials) return close(), state_;
    return std::nullopt;
  }
  if (how == call_outcome::unknown) return std::nullopt;
  window_.add(now, failed);
  const auto sum = window_.sum(now);
  const auto too_many = options.failure_share * static_cast<double>(sum.calls);
  if (sum.calls < options.least_calls || static_cast<double>(sum.failures) < too_many) return std::nullopt;
  return open(now, false), state_;
}

void breaker_core::count(call_outcome how) noexcept {
  switch (how) {
  case call_outcome::succeeded: ++seen_.succeeded; break;
  case call_outcome::slow: ++seen_.slow; [[fallthrough]];
  case call_outcome::failed: ++seen_.failed; break;
  case call_outcome::unknown: ++seen_.unknown; break;
  }
}

void breaker_core::open(time_point now, bool by_trial) noexcept {
  if (by_trial) {
    open_for_ = open_for_ > options.longest_open_time / 2 ? options.longest_open_time : 2 * open_for_;
  } else {
    at_opening_ = window_.sum(now);
  }
  opened_by_trial_ = by_trial;
  state_ = breaker_state::open;
  ++period_;
  ++seen_.opened;
  tries_at_ = saturating_add(now, open_for_);
  window_.clear();
}

void breaker_core::close() noexcept {
  state_ = breaker_state::closed;
  ++period_;
  open_for_ = options.open_time;
  window_.clear();
}

// -- what it says -----------------------------------------------------------------------------------------

circuit_breaker_stats breaker_core::stats() const noexcept {
  std::lock_guard guard(lock_);
  auto now = seen_;
  now.state = state_;
  if (state_ == breaker_state::open) now.tries_at = tries_at_;
  const auto sum = window_.sum(last_);
  now.window_calls = sum.calls;
  now.window_failures = sum.failures;
  return now;
}

duration breaker_core::open_time() const noexcept {
  std::lock_guard guard(lock_);
  return open_for_;
}

error breaker_core::refusal(const admission& refused) const {
  const auto& why = refused.why;
  if (refused.again_in == duration::zero()) {
    return {errc::unavailable, fmt::format("circuit breaker '{}' is half open: it waits for {} trial call{} to end",
                                           options.name, options.trials, options.trials == 1 ? "" : "s")};
  }
  auto text =
      refused.by_trial
          ? fmt::format("circuit breaker '{}' is open: its trial call failed, too", options.name)
          : fmt::format("circuit breaker '{}' is open: {} of {} calls in {:g} s failed (limit {:g} %)", options.name,
                        why.failures, why.calls, seconds(options.window), 100 * options.failure_share);
  return {errc::unavailable, fmt::format("{}; it lets a call through in {:.3f} s", text, seconds(refused.again_in))};
}

} // namespace greenroom::detail
