/// How many processors this process may keep busy: its affinity mask and the limits of its control
/// groups.
/// Thread safety: any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace greenroom::internal {

/// Returns the processors in the affinity mask, or fewer where a control group allows less time
/// than they have; part of a processor counts as a whole one. At least 1.
std::size_t usable_cpus();

/// Returns the tightest limit, in processors, of the control groups that the process is in: version
/// 2, or the "cpu" controller of version 1. Nothing where there is no limit or none can be read.
/// `root` is the place of the folders proc and sys: "/", or a test's.
std::optional<double> cgroup_cpu_limit(const std::filesystem::path& root);

} // namespace greenroom::internal
