#include <greenroom/actors/chunk_pipeline.hpp>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/explore.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::chunk_pipeline_test {
namespace {

using namespace test;
using numbers = std::vector<std::uint64_t>;

/// What a job has seen; several threads may write it.
struct counts {
  std::atomic<int> begun{0};
  std::atomic<int> most_under_way{0};
  int reduced = 0;

  void begin() {
    const int now = ++begun - reduced;
    if (now > most_under_way) most_under_way = now;
  }
};

std::uint64_t number_of(const chunk& c) { return c.index; }
void append(numbers& all, std::uint64_t one) { all.push_back(one); }
chunk_input numbers_to(std::uint64_t end) { return chunks_of_numbers(0, end, 1).value(); }
numbers first(std::uint64_t n) {
  numbers all(n);
  std::iota(all.begin(), all.end(), std::uint64_t{0});
  return all;
}

/// Runs a job as an actor and gives its result.
template <class State, class Map, class Reduce>
result<State> run_job(actor_system& sys, chunk_input input, Map map, Reduce reduce, State state, chunk_options how) {
  return sys.run(process_chunks<State, Map, Reduce>, std::move(input), std::move(map), std::move(reduce),
                 std::move(state), std::move(how));
}

/// The same inside of an actor, for jobs that are stopped.
template <class Map>
task<> map_a_hundred(Map map, chunk_options how) {
  auto job = process_chunks(numbers_to(100), map, append, numbers(), how);
  (void)co_await std::move(job);
}

// -- order ------------------------------------------------------------------------------------------------

task<std::uint64_t> after_some_turns(chunk c, std::uint64_t seed) {
  xoshiro random(seed + c.index);
  for (auto turns = random_below(random, 20); turns > 0; --turns) co_await yield();
  co_return c.index;
}

task<> in_any_finishing_order(std::uint64_t seed) {
  const auto map = [seed](chunk c) { return after_some_turns(c, seed); };
  auto job = process_chunks(numbers_to(25), map, append, numbers(), {.workers = 4, .in_flight = 6});
  const auto all = co_await std::move(job);
  testkit::require(all && *all == first(25), "the values are reduced in the order of their chunks");
}

TEST(ChunkPipeline, ReducesInOrderHoweverTheChunksFinish) {
  const auto found = testkit::explore({.runs = 200}, in_any_finishing_order);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

/// Out of order: the one who finishes last is reduced last.
task<std::uint64_t> the_first_is_slow(chunk c) {
  if (c.index == 0) co_await sleep_for(1s);
  co_return c.index;
}

TEST(ChunkPipeline, WithoutAnOrderASlowChunkHoldsUpNobody) {
  testkit::simulation world;
  testkit::random_schedule by(1);
  numbers got;
  const auto program = [](numbers* to) -> task<> {
    auto job = process_chunks(numbers_to(9), the_first_is_slow, append, numbers(),
                              {.workers = 2, .in_flight = 2, .ordered = false});
    auto all = co_await std::move(job);
    *to = all.value();
  };
  const auto report = world.run(by, program, &got);
  ASSERT_TRUE(report.passed()) << report.why;
  EXPECT_EQ(got, (numbers{1, 2, 3, 4, 5, 6, 7, 8, 0}));
}

TEST(ChunkPipeline, PlainFunctionsRunOnSeveralThreads) {
  actor_system sys(quiet(2));
  std::uint64_t expected = 0;
  std::string text;
  for (int i = 0; i < 5'000; ++i) {
    text += std::to_string(i) + "\n";
    expected += static_cast<std::uint64_t>(i);
  }
  const auto sum_lines = [](const chunk& c) {
    std::uint64_t sum = 0, one = 0;
    for (const char each : c.bytes) {
      if (each == '\n') {
        sum += std::exchange(one, 0);
      } else {
        one = 10 * one + static_cast<std::uint64_t>(each - '0');
      }
    }
    return sum;
  };
  const auto add = [](std::uint64_t& sum, std::uint64_t one) { sum += one; };
  for (const bool ordered : {true, false}) {
    const auto sum = run_job(sys, chunks_of_text(text, by_lines(100)).value(), sum_lines, add, std::uint64_t{0},
                             {.workers = 3, .ordered = ordered});
    ASSERT_TRUE(sum);
    EXPECT_EQ(*sum, expected);
  }
  EXPECT_EQ(sys.live_actors(), 0u);
}

TEST(ChunkPipeline, AnEmptyInputGivesTheStateItBeganWith) {
  one_worker sys;
  const progress_meter meter;
  EXPECT_EQ(run_job(sys, numbers_to(0), number_of, append, numbers{7}, {.meter = meter}).value(), numbers{7});
  EXPECT_EQ(meter.look(sys.now()).state, work_state::done);
}

// -- back-pressure ----------------------------------------------------------------------------------------

task<std::uint64_t> counted(chunk c, counts* seen) {
  seen->begin();
  co_await sleep_for(1ms * static_cast<int>(1 + c.index * 7 % 5));
  co_return c.index;
}

task<> bounded_in_flight(std::size_t workers, std::size_t in_flight, bool ordered, counts* seen) {
  const auto map = [seen](chunk c) { return counted(c, seen); };
  const auto reduce = [seen](numbers& all, std::uint64_t one) {
    ++seen->reduced;
    all.push_back(one);
  };
  auto job = process_chunks(numbers_to(40), map, reduce, numbers(),
                            {.workers = workers, .in_flight = in_flight, .ordered = ordered});
  const auto all = co_await std::move(job);
  testkit::require(all && all->size() == 40, "all chunks are reduced once");
}

TEST(ChunkPipeline, AsManyChunksAreUnderWayAsAllowedAndNoMore) {
  for (const bool ordered : {true, false}) {
    for (const auto& [workers, in_flight] : {std::pair<std::size_t, std::size_t>{1, 1}, {4, 4}, {4, 6}, {3, 1}}) {
      testkit::simulation world;
      testkit::random_schedule by(3);
      counts seen;
      const auto report = world.run(by, bounded_in_flight, workers, in_flight, ordered, &seen);
      ASSERT_TRUE(report.passed()) << report.why;
      EXPECT_LE(seen.most_under_way, static_cast<int>(in_flight));
      EXPECT_GE(seen.most_under_way, static_cast<int>(std::min(workers, in_flight)));
    }
  }
}

task<std::uint64_t> the_first_never_comes(chunk c, counts* seen) {
  seen->begin();
  if (c.index == 0) co_await sleep_for(1h);
  co_return c.index;
}

TEST(ChunkPipeline, BehindAChunkThatIsLateOnlySoManyAreBegun) {
  timed_system s;
  counts seen;
  const auto map = [&seen](chunk c) { return the_first_never_comes(c, &seen); };
  const chunk_options how{.workers = 2, .in_flight = 5};
  const auto who = s.sys.spawn(map_a_hundred<decltype(map)>, map, how);
  while (seen.begun < 5) (void)s.sys.run(settle); // each goes by way of a blocking thread
  (void)s.sys.run(settle);
  EXPECT_EQ(seen.begun, 5);
  EXPECT_EQ(cancel_in(s.sys, who, waits_for(s.sys, who)).kind(), exit_kind::cancelled);
  EXPECT_EQ(s.sys.live_actors(), 0u);
  EXPECT_EQ(s.sys.live_timers(), 0u);
}

// -- failures ---------------------------------------------------------------------------------------------

/// Fails at one chunk so many times.
auto fails_at(std::uint64_t index, int times, errc code, std::atomic<int>* tries) {
  return [=](const chunk& c) -> result<std::uint64_t> {
    if (c.index == index && tries->fetch_add(1) < times) return error(code, "out of order");
    return c.index;
  };
}

TEST(ChunkPipeline, AChunkIsTriedAgain) {
  one_worker sys;
  std::atomic<int> tries{0};
  const progress_meter meter;
  const auto all = run_job(sys, numbers_to(5), fails_at(2, 2, errc::upstream, &tries), append, numbers(),
                           {.attempts = 3, .pause = 0ns, .meter = meter});
  EXPECT_EQ(all.value(), first(5));
  EXPECT_EQ(meter.look(sys.now()).retries, 2u);
}

template <class Map>
task<> time_attempts(Map map, duration* to) {
  const auto began = this_actor::system().now();
  auto job = process_chunks(numbers_to(1), map, append, numbers(), {.attempts = 4, .pause = 100ms});
  const auto all = co_await std::move(job);
  testkit::require(all.has_value(), "the fourth attempt succeeds");
  *to = this_actor::system().now() - began;
}

TEST(ChunkPipeline, PausesBetweenAttemptsDouble) {
  testkit::simulation world;
  testkit::random_schedule by(1);
  std::atomic<int> tries{0};
  duration took{};
  const auto map = fails_at(0, 3, errc::io, &tries);
  const auto report = world.run(by, time_attempts<decltype(map)>, map, &took);
  ASSERT_TRUE(report.passed()) << report.why;
  EXPECT_EQ(std::chrono::round<std::chrono::milliseconds>(took), 700ms);
}

TEST(ChunkPipeline, AChunkThatFailsForGoodIsNamedWithItsRange) {
  one_worker sys;
  std::atomic<int> tries{0};
  const progress_meter meter;
  const auto input = chunks_of_text(std::string(100, 'x'), by_bytes(10)).value();
  const auto all = run_job(sys, input, fails_at(3, 99, errc::io, &tries), append, numbers(),
                           {.attempts = 2, .pause = 0ns, .meter = meter});
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code(), errc::io);
  EXPECT_EQ(all.error().message(), "cannot process the text: chunk 3 (bytes 30 to 39), 2 attempts: out of order");
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(meter.look(sys.now()).state, work_state::failed);
  EXPECT_EQ(sys.live_actors(), 0u);
}

TEST(ChunkPipeline, WhatWouldFailAgainIsTriedOnce) {
  one_worker sys;
  std::atomic<int> tries{0};
  const auto all =
      run_job(sys, numbers_to(5), fails_at(1, 99, errc::parse, &tries), append, numbers(), {.attempts = 9});
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().message(), "cannot process the numbers: chunk 1 (numbers 1 to 1): out of order");
  EXPECT_EQ(tries, 1);
}

TEST(ChunkPipeline, ExceptionsAreErrorsOfTheirChunk) {
  one_worker sys;
  const auto map = [](const chunk& c) -> std::uint64_t {
    if (c.index == 1) throw std::runtime_error("bad map");
    return c.index;
  };
  const auto mapped = run_job(sys, numbers_to(3), map, append, numbers(), {.attempts = 1});
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().code(), errc::failed);
  EXPECT_EQ(mapped.error().message(),
            "cannot process the numbers: chunk 1 (numbers 1 to 1): job failed: std::runtime_error: bad map");
  const auto reduce = [](numbers&, std::uint64_t) { throw std::runtime_error("bad reduce"); };
  const auto reduced = run_job(sys, numbers_to(3), number_of, reduce, numbers(), {});
  ASSERT_FALSE(reduced);
  EXPECT_NE(reduced.error().message().find("chunk 0 (numbers 0 to 0): job failed: std::runtime_error: bad reduce"),
            std::string_view::npos);
}

TEST(ChunkPipeline, AnErrorOfReduceEndsIt) {
  one_worker sys;
  const auto reduce = [](numbers& all, std::uint64_t one) -> result<void> {
    if (one == 2) return error(errc::limit, "too many");
    all.push_back(one);
    return {};
  };
  const auto all = run_job(sys, numbers_to(9), number_of, reduce, numbers(), {});
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().message(), "cannot process the numbers: chunk 2 (numbers 2 to 2): too many");
}

task<std::uint64_t> never(chunk, std::atomic<int>* begun) {
  ++*begun;
  co_await sleep_for(1h);
  co_return 0;
}

TEST(ChunkPipeline, CancelledOrKilledItLeavesNothingBehind) {
  for (const bool kill : {false, true}) {
    timed_system s;
    std::atomic<int> begun{0};
    const progress_meter meter;
    const auto map = [&begun](chunk c) { return never(c, &begun); };
    const chunk_options how{.workers = 3, .meter = meter};
    const auto who = s.sys.spawn(map_a_hundred<decltype(map)>, map, how);
    while (begun < 3) (void)s.sys.run(settle);
    kill ? who.kill() : who.cancel();
    EXPECT_EQ(who.wait().kind(), kill ? exit_kind::killed : exit_kind::cancelled);
    (void)s.sys.run(settle);
    EXPECT_EQ(s.sys.live_actors(), 0u);
    EXPECT_EQ(s.sys.live_timers(), 0u);
    EXPECT_EQ(meter.look(s.sys.now()).state, work_state::cancelled);
  }
}

TEST(ChunkPipeline, CancelledItBeginsNoFurtherChunk) {
  one_worker sys;
  std::atomic<int> begun{0};
  std::atomic<bool> open{false};
  const auto map = [&](const chunk& c) { // keeps its thread until the gate opens
    ++begun;
    while (!open) std::this_thread::yield();
    return c.index;
  };
  const chunk_options how{.workers = 2, .in_flight = 8};
  const auto who = sys.spawn(map_a_hundred<decltype(map)>, map, how);
  while (begun < 2) std::this_thread::yield();
  who.cancel();
  (void)sys.run(settle);
  open = true;
  EXPECT_EQ(who.wait().kind(), exit_kind::cancelled);
  EXPECT_EQ(begun, 2);
  EXPECT_EQ(sys.live_actors(), 0u);
}

TEST(ChunkPipeline, OptionsOutOfRangeAreRefused) {
  one_worker sys;
  const auto refused = run_job(sys, numbers_to(3), number_of, append, numbers(), {.attempts = 0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "cannot process the numbers: an option is out of range: attempts (0) from 1, "
            "workers (1) up to 4,096, in_flight (2) up to 1,000,000, and the name of the job "
            "one line");
  const auto unsaved = run_job(sys, numbers_to(3), number_of, append, numbers(), {.checkpoint = "job"});
  ASSERT_FALSE(unsaved);
  EXPECT_NE(unsaved.error().message().find("a State without save() and load() cannot have a checkpoint"),
            std::string_view::npos);
}

} // namespace
} // namespace greenroom::chunk_pipeline_test
