// The journal in PostgreSQL, against a server that is cut off, stopped and killed.
#include <greenroom/actors/journal.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#ifndef GREENROOM_HAS_POSTGRES
namespace greenroom::postgres_journal_test {
namespace {

TEST(PostgresJournal, SaysInABuildWithoutItWhatIsMissing) {
  const auto refused = open_postgres_journal("dbname=shop");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::unsupported));
  EXPECT_NE(refused.error().message().find("GREENROOM_POSTGRES=ON"), std::string_view::npos);
}

} // namespace
} // namespace greenroom::postgres_journal_test
#else

#include <greenroom/tests/actors/journal_kit.hpp>
#include <greenroom/tests/actors/postgres_server.hpp>

namespace greenroom::postgres_journal_test {
namespace {

using namespace test;
using namespace std::chrono_literals;

struct PostgresJournal : testing::Test {
  void SetUp() override {
    server = postgres_server::shared();
    if (server == nullptr) GTEST_SKIP() << postgres_server::why_not();
    how.schema = server->new_schema();
    how.lock_limit = 60s; // a busy machine ends a session late
  }
  std::unique_ptr<journal> open() const {
    auto made = open_postgres_journal(server->connection(), how);
    if (!made) ADD_FAILURE() << made.error().message();
    return made ? *std::move(made) : nullptr;
  }
  static result<void> put(journal& to, const std::vector<std::string>& contents) {
    if (auto begun = to.begin(); !begun) return begun;
    for (const auto& content : contents) {
      if (auto put = to.append({.content = content}); !put) return put.error();
    }
    return to.commit();
  }
  void restart() const { ASSERT_TRUE(server->start()) << postgres_server::why_not(); }
  enum when { inserting, committing };
  /// Has the server do this with each record.
  void hook(when at, const std::string& what) const {
    const auto function = how.schema + ".hook()";
    server->sql("CREATE FUNCTION " + function + " RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM " + what +
                "; RETURN NEW; END $$");
    server->sql((at == committing ? "CREATE CONSTRAINT TRIGGER hook AFTER INSERT ON " + how.schema +
                                        ".records DEFERRABLE INITIALLY DEFERRED"
                                  : "CREATE TRIGGER hook BEFORE INSERT ON " + how.schema + ".records") +
                " FOR EACH ROW EXECUTE FUNCTION " + function);
  }

  postgres_server* server = nullptr;
  postgres_journal_options how;
};

TEST_F(PostgresJournal, RefusesASecondOneUntilTheFirstLetsGo) {
  how.lock_limit = 1ms;
  auto first = open();
  const auto second = open_postgres_journal(server->connection(), how);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is(errc::already_exists));
  EXPECT_NE(second.error().message().find("another process uses it"), std::string_view::npos)
      << second.error().message();
  auto other = how;
  other.schema = server->new_schema();
  EXPECT_TRUE(open_postgres_journal(server->connection(), other)) << "it is another journal";
  first = nullptr;
  how.lock_limit = 60s; // until the server has seen that it went
  EXPECT_TRUE(open_postgres_journal(server->connection(), how));
}

TEST_F(PostgresJournal, ManyMayOpenItForTheFirstTimeAtOnceAndHaveItOneAfterTheOther) {
  for (int round = 0; round < 5; ++round) {
    how.schema = server->new_schema();
    test::at_once(6, [this] { EXPECT_NE(open(), nullptr); });
  }
}

TEST_F(PostgresJournal, ReadsOneMomentBesideWhoHasItAndWritesNothing) {
  auto to_read = how;
  to_read.read_only = true;
  const auto none = open_postgres_journal(server->connection(), to_read);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().is(errc::not_found)) << none.error().message();
  auto j = open();
  ASSERT_TRUE(put(*j, {"a", "b"}));
  ASSERT_TRUE(j->set_cursor("mail", 1));
  const auto reading = open_postgres_journal(server->connection(), to_read);
  ASSERT_TRUE(reading) << reading.error().message();
  ASSERT_TRUE(put(*j, {"c"}));
  EXPECT_EQ(all(**reading), "1a 2b ");
  EXPECT_EQ((*reading)->last(), 2U);
  EXPECT_TRUE((*reading)->verify());
  EXPECT_EQ((*reading)->readers()->at(0).number, 1U);
  EXPECT_TRUE((*reading)->begin().error().is(errc::unsupported));
  EXPECT_TRUE((*reading)->set_cursor("mail", 2).error().is(errc::unsupported));
  EXPECT_TRUE((*reading)->save_snapshot({2, "x"}).error().is(errc::unsupported));
  EXPECT_EQ(all(*j), "1a 2b 3c ");
  EXPECT_EQ(all(**open_postgres_journal(server->connection(), to_read)), "1a 2b 3c ") << "another moment";
}

TEST_F(PostgresJournal, HasWhatWasCommittedAndNothingElseWhenTheServerStopsInATransaction) {
  for (const int signal : {SIGQUIT, SIGKILL}) {
    how.schema = server->new_schema();
    auto j = open();
    ASSERT_TRUE(put(*j, {"a", "b"}));
    ASSERT_TRUE(j->begin());
    ASSERT_TRUE(j->append({.key = "k", .content = "c"}));
    EXPECT_TRUE(*j->find("k")) << "the server has it";
    server->stop(signal);
    EXPECT_TRUE(j->commit().error().is(errc::io));
    j = nullptr;
    restart();
    j = open();
    EXPECT_EQ(all(*j), "1a 2b ");
    EXPECT_FALSE(*j->find("k"));
    EXPECT_TRUE(j->verify());
    EXPECT_TRUE(put(*j, {"c"}));
    EXPECT_EQ(all(*j), "1a 2b 3c ");
  }
}

TEST_F(PostgresJournal, ConnectsAgainByItselfWhereNothingIsUnknown) {
  auto j = open();
  ASSERT_TRUE(put(*j, {"a"}));
  server->cut(how.schema);
  EXPECT_EQ(all(*j), "1a ") << "a cut before a call is noticed before anything is sent";
  server->cut(how.schema);
  EXPECT_TRUE(put(*j, {}));
  EXPECT_TRUE(j->usable());
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.content = "b"}));
  ASSERT_TRUE(j->behind(0, 9));
  server->cut(how.schema);
  EXPECT_FALSE(j->read(1));
  const auto more = j->append({.content = "c"});
  ASSERT_FALSE(more);
  EXPECT_NE(more.error().message().find("roll it back"), std::string_view::npos) << more.error().message();
  j->rollback();
  EXPECT_TRUE(j->usable());
  EXPECT_EQ(j->last(), 1U);
  EXPECT_TRUE(put(*j, {"d"}));
  EXPECT_EQ(all(*j), "1a 2d ");
}

TEST_F(PostgresJournal, IsNotUsedAnyMoreOnceTheServerWasLostInACommit) {
  auto j = open();
  ASSERT_TRUE(put(*j, {"a"}));
  hook(committing, "pg_terminate_backend(pg_backend_pid())");
  const auto done = put(*j, {"b"});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("unknown"), std::string_view::npos) << done.error().message();
  EXPECT_FALSE(j->usable());
  EXPECT_NE(j->begin().error().message().find("opened anew"), std::string_view::npos);
  EXPECT_FALSE(j->find("k"));
  j = nullptr;
  j = open();
  EXPECT_EQ(all(*j), "1a ");
}

TEST_F(PostgresJournal, IsNotUsedAnyMoreOnceAnotherHasWrittenToItWhileItWasCutOff) {
  auto j = open();
  ASSERT_TRUE(put(*j, {"a"}));
  server->cut(how.schema);
  {
    auto other = open();
    ASSERT_TRUE(put(*other, {"b"}));
  }
  EXPECT_NE(j->begin().error().message().find("another has written"), std::string_view::npos);
  EXPECT_FALSE(j->usable());
}

TEST_F(PostgresJournal, EndsAStatementAtItsLimitAndGoesOn) {
  auto j = open(); // makes the tables, which may take longer
  how.statement_limit = 1s;
  j = nullptr;
  j = open();
  ASSERT_TRUE(put(*j, {"a"}));
  hook(inserting, "pg_sleep(60)");
  const auto done = put(*j, {"b"});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("statement timeout"), std::string_view::npos) << done.error().message();
  EXPECT_TRUE(j->usable()) << "the server has told that nothing was done";
  EXPECT_EQ(all(*j), "1a ");
}

TEST_F(PostgresJournal, GivesUpAServerThatSaysNothing) {
  auto j = open();
  j = nullptr;
  how.statement_limit = 1s;
  how.lock_limit = 1s;
  j = open();
  ASSERT_TRUE(put(*j, {"a"}));
  const auto serving = server->serves(how.schema);
  ASSERT_GT(serving, 0);
  ASSERT_EQ(::kill(serving, SIGSTOP), 0);
  const auto done = put(*j, {"b"});
  ::kill(serving, SIGCONT);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("has said nothing for 4000 ms"), std::string_view::npos)
      << done.error().message();
  EXPECT_FALSE(j->usable()) << "it may do it yet";
}

TEST_F(PostgresJournal, SendsARecordWithoutWaitingAndTellsAFailureAtTheCommitAtTheLatest) {
  auto j = open();
  server->sql("ALTER TABLE " + how.schema + ".records ADD CHECK (content <> 'bad')");
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.content = "a"}));
  ASSERT_TRUE(j->append({.content = "bad"})) << "nobody has heard of it yet";
  const auto done = j->commit();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("violates check constraint"), std::string_view::npos) << done.error().message();
  EXPECT_TRUE(j->usable());
  EXPECT_EQ(j->last(), 0U);
  // Told earlier, it stays so: a commit does not make a success of it.
  ASSERT_TRUE(j->begin());
  ASSERT_TRUE(j->append({.content = "bad"}));
  EXPECT_FALSE(j->read(1));
  EXPECT_FALSE(j->commit());
  EXPECT_TRUE(put(*j, {"b"}));
  EXPECT_EQ(all(*j), "1b ");
}

TEST_F(PostgresJournal, AsksTheServerOnlyForKeysThatMayBeThere) {
  const auto lookups = [this](std::size_t known) {
    auto j = open();
    EXPECT_TRUE(put(*j, {"a"}));
    j = nullptr;
    how.known_keys = known;
    j = open();
    (void)j->begin();
    for (int i = 0; i < 300; ++i)
      (void)j->append({.key = std::to_string(known) + "-" + std::to_string(i), .content = "x"});
    EXPECT_TRUE(j->commit());
    EXPECT_TRUE(j->append({.key = std::to_string(known) + "-7"}).error().is(errc::already_exists));
    server->cut(how.schema); // it counts what a session did once that has ended
    return std::stol(server->sql("SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname = '" + how.schema +
                                 "' AND indexrelname = 'records_key_key'"));
  };
  const auto with = lookups(1'000);
  const auto both = lookups(0);
  EXPECT_LT(with, 50);
  EXPECT_GE(both - with, 300);
}

TEST_F(PostgresJournal, FindsNumbersWithoutARecord) {
  auto j = open();
  ASSERT_TRUE(put(*j, {"a", "b", "c"}));
  EXPECT_TRUE(j->verify());
  server->sql("DELETE FROM " + how.schema + ".records WHERE number = 2");
  const auto found = j->verify();
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message().find("between 1 and 3"), std::string_view::npos) << found.error().message();
}

TEST_F(PostgresJournal, RefusesASchemaThatIsNoJournalsAndNamesThatCannotBe) {
  server->sql("CREATE SCHEMA " + how.schema + "; CREATE TABLE " + how.schema + ".records(x int)");
  EXPECT_TRUE(open_postgres_journal(server->connection(), how).error().is(errc::parse));
  for (const char* name : {"", "Upper", "a b", "a\"b", "1a", "pg_x", "a;drop"}) {
    how.schema = name;
    EXPECT_TRUE(open_postgres_journal(server->connection(), how).error().is(errc::invalid_argument)) << name;
  }
  how.schema = "user"; // a word of SQL
  server->sql("DROP SCHEMA IF EXISTS \"user\" CASCADE");
  auto j = open();
  EXPECT_TRUE(put(*j, {"a"}));
  EXPECT_TRUE(j->begin());
  EXPECT_TRUE(j->append({.key = std::string(2001, 'k')}).error().is(errc::invalid_argument));
  EXPECT_TRUE(j->append({.key = std::string(2000, 'k'), .tags = {std::string(2000, 't')}}));
  EXPECT_TRUE(j->commit());
}

TEST_F(PostgresJournal, RefusesAServerThatDoesNotFlush) {
  server->sql("ALTER SYSTEM SET fsync = off");
  server->sql("SELECT pg_reload_conf()");
  server->stop(SIGQUIT); // so that it holds for sure
  restart();
  const auto refused = open_postgres_journal(server->connection(), how);
  server->sql("ALTER SYSTEM RESET fsync");
  server->stop(SIGQUIT);
  restart();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::unsupported)) << refused.error().message();
  EXPECT_TRUE(open());
}

TEST(PostgresConnection, NeverTellsAPassword) {
  for (const char* connection : {
           "host=/nowhere user=u password=hunter2",
           "host=/nowhere user=u password='hunter2",
           "host=/nowhere password=a hunter2",
           "host=/nowhere hunter2=x",
           "postgresql://u:hunter2@/db?host=/nowhere",
           "postgresql://u:hunter2@",
           "postgresql://u:hunter2/x@localhost/db",
           "postgresql://u:x/hunter2@nowhere.invalid/db",
           "postgresql://u:x@hunter2@nowhere.invalid/db",
           "postgresql://u:%zzhunter2@nowhere.invalid/db",
           "postgresql://u@[::1]hunter2:5/db",
       }) {
    const auto refused = open_postgres_journal(connection, {.connect_limit = 2s});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message().find("hunter2"), std::string_view::npos) << refused.error().message();
    EXPECT_TRUE(refused.error().is(errc::io) || refused.error().is(errc::invalid_argument));
  }
}

} // namespace
} // namespace greenroom::postgres_journal_test
#endif
