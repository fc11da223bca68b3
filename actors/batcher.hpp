// batcher: makes one call of many small ones: those that come within a short time, or as many as it takes. Each asker gets an answer of its own.
//
//   task<result<std::vector<result<price>>>> look_up(std::vector<std::string> symbols);      // one query for all; the answers in their order
//   batcher<std::string, price> prices(sys, {.most = 100, .longest_wait = 2ms}, look_up);
//   auto asking = prices.ask("EUR");
//   const auto eur = co_await std::move(asking);       // result<price>
//
// A call begins when `most` items are there, or the first of them has waited long enough, and a call may run. While it waits for that, what comes
// joins it: under load batches grow by themselves. Items whose askers have left are not asked for; a call that has begun goes on.
// Thread safety: handles may be copied to any actor. Its state belongs to an actor, which collects; each call is an actor of its own. Lifetime: when
// the last handle goes, what was asked is answered, and the actor ends. Order: items of one asker, as asked.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {

/// How a batcher collects. Thread safety: as a value.
struct batcher_options {
  /// Items of one call, from 1. Units: items.
  std::size_t most = 100;
  /// How long the first of them waits for others, from 0, where only what is there already goes together.
  duration longest_wait = std::chrono::milliseconds(2);
  /// Calls that run at once, from 1. Units: calls.
  std::int64_t at_once = 1;
  /// Items that wait to be collected, from 1; one more waits to be asked. Units: items.
  std::int64_t queue = 1'024;
  /// For one call.
  duration limit = std::chrono::seconds(30);
};

/// Taken while it works, the numbers may be of slightly different moments.
struct batcher_stats {
  std::uint64_t items = 0;   ///< that were asked for by calls
  std::uint64_t calls = 0;   ///< begun for them
  std::uint64_t full = 0;    ///< of these, those with as many items as there may be
  std::uint64_t failed = 0;  ///< and those that gave no answers at all
  std::uint64_t dropped = 0; ///< items whose askers had left before the call
  std::size_t largest = 0;   ///< Units: items of one call
};

namespace detail {

/// Errors: usage_error.
GREENROOM_EXPORT batcher_options checked(batcher_options how);
/// Says that a call gave another number of answers.
GREENROOM_EXPORT error wrong_count(std::size_t answers, std::size_t items);

/// Thread safety: any thread.
class GREENROOM_EXPORT batch_counts {
public:
  void dropped(std::size_t items) noexcept { dropped_.fetch_add(items, std::memory_order_relaxed); }
  void begun(std::size_t items, bool full) noexcept;
  void failed() noexcept { failed_.fetch_add(1, std::memory_order_relaxed); }
  batcher_stats stats() const noexcept;

private:
  std::atomic<std::uint64_t> items_{0}, calls_{0}, full_{0}, failed_{0}, dropped_{0};
  std::atomic<std::size_t> largest_{0};
};

} // namespace detail

/// Requires: Item can be moved without exceptions. Thread safety, lifetime and order: see the file comment.
template <class Item, class Value>
class batcher {
public:
  /// What came of the items of one call, in their order.
  using answers = std::vector<result<Value>>;
  /// Asks for all items at once and gives the answers in their order.
  using batch_call = std::function<task<result<answers>>(std::vector<Item>)>;

  /// Starts the actor. Errors: usage_error with a sentence if an option is out of range.
  batcher(actor_system& sys, batcher_options how, batch_call call,
          std::source_location where = std::source_location::current())
      : core_(std::make_shared<core>(detail::checked(how), std::move(call))) {
    auto [in, out] = make_mailbox<waiting>(bounded(how.queue));
    sys.spawn(spawn_options{.name = "batcher"}, {serve, where}, core_, std::move(in));
    out_ = std::move(out);
  }

  /// Has an item asked for with others and gives its answer. Waits: for room in the queue, for others, for the call.
  /// Cancellation: throws `cancelled`; it may have been asked for. Errors: its answer's; that of the call, for all of its items; timed_out, after the
  /// limit of the call; failed, if it threw, or gave more or fewer answers than there were items.
  task<result<Value>> ask(Item item) const { return ask_one(out_, std::move(item)); }

  /// Returns what it has done.
  batcher_stats stats() const noexcept { return core_->counts.stats(); }

private:
  struct one {
    using reply = Value;
    one(Item what, time_point now) noexcept : item(std::move(what)), asked_at(now) {}
    Item item;
    time_point asked_at;
  };
  using waiting = request<one>;
  using batch = std::vector<waiting>;

  struct core {
    core(batcher_options o, batch_call c) : how(o), call(std::move(c)), running(o.at_once) {}
    const batcher_options how;
    const batch_call call;
    semaphore running;
    detail::batch_counts counts;
  };
  using core_ptr = std::shared_ptr<core>;

  /// Leave to run a call. One object, so that the permit goes before what it is of: compilers destroy parameters in either order.
  struct turn {
    turn(core_ptr at, permit p) noexcept : of(std::move(at)), held(std::move(p)) {}
    core_ptr of;
    permit held;
  };

  static task<result<Value>> ask_one(address<waiting> to, Item item) {
    one message(std::move(item), this_actor::system().now());
    auto asking = ask_until(to, std::move(message), never);
    co_return co_await std::move(asking);
  }

  static task<> serve(core_ptr at, mailbox<waiting> in) {
    auto serving = with_scope(collect, std::move(at), std::move(in));
    (void)co_await std::move(serving);
  }

  static task<> collect(scope& calls, core_ptr at, mailbox<waiting> in) {
    while (auto first = co_await in.receive()) {
      const auto due = saturating_add(first->message.asked_at, at->how.longest_wait);
      batch together;
      together.push_back(*std::move(first));
      while (together.size() < at->how.most) {
        auto more = co_await in.receive_until(due);
        if (!more) break; // it is time, or nobody is left who asks
        together.push_back(*std::move(more));
      }
      auto held = co_await at->running.acquire();
      while (together.size() < at->how.most) {
        auto more = in.try_receive();
        if (!more) break;
        together.push_back(*std::move(more));
      }
      calls.spawn({.name = "batch"}, run, turn(at, std::move(held)), std::move(together));
    }
  }

  static task<> run(turn mine, batch together) {
    const auto at = mine.of;
    at->counts.dropped(std::erase_if(together, [](const waiting& each) { return !each.wanted(); }));
    if (together.empty()) co_return;
    at->counts.begun(together.size(), together.size() == at->how.most);
    std::vector<Item> items;
    items.reserve(together.size());
    for (auto& each : together) items.push_back(std::move(each.message.item));
    auto calling = with_timeout(at->how.limit, answers_of(at, std::move(items)));
    auto got = co_await std::move(calling);
    mine.held.release();
    if (got && got->size() != together.size()) got = detail::wrong_count(got->size(), together.size());
    if (!got) at->counts.failed();
    for (std::size_t i = 0; i < together.size(); ++i) {
      if (got) {
        together[i].reply(std::move((*got)[i]));
      } else {
        together[i].fail(got.error());
      }
    }
  }

  static task<result<answers>> answers_of(core_ptr at, std::vector<Item> items) {
    std::string thrown;
    try {
      auto calling = at->call(std::move(items));
      co_return co_await std::move(calling);
    } catch (const cancelled&) {
      throw;
    } catch (const std::exception& e) {
      thrown = e.what();
    } catch (...) {
      thrown = "an exception that is no std::exception";
    }
    co_return error(errc::failed, thrown);
  }

  core_ptr core_;
  address<waiting> out_;
};

} // namespace greenroom
