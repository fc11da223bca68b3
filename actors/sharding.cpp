// Which shards are this member's, and an actor for each that holds its lease.
#include <greenroom/actors/sharding.hpp>

#include <algorithm>
#include <optional>

#include <greenroom/actors/monitor.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/select.hpp>

namespace greenroom {
namespace {

// Source: Fowler, Noll, Vo, FNV-1a of 64 bits; Steele, Lea, Flood, the finalizer of splitmix64.
std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}
std::uint64_t spread(std::uint64_t n) noexcept {
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
  n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
  return n ^ (n >> 31);
}

} // namespace

std::uint32_t shard_of(std::string_view key, std::uint32_t shards) noexcept {
  return static_cast<std::uint32_t>(spread(hash_of(key)) % shards);
}

std::optional<cluster_member> shard_owner(const std::vector<cluster_member>& members, std::string_view name,
                                          std::uint32_t shard) {
  const auto of = spread(hash_of(name) + shard);
  const auto weight = [of](const cluster_member& m) { return spread(hash_of(m.name) ^ of); };
  const cluster_member* best = nullptr;
  for (const auto& each : members) {
    if (best == nullptr || std::pair(weight(each), each.name) > std::pair(weight(*best), best->name)) best = &each;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

namespace detail {
namespace {

singleton_options lease_of(const sharding_options& how, std::string holder, std::uint32_t shard) {
  return {fmt::format("{}/{}", how.name, shard), std::move(holder), how.ttl, how.every, how.grace};
}

class shard_holder {
public:
  shard_holder(mailbox<nothing> stop, mailbox<std::vector<cluster_member>> lists, cluster_member self,
               std::shared_ptr<cluster_store> store, sharding_options how, shard_body body)
      : stop_(std::move(stop)),
        lists_(std::move(lists)),
        self_(std::move(self)),
        store_(std::move(store)),
        how_(std::move(how)),
        body_(std::move(body)),
        at_(how_.shards) {}
  shard_holder(const shard_holder&) = delete;
  shard_holder& operator=(const shard_holder&) = delete;
  ~shard_holder() {
    for (const auto& each : at_) {
      if (each.keeper && !each.keeper.finished()) each.keeper.kill();
    }
  }

  task<> run() {
    std::exception_ptr why;
    try {
      auto serving = serve();
      co_await std::move(serving);
    } catch (const cancelled&) {
      why = std::current_exception();
    }
    auto ending = end_all();
    co_await shielded(duration::max(), std::move(ending));
    if (why) std::rethrow_exception(why);
  }

private:
  struct place {
    actor keeper; // of the lease; none: it is not ours, or was not
    bool wanted = false;
    bool leaving = false; // it was told to let go
  };

  task<> serve() {
    for (;;) {
      auto s = co_await select(stop_.receive(), lists_.receive(), ends_.next(), at(try_again_));
      if (s.index() == 0) co_return;
      if (s.index() == 1) {
        if (!s.get<1>()) co_return; // the membership has ended: nobody will ask us
        want(*s.get<1>());
      } else if (s.index() == 2) {
        take_end(s.get<2>());
      } else {
        try_again_ = never;
      }
      for (std::uint32_t shard = 0; shard < how_.shards; ++shard) set_right(shard);
    }
  }

  void want(const std::vector<cluster_member>& members) {
    for (std::uint32_t shard = 0; shard < how_.shards; ++shard) {
      const auto owner = shard_owner(members, how_.name, shard);
      at_[shard].wanted = owner && *owner == self_; // not if another process has our name: nobody would ask us
    }
  }

  void set_right(std::uint32_t shard) {
    auto& here = at_[shard];
    if (here.wanted && !here.keeper && try_again_ == never) {
      here.keeper = spawn({.name = "shard lease", .ctx = this_actor::context()}, run_singleton, store_,
                          lease_of(how_, self_.name, shard),
                          lease_start([body = body_, shard](const lease& held) { return body(held, shard); }));
      ends_.add(here.keeper);
    } else if (!here.wanted && here.keeper && !std::exchange(here.leaving, true)) {
      here.keeper.cancel();
    }
  }

  void take_end(const down& end) {
    for (auto& each : at_) {
      if (each.keeper != end.who) continue;
      if (!each.leaving) { // it should be here, and has failed: not at once again
        this_actor::system().log().warn("a shard of '{}' has ended here, and is tried again: {}", how_.name,
                                        end.why.to_string());
        try_again_ = saturating_add(this_actor::system().now(), how_.every);
      }
      each.keeper = {};
      each.leaving = false;
    }
  }

  task<> end_all() {
    for (const auto& each : at_) {
      if (each.keeper) each.keeper.cancel();
    }
    while (ends_.size() > 0) (void)co_await ends_.next();
  }

  const mailbox<nothing> stop_; // nothing comes by it; it closes
  const mailbox<std::vector<cluster_member>> lists_;
  const cluster_member self_;
  const std::shared_ptr<cluster_store> store_;
  const sharding_options how_;
  const shard_body body_;
  std::vector<place> at_;
  monitor ends_;
  time_point try_again_ = never; // until then none is started
};

} // namespace

void check_sharding(const sharding_options& how) {
  if (how.shards < 1 || how.shards > 4096)
    throw usage_error(fmt::format("'{}' cannot have {} shards: from 1 to 4096", how.name, how.shards));
  if (how.idle < std::chrono::milliseconds(1) || how.queue < 1)
    throw usage_error(
        fmt::format("the entities of '{}' need an idle time of 1 ms or more (it is {} ns), and room for a "
                    "request or more (it is {})",
                    how.name, how.idle.count(), how.queue));
  if (const auto fine = lease_of(how, "?", 0).check(); !fine) throw_bad_singleton(fine.error());
}

task<> hold_shards(mailbox<nothing> stop, mailbox<std::vector<cluster_member>> lists, cluster_member self,
                   std::shared_ptr<cluster_store> store, sharding_options how, shard_body body) {
  const auto holder = std::make_unique<shard_holder>(std::move(stop), std::move(lists), std::move(self),
                                                     std::move(store), std::move(how), std::move(body));
  auto running = holder->run();
  co_await std::move(running);
}

} // namespace detail
} // namespace greenroom
