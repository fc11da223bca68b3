// probe: a mailbox that a test hands to actors in place of a real partner, to see what they send, in what order, and when they stop.
//
//   probe<order> market("market");
//   spawn(trader, market.address());
//   const order wanted{"buy", 3};                     // named: see mailbox.hpp about g++ 12
//   co_await market.expect(wanted);                   // within 3 s, of virtual time in a simulation
//   co_await market.expect_nothing(1min);
//
// An expectation that is not met throws broken_requirement, which fails the run of a simulation, with a sentence: what was expected,
// what came instead, how long it was waited for, and how many messages came before. Times are by the clock of the waiting actor's system.
// Thread safety: address() any thread, the rest by one actor at a time. Lifetime: outlives the waits on it; addresses may outlive it.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/testkit/detail/describe.hpp>
#include <greenroom/testkit/simulation.hpp>

namespace greenroom::testkit {
namespace detail {

/// An expectation under way.
struct attempt {
  time_point begun;
  duration limit;
  std::source_location at;
};
GREENROOM_EXPORT attempt begin_attempt(duration limit, std::source_location at);
/// How many messages an expectation has seen. Units: messages.
struct seen {
  std::uint64_t before;
  std::uint64_t allowed;
};
/// Throws broken_requirement. `instead` is "7 came", "nothing came" and the like.
[[noreturn]] GREENROOM_EXPORT void fail(const std::string& probe, const attempt& of, const std::string& expected,
                                        const std::string& instead, seen messages);
[[noreturn]] GREENROOM_EXPORT void fail_mailbox(const char* expected, bool closed, std::size_t size,
                                                std::source_location at);

} // namespace detail

/// The limit of an expectation that names none.
inline constexpr duration usual_limit = std::chrono::seconds(3);

/// Thread safety: see the file comment.
template <class T>
class probe {
  using site = std::source_location;

public:
  /// Makes a probe that reports show by this name. Give it limits, as rendezvous(), to see how actors bear a slow partner.
  explicit probe(std::string name = "probe", mailbox_limits limits = unbounded())
      : name_(std::move(name)), in_(limits) {}
  probe(const probe&) = delete;
  probe& operator=(const probe&) = delete;

  /// Returns a send end. The probe keeps none, so its mailbox closes when the last one handed out is gone, and stays closed: hold one
  /// to keep it open. Thread safety: any thread.
  greenroom::address<T> address() const noexcept { return in_.address(); }

  /// Passes over the messages that `accepts` returns true for, in all expectations from now on; beside what was allowed before.
  void allow(std::function<bool(const T&)> accepts) { allowances_.push_back(std::move(accepts)); }
  /// Counts the messages that were passed over. Units: messages.
  std::uint64_t allowed() const noexcept { return allowed_; }
  /// Counts the messages that expectations took, without those passed over. Units: messages.
  std::uint64_t received() const noexcept { return received_; }

  /// Takes the next message. Waits: suspends the actor, for `limit` at most; what was there before is looked at in any case.
  /// Cancellation: throws `cancelled`, having taken nothing, as all expectations do.
  /// Errors: broken_requirement when none came in time, or the mailbox closed.
  task<T> next(duration limit = usual_limit, site at = site::current()) {
    const auto begun = detail::begin_attempt(limit, at);
    auto got = co_await take(begun);
    if (!got) fail(begun, "a message", got);
    co_return *std::move(got);
  }

  /// Takes the next message, which must equal `value`. Waits: as next(). Errors: broken_requirement.
  task<> expect(T value, duration limit = usual_limit, site at = site::current()) requires std::equality_comparable<T> {
    const auto begun = detail::begin_attempt(limit, at);
    const auto got = co_await take(begun);
    if (!got || !(*got == value)) fail(begun, detail::describe(value), got);
  }

  /// Takes the next message, which `accepts` must return true for; `what` says in the report what that means: "an order above 100".
  /// Waits: as next(). Errors: broken_requirement.
  task<T> expect_that(std::function<bool(const T&)> accepts, std::string what, duration limit = usual_limit,
                      site at = site::current()) {
    const auto begun = detail::begin_attempt(limit, at);
    auto got = co_await take(begun);
    if (!got || !accepts(*got)) fail(begun, what, got);
    co_return *std::move(got);
  }

  /// Takes as many messages as there are values, which must be equal to them in some order. The limit is for all of them together.
  /// Requires: the values stand in a variable: g++ 12 does not compile a list within a co_await expression.
  /// Waits: as next(). Errors: broken_requirement at the first message that fits none of the values left.
  task<> expect_in_any_order(std::vector<T> values, duration limit = usual_limit,
                             site at = site::current()) requires std::equality_comparable<T> {
    const auto begun = detail::begin_attempt(limit, at);
    while (!values.empty()) {
      const auto got = co_await take(begun);
      const auto fits = got ? std::find(values.begin(), values.end(), *got) : values.end();
      if (fits == values.end()) fail(begun, "in any order still " + detail::describe_all(values), got);
      values.erase(fits);
    }
  }

  /// Waits for `span`, in which no message may come. Ends at once when the mailbox closes: nothing can come then.
  /// Waits: suspends the actor. Errors: broken_requirement as soon as a message comes.
  task<> expect_nothing(duration span, site at = site::current()) {
    const auto begun = detail::begin_attempt(span, at);
    const auto got = co_await take(begun);
    if (got) fail(begun, "no message", got);
  }

  /// Waits until the mailbox is closed and empty: nobody has its address any more, or somebody closed it.
  /// Waits: as next(). Errors: broken_requirement when a message comes, or the limit passes.
  task<> expect_closed(duration limit = usual_limit, site at = site::current()) {
    const auto begun = detail::begin_attempt(limit, at);
    const auto got = co_await take(begun);
    if (got || !got.error().is(errc::closed)) fail(begun, "the end of the messages", got);
  }

private:
  /// Takes the next message that is not allowed. A flood of those that are does not hold it up beyond the limit.
  task<result<T>> take(detail::attempt within) {
    const auto deadline = saturating_add(within.begun, within.limit);
    for (auto there = in_.size_approx();; there -= there == 0 ? 0 : 1) {
      auto got = co_await in_.receive_until(deadline);
      if (!got) co_return got.error();
      const bool passes =
          std::any_of(allowances_.begin(), allowances_.end(), [&got](const auto& accepts) { return accepts(*got); });
      if (!passes) {
        ++received_;
        co_return got;
      }
      ++allowed_;
      if (there <= 1 && this_actor::system().now() > deadline) co_return errc::timed_out;
    }
  }
  [[noreturn]] void fail(const detail::attempt& of, const std::string& expected, const result<T>& got) const {
    const auto instead = got                            ? detail::describe(*got) + " came"
                         : got.error().is(errc::closed) ? std::string("the mailbox closed")
                                                        : std::string("nothing came");
    detail::fail(name_, of, expected, instead, {received_ - (got ? 1 : 0), allowed_});
  }

  const std::string name_;
  const mailbox<T> in_;
  std::vector<std::function<bool(const T&)>> allowances_;
  std::uint64_t allowed_ = 0;
  std::uint64_t received_ = 0;
};

/// Checks that a mailbox holds `n` messages; senders that wait for room are not counted. Exact while nobody sends or receives.
/// Waits: never. Errors: broken_requirement.
template <class T>
void expect_size(const mailbox<T>& in, std::size_t n, std::source_location at = std::source_location::current()) {
  const auto size = in.size_approx();
  if (size != n) detail::fail_mailbox(fmt::format("{} message(s)", n).c_str(), in.closed(), size, at);
}
/// The same with no message.
template <class T>
void expect_empty(const mailbox<T>& in, std::source_location at = std::source_location::current()) {
  expect_size(in, 0, at);
}
/// Checks that a mailbox is closed and holds nothing: its receivers get no more. Errors: broken_requirement.
template <class T>
void expect_closed_and_empty(const mailbox<T>& in, std::source_location at = std::source_location::current()) {
  const bool closed = in.closed(); // first: after it none can come
  const auto size = in.size_approx();
  if (!closed || size != 0) detail::fail_mailbox("the end of the messages", closed, size, at);
}

} // namespace greenroom::testkit
