#include <greenroom/actors/registry.hpp>

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace shop {
struct order {
  int n;
};
} // namespace shop

namespace greenroom::registry_test {
namespace {

using namespace test;

std::string said(const error& e) { return std::string(e.message()); }

TEST(Registry, FindsAnAddressByNameAndType) {
  registry names;
  auto [in, out] = make_mailbox<int>(bounded(1));
  ASSERT_TRUE(names.add("ledger", out));
  const auto found = names.find<address<int>>("ledger");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->try_send(3));
  EXPECT_EQ(in.try_receive().value(), 3);
}

task<> wait_for_end(mailbox<int> in) { (void)co_await in.receive(); }

TEST(Registry, FindsAnActorUntilItEnds) {
  one_worker sys;
  registry names;
  auto [in, out] = make_mailbox<int>(bounded(1));
  const auto who = sys.spawn(wait_for_end, std::move(in));
  ASSERT_TRUE(names.add("worker", who));
  EXPECT_EQ(names.find<actor>("worker")->id(), who.id());
  out = {};
  who.wait();
  EXPECT_TRUE(names.find<actor>("worker").error().is(errc::not_found));
  EXPECT_EQ(said(names.add("worker", who).error()), "registry: add 'worker': the greenroom::actor has ended already");
}

TEST(Registry, AnUnknownNameNamesTheNearest) {
  registry names;
  EXPECT_EQ(said(names.find<actor>("ledger").error()),
            "registry: find 'ledger': there is no such name; the registry is empty");
  auto [in, out] = make_mailbox<shop::order>(bounded(1));
  ASSERT_TRUE(names.add("ledger", out));
  ASSERT_TRUE(names.add("printer", out));
  const auto missed = names.find<address<shop::order>>("legder");
  ASSERT_FALSE(missed);
  EXPECT_TRUE(missed.error().is(errc::not_found));
  EXPECT_EQ(said(missed.error()), "registry: find 'legder': there is no such name; the nearest is 'ledger', a "
                                  "greenroom::address<shop::order>");
}

TEST(Registry, AnotherTypeNamesBoth) {
  registry names;
  auto [in, out] = make_mailbox<shop::order>(bounded(1));
  ASSERT_TRUE(names.add("ledger", out));
  const auto other = names.find<address<int>>("ledger");
  ASSERT_FALSE(other);
  EXPECT_TRUE(other.error().is(errc::type_mismatch));
  EXPECT_EQ(said(other.error()), "registry: find 'ledger': it is a greenroom::address<shop::order>, not a "
                                 "greenroom::address<int>");
}

task<> add_as(registry names, address<int> to, mailbox<int> until) {
  EXPECT_TRUE(names.add("ledger", to));
  to = {};
  (void)co_await until.receive();
}

TEST(Registry, ATakenNameNamesItsHolder) {
  one_worker sys;
  registry names;
  auto [in, out] = make_mailbox<int>(bounded(1));
  auto [until, end] = make_mailbox<int>(bounded(1));
  const auto who = sys.spawn(spawn_options{.name = "bank"}, add_as, names, out, std::move(until));
  await_wait(sys, who, "receive");
  const auto taken = names.add("ledger", out);
  ASSERT_FALSE(taken);
  EXPECT_TRUE(taken.error().is(errc::already_exists));
  EXPECT_EQ(said(taken.error()), "registry: add 'ledger': the name is held by a greenroom::address<int> that was added "
                                 "by actor " +
                                     std::to_string(who.id()) + " 'bank'; remove it first, or choose another name");
  EXPECT_EQ(names.list().at(0).added_by, who.id());
  EXPECT_TRUE(names.add("", out).error().is(errc::invalid_argument));
}

TEST(Registry, ANameKeepsNoMailboxOpenAndGoesWithIt) {
  registry names;
  auto [in, out] = make_mailbox<int>(bounded(1));
  ASSERT_TRUE(names.add("ledger", out));
  out = {};
  EXPECT_TRUE(in.closed());
  EXPECT_TRUE(names.find<address<int>>("ledger").error().is(errc::not_found));
  EXPECT_TRUE(names.list().empty());
  auto [in2, out2] = make_mailbox<int>(bounded(1));
  EXPECT_TRUE(names.add("ledger", out2)) << "the name is free again";
  in2.close();
  EXPECT_TRUE(names.find<address<int>>("ledger").error().is(errc::not_found));
}

TEST(Registry, RemoveTakesTheNameBackOnly) {
  registry names;
  auto [in, out] = make_mailbox<int>(bounded(1));
  ASSERT_TRUE(names.add("ledger", out));
  EXPECT_TRUE(names.remove("ledger"));
  EXPECT_FALSE(names.remove("ledger"));
  EXPECT_FALSE(in.closed());
  EXPECT_TRUE(names.list().empty());
}

TEST(Registry, ListsNamesInOrder) {
  registry names;
  auto [in, out] = make_mailbox<int>(bounded(1));
  ASSERT_TRUE(names.add("b", out));
  ASSERT_TRUE(names.add("a", out));
  const auto all = names.list();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[1].type, "greenroom::address<int>");
  EXPECT_EQ(all[1].added_by, 0U);
}

TEST(Registry, ManyThreadsAddFindAndForget) {
  registry names;
  auto [in, out] = make_mailbox<int>(bounded(1));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([names, t]() mutable {
      for (int i = 0; i < 500; ++i) {
        auto mine = make_mailbox<int>(bounded(1));
        const auto name = "n" + std::to_string(i % 50);
        (void)names.add(name, mine.out);
        if (const auto found = names.find<address<int>>(name)) {
          (void)found->closed(); // another thread's, perhaps
        }
        if (i % 3 == t % 3) names.remove(name);
        if (i % 100 == 0) (void)names.list();
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_TRUE(names.list().empty());
}

} // namespace
} // namespace greenroom::registry_test
