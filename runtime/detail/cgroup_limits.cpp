#include <greenroom/runtime/detail/cgroup_limits.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include <sched.h>

namespace greenroom::detail {

namespace {

namespace fs = std::filesystem;

template <class Number>
std::optional<Number> number_in(const fs::path& file) {
  Number n{};
  if (std::ifstream{file} >> n) return n;
  return std::nullopt;
}

std::optional<double> ratio(double quota, double period) {
  if (quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

/// Version 2 has "QUOTA PERIOD" in one file, with the quota "max" for no limit; version 1 two files, with -1 for no limit.
std::optional<double> cpu_limit_of(const fs::path& group) {
  std::ifstream file{group / "cpu.max"};
  double quota = 0;
  double period = 0;
  if (file >> quota >> period) return ratio(quota, period);
  return ratio(number_in<double>(group / "cpu.cfs_quota_us").value_or(0),
               number_in<double>(group / "cpu.cfs_period_us").value_or(0));
}

/// Version 1 says "no limit" with a number that no machine has.
std::optional<std::uint64_t> memory_limit_of(const fs::path& group) {
  constexpr std::uint64_t beyond_all = 1ULL << 60;
  auto limit = number_in<std::uint64_t>(group / "memory.max");
  if (!limit) limit = number_in<std::uint64_t>(group / "memory.limit_in_bytes");
  return limit && *limit < beyond_all ? limit : std::nullopt;
}

/// The limits of a group and of all groups above it hold together.
template <class Limit>
auto tightest(const std::vector<fs::path>& groups, Limit limit) {
  decltype(limit(groups.front())) found;
  for (const auto& group : groups) {
    const auto other = limit(group);
    if (other && (!found || *other < *found)) found = other;
  }
  return found;
}

/// In a container the group's path may be the host's, which does not exist here: then the root of the tree stands for the
/// container's own group.
void add_way_up(std::vector<fs::path>& to, const fs::path& mount, std::string_view group) {
  for (fs::path at = fs::path{group}.relative_path(); !at.empty(); at = at.parent_path()) to.push_back(mount / at);
  to.push_back(mount);
}

bool lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const auto comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == wanted) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

} // namespace

std::vector<fs::path> cgroup_folders(const fs::path& root, std::string_view controller) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::vector<fs::path> found;
  std::ifstream groups{root / "proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);) {
    // HIERARCHY:CONTROLLERS:PATH
    const auto first = line.find(':');
    if (first == std::string::npos) continue;
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      add_way_up(found, mount, group);
    } else if (lists(controllers, controller)) {
      add_way_up(found, mount / controllers, group);
      add_way_up(found, mount / controller, group);
    }
  }
  return found;
}

std::optional<double> cgroup_cpu_limit(const fs::path& root) {
  return tightest(cgroup_folders(root, "cpu"), cpu_limit_of);
}

std::optional<std::uint64_t> cgroup_memory_limit(const fs::path& root) {
  return tightest(cgroup_folders(root, "memory"), memory_limit_of);
}

std::size_t usable_cpus() {
  std::size_t count = std::max(1u, std::thread::hardware_concurrency());
  cpu_set_t mask;
  // Fails where the machine has more processors than the mask has bits.
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    count = static_cast<std::size_t>(std::max(1, CPU_COUNT(&mask)));
  }
  if (const auto limit = cgroup_cpu_limit("/"); limit && *limit < static_cast<double>(count)) {
    count = std::max(std::size_t{1}, static_cast<std::size_t>(std::ceil(*limit)));
  }
  return count;
}

} // namespace greenroom::detail
