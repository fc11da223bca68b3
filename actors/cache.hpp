// cache: keeps what a call gave for a while, and loads it once however many ask.
//
//   cache<std::string, price> prices({.entries = 10'000, .fresh = 5s, .stale = 1min}, [client](std::string symbol) { return fetch(client, symbol); });
//   auto asking = prices.get("EUR");
//   const auto eur = co_await std::move(asking);       // result<price>
//
// A value is fresh for a time and given at once. Then it is stale for a time: given at once, too, while one actor loads it anew. Then it is loaded
// before it is given. Whoever asks for it meanwhile waits for the same load (singleflight.hpp), so that no herd reaches the service; one load goes on
// while anybody waits for it. When there are more entries than there may be, the one that was used least lately goes. Errors are given, and not kept,
// unless the options say so.
// Thread safety: any thread; copies share one state. Lifetime: counted. The load function owns what it needs. Keep large values as
// std::shared_ptr<const T>: each get copies.
// Source: RFC 5861 (stale-while-revalidate), RFC 2308 (negative caching).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <greenroom/actors/singleflight.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {

/// What a cache keeps, and for how long. Thread safety: as a value.
struct cache_options {
  /// Keys that are kept, from 1. Units: keys.
  std::size_t entries = 1'000;
  /// How long a value is as good as new, from 0, where each get that finds none under way loads,
  duration fresh = std::chrono::minutes(1);
  /// and how long after that it is better than nothing, from 0.
  duration stale = duration::zero();
  /// How long an error is kept, from 0: not at all,
  duration negative = duration::zero();
  /// and which errors are. None: not_found.
  std::function<bool(const error&)> keeps = {};
  /// For a load behind a stale value, which has no caller with a deadline.
  duration reload_limit = std::chrono::seconds(30);
};

/// All of one moment.
struct cache_stats {
  std::uint64_t hits = 0;    ///< given at once and fresh; kept errors, too
  std::uint64_t stale = 0;   ///< given at once and stale
  std::uint64_t misses = 0;  ///< had to wait for a load
  std::uint64_t loads = 0;   ///< begun
  std::uint64_t failed = 0;  ///< of them, those that gave no value
  std::uint64_t evicted = 0; ///< entries that went as there were too many
  std::size_t entries = 0;   ///< keys that are kept now
};

namespace detail {
/// Errors: usage_error.
GREENROOM_EXPORT cache_options checked(cache_options how);
} // namespace detail

/// Requires: Key has operator<; T and Key can be copied. Thread safety and lifetime: see the file comment.
template <class Key, class T>
class cache {
public:
  /// Loads the value of a key.
  using loader = std::function<task<result<T>>(Key)>;

  /// Errors: usage_error with a sentence if an option is out of range.
  cache(cache_options how, loader load) : core_(std::make_shared<core>(std::move(how), std::move(load))) {}

  /// Gives the value of a key. Waits: not at all if it is there, else for its load. Cancellation: throws `cancelled`; the load goes on while others
  /// wait for it.
  /// Errors: those of the load, or a kept one; an exception counts as errc::failed. Cost: a mutex, held for a search and
  /// a copy; for a load an actor.
  task<result<T>> get(Key key) const { return look_up(core_, std::move(key)); }

  /// Keeps a value; what is being loaded for its key is not kept. Requires: called by an actor. Waits: never.
  void put(Key key, T value) const {
    core_->flights.forget(key);
    core_->put(key, std::move(value), this_actor::system().now());
  }
  /// Forgets a key: whoever asks from now on waits for a load that began after this. Waits: never.
  void forget(const Key& key) const {
    core_->flights.forget(key);
    core_->drop(key);
  }
  /// Forgets all keys, as forget() does one.
  void clear() const {
    core_->flights.forget_all();
    core_->drop_all();
  }

  /// Returns what it has done.
  cache_stats stats() const {
    std::lock_guard guard(core_->lock);
    auto now = core_->seen;
    now.entries = core_->by_use.size();
    return now;
  }

private:
  struct entry {
    Key key;
    result<T> outcome;
    time_point fresh_until;
    time_point usable_until;
    bool reloading = false;
  };
  using entries = std::list<entry>;

  struct found {
    std::optional<result<T>> outcome; // none: it has to be loaded
    bool reload = false;              // it is there, but somebody should load it anew
  };

  struct core {
    core(cache_options o, loader l) : how(detail::checked(std::move(o))), load(std::move(l)) {}

    found find(const Key& key, time_point now) {
      std::lock_guard guard(lock);
      const auto it = by_key.find(key);
      if (it == by_key.end() || now >= it->second->usable_until) return ++seen.misses, found();
      auto& e = *it->second;
      by_use.splice(by_use.begin(), by_use, it->second);
      if (now < e.fresh_until) return ++seen.hits, found{e.outcome};
      return ++seen.stale, found{e.outcome, !std::exchange(e.reloading, true)};
    }

    /// Returns what is there and as good as new: a load that just ended may have brought it.
    std::optional<result<T>> find_fresh(const Key& key, time_point now) {
      std::lock_guard guard(lock);
      const auto it = by_key.find(key);
      if (it == by_key.end() || now >= it->second->fresh_until) return std::nullopt;
      return it->second->outcome;
    }

    /// Notes that a load begins. It may keep what it gives only while it is the newest of its key.
    std::uint64_t begin_load(const Key& key) {
      std::lock_guard guard(lock);
      ++seen.loads;
      return loads[key] = seen.loads;
    }
    /// `gave` is null if it was cancelled or threw.
    void end_load(const Key& key, std::uint64_t number, const result<T>* gave, time_point now) {
      auto made = gave != nullptr ? make_entry(key, *gave, now) : entries();
      entries old; // what goes is destroyed without the lock
      std::lock_guard guard(lock);
      if (gave == nullptr || !*gave) ++seen.failed;
      const auto it = loads.find(key);
      if (it == loads.end() || it->second != number) return; // forgotten, or put, meanwhile
      loads.erase(it);
      if (!made.empty()) keep(made, old, now);
    }
    void put(const Key& key, result<T> value, time_point now) {
      auto made = make_entry(key, std::move(value), now);
      entries old;
      std::lock_guard guard(lock);
      loads.erase(key);
      if (!made.empty()) keep(made, old, now);
    }

    void drop(const Key& key) {
      entries old;
      std::lock_guard guard(lock);
      loads.erase(key);
      const auto it = by_key.find(key);
      if (it == by_key.end()) return;
      old.splice(old.begin(), by_use, it->second);
      by_key.erase(it);
    }
    void drop_all() {
      entries old;
      std::lock_guard guard(lock);
      loads.clear();
      by_key.clear();
      old.swap(by_use);
    }
    void end_reload(const Key& key) {
      std::lock_guard guard(lock);
      if (const auto it = by_key.find(key); it != by_key.end()) it->second->reloading = false;
    }

    const cache_options how;
    const loader load;
    const singleflight<Key, T> flights;
    std::mutex lock; // what is done under it allocates
    // All that follows is owned by lock.
    entries by_use;                                   // the one used last at the front
    std::map<Key, typename entries::iterator> by_key; // a tree: no choice of keys makes it slow
    std::map<Key, std::uint64_t> loads;               // those under way that may keep what they give
    cache_stats seen;

  private:
    /// Makes an entry, outside of the lists; none for what is not kept.
    entries make_entry(const Key& key, result<T> outcome, time_point now) const {
      const bool kept = outcome || (how.keeps ? how.keeps(outcome.error()) : outcome.error().is(errc::not_found));
      const auto fresh_until = saturating_add(now, outcome ? how.fresh : how.negative);
      const auto usable_until = outcome ? saturating_add(fresh_until, how.stale) : fresh_until;
      entries made;
      if (kept && usable_until > now) made.push_back({key, std::move(outcome), fresh_until, usable_until});
      return made;
    }
    /// Requires: the lock is held.
    void keep(entries& made, entries& old, time_point now) {
      const auto fresh = made.begin();
      const auto [it, is_new] = by_key.try_emplace(fresh->key, fresh);
      if (!is_new) {
        const bool better = !fresh->outcome && it->second->outcome && now < it->second->usable_until;
        if (better) return; // an error is no reason to give up what can still be used
        old.splice(old.begin(), by_use, std::exchange(it->second, fresh));
      }
      by_use.splice(by_use.begin(), made);
      if (by_use.size() <= how.entries) return;
      by_key.erase(by_use.back().key);
      old.splice(old.begin(), by_use, std::prev(by_use.end()));
      ++seen.evicted;
    }
  };
  using core_ptr = std::shared_ptr<core>;

  static task<result<T>> look_up(core_ptr at, Key key) {
    auto there = at->find(key, this_actor::system().now());
    if (there.reload) spawn({.name = "cache reload"}, renew, reload_mark(at, key));
    if (there.outcome) co_return *std::move(there.outcome);
    auto loading = shared_load(std::move(at), std::move(key));
    co_return co_await std::move(loading);
  }

  static task<result<T>> shared_load(core_ptr at, Key key) {
    return at->flights.call(key, [at, key] { return load(at, key); });
  }

  static task<result<T>> load(core_ptr at, Key key) {
    if (auto there = at->find_fresh(key, this_actor::system().now())) co_return *std::move(there);
    load_mark mine(at, key);
    auto loading = at->load(key);
    auto got = co_await std::move(loading);
    mine.gives(got, this_actor::system().now());
    co_return got;
  }

  /// A load under way, which ends whatever becomes of its actor.
  class load_mark {
  public:
    load_mark(core_ptr at, Key key) : core_(std::move(at)), key_(std::move(key)), number_(core_->begin_load(key_)) {}
    load_mark(const load_mark&) = delete;
    load_mark& operator=(const load_mark&) = delete;
    ~load_mark() {
      if (!ended_) core_->end_load(key_, number_, nullptr, {});
    }
    void gives(const result<T>& got, time_point now) {
      ended_ = true;
      core_->end_load(key_, number_, &got, now);
    }

  private:
    const core_ptr core_;
    const Key key_;
    const std::uint64_t number_;
    bool ended_ = false;
  };

  /// The one reload behind a stale value.
  class reload_mark {
  public:
    reload_mark(core_ptr at, Key k) : of(std::move(at)), key(std::move(k)) {}
    reload_mark(reload_mark&&) = default;
    reload_mark& operator=(reload_mark&&) = delete;
    ~reload_mark() {
      if (of) of->end_reload(key);
    }

    core_ptr of; // null: moved from
    Key key;
  };

  static task<> renew(reload_mark mine) {
    auto loading = with_timeout(mine.of->how.reload_limit, shared_load(mine.of, mine.key));
    const auto got = co_await std::move(loading);
    if (got) co_return;
    this_actor::system().log().debug("cache: a stale value could not be loaded anew: {}", got.error().message());
  }

  core_ptr core_;
};

} // namespace greenroom
