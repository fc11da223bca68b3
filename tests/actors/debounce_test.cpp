#include <greenroom/actors/debounce.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <greenroom/testkit/probe.hpp>
#include <greenroom/tests/actors/guard_kit.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::debounce_test {
namespace {

using namespace test;
using testkit::probe;

task<> sends_the_last_when_quiet() {
  probe<int> out;
  const debounce<int> d(this_actor::system(), {.quiet = 100ms}, out.address());
  for (int i = 1; i <= 5; ++i) {
    d.put(i);
    co_await sleep_for(99ms);
  }
  co_await out.expect_nothing(900us);
  co_await out.expect(5, 101us);
  co_await out.expect_nothing(1h);
  d.put(6);
  co_await out.expect(6, 101ms);
  co_await sleep_for(1ms);
  same(d.stats().put, 6u);
  same(d.stats().sent, 2u);
}
TEST(Debounce, SendsTheLastValueOnceItIsQuiet) { play(sends_the_last_when_quiet); }

task<> does_not_wait_for_ever() {
  probe<int> out;
  const debounce<int> d(this_actor::system(), {.quiet = 100ms, .longest = 250ms}, out.address());
  for (int i = 0; i < 10; ++i) { // at 0, 50, ... 450 ms; sent at 250 and at 550, or 500 + 50
    d.put(i);
    co_await sleep_for(50ms);
  }
  const int first = co_await out.next(1ms);
  require(first == 4 || first == 5, fmt::format("it sent {}", first)); // 5 came at that moment
  co_await out.expect(9, 100ms);
}
TEST(Debounce, SendsAValueAfterItsLongestWaitThoughItIsNotQuiet) { play(does_not_wait_for_ever); }

/// A millisecond passes with each look at it.
class ticking_clock final : public clock {
public:
  time_point now() const noexcept override { return time_point(1h + 1ms * ++looks_); }
  std::chrono::system_clock::time_point wall_now() const noexcept override { return {}; }

private:
  mutable std::atomic<std::int64_t> looks_{0};
};
TEST(Debounce, AFloodDoesNotKeepItFromSending) {
  ticking_clock time;
  actor_system sys(quiet(1), environment{.time = &time});
  auto [values, to] = make_mailbox<int>(bounded(1'000));
  auto [in, out] = make_mailbox<int>(bounded(1'000));
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(to.try_send(i)); // there is always one more
  to = {};
  sys.spawn(debounced<int>, std::move(values), std::move(out), debounce_options{.quiet = 20ms, .longest = 20ms}).wait();
  EXPECT_GT(in.size_approx(), 10u);
}

task<> gives_the_newest_to_the_slow() {
  probe<int> out("slow", rendezvous());
  const debounce<int> d(this_actor::system(), {.quiet = 10ms}, out.address());
  d.put(1);
  co_await sleep_for(20ms); // it waits to send
  for (int i = 2; i <= 5; ++i) {
    d.put(i);
    co_await sleep_for(20ms);
  }
  co_await out.expect(1);
  co_await out.expect(5);
  co_await out.expect_nothing(1s);
}
TEST(Debounce, ASlowReceiverGetsTheNewestValue) { play(gives_the_newest_to_the_slow); }

task<> ends_with_its_handles() {
  probe<int> out;
  {
    const debounce<int> d(this_actor::system(), {.quiet = 1h}, out.address());
    d.put(1);
    d.put(2);
  }
  co_await out.expect(2, 1ms); // at once
  co_await out.expect_closed(1ms);
}
TEST(Debounce, WhenItsHandlesGoSendsWhatWaitsAndEnds) { play(ends_with_its_handles); }

task<> ends_without_receiver() {
  auto out = std::make_unique<probe<int>>();
  const debounce<int> d(this_actor::system(), {.quiet = 1ms}, out->address());
  d.put(1);
  co_await sleep_for(2ms);
  out.reset();
  d.put(2);
  co_await sleep_for(2ms);
  d.put(3); // into the void
  same(d.stats().sent, 1u);
}
TEST(Debounce, EndsWhenNobodyTakesWhatItSends) { play(ends_without_receiver); }

task<> throttles() {
  probe<int> out;
  auto [in, to] = make_mailbox<int>(bounded(16));
  const auto node = spawn(throttled<int>, std::move(in), out.address(), duration(100ms));
  for (int i = 0; i < 10; ++i) { // at 0, 30, ... 270 ms
    (void)to.try_send(i);
    co_await sleep_for(30ms);
  }
  co_await out.expect(0, 1ms);
  co_await out.expect(3, 1ms); // the newest at 100 ms
  co_await out.expect(6, 1ms); // at 200 ms
  co_await out.expect(9, 1ms); // at 300 ms
  co_await out.expect_nothing(1h);
  (void)to.try_send(10);
  co_await out.expect(10, 1ms); // at once, as the last one is long ago
  (void)to.try_send(11);
  to = {};
  co_await out.expect(11, 1ms); // the end sends what waits
  (void)co_await node.join();
}
TEST(Debounce, ThrottledSendsAtMostOneInEachPeriodTheNewest) { play(throttles); }

task<> is_a_node() {
  probe<int> out;
  auto [in, to] = make_mailbox<int>(bounded(16));
  const auto node = spawn(debounced<int>, std::move(in), out.address(), debounce_options{.quiet = 10ms});
  for (int i = 0; i < 5; ++i) (void)to.try_send(i);
  co_await out.expect(4, 11ms);
  to = {};
  co_await out.expect_closed(1ms);
  (void)co_await node.join();
}
TEST(Debounce, DebouncedDoesTheSameBetweenAMailboxAndAnAddress) { play(is_a_node); }

TEST(Debounce, RefusesOptionsThatMakeNoSense) {
  actor_system sys;
  is_refused([&] { debounce<int>(sys, {.quiet = 0s}, {}); }, "debounce: quiet must be more than 0 s, not 0 s");
  is_refused([&] { debounce<int>(sys, {.quiet = 2s, .longest = 1s}, {}); },
             "debounce: longest must be quiet, 2 s, or longer, not 1 s");
}

} // namespace
} // namespace greenroom::debounce_test
