#include <greenroom/runtime/ledger.hpp>

#include <algorithm>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::ledger_test {
namespace {

using namespace test;

const ledger_entry& named(const ledger& all, const std::string& name) {
  return *std::find_if(all.actors.begin(), all.actors.end(), [&](const auto& e) { return e.actor.name == name; });
}

TEST(Ledger, IsEmptyBeforeAndAfterTheWork) {
  one_worker sys;
  EXPECT_TRUE(sys.ledger().empty());
  (void)sys.run([]() -> task<> { co_await sleep_for(1ms); });
  EXPECT_TRUE(sys.ledger().empty()) << sys.ledger().to_string();
  EXPECT_EQ(sys.ledger().to_string(), "nothing is left");
}

task<> waits(mailbox<int> in) { (void)co_await in.receive(); }
task<> body(scope& s, mailbox<int> in) {
  s.spawn({.name = "child"}, waits, std::move(in));
  co_return;
}
task<> parent(mailbox<int> in) { (void)co_await with_scope(body, std::move(in)); }

TEST(Ledger, ShowsChildrenBelowTheirParents) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto above = sys.spawn({.name = "parent"}, parent, std::move(in));
  await_wait(sys, above, "join");
  const auto all = sys.ledger();
  ASSERT_EQ(all.actors.size(), 2U);
  EXPECT_EQ(named(all, "child").parent, above.id());
  EXPECT_EQ(named(all, "parent").parent, 0U);
  const auto text = all.to_string();
  EXPECT_TRUE(text.starts_with("2 actor(s), 0 timer(s), 0 pending request(s)\n  actor " + std::to_string(above.id()) +
                               " 'parent', spawned at ledger_test.cpp:"))
      << text;
  EXPECT_NE(text.find("\n    actor " + std::to_string(named(all, "child").actor.id) + " 'child'"), text.npos) << text;
}

struct shared_things {
  mutex lock;
  semaphore permits{3};
};

task<> holds_three(std::shared_ptr<shared_things> things, mailbox<int> in) {
  const auto locked = co_await things->lock.lock();
  const auto one = co_await things->permits.acquire();
  auto two = co_await things->permits.acquire(2);
  auto moved = std::move(two);
  auto given_back = things->lock.try_lock();
  (void)co_await in.receive();
  moved.release();
  (void)co_await in.receive();
}

TEST(Ledger, CountsTheLocksAndPermitsInHand) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  const auto things = std::make_shared<shared_things>();
  const auto holder = sys.spawn({.name = "holder"}, holds_three, things, std::move(in));
  await_wait(sys, holder, "receive");
  EXPECT_EQ(named(sys.ledger(), "holder").guards, 3U);
  EXPECT_NE(sys.ledger().to_string().find("; holds 3 lock(s) or permit(s)"), std::string::npos);
  holder.cancel();
  holder.wait();
}

TEST(Ledger, CountsTimersAndSaysWhoseWaitADeadlineEnds) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto patient = sys.spawn(
      {.name = "patient"}, [](mailbox<int> box) -> task<> { const auto got = co_await box.receive_for(1h); }, in);
  await_wait(sys, patient, "receive");
  EXPECT_TRUE(named(sys.ledger(), "patient").until_deadline);
  EXPECT_EQ(sys.ledger().timers, 1U);
  EXPECT_FALSE(sys.ledger().empty());
}

TEST(Ledger, SaysThatTheDeadlineOfItsContextWillEndAWait) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto patient = sys.spawn(
      {.name = "patient", .ctx = sys.context().with_timeout(1h)},
      [](mailbox<int> box) -> task<> { (void)co_await box.receive(); }, in);
  await_wait(sys, patient, "receive");
  EXPECT_TRUE(named(sys.ledger(), "patient").until_deadline);
  patient.cancel();
  patient.wait();
}

TEST(Ledger, OfAStopIsCleanThoughAContextWithADeadlineIsStillHeld) {
  one_worker sys;
  const auto held = sys.context().with_timeout(1h);
  EXPECT_EQ(sys.ledger().timers, 1U);
  const auto report = sys.stop();
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.timers, 0U);
  EXPECT_EQ(report.pending_requests, 0U);
  EXPECT_EQ(report.to_string(), "Every actor has ended.");
}

} // namespace
} // namespace greenroom::ledger_test
