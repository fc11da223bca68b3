// Items that are queued too long.
#include <greenroom/runtime/mailbox.hpp>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test::mailbox_expiry_test {
namespace {

template <class T>
task<> put(address<T> out, T item) {
  (void)co_await out.send(std::move(item));
}
task<> take_all(mailbox<int> in, std::vector<int>* got) {
  while (const auto n = co_await in.receive()) got->push_back(*n);
}
task<> take_one(mailbox<int> in, std::vector<int>* got) {
  if (const auto n = co_await in.receive()) got->push_back(*n);
}
task<> try_one(mailbox<int> in, errc* said) {
  const auto n = in.try_receive();
  *said = n ? errc{} : n.error().code();
  co_return;
}

struct expiring_mailbox : timed_system {
  explicit expiring_mailbox(mailbox_limits limits) : in(limits), out(in.address()) {}
  void send(int n) { ASSERT_TRUE(sys.run(put<int>, address<int>(out), n)); }
  mailbox<int> in;
  address<int> out;
};

TEST(MailboxExpiry, ReceiverGetsOnlyWhatIsNotTooOld) {
  expiring_mailbox t(bounded(8).expiring(100ms));
  t.send(1);
  t.advance(60ms);
  t.send(2);
  t.advance(41ms);
  t.out = {};
  std::vector<int> got;
  ASSERT_TRUE(t.sys.run(take_all, t.in, &got));
  EXPECT_EQ(got, std::vector<int>{2});
  EXPECT_EQ(t.in.expired(), 1U);
  EXPECT_EQ(t.in.dropped(), 0U);
}

TEST(MailboxExpiry, OldItemsMakeRoomForTheSender) {
  for (const auto policy : {overflow::wait, overflow::reject, overflow::drop_newest}) {
    expiring_mailbox t(bounded(1, policy).expiring(100ms));
    t.send(1);
    t.advance(101ms);
    t.send(2);
    std::vector<int> got;
    ASSERT_TRUE(t.sys.run(take_one, t.in, &got));
    EXPECT_EQ(got, std::vector<int>{2});
  }
}

TEST(MailboxExpiry, TimeCountsFromTheMomentAnItemIsQueuedNotFromItsWaitForRoom) {
  expiring_mailbox t(bounded(1).expiring(100ms));
  t.send(1);
  const auto sender = t.sys.spawn(put<int>, t.out, 2);
  await_wait(t.sys, sender, "send");
  t.advance(90ms);
  std::vector<int> got;
  ASSERT_TRUE(t.sys.run(take_one, t.in, &got)); // the second moves into the queue
  t.advance(90ms);
  ASSERT_TRUE(t.sys.run(take_one, t.in, &got));
  EXPECT_EQ(got, (std::vector<int>{1, 2}));
  EXPECT_TRUE(sender.wait().normal());
}

TEST(MailboxExpiry, ReleasesTheSenderThatWaitedBehindOldItems) {
  expiring_mailbox t(bounded(1).expiring(100ms));
  t.send(1);
  const auto sender = t.sys.spawn(put<int>, t.out, 2);
  await_wait(t.sys, sender, "send");
  t.advance(101ms);
  std::vector<int> got;
  ASSERT_TRUE(t.sys.run(take_one, t.in, &got));
  EXPECT_EQ(got, std::vector<int>{2});
  EXPECT_TRUE(sender.wait().normal());
}

TEST(MailboxExpiry, TryReceiveSaysEmptyWhenAllAreTooOld) {
  expiring_mailbox t(bounded(4).expiring(100ms));
  t.send(1);
  t.send(2);
  t.advance(101ms);
  errc said{};
  ASSERT_TRUE(t.sys.run(try_one, t.in, &said));
  EXPECT_EQ(said, errc::empty);
  EXPECT_EQ(t.in.expired(), 2U);
}

TEST(MailboxExpiry, WaitingReceiverGetsTheNextItemHoweverLongItWaited) {
  expiring_mailbox t(bounded(4).expiring(100ms));
  std::vector<int> got;
  const auto receiver = t.sys.spawn(take_one, t.in, &got);
  await_wait(t.sys, receiver, "receive");
  t.advance(1h);
  t.send(1);
  EXPECT_TRUE(receiver.wait().normal());
  EXPECT_EQ(got, std::vector<int>{1});
}

TEST(MailboxExpiry, DropOldestKeepsTheTimesOfTheOthers) {
  expiring_mailbox t(bounded(2, overflow::drop_oldest).expiring(100ms));
  t.send(1);
  t.advance(50ms);
  t.send(2);
  t.advance(40ms);
  t.send(3);       // 1 goes
  t.advance(70ms); // 2 is 110 ms old, 3 is 70 ms old
  std::vector<int> got;
  ASSERT_TRUE(t.sys.run(take_one, t.in, &got));
  EXPECT_EQ(got, std::vector<int>{3});
  EXPECT_EQ(t.in.expired(), 1U);
  EXPECT_EQ(t.in.dropped(), 1U);
}

TEST(MailboxExpiry, ThreadsGoByTheClockOfTheMachine) {
  const mailbox<int> in(bounded(4).expiring(1h));
  const auto out = in.address();
  EXPECT_TRUE(out.try_send(1));
  EXPECT_EQ(in.try_receive().value(), 1);
}

struct holds_an_end {
  address<holds_an_end> to;
  explicit holds_an_end(address<holds_an_end> a) : to(std::move(a)) {}
};
task<> find_the_end(mailbox<holds_an_end> in, bool* ended) {
  const auto one = co_await in.receive();
  *ended = !one;
}

TEST(MailboxExpiry, OldItemMayHoldTheLastAddressOfItsMailbox) {
  timed_system t;
  auto ends = make_mailbox<holds_an_end>(bounded(2).expiring(100ms));
  ASSERT_TRUE(t.sys.run(put<holds_an_end>, ends.out, holds_an_end(ends.out)));
  ends.out = {};
  t.advance(101ms);
  bool ended = false;
  ASSERT_TRUE(t.sys.run(find_the_end, ends.in, &ended));
  EXPECT_TRUE(ended);
}

std::string refusal(mailbox_limits limits) {
  try {
    const mailbox<int> in(limits);
  } catch (const usage_error& e) {
    return e.what();
  }
  return "none";
}

TEST(MailboxExpiry, LimitsThatCannotBeAreRefused) {
  EXPECT_NE(refusal(rendezvous().expiring(1s)).find("never queued"), std::string::npos);
  EXPECT_NE(refusal(bounded(1).expiring(0s)).find("above 0"), std::string::npos);
  EXPECT_NE(refusal(bounded(1).expiring(-1s)).find("above 0"), std::string::npos);
  EXPECT_EQ(refusal(unbounded().expiring(1ms)), "none");
}

} // namespace
} // namespace greenroom::test::mailbox_expiry_test
