// singleflight: calls for the same key that are made at the same time share one execution and its result: a herd asks a service once.
//
//   singleflight<std::string, page> fetches;
//   auto asking = fetches.call(url, [client, url] { return fetch(client, url); });
//   const auto got = co_await std::move(asking);       // result<page>
//
// The execution is an actor of its own: a caller who is cancelled leaves it to the others, and with the last one it is cancelled. It has the values
// and the trace of who came first, and nobody's deadline: each caller keeps its own. A call that comes after the end is a new one: for results that
// are kept take a cache.
// Thread safety: any thread; copies share one state. Lifetime: counted. The function owns what it needs, as its caller may be gone before it runs.
// Source: Go's golang.org/x/sync/singleflight.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <greenroom/actors/detail/call.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/wait_group.hpp>

namespace greenroom {

/// All of one moment.
struct singleflight_stats {
  std::uint64_t calls = 0;      ///< of call()
  std::uint64_t executions = 0; ///< begun for them
  std::uint64_t abandoned = 0;  ///< of these, those cancelled as nobody waited any more
  std::uint64_t under_way = 0;  ///< executions that have not ended
};

/// Requires: Key has operator<; T and Key can be copied. Thread safety and lifetime: see the file comment.
template <class Key, class T>
class singleflight {
public:
  singleflight() : core_(std::make_shared<core>()) {}

  /// Gives the result of the execution under way for `key`, which is begun if there is none, by `make`, a function that makes a task<result<T>>. It
  /// runs in the actor of the execution, and must not call for the same key.
  /// Waits: until it has ended. Cancellation: throws `cancelled`; the execution goes on while others wait for it. Errors: those of the execution, all
  /// callers the same; an exception counts as errc::failed. Cost: an actor for an execution; a mutex, held for a search.
  template <detail::call_maker F>
    requires std::is_same_v<detail::value_of_call<F>, T> task<result<T>> call(Key key, F make)
  const { return join(core_, std::move(key), std::move(make)); }

  /// Has the next call for `key` begin an execution, also while one is under way, which ends as usual for those who wait for it.
  void forget(const Key& key) const {
    std::lock_guard guard(core_->lock);
    core_->flying.erase(key);
  }
  /// The same for all keys.
  void forget_all() const {
    std::lock_guard guard(core_->lock);
    core_->flying.clear();
  }

  /// Returns what it has done.
  singleflight_stats stats() const {
    std::lock_guard guard(core_->lock);
    return core_->seen;
  }

private:
  struct flight {
    explicit flight(cancellable_context under) : ctx(std::move(under)) { landed.add(); }
    const cancellable_context ctx;
    std::optional<result<T>> outcome; // written once, before it has landed
    wait_group landed;
    std::uint64_t callers = 0; // owned by core::lock, as is the following
    bool over = false;
  };
  using flight_ptr = std::shared_ptr<flight>;

  struct core {
    /// Requires: the lock is held.
    void remove(const Key& key, const flight_ptr& which) {
      const auto it = flying.find(key);
      if (it != flying.end() && it->second == which) flying.erase(it);
    }

    std::mutex lock; // what is done under it allocates
    // All that follows is owned by lock.
    std::map<Key, flight_ptr> flying; // a tree: no choice of keys makes it slow
    singleflight_stats seen;
  };
  using core_ptr = std::shared_ptr<core>;

  /// A caller's place on a flight. The last one that is given up before the landing ends the flight.
  class seat {
  public:
    seat(core_ptr at, const Key& key) : core_(std::move(at)), key_(key) {
      const auto here = this_actor::context();
      std::lock_guard guard(core_->lock);
      auto& found = core_->flying[key];
      if (!found) {
        found = std::make_shared<flight>(here.without_cancel().with_cancel());
        ++core_->seen.executions;
        ++core_->seen.under_way;
        first_ = true;
      }
      ++core_->seen.calls;
      flight_ = found;
      ++flight_->callers;
    }
    seat(const seat&) = delete;
    seat& operator=(const seat&) = delete;
    ~seat() {
      {
        std::lock_guard guard(core_->lock);
        if (--flight_->callers != 0 || flight_->over) return;
        ++core_->seen.abandoned;
        core_->remove(key_, flight_); // who comes now must not get what was cancelled
      }
      flight_->ctx.cancel();
    }

    bool first() const noexcept { return first_; }
    const flight_ptr& taken() const noexcept { return flight_; }

  private:
    const core_ptr core_;
    const Key key_;
    flight_ptr flight_;
    bool first_ = false;
  };

  /// Ends a flight, whatever becomes of its actor.
  class landing {
  public:
    landing(core_ptr at, Key key, flight_ptr which)
        : core_(std::move(at)), key_(std::move(key)), flight_(std::move(which)) {}
    landing(landing&&) = default;
    landing& operator=(landing&&) = delete;
    ~landing() {
      if (!flight_) return;
      {
        std::lock_guard guard(core_->lock);
        flight_->over = true;
        --core_->seen.under_way;
        core_->remove(key_, flight_);
      }
      flight_->landed.done();
    }
    void gives(result<T> outcome) { flight_->outcome.emplace(std::move(outcome)); }

  private:
    core_ptr core_;
    Key key_;
    flight_ptr flight_; // null: moved from
  };

  template <class F>
  static task<result<T>> join(core_ptr at, Key key, F make) {
    const seat mine(at, key);
    const auto shared = mine.taken();
    if (mine.first()) {
      spawn_options how{.name = "singleflight", .ctx = shared->ctx.ctx};
      spawn(how, fly<F>, landing(at, key, shared), std::move(make));
    }
    co_await shared->landed.wait();
    if (shared->outcome) co_return *shared->outcome;
    co_return error(errc::killed, "singleflight: the shared execution was ended before it gave a result");
  }

  template <class F>
  static task<> fly(landing end, F make) {
    try {
      auto work = make();
      auto got = co_await std::move(work);
      end.gives(std::move(got));
    } catch (const cancelled&) {
      throw;
    } catch (const std::exception& e) {
      end.gives(error(errc::failed, e.what()));
    } catch (...) {
      end.gives(error(errc::failed, "an exception that is no std::exception"));
    }
  }

  core_ptr core_;
};

} // namespace greenroom
