#include <greenroom/actors/sharding.hpp>

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <greenroom/actors/fence.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/tests/actors/cluster_kit.hpp>

namespace greenroom::sharding_test {
namespace {

using namespace test;

struct deposit {
  std::string to;
  int cents = 0;
  using reply = int; // the balance
};
template <class Inspector>
bool inspect(Inspector& f, deposit& d) {
  return f.object(d).fields(f.field("to", d.to), f.field("cents", d.cents));
}

/// What is kept of one account, wherever its entity runs.
struct books {
  std::map<std::string, int> balances;
  std::map<std::string, std::uint64_t> newest; // tokens
  std::map<std::string, int> running;
  int begun = 0;
  duration takes{}; // each deposit
};

struct at_work {
  at_work(books* at, std::string of, const lease& held) : b(at), key(std::move(of)) {
    ++b->begun;
    require(++b->running[key] == 1, "two entities of " + key + " at once");
    require(held.token >= b->newest[key], "an older token came behind a newer one for " + key);
    b->newest[key] = held.token;
  }
  at_work(const at_work&) = delete;
  at_work& operator=(const at_work&) = delete;
  ~at_work() { --b->running[key]; }
  books* b;
  std::string key;
};

task<> account(books* b, std::string key, lease held, mailbox<request<deposit>> in) {
  const at_work here(b, key, held);
  while (auto r = co_await in.receive()) {
    if (r->message.cents < 0) throw std::runtime_error("no such coin");
    if (b->takes > duration::zero()) co_await sleep_for(b->takes);
    r->reply(b->balances[key] += r->message.cents);
  }
}

/// Members of one process, and how they reach each other.
struct cluster {
  struct one {
    std::shared_ptr<line_to_store> line;
    membership who;
    shards<deposit> accounts;
  };
  std::shared_ptr<cluster_store> store = memory_cluster_store();
  books kept;
  std::map<std::string, address<request<deposit>>> intakes; // "" for who is out of reach
  std::map<std::string, one> members;
  sharding_options how{.name = "accounts", .shards = 12, .idle = 60s};

  void join(const std::string& name) {
    auto line = std::make_shared<line_to_store>(store, members.size() + 1);
    membership who(this_actor::system(), line, {.self = {name, "here", 7001}});
    const auto reach = [this](std::string member) { return reached(this, std::move(member)); };
    const auto entity = [b = &kept](std::string key, lease held, mailbox<request<deposit>> in) {
      return account(b, std::move(key), std::move(held), std::move(in));
    };
    shards<deposit> accounts(this_actor::system(), who, how, &deposit::to, entity, reach);
    intakes[name] = accounts.intake();
    members.erase(name);
    members.emplace(name, one{std::move(line), std::move(who), std::move(accounts)});
  }
  static task<result<address<request<deposit>>>> reached(cluster* self, std::string member) {
    co_await yield();
    const auto at = self->intakes.find(member);
    if (at == self->intakes.end() || !at->second) co_return errc::unavailable;
    co_return at->second;
  }

  task<result<int>> pay(std::string by, std::string to, int cents) {
    return members.at(by).accounts.ask(deposit{std::move(to), cents}, 1s);
  }
  std::size_t held_by(const std::string& name) { return members.at(name).accounts.held().size(); }

  /// Ends a member in order.
  task<> leave(std::string name) {
    auto& at = members.at(name);
    at.accounts.stop();
    (void)co_await at.accounts.keeper().join();
    at.who.stop();
    (void)co_await at.who.who().join();
    intakes.erase(name);
    members.erase(name);
  }
  task<> end() {
    while (!members.empty()) {
      auto leaving = leave(members.begin()->first);
      co_await std::move(leaving);
    }
  }
};

std::vector<cluster_member> named(std::initializer_list<const char*> names) {
  std::vector<cluster_member> all;
  for (const auto* name : names) all.push_back({name, "here", 1});
  return all;
}

TEST(Sharding, AKeyHasTheSameShardForEver) {
  EXPECT_EQ(shard_of("anna", 64), 4U);
  EXPECT_EQ(shard_of("bert", 64), 45U);
  EXPECT_EQ(shard_of("", 64), 27U);
  EXPECT_EQ(shard_of("anna", 1), 0U);
}

TEST(Sharding, AMemberThatGoesMovesItsOwnShardsAlone) {
  const auto three = named({"a", "b", "c"}), two = named({"a", "c"});
  std::map<std::string, int> part;
  for (std::uint32_t shard = 0; shard < 1000; ++shard) {
    const auto before = shard_owner(three, "accounts", shard), after = shard_owner(two, "accounts", shard);
    ++part[before->name];
    EXPECT_TRUE(before->name == "b" || before->name == after->name) << shard;
  }
  for (const auto& [name, shards] : part) EXPECT_NEAR(shards, 333, 60) << name;
  EXPECT_FALSE(shard_owner({}, "accounts", 1));
}

task<> asked_from_anywhere() {
  auto c = std::make_unique<cluster>();
  c->join("a");
  c->join("b");
  co_await sleep_for(10s);
  same(c->held_by("a") + c->held_by("b"), 12U);
  require(c->held_by("a") > 0 && c->held_by("b") > 0, "both have a part");
  for (int i = 0; i < 20; ++i) {
    const auto key = "key " + std::to_string(i);
    auto first = c->pay("a", key, 5);
    same(told(co_await std::move(first)), "5");
    auto second = c->pay("b", key, 7);
    same(told(co_await std::move(second)), "12");
  }
  same(c->kept.begun, 20);
  auto ending = c->end();
  co_await std::move(ending);
  for (std::uint32_t i = 0; i < 12; ++i)
    same((co_await c->store->look("accounts/" + std::to_string(i))).value().has_value(), false);
}
TEST(Sharding, AKeyIsServedByOneActorWhoeverAsks) { play(asked_from_anywhere, 10); }

task<> one_more_member() {
  auto c = std::make_unique<cluster>();
  c->join("a");
  co_await sleep_for(5s);
  same(c->held_by("a"), 12U);
  for (int i = 0; i < 20; ++i) {
    auto paying = c->pay("a", "key " + std::to_string(i), 1);
    same(told(co_await std::move(paying)), "1");
  }
  c->join("b");
  co_await sleep_for(5s);
  same(c->held_by("a") + c->held_by("b"), 12U);
  require(c->held_by("b") > 0, "it has its part");
  for (int i = 0; i < 20; ++i) {
    auto paying = c->pay("b", "key " + std::to_string(i), 1);
    same(told(co_await std::move(paying)), "2");
  }
  auto leaving = c->leave("a");
  co_await std::move(leaving);
  co_await sleep_for(5s);
  same(c->held_by("b"), 12U);
  for (int i = 0; i < 20; ++i) {
    auto paying = c->pay("b", "key " + std::to_string(i), 1);
    same(told(co_await std::move(paying)), "3");
  }
  auto ending = c->end();
  co_await std::move(ending);
}
TEST(Sharding, SharesAreHandedOverWhenMembersComeAndGo) { play(one_more_member, 10); }

/// Another process has its name: the others ask that one, so what it held would be out of reach.
task<> name_of_another() {
  auto c = std::make_unique<cluster>();
  const cluster_member elsewhere{"a", "elsewhere", 7001};
  (void)co_await c->store->announce(elsewhere, 1h);
  c->join("a");
  c->join("b");
  co_await sleep_for(30s);
  same(c->held_by("a"), 0U);
  require(c->held_by("b") > 0, "it has its part");
  auto ending = c->end();
  co_await std::move(ending);
}
TEST(Sharding, AMemberWhoseNameAnotherHasHoldsNothing) { play(name_of_another, 10); }

task<> pay_slowly(cluster* c, std::shared_ptr<std::string> got) {
  auto paying = c->pay("a", "anna", 1);
  *got = told(co_await std::move(paying));
}
task<> drained() {
  auto c = std::make_unique<cluster>();
  c->kept.takes = 100ms;
  c->join("a");
  co_await sleep_for(5s);
  std::vector<std::shared_ptr<std::string>> got;
  std::vector<actor> payers;
  for (int i = 0; i < 5; ++i) {
    got.push_back(std::make_shared<std::string>());
    payers.push_back(spawn({.name = "payer"}, pay_slowly, c.get(), got.back()));
  }
  co_await sleep_for(10ms);
  auto ending = c->end();
  co_await std::move(ending);
  for (const auto& each : payers) (void)co_await each.join();
  std::multiset<std::string> all;
  for (const auto& each : got) all.insert(*each);
  require(all == std::multiset<std::string>{"1", "2", "3", "4", "5"}, "what was asked is answered before the end");
}
TEST(Sharding, WhatIsQueuedIsAnsweredBeforeAShardIsLetGo) { play(drained); }

task<> cut_off() {
  auto c = std::make_unique<cluster>();
  c->kept.takes = 1h;
  c->join("a");
  co_await sleep_for(5s);
  auto first = c->pay("a", "anna", 1);
  same(told(co_await std::move(first)), "timed_out");
  c->members.at("a").line->cut = true;
  c->join("b");
  co_await sleep_for(15s);
  same(c->kept.running["anna"], 0); // it was not done in the grace of the lease
  same(c->held_by("a"), 0U);
  same(c->held_by("b"), 12U);
  auto second = c->pay("b", "anna", 1);
  same(told(co_await std::move(second)), "timed_out");
  same(c->kept.running["anna"], 1);
  c->kept.takes = 0s;
  auto ending = c->end();
  co_await std::move(ending);
}
TEST(Sharding, EntitiesThatDoNotEndWithTheirLeaseAreKilled) { play(cut_off, 10); }

task<> idle_ones() {
  auto c = std::make_unique<cluster>();
  c->join("a");
  co_await sleep_for(5s);
  for (int i = 0; i < 10; ++i) {
    auto paying = c->pay("a", "anna", 1);
    (void)co_await std::move(paying);
    co_await sleep_for(50s);
  }
  same(c->kept.begun, 1);
  same(c->kept.running["anna"], 1);
  co_await sleep_for(80s);
  same(c->kept.running["anna"], 0);
  auto paying = c->pay("a", "anna", 1);
  same(told(co_await std::move(paying)), "11");
  same(c->kept.begun, 2);
  auto ending = c->end();
  co_await std::move(ending);
}
TEST(Sharding, AnEntityEndsWhenItIsNotAskedAndIsStartedAgainWhenItIs) { play(idle_ones, 5); }

task<> a_failing_entity() {
  auto c = std::make_unique<cluster>();
  c->join("a");
  co_await sleep_for(5s);
  auto first = c->pay("a", "anna", 1);
  same(told(co_await std::move(first)), "1");
  auto bad = c->pay("a", "anna", -1);
  same(told(co_await std::move(bad)), "no_reply");
  auto next = c->pay("a", "anna", 1);
  same(told(co_await std::move(next)), "2");
  same(c->kept.begun, 2);
  auto ending = c->end();
  co_await std::move(ending);
}
TEST(Sharding, AnEntityThatFailsIsStartedAnewByTheNextRequest) { play(a_failing_entity); }

task<> nobody_there() {
  auto c = std::make_unique<cluster>();
  c->join("a");
  auto too_early = c->pay("a", "anna", 1);
  const auto refused = co_await std::move(too_early);
  same(told(refused), "unavailable");
  same(refused.error().message(),
       fmt::format("shard {} of 'accounts' is held by nobody that is known here just now; ask again",
                   shard_of("anna", 12)));
  co_await sleep_for(5s);
  auto in_time = c->pay("a", "anna", 1);
  same(told(co_await std::move(in_time)), "1");
  auto ending = c->end();
  co_await std::move(ending);
}
TEST(Sharding, AShardThatIsNowhereIsUnavailableForNow) { play(nobody_there); }

struct counts {
  std::mutex lock;
  std::map<std::string, int> of;
};
task<> count(counts* all, std::string key, lease, mailbox<request<deposit>> in) {
  while (auto r = co_await in.receive()) {
    const std::lock_guard guard(all->lock);
    r->reply(all->of[key] += r->message.cents);
  }
}
task<> pay_often(shards<deposit> accounts, int who) {
  for (int i = 0; i < 200;) {
    auto asking = accounts.ask(deposit{"key " + std::to_string((i * 7 + who) % 30), 1}, 1h);
    const auto balance = co_await std::move(asking);
    if (balance) ++i;
    if (!balance && !balance.error().is(errc::unavailable)) throw bad_result(balance.error());
    co_await yield();
  }
}
TEST(Sharding, ServesManyAtOnceOnSeveralThreads) {
  options how;
  how.workers = 4;
  actor_system sys(how);
  counts all;
  {
    const membership who(sys, memory_cluster_store(), {.self = {"a", "", 0}, .ttl = 1h, .every = 1ms});
    const auto entity = [&all](std::string key, lease held, mailbox<request<deposit>> in) {
      return count(&all, std::move(key), std::move(held), std::move(in));
    };
    const shards<deposit> accounts(sys, who, {.name = "x", .shards = 8, .idle = 1ms, .ttl = 1h, .every = 1ms},
                                   &deposit::to, entity);
    std::vector<actor> payers;
    for (int i = 0; i < 16; ++i) payers.push_back(sys.spawn(pay_often, accounts, i));
    for (const auto& each : payers) EXPECT_TRUE(each.wait().normal());
    accounts.stop();
    accounts.keeper().wait();
  }
  int sum = 0;
  for (const auto& [key, balance] : all.of) sum += balance;
  EXPECT_EQ(sum, 16 * 200) << "none lost, none doubled, over starts and ends of entities";
}

TEST(Sharding, RefusesNumbersThatCannotBe) {
  actor_system sys;
  const membership who(sys, memory_cluster_store(), {.self = {"a", "", 0}});
  const auto entity = [](std::string, lease, mailbox<request<deposit>>) -> task<> { co_return; };
  const auto make = [&](sharding_options how) { shards<deposit>(sys, who, std::move(how), &deposit::to, entity); };
  is_refused([&] { make({.name = "x", .shards = 0}); }, "'x' cannot have 0 shards: from 1 to 4096");
  is_refused([&] { make({.name = "x", .queue = 0}); },
             "the entities of 'x' need an idle time of 1 ms or more (it is 300000000000 ns), and room for a request or "
             "more (it is 0)");
  is_refused([&] { make({.name = "x", .ttl = 1s}); },
             "the lease of the singleton 'x/0' lasts 1000 ms: too short for two renewals and the grace (7000 ms)");
}

// -- at random -----------------------------------------------------------------------------------------

task<> customer(cluster* c, std::string by, std::uint64_t seed, int* paid, int* answered) {
  xoshiro random(seed);
  for (int i = 0; i < 60; ++i) {
    co_await sleep_for(std::chrono::milliseconds(random.below(2000)));
    if (!c->members.contains(by)) continue;
    auto paying = c->pay(by, "key " + std::to_string(random.below(6)), 1);
    const auto balance = co_await std::move(paying);
    ++*paid;
    if (balance) ++*answered;
  }
}

/// Members come and go, lines to the store break, requests go on. No key is ever at two places, and each answered deposit is in the books.
task<> at_random(std::uint64_t seed, int* all_answered) {
  xoshiro random(seed);
  auto c = std::make_unique<cluster>();
  c->how.shards = 4;
  c->kept.takes = std::chrono::milliseconds(random.below(2) == 0 ? 20 : 700); // the longer one ends in kills
  const std::string names[] = {"a", "b", "c"};
  int paid = 0, answered = 0;
  std::vector<actor> customers;
  for (const auto& name : names) {
    c->join(name);
    customers.push_back(
        spawn({.name = "customer"}, customer, c.get(), name, seed + customers.size(), &paid, &answered));
  }
  for (int step = 0; step < 12; ++step) {
    const auto name = names[random.below(3)];
    if (!c->members.contains(name)) {
      c->join(name);
    } else if (random.below(4) == 0) {
      auto leaving = c->leave(name);
      co_await std::move(leaving);
    } else {
      auto& line = *c->members.at(name).line;
      line.slow = std::chrono::milliseconds(1 + random.below(1500));
      line.cut = random.below(2) == 0;
    }
    co_await sleep_for(std::chrono::milliseconds(random.below(8000)));
  }
  for (const auto& each : customers) (void)co_await each.join();
  auto ending = c->end();
  co_await std::move(ending);
  int all = 0;
  for (const auto& [key, balance] : c->kept.balances) all += balance;
  require(all >= answered && all <= paid, fmt::format("{} in the books, {} answered, {} paid", all, answered, paid));
  *all_answered += answered;
}
TEST(Sharding, NoKeyIsAtTwoPlacesWhateverHappensToMembersAndLines) {
  int answered = 0;
  const auto found = testkit::explore({.runs = 80}, [&](std::uint64_t seed) { return at_random(seed, &answered); });
  EXPECT_TRUE(found.nothing()) << found.to_string();
  EXPECT_GT(answered, 80 * 30) << "most of the time it should be of use";
}

} // namespace
} // namespace greenroom::sharding_test
