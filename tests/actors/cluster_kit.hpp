// What the tests of clusters share: a store that several members share, and that each of them reaches late, or not at all.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/actors/cluster_store.hpp>
#include <greenroom/runtime/random.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tests/actors/guard_kit.hpp>

namespace greenroom::test {

inline std::string kind(const error& e) { return to_string(e.code()); }
template <class T>
std::string kind(const result<T>& got) {
  return got ? "ok" : kind(got.error());
}

/// A store as one member reaches it: calls take time on the way there and back, and may be cut off, before or behind what they do.
class line_to_store final : public cluster_store {
public:
  explicit line_to_store(std::shared_ptr<cluster_store> to, std::uint64_t seed = 1)
      : to_(std::move(to)), random_(seed) {}

  duration slow{};   ///< the most that each way takes
  bool cut = false;  ///< calls fail
  bool deaf = false; ///< calls do not end
  int calls = 0;     ///< that were begun

  task<result<void>> announce(cluster_member who, duration ttl) override {
    return pass(to_->announce(std::move(who), ttl));
  }
  task<result<void>> withdraw(cluster_member who) override { return pass(to_->withdraw(std::move(who))); }
  task<result<std::vector<cluster_member>>> members() override { return pass(to_->members()); }
  task<result<lease>> acquire(std::string name, std::string holder, duration ttl) override {
    return pass(to_->acquire(std::move(name), std::move(holder), ttl));
  }
  task<result<void>> renew(lease held, duration ttl) override { return pass(to_->renew(std::move(held), ttl)); }
  task<result<void>> release(lease held) override { return pass(to_->release(std::move(held))); }
  task<result<std::optional<lease>>> look(std::string name) override { return pass(to_->look(std::move(name))); }

private:
  template <class T>
  task<T> pass(task<T> call) {
    ++calls;
    auto way = travel();
    const auto there = co_await std::move(way);
    if (!there) co_return there.error();
    auto done = co_await std::move(call);
    auto way_back = travel();
    const auto back = co_await std::move(way_back);
    if (!back) co_return back.error();
    co_return done;
  }
  task<result<void>> travel() {
    if (deaf) co_await sleep_until(never);
    if (slow > duration::zero()) {
      co_await sleep_for(duration(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(slow.count())))));
    }
    if (cut) co_return error(errc::io, "the store is out of reach");
    co_return result<void>();
  }

  const std::shared_ptr<cluster_store> to_;
  xoshiro random_;
};

} // namespace greenroom::test
