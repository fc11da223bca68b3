// What the benchmark programs share: the command line, the measuring, and the JSON line.
// Thread safety: a meter is started and stopped by one thread at a time. Lifetime: nothing refers to anything else.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace greenroom::bench {

/// Returns the memory that the process holds now. Units: bytes.
inline double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// Measures from start() to stop(): set-up and clean-up stay outside.
class meter {
public:
  void start() { begin_ = look(); }
  void stop() { end_ = look(); }
  double seconds() const { return std::chrono::duration<double>(end_.time - begin_.time).count(); }
  double cpu_seconds() const { return end_.cpu - begin_.cpu; }
  std::int64_t context_switches() const { return end_.switches - begin_.switches; }

private:
  struct reading {
    std::chrono::steady_clock::time_point time;
    double cpu = 0;
    std::int64_t switches = 0;
  };
  static double seconds_of(const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  }
  static reading look() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return {std::chrono::steady_clock::now(), seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
            used.ru_nvcsw + used.ru_nivcsw};
  }

  reading begin_;
  reading end_;
};

/// What a bench found: a value that proves that the work was done, and the memory of each item where that is the question.
struct outcome {
  std::int64_t check = 0;
  double bytes_each = 0;
};

/// What a run has measured.
struct measured {
  double seconds = 0;
  double cpu_seconds = 0;
  std::int64_t context_switches = 0;
  outcome found = {};
};
inline measured result_of(const meter& m, const outcome& found) {
  return {m.seconds(), m.cpu_seconds(), m.context_switches(), found};
}

/// One workload. `System` is what it runs in.
template <class System>
struct workload {
  const char* name;
  std::int64_t n;    // default number of items
  std::int64_t unit; // n is rounded down to a multiple of it; 0: to a power of ten
  outcome (*run)(System& system, std::int64_t n, meter& m);
  const char* item = "";                           // what an item of it is, for those who show it
  std::int64_t (*right)(std::int64_t n) = nullptr; // the check value of a run that did all of its work
};

inline std::int64_t rounded(std::int64_t n, std::int64_t unit) {
  if (unit != 0) return std::max(n / unit, std::int64_t{1}) * unit;
  std::int64_t power = 10;
  while (power <= n / 10) power *= 10;
  return power;
}

/// A task of no interest for what it computes, that the compiler cannot leave out. The same in every language.
inline std::int64_t small_work(std::int64_t job) { return ((job * 2'654'435'761) >> 16) & 0xff; }

struct arguments {
  std::string_view bench;
  std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::int64_t n = 0;      // 0: the default of the bench
  std::string_view policy; // CAF only
};

/// Says on the error stream what is wrong with a word of the command line.
inline void complain(std::string_view word, const char* why) {
  std::fprintf(stderr, "'%.*s' %s\n", static_cast<int>(word.size()), word.data(), why);
}

/// Reads `NAME [--threads N] [--n N] [--policy P]`; nothing, having said why, if it is something else.
inline std::optional<arguments> parse(int argc, char** argv) {
  arguments args;
  const auto number = [](std::string_view option, std::string_view text, auto& value) {
    const auto end = text.data() + text.size();
    const auto [stopped, fault] = std::from_chars(text.data(), end, value);
    const bool good = fault == std::errc() && stopped == end && value > 0;
    if (!good) complain(option, "takes a whole number from 1 on, as far as 63 bits hold it");
    return good;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--threads" || word == "--n" || word == "--policy") {
      ++i;
      if (word == "--threads" && !number(word, value, args.threads)) return std::nullopt;
      if (word == "--n" && !number(word, value, args.n)) return std::nullopt;
      if (word == "--policy") args.policy = value;
    } else if (args.bench.empty() && !word.starts_with('-')) {
      args.bench = word;
    } else {
      complain(word, "is neither an option nor the one workload");
      return std::nullopt;
    }
  }
  if (args.bench.empty()) {
    std::fprintf(stderr, "no workload is named\n");
    return std::nullopt;
  }
  return args;
}

/// Finds the workload that the arguments name and fills in its n; null, having said so, if there is none.
template <class System>
const workload<System>* choose(std::span<const workload<System>> all, arguments& args) {
  for (const auto& w : all) {
    if (args.bench != w.name) continue;
    args.n = rounded(args.n == 0 ? w.n : args.n, w.unit);
    return &w;
  }
  complain(args.bench, "is no workload");
  return nullptr;
}

/// Writes a run as tools/bench/compare reads it, without a line feed.
inline std::string line_of(const arguments& args, const char* lang, const measured& m) {
  char line[512];
  const int length = std::snprintf(
      line, sizeof line,
      "{\"bench\":\"%.*s\",\"lang\":\"%s\",\"threads\":%zu,\"n\":%lld,\"seconds\":%.9f,\"cpu_seconds\":%.6f,"
      "\"bytes_each\":%.1f,\"check\":%lld,\"context_switches\":%lld}",
      static_cast<int>(args.bench.size()), args.bench.data(), lang, args.threads, static_cast<long long>(args.n),
      m.seconds, m.cpu_seconds, m.found.bytes_each, static_cast<long long>(m.found.check),
      static_cast<long long>(m.context_switches));
  return std::string(line, static_cast<std::size_t>(length));
}

template <class System>
int print_usage(const char* program, std::span<const workload<System>> all) {
  std::fprintf(stderr, "usage: %s NAME [--threads N] [--n N]; NAME is one of:", program);
  for (const auto& w : all) std::fprintf(stderr, " %s", w.name);
  std::fprintf(stderr, "\n");
  return 2;
}

inline void print_line(const arguments& args, const char* lang, const meter& m, const outcome& found) {
  std::printf("%s\n", line_of(args, lang, result_of(m, found)).c_str());
  std::fflush(stdout);
}

} // namespace greenroom::bench
