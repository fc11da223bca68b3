// Go's channel cases for mailboxes: waiting, order, the end. Source: go/test/chan and runtime/chan_test.go, as facts.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::channel_test {
namespace {

using namespace go_kit;

// -- order ------------------------------------------------------------------------------------------

// Go: test/chan/fifo
TEST(GoChannel, BufferGivesItsItemsBackInOrder) {
  auto [in, out] = make_mailbox<int>(bounded(10));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(out.try_send(i));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(in.try_receive().value(), i);
}

/// Takes its item once its predecessor has taken its own.
task<> take_in_turn(mailbox<int> items, int expected, mailbox<int> before, address<int> behind) {
  co_await before.receive();
  EXPECT_EQ(co_await items.receive(), expected);
  EXPECT_TRUE(co_await behind.send(1));
}

task<> take_turns_in_a_chain() {
  auto items = make_mailbox<int>(rendezvous());
  auto start = make_mailbox<int>(rendezvous());
  auto before = start.in;
  for (int i = 0; i < 10; ++i) {
    auto next = make_mailbox<int>(rendezvous());
    spawn(take_in_turn, items.in, i, before, next.out);
    before = next.in;
  }
  EXPECT_TRUE(co_await start.out.send(0));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(co_await items.out.send(i));
  co_await before.receive();
}

// Go: test/chan/fifo
TEST(GoChannel, WithoutABufferReadersInAChainEachGetTheirOwnItem) {
  actor_system sys(quiet(2));
  EXPECT_TRUE(sys.run(take_turns_in_a_chain));
}

// -- without waiting --------------------------------------------------------------------------------

template <class T>
task<> receive_one(mailbox<T> in, T expected) {
  EXPECT_EQ(co_await in.receive(), expected);
}
template <class T>
task<> send_times(address<T> out, T item, int times) {
  for (int i = 0; i < times; ++i) EXPECT_TRUE(co_await out.send(item));
}

template <class T>
void check_nonblock(T item) {
  one_worker sys;
  for (const int capacity : {0, 1}) {
    auto [in, out] = make_mailbox<T>(bounded(capacity));
    EXPECT_EQ(in.try_receive().error().code(), errc::empty);
    auto first = out.try_send(item);
    EXPECT_EQ(first.has_value(), capacity == 1);
    if (capacity == 0) {
      EXPECT_EQ(first.item(), item) << "the item comes back";
    } else {
      EXPECT_EQ(out.try_send(item).error().code(), errc::full);
      EXPECT_EQ(in.try_receive().value(), item);
    }

    const auto receiver = sys.spawn(receive_one<T>, in, item);
    await_wait(sys, receiver, "receive");
    EXPECT_TRUE(out.try_send(item));
    EXPECT_TRUE(receiver.wait().normal());

    const auto sender = sys.spawn(send_times<T>, out, item, capacity + 1);
    await_wait(sys, sender, "send");
    EXPECT_EQ(in.try_receive().value(), item);
    EXPECT_TRUE(sender.wait().normal());
  }
}

struct empty_item {
  friend bool operator==(empty_item, empty_item) = default;
};

// Go: test/chan/nonblock
TEST(GoChannel, CallsThatDoNotWaitSucceedOnlyWithABufferOrAPeer) {
  check_nonblock<int>(42);
  check_nonblock<std::string>("hello, world, which is too long to be kept in place");
  check_nonblock<bool>(true);
  check_nonblock<std::array<double, 8>>({1.5});
}

// Go: test/chan/zerosize
TEST(GoChannel, ItemsWithoutASizeWorkBufferedAndUnbuffered) {
  static_assert(std::is_empty_v<empty_item>);
  check_nonblock<empty_item>({});
  check_nonblock<std::array<int, 0>>({});
}

task<> note_item(mailbox<int> in, std::vector<std::pair<char, int>>* log, char me) {
  const auto item = co_await in.receive();
  log->emplace_back(me, *item);
}

// Go: test/chan/nonblock
TEST(GoChannel, ThoseWhoWaitAreServedInTheOrderTheyCame) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  std::vector<std::pair<char, int>> log;
  for (const char me : {'a', 'b', 'c'}) await_wait(sys, sys.spawn(note_item, in, &log, me), "receive");
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(out.try_send(i));
  (void)sys.run(settle);
  std::sort(log.begin(), log.end()); // who got which item, not who ran first
  EXPECT_EQ(log, (std::vector<std::pair<char, int>>{{'a', 1}, {'b', 2}, {'c', 3}}));

  for (int i = 1; i <= 3; ++i) await_wait(sys, sys.spawn(send_times<int>, out, i, 1), "send");
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(in.try_receive().value(), i);
}

task<> use_an_address_that_came_as_an_item() {
  auto ends = make_mailbox<address<int>>(bounded(1));
  auto reply = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(co_await ends.out.send(reply.out));
  auto s = co_await select(ends.in.receive(), otherwise());
  EXPECT_EQ(s.index(), 0U);
  auto sent = co_await select(s.get<0>()->send(7), otherwise());
  EXPECT_EQ(sent.index(), 0U);
  EXPECT_EQ(co_await reply.in.receive(), 7);
}

// Go: test/chan/sendstmt
TEST(GoChannel, AnEndThatCameAsAnItemCanBeSentOn) {
  one_worker sys;
  EXPECT_TRUE(sys.run(use_an_address_that_came_as_an_item));
}

// -- limits and types -------------------------------------------------------------------------------

// Go: test/chancap
TEST(GoChannel, LengthAndCapacityAreRightWhileFilling) {
  auto [in, out] = make_mailbox<int>(bounded(10));
  for (std::size_t i = 0; i <= 10; ++i) {
    EXPECT_EQ(in.size_approx(), i);
    EXPECT_EQ(in.capacity(), 10U);
    EXPECT_EQ(out.try_send(0).has_value(), i < 10);
  }
  EXPECT_EQ(in.size_approx(), 10U);
  const mailbox<int> unbuffered(rendezvous());
  EXPECT_EQ(unbuffered.size_approx(), 0U);
  EXPECT_EQ(unbuffered.capacity(), 0U);
}

// Go: test/chancap
TEST(GoChannel, NegativeOrAbsurdCapacityIsAUsageError) {
  for (const std::int64_t capacity : {std::int64_t{-1}, INT64_MIN, std::int64_t{1} << 59, INT64_MAX}) {
    EXPECT_THROW((void)bounded(capacity), usage_error) << capacity;
  }
}

template <class End>
concept receives = requires(const End& end) {
  end.receive();
};
template <class End>
concept sends = requires(const End& end, int item) {
  end.send(item);
};

// Go: test/chan/perm
// Differs: Go forbids closing a receive-only channel; here the receiver may close, which is how it says that it wants no more.
TEST(GoChannel, EndsConvertOnlyTheSafeWay) {
  static_assert(receives<mailbox<int>> && !sends<mailbox<int>>);
  static_assert(sends<address<int>> && !receives<address<int>>);
  static_assert(!sends<weak_address<int>> && !receives<weak_address<int>>);
  static_assert(!std::is_constructible_v<mailbox<int>, address<int>>);
  static_assert(!std::is_constructible_v<address<int>, mailbox<int>>, "only by asking for it: mailbox::address()");
  static_assert(std::is_convertible_v<address<int>, weak_address<int>>);
  static_assert(!std::is_constructible_v<address<int>, weak_address<int>>, "only by lock()");
  static_assert(!std::is_constructible_v<mailbox<long>, mailbox<int>>, "the item's type is part of it");
}

struct shape {
  virtual ~shape() = default;
  virtual int corners() const = 0;
};
struct triangle final : shape {
  int corners() const override { return 3; }
};

task<> send_shapes(address<std::unique_ptr<shape>> out) {
  auto first = std::make_unique<triangle>();
  EXPECT_TRUE(co_await out.send(std::move(first)));
  auto second = std::make_unique<triangle>();
  co_await select(out.send(std::move(second)), at(never));
  auto third = std::make_unique<triangle>();
  EXPECT_TRUE(out.try_send(std::move(third)));
}

// Go: runtime/chan_test ChanSendInterface
TEST(GoChannel, ItemsConvertToTheTypeThatIsSent) {
  one_worker sys;
  auto [in, out] = make_mailbox<std::unique_ptr<shape>>(bounded(3));
  EXPECT_TRUE(sys.run(send_shapes, out));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(in.try_receive().value()->corners(), 3);
}

// -- TestChan ---------------------------------------------------------------------------------------

task<> take_directly(mailbox<int> in, std::vector<std::optional<int>>* got) {
  auto item = co_await in.receive();
  got->push_back(item);
}
task<> take_by_select(mailbox<int> in, std::vector<std::optional<int>>* got) {
  auto s = co_await select(in.receive(), at(never));
  got->push_back(s.get<0>());
}
task<> put_directly(address<int> out, int item) { EXPECT_TRUE(co_await out.send(item)); }
task<> put_by_select(address<int> out, int item) {
  auto s = co_await select(out.send(item), at(never));
  EXPECT_TRUE(s.get<0>());
}

task<> empty_makes_receivers_wait(int capacity) {
  auto [in, out] = make_mailbox<int>(bounded(capacity));
  std::vector<std::optional<int>> got;
  const auto one = spawn(take_directly, in, &got);
  const auto two = spawn(take_by_select, in, &got);
  co_await until_waits(one, "receive");
  co_await until_waits(two, "select");
  EXPECT_EQ(in.try_receive().error().code(), errc::empty);
  EXPECT_TRUE(co_await out.send(7));
  EXPECT_TRUE(co_await out.send(7));
  co_await one.join();
  co_await two.join();
  EXPECT_EQ(got, (std::vector<std::optional<int>>{7, 7}));
}

task<> full_makes_senders_wait(int capacity) {
  auto [in, out] = make_mailbox<int>(bounded(capacity));
  for (int i = 0; i < capacity; ++i) EXPECT_TRUE(out.try_send(i));
  const auto one = spawn(put_directly, out, capacity);
  co_await until_waits(one, "send");
  const auto two = spawn(put_by_select, out, capacity + 1);
  co_await until_waits(two, "select");
  EXPECT_EQ(out.try_send(0).error().code(), errc::full);
  for (int i = 0; i < capacity + 2; ++i) EXPECT_EQ(co_await in.receive(), i);
  co_await one.join();
  co_await two.join();
}

task<> close_ends_the_wait_of_receivers(int capacity) {
  auto [in, out] = make_mailbox<int>(bounded(capacity));
  std::vector<std::optional<int>> got;
  const auto one = spawn(take_directly, in, &got);
  const auto two = spawn(take_by_select, in, &got);
  co_await until_waits(one, "receive");
  co_await until_waits(two, "select");
  out.close();
  co_await one.join();
  co_await two.join();
  EXPECT_EQ(got, (std::vector<std::optional<int>>{std::nullopt, std::nullopt}));
}

task<> put_a_hundred(address<int> out) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(co_await out.send(i));
}
task<> a_hundred_arrive_in_order(int capacity) {
  auto [in, out] = make_mailbox<int>(bounded(capacity));
  spawn(put_a_hundred, out);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await in.receive(), i);
}

// Go: runtime/chan_test TestChan
TEST(GoChannel, WaitsExactlyWhileEmptyOrFullWithAnyCapacity) {
  one_worker sys;
  for (int capacity = 0; capacity < 200; ++capacity) {
    SCOPED_TRACE(testing::Message() << "capacity " << capacity);
    for (auto* const promise : {empty_makes_receivers_wait, full_makes_senders_wait, close_ends_the_wait_of_receivers,
                                a_hundred_arrive_in_order}) {
      EXPECT_TRUE(sys.run(promise, capacity));
    }
  }
}

task<> put_a_thousand(address<int> out) {
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(co_await out.send(i));
}
task<> take_a_thousand(mailbox<int> in, std::array<std::atomic<int>, 1'000>* seen) {
  for (int i = 0; i < 1'000; ++i) {
    const auto item = co_await in.receive();
    ++(*seen)[static_cast<std::size_t>(*item)];
  }
}

// Go: runtime/chan_test TestChan
TEST(GoChannel, FourSendersAndFourReceiversLoseAndDoubleNothingWithAnyCapacity) {
  actor_system sys(quiet(2));
  for (int capacity = 0; capacity < 200; ++capacity) {
    auto [in, out] = make_mailbox<int>(bounded(capacity));
    std::array<std::atomic<int>, 1'000> seen{};
    std::vector<actor> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(sys.spawn(put_a_thousand, out));
      all.push_back(sys.spawn(take_a_thousand, in, &seen));
    }
    for (auto& a : all) EXPECT_TRUE(a.wait().normal());
    for (const auto& times : seen) ASSERT_EQ(times, 4) << "capacity " << capacity;
    EXPECT_EQ(in.size_approx(), 0U);
  }
}

// -- the end ----------------------------------------------------------------------------------------

task<> receives_give_the_end(mailbox<int> in, mailbox<int> silent) {
  EXPECT_EQ(co_await in.receive(), std::nullopt);
  EXPECT_EQ(in.try_receive().error().code(), errc::closed);
  const auto timed = co_await in.receive_until(never);
  EXPECT_EQ(timed.error().code(), errc::closed);
  auto one = co_await select(in.receive());
  EXPECT_EQ(one.get<0>(), std::nullopt);
  auto two = co_await select(silent.receive(), in.receive());
  EXPECT_EQ(two.index(), 1U);
  EXPECT_EQ(two.get<1>(), std::nullopt);
  auto with_default = co_await select(in.receive(), otherwise());
  EXPECT_EQ(with_default.index(), 0U) << "the end counts as ready";
}

task<> sends_give_their_item_back(address<int> out, mailbox<int> silent) {
  auto direct = co_await out.send(5);
  EXPECT_EQ(direct.error().code(), errc::closed);
  EXPECT_EQ(direct.item(), 5);
  EXPECT_EQ(out.try_send(6).error().code(), errc::closed);
  auto one = co_await select(out.send(7));
  EXPECT_EQ(one.get<0>().error().code(), errc::closed);
  EXPECT_EQ(one.get<0>().item(), 7);
  auto two = co_await select(silent.receive(), out.send(8));
  EXPECT_EQ(two.index(), 1U);
  EXPECT_EQ(two.get<1>().error().code(), errc::closed);
  auto with_default = co_await select(out.send(9), otherwise());
  EXPECT_EQ(with_default.index(), 0U);
}

task<> close_for_good(int capacity) {
  auto [in, out] = make_mailbox<int>(bounded(capacity));
  auto silent = make_mailbox<int>(rendezvous());
  for (int i = 0; i < capacity; ++i) EXPECT_TRUE(co_await out.send(i));
  out.close();
  co_await sends_give_their_item_back(out, silent.in);
  for (int i = 0; i < capacity; ++i) EXPECT_EQ(co_await in.receive(), i) << "what is queued comes first";
  for (int i = 0; i < 3; ++i) {
    co_await receives_give_the_end(in, silent.in);
    co_await sends_give_their_item_back(out, silent.in);
    out.close();
    in.close();
  }
}

// Go: test/closedchan
// Differs: sending on a closed channel panics in Go. Here a receiver may go at any time, so that its senders cannot know: the item
// comes back with errc::closed, and closing twice is fine.
TEST(GoChannel, ClosedDeliversItsBufferThenTheEndForEverAndGivesItemsBack) {
  one_worker sys;
  for (const int capacity : {0, 2}) EXPECT_TRUE(sys.run(close_for_good, capacity));
}

// Go: test/closedchan
// Differs: closing a nil channel panics in Go; an empty end is a mailbox that is closed already.
TEST(GoChannel, ClosingWithoutAMailboxDoesNothing) {
  const mailbox<int> in;
  const address<int> out;
  in.close();
  out.close();
  EXPECT_TRUE(in.closed() && out.closed());
}

// -- races ------------------------------------------------------------------------------------------

task<> must_find_something(mailbox<int> in) {
  auto s = co_await select(in.receive(), otherwise());
  EXPECT_EQ(s.index(), 0U);
}

// Go: runtime/chan_test NonblockRecvRace
TEST(GoChannel, ReceiveThatDoesNotWaitSeesTheItemOrTheEnd) {
  actor_system sys(quiet(2));
  for (int i = 0; i < 20'000; ++i) {
    auto ends = make_mailbox<int>(bounded(1));
    EXPECT_TRUE(ends.out.try_send(1));
    const auto racer = sys.spawn(must_find_something, ends.in);
    ends.out.close();
    (void)ends.in.try_receive(); // the racer gets the item, or the end behind it
    EXPECT_TRUE(racer.wait().normal());
  }
}

} // namespace
} // namespace greenroom::channel_test
