// Systems in which actors wait long, or for each other, and which are none the less not deadlocked: no search may report them.
#include <greenroom/runtime/deadlock.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/worker_pool.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/guarded.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/wait_group.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::no_deadlock_test {
namespace {

using namespace test;

struct no_deadlock : testing::Test {
  actor_system sys{quiet(2)};

  /// Searches while `who` waits for `what`.
  void expect_nothing(const actor& who, const std::string& what) {
    await_wait(sys, who, what);
    const auto report = sys.deadlocks();
    EXPECT_TRUE(report.found.empty()) << report.to_string();
  }
};

task<> receives(mailbox<int> in) { (void)co_await in.receive(); }

TEST_F(no_deadlock, WhileMainHoldsAnAddress) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto waiting = sys.spawn(receives, std::move(in));
  expect_nothing(waiting, "receive");
}

TEST_F(no_deadlock, WhileMainHoldsAnotherReceiveEndThatItMayClose) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto waiting = sys.spawn(
      [](mailbox<int> own, address<int> self) -> task<> {
        (void)co_await own.receive();
        (void)self;
      },
      in, std::move(out));
  expect_nothing(waiting, "receive");
}

TEST_F(no_deadlock, WhileMainHoldsAWeakAddress) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  const weak_address<int> weak = out;
  const auto waiting = sys.spawn(
      [](mailbox<int> own, address<int> self) -> task<> {
        (void)co_await own.receive();
        (void)self;
      },
      std::move(in), std::move(out));
  expect_nothing(waiting, "receive");
  EXPECT_TRUE(weak.lock());
}

task<> sends_after(address<int> out, duration delay) {
  co_await sleep_for(delay);
  (void)co_await out.send(1);
}

TEST_F(no_deadlock, WhileASleeperHoldsAnAddress) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto sleeper = sys.spawn(sends_after, std::move(out), duration(1h));
  await_wait(sys, sleeper, "sleep");
  expect_nothing(sys.spawn(receives, std::move(in)), "receive");
}

task<> sends_all_after(std::vector<address<int>> outs) {
  co_await sleep_for(1h);
  for (const auto& out : outs) (void)co_await out.send(1);
}

TEST_F(no_deadlock, WhileAnAddressStandsOnTheHeap) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  std::vector<address<int>> outs;
  outs.push_back(std::move(out));
  sys.spawn(sends_all_after, std::move(outs));
  expect_nothing(sys.spawn(receives, std::move(in)), "receive");
}

TEST_F(no_deadlock, WhileAnAddressIsQueuedWithAnActorThatWorks) {
  auto [parcels, to_parcels] = make_mailbox<address<int>>(bounded(1));
  auto [in, out] = make_mailbox<int>(bounded(1));
  (void)to_parcels.try_send(std::move(out));
  sys.spawn(
      [](mailbox<address<int>> later) -> task<> {
        co_await sleep_for(1h);
        (void)co_await later.receive();
      },
      std::move(parcels));
  expect_nothing(sys.spawn(receives, std::move(in)), "receive");
}

// -- references to an actor's variables -----------------------------------------------------------

task<> sends_by_reference(address<int>* out) {
  co_await sleep_for(1h);
  (void)co_await out->send(1);
}

task<> gives_a_child_its_address(scope& s) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  s.spawn(sends_by_reference, &out);
  (void)co_await in.receive();
}

TEST_F(no_deadlock, WhileAChildMayUseAVariableOfItsParent) {
  expect_nothing(sys.spawn([]() -> task<> { (void)co_await with_scope(gives_a_child_its_address); }), "receive");
}

task<> grandchild(scope& s, address<int>* out) {
  s.spawn(sends_by_reference, out);
  co_return;
}
task<> child_with_a_scope(address<int>* out) { (void)co_await with_scope(grandchild, out); }

task<> gives_a_grandchild_its_address(scope& s) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  s.spawn(child_with_a_scope, &out);
  (void)co_await in.receive();
}

TEST_F(no_deadlock, WhileAGrandchildMayUseAVariable) {
  expect_nothing(sys.spawn([]() -> task<> { (void)co_await with_scope(gives_a_grandchild_its_address); }), "receive");
}

task<> gives_anybody_its_address() {
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto other = spawn(sends_by_reference, &out);
  (void)co_await in.receive();
}

TEST_F(no_deadlock, WhileAnActorThatWasGivenAPointerMayUseAVariable) {
  const auto waiting = sys.spawn(gives_anybody_its_address);
  expect_nothing(waiting, "receive");
  sys.stop();
}

task<> child_that_gives_it_on(address<int>* out) {
  const auto other = spawn(sends_by_reference, out);
  co_return;
}

task<> gives_a_child_that_gives_it_on(scope& s) {
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto child = s.spawn(child_that_gives_it_on, &out);
  (void)co_await child.join(); // the child is gone, its own actor is not
  (void)co_await in.receive();
}

TEST_F(no_deadlock, WhileSomebodyMayUseAVariableThatAChildWasGiven) {
  const auto waiting = sys.spawn([]() -> task<> { (void)co_await with_scope(gives_a_child_that_gives_it_on); });
  expect_nothing(waiting, "receive");
  sys.stop();
}

task<> gives_a_timer_its_address() {
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto later = this_actor::context().with_timeout(1h);
  const auto* const to = &out;
  const auto callback = later.after_func([to] { (void)to->try_send(1); });
  (void)co_await in.receive();
}

TEST_F(no_deadlock, WhileACallbackOfAContextMayUseAVariable) {
  expect_nothing(sys.spawn(gives_a_timer_its_address), "receive");
}

// -- waits that others or the clock end -----------------------------------------------------------

task<> beats(address<int> out, mailbox<int> in) {
  for (;;) {
    const auto word = co_await in.receive_for(1h);
    (void)word;
    (void)co_await out.send(1);
  }
}

TEST_F(no_deadlock, OfTwoThatSendToEachOtherWhenNothingCameForAWhile) {
  auto [a_in, a_out] = make_mailbox<int>(bounded(4));
  auto [b_in, b_out] = make_mailbox<int>(bounded(4));
  sys.spawn(beats, std::move(b_out), std::move(a_in));
  expect_nothing(sys.spawn(beats, std::move(a_out), std::move(b_in)), "receive");
}

task<> waits_for_either(mailbox<int> in) {
  const auto self = in.address();
  (void)co_await select(in.receive(), after(1h));
}

TEST_F(no_deadlock, OfASelectWithATime) {
  expect_nothing(sys.spawn(waits_for_either, mailbox<int>(bounded(1))), "select");
}

struct slow_call {
  using reply = int;
};

TEST_F(no_deadlock, OfARequestThatIsServedSlowly) {
  auto [in, out] = make_mailbox<request<slow_call>>(bounded(1));
  sys.spawn(
      [](mailbox<request<slow_call>> calls) -> task<> {
        while (auto r = co_await calls.receive()) {
          co_await sleep_for(1h);
          r->reply(1);
        }
      },
      std::move(in));
  const auto asker = sys.spawn(
      [](address<request<slow_call>> to) -> task<> { (void)co_await ask(to, slow_call{}, 2h); }, std::move(out));
  expect_nothing(asker, "reply");
}

TEST_F(no_deadlock, OfALockWhoseHolderSleeps) {
  const auto lock = std::make_shared<mutex>();
  const auto holder = sys.spawn(
      [](std::shared_ptr<mutex> m) -> task<> {
        const auto held = co_await m->lock();
        co_await sleep_for(1h);
      },
      lock);
  await_wait(sys, holder, "sleep");
  const auto waiting =
      sys.spawn([](std::shared_ptr<mutex> m) -> task<> { const auto held = co_await m->lock(); }, lock);
  expect_nothing(waiting, "lock");
  sys.stop();
}

task<> keeps_a_permit_for_ever(std::shared_ptr<semaphore> s, mailbox<int> in) {
  const auto self = in.address();
  const auto kept = co_await s->acquire(1);
  (void)co_await in.receive();
}
task<> gives_up_at_last(std::shared_ptr<semaphore> s) { const auto got = co_await s->acquire_for(1h, 2); }
task<> wants_one(std::shared_ptr<semaphore> s) { const auto got = co_await s->acquire(1); }

TEST_F(no_deadlock, OfOneThatGetsItsPermitWhenTheOneBeforeItGivesUp) {
  const auto permits = std::make_shared<semaphore>(2);
  const auto holder = sys.spawn(keeps_a_permit_for_ever, permits, mailbox<int>(bounded(1)));
  await_wait(sys, holder, "receive");
  await_wait(sys, sys.spawn(gives_up_at_last, permits), "semaphore");
  await_wait(sys, sys.spawn(wants_one, permits), "semaphore");
  const auto report = sys.deadlocks();
  ASSERT_EQ(report.found.size(), 1U) << report.to_string();
  EXPECT_EQ(report.found[0].actors.size(), 1U) << report.to_string(); // the holder alone
  sys.stop();
}

TEST_F(no_deadlock, OfAnActorThatWaitsForABlockingCall) {
  std::atomic<bool> go{false};
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto caller = sys.spawn(
      [](address<int> to, std::atomic<bool>* flag) -> task<> {
        co_await blocking([flag] { flag->wait(false); });
        (void)co_await to.send(1);
      },
      std::move(out), &go);
  await_wait(sys, caller, "blocking");
  expect_nothing(sys.spawn(receives, std::move(in)), "receive");
  go = true;
  go.notify_all();
  caller.wait(); // the function uses `go`
}

TEST_F(no_deadlock, OfAWaitGroupWhoseJobsAPoolDoes) {
  std::atomic<bool> go{false};
  const auto waiting = sys.spawn(
      [](std::atomic<bool>* flag) -> task<> {
        wait_group group;
        group.add(1);
        const auto run = [](std::function<void()> job) { job(); };
        worker_pool<std::function<void()>> pool(this_actor::system(), {.workers = 1}, run);
        auto* const to = &group;
        std::function<void()> job = [to, flag] {
          flag->wait(false);
          to->done();
        };
        (void)co_await pool.submit(std::move(job));
        co_await group.wait();
      },
      &go);
  expect_nothing(waiting, "wait_group");
  go = true;
  go.notify_all();
  waiting.wait();
}

task<> beats_with(mailbox<int> in, address<int> out) {
  for (;;) {
    const auto word = co_await in.receive_for(1h);
    if (word) (void)co_await out.send(1);
  }
}
task<> mixed_children(scope& s) {
  auto [a_in, a_out] = make_mailbox<int>(bounded(4));
  auto [b_in, b_out] = make_mailbox<int>(bounded(4));
  s.spawn({.name = "beats"}, beats_with, std::move(a_in), std::move(b_out));
  s.spawn({.name = "beats"}, beats_with, std::move(b_in), std::move(a_out));
  auto [own_in, own_out] = make_mailbox<int>(bounded(1));
  s.spawn(
      {.name = "stuck"},
      [](mailbox<int> in, address<int> self) -> task<> {
        (void)co_await in.receive();
        (void)self;
      },
      std::move(own_in), std::move(own_out));
  co_return;
}

TEST_F(no_deadlock, OfLivingChildrenBesideOneThatIsStuck) {
  const auto parent = sys.spawn({.name = "parent"}, []() -> task<> { (void)co_await with_scope(mixed_children); });
  await_wait(sys, parent, "join");
  for (std::size_t actors = 0; actors != 2;) { // the stuck one, and the parent behind it
    const auto report = sys.deadlocks();
    ASSERT_LE(report.found.size(), 1U) << report.to_string();
    if (report.found.empty()) continue;
    actors = report.found[0].actors.size();
    for (const auto& a : report.found[0].actors) EXPECT_NE(a.name, "beats");
  }
}

task<> waits_with_company(mailbox<int> in, address<int> self) {
  (void)co_await in.receive();
  (void)self;
}

TEST_F(no_deadlock, ButAThousandThatShareAMailboxAreListedInAMoment) {
  {
    auto [in, out] = make_mailbox<int>(bounded(1));
    for (int i = 0; i < 1'000; ++i) sys.spawn(waits_with_company, in, out);
  }
  for (;;) {
    const auto report = sys.deadlocks();
    if (report.found.empty() || report.found[0].actors.size() != 1'000) continue;
    EXPECT_EQ(report.found.size(), 1U);
    EXPECT_EQ(report.found[0].actors[7].held_up_by.size(), 16U); // the first few of them
    EXPECT_NE(report.to_string().find("\n  and 980 more"), std::string::npos);
    break;
  }
}

task<> takes_from_either(mailbox<int> left, mailbox<int> right, std::atomic<long>* taken) {
  for (int open = 2; open != 0;) {
    auto s = co_await select(left.receive(), right.receive());
    const bool came = s.index() == 0 ? s.get<0>().has_value() : s.get<1>().has_value();
    if (came) {
      ++*taken;
      continue;
    }
    (s.index() == 0 ? left : right) = {};
    --open;
  }
}

/// Two threads try to end the same wait while it is read again and again.
TEST_F(no_deadlock, SearchNeverLetsAWaitEndTwice) {
  std::atomic<long> taken{0};
  long sent = 0;
  {
    auto [left, to_left] = make_mailbox<int>(rendezvous());
    auto [right, to_right] = make_mailbox<int>(rendezvous());
    const auto taker = sys.spawn(takes_from_either, std::move(left), std::move(right), &taken);
    std::atomic<bool> over{false};
    const auto send_all = [&over](const address<int>& to) {
      long n = 0;
      while (!over) n += to.try_send(1) ? 1 : 0;
      return n;
    };
    long from_other = 0;
    std::thread other([&] { from_other = send_all(to_right); });
    std::thread searcher([&] {
      for (int i = 0; i < 20'000; ++i) (void)sys.deadlocks();
      over = true;
    });
    sent = send_all(to_left);
    searcher.join();
    other.join();
    sent += from_other;
    to_left = {};
    to_right = {};
    taker.wait(); // a wait that ends twice leaves it in no queue: it would hang
  }
  EXPECT_EQ(taken, sent);
}

// -- on the move ----------------------------------------------------------------------------------

/// All addresses there are: whoever has the parcel is the only one who can wake anybody.
struct parcel {
  std::array<address<parcel>, 4> to;
  std::uint32_t hops = 0;
};

task<> hands_on(mailbox<parcel> in) {
  while (auto p = co_await in.receive()) {
    if (++p->hops == 40'000) co_return;
    const auto next = p->to[p->hops * 7 % 4];
    (void)co_await next.send(*std::move(p));
  }
}

/// Searches until the last actor has ended. They are held back until `let_go` is called, after the first search: else they might all have
/// ended before it.
std::size_t search_until_all_have_ended(actor_system& sys, std::vector<actor>& all,
                                        const std::function<void()>& let_go) {
  std::size_t searches = 0;
  while (std::any_of(all.begin(), all.end(), [](const actor& a) { return !a.finished(); })) {
    const auto report = sys.deadlocks();
    EXPECT_TRUE(report.found.empty()) << report.to_string();
    if (!report.found.empty()) sys.stop();
    if (searches++ == 0) let_go();
  }
  return searches;
}

TEST_F(no_deadlock, WhileTheOnlyAddressesTravelAsFastAsTheyCan) {
  for (const auto capacity : {0, 1, 4}) {
    std::vector<actor> all;
    parcel p;
    for (auto& to : p.to) {
      auto [in, out] = make_mailbox<parcel>(bounded(capacity));
      to = std::move(out);
      all.push_back(sys.spawn(hands_on, std::move(in)));
    }
    const auto post = [this, &p] {
      const auto first = p.to[0];
      (void)sys.run([](address<parcel> to, parcel what) -> task<> { (void)co_await to.send(std::move(what)); }, first,
                    std::move(p));
    };
    EXPECT_GT(search_until_all_have_ended(sys, all, post), 0U);
  }
}

struct account {
  mutex lock;
  int balance = 0;
};

task<> transfers(std::shared_ptr<std::array<account, 3>> accounts, int from) {
  for (int i = 0; i < 3'000; ++i) {
    auto& low = (*accounts)[static_cast<std::size_t>(from)];
    auto& high = (*accounts)[static_cast<std::size_t>(from + 1)];
    const auto first = co_await low.lock.lock();
    if (i % 3 == 0) co_await yield();
    const auto second = co_await high.lock.lock();
    --low.balance;
    ++high.balance;
  }
}

TEST_F(no_deadlock, WhileLocksAreTakenInOneOrder) {
  const auto accounts = std::make_shared<std::array<account, 3>>();
  auto held = (*accounts)[1].lock.try_lock(); // which all of them need
  std::vector<actor> all;
  for (int i = 0; i < 6; ++i) all.push_back(sys.spawn(transfers, accounts, i % 2));
  EXPECT_GT(search_until_all_have_ended(sys, all, [&held] { held.reset(); }), 0U);
}

task<> answers(mailbox<request<slow_call>> in) {
  while (auto r = co_await in.receive()) r->reply(1);
}
task<> asks(address<request<slow_call>> to) {
  for (int i = 0; i < 10'000; ++i) (void)co_await ask(to, slow_call{}, 1h);
}

TEST_F(no_deadlock, WhileRequestsComeAndGo) {
  auto ends = make_mailbox<request<slow_call>>(bounded(1));
  std::vector<actor> all{sys.spawn(answers, std::move(ends.in))};
  const auto begin_to_ask = [&] {
    for (int i = 0; i < 4; ++i) all.push_back(sys.spawn(asks, ends.out));
    ends.out = {};
  };
  EXPECT_GT(search_until_all_have_ended(sys, all, begin_to_ask), 0U);
}

} // namespace
} // namespace greenroom::no_deadlock_test
