// The guards round one call, stacked as guards.hpp shows, in virtual time; and all of them under threads, for the thread sanitizer.
#include <greenroom/actors/guards.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <greenroom/actors/batcher.hpp>
#include <greenroom/actors/cache.hpp>
#include <greenroom/tests/actors/guard_kit.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::guards_test {
namespace {

using namespace test;

struct bank_client {
  retry_budget again{{.share = 0.1}};
  retry_budget twice{{.share = 0.05}};
  bulkhead room{{.name = "bank", .at_once = 4, .queue = 4}};
  circuit_breaker breaker{{.name = "bank", .least_calls = 5, .slow_after = 80ms, .open_time = 1s}};
};
task<result<int>> attempt(stub_service* s, duration takes, result<int> answer) {
  auto asking = with_timeout(100ms, serve(s, takes, answer));
  co_return co_await std::move(asking);
}
task<result<int>> balance(bank_client to, stub_service* s, duration takes, result<int> answer) {
  const auto admitted = [=] { return to.room.call(to.breaker.call(attempt(s, takes, answer))); };
  const auto hedged = [=] { return hedge(to.twice, 40ms, admitted); };
  auto asking = with_timeout(300ms, retry(to.again, {.retries = 2}, hedged));
  co_return co_await std::move(asking);
}

task<> all_is_well() {
  const bank_client to;
  stub_service s;
  for (int i = 0; i < 100; ++i) co_await gives("7", balance(to, &s, 5ms, 7));
  same(s.begun, 100);
  same(to.again.stats().calls, 100u);
}
TEST(Guards, AreNotSeenWhenAllIsWell) { play(all_is_well, 3); }

task<> a_service_that_hangs() {
  const bank_client to;
  stub_service s;
  const auto begun = this_actor::system().now();
  for (int i = 0; i < 50; ++i) {
    auto asking = balance(to, &s, 1h, 7);
    const auto got = co_await std::move(asking);
    require(!got, "it answered");
  }
  require(to.breaker.state() == breaker_state::open, "the breaker did not open");
  require(s.begun < 20, "it was asked as often as if there were no guards");
  require(this_actor::system().now() - begun < 3s, "its callers waited");
  same(s.running, 0);
  co_await gives("unavailable", balance(to, &s, 5ms, 7));
  co_await sleep_for(1s);
  co_await gives("7", balance(to, &s, 5ms, 7)); // and back
  require(to.breaker.state() == breaker_state::closed, "the breaker did not close");
  const auto room = to.room.stats();
  same(room.running + room.waiting, 0);
}
TEST(Guards, AServiceThatHangsIsLeftAloneAndComesBack) { play(a_service_that_hangs); }

task<> a_slow_one_in_a_hundred() {
  const bank_client to;
  stub_service slow, fast;
  for (int i = 0; i < 40; ++i) co_await gives("1", balance(to, &fast, 1ms, 1));
  const auto begun = this_actor::system().now();
  auto asking =
      hedge(to.twice, 40ms, [&slow, n = 0]() mutable { return serve(&slow, n++ == 0 ? 1h : duration(5ms), 2); });
  co_await gives("2", std::move(asking));
  require(this_actor::system().now() - begun < 47ms, "the second call did not help");
}
TEST(Guards, AHedgeTakesTheSecondCall) { play(a_slow_one_in_a_hundred, 3); }

// -- under threads ----------------------------------------------------------------------------------------

struct world {
  circuit_breaker breaker{{.least_calls = 20, .open_time = 1ms, .longest_open_time = 2ms}};
  bulkhead room{{.at_once = 4, .queue = 8}};
  rate_limiter rate{{.calls = 1'000'000, .burst = 1'000}};
  retry_budget budget{{.share = 0.5}};
  cache<int, int> kept;
  batcher<int, int> together;
  std::atomic<int> running{0};
  std::atomic<bool> too_many{false};
  std::atomic<int> wrong{0};
};

task<result<int>> half(world* w, int n) {
  if (++w->running > 4) w->too_many = true;
  if (n % 3 == 0) co_await yield();
  --w->running;
  if (n % 5 == 0) co_return errc::upstream;
  co_return n / 2;
}
task<result<int>> load_square(int n) {
  co_await yield();
  co_return n* n;
}
task<result<std::vector<result<int>>>> negate_all(std::vector<int> numbers) {
  co_await yield();
  std::vector<result<int>> all;
  for (const int n : numbers) all.push_back(-n);
  co_return all;
}

task<> use_all(world* w, int first) {
  for (int n = first; n < first + 300; ++n) {
    const auto guarded = [w, n] { return w->room.call(w->breaker.call(half(w, n))); };
    auto limited = w->rate.call(retry(w->budget, {.retries = 1, .pause = 1us}, guarded), 1s);
    const auto got = co_await std::move(limited);
    if (got && *got != n / 2) ++w->wrong;
    auto squaring = w->kept.get(n % 40);
    const auto square = co_await std::move(squaring);
    if (!square || *square != n % 40 * (n % 40)) ++w->wrong;
    if (n % 50 == 0) w->kept.forget(n % 40);
    auto negating = with_timeout(n % 7 == 0 ? 50us : duration(10s), w->together.ask(n));
    const auto negative = co_await std::move(negating);
    if (negative && *negative != -n) ++w->wrong;
    (void)w->breaker.stats(), (void)w->room.stats(), (void)w->kept.stats(), (void)w->together.stats();
  }
}
task<> many(scope& all, world* w) {
  for (int i = 0; i < 16; ++i) all.spawn(use_all, w, i * 1'000);
  co_return;
}

TEST(Guards, HoldUnderThreads) {
  actor_system sys(quiet(4));
  {
    world w{.kept = cache<int, int>({.entries = 20, .fresh = 1ms, .stale = 1ms}, load_square),
            .together = batcher<int, int>(sys, {.most = 8, .longest_wait = 100us, .at_once = 2}, negate_all)};
    EXPECT_TRUE(sys.run([](world* at) { return with_scope(many, at); }, &w).has_value());
    EXPECT_FALSE(w.too_many);
    EXPECT_EQ(w.wrong, 0);
    const auto b = w.breaker.stats();
    const auto r = w.room.stats();
    EXPECT_EQ(b.succeeded + b.failed + b.unknown + b.refused, r.admitted);
    EXPECT_EQ(r.running + r.waiting, 0);
    EXPECT_LE(w.kept.stats().entries, 20u);
  }
  EXPECT_EQ(sys.stop().to_string(), actor_system(quiet(1)).stop().to_string());
}

} // namespace
} // namespace greenroom::guards_test
