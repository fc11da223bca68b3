// What holds for each journal, whatever it is kept in.
#include <greenroom/actors/journal.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/actors/journal_kit.hpp>
#ifdef GREENROOM_HAS_SQLITE
#include <greenroom/tests/actors/lossy_disk.hpp>
#endif
#ifdef GREENROOM_HAS_POSTGRES
#include <greenroom/tests/actors/postgres_server.hpp>
#endif

namespace greenroom::any_journal_test {
namespace {

using namespace test;

struct AnyJournal : testing::TestWithParam<const char*> {
  void SetUp() override {
    if (GetParam() == std::string("sqlite")) {
#ifdef GREENROOM_HAS_SQLITE
      source = [this] { return open_sqlite_journal("j", disk.name()); };
#else
      GTEST_SKIP() << "this build has no SQLite";
#endif
    } else {
#ifdef GREENROOM_HAS_POSTGRES
      const auto* const server = test::postgres_server::shared();
      if (server == nullptr) GTEST_SKIP() << test::postgres_server::why_not();
      source = [server, schema = server->new_schema()] {
        return open_postgres_journal(server->connection(), {.schema = schema, .lock_limit = std::chrono::minutes(1)});
      };
#else
      GTEST_SKIP() << "this build has no PostgreSQL";
#endif
    }
  }
  std::unique_ptr<journal> open() const {
    auto made = source();
    if (!made) ADD_FAILURE() << made.error().message();
    return made ? *std::move(made) : nullptr;
  }
#ifdef GREENROOM_HAS_SQLITE
  test::lossy_disk disk;
#endif
  std::function<result<std::unique_ptr<journal>>()> source;
};

INSTANTIATE_TEST_SUITE_P(KeptIn, AnyJournal, testing::Values("sqlite", "postgres"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST_P(AnyJournal, KeepsWhatWasCommittedInOrderOverAnEnd) {
  auto j = open();
  put(*j, {"a", "b"});
  put(*j, {"c"});
  j = nullptr;
  j = open();
  EXPECT_EQ(all(*j), "1a 2b 3c ");
  EXPECT_EQ(all(*j, 2), "3c ");
  EXPECT_EQ(j->last(), 3U);
  EXPECT_TRUE(j->verify());
}

TEST_P(AnyJournal, HasNothingOfATransactionThatWasRolledBack) {
  auto j = open();
  put(*j, {"a"});
  ASSERT_TRUE(j->begin());
  EXPECT_EQ(*j->append({.key = "k", .content = "b"}), 2U);
  EXPECT_EQ(j->last(), 2U);
  EXPECT_TRUE(*j->find("k")) << "its own records count already";
  j->rollback();
  EXPECT_EQ(j->last(), 1U);
  EXPECT_FALSE(*j->find("k"));
  put(*j, {"c"});
  EXPECT_EQ(all(*j), "1a 2c ");
}

TEST_P(AnyJournal, FindsByKeyNumberAndTag) {
  auto j = open();
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.written_at = 77, .key = "first", .tags = {"x", "y"}, .content = "a"}));
  ASSERT_TRUE(j->append({.tags = {"y"}, .content = "b"}));
  ASSERT_TRUE(j->append({.key = std::string("\0'\xc3\xa9", 4), .tags = {"x"}, .content = std::string("c\0d", 3)}));
  ASSERT_TRUE(j->commit());
  const auto first = j->find("first");
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((**first).written_at, 77);
  EXPECT_EQ((**first).tags, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ((**j->find(std::string_view("\0'\xc3\xa9", 4))).content, std::string("c\0d", 3));
  EXPECT_GT((**j->read(2)).written_at, 1'700'000'000'000);
  EXPECT_FALSE(*j->read(4));
  const auto tagged = [&j](const char* tag, std::uint64_t after, std::size_t limit) {
    std::string text;
    const auto found = j->tagged(tag, after, limit);
    if (!found) return std::string(found.error().message());
    for (const auto& r : *found) text += std::to_string(r.number);
    return text;
  };
  EXPECT_EQ(tagged("x", 0, 9), "13");
  EXPECT_EQ(tagged("y", 0, 1), "1");
  EXPECT_EQ(tagged("y", 1, 9), "2");
  EXPECT_EQ(tagged("z", 0, 9), "");
}

TEST_P(AnyJournal, RefusesAKeyThatIsThereAndGoesOn) {
  auto j = open();
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.key = "k", .content = "a"}));
  EXPECT_TRUE(j->append({.key = "k", .content = "b"}).error().is(errc::already_exists));
  ASSERT_TRUE(j->append({.content = "c"}));
  ASSERT_TRUE(j->commit());
  EXPECT_EQ(all(*j), "1a 2c ");
}

TEST_P(AnyJournal, RefusesTagsThatItCouldNotTellApart) {
  auto j = open();
  ASSERT_TRUE(j->begin());
  EXPECT_TRUE(j->append({.tags = {"a\nb"}}).error().is(errc::invalid_argument));
  EXPECT_TRUE(j->append({.tags = {"a", ""}}).error().is(errc::invalid_argument));
  EXPECT_EQ(*j->append({.tags = {"a b", "a"}}), 1U);
  ASSERT_TRUE(j->commit());
  EXPECT_EQ((**j->read(1)).tags, (std::vector<std::string>{"a b", "a"}));
}

TEST_P(AnyJournal, KeepsTheNewestSnapshotAndWhereReadersAre) {
  auto j = open();
  EXPECT_FALSE(*j->snapshot());
  EXPECT_EQ(*j->cursor("mail"), 0U);
  ASSERT_TRUE(j->save_snapshot({3, "old"}));
  ASSERT_TRUE(j->save_snapshot({5, "new"}));
  ASSERT_TRUE(j->set_cursor("mail", 4));
  ASSERT_TRUE(j->set_cursor("audit", 2));
  j = nullptr;
  j = open();
  EXPECT_EQ((**j->snapshot()).number, 5U);
  EXPECT_EQ((**j->snapshot()).content, "new");
  EXPECT_EQ(*j->cursor("mail"), 4U);
  const auto readers = j->readers();
  ASSERT_TRUE(readers && readers->size() == 2);
  EXPECT_EQ((*readers)[0].name, "audit");
  EXPECT_EQ((*readers)[0].number, 2U);
  EXPECT_EQ((*readers)[1].name, "mail");
}

TEST_P(AnyJournal, FindsItsTagsWhole) {
  auto j = open();
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.tags = {"b", "a b", std::string("z\0ero", 5), "\xc3\xa9"}, .content = "x"}));
  ASSERT_TRUE(j->append({.content = "without"}));
  ASSERT_TRUE(j->append({.tags = {"b"}, .content = "y"}));
  ASSERT_TRUE(j->commit());
  const auto whole = j->verify();
  EXPECT_TRUE(whole) << whole.error().message();
}

TEST_P(AnyJournal, CountsTheCommitsThatHadSomethingToWrite) {
  auto j = open();
  put(*j, {"a", "b", "c"});
  put(*j, {});
  EXPECT_EQ(j->flushes(), 1U);
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->set_cursor("mail", 2));
  EXPECT_EQ(*j->cursor("mail"), 2U);
  j->rollback();
  EXPECT_EQ(*j->cursor("mail"), 0U);
  EXPECT_EQ(j->flushes(), 1U);
}

TEST_P(AnyJournal, ReadsManyRecordsInPartsAndStopsAtTheFirstFailure) {
  constexpr std::uint64_t many = 1'700;
  auto j = open();
  ASSERT_TRUE(j->begin());
  for (std::uint64_t i = 1; i <= many; ++i)
    ASSERT_EQ(*j->append({.key = "k" + std::to_string(i), .tags = {"t"}, .content = std::to_string(i)}), i);
  EXPECT_EQ((**j->find("k1234")).number, 1'234U) << "its own records count already";
  ASSERT_TRUE(j->commit());
  std::uint64_t next = 1;
  journal* const log = j.get();
  EXPECT_TRUE(j->replay(0, [&next, log](const journal_record& r) -> result<void> {
    if (r.number != next || r.content != std::to_string(next)) return error(errc::failed, "not in order");
    if (const auto same = log->find(r.key); !same || !*same || (**same).number != next)
      return error(errc::failed, "a replay may ask for others");
    ++next;
    return {};
  }));
  EXPECT_EQ(next, many + 1);
  EXPECT_EQ(j->replay(700,
                      [](const journal_record& r) -> result<void> {
                        if (r.number == 702) return error(errc::failed, "stopped");
                        return {};
                      })
                .error()
                .message(),
            "stopped");
  EXPECT_EQ(j->behind(1'690, 1'000)->size(), 10U);
  EXPECT_EQ(j->behind(0, static_cast<std::size_t>(-1))->size(), many);
  EXPECT_EQ(j->tagged("t", 100, 3)->back().number, 103U);
  EXPECT_TRUE(j->verify());
  j = nullptr;
  j = open();
  EXPECT_TRUE(*j->find("k77"));
  ASSERT_TRUE(j->begin());
  EXPECT_TRUE(j->append({.key = "k1700"}).error().is(errc::already_exists));
}

} // namespace
} // namespace greenroom::any_journal_test
