#include <greenroom/actors/bulkhead.hpp>

#include <chrono>

#include <fmt/format.h>

namespace greenroom {
namespace {

constexpr std::int64_t most = 1'000'000;

bulkhead_options checked(bulkhead_options how) {
  const auto refuse = [&how](const char* what, const char* range, auto value) {
    throw usage_error(fmt::format("bulkhead '{}': {} must be {}, not {}", how.name, what, range, value));
  };
  if (how.at_once < 1 || how.at_once > most) refuse("at_once", "from 1 to 1,000,000", how.at_once);
  if (how.queue < 0 || how.queue > most) refuse("queue", "from 0 to 1,000,000", how.queue);
  if (how.wait < duration::zero()) refuse("wait", "0 s or longer", std::chrono::duration<double>(how.wait).count());
  return how;
}

} // namespace

// Who is in, running or waiting, has a permit of `places`; who runs, one of `running` as well. So the two semaphores own the whole state,
// and both limits hold exactly.
struct bulkhead::core {
  explicit core(bulkhead_options o)
      : how(checked(std::move(o))), running(how.at_once), places(how.at_once + how.queue) {}

  const bulkhead_options how;
  semaphore running;
  semaphore places;
  std::atomic<std::uint64_t> admitted{0}, refused{0}, late{0};
};

bulkhead::bulkhead(bulkhead_options how) : core_(std::make_shared<core>(std::move(how))) {}

task<result<bulkhead::room>> bulkhead::enter(std::shared_ptr<core> at) {
  const auto& how = at->how;
  auto place = at->places.try_acquire();
  if (!place) {
    at->refused.fetch_add(1, std::memory_order_relaxed);
    co_return error(errc::full, fmt::format("bulkhead '{}' is full: {} calls run and {} wait, its limits", how.name,
                                            how.at_once, how.queue));
  }
  auto turn = co_await at->running.acquire_for(how.wait);
  if (!turn) {
    at->late.fetch_add(1, std::memory_order_relaxed);
    co_return error(errc::full,
                    fmt::format("bulkhead '{}' is full: none of its {} calls ended in the {:.3f} s that one waits",
                                how.name, how.at_once, std::chrono::duration<double>(how.wait).count()));
  }
  at->admitted.fetch_add(1, std::memory_order_relaxed);
  co_return room(*std::move(turn), *std::move(place));
}

bulkhead_stats bulkhead::stats() const noexcept {
  const auto& c = *core_;
  const auto running = c.how.at_once - core_->running.available_approx();
  const auto in = c.how.at_once + c.how.queue - core_->places.available_approx();
  return {.running = running,
          .waiting = in > running ? in - running : 0,
          .admitted = c.admitted.load(std::memory_order_relaxed),
          .refused = c.refused.load(std::memory_order_relaxed),
          .late = c.late.load(std::memory_order_relaxed)};
}

} // namespace greenroom
