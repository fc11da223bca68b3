// What two nodes tell each other of themselves, and keep to: sizes, signs of life, names, and replies that nobody takes.
#ifdef GREENROOM_HAS_NODES
#include <greenroom/actors/node.hpp>

#include <chrono>
#include <cstdint>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/cluster_store.hpp>
#include <greenroom/actors/internal/node_session.hpp>
#include <greenroom/actors/membership.hpp>
#include <greenroom/tests/caf/node_kit.hpp>

using namespace std::chrono_literals;

namespace greenroom::node_test::node_limits_test {
namespace {

struct copies {
  std::string text;
  std::uint32_t times = 1;
  using reply = std::string;
};
template <class Inspector>
bool inspect(Inspector& f, copies& x) {
  return f.object(x).fields(f.field("text", x.text), f.field("times", x.times));
}

task<> copy(mailbox<request<copies>> in) {
  while (auto r = co_await in.receive()) {
    std::string all;
    for (std::uint32_t i = 0; i < r->message.times; ++i) all += r->message.text;
    r->reply(std::move(all));
  }
}

task<result<std::string>> get_copies(address<request<copies>> to, std::string text, std::uint32_t times) {
  const copies asked{std::move(text), times};
  co_return co_await ask(to, asked, 60s);
}

task<> send_texts(address<std::string> to, std::vector<std::string> all) {
  for (auto& each : all) (void)co_await to.send(std::move(each));
}
task<std::string> receive_text(mailbox<std::string> from) { co_return *co_await from.receive(); }

/// A copier at one node, and the other one that asks.
struct copiers {
  copiers(std::size_t far_takes, std::size_t near_takes)
      : far(far_sys.sys, {.name = "far", .listen = true, .most_bytes = far_takes}),
        near(near_sys.sys, {.name = "near", .most_bytes = near_takes}) {
    auto [in, out] = make_mailbox<request<copies>>(bounded(8));
    far_sys.sys.spawn(copy, std::move(in));
    kept = out;
    EXPECT_TRUE(far.publish("copies", out));
    EXPECT_TRUE(far.start());
    peer.emplace(near.connect("127.0.0.1", far.port()));
    to = find<request<copies>>(near_sys.sys, *peer, "copies", {.limit = 60s}).value();
    monitor = peer->monitor();
  }
  result<std::string> get(std::string text, std::uint32_t times) {
    return near_sys.sys.run(get_copies, to, std::move(text), times);
  }
  void expect_still_connected() {
    EXPECT_EQ(get("x", 3).value(), "xxx");
    EXPECT_FALSE(monitor.try_receive()) << "the connection was lost meanwhile";
  }

  kept_system far_sys, near_sys;
  node far, near;
  address<request<copies>> kept, to;
  std::optional<node_peer> peer;
  mailbox<node_down> monitor;
};

constexpr std::size_t little = 64 * 1024, much = 4 << 20;

TEST(NodeLimits, ARequestThatIsTooLargeForTheOtherNodeFailsAloneAndTheConnectionStays) {
  copiers at(little, much);
  const auto why = at.get(std::string(100'000, 'x'), 1);
  ASSERT_FALSE(why);
  EXPECT_TRUE(why.error().is(errc::limit));
  EXPECT_EQ(why.error().message(), "what is sent to 'copies' has 100008 bytes, and its node takes 64256 at most (its "
                                   "node_setup::most_bytes, less what goes with it)");
  at.expect_still_connected();
  EXPECT_EQ(at.get(std::string(60'000, 'x'), 1).value().size(), 60'000u);
}

TEST(NodeLimits, AnAnswerThatIsTooLargeForTheAskingNodeFailsAloneAndTheConnectionStays) {
  copiers at(much, little);
  const auto why = at.get(std::string(1'000, 'x'), 100);
  ASSERT_FALSE(why);
  EXPECT_TRUE(why.error().is(errc::limit));
  EXPECT_EQ(why.error().message(), "the answer has 100004 bytes, and the node that asks takes 64256 at most");
  at.expect_still_connected();
  EXPECT_EQ(at.get(std::string(1'000, 'x'), 60).value().size(), 60'000u);
}

TEST(NodeLimits, ManyAnswersThatFitOneByOneDoNotMakeAFrameThatDoesNot) {
  copiers at(much, little);
  std::vector<std::thread> asking;
  for (int i = 0; i < 8; ++i) {
    asking.emplace_back([&at] {
      for (int k = 0; k < 25; ++k) EXPECT_EQ(at.get(std::string(500, 'x'), 100).value().size(), 50'000u);
    });
  }
  for (auto& each : asking) each.join();
  at.expect_still_connected();
}

TEST(NodeLimits, AnItemThatIsTooLargeForTheOtherNodeIsLostAloneAndLogged) {
  kept_system far_sys, near_sys;
  node far(far_sys.sys, {.name = "far", .listen = true, .most_bytes = little});
  auto [in, out] = make_mailbox<std::string>(bounded(8));
  ASSERT_TRUE(far.publish("texts", out));
  ASSERT_TRUE(far.start());
  node near(near_sys.sys, {.name = "near"});
  const auto peer = near.connect("127.0.0.1", far.port());
  const auto to = find<std::string>(near_sys.sys, peer, "texts", {.limit = 60s});
  ASSERT_TRUE(to);
  const std::vector<std::string> all{"first", std::string(100'000, 'x'), "last"};
  near_sys.sys.spawn(send_texts, *to, all);
  EXPECT_EQ(far_sys.sys.run(receive_text, in).value(), "first");
  EXPECT_EQ(far_sys.sys.run(receive_text, in).value(), "last");
  const auto line = near_sys.log->await("an item is lost");
  EXPECT_NE(line.find("what is sent to 'texts' has 100004 bytes"), std::string::npos) << line;
  EXPECT_EQ(peer.state(), link_state::up);
}

TEST(NodeLimits, ANodeMustTakeAFrameOfUsualSize) {
  actor_system sys(options{.log_level = "off"});
  try {
    const node small(sys, {.name = "small", .most_bytes = 1000});
    FAIL() << "it was made";
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(), "node: most_bytes must be 65536 at least, not 1000");
  }
}

// -- peers that ask for much ------------------------------------------------------------------------------

constexpr internal::link_settings patient{1h, 3h, 1 << 20, 1h};

/// Says who it is, and notes what it hears.
struct listener_to_life final : internal::link_user {
  void up() override { link->say(internal::introduction{"impatient", 1, 1, std::chrono::nanoseconds(9ms).count(), 0}); }
  result<void> heard(internal::node_part part) override {
    if (std::holds_alternative<internal::sign_of_life>(part) && ++heard_ == 20) link->end("enough");
    return {};
  }
  std::shared_ptr<internal::node_link> link;
  int heard_ = 0;
};

TEST(NodeLimits, ANodeSaysThatItLivesAsOftenAsTheOtherOneMustHear) {
  kept_system far_sys;
  node far(far_sys.sys, {.name = "far", .listen = true, .heartbeat = 1h, .detection = 3h});
  ASSERT_TRUE(far.start());
  listener_to_life one;
  EXPECT_EQ(far_sys.sys.run(join_as<listener_to_life>, &one, far.port(), patient).value(), "enough");
}

/// Asks whenever its last request was answered, as it is told from elsewhere, and looks at no answer.
struct deaf_asker final : internal::link_user {
  void up() override {
    link->say(internal::introduction{"deaf", 1, 1, 0, 1 << 20});
    link->say(internal::open_stream{1, "texts", wire_type_of<copies>(), wire_type_of<std::string>()});
    is_up.count_down();
  }
  result<void> heard(internal::node_part part) override {
    if (std::holds_alternative<internal::answer_part>(part)) may_look.wait(); // keeps its worker
    return {};
  }
  std::shared_ptr<internal::node_link> link;
  std::latch is_up{1}, may_look{1};
};

task<> join_in(deaf_asker* as, std::uint16_t port) {
  auto joining = join_as(as, port, patient);
  (void)co_await std::move(joining);
}

task<> answer_and_say_so(mailbox<request<copies>> in, address<int> answered) {
  while (auto r = co_await in.receive()) {
    r->reply(std::string(50'000, 'x'));
    (void)co_await answered.send(1);
  }
}

task<> ask_on(deaf_asker* as, mailbox<int> answered) {
  const auto bytes = wire_encode(copies{"x", 1});
  for (std::uint64_t number = 1; number <= 5'000; ++number) { // 250 MB, far more than sockets take
    as->link->say(internal::item_part{1, number, -1, "", bytes});
    if (!co_await answered.receive()) co_return;
  }
}

TEST(NodeLimits, WhoAsksOnAndTakesNoAnswersIsSentAway) {
  kept_system far_sys;
  deaf_asker deaf; // outlives the system whose actors use it
  actor_system sys(options{.workers = 3, .log_level = "off"});
  node far(far_sys.sys, {.name = "far", .listen = true, .window = 4});
  auto [asked, to_asked] = make_mailbox<request<copies>>(bounded(8));
  auto [answered, to_answered] = make_mailbox<int>(bounded(8));
  far_sys.sys.spawn(answer_and_say_so, std::move(asked), std::move(to_answered));
  ASSERT_TRUE(far.publish("texts", to_asked));
  ASSERT_TRUE(far.start());
  sys.spawn(join_in, &deaf, far.port());
  deaf.is_up.wait();
  const auto asking = sys.spawn(ask_on, &deaf, std::move(answered));
  const auto line = far_sys.log->await("deaf at");
  EXPECT_NE(line.find("it sends more than the 4 items or requests at once that it may"), std::string::npos) << line;
  asking.cancel();
  deaf.may_look.count_down();
}

// -- names ------------------------------------------------------------------------------------------------

TEST(NodeLimits, ANodeOfAnotherNameThanIsWantedIsNotTalkedTo) {
  kept_system far_sys, near_sys;
  node far(far_sys.sys, {.name = "far", .listen = true});
  auto [in, out] = make_mailbox<std::string>(bounded(8));
  ASSERT_TRUE(far.publish("texts", out));
  ASSERT_TRUE(far.start());
  node near(near_sys.sys, {.name = "near"});
  const auto right = near.connect("127.0.0.1", far.port(), "far");
  EXPECT_TRUE(find<std::string>(near_sys.sys, right, "texts", {.limit = 60s}));
  const auto wrong = near.connect("127.0.0.1", far.port(), "bank");
  const auto why = why_not_found<std::string>(near_sys.sys, wrong, "texts");
  EXPECT_NE(why.find("it is the node 'far', and 'bank' is wanted"), std::string::npos) << why;
}

TEST(NodeLimits, AMemberIsCalledAsItsNodeIs) {
  actor_system sys(options{.log_level = "off"});
  node here(sys, {.name = "node 1"});
  try {
    const membership who(sys, memory_cluster_store(), {.self = {"first", "127.0.0.1", 1}}, &here);
    FAIL() << "it was made";
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(),
                 "the member 'first' must be called as its node is, 'node 1': others look for it by that name");
  }
}

} // namespace
} // namespace greenroom::node_test::node_limits_test
#endif
