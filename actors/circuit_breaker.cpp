#include <greenroom/actors/circuit_breaker.hpp>

#include <iterator>

#include <greenroom/actors/internal/breaker_core.hpp>
#include <greenroom/runtime/actor.hpp>

namespace greenroom {

const char* to_string(breaker_state state) noexcept {
  static constexpr const char* names[] = {"closed", "open", "half_open"};
  const auto n = static_cast<std::size_t>(state);
  return n < std::size(names) ? names[n] : "";
}

circuit_breaker::circuit_breaker(circuit_breaker_options how)
    : core_(std::make_shared<detail::breaker_core>(std::move(how))) {}

circuit_breaker_stats circuit_breaker::stats() const noexcept { return core_->stats(); }

namespace detail {
namespace {

/// True unless the caller asked for what cannot be.
bool counts_by_default(const error& why) noexcept {
  switch (why.code()) {
  case errc::invalid_argument:
  case errc::not_found:
  case errc::already_exists:
  case errc::unsupported:
  case errc::type_mismatch: return false;
  default: return true;
  }
}

} // namespace

breaker_pass::breaker_pass(std::shared_ptr<breaker_core> through)
    : core_(std::move(through)), system_(this_actor::system()), begun_(system_.now()) {
  const auto admitted = core_->enter(begun_);
  period_ = admitted.period;
  if (admitted.let_in) return;
  refused_ = core_->refusal(admitted);
  core_.reset();
}

breaker_pass::~breaker_pass() {
  if (core_) end(call_outcome::unknown);
}

void breaker_pass::succeeded() { end(call_outcome::succeeded); }
void breaker_pass::threw() { end(call_outcome::failed); }
void breaker_pass::gave(const error& why) {
  const auto& counts = core_->options.counts;
  const bool failed = counts ? counts(why) : counts_by_default(why);
  end(failed ? call_outcome::failed : call_outcome::succeeded);
}

/// What was slow has failed, however it ended: also for a caller who has left.
void breaker_pass::end(call_outcome how) {
  const auto core = std::exchange(core_, nullptr);
  const auto now = system_.now();
  const bool slow = now - begun_ >= core->options.slow_after;
  const auto became = core->end(period_, slow ? call_outcome::slow : how, now);
  if (became == breaker_state::open) {
    system_.log().warn("circuit breaker '{}' opens; it refuses calls for {:.3f} s", core->options.name,
                       std::chrono::duration<double>(core->open_time()).count());
  } else if (became == breaker_state::closed) {
    system_.log().info("circuit breaker '{}' closes", core->options.name);
  }
}

} // namespace detail
} // namespace greenroom
