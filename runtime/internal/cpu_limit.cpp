#include <greenroom/runtime/internal/cpu_limit.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include <sched.h>

namespace greenroom::internal {

namespace {

namespace fs = std::filesystem;

std::optional<double> ratio(double quota, double period) {
  if (quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

/// Version 2 has "QUOTA PERIOD" in one file, with the quota "max" for no limit.
std::optional<double> limit_v2(const fs::path& group) {
  std::ifstream file{group / "cpu.max"};
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period)) return std::nullopt;
  return ratio(quota, period);
}

/// Version 1 has two files, with the quota -1 for no limit.
std::optional<double> limit_v1(const fs::path& group) {
  double quota = 0;
  double period = 0;
  if (!(std::ifstream{group / "cpu.cfs_quota_us"} >> quota)) return std::nullopt;
  if (!(std::ifstream{group / "cpu.cfs_period_us"} >> period)) return std::nullopt;
  return ratio(quota, period);
}

template <class T>
void keep_smaller(std::optional<T>& kept, const std::optional<T>& other) {
  if (other && (!kept || *other < *kept)) kept = other;
}

/// The limits of a group and of all groups above it hold together. In a container the group's path
/// may be the host's, which does not exist here: then the root of the tree stands for the
/// container's own group.
template <class Limit>
std::optional<double> tightest(const fs::path& mount, std::string_view group, Limit limit) {
  std::optional<double> found;
  for (fs::path at = fs::path{group}.relative_path(); !at.empty(); at = at.parent_path()) {
    keep_smaller(found, limit(mount / at));
  }
  keep_smaller(found, limit(mount));
  return found;
}

bool lists_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const auto comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "cpu") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

} // namespace

std::optional<double> cgroup_cpu_limit(const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::optional<double> found;
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
      keep_smaller(found, tightest(mount, group, limit_v2));
    } else if (lists_cpu(controllers)) {
      keep_smaller(found, tightest(mount / controllers, group, limit_v1));
      keep_smaller(found, tightest(mount / "cpu", group, limit_v1));
    }
  }
  return found;
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

} // namespace greenroom::internal
