#ifdef GREENROOM_HAS_NODES
#include <greenroom/actors/node.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace std::chrono_literals;

namespace remote_bank {

struct deposit {
  std::string to;
  std::int64_t cents = 0;
  using reply = std::int64_t;
};
template <class Inspector>
bool inspect(Inspector& f, deposit& x) {
  return f.object(x).fields(f.field("to", x.to), f.field("cents", x.cents));
}

} // namespace remote_bank

namespace greenroom::node_test {
namespace {

using remote_bank::deposit;

task<> hold(mailbox<request<deposit>> in) {
  std::int64_t all = 0;
  while (auto r = co_await in.receive()) {
    if (r->message.cents < 0) {
      r->fail({errc::invalid_argument, "a deposit must be positive"});
    } else {
      r->reply(all += r->message.cents);
    }
  }
}

task<> keep_silent(mailbox<request<deposit>> in, address<int> cancelled_here) {
  while (auto r = co_await in.receive()) {
    const auto until = r->context();
    (void)co_await until.done();
    (void)co_await cancelled_here.send(1);
  }
}

/// Takes one request, says so, and keeps it.
task<> hold_back(mailbox<request<deposit>> in, address<int> taken) {
  const auto r = co_await in.receive();
  (void)co_await taken.send(1);
  co_await sleep_until(never);
}

/// Two nodes in one process, over loopback.
struct two_nodes {
  explicit two_nodes(node_setup there_too = {})
      : far(far_sys,
            [&] {
              there_too.name = "far";
              there_too.listen = true;
              return there_too;
            }()),
        near(near_sys, {.name = "near"}) {
    EXPECT_TRUE(far.start());
    EXPECT_TRUE(near.start());
  }
  node_peer peer() { return near.connect("127.0.0.1", far.port()); }

  actor_system far_sys, near_sys;
  node far, near;
};

template <class T>
task<result<address<T>>> look_up(node_peer at, std::string name, remote_options how = {}) {
  auto looking = at.lookup<T>(std::move(name), how);
  co_return co_await std::move(looking);
}

template <class T>
result<address<T>> find(actor_system& sys, const node_peer& at, std::string name, remote_options how = {}) {
  return sys.run(look_up<T>, at, std::move(name), how);
}

task<result<std::int64_t>> pay_in(address<request<deposit>> to, std::int64_t cents,
                                  std::chrono::milliseconds limit = 5s) {
  deposit d{"anna", cents};
  co_return co_await ask(to, std::move(d), limit);
}

TEST(Node, ARequestIsAnsweredAcrossNodes) {
  two_nodes n;
  auto [in, out] = make_mailbox<request<deposit>>(bounded(8));
  n.far_sys.spawn(hold, std::move(in));
  ASSERT_TRUE(n.far.publish("deposits", out));
  const auto to = find<request<deposit>>(n.near_sys, n.peer(), "deposits");
  ASSERT_TRUE(to) << to.error().message();
  EXPECT_EQ(n.near_sys.run(pay_in, *to, 5, 5s).value(), 5);
  EXPECT_EQ(n.near_sys.run(pay_in, *to, 7, 5s).value(), 12);
  const auto refused = n.near_sys.run(pay_in, *to, -1, 5s);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::invalid_argument));
  EXPECT_EQ(refused.error().message(), "a deposit must be positive");
}

TEST(Node, ItemsArriveInOrderAndAsManyAsTheOtherSideTakes) {
  two_nodes n({.window = 4});
  auto [in, out] = make_mailbox<std::string>(bounded(2));
  ASSERT_TRUE(n.far.publish("words", out));
  const auto to = find<std::string>(n.near_sys, n.peer(), "words", {.capacity = 3});
  ASSERT_TRUE(to) << to.error().message();
  // 2 in the far mailbox, one in the hand of its server, 4 under way, one in the hand of the carrier, 3 in ours: no more.
  constexpr auto send_all = [](address<std::string> where, int count) -> task<int> {
    int sent = 0;
    for (int i = 0; i < count; ++i) {
      const auto went = co_await where.send_for("word " + std::to_string(i), 1s);
      if (!went) break;
      ++sent;
    }
    co_return sent;
  };
  const auto sent = n.near_sys.run(+send_all, *to, 100).value();
  EXPECT_GE(sent, 2 + 4 + 3);
  EXPECT_LE(sent, 2 + 1 + 4 + 1 + 3);
  constexpr auto receive_all = [](mailbox<std::string> from, int count) -> task<std::vector<std::string>> {
    std::vector<std::string> all;
    while (static_cast<int>(all.size()) < count) {
      auto one = co_await from.receive();
      if (!one) break;
      all.push_back(*std::move(one));
    }
    co_return all;
  };
  const auto got = n.far_sys.run(+receive_all, in, sent).value();
  ASSERT_EQ(static_cast<int>(got.size()), sent);
  for (int i = 0; i < sent; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], "word " + std::to_string(i));
}

TEST(Node, WhatIsNotThereOrIsAnotherTypeIsSaid) {
  two_nodes n;
  auto [in, out] = make_mailbox<std::string>(bounded(2));
  ASSERT_TRUE(n.far.publish("words", out));
  EXPECT_TRUE(n.far.publish("words", out).error().is(errc::already_exists));
  const auto peer = n.peer();
  const auto missing = find<std::string>(n.near_sys, peer, "numbers");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().is(errc::not_found));
  EXPECT_EQ(missing.error().message(), "nothing is published as 'numbers'; what is: words");
  const auto other = find<std::int32_t>(n.near_sys, peer, "words");
  ASSERT_FALSE(other);
  EXPECT_TRUE(other.error().is(errc::type_mismatch)) << other.error().message();
  const auto asked = find<request<deposit>>(n.near_sys, peer, "words");
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().message(), "'words' takes items, not requests");
}

TEST(Node, AnAskersTimeOutEndsTheWorkAtTheOtherNode) {
  two_nodes n;
  auto [in, out] = make_mailbox<request<deposit>>(bounded(8));
  auto [gone, tell] = make_mailbox<int>(bounded(1));
  n.far_sys.spawn(keep_silent, std::move(in), tell);
  ASSERT_TRUE(n.far.publish("deposits", out));
  const auto to = find<request<deposit>>(n.near_sys, n.peer(), "deposits");
  ASSERT_TRUE(to);
  const auto late = n.near_sys.run(pay_in, *to, 5, 50ms);
  EXPECT_TRUE(late.error().is(errc::timed_out)) << late.error().message();
  constexpr auto wait = [](mailbox<int> from) -> task<bool> {
    const auto got = co_await from.receive();
    co_return got.has_value();
  };
  EXPECT_TRUE(n.far_sys.run(+wait, gone).value());
}

TEST(Node, ARequestThatTimedOutWhileItHadNoRoomIsNotSent) {
  two_nodes n({.window = 1});
  auto [in, out] = make_mailbox<request<deposit>>(bounded(8));
  ASSERT_TRUE(n.far.publish("deposits", out));
  const auto to = find<request<deposit>>(n.near_sys, n.peer(), "deposits");
  ASSERT_TRUE(to) << to.error().message();
  constexpr auto ask_only = [](address<request<deposit>> where, std::int64_t cents) -> task<> {
    auto asking = pay_in(where, cents, 60s);
    (void)co_await std::move(asking);
  };
  constexpr auto next = [](mailbox<request<deposit>> from) -> task<request<deposit>> {
    auto r = co_await from.receive();
    co_return *std::move(r);
  };
  n.near_sys.spawn(ask_only, *to, 1);
  auto first = n.far_sys.run(next, in).value(); // it has all the room there is
  const auto late = n.near_sys.run(pay_in, *to, 2, 20ms);
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().is(errc::timed_out)) << late.error().message();
  first.reply(1);
  n.near_sys.spawn(ask_only, *to, 3);
  auto second = n.far_sys.run(next, in).value();
  EXPECT_EQ(second.message.cents, 3);
  second.reply(4);
}

TEST(Node, ANodeThatEndsClosesAddressesFailsRequestsAndTellsEachMonitorOnce) {
  actor_system near_sys;
  node near(near_sys, {.name = "near"});
  ASSERT_TRUE(near.start());
  auto far_sys = std::make_unique<actor_system>();
  auto far = std::make_unique<node>(*far_sys, node_setup{.name = "far", .listen = true});
  ASSERT_TRUE(far->start());
  auto [in, out] = make_mailbox<request<deposit>>(bounded(8));
  auto [taken, tell] = make_mailbox<int>(bounded(1));
  far_sys->spawn(hold_back, std::move(in), tell);
  ASSERT_TRUE(far->publish("deposits", out));
  const auto peer = near.connect("127.0.0.1", far->port());
  const auto to = find<request<deposit>>(near_sys, peer, "deposits");
  ASSERT_TRUE(to);
  const auto monitor = peer.monitor();
  constexpr auto ask_and_end = [](address<request<deposit>> where, mailbox<int> taken_there,
                                  std::unique_ptr<node>* what) -> task<result<std::int64_t>> {
    auto [ask_in, ask_out] = make_mailbox<result<std::int64_t>>(bounded(1));
    constexpr auto one = [](address<request<deposit>> at, address<result<std::int64_t>> answer) -> task<> {
      deposit d{"anna", 1};
      auto got = co_await ask(at, std::move(d), 10s);
      (void)co_await answer.send(std::move(got));
    };
    spawn(+one, where, ask_out);
    (void)co_await taken_there.receive();
    what->reset();
    auto got = co_await ask_in.receive();
    co_return *std::move(got);
  };
  const auto answer = near_sys.run(+ask_and_end, *to, taken, &far);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::unavailable)) << answer.error().message();
  constexpr auto notices = [](mailbox<node_down> from) -> task<std::vector<node_down>> {
    std::vector<node_down> all;
    while (auto one = co_await from.receive()) all.push_back(*std::move(one));
    co_return all;
  };
  const auto told = near_sys.run(+notices, monitor).value();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].name, "far");
  const auto late = near_sys.run(pay_in, *to, 5, 5s);
  EXPECT_TRUE(late.error().is(errc::closed) || late.error().is(errc::unavailable)) << late.error().message();
}

} // namespace
} // namespace greenroom::node_test
#endif
