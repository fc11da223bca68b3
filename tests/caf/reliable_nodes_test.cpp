#ifdef GREENROOM_HAS_NODES
#include <greenroom/actors/reliable_address.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/inbox.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace std::chrono_literals;

namespace greenroom::reliable_nodes_test {
namespace {

/// What an inbox at the other node was given. Thread safety: any thread.
struct shelf {
  std::mutex lock;
  std::vector<int> taken;
  address<int> told; // each item, too

  std::vector<int> all() {
    const std::lock_guard guard(lock);
    return taken;
  }
};

task<result<void>> put(shelf* where, int item) {
  {
    const std::lock_guard guard(where->lock);
    where->taken.push_back(item);
  }
  (void)where->told.try_send(item);
  co_return result<void>();
}

/// Two nodes in one process; the far one can be stopped, and started again where it was.
struct ReliableNodes : testing::Test {
  ReliableNodes() : near(near_sys, {.name = "near"}) {
    auto ends = make_mailbox<int>(unbounded());
    items = std::move(ends.in);
    there.told = std::move(ends.out);
    open();
    start();
    EXPECT_TRUE(near.start());
  }
  /// Makes an inbox that remembers nothing.
  void open() {
    inbox_there = start_inbox<int>(far_sys, [where = &there](int item) { return put(where, item); });
  }
  void start() {
    far = std::make_unique<node>(far_sys, node_setup{.name = "far", .listen = true, .port = port});
    EXPECT_TRUE(far->publish("numbers", inbox_there));
    const auto up = far->start();
    ASSERT_TRUE(up) << up.error().message();
    port = far->port();
  }
  reliable_address<int> sender(reliable_options<int> how) {
    how.sender = "near";
    return reliable_address<int>(near_sys, std::move(how), route_via<int>(near.connect("127.0.0.1", port), "numbers"));
  }

  shelf there;
  mailbox<int> items;
  actor_system far_sys, near_sys;
  address<request<delivery<int>>> inbox_there;
  std::uint16_t port = 0;
  std::unique_ptr<node> far;
  node near;
};

task<> send_all(reliable_address<int> to, int first, int last) {
  for (int i = first; i <= last; ++i) {
    const auto kept = co_await to.send(i);
    EXPECT_TRUE(kept);
  }
}

task<> wait_for(mailbox<int> items, int wanted) {
  while (const auto item = co_await items.receive()) {
    if (*item >= wanted) co_return;
  }
}

task<result<void>> flush(reliable_address<int> to) { co_return co_await to.flush(60s); }

std::vector<int> up_to(int last) {
  std::vector<int> all;
  for (int i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

TEST_F(ReliableNodes, ItemsArriveOnceInOrderThoughTheNodeIsStoppedAndStartedAgain) {
  constexpr int last = 3000;
  const auto to = sender({.window = 16});
  const auto sending = near_sys.spawn(send_all, to, 1, last);
  for (const int stop : {500, 1500}) {
    far_sys.run(wait_for, items, stop).value();
    far.reset();
    start();
  }
  near_sys.run([](actor who) -> task<> { co_await who.join(); }, sending).value();
  const auto all = near_sys.run(flush, to);
  EXPECT_TRUE(all) << all.error().message();
  EXPECT_EQ(there.all(), up_to(last));
  EXPECT_EQ(to.stats().forgotten, 0U);
}

TEST_F(ReliableNodes, AnInboxThatIsMadeAnewHasNoneMissingAndTheSenderIsTold) {
  constexpr int last = 1000;
  const auto to = sender({.window = 16});
  const auto sending = near_sys.spawn(send_all, to, 1, last);
  far_sys.run(wait_for, items, 300).value();
  far.reset();
  open();
  start();
  near_sys.run([](actor who) -> task<> { co_await who.join(); }, sending).value();
  near_sys.run(send_all, to, last + 1, last + 1).value(); // all others may have arrived before the node was stopped
  const auto all = near_sys.run(flush, to);
  EXPECT_TRUE(all) << all.error().message();
  auto taken = there.all();
  EXPECT_LE(taken.size(), static_cast<std::size_t>(last) + 1U + 16U); // one delivery came twice at most
  std::sort(taken.begin(), taken.end());
  taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
  EXPECT_EQ(taken, up_to(last + 1));
  EXPECT_EQ(to.stats().forgotten, 1U);
}

task<result<void>> deliver(reliable_address<int> to, int item, duration limit) {
  co_return co_await to.deliver(item, limit);
}

TEST_F(ReliableNodes, WhatIsSentWhileNobodyIsThereArrivesLater) {
  const auto to = sender({.pause = 10ms});
  far.reset();
  const auto early = near_sys.run(deliver, to, 1, duration(50ms));
  EXPECT_TRUE(early.error().is(errc::timed_out));
  start();
  const auto done = near_sys.run(deliver, to, 2, duration(60s));
  EXPECT_TRUE(done) << done.error().message();
  EXPECT_EQ(there.all(), up_to(2));
}

} // namespace
} // namespace greenroom::reliable_nodes_test
#endif
