// singleton: an actor that runs on one member of a cluster at a time. Each member starts the same; who gets the lease starts the actor, the others wait for it.
//
//   task<> keep_books(lease held, mailbox<request<deposit>> in);             // held.token goes with what it writes: fence.hpp
//
//   supervisor_spec shop("shop");
//   shop.child("books", singleton(store, {.name = "books", .holder = "node 1"}, keep_books), deposits);
//
// It is a function of an actor, for spawn(), a supervisor or a graph; its arguments are copied for each time that the lease is got. The lease is renewed while the actor runs. If it
// cannot be, the actor is cancelled before the time is over, and killed if it does not end: time is counted by the clock of this system, from before the store
// was asked. So two that know what time it is never run at once. One that was stopped as a process, or computes without a wait, may find out late: hence the token.
// When the actor returns, so does the singleton, and lets go of the lease; when it fails, the singleton fails, as a child for its supervisor to start anew;
// when it has lost the lease, it waits for the next.
// Thread safety: copies may be used from any thread. Lifetime: owns what it was given. Cost: a call of the store for each `every`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <greenroom/actors/cluster_store.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/spawn.hpp>

namespace greenroom {

/// Of which lease, and how it is held. Thread safety: as a value.
struct singleton_options {
  std::string name;   ///< of the lease
  std::string holder; ///< who this is, as look() shows it: the name of the member
  /// How long a lease lasts: so long it takes until another goes on when the holder is gone without a word.
  duration ttl = std::chrono::seconds(10);
  /// How often it is renewed, and tried by those who wait for it.
  duration every = std::chrono::seconds(2);
  /// The actor is cancelled when only this much of its lease is left, and killed when half of it is: what remains is for clocks that do not run alike, and late timers.
  duration grace = std::chrono::seconds(3);

  /// Errors: invalid_argument: a time below 1 ms, or a ttl that leaves no room for two renewals, 2 x every + grace.
  GREENROOM_EXPORT result<void> check() const;
};

namespace detail {
/// Starts the actor that holds a lease.
using lease_start = std::function<actor(const lease&)>;
GREENROOM_EXPORT task<> run_singleton(std::shared_ptr<cluster_store> store, singleton_options how, lease_start start);
[[noreturn]] GREENROOM_EXPORT void throw_bad_singleton(const error& why);

template <class F, class... Args>
struct held_call {
  F fn;
  std::tuple<Args...> args;

  actor operator()(const lease& held) const {
    return std::apply(
        [&](const Args&... copied) {
          return spawn({.made_name = held.name, .ctx = this_actor::context()}, fn, held, Args(copied)...);
        },
        args);
  }
};
} // namespace detail

/// An actor's function `fn(lease, args...)`, as one of `args...` that runs it on one member at a time. Thread safety and lifetime: see the file comment.
template <class F>
class singleton {
public:
  /// Errors: usage_error for options that check() refuses.
  singleton(std::shared_ptr<cluster_store> store, singleton_options how, F fn)
      : store_(std::move(store)), how_(std::move(how)), fn_(std::move(fn)) {
    if (const auto fine = how_.check(); !fine) detail::throw_bad_singleton(fine.error());
  }

  /// Waits: until the actor has returned. Cancellation: cancels the actor and waits for it, as long as its lease lasts; then lets go of the lease. While the store is asked: waits for
  /// its answer, `grace` at most.
  /// Errors: bad_result, with what the actor failed with, or why the store will never give the lease.
  template <class... Args>
    requires std::is_invocable_r_v < task<>,
  const F&, lease, Args... > task<> operator()(Args... args) const {
    return detail::run_singleton(store_, how_,
                                 detail::held_call<F, Args...>{fn_, std::tuple<Args...>(std::move(args)...)});
  }

private:
  std::shared_ptr<cluster_store> store_;
  singleton_options how_;
  F fn_;
};

} // namespace greenroom
