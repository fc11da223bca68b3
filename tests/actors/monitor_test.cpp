#include <greenroom/actors/monitor.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/select.hpp>
#include <greenroom/tests/actors/short_lives.hpp>

namespace greenroom::monitor_test {
namespace {

using namespace test;

task<std::string> ends_of_each_kind() {
  monitor ends;
  const auto normal = spawn(returns);
  const auto failed = spawn(throws);
  const auto stopped = spawn(sleeps);
  const auto killed = spawn(sleeps);
  for (const auto& a : {normal, failed, stopped, killed}) ends.add(a);
  stopped.cancel(error(errc::cancelled, "enough"));
  killed.kill();
  std::string text;
  for (int i = 0; i < 4; ++i) {
    const auto d = co_await ends.next();
    text += (d.who == normal    ? "1 "
             : d.who == failed  ? "2 "
             : d.who == stopped ? "3 "
                                : "4 ") +
            d.why.to_string() + "; ";
  }
  co_await settle();
  const auto more = co_await select(ends.next(), otherwise());
  co_return text + (more.index() == 1 ? "no more" : "one more");
}

TEST(Monitor, GivesOneNoticeForEachEndWithItsReason) {
  one_worker sys;
  const auto text = sys.run(ends_of_each_kind);
  ASSERT_TRUE(text.has_value());
  for (const auto* part :
       {"1 normal; ", "2 failed: std::runtime_error: broken; ", "3 cancelled: enough; ", "4 killed: "}) {
    EXPECT_NE(text->find(part), std::string::npos) << *text;
  }
  EXPECT_TRUE(text->ends_with("no more")) << *text;
}

task<bool> of_the_dead() {
  const auto who = spawn(throws);
  (void)co_await who.join();
  monitor ends;
  const bool added = ends.add(who);
  const bool twice = ends.add(who);
  const auto d = co_await ends.next();
  const bool again = ends.add(who); // each time one notice
  const auto e = co_await ends.next();
  co_return added && !twice && again && d.who == who && e.why.kind() == exit_kind::failed && ends.size() == 0;
}

TEST(Monitor, OfAnEndedActorGivesItsNoticeAtOnce) {
  one_worker sys;
  EXPECT_EQ(sys.run(of_the_dead).value(), true);
}

task<std::string> removes() {
  monitor ends;
  const auto first = spawn(sleeps);
  const auto second = spawn(sleeps);
  ends.add(first);
  ends.add(second);
  first.kill();
  (void)co_await first.join();
  co_await settle();
  std::string text = ends.remove(first) ? "removed " : "not removed "; // its notice stands ready
  text += ends.remove(first) ? "twice " : "once ";
  second.kill();
  const auto d = co_await ends.next();
  co_return text + (d.who == second ? "second" : "first");
}

TEST(Monitor, GivesNoNoticeAfterRemoveEvenIfOneStoodReady) {
  one_worker sys;
  EXPECT_EQ(sys.run(removes).value(), "removed once second");
}

task<> dropped(actor who) {
  for (int i = 0; i < 1000; ++i) {
    monitor ends;
    ends.add(who);
    monitor more;
    more.add(who);
    more.remove(who);
  }
  co_return;
}

TEST(Monitor, LeavesNothingWithTheWatched) {
  one_worker sys;
  const auto who = sys.spawn(sleeps);
  (void)sys.run(dropped, who);
  EXPECT_EQ(detail::extras_of(*who.cell()).listeners.size(), 0U);
  who.kill();
}

task<bool> cancelled_wait_takes_nothing() {
  monitor ends;
  const auto who = spawn(sleeps);
  ends.add(who);
  const auto none = co_await select(ends.next(), after(1ms));
  who.kill();
  const auto d = co_await ends.next();
  co_return none.index() == 1 && d.who == who;
}

TEST(Monitor, WaitThatLosesHasTakenNothing) {
  one_worker sys;
  EXPECT_EQ(sys.run(cancelled_wait_takes_nothing).value(), true);
}

TEST(Monitor, OfNoActorIsAUsageError) {
  monitor ends;
  EXPECT_THROW(ends.add(actor()), usage_error);
  EXPECT_FALSE(ends.remove(actor()));
}

/// Kills, watches and stops watching at once; each watched actor gives one notice, or none if it was removed.
task<std::uint64_t> races(std::uint64_t rounds, mailbox<actor> to_kill_in, address<actor> to_kill) {
  (void)to_kill_in;
  std::uint64_t wrong = 0;
  monitor ends;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto who = spawn(sleeps);
    if (i % 3 == 0) (void)co_await to_kill.send(who); // before it is watched
    ends.add(who);
    if (i % 3 != 0) (void)co_await to_kill.send(who);
    if (i % 2 == 0) {
      const auto d = co_await ends.next();
      wrong += d.who != who || d.why.kind() != exit_kind::killed ? 1U : 0U;
    } else {
      if ((i & 4) != 0) co_await yield();
      wrong += ends.remove(who) ? 0U : 1U;
    }
    if (ends.size() != 0) ++wrong;
  }
  auto more = co_await select(ends.next(), after(10ms));
  wrong += more.index() == 0 ? 1U : 0U;
  co_return wrong;
}

task<> kills(mailbox<actor> in) {
  while (const auto who = co_await in.receive()) who->kill();
}

TEST(Monitor, RacesOfMonitorKillAndRemoveMissAndDoubleNoNotice) {
  const auto rounds = from_environment("MONITOR_RACES", 100'000);
  actor_system sys(quiet(4));
  auto ends = make_mailbox<actor>(bounded(8));
  const auto killer = sys.spawn(kills, ends.in);
  EXPECT_EQ(sys.run(races, rounds, std::move(ends.in), std::move(ends.out)).value(), 0U);
  killer.wait();
  EXPECT_TRUE(sys.stop().complete());
}

} // namespace
} // namespace greenroom::monitor_test
