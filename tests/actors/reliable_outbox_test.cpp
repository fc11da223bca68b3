#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/actors/reliable_outbox.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/inbox.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/actors/delivery_kit.hpp>
#include <greenroom/tests/actors/lossy_disk.hpp>

namespace greenroom::reliable_outbox_test {
namespace {

using namespace std::chrono_literals;
using test::bad_wire;
using test::deliveries;
using test::lossy_disk;
using test::taker;

struct note {
  int number;
  using reply = std::uint64_t;
};

/// What is to be told: only what begins with a digit.
struct notes {
  result<void> apply(const journal_record&) { return {}; }
  std::string save() const { return "none"; }
  static result<notes> load(std::string_view) { return notes(); }
  result<std::uint64_t> decide(const note& n, changes<notes>& to) const {
    return to.append({.content = n.number == 0 ? "nothing for others" : std::to_string(n.number)});
  }
};

std::optional<int> to_be_told(const journal_record& r) {
  if (r.content.front() > '9') return std::nullopt;
  return std::stoi(r.content);
}

/// Who is told, in a journal of his own.
struct ears {
  std::vector<int> heard;

  result<void> apply(const journal_record& r) {
    heard.push_back(std::stoi(r.content));
    return {};
  }
  std::string save() const {
    std::string all;
    for (const int n : heard) all += std::to_string(n) + " ";
    return all;
  }
  static result<ears> load(std::string_view snapshot) {
    ears e;
    for (std::string_view rest = snapshot; !rest.empty(); rest.remove_prefix(rest.find(' ') + 1))
      e.heard.push_back(std::stoi(std::string(rest)));
    return e;
  }
  result<receipt> decide(const delivery<int>& d, changes<ears>& to) const {
    return take_delivery(
        d, to, [](int item) -> result<journal_record> { return journal_record{.content = std::to_string(item)}; });
  }
  struct what {
    using reply = std::vector<int>;
  };
  result<std::vector<int>> decide(const what&, changes<ears>&) const { return heard; }
};

template <class State>
event_sourced<State> open(lossy_disk* disk) {
  const auto vfs = disk->name();
  return event_sourced<State>(
      this_actor::system(), [vfs] { return open_sqlite_journal("log", vfs); },
      event_sourced_options{.snapshot_every = 4});
}

template <class F, class... Args>
void lives(F program, unsigned seed, Args... args) {
  testkit::simulation world;
  testkit::random_schedule by(seed);
  const auto r = world.run(by, program, args...);
  ASSERT_TRUE(r.passed()) << "seed " << seed << ": " << r.why;
}

task<> tell_some(event_sourced<notes> log, int from, int to, lossy_disk* until_it_fails) {
  for (int i = from; i <= to && !until_it_fails->crashed(); ++i) {
    const note n{i};
    (void)co_await log.tell(n, 1s);
  }
}

/// From a journal to a taker in memory.
task<> to_a_taker(lossy_disk* disk, taker* who, int from, int last, reliable_options<int> how) {
  const auto log = open<notes>(disk);
  how.sender = "notes";
  const auto box = start_inbox<int>(this_actor::system(), test::to(who));
  const auto mail = start_reliable_outbox<int>(this_actor::system(), log, how, route<int>(box), to_be_told);
  auto telling = tell_some(log, from, last, disk);
  co_await std::move(telling);
  while (who->taken.empty() || who->taken.back() != last) co_await sleep_for(1ms);
  mail.cancel();
  co_await mail.join();
}

TEST(ReliableOutbox, DeliversInOrderWhatWasThereAndWhatComesAndLeavesOutWhatIsForNobody) {
  lossy_disk disk;
  taker who;
  lives(to_a_taker, 7, &disk, &who, 0, 3, reliable_options<int>{});
  lives(to_a_taker, 7, &disk, &who, 4, 6, reliable_options<int>{.window = 2});
  EXPECT_EQ(who.taken, test::up_to(6));
}

TEST(ReliableOutbox, GivesARefusedRecordUpAfterItsTriesAndGoesOn) {
  lossy_disk disk;
  taker who;
  who.poison = 2;
  std::vector<int> given_up;
  const auto hook = [&given_up](const int& item, const error&) { given_up.push_back(item); };
  lives(to_a_taker, 7, &disk, &who, 1, 3, reliable_options<int>{.tries = 2, .given_up = hook});
  EXPECT_EQ(who.taken, (std::vector<int>{1, 3}));
  EXPECT_EQ(given_up, (std::vector<int>{2}));
}

TEST(ReliableOutbox, AJournalThatIsMadeAnewIsALaterLife) {
  const auto log = open_sqlite_journal(":memory:").value();
  EXPECT_EQ(journal_epoch().of(*log).value(), 0U);
  (void)log->begin();
  (void)log->append({.written_at = 17});
  (void)log->append({.written_at = 18});
  (void)log->commit();
  EXPECT_EQ(journal_epoch().of(*log).value(), std::uint64_t{17} << 20);
}

// The power fails behind each write in turn, on the side of the sender, of the receiver, or on both; what was answered is there in the end, once, in order.

/// Both sides, until a disk fails or all is told. `told` numbers were written before.
task<> both_sides(lossy_disk* ours, lossy_disk* theirs, int from, int last, bad_wire wire, std::vector<int>* heard) {
  const auto log = open<notes>(ours);
  const auto other = open<ears>(theirs);
  const auto box = test::behind_wire(start_inbox<int>(this_actor::system(), other), wire);
  const reliable_options<int> how{.sender = "notes", .window = 3, .limit = 2s, .most_pause = 1s};
  const auto mail = start_reliable_outbox<int>(this_actor::system(), log, how, route<int>(box), to_be_told);
  auto telling = tell_some(log, from, last, ours);
  co_await std::move(telling);
  for (;;) {
    if (ours->crashed() || theirs->crashed()) break;
    const auto now = co_await other.tell(ears::what{}, 1s);
    if (now) *heard = *now;
    if (!heard->empty() && heard->back() == last) break;
    co_await sleep_for(100ms);
  }
  mail.cancel();
  co_await mail.join();
}

/// Returns whether there was such a write at all.
bool fail_behind(unsigned write, bool here, bool there) {
  lossy_disk ours(write), theirs(write + 1);
  std::vector<int> heard;
  const bad_wire wire{.lost = 10, .lost_back = 20, .late = 10, .doubled = 10, .seed = write};
  if (here) ours.crash_after(static_cast<int>(write));
  if (there) theirs.crash_after(static_cast<int>(write));
  lives(both_sides, write, &ours, &theirs, 1, 8, wire, &heard);
  const bool failed = ours.crashed() || theirs.crashed();
  ours.restore();
  theirs.restore();
  heard.clear();
  lives(both_sides, write, &ours, &theirs, 101, 103, wire, &heard);
  // Of the first eight, those that were on the disk: the sender's journal knows which.
  const auto log = open_sqlite_journal("log", ours.name()).value();
  std::vector<int> written;
  (void)log->replay(0, [&written](const journal_record& r) -> result<void> {
    written.push_back(std::stoi(r.content));
    return {};
  });
  EXPECT_EQ(heard, written) << "behind write " << write << (here ? " of the sender" : "")
                            << (there ? " of the receiver" : "");
  return failed;
}

void fail_behind_each(bool here, bool there) {
  unsigned write = 1;
  while (fail_behind(write, here, there) && !testing::Test::HasFailure()) ++write;
  EXPECT_GT(write, 30U); // there were some
}

TEST(ReliableOutbox, IntoAJournalEachIsDoneOnceThoughThePowerOfTheSenderFailsBehindAnyWrite) {
  fail_behind_each(true, false);
}
TEST(ReliableOutbox, IntoAJournalEachIsDoneOnceThoughThePowerOfTheReceiverFailsBehindAnyWrite) {
  fail_behind_each(false, true);
}
TEST(ReliableOutbox, IntoAJournalEachIsDoneOnceThoughThePowerOfBothFailsBehindAnyWrite) {
  fail_behind_each(true, true);
}

} // namespace
} // namespace greenroom::reliable_outbox_test
#endif
