// Jobs that survive a restart, seen and begun by hand.
#include <filesystem>
#include <iostream>
#include <string>

#include <unistd.h>

#include <greenroom/actors/scheduled_jobs.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<result<void>> send_report(std::string whom) { // a job; task<> if it cannot fail
  if (whom.empty()) co_return error(errc::invalid_argument, "nobody to send it to");
  std::cout << "a report for " << whom << '\n';
  co_return result<void>();
}

task<> look_at(scheduled_jobs jobs) {
  auto report = co_await jobs.run_now("report"); // pause, resume, cancel and remove are called in the same way
  while (report->running) {
    co_await sleep_for(1ms);
    report = co_await jobs.look("report");
  }
  (void)co_await jobs.pause("report");
  const auto all = co_await jobs.list();
  for (const auto& job : *all)
    std::cout << job.name << ", " << job.when << (job.paused ? ", paused" : "") << ": " << job.runs << " runs\n";
}

void one_life(const std::filesystem::path& file) {
  actor_system sys({.workers = 1});
  const auto jobs = scheduled_jobs::open(sys, file).value(); // or scheduled_jobs jobs(sys): in memory
  jobs.add({.name = "report", .when = schedule::every(1h), .limit = 10s}, send_report, std::string("the boss")).value();
  sys.run(look_at, jobs).value();
  jobs.stop();
  jobs.self().wait(); // its runs have ended
}

int main() {
  const auto file = std::filesystem::temp_directory_path() / ("jobs_" + std::to_string(::getpid()) + ".db");
  one_life(file);
  one_life(file);
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file.native() + part);
}
