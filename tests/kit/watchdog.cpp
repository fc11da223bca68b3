#include <greenroom/testkit/watchdog.hpp>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace greenroom::testkit {

std::string describe_actors(const actor_system& sys) {
  return fmt::format("{}\n{}\n", sys.ledger().to_string(), sys.deadlocks().to_string());
}

watchdog::watchdog(const actor_system& sys, std::chrono::milliseconds limit, handler then)
    : sys_(sys), limit_(limit), then_(std::move(then)) {
  thread_ = std::thread([this] { watch(); });
}

watchdog::~watchdog() {
  {
    std::lock_guard guard(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void watchdog::watch() {
  const auto deadline = saturating_add(std::chrono::steady_clock::now(), limit_);
  {
    std::unique_lock lock(mutex_);
    if (changed_.wait_until(lock, deadline, [this] { return over_; })) return;
  }
  bark();
}

void watchdog::bark() const {
  const auto first = fmt::format("watchdog: the test has not ended within {} ms\n", limit_.count());
  std::fputs(first.c_str(), stderr); // at once: the rest takes locks that might be what hangs
  std::fflush(stderr);
  const auto rest = describe_actors(sys_);
  std::fputs(rest.c_str(), stderr);
  std::fflush(stderr);
  if (!then_) std::abort();
  then_(first + rest);
}

} // namespace greenroom::testkit
