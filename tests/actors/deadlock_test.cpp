// Deadlocks of many kinds, each planted in a system of two workers, and systems that look like one and are none.
#include <greenroom/runtime/deadlock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/turn_taking.hpp>
#include <greenroom/runtime/guarded.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/shared_mutex.hpp>
#include <greenroom/runtime/wait_group.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::deadlock_test {
namespace {

using namespace test;

using names = std::vector<std::string>;

names names_of(const deadlock& d, bool in_knot) {
  names all;
  for (const auto& a : d.actors) {
    if (a.in_knot == in_knot) all.push_back(a.name);
  }
  std::sort(all.begin(), all.end());
  return all;
}

/// Searches until there is something to report. Ends by the time limit of the test if there never is.
deadlock_report until_found(actor_system& sys) {
  for (;;) {
    if (auto report = sys.deadlocks(); !report.found.empty()) return report;
    std::this_thread::yield();
  }
}

/// The only deadlock of the system, once those of these names are in it; they take a moment to come together.
deadlock found_in(actor_system& sys, const names& knot) {
  for (;;) {
    const auto report = until_found(sys);
    for (const auto& d : report.found) {
      if (names_of(d, true) == knot) return d;
    }
    std::this_thread::yield();
  }
}

const deadlocked_actor& named(const deadlock& d, const std::string& name) {
  return *std::find_if(d.actors.begin(), d.actors.end(), [&](const auto& a) { return a.name == name; });
}

struct deadlocks : testing::Test {
  actor_system sys{quiet(2)};
};

// -- mailboxes ------------------------------------------------------------------------------------

task<> sends_first(address<int> out, mailbox<int> in) {
  (void)co_await out.send(1);
  (void)co_await in.receive();
}

task<> cycle_of_sends() {
  auto [a_in, a_out] = make_mailbox<int>(rendezvous());
  auto [b_in, b_out] = make_mailbox<int>(rendezvous());
  spawn({.name = "a"}, sends_first, std::move(b_out), std::move(a_in));
  spawn({.name = "b"}, sends_first, std::move(a_out), std::move(b_in));
  co_return;
}

TEST_F(deadlocks, ACycleOfSendsIsNamedWithWhatEachWaitsFor) {
  sys.spawn(cycle_of_sends);
  const auto d = found_in(sys, {"a", "b"});
  const auto& a = named(d, "a");
  EXPECT_EQ(a.waits_for, "to send to a mailbox of capacity 0");
  EXPECT_EQ(a.held_up_by, (std::vector{named(d, "b").id}));
  EXPECT_TRUE(a.spawned_at.starts_with("deadlock_test.cpp:"));
  EXPECT_FALSE(d.until_deadline);
  EXPECT_NE(d.to_string().find("2 actors wait for each other; only a cancellation can end it"), std::string::npos)
      << d.to_string();
}

task<> receives_first(address<int> out, mailbox<int> in) {
  (void)co_await in.receive();
  (void)co_await out.send(1);
}

TEST_F(deadlocks, ACycleOfReceives) {
  sys.spawn([]() -> task<> {
    auto [a_in, a_out] = make_mailbox<int>(bounded(4));
    auto [b_in, b_out] = make_mailbox<int>(bounded(4));
    spawn({.name = "a"}, receives_first, std::move(b_out), std::move(a_in));
    spawn({.name = "b"}, receives_first, std::move(a_out), std::move(b_in));
    co_return;
  });
  EXPECT_EQ(named(found_in(sys, {"a", "b"}), "b").waits_for, "to receive from a mailbox of capacity 4");
}

task<> waits_for_itself(mailbox<int> in) {
  const auto self = in.address();
  (void)co_await in.receive();
}

TEST_F(deadlocks, AnActorThatAloneCouldSendToItself) {
  sys.spawn({.name = "lonely"}, waits_for_itself, mailbox<int>(unbounded()));
  const auto d = found_in(sys, {"lonely"});
  EXPECT_EQ(d.actors.front().waits_for, "to receive from an unbounded mailbox");
  EXPECT_NE(d.to_string().find("waits for what only itself could do"), std::string::npos) << d.to_string();
}

task<> wants_either(mailbox<int> left, mailbox<int> right, address<int> to_left, address<int> to_right) {
  (void)co_await select(left.receive(), right.receive());
  (void)co_await to_left.send(1);
  (void)co_await to_right.send(1);
}

TEST_F(deadlocks, AKnotThroughASelectWaitsForBothOfItsCases) {
  sys.spawn([]() -> task<> {
    auto [left_in, left_out] = make_mailbox<int>(rendezvous());
    auto [right_in, right_out] = make_mailbox<int>(rendezvous());
    auto [to_left_in, to_left_out] = make_mailbox<int>(rendezvous());
    auto [to_right_in, to_right_out] = make_mailbox<int>(rendezvous());
    spawn({.name = "left"}, receives_first, std::move(left_out), std::move(to_left_in));
    spawn({.name = "middle"}, wants_either, std::move(left_in), std::move(right_in), std::move(to_left_out),
          std::move(to_right_out));
    spawn({.name = "right"}, receives_first, std::move(right_out), std::move(to_right_in));
    co_return;
  });
  const auto d = found_in(sys, {"left", "middle", "right"});
  EXPECT_EQ(named(d, "middle").held_up_by.size(), 2U);
}

struct question {
  int number;
  address<int> reply_to;
};

task<> asks_by_hand(address<question> to, mailbox<int> answers) {
  question q{1, answers.address()};
  (void)co_await to.send(std::move(q));
  (void)co_await answers.receive();
}

/// Waits for something else instead of answering, so that the reply address stays in its queue.
task<> never_answers(mailbox<question>, mailbox<int> other) {
  const auto self = other.address();
  (void)co_await other.receive();
}

TEST_F(deadlocks, AReplyAddressQueuedWithAnActorThatWaitsIsFound) {
  sys.spawn([]() -> task<> {
    auto [in, out] = make_mailbox<question>(bounded(4));
    spawn({.name = "server"}, never_answers, std::move(in), mailbox<int>(bounded(1)));
    spawn({.name = "client"}, asks_by_hand, std::move(out), mailbox<int>(bounded(1)));
    co_return;
  });
  for (;;) {
    const auto d = found_in(sys, {"server"});
    if (d.actors.size() == 1) continue; // the client is on its way
    EXPECT_EQ(names_of(d, false), names{"client"});
    EXPECT_EQ(named(d, "client").held_up_by, (std::vector{named(d, "server").id}));
    break;
  }
}

// -- requests -------------------------------------------------------------------------------------

struct check_stock {
  int item;
  using reply = int;
};

task<> asks_while_serving(mailbox<request<check_stock>> in, address<request<check_stock>> next) {
  while (auto r = co_await in.receive()) {
    auto answer = co_await ask(next, check_stock{1}, 1h);
    if (answer) r->reply(*answer);
  }
}

task<> asks_once(address<request<check_stock>> to) { (void)co_await ask(to, check_stock{1}, 1h); }

TEST_F(deadlocks, ACycleOfRequestsIsReportedAndItsDeadlineShown) {
  sys.spawn([]() -> task<> {
    auto [a_in, a_out] = make_mailbox<request<check_stock>>(bounded(4));
    auto [b_in, b_out] = make_mailbox<request<check_stock>>(bounded(4));
    auto [c_in, c_out] = make_mailbox<request<check_stock>>(bounded(4));
    spawn({.name = "client"}, asks_once, a_out);
    spawn({.name = "orders"}, asks_while_serving, std::move(a_in), std::move(b_out));
    spawn({.name = "prices"}, asks_while_serving, std::move(b_in), std::move(c_out));
    spawn({.name = "stock"}, asks_while_serving, std::move(c_in), std::move(a_out));
    co_return;
  });
  const auto d = found_in(sys, {"orders", "prices", "stock"});
  EXPECT_TRUE(d.until_deadline);
  EXPECT_TRUE(named(d, "stock").until_deadline);
  EXPECT_EQ(named(d, "stock").waits_for, "for the reply to a request");
  EXPECT_EQ(names_of(d, false), names{"client"});
}

// -- locks ----------------------------------------------------------------------------------------

struct two_locks {
  mutex first;
  mutex second;
  wait_group both_hold_one;
};

task<> locks_in_order(std::shared_ptr<two_locks> locks, bool first_first) {
  auto& one = first_first ? locks->first : locks->second;
  auto& other = first_first ? locks->second : locks->first;
  const auto held = co_await one.lock();
  locks->both_hold_one.done();
  co_await locks->both_hold_one.wait();
  const auto wanted = co_await other.lock();
}

TEST_F(deadlocks, LocksTakenInOppositeOrders) {
  const auto locks = std::make_shared<two_locks>();
  locks->both_hold_one.add(2);
  sys.spawn({.name = "payer"}, locks_in_order, locks, true);
  sys.spawn({.name = "payee"}, locks_in_order, locks, false);
  EXPECT_EQ(named(found_in(sys, {"payee", "payer"}), "payer").waits_for, "for a lock");
  sys.stop();
}

task<> sends_under_a_lock(std::shared_ptr<guarded<int>> value, address<int> out) {
  const auto held = co_await value->lock();
  (void)co_await out.send(*held);
  (void)co_await out.send(*held);
}

task<> locks_to_receive(std::shared_ptr<guarded<int>> value, mailbox<int> in) {
  while (value->try_lock()) co_await yield(); // the other has it first
  const auto held = co_await value->lock();
  (void)co_await in.receive();
}

TEST_F(deadlocks, ALockHeldByAnActorWhoseSendNeedsTheOneThatWantsTheLock) {
  const auto value = std::make_shared<guarded<int>>(7);
  {
    auto [in, out] = make_mailbox<int>(bounded(1));
    sys.spawn({.name = "sender"}, sends_under_a_lock, value, std::move(out));
    sys.spawn({.name = "receiver"}, locks_to_receive, value, std::move(in));
  }
  const auto d = found_in(sys, {"receiver", "sender"});
  EXPECT_EQ(named(d, "sender").waits_for, "to send to a mailbox of capacity 1");
  EXPECT_EQ(named(d, "receiver").waits_for, "for a lock");
  sys.stop();
}

struct two_permits {
  semaphore permits{2};
  wait_group both_hold_one;
};

task<> wants_one_more(std::shared_ptr<two_permits> shared) {
  const auto one = co_await shared->permits.acquire();
  shared->both_hold_one.done();
  co_await shared->both_hold_one.wait();
  const auto another = co_await shared->permits.acquire();
}

TEST_F(deadlocks, PermitsThatEachHoldsAndWantsMoreOf) {
  const auto shared = std::make_shared<two_permits>();
  shared->both_hold_one.add(2);
  sys.spawn({.name = "one"}, wants_one_more, shared);
  sys.spawn({.name = "two"}, wants_one_more, shared);
  EXPECT_EQ(named(found_in(sys, {"one", "two"}), "one").waits_for, "for permits of a semaphore");
  sys.stop();
}

task<> reads_twice(std::shared_ptr<shared_mutex> lock, address<int> ready, mailbox<int> go) {
  const auto once = co_await lock->lock_shared();
  (void)co_await ready.send(1);
  (void)co_await go.receive();
  const auto twice = co_await lock->lock_shared();
}

task<> writes(std::shared_ptr<shared_mutex> lock) { const auto alone = co_await lock->lock(); }

TEST_F(deadlocks, AReaderThatReadsAgainBehindAWriter) {
  const auto lock = std::make_shared<shared_mutex>();
  auto [ready_in, ready_out] = make_mailbox<int>(bounded(1));
  auto [go_in, go_out] = make_mailbox<int>(bounded(1));
  sys.spawn({.name = "reader"}, reads_twice, lock, std::move(ready_out), std::move(go_in));
  (void)sys.run([](mailbox<int> in) -> task<> { (void)co_await in.receive(); }, std::move(ready_in));
  const auto writer = sys.spawn({.name = "writer"}, writes, lock);
  await_wait(sys, writer, "lock");
  EXPECT_TRUE(sys.deadlocks().found.empty()) << "main can still let the reader go on: " << sys.deadlocks().to_string();
  (void)go_out.try_send(1);
  found_in(sys, {"reader", "writer"});
  sys.stop();
}

// -- children, turns, ends ------------------------------------------------------------------------

task<> waits_for_a_word(mailbox<int> in) { (void)co_await in.receive(); }

task<> body_that_keeps_the_word(scope& s, address<int>* out, mailbox<int> in) {
  s.spawn({.name = "child"}, waits_for_a_word, std::move(in));
  (void)out;
  co_return;
}

task<> leaves_its_scope_too_early() {
  auto [in, out] = make_mailbox<int>(bounded(1));
  (void)co_await with_scope(body_that_keeps_the_word, &out, std::move(in));
  (void)co_await out.send(1);
}

TEST_F(deadlocks, AParentThatWaitsForAChildThatWaitsForIt) {
  sys.spawn({.name = "parent"}, leaves_its_scope_too_early);
  EXPECT_EQ(named(found_in(sys, {"child", "parent"}), "parent").waits_for, "for the children of its scope");
}

task<> plays(turn_seat seat, mailbox<int> in) {
  (void)co_await seat.wait();
  (void)co_await in.receive();
  seat.pass();
}

task<> sends_in_its_turn(turn_seat seat, address<int> out) {
  (void)co_await seat.wait();
  (void)co_await out.send(1);
}

TEST_F(deadlocks, ATurnHeldByAPartyThatWaitsForTheNext) {
  {
    turn_taking table({"first", "second"});
    auto [in, out] = make_mailbox<int>(bounded(1));
    sys.spawn({.name = "first"}, plays, table.seat(0), std::move(in));
    sys.spawn({.name = "second"}, sends_in_its_turn, table.seat(1), std::move(out));
  }
  EXPECT_EQ(named(found_in(sys, {"first", "second"}), "second").waits_for, "for its turn");
}

task<> waits_for_the_end_of(mailbox<actor> whom) {
  const auto who = co_await whom.receive();
  (void)co_await who->join();
}

TEST_F(deadlocks, ActorsThatWaitForEachOthersEnd) {
  {
    auto [a_in, a_out] = make_mailbox<actor>(bounded(1));
    auto [b_in, b_out] = make_mailbox<actor>(bounded(1));
    const auto a = sys.spawn({.name = "a"}, waits_for_the_end_of, std::move(a_in));
    const auto b = sys.spawn({.name = "b"}, waits_for_the_end_of, std::move(b_in));
    (void)a_out.try_send(b);
    (void)b_out.try_send(a);
  }
  EXPECT_EQ(named(found_in(sys, {"a", "b"}), "a").waits_for, "for the end of an actor");
}

/// Waits in a select that no case can end.
task<> waits_for_nothing() {
  mailbox<int> none;
  (void)co_await select(none.receive());
}

TEST_F(deadlocks, ASelectWithoutACaseThatCanWin) {
  sys.spawn({.name = "waiter"}, waits_for_nothing);
  EXPECT_EQ(found_in(sys, {"waiter"}).actors.front().waits_for, "in a select without a case that can win");
}

// -- in company -----------------------------------------------------------------------------------

task<> passes_on(mailbox<int> in, address<int> out) {
  while (auto hops = co_await in.receive()) (void)co_await out.send(*hops + 1);
}

TEST_F(deadlocks, AreFoundInsideALargerSystemThatRunsOn) {
  auto [first_in, first_out] = make_mailbox<int>(bounded(4));
  auto in = first_in;
  for (int i = 0; i < 20; ++i) {
    auto [next_in, next_out] = make_mailbox<int>(bounded(4));
    sys.spawn({.name = "runner"}, passes_on, std::move(in), i == 19 ? first_out : std::move(next_out));
    in = std::move(next_in);
  }
  (void)first_out.try_send(0);
  sys.spawn(cycle_of_sends);
  const auto d = found_in(sys, {"a", "b"});
  EXPECT_EQ(d.actors.size(), 2U);
  EXPECT_EQ(until_found(sys).found.size(), 1U);
  first_in.close();
  sys.stop();
}

TEST_F(deadlocks, OfTwoPairsAreToldApart) {
  sys.spawn(cycle_of_sends);
  sys.spawn(cycle_of_sends);
  for (;;) {
    const auto report = until_found(sys);
    if (report.found.size() == 1) continue;
    ASSERT_EQ(report.found.size(), 2U);
    EXPECT_EQ(report.found[0].actors.size(), 2U);
    EXPECT_EQ(report.found[1].actors.size(), 2U);
    break;
  }
}

task<> receives_beside(mailbox<int> in, std::uintptr_t word) {
  (void)co_await in.receive();
  (void)word;
}

/// What is read on such a suspicion may be anybody's: for the thread sanitizer, that says nothing of a race.
TEST_F(deadlocks, SearchLooksAtMemoryThatAVariableSeemsToBeAnEndOfWhileItIsWritten) {
  const auto memory = std::make_unique<std::array<std::uint64_t, 32>>();
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto waiting = sys.spawn(receives_beside, std::move(in), reinterpret_cast<std::uintptr_t>(memory->data()) | 1);
  await_wait(sys, waiting, "receive");
  std::atomic<bool> over{false};
  std::thread writer([&] {
    for (std::uint64_t n = 0; !over; ++n) memory->fill(n);
  });
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(sys.deadlocks().found.empty());
  over = true;
  writer.join();
}

} // namespace
} // namespace greenroom::deadlock_test
