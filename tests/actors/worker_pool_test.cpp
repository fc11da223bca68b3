#include <greenroom/actors/worker_pool.hpp>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::worker_pool_test {
namespace {

using namespace test;
using int_pool = worker_pool<int, int>;

int twice(int n) {
  if (n < 0) throw std::invalid_argument("n is negative");
  return n * 2;
}

/// Where jobs wait until they are cancelled, or it opens.
struct gate {
  void open() const { state->in.close(); }
  /// Blocks the thread until `n` jobs have come to it.
  void until_begun(int n) const {
    while (state->begun < n) std::this_thread::yield();
  }
  struct shared {
    std::atomic<int> begun{0};
    mailbox<int> in{bounded(1)};
    address<int> out = in.address();
  };
  std::shared_ptr<shared> state = std::make_shared<shared>();
};
task<int> wait_at_gate(gate g, int n) {
  ++g.state->begun;
  (void)co_await g.state->in.receive();
  co_return n * 2;
}
auto held_at(gate g) {
  return [g](int n) { return wait_at_gate(g, n); };
}

bool adds_up(const pool_stats& s) { return s.submitted == s.queued + s.running + s.done + s.failed + s.dropped; }

task<bool> drain(int_pool pool, duration limit) {
  const auto r = co_await pool.drain(limit);
  co_return r.has_value();
}

TEST(WorkerPool, SendsResultsAndFailuresWhereTheOptionsSay) {
  one_worker sys;
  auto [values, to_values] = make_mailbox<int>(bounded(16));
  auto [errors, to_errors] = make_mailbox<failed_job>(bounded(16));
  int_pool pool(sys, {.workers = 2, .results = to_values, .failures = to_errors}, twice);
  EXPECT_TRUE(pool.try_submit(4));
  EXPECT_TRUE(pool.try_submit(-1));
  EXPECT_TRUE(pool.try_submit(5));
  EXPECT_TRUE(*sys.run(drain, pool, duration(10s)));
  std::vector<int> got{values.try_receive().value(), values.try_receive().value()};
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (std::vector{8, 10}));
  EXPECT_EQ(errors.try_receive().value().why.message(), "job failed: std::invalid_argument: n is negative");
  const auto s = pool.stats();
  EXPECT_EQ(s.submitted, 3U);
  EXPECT_EQ(s.done, 2U);
  EXPECT_EQ(s.failed, 1U);
  EXPECT_TRUE(adds_up(s));
}

template <class Pool, class Job>
task<> run_one(Pool pool, Job job, duration limit, std::optional<result<int>>* out) {
  out->emplace(co_await pool.run(std::move(job), limit));
}
std::optional<result<int>> run_now(actor_system& sys, const int_pool& pool, int job) {
  std::optional<result<int>> out;
  sys.spawn(run_one<int_pool, int>, pool, job, duration(10s), &out).wait();
  return out;
}

result<int> checked(int n) {
  if (n < 0) return error(errc::invalid_argument, "twice: n is negative");
  return n * 2;
}
task<int> slowly(int n) {
  co_await yield();
  co_return twice(n);
}
task<result<int>> slowly_checked(int n) {
  co_await yield();
  co_return checked(n);
}

TEST(WorkerPool, RunGivesTheResultOfEveryKindOfFunction) {
  one_worker sys;
  for (const auto& pool : {int_pool(sys, {}, twice), int_pool(sys, {}, checked), int_pool(sys, {}, slowly),
                           int_pool(sys, {}, slowly_checked)}) {
    EXPECT_EQ(run_now(sys, pool, 21)->value(), 42);
    const auto bad = run_now(sys, pool, -1);
    ASSERT_FALSE(*bad);
    EXPECT_NE(bad->error().message().find("n is negative"), std::string_view::npos);
    EXPECT_EQ(run_now(sys, pool, 1)->value(), 2) << "an error ends the job, not the worker";
    EXPECT_EQ(pool.stats().done, 2U);
    EXPECT_EQ(pool.stats().failed, 1U);
  }
}

TEST(WorkerPool, JobsMayGiveNothingAndOwnMemory) {
  one_worker sys;
  std::atomic<int> sum{0};
  worker_pool<std::unique_ptr<int>> pool(sys, {}, [&sum](std::unique_ptr<int> n) { sum += *n; });
  EXPECT_TRUE(pool.try_submit(std::make_unique<int>(3)));
  EXPECT_TRUE(pool.try_submit(std::make_unique<int>(4)));
  while (pool.stats().done != 2) std::this_thread::yield();
  EXPECT_EQ(sum, 7);
}

TEST(WorkerPool, ExceptionsOfAnyTypeCountAsFailed) {
  one_worker sys;
  int_pool pool(sys, {}, [](int n) -> int { throw n; });
  const auto r = run_now(sys, pool, 1);
  EXPECT_TRUE(!*r && r->error().is(errc::failed));
  EXPECT_EQ(pool.stats().failed, 1U);
}

// -- submit ---------------------------------------------------------------------------------------------

struct submitted {
  std::optional<errc> code; // errc{} for success
  int item = 0;             // what came back
};
task<> submit_one(int_pool pool, int job, submitted* out) {
  auto r = co_await pool.submit(job);
  out->code = r ? errc{} : r.error().code();
  if (!r) out->item = r.item();
}
task<> submit_one_for(int_pool pool, int job, duration limit, submitted* out) {
  auto r = co_await pool.submit_for(job, limit);
  out->code = r ? errc{} : r.error().code();
  if (!r) out->item = r.item();
}

/// A pool with one worker that is busy, and a full queue of one.
struct full_pool {
  explicit full_pool(actor_system& sys) : pool(sys, {.workers = 1, .queue = bounded(1)}, held_at(door)) {
    EXPECT_TRUE(pool.try_submit(1));
    door.until_begun(1);
    EXPECT_TRUE(pool.try_submit(2));
  }
  gate door;
  int_pool pool;
};

TEST(WorkerPool, SubmitWaitsForRoom) {
  one_worker sys;
  full_pool f(sys);
  submitted s;
  const auto who = sys.spawn(submit_one, f.pool, 3, &s);
  await_wait(sys, who, "send");
  EXPECT_FALSE(s.code);
  f.door.open();
  who.wait();
  EXPECT_EQ(s.code, errc{});
  EXPECT_TRUE(*sys.run(drain, f.pool, duration(10s)));
  EXPECT_EQ(f.pool.stats().done, 3U);
}

TEST(WorkerPool, SubmitForTimesOutAndHandsTheJobBack) {
  timed_system t;
  full_pool f(t.sys);
  submitted s;
  const auto who = t.sys.spawn(submit_one_for, f.pool, 3, duration(1s), &s);
  await_wait(t.sys, who, "send");
  t.advance(1001ms);
  who.wait();
  EXPECT_EQ(s.code, errc::timed_out);
  EXPECT_EQ(s.item, 3);
  EXPECT_EQ(f.pool.stats().rejected, 1U);
  EXPECT_TRUE(adds_up(f.pool.stats()));
}

TEST(WorkerPool, ACancelledSubmitHasSubmittedNothing) {
  one_worker sys;
  full_pool f(sys);
  submitted s;
  const auto who = sys.spawn(submit_one, f.pool, 3, &s);
  EXPECT_EQ(cancel_in(sys, who, "send").kind(), exit_kind::cancelled);
  const auto other = sys.spawn(submit_one, f.pool, 3, &s);
  EXPECT_EQ(kill_in(sys, other, "send").kind(), exit_kind::killed);
  EXPECT_EQ(f.pool.stats().submitted, 2U);
  EXPECT_TRUE(adds_up(f.pool.stats()));
}

TEST(WorkerPool, SubmitFailsWhenThePoolStops) {
  one_worker sys;
  full_pool f(sys);
  submitted s;
  const auto who = sys.spawn(submit_one, f.pool, 3, &s);
  await_wait(sys, who, "send");
  f.pool.stop();
  who.wait();
  EXPECT_EQ(s.code, errc::closed);
  EXPECT_EQ(s.item, 3);
}

TEST(WorkerPool, TrySubmitHandsTheJobBackWhenFull) {
  one_worker sys;
  full_pool f(sys);
  auto r = f.pool.try_submit(3);
  ASSERT_FALSE(r);
  EXPECT_TRUE(r.error().is(errc::full));
  EXPECT_EQ(r.item(), 3);
  EXPECT_EQ(f.pool.stats().rejected, 1U);
  EXPECT_EQ(f.pool.stats().submitted, 2U);
}

// -- run ------------------------------------------------------------------------------------------------

TEST(WorkerPool, RunTimesOutAndAJobNobodyWaitsForIsNotBegun) {
  timed_system t;
  gate door;
  int_pool pool(t.sys, {.workers = 1}, held_at(door));
  std::optional<result<int>> first, second;
  const auto a = t.sys.spawn(run_one<int_pool, int>, pool, 1, duration(1h), &first);
  door.until_begun(1);
  const auto b = t.sys.spawn(run_one<int_pool, int>, pool, 2, duration(1s), &second);
  await_wait(t.sys, b, "reply");
  t.advance(1001ms);
  b.wait();
  EXPECT_TRUE(!*second && second->error().is(errc::timed_out));
  door.open();
  a.wait();
  EXPECT_EQ(first->value(), 2);
  EXPECT_TRUE(*t.sys.run(drain, pool, duration(1h)));
  EXPECT_EQ(door.state->begun, 1);
  EXPECT_EQ(pool.stats().failed, 1U);
  EXPECT_TRUE(adds_up(pool.stats()));
}

TEST(WorkerPool, ACancelledRunLeavesTheJobToFinish) {
  one_worker sys;
  gate door;
  int_pool pool(sys, {.workers = 1}, held_at(door));
  std::optional<result<int>> out;
  const auto who = sys.spawn(run_one<int_pool, int>, pool, 1, duration(1h), &out);
  door.until_begun(1);
  EXPECT_EQ(cancel_in(sys, who, "reply").kind(), exit_kind::cancelled);
  door.open();
  EXPECT_TRUE(*sys.run(drain, pool, duration(10s)));
  EXPECT_EQ(pool.stats().done, 1U);
}

TEST(WorkerPool, RunFailsWhenThePoolStops) {
  one_worker sys;
  gate door;
  int_pool pool(sys, {.workers = 1}, held_at(door));
  std::optional<result<int>> running, queued_one, late;
  const auto a = sys.spawn(run_one<int_pool, int>, pool, 1, duration(1h), &running);
  door.until_begun(1);
  const auto b = sys.spawn(run_one<int_pool, int>, pool, 2, duration(1h), &queued_one);
  await_wait(sys, b, "reply");
  pool.stop();
  a.wait();
  b.wait();
  EXPECT_TRUE(!*running && running->error().is(errc::cancelled));
  EXPECT_EQ(running->error().message(), "the worker pool was stopped");
  EXPECT_TRUE(!*queued_one && queued_one->error().is(errc::no_reply));
  sys.spawn(run_one<int_pool, int>, pool, 3, duration(1h), &late).wait();
  EXPECT_TRUE(!*late && late->error().is(errc::closed));
  EXPECT_EQ(pool.stats().rejected, 1U);
}

// -- drain and stop -------------------------------------------------------------------------------------

TEST(WorkerPool, DrainFinishesWhatIsQueuedAndAcceptsNoMore) {
  one_worker sys;
  full_pool f(sys);
  const auto draining = sys.spawn([](int_pool pool) -> task<> { (void)co_await pool.drain(1h); }, f.pool);
  await_wait(sys, draining, "select");
  EXPECT_TRUE(f.pool.try_submit(3).error().is(errc::closed));
  f.door.open();
  draining.wait();
  const auto s = f.pool.stats();
  EXPECT_EQ(s.done, 2U);
  EXPECT_EQ(s.rejected, 1U);
  EXPECT_TRUE(adds_up(s));
}

task<> drain_as_text(int_pool pool, duration limit, std::string* text) {
  const auto r = co_await pool.drain(limit);
  *text = r ? "drained" : r.error().message();
}

TEST(WorkerPool, DrainTimesOutAndTheWorkersGoOn) {
  timed_system t;
  full_pool f(t.sys);
  std::string text;
  const auto who = t.sys.spawn(drain_as_text, f.pool, duration(1s), &text);
  await_wait(t.sys, who, "select");
  t.advance(1001ms);
  who.wait();
  EXPECT_EQ(text, "worker_pool: drain: 1 of 1 workers are still busy; wait longer, or stop()");
  f.door.open();
  EXPECT_TRUE(*t.sys.run(drain, f.pool, duration(1h)));
  EXPECT_EQ(f.pool.stats().done, 2U);
}

TEST(WorkerPool, ACancelledDrainLetsTheWorkersFinish) {
  one_worker sys;
  full_pool f(sys);
  std::string text;
  const auto who = sys.spawn(drain_as_text, f.pool, duration(1h), &text);
  EXPECT_EQ(cancel_in(sys, who, "select").kind(), exit_kind::cancelled);
  f.door.open();
  EXPECT_TRUE(*sys.run(drain, f.pool, duration(10s)));
  EXPECT_EQ(f.pool.stats().done, 2U);
}

TEST(WorkerPool, StopCancelsWhatRunsAndDropsWhatIsQueued) {
  one_worker sys;
  auto [errors, to_errors] = make_mailbox<failed_job>(bounded(16));
  gate door;
  int_pool pool(sys, {.workers = 2, .queue = bounded(8), .failures = to_errors}, held_at(door));
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(pool.try_submit(i));
  door.until_begun(2);
  EXPECT_EQ(pool.stats().running, 2U);
  EXPECT_EQ(pool.stats().queued, 5U);
  pool.stop();
  pool.stop();
  EXPECT_TRUE(*sys.run(drain, pool, duration(10s)));
  const auto s = pool.stats();
  EXPECT_EQ(s.submitted, 7U);
  EXPECT_EQ(s.failed, 2U);
  EXPECT_EQ(s.dropped, 5U);
  EXPECT_EQ(s.running, 0U);
  EXPECT_EQ(s.queued, 0U);
  EXPECT_TRUE(adds_up(s));
  EXPECT_EQ(errors.try_receive().value().why.message(), "the worker pool was stopped");
}

TEST(WorkerPool, WorkersEndWhenTheLastHandleGoes) {
  one_worker sys;
  std::atomic<int> done{0};
  {
    worker_pool<int> pool(sys, {.workers = 3}, [&done](int) { ++done; });
    const auto copy = pool;
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(copy.try_submit(i));
  }
  while (sys.live_actors() != 0) std::this_thread::yield();
  EXPECT_EQ(done, 20);
}

TEST(WorkerPool, WithoutWorkersLeftItAcceptsNothing) {
  auto sys = std::make_unique<one_worker>();
  gate door;
  int_pool pool(*sys, {.workers = 1}, held_at(door));
  EXPECT_TRUE(pool.try_submit(1));
  EXPECT_TRUE(pool.try_submit(2));
  door.until_begun(1);
  sys->stop();
  EXPECT_TRUE(pool.try_submit(3).error().is(errc::closed));
  EXPECT_EQ(pool.stats().failed, 1U);
  EXPECT_EQ(pool.stats().dropped, 1U);
  EXPECT_TRUE(adds_up(pool.stats()));
}

TEST(WorkerPool, SlowTakersOfResultsSlowItDown) {
  one_worker sys;
  auto [values, to_values] = make_mailbox<int>(rendezvous());
  int_pool pool(sys, {.workers = 1, .queue = bounded(1), .results = to_values}, twice);
  EXPECT_TRUE(pool.try_submit(1));
  while (pool.stats().done != 1) std::this_thread::yield();
  while (!pool.try_submit(2)) std::this_thread::yield();
  EXPECT_TRUE(pool.try_submit(3).error().is(errc::full)) << "the worker still holds the first result";
  (void)sys.run(
      [](mailbox<int> in) -> task<> {
        for (int i = 0; i < 2; ++i) (void)co_await in.receive();
      },
      values);
  EXPECT_TRUE(*sys.run(drain, pool, duration(10s)));
}

TEST(WorkerPool, NoWorkersAreAUsageError) {
  one_worker sys;
  EXPECT_THROW(int_pool(sys, {.workers = 0}, twice), usage_error);
}

// -- many of everything ---------------------------------------------------------------------------------

task<int> moody(int n) {
  if (n % 7 == 0) throw std::runtime_error("moody");
  if (n % 3 == 0) co_await yield();
  if (n % 11 == 0) co_await sleep_for(50us);
  co_return n;
}
struct tally {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
};
task<> submit_many(int_pool pool, tally* t, int times) {
  for (int i = 0; i < times; ++i) {
    if (i % 5 == 0) {
      (pool.try_submit(i) ? t->accepted : t->refused).fetch_add(1);
    } else if (i % 5 == 1) {
      const auto r = co_await pool.run(i, 1h);
      const bool accepted = r || !r.error().is(errc::closed);
      (accepted ? t->accepted : t->refused).fetch_add(1);
    } else {
      const auto r = co_await pool.submit(i);
      (r ? t->accepted : t->refused).fetch_add(1);
    }
  }
}

class WorkerPools : public testing::TestWithParam<std::size_t> {};

TEST_P(WorkerPools, CountsAddUpUnderExceptionsAndStop) {
  const auto seed = from_environment("GREENROOM_SEED", std::random_device()());
  std::cout << "seed " << seed << '\n';
  std::minstd_rand d(static_cast<std::minstd_rand::result_type>(seed));
  actor_system sys(quiet(GetParam()));
  for (int round = 0; round < 10; ++round) {
    auto [errors, to_errors] = make_mailbox<failed_job>(bounded(4, overflow::drop_oldest));
    int_pool pool(sys,
                  {.workers = 1 + d() % 6, .queue = bounded(static_cast<std::int64_t>(d() % 8)), .failures = to_errors},
                  moody);
    tally t;
    std::vector<actor> clients;
    for (int i = 0; i < 6; ++i) clients.push_back(sys.spawn(submit_many, pool, &t, 200));
    const auto stop_after = d() % 2'000;
    std::uint64_t last = 0;
    for (;;) {
      const auto s = pool.stats();
      EXPECT_GE(s.submitted, last) << "the count of the submitted went back";
      last = s.submitted;
      if (s.done + s.failed >= stop_after) pool.stop();
      if (std::all_of(clients.begin(), clients.end(), [](const actor& a) { return a.finished(); })) break;
      std::this_thread::yield();
    }
    EXPECT_TRUE(*sys.run(drain, pool, duration(1min)));
    const auto s = pool.stats();
    EXPECT_TRUE(adds_up(s)) << s.submitted << " of " << s.queued << ' ' << s.running << ' ' << s.done << ' ' << s.failed
                            << ' ' << s.dropped;
    EXPECT_EQ(s.submitted, t.accepted);
    EXPECT_EQ(s.rejected, t.refused);
    EXPECT_EQ(s.queued + s.running, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, WorkerPools, testing::Values(1, 2, 4));

} // namespace
} // namespace greenroom::worker_pool_test
