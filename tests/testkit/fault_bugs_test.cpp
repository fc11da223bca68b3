// Actors that are killed, disks that fail, and programs with a fault each that only such things reveal: explore() must find it, and
// what it prints must show it again.
#include <greenroom/testkit/explore.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::testkit::fault_bugs_test {
namespace {

using namespace std::chrono_literals;

bool mention(const std::vector<std::string>& faults, std::string_view what) {
  return std::any_of(faults.begin(), faults.end(),
                     [what](const std::string& each) { return each.find(what) != std::string::npos; });
}

// -- actors that are killed -----------------------------------------------------------------------------------

constexpr int all_jobs = 6;

/// What the workers of a pool share with who restarts them.
struct bench {
  std::deque<int> todo;
  std::vector<int> done;
  std::array<std::optional<int>, 2> in_hand;
};
using shared_bench = std::shared_ptr<bench>;

task<> work(shared_bench b, std::size_t me) {
  while (!b->todo.empty()) {
    b->in_hand[me] = b->todo.front();
    b->todo.pop_front();
    co_await sleep_for(1ms);
    b->done.push_back(*b->in_hand[me]);
    b->in_hand[me].reset();
  }
}

task<> keep_working(shared_bench b, std::size_t me, bool puts_back) {
  for (;;) {
    const auto worker = spawn({.name = "worker"}, work, b, me);
    const auto why = co_await worker.join();
    if (why.normal()) co_return;
    if (puts_back && b->in_hand[me]) b->todo.push_back(*b->in_hand[me]);
    b->in_hand[me].reset();
  }
}

task<> two_keepers(scope& s, shared_bench b, bool puts_back) {
  for (std::size_t i = 0; i < 2; ++i) s.spawn(keep_working, b, i, puts_back);
  co_return;
}

task<> do_all_jobs(bool puts_back) {
  const auto b = std::make_shared<bench>();
  for (int i = 0; i < all_jobs; ++i) b->todo.push_back(i);
  const auto ended = co_await with_scope(two_keepers, b, puts_back);
  require(ended.has_value(), "a keeper failed");
  std::sort(b->done.begin(), b->done.end());
  require(b->done == std::vector<int>{0, 1, 2, 3, 4, 5}, "done were " + std::to_string(b->done.size()) + " of 6 jobs");
}

TEST(Crashes, APoolThatPutsBackWhatAKilledWorkerHeldLosesNoJob) {
  const fault_plan plan{.crashes = {.names = {"worker"}, .probability = 0.2, .at_most = 4}};
  simulation world({.faults = plan});
  std::array<int, 5> runs_with{};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    random_schedule by(seed);
    const auto r = world.run(by, do_all_jobs, true);
    ASSERT_TRUE(r.passed()) << "seed " << seed << ": " << r.why;
    ASSERT_LE(r.faults.size(), 4u) << "more than the plan allows";
    ++runs_with[r.faults.size()];
  }
  EXPECT_GT(runs_with[4], 0);
  EXPECT_GT(runs_with[1] + runs_with[2] + runs_with[3], 0);
}

task<> be_the_program() {
  for (int i = 0; i < 20; ++i) co_await yield();
}

TEST(Crashes, TheProgramAndOthersThatAreNotNamedAreSpared) {
  const fault_plan plan{.crashes = {.names = {"program", "someone"}, .probability = 1, .at_most = 100}};
  simulation world({.faults = plan});
  random_schedule by(1);
  const auto r = world.run(by, []() -> task<> {
    const auto other = spawn({.name = "other"}, be_the_program);
    co_await be_the_program();
    const auto why = co_await other.join();
    require(why.normal(), "killed although not named");
  });
  EXPECT_TRUE(r.passed()) << r.why;
  EXPECT_TRUE(r.faults.empty());
}

TEST(Crashes, AreToldWithStepNameAndNumber) {
  const fault_plan plan{.crashes = {.names = {"worker"}, .probability = 1, .at_most = 2}};
  simulation world({.faults = plan});
  random_schedule by(1);
  const auto r = world.run(by, do_all_jobs, true);
  ASSERT_EQ(r.faults.size(), 2u);
  EXPECT_NE(r.faults[0].find(": actor 'worker' killed, number "), std::string::npos) << r.faults[0];
}

// -- faults of programs that only these reveal ----------------------------------------------------------------

struct till {
  int paid = 0;
};

/// Reads up to the end of a line; less if the connection ends first.
task<result<std::string>> read_line(stream* io) {
  std::string line;
  while (line.find('\n') == std::string::npos) {
    std::array<char, 256> room;
    const auto n = co_await io->read_some(std::as_writable_bytes(std::span(room)));
    if (!n) co_return n.error();
    if (*n == 0) break;
    line.append(room.data(), *n);
  }
  co_return line;
}

task<> serve_payments(std::unique_ptr<listener> at, std::shared_ptr<till> t) {
  for (;;) {
    auto io = co_await at->accept();
    if (!io) co_return;
    const auto line = co_await read_line(io->get());
    if (!line || *line != "pay\n") continue;
    ++t->paid;
    const std::string answer = "paid, thank you\n";
    const auto put = co_await (*io)->write_all(std::as_bytes(std::span(answer)));
    (void)put; // whoever asked has left, or asks again
  }
}

/// Pays once; true if the server said so. The line of the answer is read as a whole, or with one read.
task<bool> pay(std::uint16_t port, bool reads_once) {
  auto io = co_await this_actor::system().net().connect({"till", port});
  if (!io) co_return false;
  const std::string wish = "pay\n";
  const auto put = co_await (*io)->write_all(std::as_bytes(std::span(wish)));
  if (!put) co_return false;
  if (!reads_once) {
    const auto line = co_await read_line(io->get());
    co_return line&&* line == "paid, thank you\n";
  }
  std::array<char, 256> room;
  const auto n = co_await (*io)->read_some(std::as_writable_bytes(std::span(room)));
  if (!n) co_return false;
  require(std::string_view(room.data(), *n) == "paid, thank you\n", "the answer is not what was agreed");
  co_return true;
}

task<> pay_until_it_worked(bool reads_once) {
  const auto t = std::make_shared<till>();
  auto at = this_actor::system().net().listen({"till", 0}).value();
  const auto port = at->port();
  const auto server = spawn(serve_payments, std::move(at), t);
  bool worked = false;
  for (int tries = 0; !worked && tries < 100; ++tries) worked = co_await pay(port, reads_once);
  server.cancel();
  require(reads_once || t->paid == 1, "paid " + std::to_string(t->paid) + " times");
}
task<> one_read_assumed() { return pay_until_it_worked(true); }
task<> paid_again_after_a_reset() { return pay_until_it_worked(false); }

/// A journal of deposits that says whether it has one.
class journal {
public:
  explicit journal(bool syncs) : syncs_(syncs) {}

  bool add() {
    if (!open_) open_again();
    if (!open_) return false;
    const bool kept = open_->write("+1\n").has_value() && (!syncs_ || open_->sync().has_value());
    if (!kept) open_.reset();
    return kept;
  }
  /// Counts whole records; none: the disk does not say.
  static std::optional<int> count() {
    const auto all = this_actor::system().disk().read_all("journal");
    if (!all && all.error().is(errc::not_found)) return 0;
    if (!all) return std::nullopt;
    return static_cast<int>(std::count(all->begin(), all->end(), '\n'));
  }

private:
  /// Repairs the tail: what is behind the last whole record was torn.
  void open_again() {
    auto& disk = this_actor::system().disk();
    const auto kept = count();
    if (!kept) return;
    std::string whole;
    for (int i = 0; i < *kept; ++i) whole += "+1\n";
    if (!disk.write_atomically("journal", whole)) return;
    auto opened = disk.open_append("journal");
    if (opened) open_ = *std::move(opened);
  }

  const bool syncs_;
  std::unique_ptr<append_file> open_;
};

task<> deposit_ten_times(bool syncs) {
  journal to(syncs);
  int acknowledged = 0;
  for (int i = 0; i < 10; ++i) {
    acknowledged += to.add() ? 1 : 0;
    co_await yield();
  }
  std::optional<int> kept;
  while (!kept) {
    kept = journal::count();
    co_await yield();
  }
  require(*kept >= acknowledged,
          "of " + std::to_string(acknowledged) + " deposits, " + std::to_string(*kept) + " are there");
}
task<> answers_before_it_syncs() { return deposit_ten_times(false); }
task<> lost_job_of_a_killed_worker() { return do_all_jobs(false); }

struct planted {
  const char* name;
  task<> (*program)();
  fault_plan faults;
  verdict how;
  const char* fault;    // is named in the report
  const char* sentence; // what the program says
  friend void PrintTo(const planted& p, std::ostream* out) { *out << p.name; }
};

const planted bugs[] = {
    {"OneReadAssumed",
     one_read_assumed,
     {.network = {.slow = 0.1}},
     verdict::failed,
     "is slow",
     "the answer is not what was agreed"},
    {"PaidAgainAfterAReset",
     paid_again_after_a_reset,
     {.network = {.reset = 0.1}},
     verdict::failed,
     " reset",
     "paid 2 times"},
    {"AsksWithoutALimit",
     paid_again_after_a_reset,
     {.network = {.silent = 0.1}},
     verdict::deadlocked,
     "went silent",
     "waits for io"},
    {"AnswersBeforeItSyncs",
     answers_before_it_syncs,
     {.disk = {.power_cut = 0.02}},
     verdict::failed,
     "the disk lost its power",
     "are there"},
    {"LostJobOfAKilledWorker",
     lost_job_of_a_killed_worker,
     {.crashes = {.names = {"worker"}, .probability = 0.01}},
     verdict::failed,
     "actor 'worker' killed",
     "done were 5 of 6 jobs"},
};

class BugThatOnlyAFaultReveals : public testing::TestWithParam<planted> {
protected:
  void TearDown() override { ::unsetenv("TESTKIT_REPLAY"); }

  exploration how{.runs = 2'000, .world = {.most_steps = 20'000, .faults = GetParam().faults}};
};
INSTANTIATE_TEST_SUITE_P(, BugThatOnlyAFaultReveals, testing::ValuesIn(bugs),
                         [](const auto& at) { return std::string(at.param.name); });

TEST_P(BugThatOnlyAFaultReveals, IsNotFoundWithoutFaults) {
  how.world.faults = {};
  how.runs = 300;
  const auto found = explore(how, GetParam().program);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

TEST_P(BugThatOnlyAFaultReveals, IsFoundWithItsFaultsNamedAndShownAgainByWhatIsPrinted) {
  const auto found = explore(how, GetParam().program);
  ASSERT_FALSE(found.nothing()) << found.to_string();
  EXPECT_EQ(found.failure.how, GetParam().how) << found.to_string();
  EXPECT_NE(found.to_string().find(GetParam().sentence), std::string::npos) << found.to_string();
  EXPECT_NE(found.to_string().find("faults in that run:\n  step "), std::string::npos) << found.to_string();
  EXPECT_TRUE(mention(found.failure.faults, GetParam().fault)) << found.to_string();
  for (const auto& printed : {found.replay, found.shortest}) {
    ::setenv("TESTKIT_REPLAY", printed.c_str(), 1);
    const auto again = explore(how, GetParam().program);
    EXPECT_EQ(again.runs, 1u);
    EXPECT_EQ(again.failure.how, GetParam().how) << printed;
    EXPECT_TRUE(mention(again.failure.faults, GetParam().fault)) << printed;
    if (printed == found.replay) {
      EXPECT_EQ(again.failure.trace_hash, found.failure.trace_hash);
      EXPECT_EQ(again.failure.faults, found.failure.faults);
    }
  }
}

TEST_P(BugThatOnlyAFaultReveals, IsReplayedFromPrioritiesToo) {
  how.how = exploration::strategy::pct;
  how.shrink = false;
  const auto found = explore(how, GetParam().program);
  ASSERT_FALSE(found.nothing()) << found.to_string();
  ::setenv("TESTKIT_REPLAY", found.replay.c_str(), 1);
  const auto again = explore(how, GetParam().program);
  EXPECT_TRUE(found.replay.starts_with("pct:")) << found.replay;
  EXPECT_EQ(again.failure.trace_hash, found.failure.trace_hash);
  EXPECT_EQ(again.failure.faults, found.failure.faults);
}

TEST(DiskFaults, AJournalThatSyncsBeforeItAnswersLosesNothing) {
  const fault_plan plan{.disk = {.read = 0.1, .write = 0.1, .sync = 0.1, .power_cut = 0.1}};
  const auto found = explore({.runs = 1'000, .world = {.faults = plan}}, [] { return deposit_ten_times(true); });
  EXPECT_TRUE(found.nothing()) << found.to_string();
  EXPECT_EQ(found.runs, 1'000u);
}

TEST(DiskFaults, EachHappensForSomeSeedsAndNoneWithProbabilityZero) {
  const fault_plan plan{.disk = {.read = 0.05, .write = 0.05, .sync = 0.05, .power_cut = 0.05}};
  std::array<int, 4> seen_faults{};
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    random_schedule by(seed), again(seed), quietly(seed);
    simulation world({.faults = plan}), another({.faults = plan}), quiet_one;
    const auto r = world.run(by, deposit_ten_times, true);
    EXPECT_EQ(r.faults, another.run(again, deposit_ten_times, true).faults);
    EXPECT_TRUE(quiet_one.run(quietly, deposit_ten_times, true).faults.empty());
    std::size_t i = 0;
    for (const auto* text : {"a read of journal failed", "a write of journal failed", "a sync of journal failed",
                             "the disk lost its power before "}) {
      seen_faults[i++] += mention(r.faults, text) ? 1 : 0;
    }
  }
  for (const auto n : seen_faults) {
    EXPECT_GT(n, 0);
    EXPECT_LT(n, 100);
  }
}

} // namespace
} // namespace greenroom::testkit::fault_bugs_test
