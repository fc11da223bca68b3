#include <greenroom/actors/retry.hpp>

#include <algorithm>
#include <atomic>
#include <string>

#include <fmt/format.h>

#include <greenroom/actors/detail/retry_tokens.hpp>
#include <greenroom/runtime/actor.hpp>

namespace greenroom {

struct retry_budget::book {
  explicit book(retry_budget_options how) noexcept : tokens(how.share, how.reserve) {}

  bool allows(std::atomic<std::uint64_t>& what) noexcept {
    const bool yes = tokens.spend();
    (yes ? what : denied).fetch_add(1, std::memory_order_relaxed);
    return yes;
  }

  detail::retry_tokens tokens;
  std::atomic<std::uint64_t> calls{0}, retries{0}, hedges{0}, denied{0};
};

retry_budget::retry_budget(retry_budget_options how) {
  if (!(how.share >= 0 && how.share <= 1))
    throw usage_error(fmt::format("retry_budget: share must be from 0 to 1, not {}", how.share));
  if (how.reserve < 0 || how.reserve > 1'000'000)
    throw usage_error(fmt::format("retry_budget: reserve must be from 0 to 1,000,000, not {}", how.reserve));
  book_ = std::make_shared<book>(how);
}

retry_stats retry_budget::stats() const noexcept {
  return {.calls = book_->calls.load(std::memory_order_relaxed),
          .retries = book_->retries.load(std::memory_order_relaxed),
          .hedges = book_->hedges.load(std::memory_order_relaxed),
          .denied = book_->denied.load(std::memory_order_relaxed)};
}

void retry_budget::count_call() const noexcept {
  book_->calls.fetch_add(1, std::memory_order_relaxed);
  book_->tokens.earn();
}
bool retry_budget::allows_retry() const noexcept { return book_->allows(book_->retries); }
bool retry_budget::allows_hedge() const noexcept { return book_->allows(book_->hedges); }

bool may_pass(const error& why) noexcept {
  switch (why.code()) {
  case errc::upstream:
  case errc::timed_out:
  case errc::io:
  case errc::no_reply: return true;
  default: return false;
  }
}

namespace detail {
namespace {

retry_decision give_up(const error& why, int retries, const std::string& reason) {
  const int made = retries + 1;
  return {std::nullopt,
          error(why.code(), fmt::format("{} (made {} time{}; {})", why.message(), made, made == 1 ? "" : "s", reason))};
}

} // namespace

retry_decision decide_retry(const retry_budget& budget, const retry_options& how, const error& why, int retries) {
  if (how.passing ? !how.passing(why) : !may_pass(why)) {
    return retries == 0 ? retry_decision{std::nullopt, why} : give_up(why, retries, "this error does not pass");
  }
  if (retries >= how.retries) {
    return retries == 0 ? retry_decision{std::nullopt, why} : give_up(why, retries, "as often as it may be");
  }
  const auto pause = full_jitter(how.pause, retries, how.longest_pause);
  const auto left = this_actor::context().remaining();
  // Who cannot wait so long is better off with what there is.
  if (pause >= left || how.attempt_takes > left - pause) {
    return give_up(why, retries,
                   fmt::format("another attempt could not end in the {:.3f} s that are left",
                               std::chrono::duration<double>(left).count()));
  }
  if (!budget.allows_retry()) return give_up(why, retries, "the budget of retries is used up");
  return {pause, why};
}

} // namespace detail
} // namespace greenroom
