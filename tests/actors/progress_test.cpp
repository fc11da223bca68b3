#include <greenroom/actors/progress.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::progress_test {
namespace {

using namespace test;

TEST(Progress, RateAndRemainingTimeFollowFromWhatThisRunHasDone) {
  manual_clock time;
  const progress_meter meter;
  meter.begin(time.now(), 1'000, 400);
  time.advance(2s);
  meter.add(200);
  const auto p = meter.look(time.now());
  EXPECT_EQ(p.elapsed, 2s);
  EXPECT_DOUBLE_EQ(p.fraction(), 0.6);
  EXPECT_DOUBLE_EQ(p.rate(), 100);
  EXPECT_EQ(p.remaining(), duration(4s));
}

TEST(Progress, WithoutARateNobodyKnowsWhatRemains) {
  manual_clock time;
  const progress_meter meter;
  EXPECT_EQ(meter.look(time.now()).state, work_state::waiting);
  meter.begin(time.now(), 10, 5);
  EXPECT_EQ(meter.look(time.now()).remaining(), std::nullopt);
  time.advance(1s);
  EXPECT_EQ(meter.look(time.now()).remaining(), std::nullopt);
}

TEST(Progress, TimeStandsStillWhenTheRunHasEnded) {
  manual_clock time;
  const progress_meter meter;
  meter.begin(time.now(), 10);
  time.advance(1s);
  meter.end(time.now(), work_state::failed);
  time.advance(1h);
  meter.end(time.now(), work_state::done); // too late
  const auto p = meter.look(time.now());
  EXPECT_EQ(p.state, work_state::failed);
  EXPECT_EQ(p.elapsed, 1s);
  EXPECT_EQ(p.remaining(), duration{});
}

TEST(Progress, AJobOfNothingIsWholeWhenItIsDone) {
  progress p;
  EXPECT_EQ(p.fraction(), 0);
  p.state = work_state::done;
  EXPECT_EQ(p.fraction(), 1);
}

TEST(Progress, HugeAmountsDoNotOverflow) {
  const progress p{work_state::running, true, ~std::uint64_t{0}, 1, 0, 0, 1ns * 1'000'000'000'000};
  EXPECT_EQ(p.remaining(), duration::max());
}

TEST(Progress, ALineSaysIt) {
  progress p{work_state::running, true, 2'300'000'000, 1'200'000'000, 0, 0, 3s};
  EXPECT_EQ(progress_line(p, 10), "[=====>    ]  52 %  1.2 GB of 2.3 GB  400 MB/s  3 s left");
  p.retries = 2;
  p.state = work_state::done;
  p.done = p.total;
  p.elapsed = 125s;
  EXPECT_EQ(progress_line(p, 10), "[==========] 100 %  2.3 GB of 2.3 GB  18 MB/s  done after 2 min 5 s  2 retries");
  const progress counts{work_state::running, false, 950, 0, 0, 0, {}};
  EXPECT_EQ(progress_line(counts, 4), "[>   ]   0 %  0 of 950  0/s  running");
  const progress failed{work_state::failed, false, 100, 50, 0, 0, 1s};
  EXPECT_EQ(progress_line(failed, 4), "[==  ]  50 %  50 of 100  50/s  failed after 1 s");
}

TEST(Progress, TheBarIsShownUntilTheJobIsOver) {
  timed_system s;
  const progress_meter meter;
  std::vector<std::string> lines;
  const std::function<void(std::string_view)> keep = [&lines](std::string_view line) { lines.emplace_back(line); };
  meter.begin(s.sys.now(), 100, 0, false);
  const auto shower = s.sys.spawn(show_progress, meter, keep, 200ms);
  (void)s.sys.run(settle);
  ASSERT_EQ(lines.size(), 1u);
  meter.add(100);
  s.advance(250ms);
  ASSERT_EQ(lines.size(), 2u);
  meter.end(s.sys.now(), work_state::done);
  s.advance(250ms);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].starts_with("\r[>"));
  EXPECT_TRUE(lines[2].starts_with("\r[====") && lines[2].ends_with("\n")) << lines[2];
  EXPECT_TRUE(shower.wait().normal());
}

} // namespace
} // namespace greenroom::progress_test
