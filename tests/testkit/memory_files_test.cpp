#include <greenroom/testkit/memory_files.hpp>

#include <set>
#include <string>

#include <gtest/gtest.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/testkit/simulation.hpp>

namespace greenroom::testkit::memory_files_test {
namespace {

std::unique_ptr<append_file> opened(files& disk, const char* path) { return disk.open_append(path).value(); }

TEST(MemoryFiles, GiveBackWhatWasWritten) {
  memory_files disk;
  EXPECT_TRUE(disk.read_all("a").error().is(errc::not_found));
  EXPECT_FALSE(disk.exists("a").value());
  ASSERT_TRUE(disk.write_atomically("a", "one"));
  const auto file = opened(disk, "a");
  ASSERT_TRUE(file->write(", two"));
  EXPECT_EQ(disk.read_all("a").value(), "one, two");
  ASSERT_TRUE(disk.remove("a"));
  EXPECT_FALSE(disk.exists("a").value());
  EXPECT_TRUE(disk.remove("a").error().is(errc::not_found));
  EXPECT_EQ(disk.remove("a").error().message(), "cannot remove: a: No such file or directory");
}

TEST(MemoryFiles, APowerCutTakesWhatWasNotSyncedAndNothingElse) {
  memory_files disk;
  ASSERT_TRUE(disk.write_atomically("whole", "kept"));
  const auto file = opened(disk, "journal");
  ASSERT_TRUE(file->write("first;"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->write("second;"));
  disk.cut_power();
  EXPECT_EQ(disk.read_all("whole").value(), "kept");
  EXPECT_EQ(disk.read_all("journal").value(), "first;");
}

TEST(MemoryFiles, AfterAPowerCutAnOpenFileIsOfNoUse) {
  memory_files disk;
  const auto file = opened(disk, "journal");
  disk.cut_power();
  EXPECT_EQ(file->write("x").error().message(),
            "cannot append: journal: the disk has lost its power since: open the file again");
  EXPECT_TRUE(file->sync().error().is(errc::io));
  EXPECT_TRUE(opened(disk, "journal")->write("x"));
  EXPECT_EQ(disk.read_all("journal").value(), "x");
}

TEST(MemoryFiles, APowerCutMayTearTheLastRecordAnywhere) {
  std::set<std::string> left;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    memory_files disk;
    xoshiro random(seed);
    const auto file = opened(disk, "journal");
    ASSERT_TRUE(file->write("1;"));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(file->write("23;"));
    disk.cut_power(random);
    left.insert(disk.read_all("journal").value());
  }
  EXPECT_EQ(left, (std::set<std::string>{"1;", "1;2", "1;23", "1;23;"}));
}

TEST(MemoryFiles, ARemovalMayBeUndoneByAPowerCutUntilItsFolderIsSynced) {
  std::set<bool> came_back;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    memory_files disk;
    xoshiro random(seed);
    ASSERT_TRUE(disk.write_atomically("d/a", "old"));
    ASSERT_TRUE(disk.remove("d/a"));
    if (seed > 25) (void)opened(disk, "d/b"); // syncs the folder
    disk.cut_power(random);
    if (seed > 25)
      EXPECT_FALSE(disk.exists("d/a").value());
    else
      came_back.insert(disk.exists("d/a").value());
  }
  EXPECT_EQ(came_back, (std::set<bool>{false, true}));
}

TEST(MemoryFiles, AFailedWriteLeavesAPartAndTheFileOfNoUse) {
  memory_files disk;
  const auto file = opened(disk, "journal");
  bool fails = true;
  disk.fail_when([&fails](disk_call call, const std::filesystem::path& at) {
    return fails && call == disk_call::write && at == "journal";
  });
  EXPECT_EQ(file->write("1234").error().message(), "cannot append: journal: Input/output error");
  fails = false;
  EXPECT_EQ(file->write("5678").error().message(),
            "cannot append: journal: an earlier write or sync failed: open the file again");
  EXPECT_EQ(disk.read_all("journal").value(), "12");
  EXPECT_TRUE(opened(disk, "journal")->sync());
}

TEST(MemoryFiles, AFailedReplacementLeavesTheOldContent) {
  memory_files disk;
  ASSERT_TRUE(disk.write_atomically("a", "old"));
  disk.fail_when([](disk_call call, const std::filesystem::path&) { return call == disk_call::write; });
  EXPECT_TRUE(disk.write_atomically("a", "new").error().is(errc::io));
  EXPECT_TRUE(disk.remove("a").error().is(errc::io));
  EXPECT_EQ(disk.read_all("a").value(), "old");
}

TEST(MemoryFiles, AreTheDiskOfASimulationAndOutlastItsRuns) {
  simulation world;
  random_schedule by(1);
  const auto r = world.run(by, []() -> task<> {
    require(disk_here().write_atomically("a", "from within").has_value(), "not written");
    co_return;
  });
  EXPECT_TRUE(r.passed()) << r.why;
  EXPECT_EQ(world.disk().read_all("a").value(), "from within");
  EXPECT_EQ(&world.system().disk(), &world.disk());
  const auto failed = world.run(by, []() -> task<> {
    require(disk_here().read_all("a").value() == "something else", "another content");
    co_return;
  });
  EXPECT_EQ(failed.how, verdict::failed);
  EXPECT_EQ(world.disk().read_all("a").value(), "from within");
  world.disk().clear();
  EXPECT_FALSE(world.disk().exists("a").value());
}

TEST(MemoryFiles, DiskHereFindsNoneOutsideOfASimulation) {
  options quiet;
  quiet.log_level = "off";
  actor_system sys(quiet);
  const auto ended = sys.run([]() -> task<> {
    disk_here();
    co_return;
  });
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().message().find("disk_here: the disk of this actor's system is no memory_files"),
            std::string_view::npos);
}

} // namespace
} // namespace greenroom::testkit::memory_files_test
