// Helpers for the tests of what actors wait in: run a scenario, and see that another actor has come to its wait.
#pragma once

#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/actor_cell.hpp>

namespace greenroom::sync_kit {

using detail::wait_kind;

/// Runs the actor `fn(args...)` on `workers` workers and expects it to end normally, and nothing to be left.
template <class F, class... Args>
void run_on(std::size_t workers, F fn, Args... args) {
  actor_system sys(options{.workers = workers});
  const auto outcome = sys.run(fn, args...);
  EXPECT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_TRUE(sys.stop().complete());
  EXPECT_EQ(sys.live_timers(), 0U);
}

/// Returns once `who` waits in a queue of this kind; it is a failure if it ends before.
inline task<> until_waiting(actor who, wait_kind kind) {
  while (detail::kind_of(who.cell()->waits_for.load()) != kind && !who.finished()) co_await yield();
  EXPECT_FALSE(who.finished()) << "it did not wait";
}

inline task<> join_all(std::vector<actor>* who) {
  for (auto& a : *who) {
    const auto why = co_await a.join();
    EXPECT_TRUE(why.normal()) << why.to_string();
  }
}

inline task<> expect_end(actor who, exit_kind kind) {
  const auto why = co_await who.join();
  EXPECT_EQ(why.kind(), kind) << why.to_string();
}

} // namespace greenroom::sync_kit
