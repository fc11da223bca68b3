#include <greenroom/runtime/detail/cgroup_limits.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include <stdlib.h>

#include <gtest/gtest.h>

namespace greenroom::detail::cgroup_limits_test {
namespace {

namespace fs = std::filesystem;

/// A tree of the kernel's files, as in a container or on a host.
class CgroupLimits : public testing::Test {
protected:
  CgroupLimits() {
    std::string pattern = (fs::temp_directory_path() / "greenroom_cgroups_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary folder: " << pattern;
    root_ = pattern;
  }
  ~CgroupLimits() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& content) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream{root_ / path} << content;
  }
  std::optional<double> limit() const { return cgroup_cpu_limit(root_); }

  fs::path root_;
};

TEST_F(CgroupLimits, NothingReadableMeansNoLimit) {
  EXPECT_EQ(limit(), std::nullopt);
  write("proc/self/cgroup", "\n:\nnonsense\n0::/a\n");
  EXPECT_EQ(limit(), std::nullopt);
}

TEST_F(CgroupLimits, Version2DividesQuotaByPeriod) {
  write("proc/self/cgroup", "0::/a\n");
  write("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(limit(), 1.5);
}

TEST_F(CgroupLimits, Version2WordMaxIsNoLimit) {
  write("proc/self/cgroup", "0::/a\n");
  write("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(limit(), std::nullopt);
}

TEST_F(CgroupLimits, TheTightestGroupOnTheWayUpCounts) {
  write("proc/self/cgroup", "0::/a/b/c\n");
  write("sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
  write("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2.0);
}

TEST_F(CgroupLimits, InAContainerTheRootOfTheTreeIsTheOwnGroup) {
  write("proc/self/cgroup", "0::/docker/0123\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(limit(), 0.5);
}

TEST_F(CgroupLimits, Version1ReadsTheCpuControllerOnly) {
  write("proc/self/cgroup", "3:cpuset:/x\n2:cpu,cpuacct:/a\n0::/\n");
  write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n");
  write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpuset/x/cpu.cfs_quota_us", "100000\n");
  write("sys/fs/cgroup/cpuset/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), 3.0);
}

TEST_F(CgroupLimits, Version1MinusOneIsNoLimit) {
  write("proc/self/cgroup", "1:cpu:/\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), std::nullopt);
}

TEST_F(CgroupLimits, MemoryOfBothVersionsIsTheTightest) {
  EXPECT_EQ(cgroup_memory_limit(root_), std::nullopt);
  write("proc/self/cgroup", "2:memory:/a\n0::/b/c\n");
  write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n"); // version 1 for no limit
  write("sys/fs/cgroup/b/c/memory.max", "max\n");
  EXPECT_EQ(cgroup_memory_limit(root_), std::nullopt);
  write("sys/fs/cgroup/b/memory.max", "3000\n");
  EXPECT_EQ(cgroup_memory_limit(root_), 3000u);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n");
  EXPECT_EQ(cgroup_memory_limit(root_), 2000u);
}

TEST(UsableCpus, AreAtLeastOne) { EXPECT_GE(usable_cpus(), 1u); }

} // namespace
} // namespace greenroom::detail::cgroup_limits_test
