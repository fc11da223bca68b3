// The copies of items in hand, where no actor shows them.
#include <greenroom/runtime/detail/item_meter.hpp>

#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::detail::item_meter_test {
namespace {

struct watched_mailbox {
  watched_mailbox() {
    who.home = &timed.sys.core();
    box.watch(kind_of_item<std::string>(), true);
    meter().enter(&who);
  }
  item_meter& meter() { return *box.meter_locked(); }
  /// An item goes from hand to hand; nobody is there to destroy the copy of the one before.
  void take(const std::string& item) {
    meter().pass();
    meter().take(&who, &item);
  }
  left_item leave(bool in_order, std::uint32_t most_deliveries) {
    actor_cell* wake = nullptr;
    std::lock_guard guard(box.lock());
    return meter().leave(&who, in_order, most_deliveries, box, wake);
  }

  test::timed_system timed;
  const mailbox<std::string> in{bounded(4)};
  mailbox_base& box = *in.base();
  actor_cell who;
};

TEST(ItemMeter, LeavesACopyOfTheItemInHand) {
  watched_mailbox w;
  w.take("one");
  const auto left = w.leave(false, 0);
  EXPECT_TRUE(left.failed);
  EXPECT_FALSE(left.comes_again);
  ASSERT_NE(left.kind, nullptr);
  EXPECT_EQ(left.copy.text(), "one");
  EXPECT_EQ(std::any_cast<std::string>(left.kind->to_any(left.copy.get())), "one");
  EXPECT_EQ(w.meter().failed(), 1U);
}

TEST(ItemMeter, CopyOfAnEarlierItemIsNotTakenForThatOfTheLast) {
  watched_mailbox w;
  w.take("one");
  w.take("two"); // without a receive in between the first copy could not go
  const auto left = w.leave(false, 9);
  EXPECT_TRUE(left.failed);
  EXPECT_FALSE(left.comes_again);
  EXPECT_FALSE(left.copy);
  EXPECT_EQ(left.outdated.text(), "one");
  EXPECT_EQ(w.meter().handled(), 1U);
  EXPECT_EQ(w.meter().failed(), 1U);
}

TEST(ItemMeter, LetGoGivesTheCopyAwayAndCountsTheItemAsHandled) {
  watched_mailbox w;
  w.take("one");
  EXPECT_EQ(w.meter().let_go(&w.who).text(), "one");
  w.take("two");
  EXPECT_EQ(w.leave(false, 0).copy.text(), "two");
  EXPECT_EQ(w.meter().handled(), 1U);
}

TEST(ItemMeter, HandlingGoesOnFromItemToItemAndRestsInBetween) {
  using namespace std::chrono_literals;
  watched_mailbox w;
  w.timed.time.advance(1s);
  w.take("one");
  w.timed.time.advance(5ms);
  w.meter().ask(&w.who, true); // the next is there
  w.take("two");
  w.timed.time.advance(7ms);
  EXPECT_EQ(w.meter().handling(), 12ms);
  w.meter().ask(&w.who, false);
  w.timed.time.advance(1h);
  EXPECT_EQ(w.meter().handling(), 12ms);
  w.take("three");
  w.timed.time.advance(1ms);
  (void)w.leave(false, 0);
  EXPECT_EQ(w.meter().handling(), 13ms);
  EXPECT_EQ(w.meter().handled(), 2U);
}

TEST(ItemMeter, ItemInHandAtAnEndInOrderIsHandled) {
  watched_mailbox w;
  w.take("one");
  EXPECT_FALSE(w.leave(true, 9).failed);
  EXPECT_EQ(w.meter().handled(), 1U);
  EXPECT_EQ(w.meter().in_hand(), 0U);
}

TEST(ItemMeter, ItemThatMayComeAgainIsFirstInTheQueue) {
  watched_mailbox w;
  const auto out = w.in.address();
  w.take("one");
  EXPECT_TRUE(out.try_send("two"));
  const auto left = w.leave(false, 2);
  EXPECT_TRUE(left.comes_again);
  EXPECT_EQ(left.copy.text(), "one");
  EXPECT_EQ(w.in.try_receive().value(), "one");
  EXPECT_EQ(w.in.try_receive().value(), "two");
  EXPECT_EQ(w.meter().redelivered(), 1U);
}

} // namespace
} // namespace greenroom::detail::item_meter_test
