// What a node does when connections break, when they are ended on purpose, and when an authenticated peer breaks the rules.
#ifdef GREENROOM_HAS_NODES
#include <greenroom/actors/node.hpp>

#include <chrono>
#include <cstdint>
#include <latch>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/internal/node_link.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tests/caf/node_kit.hpp>
#include <greenroom/tests/runtime/socket_kit.hpp>

using namespace std::chrono_literals;

namespace greenroom::node_test::node_fault_test {
namespace {

/// Stands between two nodes, and can lose one end of the connection without telling the other, as a network does.
class middle {
public:
  explicit middle(std::uint16_t to) : to_(to) {
    at_ = sys_.net().listen({"127.0.0.1", 0}).value();
    port_ = at_->port();
    sys_.spawn(accept, this);
  }
  std::uint16_t port() const { return port_; }
  enum class ends { near, both };
  /// Ends all connections towards who connected; those to the other node too, or it notices nothing.
  void lose(ends which) { sys_.run(lose_some, this, which).value(); }

private:
  struct line {
    std::unique_ptr<stream> near, far;
  };
  static task<> accept(middle* self) {
    for (;;) {
      auto client = co_await self->at_->accept();
      if (!client) co_return;
      auto server = co_await self->sys_.net().connect({"127.0.0.1", self->to_});
      if (!server) continue;
      auto& one = self->lines_.emplace_back();
      one.near = *std::move(client);
      one.far = *std::move(server);
      spawn(pump, one.near.get(), one.far.get());
      spawn(pump, one.far.get(), one.near.get());
    }
  }
  static task<> pump(stream* from, stream* to) {
    std::vector<std::byte> some(4096);
    for (;;) {
      const auto got = co_await from->read_some(some);
      if (!got || *got == 0) co_return;
      const auto put = co_await to->write_all(std::span(some).first(*got));
      if (!put) co_return;
    }
  }
  static task<> lose_some(middle* self, ends which) {
    for (auto& one : self->lines_) {
      one.near->close();
      if (which == ends::both) one.far->close();
    }
    co_return;
  }

  const std::uint16_t to_;
  std::uint16_t port_ = 0;
  std::unique_ptr<listener> at_;
  std::list<line> lines_; // one worker: the actors take turns
  actor_system sys_{options{.workers = 1, .log_level = "off"}};
};

task<int> send_numbers(address<int> to, int first, int last) {
  for (int i = first; i <= last; ++i) {
    const auto sent = co_await to.send(i);
    if (!sent) co_return i - first;
  }
  co_return last - first + 1;
}
/// All that comes up to `last`.
task<std::vector<int>> receive_up_to(mailbox<int> from, int last) {
  std::vector<int> all;
  while (all.empty() || all.back() != last) {
    const auto one = co_await from.receive();
    if (!one) break;
    all.push_back(*one);
  }
  co_return all;
}

class NodeReconnect : public testing::TestWithParam<middle::ends> {};
INSTANTIATE_TEST_SUITE_P(Ends, NodeReconnect, testing::Values(middle::ends::near, middle::ends::both),
                         [](const auto& each) { return each.param == middle::ends::near ? "Near" : "Both"; });

TEST_P(NodeReconnect, WhatIsLeftOfALostConnectionDoesNotComeBetweenLaterItems) {
  kept_system far_sys, near_sys;
  // The far node does not notice by itself that the connection is lost.
  node far(far_sys.sys, {.name = "far", .listen = true, .detection = 10min, .window = 4});
  auto [in, out] = make_mailbox<int>(bounded(1));
  ASSERT_TRUE(far.publish("numbers", out));
  ASSERT_TRUE(far.start());
  middle between(far.port());
  node near(near_sys.sys, {.name = "near", .detection = 10min});
  const auto peer = near.connect("127.0.0.1", between.port());
  const auto to =
      find<int>(near_sys.sys, peer, "numbers", {.capacity = 64, .limit = 60s, .down = remote_options::when_down::wait});
  ASSERT_TRUE(to) << to.error().message();
  EXPECT_EQ(near_sys.sys.run(send_numbers, *to, 1, 20).value(), 20);
  while (in.size_approx() == 0)
    std::this_thread::yield(); // the server has the next in its hand, and up to four behind that
  between.lose(GetParam());
  near_sys.log->await("is down");
  if (GetParam() == middle::ends::both) far_sys.log->await("has gone");
  near_sys.log->await("is up");
  // A second lookup is answered after the first stream is open again.
  auto [second_in, second_out] = make_mailbox<int>(bounded(1));
  ASSERT_TRUE(far.publish("second", second_out));
  ASSERT_TRUE(find<int>(near_sys.sys, peer, "second", {.limit = 60s}));
  const auto got = far_sys.sys.run(receive_up_to, in, 20).value();
  for (std::size_t i = 1; i < got.size(); ++i) EXPECT_LT(got[i - 1], got[i]);
  EXPECT_EQ(got.back(), 20);
  EXPECT_EQ(got.front(), 1);
}

TEST(NodeFaults, ASecondConnectionOfTheSameNodeDoesNotEndTheFirst) {
  kept_system far_sys, near_sys;
  node far(far_sys.sys, {.name = "far", .listen = true});
  auto [in, out] = make_mailbox<request<deposit>>(bounded(8));
  far_sys.sys.spawn(hold, std::move(in));
  ASSERT_TRUE(far.publish("deposits", out));
  ASSERT_TRUE(far.start());
  node near(near_sys.sys, {.name = "near"});
  const auto one = near.connect("127.0.0.1", far.port());
  const auto first = find<request<deposit>>(near_sys.sys, one, "deposits", {.limit = 60s});
  const auto two = near.connect("127.0.0.1", far.port());
  const auto second = find<request<deposit>>(near_sys.sys, two, "deposits", {.limit = 60s});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(near_sys.sys.run(pay_in, *first, 1).value(), 1);
  EXPECT_EQ(near_sys.sys.run(pay_in, *second, 1).value(), 2);
  EXPECT_EQ(one.state(), link_state::up);
}

TEST(NodeFaults, AClosedPeerTellsItsMonitorsAndEndsItsAddressesAndNoOthers) {
  kept_system far_sys, near_sys;
  node far(far_sys.sys, {.name = "far", .listen = true});
  auto [in, out] = make_mailbox<int>(bounded(1));
  ASSERT_TRUE(far.publish("numbers", out));
  ASSERT_TRUE(far.start());
  node near(near_sys.sys, {.name = "near"});
  const auto peer = near.connect("127.0.0.1", far.port());
  const auto other = near.connect("127.0.0.1", far.port());
  const auto waits =
      find<int>(near_sys.sys, peer, "numbers", {.capacity = 1, .limit = 60s, .down = remote_options::when_down::wait});
  const auto stays = find<int>(near_sys.sys, other, "numbers", {.limit = 60s});
  ASSERT_TRUE(waits && stays);
  const auto monitor = peer.monitor();
  peer.close();
  const auto told = near_sys.sys.run(all_of<node_down>, monitor).value();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].name, "far");
  // It would go on for ever if the address stayed open.
  EXPECT_LT(near_sys.sys.run(send_numbers, *waits, 1, 1'000'000).value(), 1'000'000);
  const auto late = find<int>(near_sys.sys, peer, "numbers", {.limit = 60s});
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().is(errc::closed)) << late.error().message();
  EXPECT_NE(late.error().message().find("was closed on this side"), std::string::npos) << late.error().message();
  EXPECT_EQ(other.state(), link_state::up);
  EXPECT_NE(far_sys.log->await("near at").find("has closed the connection"), std::string::npos);
}

TEST(NodeFaults, TheEndOfANodeTellsItsOwnMonitorsAndLetsWaitingSendersGo) {
  kept_system far_sys, near_sys;
  node far(far_sys.sys, {.name = "far", .listen = true});
  auto [in, out] = make_mailbox<int>(bounded(1));
  ASSERT_TRUE(far.publish("numbers", out));
  ASSERT_TRUE(far.start());
  auto near = std::make_unique<node>(near_sys.sys, node_setup{.name = "near"});
  const auto peer = near->connect("127.0.0.1", far.port());
  const auto to =
      find<int>(near_sys.sys, peer, "numbers", {.capacity = 1, .limit = 60s, .down = remote_options::when_down::wait});
  ASSERT_TRUE(to);
  const auto monitor = peer.monitor();
  near.reset();
  EXPECT_EQ(near_sys.sys.run(all_of<node_down>, monitor).value().size(), 1u);
  EXPECT_LT(near_sys.sys.run(send_numbers, *to, 1, 1'000'000).value(), 1'000'000);
}

// -- peers that break the rules ---------------------------------------------------------------------------

/// Speaks the protocol as a node does, but says what the test wants, as soon as it may.
struct rogue final : internal::link_user {
  explicit rogue(std::vector<internal::node_part> what) : says(std::move(what)) {}
  void up() override {
    for (auto& part : says) link->say(std::move(part));
  }
  result<void> heard(internal::node_part) override { return {}; }
  std::vector<internal::node_part> says;
  std::shared_ptr<internal::node_link> link;
};

/// Says far more than fits into the buffers on the way.
struct talker final : internal::link_user {
  void up() override {
    const internal::open_stream much{1, std::string(4000, 'x'), wire_type_of<int>(), std::nullopt};
    for (int i = 0; i < 4000; ++i) link->say(much); // 16 MB
  }
  result<void> heard(internal::node_part) override { return {}; }
  std::shared_ptr<internal::node_link> link;
};
/// Does not look at what it hears before it may. Its link then reads no more, and goes on living.
struct deaf final : internal::link_user {
  void up() override {}
  result<void> heard(internal::node_part) override {
    may_look.wait(); // keeps its worker; the others have one more
    return {};
  }
  std::shared_ptr<internal::node_link> link;
  std::latch may_look{1};
};

constexpr internal::link_settings patient{50ms, 10min, 1 << 20, 300ms};

task<std::string> talk(talker* as, listener* at) {
  auto io = co_await at->accept();
  as->link = std::make_shared<internal::node_link>(*std::move(io), internal::wire_role::serves, patient);
  auto running = internal::node_link::run(as->link, as);
  co_return co_await std::move(running);
}

TEST(NodeLink, WhoTakesNothingIsGivenUpAndWhoIsBehindReadsNoMore) {
  talker one;
  deaf other;
  actor_system sys(options{.workers = 1, .log_level = "off"}), deaf_sys(options{.workers = 2, .log_level = "off"});
  const auto at = sys.net().listen({"127.0.0.1", 0}).value();
  std::thread listening([&] { EXPECT_TRUE(deaf_sys.run(join_as<deaf>, &other, at->port(), patient)); });
  EXPECT_EQ(sys.run(talk, &one, at.get()).value(), "it has taken nothing for 300ms");
  other.may_look.count_down();
  listening.join();
}

task<> take_one_and_stop(mailbox<request<deposit>> in) {
  std::vector<request<deposit>> kept;
  while (auto r = co_await in.receive()) kept.push_back(*std::move(r));
}

/// What the far node says of a peer that says these parts behind its introduction.
std::string why_sent_away(std::vector<internal::node_part> says) {
  kept_system far_sys;
  node far(far_sys.sys, {.name = "far", .listen = true, .window = 4});
  auto [in, out] = make_mailbox<int>(bounded(1));
  auto [asked, to_asked] = make_mailbox<request<deposit>>(bounded(100));
  far_sys.sys.spawn(take_one_and_stop, std::move(asked));
  EXPECT_TRUE(far.publish("numbers", out));
  EXPECT_TRUE(far.publish("deposits", to_asked));
  EXPECT_TRUE(far.start());
  says.insert(says.begin(), internal::introduction{"rogue", 1, 1});
  rogue stranger(std::move(says));
  actor_system sys(options{.workers = 1, .log_level = "off"});
  EXPECT_TRUE(sys.run(join_as<rogue>, &stranger, far.port(), patient));
  auto line = far_sys.log->await("rogue at");
  return line.substr(line.find("has gone: ") + 10);
}

std::vector<internal::node_part> opened(std::string name, wire_type item, std::optional<wire_type> reply,
                                        std::uint64_t items, const std::string& bytes) {
  std::vector<internal::node_part> says;
  says.emplace_back(internal::open_stream{7, std::move(name), std::move(item), std::move(reply)});
  for (std::uint64_t i = 1; i <= items; ++i) says.emplace_back(internal::item_part{7, i, -1, "", bytes});
  return says;
}

TEST(NodeRogue, WhoSendsMoreItemsThanItMayIsSentAway) {
  const auto why = why_sent_away(opened("numbers", wire_type_of<int>(), std::nullopt, 100, wire_encode(1)));
  EXPECT_EQ(why, "it breaks the protocol of nodes: it sends more than the 4 items that it may");
}

TEST(NodeRogue, WhoAsksMoreAtOnceThanItMayIsSentAway) {
  auto says = opened("deposits", wire_type_of<deposit>(), wire_type_of<std::int64_t>(), 100, wire_encode(deposit{1}));
  const auto why = why_sent_away(std::move(says));
  EXPECT_TRUE(why ==
                  "it breaks the protocol of nodes: it sends more than the 4 items or requests at once that it may" ||
              why == "it breaks the protocol of nodes: it sends more than the 4 items that it may")
      << why;
}

TEST(NodeRogue, WhoSaysTwiceWhoItIsIsSentAway) {
  EXPECT_EQ(why_sent_away({internal::introduction{"rogue", 1, 1}}),
            "it breaks the protocol of nodes: it says twice who it is");
}

TEST(NodeRogue, WhoOpensAStreamTwiceIsSentAway) {
  auto says = opened("numbers", wire_type_of<int>(), std::nullopt, 0, "");
  says.push_back(says.front());
  EXPECT_EQ(why_sent_away(std::move(says)), "it breaks the protocol of nodes: it opens a stream twice");
}

TEST(NodeRogue, AFrameOfManySmallPartsIsRefusedBeforeTheyAreMade) {
  EXPECT_TRUE(internal::read_frame(wire_encode(internal::node_frame(256, internal::sign_of_life{}))));
  const auto many = internal::read_frame(wire_encode(internal::node_frame(257, internal::sign_of_life{})));
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().message(), "it puts 257 parts into a frame, and the limit is 256");
  EXPECT_FALSE(internal::read_frame(std::string("\xff\xff\xff\xff", 4)));
  EXPECT_FALSE(internal::read_frame(""));
}

// -- types ------------------------------------------------------------------------------------------------

struct price_then {
  std::int64_t cents = 0;
};
struct price_now {
  std::int64_t cents = 0;
};
template <class Inspector>
bool inspect(Inspector& f, price_then& x) {
  return f.object(x).pretty_name("price").fields(f.field("cents", x.cents));
}
template <class Inspector>
bool inspect(Inspector& f, price_now& x) {
  return f.object(x).pretty_name("price").fields(f.field("cents", x.cents));
}

} // namespace
} // namespace greenroom::node_test::node_fault_test

template <>
inline constexpr std::uint32_t greenroom::wire_version<greenroom::node_test::node_fault_test::price_now> = 2;

namespace greenroom::node_test::node_fault_test {
namespace {

TEST(NodeFaults, AnotherVersionOfATypeIsRefusedWithBothVersions) {
  kept_system far_sys, near_sys;
  node far(far_sys.sys, {.name = "far", .listen = true});
  auto [in, out] = make_mailbox<price_now>(bounded(1));
  ASSERT_TRUE(far.publish("prices", out));
  ASSERT_TRUE(far.start());
  node near(near_sys.sys, {.name = "near"});
  const auto peer = near.connect("127.0.0.1", far.port());
  const auto old = find<price_then>(near_sys.sys, peer, "prices", {.limit = 60s});
  ASSERT_FALSE(old);
  EXPECT_TRUE(old.error().is(errc::type_mismatch));
  EXPECT_NE(old.error().message().find("the versions of price differ: 2 here, 1 there"), std::string::npos)
      << old.error().message();
  EXPECT_TRUE(find<price_now>(near_sys.sys, peer, "prices", {.limit = 60s}));
}

} // namespace
} // namespace greenroom::node_test::node_fault_test
#endif
