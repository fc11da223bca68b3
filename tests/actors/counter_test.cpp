#include <greenroom/actors/counter.hpp>

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::counter_test {
namespace {

using namespace test;

task<> add_often(counter c, int times) {
  for (int i = 0; i < times; ++i) {
    const auto added = co_await c.add(1);
    EXPECT_TRUE(added);
  }
}
task<std::int64_t> read(counter c) {
  const auto n = co_await c.read(10s);
  co_return n.value_or(-1);
}

TEST(Counter, AddsUpWhatManyActorsAdd) {
  actor_system sys(quiet(2));
  counter c(sys);
  std::vector<actor> all;
  for (int i = 0; i < 5; ++i) all.push_back(sys.spawn(add_often, c, 1'000));
  for (auto& a : all) a.wait();
  EXPECT_EQ(*sys.run(read, c), 5'000);
}

task<std::int64_t> add_and_read(counter c) {
  const auto up = co_await c.add(7);
  const auto down = co_await c.add(-3);
  EXPECT_TRUE(up && down);
  const auto n = co_await c.read(10s);
  co_return n.value_or(-1);
}
TEST(Counter, AnActorReadsWhatItHasAdded) {
  actor_system sys(quiet(2));
  EXPECT_EQ(*sys.run(add_and_read, counter(sys, 100)), 104);
}

TEST(Counter, TheOwnerEndsWithTheLastHandle) {
  one_worker sys;
  {
    counter c(sys);
    const counter copy = c;
    c = counter(sys);
    EXPECT_EQ(*sys.run(read, copy), 0);
    EXPECT_GE(sys.live_actors(), 2U);
  }
  while (sys.live_actors() != 0) std::this_thread::yield();
}

task<> use_without_owner(counter c) {
  const auto n = co_await c.read(10s);
  EXPECT_TRUE(!n && n.error().is(errc::closed));
  const auto added = co_await c.add(1);
  EXPECT_TRUE(!added && added.error().is(errc::closed));
}
TEST(Counter, WithoutItsOwnerItSaysClosed) {
  one_worker sys;
  counter c(sys);
  one_worker other; // an actor of the other system asks
  sys.stop();
  EXPECT_TRUE(other.run(use_without_owner, c));
}

} // namespace
} // namespace greenroom::counter_test
