// A cluster: each account is served by one member, wherever the request comes from, and the audit runs on one of them. When a member joins or leaves, its
// part moves. In Erlang this is global and pg, in Akka cluster singleton and cluster sharding.
// Both members are in one program here, and share a store in memory; in two programs it would be open_postgres_cluster_store().
//
// Run: 21_cluster_nodes
// You will see who does the audit, how many shards each holds, balances that go on whoever serves them, and a late write refused.
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <greenroom/actors/fence.hpp>
#include <greenroom/actors/sharding.hpp>
#include <greenroom/actors/singleton.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct deposit {
  std::string to;
  std::int64_t cents = 0;
  using reply = std::int64_t; // the balance
};
template <class Inspector>
bool inspect(Inspector& f, deposit& d) {
  return f.object(d).fields(f.field("to", d.to), f.field("cents", d.cents));
}

// What outlives the actors: in a service, a database.
struct books {
  std::mutex lock;
  std::map<std::string, std::int64_t> balances;
  std::map<std::string, std::unique_ptr<fence>> fences;

  result<std::int64_t> add(const std::string& account, std::int64_t cents, std::uint64_t token) {
    const std::lock_guard guard(lock);
    auto& only_newest = fences[account];
    if (!only_newest) only_newest = std::make_unique<fence>(account);
    if (const auto fine = only_newest->check(token); !fine) return fine.error();
    return balances[account] += cents;
  }
};

// The actor of one account.
task<> account(books* kept, std::string name, lease held, mailbox<request<deposit>> in) {
  while (auto r = co_await in.receive()) r->reply(kept->add(name, r->message.cents, held.token));
}

// The actor that there is once.
task<> audit(lease held, address<lease> begun) {
  (void)co_await begun.send(held);
  co_await sleep_until(never);
}

// A member: in a service, a process.
struct member {
  member(const std::string& name, const std::shared_ptr<cluster_store>& store, books* kept, address<lease> begun)
      : sys(quiet()), here(sys, {.name = name, .listen = true}) {
    here.start().value();
    who.emplace(sys, store, membership_options{.self = {name, "127.0.0.1", here.port()}, .ttl = 5s, .every = 50ms},
                &here);
    const auto entity = [kept](std::string key, lease held, mailbox<request<deposit>> in) {
      return account(kept, std::move(key), std::move(held), std::move(in));
    };
    accounts.emplace(sys, *who, sharding_options{.name = "accounts", .shards = 16, .every = 50ms}, &deposit::to,
                     entity);
    accounts->publish(here).value();
    auditor = sys.spawn(singleton(store, {.name = "audit", .holder = name, .every = 50ms}, audit), begun);
  }
  ~member() { // in order: what it holds is free at once
    auditor.cancel();
    accounts->stop();
    auditor.wait();
    accounts->keeper().wait();
  }

  static options quiet() {
    options how;
    how.log_level = "off";
    return how;
  }

  actor_system sys;
  node here;
  std::optional<membership> who;
  std::optional<shards<deposit>> accounts;
  actor auditor;
};

task<> pay_all(shards<deposit> accounts) {
  for (const std::string to : {"anna", "bert", "carl", "dora"}) {
    for (bool paid = false; !paid;) {
      deposit d{to, 100};
      auto asking = accounts.ask(std::move(d), 1s);
      const auto balance = co_await std::move(asking);
      paid = balance.has_value();
      if (paid) std::printf("%s %lld\n", to.c_str(), static_cast<long long>(*balance));
      if (!paid) co_await sleep_for(20ms); // its shard is on the way to another member
    }
  }
}

task<> hold(shards<deposit> accounts, std::size_t wanted) {
  while (accounts.held().size() != wanted) co_await sleep_for(10ms);
  std::printf("%zu of 16 shards\n", wanted);
}

task<> next_audit(mailbox<lease> begun) {
  const auto held = co_await begun.receive();
  std::printf("the audit runs at %s, token %llu\n", held->holder.c_str(), static_cast<unsigned long long>(held->token));
}

int main() {
  const auto store = memory_cluster_store();
  books kept;
  auto [begun, to_begun] = make_mailbox<lease>(bounded(4));

  auto a = std::make_unique<member>("a", store, &kept, to_begun);
  a->sys.run(next_audit, begun).value();
  a->sys.run(hold, *a->accounts, 16).value();
  a->sys.run(pay_all, *a->accounts).value();

  member b("b", store, &kept, to_begun);
  b.sys.run(hold, *b.accounts, 8).value();
  b.sys.run(pay_all, *b.accounts).value();

  a.reset();
  b.sys.run(next_audit, begun).value();
  b.sys.run(hold, *b.accounts, 16).value();
  b.sys.run(pay_all, *b.accounts).value();

  const auto late = kept.add("anna", 100, 1);
  std::printf("%s\n", std::string(late.error().message()).c_str());
}
