#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/tools/greenroom/doctor_checks.hpp>
#include <greenroom/tools/greenroom/doctor_files.hpp>

namespace fs = std::filesystem;

namespace doctor {
namespace {

/// A setting that is a number and should be at least so much.
struct least_setting {
  std::string_view name;
  std::string_view key; // as sysctl names it
  std::uint64_t least;
  doctor::level below;
  std::string_view why;
};

constexpr std::array least_settings{
    least_setting{"accept queue", "net.core.somaxconn", 4'096, level::warning,
                  "The server asks for room for 4,096 connections that wait to be accepted; the kernel cuts it to "
                  "this, and drops those beyond."},
    least_setting{"half-open queue", "net.ipv4.tcp_max_syn_backlog", 1'024, level::note,
                  "So many connections may be half open; in a burst those beyond are answered with cookies, or wait a "
                  "second for their next try."},
    least_setting{"randomness", "kernel.random.entropy_avail", 128, level::note,
                  "TLS and random seeds wait for randomness when the kernel has none; since Linux 5.18 it has, once it "
                  "has started."},
};

fs::path file_of(const fs::path& root, std::string_view key) {
  std::string path(key);
  std::replace(path.begin(), path.end(), '.', '/');
  return root / "proc/sys" / path;
}

finding check(const fs::path& root, const least_setting& s) {
  finding f{.name = std::string(s.name), .why = std::string(s.why)};
  const auto value = number_in(file_of(root, s.key));
  f.value = value ? fmt::format("{} = {}", s.key, *value) : "unknown";
  if (!value) return f.level = level::note, f;
  if (*value >= s.least) return f;
  f.level = s.below;
  f.change =
      s.key.starts_with("net.") ? fmt::format("sysctl -w {}={}", s.key, s.least) : "install rng-tools5 or haveged";
  return f;
}

finding local_ports(const fs::path& root) {
  constexpr std::uint64_t few = 16'384;
  finding f{.name = "local ports",
            .why = "Each connection to another service takes one, for a minute after its end, too; when they are used "
                   "up, calls fail."};
  const auto line = line_in(root / "proc/sys/net/ipv4/ip_local_port_range");
  const auto first = number_of(line), last = number_of(word_of(line.value_or(""), 1));
  if (!first || !last || *last < *first) return f.level = level::note, f.value = "unknown", f;
  const auto count = *last - *first + 1;
  f.value = fmt::format("{} to {}: {}", *first, *last, count);
  if (count >= few) return f;
  f.level = level::warning;
  f.change = "sysctl -w net.ipv4.ip_local_port_range='32768 60999'";
  return f;
}

finding port_reuse(const fs::path& root) {
  finding f{.name = "reuse of ports",
            .why = "Whether a port that waits for its minute may serve a new connection: 1 yes, 2 on loopback, 0 no."};
  const auto value = number_in(root / "proc/sys/net/ipv4/tcp_tw_reuse");
  f.value = value ? fmt::format("net.ipv4.tcp_tw_reuse = {}", *value) : "unknown";
  if (value && *value != 0) return f;
  f.level = level::note;
  f.change = "sysctl -w net.ipv4.tcp_tw_reuse=1";
  return f;
}

finding overcommit(const fs::path& root) {
  finding f{.name = "overcommit",
            .why = "Whether the kernel promises more memory than there is: 0 within reason, 1 always, 2 never."};
  const auto value = number_in(root / "proc/sys/vm/overcommit_memory");
  f.value = value ? fmt::format("vm.overcommit_memory = {}", *value) : "unknown";
  if (value && *value != 2) return f;
  f.level = level::note;
  if (value) {
    f.why = "Memory that is promised counts as used: each thread of blocking() takes its whole stack, 8 MiB by "
            "default, and then "
            "allocations fail.";
    f.change = "sysctl -w vm.overcommit_memory=0, or fewer threads (--blocking-threads)";
  }
  return f;
}

finding huge_pages(const fs::path& root) {
  finding f{.name = "huge pages", .why = "Whether memory is given in pages of 2 MiB without being asked."};
  const auto line = line_in(root / "sys/kernel/mm/transparent_hugepage/enabled").value_or("");
  const auto open = line.find('['), close = line.find(']');
  if (open == line.npos || close == line.npos) return f.level = level::note, f.value = "unknown", f;
  f.value = line.substr(open + 1, close - open - 1);
  if (f.value != "always") return f;
  f.level = level::note;
  f.why =
      "A few actors left on a page of 2 MiB keep all of it, and the kernel stops threads while it makes such pages.";
  f.change = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled";
  return f;
}

finding clock_source(const fs::path& root) {
  constexpr std::array<std::string_view, 6> quick{
      "tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page", "pvclock", "timebase"};
  finding f{.name = "clock",
            .why = "Timers and deadlines look at it all the time; these are read without a system call."};
  const auto source = line_in(root / "sys/devices/system/clocksource/clocksource0/current_clocksource");
  f.value = source.value_or("unknown");
  if (!source) return f.level = level::note, f;
  if (std::find(quick.begin(), quick.end(), *source) != quick.end()) return f;
  f.level = level::warning;
  f.why = "Each look at this clock is a system call of about a microsecond, and timers and deadlines look at it all "
          "the time.";
  f.change = "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource, if available_clocksource "
             "beside it lists it";
  return f;
}

finding time_zones(const fs::path& root) {
  finding f{.name = "time zone database",
            .value = "/usr/share/zoneinfo",
            .why = "Cron expressions in places other than UTC need it."};
  std::error_code problem;
  if (fs::exists(root / "usr/share/zoneinfo/UTC", problem) ||
      fs::exists(root / "usr/share/zoneinfo/tzdata.zi", problem))
    return f;
  f.level = level::warning;
  f.value = "none";
  f.change = "apt-get install tzdata";
  return f;
}

finding kernel(const fs::path& root) {
  finding f{.name = "kernel", .why = "For reports of faults."};
  f.value = line_in(root / "proc/sys/kernel/osrelease").value_or("unknown");
  return f;
}

} // namespace

std::vector<finding> check_kernel(const fs::path& root) {
  std::vector<finding> all{kernel(root)};
  for (const auto& s : least_settings) all.push_back(check(root, s));
  for (const auto check_one : {local_ports, port_reuse, overcommit, huge_pages, clock_source, time_zones})
    all.push_back(check_one(root));
  return all;
}

} // namespace doctor
