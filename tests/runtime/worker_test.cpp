// Who runs when: nobody starves, and idle workers come to the help of stuck ones.
#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/transport.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::worker_test {
namespace {

using namespace test;

task<> play(mailbox<int> in, address<int> out, const std::atomic<bool>* over) {
  while (const auto ball = co_await in.receive()) {
    if (*over) co_return;
    if (!co_await out.send(*ball + 1)) co_return;
  }
}

/// Two actors that hand a ball to and fro without end.
std::vector<actor> chatty_pair(actor_system& sys, const std::atomic<bool>* over) {
  auto one = make_mailbox<int>(bounded(1));
  auto two = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(one.out.try_send(0));
  return {sys.spawn(play, one.in, two.out, over), sys.spawn(play, two.in, one.out, over)};
}

task<> set(std::atomic<bool>* flag) { co_return flag->store(true); }

TEST(Worker, ChattyPairStarvesNobody) {
  one_worker sys;
  std::atomic<bool> over = false;
  const auto pair = chatty_pair(sys, &over);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(sys.run(settle));
  EXPECT_TRUE(sys.run([]() -> task<> { co_await spawn(settle).join(); }));
  over = true;
  for (auto& a : pair) EXPECT_TRUE(a.wait().normal());
}

TEST(Worker, ChattyPairsStarveNoTimer) {
  one_worker sys;
  std::atomic<bool> over = false;
  std::vector<actor> all;
  for (int i = 0; i < 4; ++i) {
    for (auto& a : chatty_pair(sys, &over)) all.push_back(a);
  }
  EXPECT_TRUE(sys.run([]() -> task<> { co_await sleep_for(1ms); }));
  over = true;
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
}

TEST(Worker, YieldingActorsStarveNoSpawnedOne) {
  one_worker sys;
  std::atomic<bool> over = false;
  const auto spin = [](const std::atomic<bool>* o) -> task<> {
    while (!*o) co_await yield();
  };
  const auto a = sys.spawn(spin, &over);
  const auto b = sys.spawn(spin, &over);
  EXPECT_TRUE(sys.run([]() -> task<> { co_await spawn(settle).join(); }));
  over = true;
  a.wait();
  b.wait();
}

TEST(Worker, YieldersTakeTurns) {
  one_worker sys;
  std::string order;
  const auto ok = sys.run(
      [](std::string* log) -> task<> {
        const auto body = [](std::string* l, char me) -> task<> {
          for (int i = 0; i < 4; ++i) {
            l->push_back(me);
            co_await yield();
          }
        };
        std::vector<actor> all;
        for (const char c : {'a', 'b', 'c'}) all.push_back(spawn(body, log, c));
        for (auto& a : all) co_await a.join();
      },
      &order);
  EXPECT_TRUE(ok);
  ASSERT_EQ(order.size(), 12u);
  for (std::size_t i = 3; i < order.size(); ++i) EXPECT_EQ(order[i], order[i - 3]) << order;
}

TEST(Worker, StuckOneDoesNotHoldUpWhatItMadeReady) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 20; ++i) {
    std::atomic<bool> helped = false;
    auto [in, out] = make_mailbox<int>(rendezvous());
    const auto helper = sys.spawn(
        [](mailbox<int> box, std::atomic<bool>* flag) -> task<> {
          co_await box.receive();
          *flag = true;
        },
        in, &helped);
    await_wait(sys, helper, "receive");
    const auto stuck = sys.spawn(
        [](address<int> to, std::atomic<bool>* flag) -> task<> {
          EXPECT_TRUE(to.try_send(1));
          while (!*flag) std::this_thread::yield(); // ends only if the helper runs elsewhere
          co_return;
        },
        out, &helped);
    EXPECT_TRUE(stuck.wait().normal());
    helper.wait();
  }
}

TEST(Worker, StuckOneDoesNotHoldUpWhatItSpawned) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 20; ++i) {
    const auto stuck = sys.spawn([]() -> task<> {
      std::atomic<bool> one = false;
      std::atomic<bool> two = false;
      spawn(set, &one);
      spawn(set, &two);
      while (!one || !two) std::this_thread::yield();
      co_return;
    });
    EXPECT_TRUE(stuck.wait().normal());
  }
}

// The other worker sleeps soundly by then; a timer, not a call from outside, wakes the one that gets stuck.
TEST(Worker, StuckOneIsHelpedByOneThatSleepsSoundly) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 5; ++i) {
    std::atomic<bool> helped = false;
    auto [in, out] = make_mailbox<int>(rendezvous());
    const auto helper = sys.spawn(
        [](mailbox<int> box, std::atomic<bool>* flag) -> task<> {
          co_await box.receive();
          *flag = true;
        },
        in, &helped);
    const auto stuck = sys.spawn(
        [](address<int> to, std::atomic<bool>* flag) -> task<> {
          co_await sleep_for(60ms); // long enough for all to fall asleep
          EXPECT_TRUE(to.try_send(1));
          while (!*flag) std::this_thread::yield();
        },
        out, &helped);
    EXPECT_TRUE(stuck.wait().normal());
    helper.wait();
  }
}

/// Keeps its worker until a timer of that worker has woken another actor.
task<> keep_until_a_timer() {
  std::atomic<bool> woke = false;
  spawn(
      [](std::atomic<bool>* w) -> task<> {
        co_await sleep_for(2ms);
        *w = true;
      },
      &woke);
  co_await yield(); // the sleeper arms its timer here
  while (!woke) std::this_thread::yield();
}

TEST(Worker, StuckOneDoesNotHoldUpItsTimers) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(sys.spawn(keep_until_a_timer).wait().normal());
}

task<> once_told_keep_worker(mailbox<int> told, const std::atomic<bool>* until) {
  co_await told.receive();
  while (!*until) std::this_thread::yield();
}

/// Makes all of them ready, and then keeps its worker, too.
task<> tell_and_keep_worker(std::vector<address<int>> whom, const std::atomic<bool>* until) {
  for (auto& one : whom) EXPECT_TRUE(one.try_send(1));
  while (!*until) std::this_thread::yield();
  co_return;
}

// Whoever takes over what waits behind a stuck one may get stuck by that: then another idle one has to stand guard.
TEST(Worker, StuckOneIsHelpedThoughItsHelpersGetStuck) {
  for (const std::size_t workers : {3, 4, 5}) {
    actor_system sys(quiet(workers));
    std::atomic<bool> helped = false;
    std::vector<actor> all;
    std::vector<address<int>> whom;
    const auto told = [&](auto body) {
      auto [in, out] = make_mailbox<int>(bounded(1));
      all.push_back(sys.spawn(body, std::move(in), &helped));
      whom.push_back(std::move(out));
      await_wait(sys, all.back(), "receive");
    };
    told([](mailbox<int> box, std::atomic<bool>* flag) -> task<> {
      co_await box.receive();
      *flag = true;
    });
    for (std::size_t i = 2; i < workers; ++i) told(once_told_keep_worker); // one worker is left
    all.push_back(sys.spawn(tell_and_keep_worker, std::move(whom), &helped));
    for (auto& a : all) EXPECT_TRUE(a.wait().normal()) << workers << " workers";
  }
}

task<> tell_later(address<int> whom) {
  co_await sleep_for(120ms); // long enough for all to fall asleep
  EXPECT_TRUE(whom.try_send(1));
}

// All sleep soundly by then, and what was sent from outside is all that the one which is rung has to do: it has timers all the same.
TEST(Worker, StuckOneThatWasRungFromOutsideDoesNotHoldUpItsTimers) {
  actor_system outside(quiet(1));
  for (const std::size_t workers : {2, 3}) {
    actor_system sys(quiet(workers));
    std::atomic<bool> woke = false;
    auto [in, out] = make_mailbox<int>(bounded(1));
    const auto stuck = sys.spawn(once_told_keep_worker, std::move(in), &woke);
    await_wait(sys, stuck, "receive");
    const auto sleeper = sys.spawn(
        [](std::atomic<bool>* w) -> task<> {
          co_await sleep_for(200ms);
          *w = true;
        },
        &woke);
    outside.spawn(tell_later, std::move(out));
    EXPECT_TRUE(stuck.wait().normal()) << workers << " workers";
    EXPECT_TRUE(sleeper.wait().normal());
  }
}

void keep_until_four(std::atomic<int>* begun) {
  ++*begun;
  while (*begun < 4) std::this_thread::yield();
}
task<> keep_worker_until_all_have_begun(std::atomic<int>* begun) {
  keep_until_four(begun);
  co_return;
}

// Who takes a part of what waits and gets stuck in it leaves the rest to one that sleeps soundly.
TEST(Worker, StuckThievesLeaveNothingBehind) {
  actor_system sys(quiet(4));
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> begun = 0;
    const auto first = sys.spawn(
        [](std::atomic<int>* n) -> task<> {
          for (int i = 0; i < 3; ++i) spawn(keep_worker_until_all_have_begun, n);
          keep_until_four(n);
          co_return;
        },
        &begun);
    EXPECT_TRUE(first.wait().normal());
    while (sys.live_actors() != 0) std::this_thread::yield();
  }
}

TEST(Worker, StuckOneIsHelpedByOneThatIsNeverIdle) {
  actor_system sys(quiet(2));
  std::atomic<bool> over = false;
  const auto pair = chatty_pair(sys, &over);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(sys.spawn(keep_until_a_timer).wait().normal());
  over = true;
  for (auto& a : pair) EXPECT_TRUE(a.wait().normal());
}

task<> count_one(std::atomic<int>* count) {
  ++*count;
  co_return;
}

TEST(Worker, StuckOneWithALongQueueIsHelpedByOneThatIsNeverIdle) {
  actor_system sys(quiet(2));
  std::atomic<bool> over = false;
  const auto pair = chatty_pair(sys, &over);
  const auto stuck = sys.spawn([]() -> task<> {
    constexpr int many = 5'000;
    std::atomic<int> count = 0;
    for (int i = 0; i < many; ++i) spawn(count_one, &count);
    while (count != many) std::this_thread::yield();
    co_return;
  });
  EXPECT_TRUE(stuck.wait().normal());
  over = true;
  for (auto& a : pair) EXPECT_TRUE(a.wait().normal());
}

task<> read_one(stream* from, std::atomic<bool>* done) {
  std::array<std::byte, 1> one{};
  const auto got = co_await from->read_some(one);
  EXPECT_TRUE(got);
  *done = true;
}

/// Keeps its worker until another actor has read from a socket that was made there.
task<> keep_until_a_byte() {
  auto at = this_actor::system().net().listen({"127.0.0.1", 0});
  if (!at) throw std::runtime_error(std::string(at.error().message()));
  const endpoint there("127.0.0.1", (*at)->port());
  auto near = co_await this_actor::system().net().connect(there);
  auto far = co_await (*at)->accept();
  if (!near || !far) throw std::runtime_error("no connection");
  std::atomic<bool> read = false;
  spawn(read_one, near->get(), &read);
  co_await yield(); // the reader waits
  const std::array<std::byte, 1> one{};
  EXPECT_TRUE((*far)->try_write(one));
  while (!read) std::this_thread::yield();
}

TEST(Worker, StuckOneDoesNotHoldUpItsSockets) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sys.spawn(keep_until_a_byte).wait().normal());
}

TEST(Worker, EveryWorkerStuckStillServesAllOnceFree) {
  actor_system sys(quiet(2));
  std::atomic<int> ran = 0;
  std::atomic<bool> go = false;
  std::vector<actor> all;
  for (int i = 0; i < 2; ++i) {
    all.push_back(sys.spawn(
        [](std::atomic<bool>* g) -> task<> {
          while (!*g) std::this_thread::yield();
          co_return;
        },
        &go));
  }
  for (int i = 0; i < 100; ++i) {
    all.push_back(sys.spawn([](std::atomic<int>* n) -> task<> { co_return void(++*n); }, &ran));
  }
  go = true;
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(ran, 100);
}

TEST(Worker, IdleWorkersShareASpawnersChildren) {
  actor_system sys(quiet(2));
  // Each child waits until another runs at the same time: one worker alone could not end them.
  std::atomic<int> inside = 0;
  const auto ok = sys.run(
      [](std::atomic<int>* n) -> task<> {
        const auto body = [](std::atomic<int>* count) -> task<> {
          ++*count;
          while (*count < 2) std::this_thread::yield();
          co_return;
        };
        const auto a = spawn(body, n);
        const auto b = spawn(body, n);
        co_await a.join();
        co_await b.join();
      },
      &inside);
  EXPECT_TRUE(ok);
}

// A wake-up lost between a worker's last look and its sleep would hang this.
TEST(Worker, SubmitFromOutsideAlwaysWakesASleeper) {
  for (const std::size_t workers : {1u, 2u, 3u}) {
    actor_system sys(quiet(workers));
    auto [in, out] = make_mailbox<int>(rendezvous());
    auto [back, answer] = make_mailbox<int>(bounded(1));
    const auto echo = sys.spawn(
        [](mailbox<int> box, address<int> to) -> task<> {
          while (const auto n = co_await box.receive()) EXPECT_TRUE(co_await to.send(*n));
        },
        in, answer);
    for (int i = 0; i < 3'000; ++i) {
      while (!out.try_send(i)) std::this_thread::yield();
      for (;;) {
        const auto got = back.try_receive();
        if (got) {
          EXPECT_EQ(*got, i);
          break;
        }
        std::this_thread::yield();
      }
    }
    out = {};
    EXPECT_TRUE(echo.wait().normal());
  }
}

// The same for timers that are armed while their worker falls asleep.
TEST(Worker, TimerFromOutsideAlwaysWakesASleeper) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 500; ++i) {
    const auto c = sys.context().with_timeout(std::chrono::microseconds(i % 7 * 50));
    while (!c.cancelled()) std::this_thread::yield();
  }
  EXPECT_EQ(sys.live_timers(), 0u);
}

} // namespace
} // namespace greenroom::worker_test
