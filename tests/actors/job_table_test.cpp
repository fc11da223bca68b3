#include <greenroom/actors/internal/job_table.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/job.hpp>

namespace greenroom::internal::job_table_test {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;
using detail::job_order;

schedule by(const char* text) { return schedule::parse(text).value(); }
wall_time utc(int h, int m = 0, int s = 0) { return sys_days(2026y / 11 / 27) + hours(h) + minutes(m) + seconds(s); }

/// A table whose starts are taken at once and whose clocks stand where the test puts them.
struct JobTable : testing::Test {
  void add(job_spec spec) { table.add(std::move(spec), nullptr, at); }
  /// Sets both clocks forward, and looks.
  void pass(duration time) {
    at.now += time;
    at.wall += time;
    look();
  }
  /// Moves the wall clock alone.
  void set_clock(wall_time to) {
    at.wall = to;
    look();
  }
  void look() {
    table.look(at);
    take();
  }
  void take() {
    for (const auto& run : table.take_starts())
      began += (began.empty() ? "" : " ") + run.name + std::to_string(run.number);
  }
  void end(const char* name, std::uint64_t number, run_outcome how = run_outcome::succeeded) {
    EXPECT_TRUE(table.ended({name, number, how, ""}, at));
    take();
  }
  /// Lets a run end as soon as it has begun.
  void end_all() {
    for (const auto& j : table.list(at)) {
      if (j.running) end(j.name.c_str(), j.running->number);
    }
  }
  std::string taken() { return std::exchange(began, {}); }
  std::string next() {
    return table.list(at).front().next ? iso_text(*table.list(at).front().next).substr(11) : "none";
  }
  /// What would be on disk if the program ended now, and what another start makes of it after `off`.
  void restart(job_spec spec, duration off) {
    auto kept = table.take_changes(at).jobs;
    at.now += off;
    at.wall += off;
    after = std::make_unique<job_table>(kept, 7);
    after->add(std::move(spec), nullptr, at);
    after->look(at);
  }
  std::string begun_after() {
    std::string text;
    for (auto runs = after->take_starts(); !runs.empty(); runs = after->take_starts()) {
      const auto now = after->list(at).front();
      text += (text.empty() ? "" : " ") + iso_text(now.running->due).substr(11, 8);
      (void)after->ended({now.name, now.running->number, run_outcome::succeeded, ""}, at);
    }
    return text;
  }

  moment at{time_point(1h), utc(8)};
  job_table table{{}, 1};
  std::unique_ptr<job_table> after;
  std::string began;
};

TEST_F(JobTable, KeepsToTheGridHoweverLateItIsLookedAt) {
  add({.name = "a", .when = by("every 100ms")});
  pass(99ms);
  EXPECT_EQ(taken(), "");
  pass(1ms);
  EXPECT_EQ(taken(), "a1");
  end("a", 1);
  pass(130ms); // 30 ms late
  EXPECT_EQ(taken(), "a2");
  end("a", 2);
  EXPECT_EQ(table.next_look(at, 10s) - at.now, 70ms);
  EXPECT_EQ(table.info("a", at)->history.front().due, utc(8) + 200ms);
}

TEST_F(JobTable, LeavesOutWhatOverlapsBySkip) {
  add({.name = "a", .when = by("every 1s")});
  pass(1s);
  pass(1s);
  pass(1s);
  EXPECT_EQ(taken(), "a1");
  end("a", 1);
  pass(1s);
  EXPECT_EQ(taken(), "a2");
  EXPECT_EQ(table.info("a", at)->skipped, 2u);
  EXPECT_EQ(table.order("a", job_order::run_now, at).error().message(),
            "the job 'a' runs already, since 2026-11-27T08:00:04Z");
}

TEST_F(JobTable, QueuesAsManyAsItMay) {
  add({.name = "a", .when = by("every 1s"), .overlap = overlap_rule::queue, .queue = 2});
  for (int i = 0; i < 5; ++i) pass(1s);
  EXPECT_EQ(taken(), "a1");
  EXPECT_EQ(table.info("a", at)->queued, 2u);
  EXPECT_EQ(table.info("a", at)->skipped, 2u);
  EXPECT_EQ(table.order("a", job_order::run_now, at).error().message(),
            "the job 'a' runs already, and 2 of 2 runs are queued behind it");
  end("a", 1);
  EXPECT_EQ(taken(), "a2");
  end("a", 2);
  EXPECT_EQ(taken(), "a3");
  EXPECT_EQ(table.info("a", at)->running->due, utc(8, 0, 3));
  end("a", 3);
  EXPECT_EQ(taken(), "");
}

TEST_F(JobTable, ReplacesOnlyWhenTheOldRunHasUnwound) {
  add({.name = "a", .when = by("every 1s"), .overlap = overlap_rule::replace});
  pass(1s);
  pass(1s);
  pass(1s);
  EXPECT_EQ(taken(), "a1");
  end("a", 1, run_outcome::cancelled);
  EXPECT_EQ(taken(), "a2");
  const auto shown = table.info("a", at);
  EXPECT_EQ(shown->running->due, utc(8, 0, 3)) << "the newest";
  EXPECT_EQ(shown->history.front().error, "the next run has replaced it");
}

TEST_F(JobTable, MissedTimesFollowTheirRule) {
  add({.name = "all", .when = by("cron 0 * * * *"), .missed = missed_rule::all, .most_missed = 2});
  add({.name = "once", .when = by("cron 0 * * * *"), .missed = missed_rule::once});
  add({.name = "skip", .when = by("cron 0 * * * *")});
  pass(3h + 30min); // asleep: 9:00, 10:00 and 11:00
  EXPECT_EQ(taken(), "all1 once1");
  EXPECT_EQ(table.info("all", at)->running->due, utc(10));
  EXPECT_EQ(table.info("once", at)->running->due, utc(11));
  end_all();
  end_all();
  EXPECT_EQ(taken(), "all2");
  pass(30min);
  EXPECT_EQ(taken(), "all3 once2 skip1") << "then all is as before";
  end_all();
  pass(1h + 30s);
  EXPECT_EQ(taken(), "all4 once3 skip2") << "within its grace it was not missed";
}

TEST_F(JobTable, APauseLetsTimesPass) {
  add({.name = "once", .when = by("every 1s"), .missed = missed_rule::once});
  add({.name = "skip", .when = by("every 1s")});
  for (const char* name : {"once", "skip"}) EXPECT_TRUE(table.order(name, job_order::pause, at)->paused);
  EXPECT_EQ(table.next_look(at, 10s), never);
  pass(5s);
  EXPECT_EQ(taken(), "");
  EXPECT_TRUE(table.order("skip", job_order::run_now, at)->running);
  take();
  EXPECT_EQ(taken(), "skip1") << "by hand it runs all the same";
  end_all();
  for (const char* name : {"once", "skip"}) (void)table.order(name, job_order::resume, at);
  take();
  EXPECT_EQ(taken(), "once1");
  EXPECT_EQ(table.info("once", at)->running->due, utc(8, 0, 5));
  EXPECT_EQ(table.next_look(at, 10s) - at.now, 1s);
}

TEST_F(JobTable, ASmallStepBackBringsNoTimeTwice) {
  add({.name = "a", .when = by("cron * * * * *")});
  pass(1min);
  EXPECT_EQ(taken(), "a1");
  end_all();
  set_clock(utc(7, 58));
  pass(3min); // 8:01 again
  EXPECT_EQ(taken(), "");
  pass(1min);
  EXPECT_EQ(taken(), "a2");
  EXPECT_EQ(table.info("a", at)->running->due, utc(8, 2));
}

TEST_F(JobTable, AfterALargeStepBackTheCalendarBeginsAnew) {
  add({.name = "a", .when = by("cron * * * * *")});
  add({.name = "b", .when = by("at 2026-11-27T08:01:00Z")});
  pass(1min);
  EXPECT_EQ(taken(), "a1 b1");
  end_all();
  set_clock(utc(5, 0, 30));
  EXPECT_EQ(next(), "05:01:00Z");
  pass(30s);
  EXPECT_EQ(taken(), "a2");
  for (int minute = 0; minute < 200; ++minute) {
    end_all();
    pass(1min);
  }
  EXPECT_EQ(taken().find("b"), std::string::npos) << "what was to be once has been";
}

TEST_F(JobTable, AStepForwardIsSeenAtTheNextLook) {
  add({.name = "a", .when = by("cron 0 12 * * *")});
  EXPECT_EQ(table.next_look(at, 10s) - at.now, 10s) << "hours ahead, but the clock may change";
  set_clock(utc(12, 0, 5));
  EXPECT_EQ(taken(), "a1");
  end_all();
  set_clock(utc(13));
  EXPECT_EQ(taken(), "");
  add({.name = "b", .when = by("every 1h")});
  set_clock(utc(20));
  EXPECT_EQ(taken(), "") << "a grid has nothing to do with the date";
}

TEST_F(JobTable, FollowsAPlaceThroughBothChangesOfItsClock) {
#ifdef GREENROOM_HAS_TIME_ZONES
  const auto count = [this](year_month_day day) {
    at.wall = sys_days(day) - 2h;
    job_table place{{}, 1};
    place.add({.name = "a", .when = by("cron 30 2 * * * in Europe/Berlin")}, nullptr, at);
    std::string times;
    for (int minute = 0; minute < 24 * 60; ++minute) {
      at.now += 1min;
      at.wall += 1min;
      place.look(at);
      for (const auto& run : place.take_starts()) {
        times += iso_text(place.list(at).front().running->due).substr(11, 5) + " ";
        (void)place.ended({"a", run.number, run_outcome::succeeded, ""}, at);
      }
    }
    return times;
  };
  EXPECT_EQ(count(2026y / 3 / 28), "01:30 ") << "winter";
  EXPECT_EQ(count(2026y / 3 / 29), "01:00 ") << "2:30 is left out there: behind the gap";
  EXPECT_EQ(count(2026y / 10 / 25), "00:30 ") << "2:30 comes twice there: the first";
#else
  GTEST_SKIP() << "a build without time zones";
#endif
}

TEST_F(JobTable, JitterShiftsEachTimeButNotTheGrid) {
  add({.name = "a", .when = by("every 1s"), .jitter = 500ms});
  std::vector<duration> shifts;
  for (int i = 1; i <= 50; ++i) {
    const auto due = at.now - (at.now - time_point(1h)) % 1s + 1s;
    const auto when = table.next_look(at, 10s);
    shifts.push_back(when - due);
    pass(when - at.now);
    EXPECT_EQ(table.info("a", at)->running->due, utc(8) + i * 1s);
    end_all();
  }
  const auto [least, most] = std::minmax_element(shifts.begin(), shifts.end());
  EXPECT_TRUE(*least >= 0ms && *most <= 500ms && *most - *least > 250ms);
}

TEST_F(JobTable, RemembersSoManyRuns) {
  add({.name = "a", .when = by("every 1s"), .history = 3});
  for (int i = 0; i < 10; ++i) {
    pass(1s);
    end_all();
  }
  const auto shown = table.info("a", at);
  ASSERT_EQ(shown->history.size(), 3u);
  EXPECT_EQ(shown->history.front().number, 10u);
  EXPECT_EQ(table.take_changes(at).jobs.front().oldest, 8u) << "and so many on disk";
}

TEST_F(JobTable, FreesTheNameOfWhatIsRemovedWhenItHasUnwound) {
  add({.name = "a", .when = by("every 1s")});
  pass(1s);
  EXPECT_TRUE(table.order("a", job_order::remove, at));
  EXPECT_TRUE(table.list(at).empty());
  EXPECT_TRUE(table.take_free_names().empty());
  EXPECT_FALSE(table.order("a", job_order::run_now, at));
  end("a", 1, run_outcome::cancelled);
  EXPECT_EQ(table.take_free_names(), std::vector<std::string>{"a"});
  EXPECT_EQ(table.take_changes(at).gone, std::vector<std::string>{"a"});
}

TEST_F(JobTable, ARestartAppliesTheMissedRule) {
  for (const auto& [rule, begun] : {std::pair(missed_rule::skip, ""), std::pair(missed_rule::once, "11:00:00"),
                                    std::pair(missed_rule::all, "09:00:00 10:00:00 11:00:00")}) {
    at.wall = utc(8);
    const job_spec spec{.name = "a", .when = by("cron 0 * * * *"), .missed = rule};
    job_table first{{}, 1};
    first.add(spec, nullptr, at);
    at.now += 3h + 1s;
    at.wall += 3h + 1s;
    after = std::make_unique<job_table>(first.take_changes({at.now - 3h, at.wall - 3h}).jobs, 7);
    after->add(spec, nullptr, at);
    after->look(at);
    EXPECT_EQ(begun_after(), begun);
    EXPECT_EQ(iso_text(*after->list(at).front().next), "2026-11-27T12:00:00Z");
  }
}

TEST_F(JobTable, ARestartMarksWhatWasInterruptedAndCountsItAsMissed) {
  for (const auto& [rule, begun] : {std::pair(missed_rule::skip, ""), std::pair(missed_rule::once, "09:00:00"),
                                    std::pair(missed_rule::all, "09:00:00 10:00:00")}) {
    at.wall = utc(8);
    const job_spec spec{.name = "a", .when = by("every 1h"), .missed = rule};
    job_table first{{}, 1};
    first.add(spec, nullptr, at);
    at.now += 1h;
    at.wall += 1h;
    first.look(at);
    const auto kept = first.take_changes(at).jobs;
    at.now += 90min;
    at.wall += 90min;
    after = std::make_unique<job_table>(kept, 7);
    after->add(spec, nullptr, at);
    const auto shown = after->info("a", at).value();
    ASSERT_EQ(shown.history.size(), 1u);
    EXPECT_EQ(shown.history.front().outcome, run_outcome::interrupted);
    EXPECT_EQ(iso_text(*shown.next), "2026-11-27T11:00:00Z") << "the grid goes on";
    EXPECT_EQ(begun_after(), begun);
  }
}

TEST_F(JobTable, WhatWasQueuedAtACrashIsMissed) {
  const job_spec spec{
      .name = "a", .when = by("every 1h"), .overlap = overlap_rule::queue, .queue = 5, .missed = missed_rule::all};
  add(spec);
  for (int i = 0; i < 3; ++i) pass(1h);
  EXPECT_EQ(taken(), "a1");
  restart(spec, 30min);
  EXPECT_EQ(begun_after(), "09:00:00 10:00:00 11:00:00");
}

TEST_F(JobTable, APauseAndTheNumbersOutliveARestart) {
  const job_spec spec{.name = "a", .when = by("every 1h"), .missed = missed_rule::all};
  add(spec);
  pass(1h);
  end_all();
  (void)table.order("a", job_order::pause, at);
  restart(spec, 5h);
  EXPECT_EQ(begun_after(), "");
  auto shown = after->info("a", at).value();
  EXPECT_TRUE(shown.paused);
  EXPECT_EQ(shown.runs, 1u);
  (void)after->order("a", job_order::resume, at);
  EXPECT_EQ(begun_after(), "10:00:00 11:00:00 12:00:00 13:00:00 14:00:00");
}

TEST_F(JobTable, AnotherScheduleBeginsAnew) {
  add({.name = "a", .when = by("every 1h"), .missed = missed_rule::all});
  restart({.name = "a", .when = by("every 2h"), .missed = missed_rule::all}, 10h);
  EXPECT_EQ(begun_after(), "");
  EXPECT_EQ(*after->list(at).front().next, at.wall + 2h);
}

TEST_F(JobTable, WhatCouldNotBeWrittenIsNotBegun) {
  add({.name = "a", .when = by("every 1s"), .overlap = overlap_rule::queue});
  at.now += 1s;
  at.wall += 1s;
  table.look(at);
  auto changes = table.take_changes(at);
  table.not_written(std::move(changes));
  table.refuse_starts(error(errc::io, "the disk is full"), at);
  EXPECT_TRUE(table.take_starts().empty());
  const auto shown = table.info("a", at);
  EXPECT_EQ(shown->history.front().error, "it was not begun, as that could not be written down: the disk is full");
  EXPECT_FALSE(shown->running);
  pass(1s);
  EXPECT_EQ(taken(), "a2");
  EXPECT_EQ(table.take_changes(at).jobs.front().found.size(), 2u) << "the next is written with all of it";
}

TEST(CheckJob, SaysWhatCannotBe) {
  const auto why = [](job_spec spec) {
    const auto good = check_job(spec);
    return good ? "" : std::string(good.error().message());
  };
  const auto often = by("every 1s");
  EXPECT_EQ(why({.name = "a-b_c.9", .when = often}), "");
  EXPECT_EQ(why({.name = "a b", .when = often}),
            "cannot add the job 'a b': a name has 1 to 64 letters, digits, '.', '_' and '-'");
  EXPECT_NE(why({.name = "", .when = often}), "");
  EXPECT_NE(why({.name = std::string(65, 'a'), .when = often}), "");
  EXPECT_EQ(why({.name = "a", .when = often, .queue = 0}),
            "cannot add the job 'a': queue must be from 1 to 10000 runs, not 0");
  EXPECT_NE(why({.name = "a", .when = often, .most_missed = 10'001}), "");
  EXPECT_NE(why({.name = "a", .when = often, .limit = 0s}), "");
  EXPECT_NE(why({.name = "a", .when = often, .grace = -1s}), "");
  EXPECT_NE(why({.name = "a", .when = often, .jitter = -1s}), "");
  EXPECT_NE(why({.name = "a", .when = often, .jitter = 1s}), "");
  EXPECT_NE(why({.name = "a", .when = by("cron * * * * *"), .jitter = hours(24 * 32)}), "");
  EXPECT_EQ(why({.name = "a", .when = by("cron * * * * *"), .jitter = 5min}), "");
}

} // namespace
} // namespace greenroom::internal::job_table_test
