/// What the control groups of this process leave it: processors and memory. `root` is the place of the folders proc and sys: "/", or a
/// test's.
/// Thread safety: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Returns the processors in the affinity mask, or fewer where a control group allows less time
/// than they have; part of a processor counts as a whole one. At least 1.
GREENROOM_EXPORT std::size_t usable_cpus();

/// Returns the folders of the groups that the process is in, and of those above them: of version 2, and of a controller of version 1, such
/// as "cpu". Not all of them need be there.
GREENROOM_EXPORT std::vector<std::filesystem::path> cgroup_folders(const std::filesystem::path& root,
                                                                   std::string_view controller);

/// Returns the tightest limit, in processors, of the control groups that the process is in: version
/// 2, or the "cpu" controller of version 1. Nothing where there is no limit or none can be read.
GREENROOM_EXPORT std::optional<double> cgroup_cpu_limit(const std::filesystem::path& root);

/// The same for memory. Units: bytes.
GREENROOM_EXPORT std::optional<std::uint64_t> cgroup_memory_limit(const std::filesystem::path& root);

} // namespace greenroom::detail
