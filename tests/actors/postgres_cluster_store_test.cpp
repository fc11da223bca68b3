// The cluster store in PostgreSQL, against a server that is restarted. Its clock is not ours: what should be over is made so.
#include <greenroom/actors/cluster_store.hpp>

#include <string>

#include <gtest/gtest.h>

#ifndef GREENROOM_HAS_POSTGRES
namespace greenroom::postgres_cluster_store_test {
namespace {

TEST(PostgresClusterStore, SaysInABuildWithoutItWhatIsMissing) {
  const auto refused = open_postgres_cluster_store("dbname=shop");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::unsupported));
  EXPECT_NE(refused.error().message().find("GREENROOM_POSTGRES=ON"), std::string_view::npos);
}

} // namespace
} // namespace greenroom::postgres_cluster_store_test
#else

#include <csignal>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/tests/actors/postgres_server.hpp>

namespace greenroom::postgres_cluster_store_test {
namespace {

using namespace test;
using namespace std::chrono_literals;

struct PostgresClusterStore : testing::Test {
  void SetUp() override {
    server = postgres_server::shared();
    if (server == nullptr) GTEST_SKIP() << postgres_server::why_not();
    how.schema = server->new_schema();
    how.statement_limit = 60s; // a busy machine is slow
  }
  std::shared_ptr<cluster_store> open() const {
    auto made = open_postgres_cluster_store(server->connection(), how);
    if (!made) ADD_FAILURE() << made.error().message();
    return made ? *std::move(made) : nullptr;
  }
  /// Has all that was said to last an hour be over.
  void pass_time() const {
    for (const auto* table : {"members", "leases"})
      server->sql("UPDATE " + how.schema + "." + table + " SET until = until - interval '1 h'");
  }
  template <class T>
  T run(task<T> call) {
    return sys.run([](task<T> c) -> task<T> { co_return co_await std::move(c); }, std::move(call));
  }
  static std::string kind(const error& e) { return to_string(e.code()); }
  template <class T>
  static std::string kind(const result<T>& got) {
    return got ? "ok" : to_string(got.error().code());
  }

  postgres_server* server = nullptr;
  postgres_cluster_options how;
  actor_system sys;
};

TEST_F(PostgresClusterStore, ALeaseHasOneHolderUntilItsTimeIsOverAndEachNextOneANewerToken) {
  const auto one = open(), two = open(); // two members
  const auto first = run(one->acquire("books", "a", 1h));
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->token, 1U);
  const auto held = run(two->acquire("books", "b", 1h));
  EXPECT_EQ(kind(held), "already_exists");
  EXPECT_EQ(held.error().message(), "the lease 'books' is held by 'a' (token 1)");
  EXPECT_EQ(kind(run(one->acquire("books", "a", 1h))), "already_exists");
  EXPECT_EQ(kind(run(two->acquire("audit", "b", 1h))), "ok");
  EXPECT_EQ(kind(run(one->renew(*first, 2h))), "ok");
  pass_time();
  EXPECT_EQ(kind(run(two->acquire("books", "b", 1h))), "already_exists") << "it was renewed for longer";
  pass_time();
  EXPECT_EQ(kind(run(one->renew(*first, 1h))), "not_found") << "it is over, even if nobody has it";
  const auto second = run(two->acquire("books", "b", 1h));
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->token, 2U);
  EXPECT_EQ(kind(run(one->renew(*first, 1h))), "not_found");
  EXPECT_EQ(kind(run(one->release(*first))), "ok") << "and changes nothing";
  EXPECT_EQ(run(one->look("books")).value(), *second);
  EXPECT_EQ(kind(run(two->release(*second))), "ok");
  EXPECT_FALSE(run(one->look("books")).value());
  EXPECT_EQ(run(one->acquire("books", "a", 1h)).value().token, 3U);
}

TEST_F(PostgresClusterStore, AMemberIsThereForItsTimeAndHasItsNameAlone) {
  const auto store = open();
  const cluster_member a{"a", "10.0.0.1", 7001}, b{"b", "10.0.0.2", 65535}, other_a{"a", "10.0.0.9", 7001};
  EXPECT_EQ(kind(run(store->announce(b, 1h))), "ok");
  EXPECT_EQ(kind(run(store->announce(a, 2h))), "ok");
  EXPECT_EQ(run(store->members()).value(), (std::vector{a, b}));
  const auto taken = run(store->announce(other_a, 1h));
  EXPECT_EQ(kind(taken), "already_exists");
  EXPECT_NE(taken.error().message().find("that name lives at 10.0.0.1:7001"), std::string_view::npos);
  EXPECT_EQ(taken.error().message().find("for 1s more"), std::string_view::npos) << "it has two hours";
  pass_time();
  EXPECT_EQ(run(store->members()).value(), std::vector{a});
  EXPECT_EQ(kind(run(store->withdraw(other_a))), "ok") << "and changes nothing";
  EXPECT_EQ(run(store->members()).value(), std::vector{a});
  EXPECT_EQ(kind(run(store->withdraw(a))), "ok");
  EXPECT_EQ(kind(run(store->announce(other_a, 1h))), "ok");
  EXPECT_EQ(run(store->members()).value(), std::vector{other_a});
}

TEST_F(PostgresClusterStore, OfManyThatAskAtOnceOneGetsIt) {
  const auto one = open(), two = open(), three = open();
  const auto tries = [](std::shared_ptr<cluster_store> store, std::string who, int* got) -> task<> {
    for (int i = 0; i < 20; ++i) {
      auto asking = store->acquire("lease " + std::to_string(i), who, 1h);
      const auto held = co_await std::move(asking);
      if (held) ++*got;
      if (!held && !held.error().is(errc::already_exists)) throw bad_result(held.error());
    }
  };
  int got[3] = {};
  const auto a = sys.spawn(tries, one, "a", &got[0]);
  const auto b = sys.spawn(tries, two, "b", &got[1]);
  const auto c = sys.spawn(tries, three, "c", &got[2]);
  for (const auto& each : {a, b, c}) EXPECT_TRUE(each.wait().normal());
  EXPECT_EQ(got[0] + got[1] + got[2], 20);
  EXPECT_EQ(server->sql("SELECT sum(token) FROM " + how.schema + ".leases"), "20");
}

TEST_F(PostgresClusterStore, AnyNumberOfMembersMayOpenItAtOnceForTheFirstTime) {
  for (int round = 0; round < 10; ++round) {
    how.schema = server->new_schema();
    test::at_once(6, [this] { EXPECT_NE(open(), nullptr); });
  }
}

TEST_F(PostgresClusterStore, FailsWhileTheServerIsAwayAndGoesOnBehindItWithItsTokens) {
  const auto store = open();
  const auto first = run(store->acquire("books", "a", 1h)).value();
  server->stop(SIGQUIT);
  EXPECT_EQ(kind(run(store->renew(first, 1h))), "io");
  ASSERT_TRUE(server->start()) << postgres_server::why_not();
  EXPECT_EQ(kind(run(store->renew(first, 1h))), "ok");
  EXPECT_EQ(kind(run(store->release(first))), "ok");
  EXPECT_EQ(run(store->acquire("books", "a", 1h)).value().token, 2U);
}

TEST_F(PostgresClusterStore, RefusesASchemaOfSomethingElse) {
  server->sql("CREATE SCHEMA " + how.schema);
  server->sql("CREATE TABLE " + how.schema + ".leases(flat text)");
  const auto refused = open_postgres_cluster_store(server->connection(), how);
  EXPECT_EQ(kind(refused), "parse");
  how.schema = "pg_mine";
  const auto unfit = open_postgres_cluster_store(server->connection(), how);
  EXPECT_EQ(kind(unfit), "invalid_argument");
  EXPECT_NE(unfit.error().message().find("cannot be the schema of a cluster store"), std::string_view::npos);
}

} // namespace
} // namespace greenroom::postgres_cluster_store_test
#endif
