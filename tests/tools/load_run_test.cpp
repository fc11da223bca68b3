// Loads against a server that the test plays, over a network in memory and in virtual time: what is counted can be said beforehand.
#include <greenroom/tools/greenroom/load_run.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tools/greenroom/load_report.hpp>

namespace load {
namespace {

using namespace greenroom;
using namespace std::chrono_literals;
using testkit::simulation;

constexpr std::uint16_t port = 80;
constexpr duration tick = 70us; // timers fire so late at most, virtual time or not

void expect_near(duration is, duration wanted, int ticks = 2) {
  EXPECT_GE(is, wanted);
  EXPECT_LE(is, wanted + ticks * tick);
}

/// What the server does. Times are since the start of the schedule.
struct behaviour {
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  duration takes{0};            // for each answer
  duration stops_at = 1h;       // it answers nothing from then on
  duration stops_for{0};        // for so long
  int answers_each = 1'000'000; // on one connection; then it closes it
  bool stays_silent = false;    // it takes requests and answers none
  int requests = 0;             // it has got
  time_point begin = never;
};

task<> take_connection(std::unique_ptr<stream> io, behaviour* how) {
  std::string got;
  std::array<std::byte, 1'024> part;
  for (int answered = 0; answered < how->answers_each; ++answered) {
    while (got.find("\r\n\r\n") == got.npos) {
      const auto n = co_await io->read_some(part);
      if (!n || *n == 0) co_return;
      got.append(reinterpret_cast<const char*>(part.data()), *n);
    }
    got.erase(0, got.find("\r\n\r\n") + 4);
    ++how->requests;
    if (how->stays_silent) co_await sleep_for(24h);
    const auto since = this_actor::system().now() - how->begin;
    if (since >= how->stops_at && since < how->stops_at + how->stops_for)
      co_await sleep_until(how->begin + how->stops_at + how->stops_for);
    co_await sleep_for(how->takes);
    const auto sent = co_await io->write_all(std::as_bytes(std::span(how->answer)));
    if (!sent) co_return;
  }
}

task<> take_connections(scope& all, std::unique_ptr<listener> at, behaviour* how) {
  for (;;) {
    auto io = co_await at->accept();
    if (!io) co_return;
    all.spawn(take_connection, *std::move(io), how);
  }
}

struct trial {
  load_plan plan;
  load_shape shape;
  behaviour server;
  duration cut_off_after = duration::max();
  bool has_server = true;
  load_tally found;
  std::optional<result<void>> outcome;
};

task<> load_it(trial* t) {
  auto loading = generate(&t->plan, load_schedule(t->shape, 0, 1, 1), &t->found);
  t->outcome = co_await std::move(loading);
}

task<> play(scope& all, trial* t) {
  t->server.begin = this_actor::system().now();
  auto server = actor();
  if (t->has_server) {
    auto at = this_actor::system().net().listen({"here", port});
    server = all.spawn(
        [](std::unique_ptr<listener> where, behaviour* how) -> task<> {
          auto serving = with_scope(take_connections, std::move(where), how);
          (void)co_await std::move(serving);
        },
        *std::move(at), &t->server);
  }
  const auto load = all.spawn(load_it, t);
  if (t->cut_off_after != duration::max()) {
    co_await sleep_for(t->cut_off_after);
    load.cancel();
  }
  co_await load.join();
  if (t->has_server) server.cancel();
}

/// Runs it under some schedules; `judge` looks at each.
template <class Judge>
void run(const trial& wanted, Judge judge) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    trial t = wanted;
    t.plan.to = {"here", port};
    t.plan.bytes = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    t.plan.watchful = 0ns; // virtual time is exact, and stands still while somebody looks at it
    simulation world({.most_steps = 10'000'000});
    testkit::random_schedule by(seed);
    const auto r = world.run(
        by,
        [](trial* of) -> task<> {
          auto playing = with_scope(play, of);
          (void)co_await std::move(playing);
        },
        &t);
    ASSERT_TRUE(r.passed()) << r.why;
    const auto& f = t.found;
    EXPECT_EQ(f.due, f.answered + f.failed + f.unsent + f.cut_off);
    judge(t);
  }
}

load_report report_of(const trial& t) {
  return {"GET", "http://here/", t.shape, t.plan.connections, 1, false, t.found};
}

TEST(Load, SendsTheExactNumberAtTheExactRate) {
  trial t;
  t.shape = {.from = 250, .to = 250, .warm_up = 1s, .measured = 4s};
  run(t, [](const trial& done) {
    ASSERT_TRUE(done.outcome && *done.outcome);
    EXPECT_EQ(done.found.due, 1'000U);
    EXPECT_EQ(done.found.answered, 1'000U);
    EXPECT_EQ(done.found.answered_in_time, 1'000U);
    EXPECT_EQ(done.found.warm_up, 250U);
    EXPECT_EQ(done.server.requests, 1'250);
    EXPECT_EQ(done.found.statuses[200], 1'000U);
    EXPECT_EQ(done.found.connects, 64U);
    expect_near(done.found.response.most(), 0ns);
    EXPECT_EQ(done.found.service.most(), 0ns) << "nothing takes time here";
    const auto report = report_of(done);
    EXPECT_EQ(report.asked_rate(), 250.0);
    EXPECT_EQ(report.answered_rate(), 250.0);
    EXPECT_TRUE(report.kept_up());
    EXPECT_TRUE(report.warnings().empty());
    const auto parts = done.found.course.until(done.found.lasted);
    ASSERT_EQ(parts.size(), 10U);
    for (const auto* part : parts) EXPECT_EQ(part->count(), 100U);
  });
}

TEST(Load, CountsAStandstillOfTheServerForAllThatWereDueInIt) {
  // 500 requests in 5 s; the 100 that are due in the second of the standstill wait 1 s, 0.99 s, ... down to 0.01 s.
  for (const std::size_t connections : {1U, 8U, 200U}) {
    SCOPED_TRACE(connections);
    trial t;
    t.shape = {.from = 100, .to = 100, .measured = 5s};
    t.plan.connections = connections;
    t.server.stops_at = 2s;
    t.server.stops_for = 1s;
    run(t, [&](const trial& done) {
      const auto& f = done.found;
      EXPECT_EQ(f.answered, 500U);
      expect_near(f.response.most(), 1s);
      const auto p99 = f.response.quantile(0.99); // the 495th of 500: 5 wait longer
      EXPECT_GE(p99, 950ms);
      EXPECT_LE(p99, 955ms);
      EXPECT_GE(f.response.quantile(0.9), 500ms);
      EXPECT_LE(f.response.quantile(0.8), tick);
      expect_near(f.service.most(), 1s - tick);
      // Seen from when they were sent, as many as had a connection have waited: a closed loop would have seen no more.
      const auto slow = f.service.count() - f.service.count_up_to(5ms);
      EXPECT_EQ(slow, std::min<std::uint64_t>(connections, 100));
      EXPECT_GE(f.queued, 100 - slow);
      EXPECT_LE(f.queued, 101 - slow) << "the next may be due while these are answered";
      const auto parts = f.course.until(f.lasted);
      EXPECT_GE(parts.at(4)->quantile(0.99), 950ms) << "the standstill is in the fifth tenth";
      EXPECT_LE(parts.at(3)->most(), tick);
    });
  }
}

TEST(Load, MeasuresWhatAnAnswerTakes) {
  trial t;
  t.shape = {.from = 100, .to = 100, .measured = 2s};
  t.server.takes = 30ms;
  run(t, [](const trial& done) {
    expect_near(done.found.response.least(), 30ms);
    expect_near(done.found.response.most(), 30ms);
    EXPECT_EQ(done.found.queued, 0U) << "three connections are enough, and there are 64";
    EXPECT_EQ(done.found.answered_in_time, 197U) << "the last three answers came after the end";
  });
}

TEST(Load, SaysHowManyWereNeverSentToAServerThatIsTooSlow) {
  trial t;
  t.shape = {.from = 10, .to = 10, .measured = 5s};
  t.plan.connections = 1;
  t.plan.time_out = 2s;
  t.server.takes = 1s;
  run(t, [](const trial& done) {
    const auto& f = done.found;
    EXPECT_EQ(f.due, 50U);
    EXPECT_EQ(f.failed, 0U);
    EXPECT_EQ(f.answered_in_time, 4U) << "at 1 s, 2 s, 3 s and 4 s; that of 5 s is not within";
    EXPECT_GE(f.answered, 6U); // sent until 1 s behind the end
    EXPECT_LE(f.answered, 7U);
    EXPECT_EQ(f.unsent, 50 - f.answered);
    EXPECT_EQ(f.response.count(), 50U) << "they count with what they had waited";
    EXPECT_GE(f.response.quantile(0.5), 3s);
    EXPECT_EQ(report_of(done).warnings().size(), 2U);
  });
}

TEST(Load, CountsFaultsByKind) {
  struct counted {
    load_fault kind;
    behaviour server;
  };
  behaviour silent, closing, talking;
  silent.stays_silent = true;
  closing.answer = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf";
  closing.answers_each = 1;
  talking.answer = "HELO\r\n\r\n";
  for (const auto& [kind, server] :
       {counted{load_fault::timed_out, silent}, {load_fault::broken, closing}, {load_fault::malformed, talking}}) {
    SCOPED_TRACE(name_of(kind));
    trial t;
    t.shape = {.from = 20, .to = 20, .measured = 1s};
    t.plan.time_out = 300ms;
    t.server = server;
    run(t, [&, wanted = kind](const trial& done) {
      const auto& f = done.found;
      EXPECT_EQ(f.failed, 20U);
      EXPECT_EQ(f.faults[static_cast<std::size_t>(wanted)].times, 20U);
      EXPECT_FALSE(f.faults[static_cast<std::size_t>(wanted)].first.empty());
      EXPECT_EQ(f.answered, 0U);
      EXPECT_EQ(f.service.count(), 0U);
      EXPECT_EQ(f.response.count(), wanted == load_fault::timed_out ? 20U : 0U)
          << "what fails at once does not make a server fast";
      if (wanted == load_fault::timed_out) {
        expect_near(f.response.least(), 300ms);
      }
    });
  }
}

TEST(Load, MakesConnectionsAnewThatTheServerHasClosed) {
  for (const bool announced : {false, true}) {
    trial t;
    t.shape = {.from = 100, .to = 100, .measured = 1s};
    t.plan.connections = 4;
    t.server.answers_each = 5;
    if (announced) {
      t.server.answers_each = 1;
      t.server.answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    }
    run(t, [&](const trial& done) {
      EXPECT_EQ(done.found.answered, 100U);
      EXPECT_EQ(done.found.failed, 0U);
      EXPECT_GE(done.found.connects, announced ? 100U : 20U);
      EXPECT_EQ(done.found.reconnects != 0, !announced);
    });
  }
}

TEST(Load, CannotBeginWhereNobodyListens) {
  trial t;
  t.shape = {.from = 100, .to = 100, .measured = 1s};
  t.has_server = false;
  run(t, [](const trial& done) {
    ASSERT_TRUE(done.outcome && !*done.outcome);
    EXPECT_NE(std::string(done.outcome->error().message()).find("here:80"), std::string::npos)
        << done.outcome->error().message();
    EXPECT_EQ(done.found.due, 0U);
  });
}

TEST(Load, ThatIsCutOffGivesWhatWasUntilThen) {
  trial t;
  t.shape = {.from = 100, .to = 100, .measured = 10s};
  t.plan.connections = 2;
  t.server.stops_at = 2s;
  t.server.stops_for = 1h;
  t.cut_off_after = 2'495ms;
  run(t, [](const trial& done) {
    const auto& f = done.found;
    EXPECT_FALSE(done.outcome) << "it was cancelled";
    EXPECT_EQ(f.due, 250U);
    EXPECT_EQ(f.answered, 200U);
    EXPECT_EQ(f.cut_off, 2U);
    EXPECT_EQ(f.unsent, 48U);
    expect_near(f.lasted, 2'495ms);
    expect_near(f.response.most(), 495ms);
    EXPECT_NEAR(report_of(done).asked_rate(), 100, 1);
    const auto parts = f.course.until(f.lasted);
    EXPECT_GE(parts.size(), 5U) << "its course is as fine as if it had been meant to last so long";
    EXPECT_LE(parts.size(), 10U);
    EXPECT_NE(report_of(done).to_text().find(" to     2.5 s"), std::string::npos) << report_of(done).to_text();
  });
}

TEST(Load, EndsWhenMoreWaitThanCanBeKept) {
  trial t;
  t.shape = {.from = 100, .to = 100, .measured = 1h};
  t.plan.connections = 1;
  t.plan.time_out = 2s;
  t.plan.most_waiting = 50;
  t.server.stays_silent = true;
  run(t, [](const trial& done) {
    const auto& f = done.found;
    EXPECT_TRUE(f.overrun);
    EXPECT_EQ(f.due, 51U);
    expect_near(f.lasted, 510ms);
    EXPECT_NE(report_of(done).warnings().at(0).find("more requests waited for a connection than can be kept"),
              std::string::npos);
  });
}

TEST(Load, FollowsARampAndShowsItsCourse) {
  trial t;
  t.shape = {.from = 10, .to = 190, .measured = 10s};
  run(t, [](const trial& done) {
    EXPECT_NEAR(static_cast<double>(done.found.due), 1'000, 1);
    const auto parts = done.found.course.until(done.found.lasted);
    ASSERT_EQ(parts.size(), 10U);
    EXPECT_NEAR(static_cast<double>(parts[0]->count()), 19, 1.01);
    EXPECT_NEAR(static_cast<double>(parts[9]->count()), 181, 1.01);
    EXPECT_NE(report_of(done).to_text().find("9.0 s to    10.0 s"), std::string::npos) << report_of(done).to_text();
  });
}

// -- the report -------------------------------------------------------------------------------------------------------

TEST(LoadReport, NamesTheGeneratorWhereItWasLate) {
  load_report r{"GET", "http://here/", {.from = 10, .to = 10, .measured = 10s}, 1, 1, false, {}};
  r.found.due = r.found.answered = r.found.answered_in_time = 100;
  r.found.lasted = 10s;
  r.found.response.record(10ms, 100);
  r.found.lateness.record(10us, 98);
  r.found.lateness.record(900us, 2);
  EXPECT_TRUE(r.kept_up());
  EXPECT_TRUE(r.warnings().empty());
  r.found.lateness.record(20ms, 2);
  EXPECT_FALSE(r.kept_up());
  ASSERT_EQ(r.warnings().size(), 1U);
  EXPECT_NE(r.warnings()[0].find("the generator itself did not keep the schedule"), std::string::npos)
      << r.warnings()[0];
  EXPECT_NE(r.warnings()[0].find("20.0 ms"), std::string::npos) << r.warnings()[0];
  EXPECT_NE(r.to_json().find("\"kept_up\":false"), std::string::npos);
}

TEST(LoadReport, TakesALatenessThatIsMostOfTheTimesForAFaultOfItsOwn) {
  load_report r{"GET", "http://here/", {.from = 10, .to = 10, .measured = 10s}, 1, 1, false, {}};
  r.found.due = r.found.answered = 100;
  r.found.lasted = 10s;
  r.found.response.record(1ms, 100);
  r.found.lateness.record(800us, 100);
  EXPECT_FALSE(r.kept_up());
}

TEST(LoadReport, TellsItsOwnLimitFromThatOfTheServer) {
  load_report r{"GET", "http://here/", {.from = 10, .to = 10, .measured = 10s}, 1, 1, false, {}};
  r.found.due = r.found.answered = 100;
  r.found.lasted = 10s;
  r.found.response.record(1ms, 100);
  r.found.all_busy = 8s;
  r.found.all_busy_cpu = 3s;
  EXPECT_TRUE(r.kept_up()) << "it had time left: the server was what it waited for";
  r.found.all_busy_cpu = 7'500ms;
  EXPECT_FALSE(r.kept_up());
  ASSERT_EQ(r.warnings().size(), 1U);
  EXPECT_NE(r.warnings()[0].find("computed for 94 % of the time"), std::string::npos) << r.warnings()[0];
  r.found.all_busy = r.found.all_busy_cpu = 100ms;
  EXPECT_TRUE(r.kept_up()) << "that was a moment";
}

TEST(LoadReport, ShowsTimesInThreeDigits) {
  EXPECT_EQ(show_time(0ns), "0");
  EXPECT_EQ(show_time(999ns), "999 ns");
  EXPECT_EQ(show_time(1'000ns), "1.00 us");
  EXPECT_EQ(show_time(12'345ns), "12.3 us");
  EXPECT_EQ(show_time(412us), "412 us");
  EXPECT_EQ(show_time(999'900ns), "1.00 ms");
  EXPECT_EQ(show_time(1'234us), "1.23 ms");
  EXPECT_EQ(show_time(2'100ms), "2.10 s");
  EXPECT_EQ(show_time(1h), "3600 s");
}

} // namespace
} // namespace load
