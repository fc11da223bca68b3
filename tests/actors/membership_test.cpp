#include <greenroom/actors/membership.hpp>

#include <optional>
#include <string>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/tests/actors/cluster_kit.hpp>

namespace greenroom::membership_test {
namespace {

using namespace test;

std::string names(const std::vector<cluster_member>& all) {
  std::string text;
  for (const auto& each : all) text += each.name + ' ';
  return text;
}

bool is_all(const result<std::vector<cluster_member>>& all, const cluster_member& one) {
  return all && all->size() == 1 && all->front() == one;
}

membership join(std::shared_ptr<cluster_store> store, const char* name) {
  return membership(this_actor::system(), std::move(store), {.self = {name, "here", 7001}});
}

task<> two() {
  const auto store = memory_cluster_store();
  const auto a = join(store, "a");
  same(names(a.members()), "");
  const auto lists = a.watch();
  same(names((co_await lists.receive()).value()), "");
  same(names((co_await lists.receive()).value()), "a ");
  std::optional<membership> b(join(store, "b"));
  same(names((co_await lists.receive()).value()), "a b ");
  same(names(b->members()), "a b ");
  co_await sleep_for(60s); // many times its ttl
  same(names(a.members()), "a b ");
  const auto its_end = b->who();
  b.reset(); // the last handle
  (void)co_await its_end.join();
  same(names((co_await lists.receive()).value()), "a ");
  a.stop();
  (void)co_await a.who().join();
  same((co_await lists.receive()).has_value(), false);
  same(names((co_await store->members()).value()), "");
  same(a.watch().closed(), true);
}
TEST(Membership, SeesWhoComesAndGoesAndWithdrawsInTheEnd) { play(two); }

task<> dies() {
  const auto store = memory_cluster_store();
  const auto a = join(store, "a"), b = join(store, "b");
  co_await sleep_for(10s);
  const auto lists = a.watch();
  same(names((co_await lists.receive()).value()), "a b ");
  b.who().kill();
  co_await sleep_for(8s); // the rest of its ttl, and the next reading
  same(names((co_await lists.receive()).value()), "a ");
  a.stop();
}
TEST(Membership, LosesAMemberThatSaysNothingForItsTtl) { play(dies); }

task<> cut_off() {
  const auto store = memory_cluster_store();
  const auto line = std::make_shared<line_to_store>(store);
  const auto a = join(line, "a"), b = join(store, "b");
  co_await sleep_for(10s);
  line->cut = true;
  co_await sleep_for(10s);
  same(names(a.members()), "a b "); // as it was
  same(names(b.members()), "b ");
  line->cut = false;
  co_await sleep_for(4s);
  same(names(b.members()), "a b ");
  a.stop();
  b.stop();
}
TEST(Membership, KeepsItsListWhileTheStoreIsOutOfReachAndComesBack) { play(cut_off); }

task<> note(mailbox<std::vector<cluster_member>> lists, std::vector<std::string>* seen) {
  while (const auto list = co_await lists.receive()) seen->push_back(names(*list));
}

/// Nobody could announce himself: who is back first does not take the others for gone.
task<> all_cut_off() {
  const auto store = memory_cluster_store();
  const auto line = std::make_shared<line_to_store>(store);
  const auto a = join(line, "a"), b = join(line, "b"), c = join(line, "c");
  co_await sleep_for(10s);
  std::vector<std::string> seen;
  const auto noting = spawn(note, a.watch(), &seen);
  line->cut = true;
  co_await sleep_for(10s); // longer than their ttl
  c.who().kill();
  line->cut = false;
  co_await sleep_for(10s);
  a.stop();
  b.stop();
  (void)co_await noting.join();
  same(fmt::format("{}", fmt::join(seen, "| ")), "a b c | a b ");
}
TEST(Membership, DoesNotTakeOthersForGoneThatWereCutOffFromTheStoreAsItWas) { play(all_cut_off); }

/// Another process that has a member's name by mistake, and is started again when it has ended.
task<> a_twin() {
  const auto store = memory_cluster_store();
  const auto a = join(store, "a");
  co_await sleep_for(10s);
  const cluster_member elsewhere{"a", "elsewhere", 7001};
  for (int lives = 0; lives < 2; ++lives) {
    const membership twin(this_actor::system(), store, {.self = elsewhere});
    co_await sleep_for(10s);
    twin.stop();
    (void)co_await twin.who().join();
    same(is_all(co_await store->members(), a.self()), true);
  }
  a.stop();
  (void)co_await a.who().join();
  same(names((co_await store->members()).value()), "");
}
TEST(Membership, OneThatIsRefusedForItsNameLeavesWhoHasItThere) { play(a_twin); }

/// It was paused for longer than its time, and another has taken its name.
task<> too_late() {
  const auto store = memory_cluster_store();
  const auto line = std::make_shared<line_to_store>(store);
  const auto a = join(line, "a");
  co_await sleep_for(3s);
  line->cut = true;
  co_await sleep_for(7s);
  const cluster_member elsewhere{"a", "elsewhere", 7001};
  (void)co_await store->announce(elsewhere, 1h);
  line->cut = false;
  co_await sleep_for(5s);
  same(is_all(a.members(), elsewhere), true);
  a.stop();
  (void)co_await a.who().join();
  same(is_all(co_await store->members(), elsewhere), true);
}
TEST(Membership, OneThatHasLostItsNameLeavesItToWhoHasItNow) { play(too_late); }

task<> slow_watcher() {
  const auto store = memory_cluster_store();
  const auto a = join(store, "a");
  const auto lists = a.watch();
  for (const auto* name : {"b", "c"}) {
    co_await sleep_for(3s);
    const cluster_member other{name, "there", 1};
    (void)co_await store->announce(other, 1h);
  }
  co_await sleep_for(3s);
  same(names((co_await lists.receive()).value()), "a b c ");
  a.stop();
}
TEST(Membership, GivesASlowWatcherTheNewestListAlone) { play(slow_watcher); }

task<> without_a_node() {
  const auto store = memory_cluster_store();
  const auto a = join(store, "a");
  same(std::string(a.peer("a").error().message()), "there is no node here by which members are reached");
  a.stop();
  is_refused(
      [&] {
        membership(this_actor::system(), store, {.self = {"a", "", 0}, .ttl = 3s, .every = 2s});
      },
      "the member 'a' is announced every 2000000000 ns for 3000000000 ns: too short for two announcements");
  co_return;
}
TEST(Membership, SaysWhatItCannot) { play(without_a_node); }

} // namespace
} // namespace greenroom::membership_test
