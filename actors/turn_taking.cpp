#include <greenroom/actors/turn_taking.hpp>

#include <algorithm>
#include <mutex>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>

namespace greenroom {
namespace detail {
namespace {

time_point now_here() noexcept { return deadline_after(duration::zero()); }

} // namespace

turn_core::turn_core(std::vector<std::string> names, duration limit) : limit_(limit), present_(names.size()) {
  seats_.reserve(names.size());
  for (auto& n : names) seats_.emplace_back().info.name = std::move(n);
}

void turn_core::mark_taken_locked(place& seat) noexcept {
  if (seat.taken == turn_) return;
  seat.taken = turn_;
  seat.overdue = false;
  ++seat.info.turns;
}

bool turn_core::take_locked(std::size_t seat, std::uint64_t& won) noexcept {
  if (over_ || !seats_[seat].info.present) return true;
  if (holder_ != seat) return false;
  mark_taken_locked(seats_[seat]);
  won = turn_;
  return true;
}

void turn_core::move_on_locked(std::size_t skipped, time_point now, wake_list& wake) noexcept {
  for (auto left = skipped % present_ + 1; left != 0;) {
    holder_ = (holder_ + 1) % seats_.size();
    if (seats_[holder_].info.present) --left;
  }
  ++turn_;
  if (limited()) ends_ = saturating_add(now, limit_);
  auto& next = seats_[holder_];
  if (auto* w = next.queue.claim_front()) {
    mark_taken_locked(next);
    static_cast<turn_place*>(w)->won = turn_;
    wake.add(*w);
  }
}

void turn_core::expire_locked(time_point now, wake_list& wake) noexcept {
  if (!clock_runs_ || over_ || now < ends_) return;
  auto& late = seats_[holder_];
  ++late.info.timed_out;
  if (late.taken == turn_) late.overdue = true;
  move_on_locked(0, now, wake);
}

time_point turn_core::end_of_turn(time_point now) noexcept {
  wake_list wake;
  std::lock_guard guard(lock_);
  if (!clock_runs_) {
    clock_runs_ = true;
    ends_ = saturating_add(now, limit_);
  }
  expire_locked(now, wake);
  return ends_;
}

result<void> turn_core::pass(std::size_t seat, std::size_t skipped, time_point now) {
  wake_list wake;
  std::unique_lock guard(lock_);
  auto& mine = seats_[seat];
  expire_locked(now, wake);
  if (std::exchange(mine.overdue, false)) return errc::timed_out;
  if (over_) return errc::closed;
  if (holder_ == seat && mine.taken == turn_) {
    move_on_locked(skipped, now, wake);
    return {};
  }
  const auto holder = holder_;
  guard.unlock();
  return error(
      errc::invalid_argument,
      fmt::format("turn_taking: pass by '{}': it has not taken up a turn (the turn is with '{}'); wait() first",
                  name(seat), name(holder)));
}

void turn_core::leave(std::size_t seat, time_point now) noexcept {
  wake_list wake;
  std::lock_guard guard(lock_);
  auto& mine = seats_[seat];
  if (!mine.info.present) return;
  mine.info.present = false;
  if (--present_ == 0) {
    finish_locked(wake);
  } else if (!over_ && holder_ == seat) {
    move_on_locked(0, now, wake);
  }
}

void turn_core::finish() noexcept {
  wake_list wake;
  std::lock_guard guard(lock_);
  finish_locked(wake);
}

void turn_core::finish_locked(wake_list& wake) noexcept {
  over_ = true;
  for (auto& seat : seats_) {
    while (auto* w = seat.queue.claim_front()) wake.add(*w);
  }
}

bool turn_core::holds(std::size_t seat) noexcept {
  std::lock_guard guard(lock_);
  return !over_ && holder_ == seat;
}

bool turn_core::over() noexcept {
  std::lock_guard guard(lock_);
  return over_;
}

std::optional<std::size_t> turn_core::holder() noexcept {
  std::lock_guard guard(lock_);
  if (over_) return std::nullopt;
  return holder_;
}

turn_info turn_core::info(std::size_t seat) {
  auto copy = turn_info{name(seat)};
  std::lock_guard guard(lock_);
  const auto& info = seats_[seat].info;
  copy.present = info.present;
  copy.turns = info.turns;
  copy.timed_out = info.timed_out;
  return copy;
}

task<std::optional<std::uint64_t>> wait_with_limit(turn_core* core, std::size_t seat, time_point deadline) {
  for (;;) {
    const auto until = core->limited() ? std::min(deadline, core->end_of_turn(now_here())) : deadline;
    queued_op turn(turn_action(core, seat), until);
    const auto won = co_await turn;
    if (won || deadline <= now_here()) co_return won;
    co_await yield(); // however short the turns are, others get theirs
  }
}

} // namespace detail

passed turn_seat::skip(std::size_t parties) {
  auto* const core = present("pass");
  return core->pass(index_, parties, core->limited() ? detail::now_here() : time_point());
}

void turn_seat::leave() noexcept {
  if (auto* const core = core_.take()) {
    core->leave(index_, core->limited() ? detail::now_here() : time_point());
    core->release();
  }
}

void turn_seat::finish() noexcept {
  if (core_ != nullptr) core_->finish();
}

detail::turn_core* turn_seat::present(const char* what) const {
  if (core_ == nullptr) {
    throw usage_error("turn_taking: " + std::string(what) + ": this seat has left, or was moved from");
  }
  return core_;
}

task<result<void>> turn_seat::wait_until(detail::turn_core* core, std::size_t index, time_point deadline) {
  const auto won = co_await detail::wait_with_limit(core, index, deadline);
  if (!won) co_return errc::timed_out;
  if (*won == 0) co_return errc::closed;
  co_return result<void>();
}

turn_taking::turn_taking(std::vector<std::string> names, turn_options opts) {
  if (names.empty()) throw usage_error("turn_taking: a game needs one party at least");
  if (opts.limit <= duration::zero()) {
    throw usage_error(fmt::format("turn_taking: the limit of a turn must be positive, not {} ns", opts.limit.count()));
  }
  const auto count = names.size();
  untaken_.reserve(count); // before the core, which nobody would free
  core_ = new detail::turn_core(std::move(names), opts.limit);
  for (std::size_t i = 0; i < count; ++i) {
    core_->add_ref();
    untaken_.push_back(turn_seat(core_, i));
  }
}

namespace {
std::vector<std::string> numbers(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}
} // namespace

turn_taking::turn_taking(std::size_t parties, turn_options opts) : turn_taking(numbers(parties), opts) {}

turn_seat turn_taking::seat(std::size_t index) {
  if (index >= untaken_.size() || !untaken_[index]) {
    throw usage_error(fmt::format("turn_taking: seat {} of {}: {}", index, untaken_.size(),
                                  index >= untaken_.size() ? "there is none such" : "it was given away before"));
  }
  return std::move(untaken_[index]);
}

turn_seat turn_taking::seat(std::string_view name) {
  for (std::size_t i = 0; i < untaken_.size(); ++i) {
    if (core_->name(i) == name) return seat(i);
  }
  throw usage_error(fmt::format("turn_taking: seat '{}': there is no such party", name));
}

void turn_taking::finish() noexcept { core_->finish(); }
bool turn_taking::over() const noexcept { return core_->over(); }
std::optional<std::size_t> turn_taking::holder() const noexcept { return core_->holder(); }

std::vector<turn_info> turn_taking::parties() const {
  std::vector<turn_info> all;
  for (std::size_t i = 0; i < untaken_.size(); ++i) all.push_back(core_->info(i));
  return all;
}

} // namespace greenroom
