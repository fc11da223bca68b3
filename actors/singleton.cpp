// Acquires a lease, runs an actor under it, renews it, and ends the actor before the lease ends.
#include <greenroom/actors/singleton.hpp>

#include <algorithm>
#include <exception>
#include <optional>

#include <fmt/format.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {

result<void> singleton_options::check() const {
  const auto ms = [](duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
  for (const auto time : {ttl, every, grace}) {
    if (time < std::chrono::milliseconds(1) || time > std::chrono::hours(24))
      return error(errc::invalid_argument,
                   fmt::format("a time of the singleton '{}' is {} ms: from 1 ms to 24 h", name, ms(time)));
  }
  if (ttl < 2 * every + grace)
    return error(
        errc::invalid_argument,
        fmt::format("the lease of the singleton '{}' lasts {} ms: too short for two renewals and the grace ({} "
                    "ms)",
                    name, ms(ttl), ms(2 * every + grace)));
  if (name.empty() || holder.empty())
    return error(errc::invalid_argument, "a singleton needs a name, and the name of its holder");
  return {};
}

namespace detail {
namespace {

struct held_lease {
  lease what;
  time_point asked; // before the store was
};

struct renewal {
  time_point asked;
  result<void> outcome;
};

/// If who holds it is killed, the lease may be another's soon.
struct kill_at_end {
  actor who;
  ~kill_at_end() {
    if (!who.finished()) who.kill();
  }
};
struct cancel_at_end {
  actor who;
  ~cancel_at_end() { who.cancel(); }
};

/// An actor of its own, as the store may take its time, and its holder has none to wait for it.
task<> renew_often(std::shared_ptr<cluster_store> store, singleton_options how, held_lease held, address<renewal> to) {
  const auto& sys = this_actor::system();
  for (auto asked = held.asked;;) {
    co_await sleep_until(asked + how.every);
    asked = sys.now();
    auto calling = store->renew(held.what, how.ttl);
    auto outcome = co_await std::move(calling);
    renewal r{asked, std::move(outcome)};
    const auto sent = co_await to.send(std::move(r));
    if (!sent) co_return;
  }
}

/// An actor of its own, as its holder waits out of reach of cancellation.
task<> give_back(std::shared_ptr<cluster_store> store, lease held) {
  auto calling = store->release(held);
  const auto released = co_await std::move(calling);
  if (!released)
    this_actor::system().log().warn("the lease '{}' was not given back, and ends by itself: {}", held.name,
                                    released.error().message());
}

class lease_holder {
public:
  lease_holder(std::shared_ptr<cluster_store> store, singleton_options how, lease_start start)
      : store_(std::move(store)), how_(std::move(how)), start_(std::move(start)), system_(this_actor::system()) {}

  task<> run() {
    for (;;) {
      auto acquiring = acquire();
      const auto held = co_await std::move(acquiring);
      auto keeping = keep(held);
      const auto ended = co_await std::move(keeping);
      if (!ended) continue; // the lease was lost
      if (ended->kind() == exit_kind::failed || ended->kind() == exit_kind::killed)
        throw bad_result(
            error(ended->why().code(), fmt::format("the singleton '{}' has {}", how_.name, ended->to_string())));
      co_return;
    }
  }

private:
  task<held_lease> acquire() {
    for (bool told = false;;) {
      const auto asked = system_.now();
      // Who breaks off here may have got it, and then nobody would have it until its time is over.
      auto calling = store_->acquire(how_.name, how_.holder, how_.ttl);
      auto got = co_await shielded(how_.grace, std::move(calling));
      const bool in_time = !this_actor::cancel_requested() && system_.now() < asked + how_.ttl - how_.grace;
      if (got && in_time) co_return held_lease{*std::move(got), asked};
      if (got) {
        auto releasing = release(*got); // nothing can be begun
        co_await shielded(duration::max(), std::move(releasing));
      } else if (got.error().is(errc::unsupported) || got.error().is(errc::invalid_argument)) {
        throw bad_result(got.error());
      } else if (!got.error().is(errc::already_exists) && !std::exchange(told, true)) {
        system_.log().warn("the lease '{}' cannot be asked for, and is tried again: {}", how_.name,
                           got.error().message());
      }
      co_await sleep_until(asked + how_.every);
    }
  }

  /// Gives how the actor has ended, or nothing if it was ended as its lease was lost.
  task<std::optional<exit_reason>> keep(held_lease held) {
    auto [renewals, to_renewals] = make_mailbox<renewal>(bounded(4));
    const kill_at_end child{start_(held.what)};
    const cancel_at_end renewer{
        spawn({.name = "lease renewal"}, renew_often, store_, how_, held, std::move(to_renewals))};
    auto until = held.asked + how_.ttl;
    std::optional<exit_reason> ended;
    error why = errc::cancelled;
    std::exception_ptr thrown;
    bool is_over = false;
    try {
      while (!ended && !is_over) {
        auto s = co_await select(child.who.join(), renewals.receive(), at(until - how_.grace));
        if (s.index() == 0) {
          ended = s.get<0>();
        } else if (s.index() == 1) {
          is_over = !take(*s.get<1>(), until, why);
        } else {
          is_over = true;
          why = error(errc::timed_out, fmt::format("the lease '{}' could not be renewed in time", how_.name));
        }
      }
    } catch (const cancelled& c) {
      thrown = std::current_exception();
      why = c.cause;
    }
    renewer.who.cancel();
    const bool by_itself = ended.has_value();
    auto finishing = finish(child.who, held.what, until, why);
    const auto last = co_await shielded(duration::max(), std::move(finishing));
    if (thrown) std::rethrow_exception(thrown);
    if (by_itself) co_return last;
    system_.log().warn("the singleton '{}' was ended here: {}", how_.name, why.message());
    co_return std::optional<exit_reason>();
  }

  /// Returns false if the lease is over.
  bool take(const renewal& r, time_point& until, error& why) {
    if (r.outcome) {
      until = std::max(until, r.asked + how_.ttl);
    } else if (r.outcome.error().is(errc::not_found)) {
      why = r.outcome.error();
      return false;
    } else {
      system_.log().warn("the lease '{}' was not renewed, and is tried again: {}", how_.name,
                         r.outcome.error().message());
    }
    return true;
  }

  /// Ends the actor while the lease lasts, and only then lets go of that.
  task<exit_reason> finish(actor child, lease held, time_point until, error why) {
    child.cancel(why);
    (void)co_await select(child.join(), at(until - how_.grace / 2));
    const bool in_time = child.finished();
    if (!in_time) {
      system_.log().warn("the singleton '{}' has not ended in its grace, and is killed", how_.name);
      child.kill();
    }
    const auto last = co_await child.join();
    if (in_time) { // else something that it has begun may run to its next wait: the lease ends by itself
      auto releasing = release(held);
      co_await std::move(releasing);
    }
    co_return last;
  }

  /// A renewal that comes behind it changes nothing: the lease is over then.
  task<> release(lease held) {
    const cancel_at_end calling{spawn({.name = "lease release"}, give_back, store_, std::move(held))};
    (void)co_await select(calling.who.join(), after(how_.grace));
  }

  const std::shared_ptr<cluster_store> store_;
  const singleton_options how_;
  const lease_start start_;
  const actor_system& system_;
};

} // namespace

void throw_bad_singleton(const error& why) { throw usage_error(std::string(why.message())); }

task<> run_singleton(std::shared_ptr<cluster_store> store, singleton_options how, lease_start start) {
  const auto holder = std::make_unique<lease_holder>(std::move(store), std::move(how), std::move(start));
  auto running = holder->run();
  co_await std::move(running);
}

} // namespace detail
} // namespace greenroom
