// Jobs on schedules: without drift, never two runs of one job at once, and what fails ends one run and no more. Here time is virtual, so that an hour takes
// no time and the output is the same each time; in a program `scheduled_jobs jobs(sys)` runs by the clocks of the machine.
// In Go: a goroutine with a time.Ticker for each, a mutex against overlaps, a recover() around it, and a library for the calendar.
//
// Run: 15_scheduled_jobs
// You will see what an hour brings, and how each job stands.
#include <cstdio>
#include <string>

#include <greenroom/actors/scheduled_jobs.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/testkit/simulation.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> take_a_sample(int* samples) {
  ++*samples;
  co_return;
}

task<> make_report() { co_await sleep_for(25min); }

task<result<void>> fetch_rates() { co_return error(errc::upstream, "the bank is closed"); }

task<> wait_for_a_signal() { co_await sleep_for(1h); }

void print(const job_info& job) {
  std::printf("%-7s %-17s %3d runs, %d failed, %d left out", job.name.c_str(), job.when.c_str(),
              static_cast<int>(job.runs), static_cast<int>(job.failures), static_cast<int>(job.skipped));
  if (!job.history.empty()) {
    const auto& last = job.history.front();
    std::printf("; the last has %s%s%s", to_string(last.outcome), last.error.empty() ? "" : ": ", last.error.c_str());
  }
  std::printf("\n");
}

task<> an_hour() {
  scheduled_jobs jobs(this_actor::system());
  int samples = 0;
  (void)jobs.add({.name = "sample", .when = schedule::every(500ms)}, take_a_sample, &samples);
  (void)jobs.add({.name = "report", .when = schedule::every(10min), .overlap = overlap_rule::skip}, make_report);
  (void)jobs.add({.name = "rates", .when = cron::parse("*/15 * * * *").value()}, fetch_rates);
  (void)jobs.add({.name = "signal", .when = schedule::every(20min), .limit = 30s}, wait_for_a_signal);
  const auto bad = jobs.add({.name = "my job", .when = schedule::every(1s)}, wait_for_a_signal);
  std::printf("%s\n", std::string(bad.error().message()).c_str());

  co_await sleep_for(1h + 1s);
  for (const char* name : {"sample", "report", "rates", "signal"}) {
    const auto job = co_await jobs.look(name);
    print(*job);
  }
  std::printf("%d samples\n", samples);

  (void)co_await jobs.pause("sample");
  (void)co_await jobs.run_now("rates");
  co_await sleep_for(1min);
  const auto rates = co_await jobs.look("rates");
  std::printf("a minute later: %d samples, the run %d of rates was begun by hand\n", samples,
              static_cast<int>(rates->history.front().number));
  jobs.stop();
  (void)co_await jobs.self().join(); // every run has unwound
}

int main() {
  testkit::simulation world;
  testkit::random_schedule by(1);
  const auto report = world.run(by, an_hour);
  std::printf("%s\n", report.passed() ? "nothing was left behind" : report.why.c_str());
}
