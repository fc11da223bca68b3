#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <fmt/format.h>

#include <greenroom/runtime/detail/cgroup_limits.hpp>
#include <greenroom/tools/greenroom/doctor_checks.hpp>
#include <greenroom/tools/greenroom/doctor_files.hpp>

namespace fs = std::filesystem;

namespace doctor {
namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

struct process_limit {
  std::uint64_t soft;
  std::uint64_t hard;
};

std::optional<process_limit> limit_of(const fs::path& root, std::string_view name) {
  const auto line = line_after(root / "proc/self/limits", name);
  if (!line) return std::nullopt;
  const auto number = [&](std::size_t at) { return number_of(word_of(*line, at)).value_or(unlimited); };
  return process_limit{number(0), number(1)};
}

std::string shown(std::uint64_t limit) { return limit == unlimited ? "unlimited" : std::to_string(limit); }

finding open_files(const fs::path& root) {
  constexpr std::uint64_t few = 4'096;
  finding f{.name = "open files",
            .why = "Each connection takes a file descriptor; when they are used up, nobody else can connect."};
  const auto limit = limit_of(root, "Max open files");
  if (!limit) return f.level = level::note, f.value = "unknown", f;
  f.value = fmt::format("{}, at most {}", shown(limit->soft), shown(limit->hard));
  if (limit->soft >= few) return f;
  f.level = level::warning;
  f.change = limit->hard >= few ? fmt::format("ulimit -n {}; in a unit of systemd LimitNOFILE=65536",
                                              std::min<std::uint64_t>(limit->hard, 65'536))
                                : "in a unit of systemd LimitNOFILE=65536; for users nofile in "
                                  "/etc/security/limits.conf; docker run --ulimit nofile=65536";
  return f;
}

finding core_size(const fs::path& root) {
  finding f{.name = "core dumps", .why = "A crash leaves something to look at with a debugger."};
  const auto limit = limit_of(root, "Max core file size");
  if (!limit) return f.level = level::note, f.value = "unknown", f;
  f.value = limit->soft == 0 ? "none" : limit->soft == unlimited ? "whole" : fmt::format("up to {} bytes", limit->soft);
  if (limit->soft != 0) return f;
  f.level = level::note;
  f.why = "A crash leaves nothing to look at with a debugger.";
  f.change = "ulimit -c unlimited; in a unit of systemd LimitCORE=infinity";
  return f;
}

finding core_pattern(const fs::path& root) {
  finding f{.name = "core pattern", .why = "Says where core dumps go."};
  const auto pattern = line_in(root / "proc/sys/kernel/core_pattern");
  f.value = pattern.value_or("unknown");
  if (!pattern) return f.level = level::note, f;
  if (pattern->starts_with('|') || pattern->starts_with('/')) return f;
  f.level = level::note;
  f.why = "Core dumps go to the folder that the process runs in, where a service may write nothing, and the next one "
          "overwrites the last.";
  f.change = "sysctl -w kernel.core_pattern=/var/crash/%e.%p.%t, or install systemd-coredump";
  return f;
}

/// Counts a list such as "0-3,8".
std::uint64_t count_of(std::string_view list) {
  std::uint64_t count = 0;
  while (!list.empty()) {
    const auto range = list.substr(0, list.find(','));
    list.remove_prefix(std::min(range.size() + 1, list.size()));
    const auto dash = std::min(range.find('-'), range.size());
    const auto first = number_of(std::string(range.substr(0, dash)));
    const auto last = dash == range.size() ? first : number_of(std::string(range.substr(dash + 1)));
    if (first && last && *last >= *first) count += *last - *first + 1;
  }
  return count;
}

finding processors(const fs::path& root) {
  finding f{.name = "processors", .why = "A system of actors starts a worker for each."};
  const auto list = line_after(root / "proc/self/status", "Cpus_allowed_list");
  const auto count = count_of(list.value_or(""));
  const auto quota = greenroom::detail::cgroup_cpu_limit(root);
  if (count == 0) return f.level = level::note, f.value = "unknown", f;
  f.value = fmt::format("{}", count);
  if (!quota || *quota >= static_cast<double>(count)) return f;
  f.value += fmt::format(", of which the control group allows {:.4g}", *quota);
  if (*quota == std::floor(*quota)) return f;
  f.level = level::note;
  f.why = fmt::format(
      "{:.0f} worker(s) start, and when they have used up their share the kernel stops them all until its next period, "
      "with every deadline and every answer.",
      std::ceil(*quota));
  f.change = fmt::format("allow whole processors: docker run --cpus={0:.0f}; in a unit of systemd CPUQuota={0:.0f}00%",
                         std::ceil(*quota));
  return f;
}

finding throttling(const fs::path& root) {
  constexpr double much = 0.01;
  finding f{
      .name = "throttling", .value = "none", .why = "While the kernel holds the process back, all its deadlines pass."};
  for (const auto& group : greenroom::detail::cgroup_folders(root, "cpu")) {
    const auto periods = number_of(line_after(group / "cpu.stat", "nr_periods "));
    const auto throttled = number_of(line_after(group / "cpu.stat", "nr_throttled "));
    if (!periods || !throttled) continue;
    if (*periods == 0) return f;
    const auto share = static_cast<double>(*throttled) / static_cast<double>(*periods);
    f.value = fmt::format("in {:.1f} % of {} periods", 100 * share, *periods);
    if (share <= much) return f;
    f.level = level::warning;
    f.change = "raise the CPU quota of the control group, or start fewer workers (--workers)";
    return f;
  }
  return f;
}

finding memory(const fs::path& root) {
  constexpr std::uint64_t little = 256ULL << 20;
  finding f{.name = "memory", .why = "Beyond its limit the kernel ends the process without a word."};
  const auto kib = number_of(line_after(root / "proc/meminfo", "MemTotal:"));
  if (!kib) return f.level = level::note, f.value = "unknown", f;
  f.value = size_text(*kib * 1'024);
  const auto limit = greenroom::detail::cgroup_memory_limit(root);
  if (limit) f.value += fmt::format(", of which the control group allows {}", size_text(*limit));
  if (std::min(limit.value_or(unlimited), *kib * 1'024) >= little) return f;
  f.level = level::warning;
  f.change = "allow 256 MiB at least (docker run --memory=512m, MemoryMax=512M), or bound connections and bodies "
             "(http/limits.hpp)";
  return f;
}

finding kills(const fs::path& root) {
  finding f{.name = "kills for memory",
            .value = "none",
            .why = "The control group has ended processes that wanted more than it allows."};
  for (const auto& group : greenroom::detail::cgroup_folders(root, "memory")) {
    const auto count = number_of(line_after(group / "memory.events", "oom_kill "));
    if (!count) continue;
    if (*count == 0) return f;
    f.level = level::warning;
    f.value = std::to_string(*count);
    f.change = "allow more memory, or look for what grows: the queues of /graph, the actors of sys.ledger()";
    return f;
  }
  return f;
}

} // namespace

std::vector<finding> check_limits(const fs::path& root) {
  return {open_files(root), core_size(root), core_pattern(root), processors(root),
          throttling(root), memory(root),    kills(root)};
}

} // namespace doctor
