#include <greenroom/runtime/clock.hpp>

#include <ctime>

namespace greenroom {

static_assert(std::is_same_v<time_point::duration, duration>, "saturating_add counts in nanoseconds");

clock::~clock() = default;

namespace {

class machine_clock final : public clock {
public:
  time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
  time_point coarse_now() const noexcept override {
    // The kernel's last tick, of which one comes every 1 to 10 ms; the clock is steady_clock's.
    std::timespec tick;
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &tick);
    return time_point(std::chrono::seconds(tick.tv_sec) + std::chrono::nanoseconds(tick.tv_nsec));
  }
  std::chrono::system_clock::time_point wall_now() const noexcept override { return std::chrono::system_clock::now(); }
  std::chrono::sys_seconds wall_second() const noexcept override {
    return std::chrono::sys_seconds(std::chrono::seconds(::time(nullptr)));
  }
};

} // namespace

const clock& real_clock() noexcept {
  static const machine_clock instance;
  return instance;
}

} // namespace greenroom
