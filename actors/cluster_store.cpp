// The stores that need nobody else: a fixed list, and memory.
#include <greenroom/actors/cluster_store.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/internal/cluster_errors.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom {

cluster_store::~cluster_store() = default;

namespace {

class static_store final : public cluster_store {
public:
  explicit static_store(std::vector<cluster_member> all) : all_(std::move(all)) {
    std::sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  }

  task<result<void>> announce(cluster_member who, duration) override {
    for (const auto& each : all_) {
      if (each == who) co_return result<void>();
    }
    co_return error(errc::invalid_argument,
                    fmt::format("cannot announce '{}' at {}:{}: the list of members does not have it; mend the list",
                                who.name, who.host, who.port));
  }
  task<result<void>> withdraw(cluster_member) override { co_return result<void>(); }
  task<result<std::vector<cluster_member>>> members() override { co_return all_; }

  task<result<lease>> acquire(std::string name, std::string, duration) override { co_return no_leases(name); }
  task<result<void>> renew(lease held, duration) override { co_return no_leases(held.name); }
  task<result<void>> release(lease held) override { co_return no_leases(held.name); }
  task<result<std::optional<lease>>> look(std::string name) override { co_return no_leases(name); }

private:
  static error no_leases(const std::string& name) {
    return {
        errc::unsupported,
        fmt::format("there is no lease '{}': a fixed list of members has none, since nobody could say who holds it; "
                    "use a store, or start it on one member alone",
                    name)};
  }

  std::vector<cluster_member> all_;
};

// Nothing waits while the lock is held: the calls of an actor are done when they are awaited.
class memory_store final : public cluster_store {
public:
  task<result<void>> announce(cluster_member who, duration ttl) override {
    if (auto fine = internal::check_ttl("announce", who.name, ttl); !fine) co_return fine;
    const auto now = this_actor::system().now();
    const std::lock_guard guard(lock_);
    auto& at = members_[who.name];
    if (at.until > now && at.who != who) co_return internal::name_taken(who, at.who, at.until - now);
    at = {std::move(who), saturating_add(now, ttl)};
    co_return result<void>();
  }
  task<result<void>> withdraw(cluster_member who) override {
    const std::lock_guard guard(lock_);
    const auto at = members_.find(who.name);
    if (at != members_.end() && at->second.who == who) members_.erase(at);
    co_return result<void>();
  }
  task<result<std::vector<cluster_member>>> members() override {
    const auto now = this_actor::system().now();
    const std::lock_guard guard(lock_);
    std::vector<cluster_member> all;
    for (const auto& [name, at] : members_) {
      if (at.until > now) all.push_back(at.who);
    }
    co_return all;
  }

  task<result<lease>> acquire(std::string name, std::string holder, duration ttl) override {
    if (auto fine = internal::check_ttl("acquire", name, ttl); !fine) co_return fine.error();
    const auto now = this_actor::system().now();
    const std::lock_guard guard(lock_);
    auto& at = leases_[name];
    if (at.until > now) co_return internal::lease_taken({name, at.holder, at.token});
    at = {std::move(holder), at.token + 1, saturating_add(now, ttl)};
    co_return lease{std::move(name), at.holder, at.token};
  }
  task<result<void>> renew(lease held, duration ttl) override {
    if (auto fine = internal::check_ttl("renew", held.name, ttl); !fine) co_return fine;
    const auto now = this_actor::system().now();
    const std::lock_guard guard(lock_);
    auto& at = leases_[held.name];
    if (at.token != held.token || at.until <= now) co_return internal::lease_over(held);
    at.until = saturating_add(now, ttl);
    co_return result<void>();
  }
  task<result<void>> release(lease held) override {
    const std::lock_guard guard(lock_);
    auto& at = leases_[held.name];
    if (at.token == held.token) at.until = time_point::min();
    co_return result<void>();
  }
  task<result<std::optional<lease>>> look(std::string name) override {
    const auto now = this_actor::system().now();
    const std::lock_guard guard(lock_);
    const auto at = leases_.find(name);
    if (at == leases_.end() || at->second.until <= now) co_return std::optional<lease>();
    co_return std::optional<lease>(lease{std::move(name), at->second.holder, at->second.token});
  }

private:
  struct announced {
    cluster_member who;
    time_point until = time_point::min();
  };
  struct kept {
    std::string holder;
    std::uint64_t token = 0; // stays when the lease is over: the next one is higher
    time_point until = time_point::min();
  };

  std::mutex lock_; // guards the following
  std::map<std::string, announced> members_;
  std::map<std::string, kept> leases_;
};

} // namespace

std::shared_ptr<cluster_store> static_members(std::vector<cluster_member> all) {
  return std::make_shared<static_store>(std::move(all));
}
std::shared_ptr<cluster_store> memory_cluster_store() { return std::make_shared<memory_store>(); }

} // namespace greenroom
