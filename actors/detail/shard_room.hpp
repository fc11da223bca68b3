// A shard at the member that holds it: its entities, by their keys, and what waits for them.
// Thread safety: as noted. Lifetime: counted.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/actors/cluster_store.hpp>
#include <greenroom/actors/monitor.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::detail {

/// What all shards have in common.
template <class M>
struct shard_kind {
  std::string name;
  duration idle;
  std::uint32_t queue;
  std::uint32_t shards;
  std::function<std::string(const M&)> key_of;
  std::uint32_t (*shard_of)(std::string_view key, std::uint32_t shards) noexcept;
  std::function<actor(const std::string& key, const lease& held, mailbox<request<M>> in)> start;
};

/// The shards that are held here. Thread safety: any thread.
template <class M>
class shard_rooms {
public:
  explicit shard_rooms(shard_kind<M> kind) : kind_(std::move(kind)) {}

  const shard_kind<M>& kind() const noexcept { return kind_; }
  std::string key_of(const M& message) const { return kind_.key_of(message); }
  error not_here(std::uint32_t shard) const {
    return {errc::unavailable, fmt::format("shard {} of '{}' is held by nobody that is known here just now; ask again",
                                           shard, kind_.name)};
  }

  address<request<M>> find(std::uint32_t shard) const {
    const std::lock_guard guard(lock_);
    const auto at = rooms_.find(shard);
    return at == rooms_.end() || at->second.closed() ? address<request<M>>() : at->second;
  }
  std::vector<std::uint32_t> held() const {
    const std::lock_guard guard(lock_);
    std::vector<std::uint32_t> all;
    for (const auto& [shard, to] : rooms_) {
      if (!to.closed()) all.push_back(shard);
    }
    return all;
  }
  void open(std::uint32_t shard, address<request<M>> to) {
    const std::lock_guard guard(lock_);
    rooms_.insert_or_assign(shard, std::move(to));
  }

private:
  const shard_kind<M> kind_;
  mutable std::mutex lock_;
  std::map<std::uint32_t, address<request<M>>> rooms_; // guarded by lock_; of one that has ended it is closed
};

/// Passes on what comes from other members.
template <class M>
task<> take_in(mailbox<request<M>> in, std::shared_ptr<shard_rooms<M>> rooms) {
  while (auto r = co_await in.receive()) {
    const auto shard = rooms->kind().shard_of(rooms->key_of(r->message), rooms->kind().shards);
    const auto to = rooms->find(shard);
    if (!to) {
      r->fail(rooms->not_here(shard));
      continue;
    }
    auto sent = co_await to.send(*std::move(r)); // a shard passes on without a wait
    if (!sent) sent.item().fail(rooms->not_here(shard));
  }
}

/// One shard, while its lease is held. Thread safety: owner only.
template <class M>
class shard_room {
  struct entity {
    address<request<M>> to; // none: it was told to end, and has not yet
    actor who;
    time_point asked;
    std::deque<request<M>> waiting; // until it has: there is one actor for a key
  };

public:
  shard_room(lease held, std::uint32_t shard, std::shared_ptr<shard_rooms<M>> rooms)
      : held_(std::move(held)),
        shard_(shard),
        rooms_(std::move(rooms)),
        kind_(rooms_->kind()),
        system_(this_actor::system()) {}
  shard_room(const shard_room&) = delete;
  shard_room& operator=(const shard_room&) = delete;
  /// If this one is killed, the lease may be another's soon.
  ~shard_room() {
    for (const auto& [key, e] : entities_) {
      if (!e.who.finished()) e.who.kill();
    }
  }

  task<> run() {
    auto ends = make_mailbox<request<M>>(bounded(kind_.queue));
    rooms_->open(shard_, std::move(ends.out));
    const auto in = std::move(ends.in);
    std::exception_ptr why;
    try {
      auto serving = serve(in);
      co_await std::move(serving);
    } catch (...) {
      why = std::current_exception();
    }
    in.close();
    while (auto r = in.try_receive())
      r->fail(rooms_->not_here(shard_)); // nothing was done about it: ask its next holder
    auto draining = drain();
    co_await shielded(duration::max(), std::move(draining));
    if (why) std::rethrow_exception(why);
  }

private:
  task<> serve(mailbox<request<M>> in) {
    auto look_again = time_point::min();
    for (;;) {
      if (look_again <= system_.now()) { // at all of them, so not for each
        end_idle_ones();
        look_again = saturating_add(system_.now(), kind_.idle / 4);
      }
      auto s = co_await select(in.receive(), ends_.next(), at(look_again));
      if (s.index() == 0) {
        auto& r = s.template get<0>();
        if (!r) co_return;
        pass_on(*std::move(r));
      } else if (s.index() == 1) {
        take_end(s.template get<1>().who.id(), true);
      }
    }
  }

  void pass_on(request<M> r) {
    auto key = kind_.key_of(r.message);
    const auto now = system_.now();
    auto at = entities_.find(key);
    if (at == entities_.end()) at = start(std::move(key));
    auto& e = at->second;
    e.asked = now;
    if (e.to && !e.to.closed()) {
      (void)r.forward(e.to);
    } else if (e.waiting.size() < kind_.queue) { // it has failed, or is to end, and its end is not here yet
      e.to = {};
      e.waiting.push_back(std::move(r));
    } else {
      r.fail(errc::full);
    }
  }

  typename std::unordered_map<std::string, entity>::iterator start(std::string key) {
    auto ends = make_mailbox<request<M>>(bounded(kind_.queue));
    auto who = kind_.start(key, held_, std::move(ends.in));
    ends_.add(who);
    keys_.emplace(who.id(), key);
    return entities_.insert_or_assign(std::move(key), entity{std::move(ends.out), std::move(who), system_.now(), {}})
        .first;
  }

  void take_end(std::uint64_t id, bool restarts) {
    const auto key = keys_.extract(id);
    auto gone = entities_.extract(key.mapped());
    auto& waiting = gone.mapped().waiting;
    if (waiting.empty()) return;
    if (!restarts) {
      for (auto& r : waiting) r.fail(rooms_->not_here(shard_));
      return;
    }
    auto& next = start(key.mapped())->second;
    for (auto& r : waiting) (void)r.forward(next.to); // as many as it takes
  }

  void end_idle_ones() {
    const auto now = system_.now();
    for (auto& [key, e] : entities_) {
      if (saturating_add(e.asked, kind_.idle) <= now) e.to = {}; // its mailbox closes: it ends when it has answered
    }
  }

  task<> drain() {
    for (auto& [key, e] : entities_) e.to = {};
    while (!entities_.empty()) {
      const auto end = co_await ends_.next();
      take_end(end.who.id(), false);
    }
  }

  const lease held_;
  const std::uint32_t shard_;
  const std::shared_ptr<shard_rooms<M>> rooms_;
  const shard_kind<M>& kind_;
  const actor_system& system_;
  monitor ends_;
  std::unordered_map<std::string, entity> entities_;
  std::unordered_map<std::uint64_t, std::string> keys_; // of the actors
};

template <class M>
task<> run_shard(lease held, std::uint32_t shard, std::shared_ptr<shard_rooms<M>> rooms) {
  const auto room = std::make_unique<shard_room<M>>(std::move(held), shard, std::move(rooms));
  auto running = room->run();
  co_await std::move(running);
}

} // namespace greenroom::detail
