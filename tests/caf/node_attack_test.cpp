// What somebody can do to a node by coming often, by giving up what was begun, and by asking for more than there is.
#ifdef GREENROOM_HAS_NODES
#include <greenroom/actors/node.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tests/caf/node_kit.hpp>
#include <greenroom/tests/runtime/socket_kit.hpp>

using namespace std::chrono_literals;

namespace greenroom::node_test::node_attack_test {
namespace {

/// A node that is asked, and one that asks.
struct pair_of_nodes {
  explicit pair_of_nodes(node_setup how = {}) {
    how.name = "far";
    how.listen = true;
    far.emplace(far_sys.sys, std::move(how));
    EXPECT_TRUE(far->start());
    peer.emplace(near.connect("127.0.0.1", far->port()));
  }
  template <class T>
  result<address<T>> find(std::string name, remote_options how = {.limit = 60s}) {
    return node_test::find<T>(near_sys.sys, *peer, std::move(name), how);
  }

  kept_system far_sys, near_sys;
  std::optional<node> far;
  node near{near_sys.sys, {.name = "near"}};
  std::optional<node_peer> peer;
};

std::size_t actors_named(const actor_system& sys, std::string_view name) {
  std::size_t count = 0;
  for (const auto& each : sys.actors()) count += each.name == name ? 1 : 0;
  return count;
}

// -- lookups ----------------------------------------------------------------------------------------------

task<> look_for_ever(node_peer at) {
  auto looking = at.lookup<int>("numbers", {.limit = 1h});
  (void)co_await std::move(looking);
}

TEST(NodeAttack, ALookupThatIsGivenUpLeavesNothingAtTheOtherNode) {
  pair_of_nodes at;
  auto [in, out] = make_mailbox<int>(bounded(8));
  ASSERT_TRUE(at.far->publish("numbers", out));
  ASSERT_TRUE(at.find<int>("numbers")); // it is up, and this one has gone again
  for (int i = 0; i < 200; ++i) {
    const auto looking = at.near_sys.sys.spawn(look_for_ever, *at.peer);
    if (i % 2 == 0) {
      looking.cancel();
    } else {
      looking.kill();
    }
    looking.wait();
  }
  for (int i = 0; i < 100; ++i) (void)at.find<int>("numbers", {.limit = 0ms});
  while (actors_named(at.far_sys.sys, "published numbers") != 0) std::this_thread::yield();
  EXPECT_TRUE(at.find<int>("numbers"));
}

TEST(NodeAttack, TheAddressThatIsOneTooManyIsRefusedAndTheOthersStay) {
  pair_of_nodes at;
  auto [in, out] = make_mailbox<int>(bounded(8));
  ASSERT_TRUE(at.far->publish("numbers", out));
  std::vector<address<int>> kept;
  for (int i = 0; i < 4096; ++i) kept.push_back(at.find<int>("numbers").value());
  const auto more = at.find<int>("numbers");
  ASSERT_FALSE(more);
  EXPECT_TRUE(more.error().is(errc::limit)) << more.error().message();
  EXPECT_EQ(more.error().message(),
            "'numbers' would be the address number 4097 that this connection has at a time, and 4096 is the limit: "
            "give up what is not needed any more, and look up once what is used often");
  EXPECT_TRUE(kept.front().try_send(1));
  EXPECT_EQ(at.peer->state(), link_state::up);
}

TEST(NodeAttack, ANodeThatIsUpAndDoesNotAnswerInTimeIsNotCalledUnreached) {
  pair_of_nodes at;
  auto [in, out] = make_mailbox<int>(bounded(8));
  ASSERT_TRUE(at.far->publish("numbers", out));
  ASSERT_TRUE(at.find<int>("numbers"));
  const auto late = at.find<int>("numbers", {.limit = 0ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message(), "node far is up and has not answered within 0s");
}

TEST(NodeAttack, ANameWhoseMailboxHasClosedIsNotFoundAndIsFreeAgain) {
  pair_of_nodes at;
  auto first = std::make_optional(make_mailbox<int>(bounded(8)));
  ASSERT_TRUE(at.far->publish("numbers", first->out));
  first.reset();
  const auto gone = at.find<int>("numbers");
  ASSERT_FALSE(gone);
  EXPECT_TRUE(gone.error().is(errc::not_found));
  EXPECT_EQ(gone.error().message(), "what was published as 'numbers' has closed its mailbox");
  auto [in, out] = make_mailbox<int>(bounded(8));
  EXPECT_TRUE(at.far->publish("numbers", out));
  EXPECT_FALSE(at.far->publish("numbers", out));
  EXPECT_TRUE(at.find<int>("numbers"));
}

TEST(NodeAttack, MonitorsThatAreGoneAreLetGoOf) {
  pair_of_nodes at;
  auto [in, out] = make_mailbox<int>(bounded(8));
  ASSERT_TRUE(at.far->publish("numbers", out));
  ASSERT_TRUE(at.find<int>("numbers"));
  const auto before = ::mallinfo2().uordblks;
  for (int i = 0; i < 300'000; ++i) (void)at.peer->monitor(); // some 100 bytes each
  EXPECT_LT(::mallinfo2().uordblks, before + (2 << 20));
}

// -- requests that nobody waits for -----------------------------------------------------------------------

struct given_up {
  std::atomic<int> begun{0}, ended{0};
};

task<> serve_until_given_up(mailbox<request<deposit>> in, given_up* seen) {
  while (auto r = co_await in.receive()) {
    this_actor::system().spawn(
        [](request<deposit> one, given_up* counts) -> task<> {
          ++counts->begun;
          const auto until = one.context();
          (void)co_await until.done();
          ++counts->ended;
        },
        *std::move(r), seen);
  }
}
task<> ask_for_ever(address<request<deposit>> to) {
  const deposit d{1};
  (void)co_await ask(to, d, 1h);
}

TEST(NodeAttack, WorkForAnAskerThatIsCancelledOrKilledEndsAtTheOtherNode) {
  pair_of_nodes at({.window = 8});
  given_up seen;
  auto [in, out] = make_mailbox<request<deposit>>(bounded(8));
  at.far_sys.sys.spawn(serve_until_given_up, std::move(in), &seen);
  ASSERT_TRUE(at.far->publish("deposits", out));
  const auto to = at.find<request<deposit>>("deposits").value();
  // Many times the window: if what was given up kept its room, none could be asked any more. Some are given up before they were sent, some before they are begun.
  for (int round = 0; round < 40; ++round) {
    std::vector<actor> asking;
    for (int i = 0; i < 8; ++i) asking.push_back(at.near_sys.sys.spawn(ask_for_ever, to));
    if (round % 4 == 0) {
      while (seen.begun == seen.ended) std::this_thread::yield();
    }
    for (const auto& each : asking) {
      if (round % 2 == 0) {
        each.cancel();
      } else {
        each.kill();
      }
    }
    for (const auto& each : asking) each.wait();
  }
  const auto last = at.near_sys.sys.spawn(ask_for_ever, to);
  while (seen.begun != seen.ended + 1) std::this_thread::yield(); // all others have ended
  last.cancel();
  while (seen.begun != seen.ended) std::this_thread::yield();
}

// -- connections ------------------------------------------------------------------------------------------

TEST(NodeAttack, AConnectionCostsNoThreadAndOneDescriptor) {
  pair_of_nodes at;
  auto [in, out] = make_mailbox<int>(bounded(8));
  ASSERT_TRUE(at.far->publish("numbers", out));
  ASSERT_TRUE(at.find<int>("numbers"));
  const auto descriptors = test::open_descriptors();
  std::vector<node_peer> more;
  const auto threads = test::threads();
  for (int i = 0; i < 40; ++i) {
    more.push_back(at.near.connect("127.0.0.1", at.far->port()));
    ASSERT_TRUE(node_test::find<int>(at.near_sys.sys, more.back(), "numbers", {.limit = 60s}));
  }
  EXPECT_LE(test::open_descriptors(),
            descriptors + 80 + 8); // both ends are here; one that was silent for too long may have been made anew
  EXPECT_LE(test::threads(), threads + 20); // of the blocking pools, which have as many as were busy at once
}

TEST(NodeAttack, WhoCameWhenTheNodeHadAllThatItTakesIsRefusedAndLaterTaken) {
  pair_of_nodes at({.most_connections = 1});
  auto [in, out] = make_mailbox<int>(bounded(8));
  ASSERT_TRUE(at.far->publish("numbers", out));
  ASSERT_TRUE(at.find<int>("numbers"));
  const auto second = at.near.connect("127.0.0.1", at.far->port());
  const auto line = at.far_sys.log->await("is refused");
  EXPECT_NE(line.find("1 nodes are connected, which is most_connections"), std::string::npos) << line;
  EXPECT_EQ(at.peer->state(), link_state::up);
  at.peer->close();
  EXPECT_TRUE(node_test::find<int>(at.near_sys.sys, second, "numbers", {.limit = 60s}));
}

TEST(NodeAttack, StrangersOfOneHostAreBoundedAndTheOthersGoOn) {
  pair_of_nodes at({.detection = 10min});
  auto [in, out] = make_mailbox<int>(bounded(8));
  ASSERT_TRUE(at.far->publish("numbers", out));
  ASSERT_TRUE(at.find<int>("numbers"));
  std::deque<test::raw_socket> strangers;
  for (int i = 0; i < 65; ++i) strangers.emplace_back().connect(at.far->port());
  const auto line = at.far_sys.log->await("is refused");
  EXPECT_NE(line.find("64 connections from 127.0.0.1 have not said yet who they are"), std::string::npos) << line;
  EXPECT_TRUE(at.find<int>("numbers"));
}

TEST(NodeAttack, ANodeThatIsNotReachedIsSaidOnceForEachReason) {
  kept_system near_sys;
  node near(near_sys.sys, {.name = "near", .least_pause = 1ms, .most_pause = 2ms});
  std::uint16_t port = 0;
  {
    actor_system sys(options{.log_level = "off"});
    port = sys.net().listen({"127.0.0.1", 0}).value()->port();
  }
  const auto peer = near.connect("127.0.0.1", port);
  const auto line = near_sys.log->await("is not reached, and is tried again: ");
  EXPECT_NE(line.find("refused"), std::string::npos) << line;
}

TEST(NodeAttack, ANodeIsStartedOnce) {
  pair_of_nodes at;
  const auto port = at.far->port();
  const auto again = at.far->start();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message(), "node far: it was started before");
  EXPECT_EQ(at.far->port(), port);
}

} // namespace
} // namespace greenroom::node_test::node_attack_test
#endif
