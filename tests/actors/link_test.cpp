#include <greenroom/actors/link.hpp>

#include <string>

#include <gtest/gtest.h>

#include <greenroom/tests/actors/short_lives.hpp>

namespace greenroom::link_test {
namespace {

using namespace test;

TEST(Link, EndInDisorderCancelsTheOtherAndSaysWhy) {
  one_worker sys;
  for (const bool swapped : {false, true}) {
    const auto left = sys.spawn({.name = "left"}, sleeps);
    const auto right = sys.spawn({.name = "right"}, sleeps);
    swapped ? link(right, left) : link(left, right);
    left.kill();
    const auto why = right.wait();
    EXPECT_EQ(why.kind(), exit_kind::cancelled);
    EXPECT_EQ(why.why().code(), errc::killed);
    EXPECT_NE(why.to_string().find("linked to actor " + std::to_string(left.id()) + " 'left', which ended: killed"),
              std::string::npos)
        << why.to_string();
  }
}

TEST(Link, NormalEndLeavesTheOtherAloneAndNothingBehind) {
  one_worker sys;
  const auto server = sys.spawn(sleeps);
  for (int i = 0; i < 100; ++i) {
    auto ends = make_mailbox<int>(bounded(1));
    const auto client = sys.spawn([](mailbox<int> in) -> task<> { (void)co_await in.receive(); }, std::move(ends.in));
    link(server, client);
    ends.out = {};
    EXPECT_TRUE(client.wait().normal());
  }
  (void)sys.run([]() -> task<> { co_await settle(); });
  EXPECT_FALSE(server.finished());
  EXPECT_EQ(detail::extras_of(*server.cell()).listeners.size(), 0U);
  server.cancel();
}

TEST(Link, ToAnEndedActorActsAtOnce) {
  one_worker sys;
  const auto failed = sys.spawn(throws);
  const auto ended = sys.spawn(returns);
  failed.wait();
  ended.wait();
  const auto other = sys.spawn(sleeps);
  link(other, ended);
  await_wait(sys, other, "sleep");
  EXPECT_FALSE(other.finished());
  link(other, failed);
  EXPECT_EQ(other.wait().why().code(), errc::failed);
}

TEST(Link, UnlinkedActorsDoNotCare) {
  one_worker sys;
  const auto left = sys.spawn(sleeps);
  const auto right = sys.spawn(sleeps);
  const auto tie = link(left, right);
  tie.unlink();
  tie.unlink();
  left.kill();
  left.wait();
  await_wait(sys, right, "sleep");
  EXPECT_FALSE(right.finished());
  right.cancel();
}

TEST(Link, ChainUnwindsToItsEnd) {
  one_worker sys;
  std::vector<actor> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(sys.spawn(sleeps));
    if (i > 0) link(all[all.size() - 2], all.back());
  }
  all.front().kill();
  for (const auto& a : all) a.wait();
  EXPECT_EQ(all.back().wait().kind(), exit_kind::cancelled);
}

TEST(Link, OfNoActorOrOfOneWithItselfIsAUsageError) {
  one_worker sys;
  const auto one = sys.spawn(sleeps);
  EXPECT_THROW(link(one, actor()), usage_error);
  EXPECT_THROW(link(one, one), usage_error);
  one.cancel();
}

} // namespace
} // namespace greenroom::link_test
