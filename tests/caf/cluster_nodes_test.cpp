// Members of a cluster and their nodes, over loopback: who is connected to, and what the log says.
#include <greenroom/actors/membership.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/tests/caf/node_kit.hpp>

namespace greenroom::cluster_nodes_test {
namespace {

using namespace std::chrono_literals;
using namespace node_test;

using lists = mailbox<std::vector<cluster_member>>;

task<> until_it_has(lists from, std::string name, bool there) {
  while (const auto list = co_await from.receive()) {
    if (std::any_of(list->begin(), list->end(), [&](const auto& each) { return each.name == name; }) == there) break;
  }
}
task<> announce(std::shared_ptr<cluster_store> store, cluster_member who) {
  auto announcing = store->announce(who, 1h);
  (void)co_await std::move(announcing);
}
task<> withdraw(std::shared_ptr<cluster_store> store, cluster_member who) {
  auto going = store->withdraw(who);
  (void)co_await std::move(going);
}

/// Counts the lines that hold a text.
class counted final : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit counted(std::string text) : text_(std::move(text)) {}
  std::atomic<int> lines{0};

private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    if (std::string_view(line.payload.data(), line.payload.size()).find(text_) != std::string_view::npos) ++lines;
  }
  void flush_() override {}
  const std::string text_;
};

/// A member with a node, and others by its store alone.
struct ClusterNodes : testing::Test {
  void SetUp() override { here.start().value(); }
  ~ClusterNodes() override { who.stop(); }
  /// Returns once the list has been read with it, or without it.
  void comes(const cluster_member& m) {
    (void)s.sys.run(announce, store, m);
    (void)s.sys.run(until_it_has, who.watch(), m.name, true);
  }
  void goes(const cluster_member& m) {
    (void)s.sys.run(withdraw, store, m);
    (void)s.sys.run(until_it_has, who.watch(), m.name, false);
  }

  kept_system s;
  std::shared_ptr<cluster_store> store = memory_cluster_store();
  node here{s.sys, {.name = "stays", .listen = true}};
  membership who{s.sys, store, {.self = {"stays", "127.0.0.1", 1}, .ttl = 1h, .every = 2ms}, &here};
};

TEST_F(ClusterNodes, WhoIsGoneAndNotReachedIsConnectedToNoMore) {
  const cluster_member pod{"pod", "127.0.0.1", 1}; // nobody listens there
  comes(pod);
  const auto at_pod = who.peer("pod");
  ASSERT_TRUE(at_pod) << at_pod.error().message();
  goes(pod);
  ASSERT_FALSE(who.peer("pod"));
  EXPECT_TRUE(who.peer("pod").error().is(errc::not_found));
  EXPECT_TRUE(find<deposit>(s.sys, *at_pod, "deposits", {.limit = 60s}).error().is(errc::closed));
  comes(pod); // under the same name
  EXPECT_TRUE(who.peer("pod"));
}

TEST_F(ClusterNodes, WhoIsGoneFromTheListAndUpIsKeptUntilItIsDown) {
  actor_system there_sys;
  std::optional<node> there(std::in_place, there_sys, node_setup{.name = "there", .listen = true});
  there->start().value();
  const cluster_member m{"there", "127.0.0.1", there->port()};
  comes(m);
  const auto peer = who.peer("there").value();
  EXPECT_TRUE(find<deposit>(s.sys, peer, "deposits", {.limit = 60s}).error().is(errc::not_found)) << "it has answered";
  goes(m);
  EXPECT_TRUE(who.peer("there"));
  EXPECT_EQ(peer.state(), link_state::up);
  const auto ends = peer.monitor();
  there.reset();
  EXPECT_EQ(s.sys.run(all_of<node_down>, ends).value().size(), 1U);
  comes({"other", "127.0.0.1", 0}); // a reading behind that
  ASSERT_FALSE(who.peer("there"));
  EXPECT_TRUE(who.peer("there").error().is(errc::not_found));
}

TEST_F(ClusterNodes, OneThatIsRefusedForItsNameSaysSoOnceAndWhenItIsNoFormerLifeAndWhenItIsOver) {
  (void)s.sys.run(until_it_has, who.watch(), "stays", true);
  const auto log = std::make_shared<lines>();
  const auto refusals = std::make_shared<counted>("is not announced");
  const std::vector<spdlog::sink_ptr> both{refusals, log};
  actor_system sys(options{.workers = 2},
                   environment{.log = use_logger(std::make_shared<spdlog::logger>("test", both.begin(), both.end()))});
  const membership twin(sys, store, {.self = {"stays", "127.0.0.1", 2}, .ttl = 50ms, .every = 1ms});
  const auto first = log->await("is not announced, and tries again: ");
  EXPECT_NE(first.find("if that was this member before it was started again, it has the name for 1h more at most"),
            std::string::npos)
      << first;
  const auto second = log->await("is still not announced: ");
  EXPECT_NE(second.find("another process has that name"), std::string::npos) << second;
  EXPECT_EQ(refusals->lines.load(), 1);
  who.stop();
  log->await("the member 'stays' is announced");
  twin.stop();
}

} // namespace
} // namespace greenroom::cluster_nodes_test
