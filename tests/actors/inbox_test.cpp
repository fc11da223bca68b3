#include <greenroom/actors/inbox.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/actors/delivery_kit.hpp>

namespace greenroom::inbox_test {
namespace {

using namespace std::chrono_literals;
using test::deliveries;
using test::taker;

template <class F, class... Args>
void lives(F program, Args... args) {
  testkit::simulation world;
  testkit::random_schedule by(7);
  const auto r = world.run(by, program, args...);
  EXPECT_TRUE(r.passed()) << r.why;
}

delivery<int> of(std::string sender, std::uint64_t epoch, std::vector<int> numbers) {
  delivery<int> d{std::move(sender), epoch, {}};
  for (const int n : numbers) d.items.push_back({static_cast<std::uint64_t>(n), n});
  return d;
}

using parts = std::vector<delivery<int>>;

/// Gives the parts to an inbox, one after the other, and notes what it answers: "EPOCH:DONE", and why it refused.
task<> give(taker* who, parts all, std::vector<std::string>* answers, delivery_memory memory) {
  const auto box = start_inbox<int>(this_actor::system(), test::to(who), memory);
  for (const auto& each : all) {
    auto d = each;
    const auto got = co_await ask(box, std::move(d), 60s);
    answers->push_back(!got ? std::string(got.error().message())
                            : std::to_string(got->epoch) + ":" + std::to_string(got->done) +
                                  (got->refused != 0 ? " " + got->why : ""));
  }
}

struct Inbox : testing::Test {
  void gets(parts all, delivery_memory memory = delivery_memory()) {
    lives(give, &who, std::move(all), &answers, memory);
  }
  taker who;
  std::vector<std::string> answers;
};

TEST_F(Inbox, DropsWhatItHasHadAndTakesTheRest) {
  gets({of("a", 1, {1, 2}), of("a", 1, {1, 2}), of("a", 1, {2, 3, 4}), of("a", 1, {1})});
  EXPECT_EQ(who.taken, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(answers, (std::vector<std::string>{"1:2", "1:2", "1:4", "1:4"}));
}

TEST_F(Inbox, TakesWhatComesBehindItemsThatWereGivenUp) {
  gets({of("a", 1, {1}), of("a", 1, {4, 6}), of("a", 1, {2, 3, 4})});
  EXPECT_EQ(who.taken, (std::vector<int>{1, 4, 6}));
  EXPECT_EQ(answers, (std::vector<std::string>{"1:1", "1:6", "1:6"}));
}

TEST_F(Inbox, KnowsSendersApart) {
  gets({of("a", 1, {1, 2}), of("b", 1, {1}), of("a", 1, {3})});
  EXPECT_EQ(who.taken, (std::vector<int>{1, 2, 1, 3}));
}

TEST_F(Inbox, BeginsAnewWithALaterEpochAndTakesNothingOfAnEarlierOne) {
  gets({of("a", 5, {1, 2}), of("a", 6, {1}), of("a", 5, {3})});
  EXPECT_EQ(who.taken, (std::vector<int>{1, 2, 1}));
  EXPECT_EQ(answers, (std::vector<std::string>{"5:2", "6:1", "6:1"}));
}

TEST_F(Inbox, StopsAtAnItemThatIsRefusedAndSaysWhy) {
  who.poison = 2;
  gets({of("a", 1, {1, 2, 3})});
  EXPECT_EQ(who.taken, (std::vector<int>{1}));
  EXPECT_EQ(answers, (std::vector<std::string>{"1:1 nobody wants it"}));
}

TEST_F(Inbox, TakesAnExceptionForARefusal) {
  who.refused_now = 1;
  gets({of("a", 1, {1}), of("a", 1, {1})});
  EXPECT_EQ(who.taken, (std::vector<int>{1}));
  EXPECT_EQ(answers, (std::vector<std::string>{"1:0 its handler threw: the shelf fell over", "1:1"}));
}

TEST_F(Inbox, ForgetsTheSenderThatWasSilentLongest) {
  delivery_memory memory(2);
  gets({of("a", 1, {1}), of("b", 1, {1}), of("a", 1, {2}), of("c", 1, {1}), of("a", 1, {2}), of("b", 1, {1})}, memory);
  EXPECT_EQ(who.taken, (std::vector<int>{1, 1, 2, 1, 1})); // b's, again
  EXPECT_EQ(memory.senders(), 2U);
  EXPECT_THROW(delivery_memory(0), usage_error);
}

TEST_F(Inbox, RefusesASenderWithoutANameOrWithAnEndlessOne) {
  gets({of("", 1, {1}), of(std::string(201, 'a'), 1, {1})});
  EXPECT_TRUE(who.taken.empty());
  EXPECT_EQ(answers, (std::vector<std::string>{"the name of a sender must have 1 to 200 bytes, not 0",
                                               "the name of a sender must have 1 to 200 bytes, not 201"}));
}

task<> half_of_the_time(taker* who) {
  who->time_for_each = 1s;
  const auto box = start_inbox<int>(this_actor::system(), test::to(who));
  auto d = of("a", 1, {1, 2, 3, 4, 5, 6});
  const auto got = co_await ask(box, std::move(d), 6s);
  EXPECT_EQ(got->done, 3U);
  EXPECT_EQ(got->refused, 0U);
}

TEST_F(Inbox, AnswersInHalfOfTheTimeWithWhatIsDoneByThen) { lives(half_of_the_time, &who); }

task<> given_up_meanwhile(taker* who) {
  who->time_for_each = 1s;
  const auto box = start_inbox<int>(this_actor::system(), test::to(who));
  auto d = of("a", 1, {1, 2, 3});
  const auto late = co_await ask(box, d, 500ms);
  EXPECT_TRUE(late.error().is(errc::timed_out));
  const auto again = co_await ask(box, d, 60s);
  EXPECT_EQ(again->done, 3U);
  EXPECT_EQ(who->taken, (std::vector<int>{1, 2, 3}));
}

TEST_F(Inbox, BreaksOffWhenNobodyWaitsAndKnowsWhatItHasDone) { lives(given_up_meanwhile, &who); }

// -- into a journal -------------------------------------------------------------------------------------------------

#ifdef GREENROOM_HAS_SQLITE
/// Writes down what it gets; refuses -1, and throws at -2.
struct list {
  std::vector<std::string> all;

  result<void> apply(const journal_record& r) {
    all.push_back(r.content);
    return {};
  }
  std::string save() const { return {}; }
  static result<list> load(std::string_view) { return list(); }
  result<receipt> decide(const delivery<int>& d, changes<list>& to) const {
    return take_delivery(d, to, [this](int item) -> result<journal_record> {
      if (item == -1) return error(errc::invalid_argument, "a minus");
      if (item == -2) throw std::runtime_error("two minuses");
      return journal_record{.content = std::to_string(item) + " of " + std::to_string(all.size() + 1)};
    });
  }
};

struct JournaledInbox : testing::Test {
  result<receipt> get(const delivery<int>& d) {
    (void)log->begin();
    const auto to = std::make_unique<changes<list>>(state, *log); // on the stack g++ 12 warns of its empty error
    auto got = state.decide(d, *to);
    (void)log->commit();
    return got;
  }
  std::unique_ptr<journal> log = open_sqlite_journal(":memory:").value();
  list state;
};

TEST_F(JournaledInbox, MakesOneRecordOfEachItemOnce) {
  EXPECT_EQ(get(of("a", 3, {1, 2})).value().done, 2U);
  EXPECT_EQ(get(of("a", 3, {1, 2, 3})).value().done, 3U);
  EXPECT_EQ(get(of("b c", 3, {2})).value().done, 2U);
  EXPECT_EQ(state.all, (std::vector<std::string>{"1 of 1", "2 of 2", "3 of 3", "2 of 4"}));
  EXPECT_EQ(log->read(3).value()->key, "from a 3 3");
  EXPECT_EQ(log->cursor("from b c").value(), 4U);
}

TEST_F(JournaledInbox, BeginsAnewWithALaterEpochAndTakesNothingOfAnEarlierOne) {
  EXPECT_EQ(get(of("a", 3, {7})).value().done, 7U);
  EXPECT_EQ(get(of("a", 4, {1})).value().done, 1U);
  const auto stale = get(of("a", 3, {8})).value();
  EXPECT_EQ(stale.epoch, 4U);
  EXPECT_EQ(state.all.size(), 2U);
}

TEST_F(JournaledInbox, KeepsWhatCameBeforeAnItemThatIsRefused) {
  auto d = of("a", 3, {1, 2, 3});
  d.items[1].item = -1;
  const auto refused = get(d).value();
  EXPECT_EQ(refused.done, 1U);
  EXPECT_EQ(refused.refused, static_cast<int>(errc::invalid_argument));
  EXPECT_EQ(refused.why, "a minus");
  d.items[1].item = -2;
  EXPECT_EQ(get(d).value().why, "its handler threw: two minuses");
  d.items[1].item = 2;
  EXPECT_EQ(get(d).value().done, 3U);
  EXPECT_EQ(state.all.size(), 3U);
}

TEST_F(JournaledInbox, SaysWhenAReaderHasTakenItsPlace) {
  (void)get(of("a", 3, {1}));
  (void)log->begin();
  (void)log->append({.content = "of somebody else"});
  (void)log->set_cursor("from a", 2);
  (void)log->commit();
  EXPECT_EQ(get(of("a", 3, {2})).error().message(),
            "the reader 'from a' is at record 2, which is none of a delivery of that sender");
  EXPECT_TRUE(get(of("", 3, {2})).error().is(errc::invalid_argument));
}
#endif

} // namespace
} // namespace greenroom::inbox_test
