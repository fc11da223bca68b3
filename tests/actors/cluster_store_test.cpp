#include <greenroom/actors/cluster_store.hpp>

#include <string>

#include <greenroom/tests/actors/cluster_kit.hpp>

namespace greenroom::cluster_store_test {
namespace {

using namespace test;

using store_pointer = std::shared_ptr<cluster_store>;

std::string names(const result<std::vector<cluster_member>>& all) {
  std::string text;
  for (const auto& each : all.value()) text += fmt::format("{}@{}:{} ", each.name, each.host, each.port);
  return text;
}

task<> a_lease() {
  const auto store = memory_cluster_store();
  const auto first = co_await store->acquire("books", "a", 10s);
  same(first.value().token, 1U);
  same(kind(co_await store->acquire("books", "b", 10s)), "already_exists");
  const auto again = co_await store->acquire("books", "a", 10s);
  same(again.error().message(), "the lease 'books' is held by 'a' (token 1)");
  same(kind(co_await store->acquire("audit", "b", 10s)), "ok");
  co_await sleep_for(9s);
  same(kind(co_await store->renew(*first, 10s)), "ok");
  co_await sleep_for(9s);
  same(kind(co_await store->acquire("books", "b", 10s)), "already_exists");
  co_await sleep_for(1s); // to the very moment
  const auto second = co_await store->acquire("books", "b", 10s);
  same(second.value().token, 2U);
  same((co_await store->look("books")).value()->holder, "b");
  const auto late = co_await store->renew(*first, 10s);
  same(late.error().message(), "the lease 'books' of 'a' with token 1 is over: its time has passed, or another has it");
  same(kind(co_await store->release(*first)), "ok"); // and changes nothing
  same(kind(co_await store->renew(*second, 10s)), "ok");
  same(kind(co_await store->release(*second)), "ok");
  same((co_await store->look("books")).value().has_value(), false);
  same(kind(co_await store->renew(*second, 10s)), "not_found");
  same((co_await store->acquire("books", "b", 10s)).value().token, 3U);
}
TEST(ClusterStore, ALeaseHasOneHolderUntilItsTimeIsOverAndEachNextOneANewerToken) { play(a_lease); }

task<> an_expired_lease() {
  const auto store = memory_cluster_store();
  const auto held = co_await store->acquire("books", "a", 1s);
  co_await sleep_for(1s);
  same(kind(co_await store->renew(*held, 1s)), "not_found");
  same((co_await store->look("books")).value().has_value(), false);
}
TEST(ClusterStore, ALeaseThatIsOverIsNotRenewedEvenIfNobodyElseHasIt) { play(an_expired_lease); }

task<> members_come_and_go() {
  const auto store = memory_cluster_store();
  const cluster_member b{"b", "10.0.0.2", 7001}, a{"a", "10.0.0.1", 7001}, other_a{"a", "10.0.0.9", 7001};
  same(kind(co_await store->announce(b, 5s)), "ok");
  same(kind(co_await store->announce(a, 10s)), "ok");
  same(names(co_await store->members()), "a@10.0.0.1:7001 b@10.0.0.2:7001 ");
  const auto taken = co_await store->announce(other_a, 5s);
  same(taken.error().message(),
       "cannot announce 'a' at 10.0.0.9:7001: that name lives at 10.0.0.1:7001; if that was this member before it was "
       "started again, it has the name for 10s more at most; else give each member a name of its own");
  co_await sleep_for(5s);
  same(names(co_await store->members()), "a@10.0.0.1:7001 ");
  same(kind(co_await store->withdraw(other_a)), "ok"); // and changes nothing
  same(names(co_await store->members()), "a@10.0.0.1:7001 ");
  same(kind(co_await store->withdraw(a)), "ok");
  same(kind(co_await store->withdraw(a)), "ok");
  same(kind(co_await store->announce(other_a, 5s)), "ok");
  same(names(co_await store->members()), "a@10.0.0.9:7001 ");
}
TEST(ClusterStore, AMemberIsThereForItsTimeAndHasItsNameAlone) { play(members_come_and_go); }

task<> what_cannot_be() {
  const auto store = memory_cluster_store();
  same(kind(co_await store->acquire("", "a", 1s)), "invalid_argument");
  same(kind(co_await store->acquire(std::string(201, 'x'), "a", 1s)), "invalid_argument");
  const auto too_short = co_await store->acquire("books", "a", 1us);
  same(too_short.error().message(), "cannot acquire 'books' for 1000 ns: from 1 ms to 24 h");
  const cluster_member nobody{"", "here", 1};
  same(kind(co_await store->announce(nobody, 1s)), "invalid_argument");
}
TEST(ClusterStore, NamesAndTimesOutOfBoundsAreRefused) { play(what_cannot_be); }

task<> a_fixed_list() {
  const cluster_member a{"a", "10.0.0.1", 7001}, b{"b", "10.0.0.2", 7001}, c{"c", "10.0.0.3", 7001};
  const auto store = static_members({b, a});
  same(kind(co_await store->announce(a, 1s)), "ok");
  same(kind(co_await store->announce(c, 1s)), "invalid_argument");
  co_await sleep_for(1h);
  same(names(co_await store->members()), "a@10.0.0.1:7001 b@10.0.0.2:7001 ");
  const auto refused = co_await store->acquire("books", "a", 1s);
  same(kind(refused), "unsupported");
  require(refused.error().message().find("nobody could say who holds it") != std::string_view::npos, "it says why");
}
TEST(StaticMembers, AreAllThereAndHaveNoLeases) { play(a_fixed_list); }

} // namespace
} // namespace greenroom::cluster_store_test
