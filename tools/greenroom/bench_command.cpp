#include <greenroom/tools/greenroom/bench_command.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <greenroom/runtime/error.hpp>
#include <greenroom/tools/bench/greenroom_bench.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>

using namespace greenroom;

namespace cli {
namespace {

using workload = bench::workload<actor_system>;

constexpr std::int64_t quick_items = 20'000;
constexpr std::int64_t quick_milliseconds = 200; // of the one whose items are such
constexpr unsigned longest_run = 300;            // Units: seconds

struct wanted {
  std::vector<const workload*> which;
  std::vector<std::size_t> threads;
  std::uint64_t runs = 3;
  bool quick = false;
  bool json = false;
};

bool is_idle(const workload& w) { return std::string_view(w.name) == "idle"; }

std::int64_t items_of(const workload& w, bool quick) {
  const auto n = !quick ? w.n : is_idle(w) ? quick_milliseconds : std::min(w.n, quick_items);
  return bench::rounded(n, w.unit);
}

// -- one run: a process of its own, as memory that one leaves behind would be what the next finds ----------------------

[[noreturn]] void be_child(const workload& w, const bench::arguments& args, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::alarm(longest_run);
  int code = 1;
  try {
    const auto found = bench::run_workload(w, args);
    if (::write(out, &found, sizeof found) == static_cast<ssize_t>(sizeof found)) code = 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "greenroom: %s: %s\n", w.name, e.what());
  }
  ::_exit(code);
}

error ended(const workload& w, int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    return error(errc::timed_out, fmt::format("{}: took longer than {} s", w.name, longest_run));
  if (WIFSIGNALED(status))
    return error(errc::failed, fmt::format("{}: was ended by signal {}", w.name, WTERMSIG(status)));
  return error(errc::failed, fmt::format("{}: ended with code {}", w.name, WEXITSTATUS(status)));
}

/// Requires: this process has one thread.
result<bench::measured> run_apart(const workload& w, const bench::arguments& args) {
  int ends[2];
  if (::pipe(ends) != 0)
    return error(errc::io, fmt::format("{}: cannot make a pipe: {}", w.name, std::strerror(errno)));
  const auto child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    be_child(w, args, ends[1]);
  }
  ::close(ends[1]);
  bench::measured found;
  const auto n = child < 0 ? 0 : ::read(ends[0], &found, sizeof found);
  ::close(ends[0]);
  if (child < 0) return error(errc::io, fmt::format("{}: cannot start a process: {}", w.name, std::strerror(errno)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (status != 0 || n != static_cast<ssize_t>(sizeof found)) return ended(w, status);
  const auto right = w.right(args.n);
  if (found.found.check != right)
    return error(errc::failed, fmt::format("{}: computed {} where {} is right", w.name, found.found.check, right));
  return found;
}

// -- the table ----------------------------------------------------------------------------------------------------------

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

template <class Value>
double median_of(const std::vector<bench::measured>& runs, Value value) {
  std::vector<double> values;
  for (const auto& r : runs) values.push_back(value(r));
  return median(std::move(values));
}

std::string number(double value) { return fmt::format("{:.{}f}", value, value >= 100 ? 0 : value >= 10 ? 1 : 2); }

std::string row_of(const workload& w, const bench::arguments& args, const std::vector<bench::measured>& runs) {
  const auto row = [&](std::string_view name, const std::string& time, const std::string& cpu, const std::string& bytes,
                       std::string_view item) {
    return fmt::format("{:<16}{:>8}{:>12}{:>12}{:>8}  {}\n", name, args.threads, time, cpu, bytes, item);
  };
  const auto each = [&args](double seconds) { return 1e9 * seconds / static_cast<double>(args.n); };
  const auto cpu = median_of(runs, [](const auto& r) { return r.cpu_seconds; });
  if (is_idle(w)) {
    const auto time = median_of(runs, [](const auto& r) { return r.seconds; });
    const auto switches = median_of(runs, [](const auto& r) { return static_cast<double>(r.context_switches); });
    return row(w.name, "", number(each(cpu)), "",
               fmt::format("{}; {} context switches a second", w.item, number(switches / time)));
  }
  const auto bytes = median_of(runs, [](const auto& r) { return r.found.bytes_each; });
  return row(w.name, number(each(median_of(runs, [](const auto& r) { return r.seconds; }))), number(each(cpu)),
             bytes == 0 ? "" : fmt::format("{:.0f}", bytes), w.item);
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

int list() {
  for (const auto& w : bench::workloads()) print(fmt::format("{:<16}{}\n", w.name, w.item));
  return 0;
}

int run_all(const wanted& all) {
  int code = 0;
  if (!all.json)
    print(fmt::format("{:<16}{:>8}{:>12}{:>12}{:>8}  {}\n", "", "threads", "ns an item", "CPU ns", "bytes", "an item"));
  for (const auto* w : all.which) {
    for (const auto threads : all.threads) {
      const bench::arguments args{.bench = w->name, .threads = threads, .n = items_of(*w, all.quick), .policy = {}};
      std::vector<bench::measured> runs;
      for (std::uint64_t i = 0; i < all.runs; ++i) {
        const auto found = run_apart(*w, args);
        if (!found) {
          code = fail(found.error().message());
          break;
        }
        runs.push_back(*found);
        if (all.json) print(bench::line_of(args, "greenroom", *found) + "\n");
      }
      if (!all.json && !runs.empty()) print(row_of(*w, args, runs));
    }
  }
  if (!all.json)
    print(fmt::format("\nmedians of {} run{} each, on {} processors; CPU: of all threads together{}\n", all.runs,
                      all.runs == 1 ? "" : "s", std::max(1U, std::thread::hardware_concurrency()),
                      all.quick ? "; --quick: do they work, not how fast" : ""));
  return code;
}

// -- the command line -----------------------------------------------------------------------------------------------------

result<std::vector<std::size_t>> read_threads(const arguments& given) {
  const auto processors = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  const auto text = given.text("--threads");
  if (!text) return processors == 1 ? std::vector<std::size_t>{1} : std::vector<std::size_t>{1, processors};
  std::vector<std::size_t> all;
  for (std::string_view left = *text;;) {
    const auto end = std::min(left.find(','), left.size());
    const auto n = read_real(left.substr(0, end));
    if (!n || *n < 1 || *n > 1'024 || *n != static_cast<double>(static_cast<std::size_t>(*n)))
      return error(errc::invalid_argument,
                   fmt::format("--threads: '{}' is not a list of numbers from 1 to 1024, as 1,2", *text));
    all.push_back(static_cast<std::size_t>(*n));
    if (end == left.size()) return all;
    left.remove_prefix(end + 1);
  }
}

result<std::vector<const workload*>> read_names(const arguments& given) {
  std::vector<const workload*> which;
  std::vector<std::string_view> names;
  for (const auto& w : bench::workloads()) {
    names.emplace_back(w.name);
    if (given.rest().empty()) which.push_back(&w);
  }
  for (const auto& name : given.rest()) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) {
      which.push_back(&bench::workloads()[static_cast<std::size_t>(found - names.begin())]);
      continue;
    }
    const auto near = nearest(name, names);
    return error(errc::invalid_argument,
                 fmt::format("'{}' is no benchmark; {}", name,
                             near.empty() ? "--list names them" : fmt::format("near is {}", fmt::join(near, ", "))));
  }
  return which;
}

int run_bench(const arguments& given) {
  if (given.has("--list")) return list();
  wanted all;
  all.quick = given.has("--quick");
  all.json = given.has("--json");
  auto which = read_names(given);
  if (!which) return fail_usage(which.error().message());
  auto threads = read_threads(given);
  if (!threads) return fail_usage(threads.error().message());
  const auto runs = given.number("--runs", all.quick ? 1 : 3, 1, 1'000);
  if (!runs) return fail_usage(runs.error().message());
  all.which = *std::move(which);
  all.threads = *std::move(threads);
  all.runs = *runs;
  return run_all(all);
}

constexpr option bench_options[] = {
    {"--list", "", "only say what there is, and what an item of each is"},
    {"--threads", "LIST", "worker threads to run with, as 1,2 (default 1, and as many as there are processors)"},
    {"--runs", "N", "runs of each, whose median is shown (default 3)"},
    {"--quick", "", "one run each of few items: shows that they work, not how fast"},
    {"--json", "", "print each run as a JSON line, in the form of tools/bench/compare"},
};

} // namespace

constinit const command bench_command{
    "bench",
    "[NAME...]",
    "measures what actors, messages and timers cost on this machine",
    "Runs the micro benchmarks of Greenroom, all or those named, each run in a process of its own, and prints a table: "
    "nanoseconds an item, nanoseconds "
    "of all threads' CPU time an item, and the memory of an item where that is the question. Each run is checked for "
    "having done its work.\n\n"
    " greenroom bench pingpong spawn --threads 1\n\n"
    "They all take a minute or two; other work on the machine disturbs them.",
    bench_options,
    run_bench,
};

} // namespace cli
