#include <greenroom/actors/chunk_pipeline.hpp>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/testkit/simulation.hpp>

namespace greenroom::chunk_checkpoint_test {
namespace {

using namespace std::chrono_literals;
using testkit::disk_call;
using testkit::simulation;

/// The chunks in the order in which they were reduced.
struct trail {
  std::string told;
  void add(std::uint64_t index) { told += std::to_string(index) + " "; }
  std::string save() const { return told; }
  static result<trail> load(std::string_view text) {
    if (text == "broken") return error(errc::parse, "a trail cannot be read");
    return trail{std::string(text)};
  }
  trail sorted() const {
    std::istringstream in(told);
    std::vector<std::uint64_t> all;
    for (std::uint64_t n = 0; in >> n;) all.push_back(n);
    std::sort(all.begin(), all.end());
    trail made;
    for (const auto n : all) made.add(n);
    return made;
  }
};

constexpr std::uint64_t chunks = 9;
const trail whole{"0 1 2 3 4 5 6 7 8 "};

/// Bytes whose identity can change.
struct changing_bytes final : byte_source {
  std::uint64_t size() const noexcept override { return chunks; }
  result<void> read_at(std::uint64_t, char* to, std::size_t size) const override {
    std::fill_n(to, size, 'x');
    return {};
  }
  std::string name() const override { return "a.csv"; }
  result<std::string> identity() const override { return "version " + std::to_string(version); }
  int version = 1;
};

struct job {
  std::shared_ptr<changing_bytes> bytes = std::make_shared<changing_bytes>();
  chunk_options how{.workers = 3, .in_flight = 4, .checkpoint = "job", .checkpoint_every = 0ns};
  std::uint64_t die_at = ~std::uint64_t{0}; // the actor is killed when it is to reduce so many
  std::uint64_t change_at = ~std::uint64_t{0};
  std::uint64_t reduced = 0; // in this run
  std::optional<result<trail>> got = {};
};

task<std::uint64_t> map_late(chunk c) {
  for (std::uint64_t turns = c.index * 5 % 7; turns > 0; --turns) co_await yield();
  co_return c.index;
}

task<> go(job* j) {
  const auto reduce = [j](trail& all, std::uint64_t one) {
    if (j->reduced == j->die_at) return this_actor::self().kill();
    if (j->reduced++ == j->change_at) ++j->bytes->version;
    all.add(one);
  };
  const auto input = chunks_of(j->bytes, by_bytes(1)).value();
  auto working = process_chunks(input, map_late, reduce, trail(), j->how);
  j->got = co_await std::move(working);
}

struct rig {
  simulation world;
  std::uint64_t seed = 0;
  /// Runs the job until it ends, or is killed.
  void run(job& j) {
    testkit::random_schedule by(++seed);
    j.reduced = 0;
    j.got.reset();
    (void)world.run(by, go, &j);
  }
  bool left() { return world.disk().exists("job").value(); }
};

TEST(ChunkCheckpoint, KilledAnywhereTheNextRunGivesWhatAnUninterruptedOneGives) {
  for (const bool ordered : {true, false}) {
    for (std::uint64_t at = 0; at <= chunks; ++at) {
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        rig r;
        r.seed = 100 * seed;
        job j;
        j.how.ordered = ordered;
        j.die_at = at;
        r.run(j);
        EXPECT_EQ(j.got.has_value(), at == chunks);
        r.world.disk().cut_power();
        if (at != chunks) {
          j.die_at = ~std::uint64_t{0};
          r.run(j);
          EXPECT_GE(j.reduced, chunks - at);
          if (!ordered) { // in order several may be reduced before the next checkpoint
            EXPECT_EQ(j.reduced, chunks - at) << "what was in the checkpoint is not done again";
          }
        }
        ASSERT_TRUE(j.got && *j.got);
        EXPECT_EQ((ordered ? **j.got : (**j.got).sorted()).told, whole.told) << "killed at " << at;
        EXPECT_FALSE(r.left());
      }
    }
  }
}

TEST(ChunkCheckpoint, KilledAgainAndAgainItGetsThere) {
  rig r;
  job j;
  j.how.in_flight = 1;
  j.die_at = 2;
  int runs = 0;
  while (!j.got && ++runs < 20) r.run(j);
  ASSERT_TRUE(j.got && *j.got);
  EXPECT_EQ((**j.got).told, whole.told);
  EXPECT_EQ(runs, 5);
}

TEST(ChunkCheckpoint, WhicheverCallOfTheDiskFailsTheNextRunIsRight) {
  int failures = 0;
  for (int call = 1;; ++call) {
    rig r;
    job j;
    int made = 0;
    r.world.disk().fail_when([&made, call](disk_call, const std::filesystem::path&) { return ++made == call; });
    r.run(j);
    if (made < call) break;
    ++failures;
    ASSERT_TRUE(j.got);
    EXPECT_TRUE(!*j.got && j.got->error().is(errc::io));
    r.world.disk().cut_power();
    r.run(j);
    ASSERT_TRUE(*j.got);
    EXPECT_EQ((**j.got).told, whole.told) << "call " << call;
  }
  EXPECT_EQ(failures, 10); // the look for a checkpoint, eight of them, the removal
}

TEST(ChunkCheckpoint, ProgressCountsWhatEarlierRunsDid) {
  rig r;
  job j;
  j.how.in_flight = 1;
  j.die_at = 4;
  r.run(j);
  j.die_at = ~std::uint64_t{0};
  r.run(j);
  const auto p = j.how.meter.look(r.world.now());
  EXPECT_EQ(p.resumed, 4u);
  EXPECT_EQ(p.done, chunks);
  EXPECT_EQ(p.total, chunks);
  EXPECT_EQ(p.state, work_state::done);
}

std::string refused(rig& r, job& j) {
  r.run(j);
  if (!j.got || *j.got) return "not refused";
  EXPECT_EQ(j.reduced, 0u);
  return std::string(j.got->error().message());
}

TEST(ChunkCheckpoint, OfAnotherInputOrJobIsRefused) {
  rig r;
  job j;
  j.die_at = 4;
  r.run(j);
  const auto kept = r.world.disk().read_all("job").value();
  job changed;
  changed.bytes->version = 2;
  EXPECT_EQ(refused(r, changed),
            "cannot go on from job: it is of another input or way to cut it (version 1; 9 in all, by "
            "bytes of 1 each 1; in order; ; now version 2; 9 in all, by bytes of 1 each 1; in order; "
            "): bring that back, or remove the file to begin anew");
  EXPECT_EQ(changed.got->error().code(), errc::invalid_argument);
  job other;
  other.how.job = "something else";
  EXPECT_NE(refused(r, other).find("it is of another input"), std::string::npos);
  job unordered;
  unordered.how.ordered = false;
  EXPECT_NE(refused(r, unordered).find("it is of another input"), std::string::npos);
  EXPECT_EQ(r.world.disk().read_all("job").value(), kept) << "it is left as it is";
}

TEST(ChunkCheckpoint, DamagedIsRefused) {
  rig r;
  job j;
  j.die_at = 4;
  r.run(j);
  const auto kept = r.world.disk().read_all("job").value();
  for (std::size_t at = 0; at < kept.size(); ++at) {
    auto bad = kept;
    bad[at] ^= 1;
    ASSERT_TRUE(r.world.disk().write_atomically("job", bad));
    job again;
    EXPECT_TRUE(refused(r, again).starts_with("cannot go on from job: it is ")) << at;
  }
  ASSERT_TRUE(r.world.disk().write_atomically("job", kept.substr(0, kept.size() / 2)));
  job again;
  EXPECT_EQ(refused(r, again), "cannot go on from job: it is damaged: its sum is wrong; remove it to begin anew");
}

TEST(ChunkCheckpoint, AnInputThatChangesMeanwhileIsAnError) {
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{4}, chunks - 1}) {
    rig r;
    job j;
    j.change_at = at;
    r.run(j);
    ASSERT_TRUE(j.got && !*j.got);
    EXPECT_TRUE(j.got->error().message().starts_with("cannot process a.csv: it has changed while it was read"))
        << j.got->error().message();
  }
}

TEST(ChunkCheckpoint, IsWrittenAsOftenAsAskedAndNotForNothing) {
  rig r;
  job j;
  j.how.checkpoint_every = 1h;
  int writes = 0;
  r.world.disk().fail_when([&writes](disk_call call, const std::filesystem::path&) {
    writes += call == disk_call::write ? 1 : 0;
    return false;
  });
  r.run(j);
  ASSERT_TRUE(j.got && *j.got);
  EXPECT_EQ(writes, 1); // the removal
}

} // namespace
} // namespace greenroom::chunk_checkpoint_test
