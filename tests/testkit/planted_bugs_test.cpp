// Programs with one fault each, of the kinds that people make: explore() must find it, and what it prints must show it again.
#include <greenroom/testkit/explore.hpp>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/condition.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/wait_group.hpp>

namespace greenroom::testkit::planted_bugs_test {
namespace {

using namespace std::chrono_literals;

/// What the actors of a program share; kept by all of them.
struct shared_state {
  int number = 0;
  int other = 0;
  bool flag = false;
  mutex lock;
  mutex second_lock;
  condition changed;
  wait_group group;
  semaphore permits{1};
  permit forgotten;
  std::vector<int> items;
  mailbox<int> in{bounded(1)};
};
using shared = std::shared_ptr<shared_state>;
using part = task<> (*)(shared);

task<> run_parts(scope& s, std::vector<part> parts, shared state) {
  for (const auto p : parts) s.spawn(p, state);
  co_return;
}

/// Runs the parts side by side, and then the check.
task<> side_by_side(std::vector<part> parts, part check) {
  auto state = std::make_shared<shared_state>();
  const auto ended = co_await with_scope(run_parts, std::move(parts), state);
  require(ended.has_value(), ended ? std::string() : std::string(ended.error().message()));
  auto checking = check(state);
  co_await std::move(checking);
}

task<> no_check(shared) { co_return; }
task<> expect_two(shared s) {
  require(s->number == 2, "the number is " + std::to_string(s->number) + ", not 2");
  co_return;
}

// -- atomicity --------------------------------------------------------------------------------------------

task<> add_in_two_steps(shared s) {
  const int read = s->number;
  co_await yield();
  s->number = read + 1;
}
task<> lost_update() { return side_by_side({add_in_two_steps, add_in_two_steps}, expect_two); }

task<> withdraw_after_a_look(shared s) {
  if (s->number < 100) co_return;
  co_await yield();
  s->number -= 100;
}
task<> deposit_hundred(shared s) {
  s->number += 100;
  co_return;
}
task<> expect_no_debt(shared s) {
  require(s->number >= 0, "overdrawn: " + std::to_string(s->number));
  co_return;
}
task<> overdraft() {
  return side_by_side({deposit_hundred, withdraw_after_a_look, withdraw_after_a_look}, expect_no_debt);
}

task<> close_if_open(shared s) {
  if (s->flag) co_return;
  co_await yield();
  s->flag = true;
  ++s->number;
}
task<> expect_one(shared s) {
  require(s->number == 1, "done " + std::to_string(s->number) + " times, not once");
  co_return;
}
task<> double_close() { return side_by_side({close_if_open, close_if_open}, expect_one); }

task<> make_if_missing(shared s) {
  if (s->items.empty()) {
    co_await sleep_for(1ms); // making it takes a while
    s->items.push_back(1);
  }
}
task<> expect_one_item(shared s) {
  require(s->items.size() == 1, std::to_string(s->items.size()) + " were made");
  co_return;
}
task<> made_twice() { return side_by_side({make_if_missing, make_if_missing}, expect_one_item); }

task<> take_a_turn(shared s) {
  while (s->other != 0) co_await yield(); // somebody's turn
  co_await yield();
  s->other = 1;
  ++s->number;
  co_await yield();
  require(s->number == 1, "two have the turn at once");
  --s->number;
  s->other = 0;
}
task<> turn_taken_twice() { return side_by_side({take_a_turn, take_a_turn}, no_check); }

task<> pay_once(shared s) {
  const bool is_new = !s->flag; // the idempotency key is not there yet
  co_await yield();
  if (!is_new) co_return;
  ++s->number;
  s->flag = true;
}
task<> paid_twice() { return side_by_side({pay_once, pay_once}, expect_one); }

// -- lost signals -----------------------------------------------------------------------------------------

task<> wait_without_the_lock(shared s) {
  if (s->flag) co_return;
  auto guard = co_await s->lock.lock();
  co_await s->changed.wait(guard);
}
task<> set_and_notify(shared s) {
  s->flag = true;
  s->changed.notify_one();
  co_return;
}
task<> lost_wake_up() { return side_by_side({wait_without_the_lock, set_and_notify}, no_check); }

task<> receive_unless_flag(shared s) {
  if (s->flag) co_return;
  co_await yield();
  const auto got = co_await s->in.receive();
  (void)got;
}
task<> signal_if_somebody_waits(shared s) {
  s->flag = true;
  const auto sent = s->in.address().try_send(1);
  (void)sent;
  co_return;
}
task<> take_a_lost_signal() {
  auto state = std::make_shared<shared_state>();
  state->in = mailbox<int>(rendezvous(overflow::drop_newest)); // who does not wait yet misses it
  const auto keeps_open = state->in.address();
  std::vector<part> parts{receive_unless_flag, signal_if_somebody_waits};
  const auto ended = co_await with_scope(run_parts, std::move(parts), state);
  (void)ended;
}

task<> wait_until_one(shared s) {
  auto guard = co_await s->lock.lock();
  const auto met = [p = s.get()] { return p->number >= 1; };
  co_await s->changed.wait(guard, met);
}
task<> wait_until_two(shared s) {
  auto guard = co_await s->lock.lock();
  const auto met = [p = s.get()] { return p->number >= 2; };
  co_await s->changed.wait(guard, met);
}
task<> count_to_two(shared s) {
  for (int i = 0; i < 2; ++i) {
    auto guard = co_await s->lock.lock();
    ++s->number;
    s->changed.notify_one(); // wakes one that may wait for more
    guard.unlock();
    co_await yield();
  }
}
task<> notified_the_wrong_one() { return side_by_side({wait_until_one, wait_until_two, count_to_two}, no_check); }

task<> take_after_one_look(shared s) {
  auto guard = co_await s->lock.lock();
  if (s->items.empty()) co_await s->changed.wait(guard); // `if` where `while` is due
  require(!s->items.empty(), "took from an empty queue");
  s->items.pop_back();
}
task<> put_two(shared s) {
  for (int i = 0; i < 2; ++i) {
    auto guard = co_await s->lock.lock();
    s->items.push_back(i);
    s->changed.notify_all();
    guard.unlock();
    co_await yield();
  }
}
task<> stolen_item() { return side_by_side({take_after_one_look, take_after_one_look, put_two}, no_check); }

task<> count_late(shared s) {
  s->group.add(1); // belongs before the start
  co_await yield();
  ++s->number;
  s->group.done();
}
task<> wait_for_group(shared s) {
  co_await yield();
  co_await s->group.wait();
  require(s->number == 2, "the wait was over after " + std::to_string(s->number) + " of 2");
}
task<> lost_count() { return side_by_side({count_late, count_late, wait_for_group}, no_check); }

// -- deadlocks --------------------------------------------------------------------------------------------

task<> first_then_second(shared s) {
  auto one = co_await s->lock.lock();
  co_await yield();
  auto two = co_await s->second_lock.lock();
}
task<> second_then_first(shared s) {
  auto two = co_await s->second_lock.lock();
  co_await yield();
  auto one = co_await s->lock.lock();
}
task<> locks_crossed() { return side_by_side({first_then_second, second_then_first}, no_check); }

task<> send_under_the_lock(shared s) {
  auto guard = co_await s->lock.lock();
  for (int i = 0; i < 2; ++i) {
    const auto sent = co_await s->in.address().send(i);
    (void)sent;
  }
}
task<> receive_under_the_lock(shared s) {
  for (int i = 0; i < 2; ++i) {
    auto guard = co_await s->lock.lock();
    const auto got = co_await s->in.receive();
    (void)got;
  }
}
task<> lock_and_mailbox() { return side_by_side({send_under_the_lock, receive_under_the_lock}, no_check); }

task<> send_then_receive(mailbox<int> in, address<int> out) {
  const auto sent = co_await out.send(1);
  (void)sent;
  const auto got = co_await in.receive();
  (void)got;
}
task<> both_send_first() {
  auto [in, to_first] = make_mailbox<int>(rendezvous());
  auto [second_in, to_second] = make_mailbox<int>(rendezvous());
  const auto one = spawn(send_then_receive, in, to_second);
  const auto two = spawn(send_then_receive, second_in, to_first);
  co_await one.join();
  co_await two.join();
}

task<> keep_the_permit(shared s) {
  auto held = co_await s->permits.acquire();
  if (s->number++ == 0) s->forgotten = std::move(held); // an early return that does not give it back
}
task<> forgotten_permit() { return side_by_side({keep_the_permit, keep_the_permit}, no_check); }

// -- requests and time ------------------------------------------------------------------------------------

struct question {
  using reply = int;
};

/// Keeps the newest request only while it makes up its mind.
task<> forgetful_server(mailbox<request<question>> in) {
  std::optional<request<question>> newest;
  while (auto r = co_await in.receive()) {
    newest.emplace(std::move(*r));
    while (auto next = in.try_receive()) newest = std::move(*next);
    newest->reply(1);
  }
}
task<> ask_it(address<request<question>> to) {
  const auto answer = co_await ask(to, question{}, 1h);
  require(answer.has_value(), "no answer");
}
task<> two_ask(scope& s, address<request<question>> to) {
  for (int i = 0; i < 2; ++i) s.spawn(ask_it, to);
  co_return;
}
task<> lost_reply() {
  auto [in, to] = make_mailbox<request<question>>(bounded(4));
  spawn(forgetful_server, std::move(in));
  const auto ended = co_await with_scope(two_ask, std::move(to));
  require(ended.has_value(), "a request was forgotten");
}

task<> asking_server(mailbox<request<question>> in, address<request<question>> other, bool asks) {
  if (asks) {
    const auto answer = co_await ask(other, question{}, 1s); // while its own requests wait
    require(answer.has_value(), "they asked each other");
  }
  other = {};
  while (auto r = co_await in.receive()) r->reply(1);
}
task<> request_cycle() {
  auto [in, to_one] = make_mailbox<request<question>>(bounded(1));
  auto [second_in, to_two] = make_mailbox<request<question>>(bounded(1));
  const auto one = spawn(asking_server, in, to_two, true);
  const auto two = spawn(asking_server, second_in, to_one, true);
  to_one = {};
  to_two = {};
  const auto why = co_await one.join();
  require(why.normal(), why.to_string());
  co_await two.join();
}

task<> depositor(mailbox<request<question>> in, int* balance) {
  while (auto r = co_await in.receive()) {
    co_await yield();
    ++*balance;
    r->reply(*balance);
  }
}
task<> deposit_again_after_a_time_out() {
  auto balance = std::make_shared<int>(0);
  auto [in, to] = make_mailbox<request<question>>(bounded(4));
  const auto server = spawn(depositor, std::move(in), balance.get());
  for (int i = 0; i < 2; ++i) {
    const auto answer = co_await ask(to, question{}, 1ms);
    if (answer) break; // otherwise once more: but the first may have been done
  }
  to = {};
  co_await server.join();
  require(*balance == 1, "deposited " + std::to_string(*balance) + " times");
}

task<> send_three(address<int> out) {
  for (int i = 0; i < 3; ++i) {
    const auto sent = co_await out.send(i);
    (void)sent;
  }
}
task<> closed_too_early() {
  auto [in, out] = make_mailbox<int>(bounded(3));
  const auto sender = spawn(send_three, std::move(out));
  int got = 0;
  for (;;) {
    auto s = co_await select(in.receive(), sender.join());
    if (s.index() == 1) break; // what is queued is thrown away
    ++got;
  }
  require(got == 3, "got " + std::to_string(got) + " of 3");
}

task<> append(int n, std::vector<int>* to) {
  co_await yield();
  to->push_back(n);
}
task<> order_assumed() {
  auto all = std::make_shared<std::vector<int>>();
  const auto one = spawn(append, 1, all.get());
  const auto two = spawn(append, 2, all.get());
  co_await one.join();
  co_await two.join();
  require(*all == std::vector<int>{1, 2}, "the second came first");
}

task<> poll_for(shared s) {
  while (!s->flag) co_await yield();
}
task<> set_if_first(shared s) {
  if (s->number++ == 0) s->flag = true;
  co_return;
}
task<> steal_the_first(shared s) {
  ++s->number;
  co_return;
}
task<> polls_for_ever() { return side_by_side({poll_for, set_if_first, steal_the_first}, no_check); }

// -- the table --------------------------------------------------------------------------------------------

struct planted {
  const char* name;
  task<> (*program)();
  verdict how;
  friend void PrintTo(const planted& p, std::ostream* out) { *out << p.name; }
};

const planted bugs[] = {
    {"LostUpdate", lost_update, verdict::failed},
    {"OverdraftByInterleaving", overdraft, verdict::failed},
    {"DoubleClose", double_close, verdict::failed},
    {"MadeTwice", made_twice, verdict::failed},
    {"TurnTakenTwice", turn_taken_twice, verdict::failed},
    {"PaidTwice", paid_twice, verdict::failed},
    {"LostWakeUp", lost_wake_up, verdict::deadlocked},
    {"LostSignal", take_a_lost_signal, verdict::deadlocked},
    {"NotifiedTheWrongOne", notified_the_wrong_one, verdict::deadlocked},
    {"StolenItem", stolen_item, verdict::failed},
    {"LostWaitGroupCount", lost_count, verdict::failed},
    {"LocksCrossed", locks_crossed, verdict::deadlocked},
    {"LockHeldOverAFullMailbox", lock_and_mailbox, verdict::deadlocked},
    {"BothSendFirst", both_send_first, verdict::deadlocked},
    {"ForgottenPermit", forgotten_permit, verdict::deadlocked},
    {"LostReply", lost_reply, verdict::failed},
    {"RequestCycle", request_cycle, verdict::failed},
    {"RetriedAfterATimeOut", deposit_again_after_a_time_out, verdict::failed},
    {"ClosedTooEarly", closed_too_early, verdict::failed},
    {"OrderAssumed", order_assumed, verdict::failed},
    {"PollsForEver", polls_for_ever, verdict::ran_too_long},
};

class PlantedBug : public testing::TestWithParam<planted> {
protected:
  void TearDown() override { ::unsetenv("TESTKIT_REPLAY"); }

  exploration how{.runs = 5'000, .world = {.most_steps = 20'000, .time_races = true}};
};
INSTANTIATE_TEST_SUITE_P(, PlantedBug, testing::ValuesIn(bugs),
                         [](const auto& at) { return std::string(at.param.name); });

TEST_P(PlantedBug, IsFoundAndShownAgainByWhatTheReportPrints) {
  const auto found = explore(how, GetParam().program);
  ASSERT_FALSE(found.nothing()) << found.to_string();
  EXPECT_EQ(found.failure.how, GetParam().how) << found.to_string();
  for (const auto& printed : {found.replay, found.shortest}) {
    ASSERT_NE(found.to_string().find("TESTKIT_REPLAY=" + printed), std::string::npos) << found.to_string();
    ::setenv("TESTKIT_REPLAY", printed.c_str(), 1);
    const auto again = explore(how, GetParam().program);
    EXPECT_EQ(again.runs, 1u);
    EXPECT_EQ(again.failure.how, found.failure.how) << printed;
    if (printed == found.replay) {
      EXPECT_EQ(again.failure.trace_hash, found.failure.trace_hash);
    }
  }
}

} // namespace
} // namespace greenroom::testkit::planted_bugs_test
