// A state that outlives the program: it is changed by records of a journal alone, and what was answered is on disk.
#include <filesystem>
#include <iostream>
#include <string>

#include <unistd.h>

#include <greenroom/actors/event_sourced.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct add {
  int by;
  using reply = int;
};

struct tally {
  int sum = 0;

  result<void> apply(const journal_record& r) { // the only thing that changes it; at the start, too
    sum += std::stoi(r.content);
    return {};
  }
  std::string save() const { return std::to_string(sum); } // a snapshot, so that a start need not read all
  static result<tally> load(std::string_view snapshot) { return tally{std::stoi(std::string(snapshot))}; }

  result<int> decide(const add& what, changes<tally>& to) const {
    if (what.by == 0) return error(errc::invalid_argument, "nothing to add");
    const auto written = to.append({.content = std::to_string(what.by)});
    if (!written) return written.error();
    return sum; // with the new record: append() has applied it
  }
};

task<> add_some(event_sourced<tally> sums) {
  for (const int by : {5, 0, 7}) {
    const auto now = co_await sums.tell(add{by}, 5s);
    std::cout << by << ": " << (now ? std::to_string(*now) : std::string(now.error().message())) << '\n';
  }
}

int main() {
  const auto file = std::filesystem::temp_directory_path() / ("sums." + std::to_string(::getpid()) + ".db");
  for (int run = 1; run <= 2; ++run) { // the second one finds what the first has left
    actor_system sys;
    const event_sourced<tally> sums(sys, [file] { return open_sqlite_journal(file); });
    (void)sys.run(add_some, sums);
  }
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + end);
}
