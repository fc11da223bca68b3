// Money over the journal in PostgreSQL, with the server killed under its clients.
#ifdef GREENROOM_HAS_POSTGRES
#include <greenroom/actors/ledger.hpp>

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/actors/postgres_server.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::money::postgres_ledger_test {
namespace {

using namespace greenroom::test;

template <class M>
task<typename M::reply> tell(ledger books, M order) {
  co_return co_await books.tell(std::move(order), 60s);
}

struct client_notes {
  std::map<std::string, transfer> asked;
  std::vector<std::string> acknowledged;
};

/// Orders until the ledger does not answer; sends one item once some were acknowledged.
task<> order_until_it_fails(ledger books, int client, client_notes* notes, address<int> some_done) {
  static constexpr const char* names[] = {"a", "b", "c", "world"};
  for (int i = 0;; ++i) {
    const transfer t{std::to_string(client) + "-" + std::to_string(i), names[(client + i) % 4],
                     names[(client + i + 1 + i % 3) % 4], 1 + i % 40};
    notes->asked.emplace(t.key, t);
    const auto done = co_await books.tell(t, 60s);
    if (done) notes->acknowledged.push_back(t.key);
    if (!done && done.error().why == fault::unavailable) co_return;
    if (i == 30) (void)co_await some_done.send(client);
  }
}

task<> await_all(mailbox<int> in, int clients) {
  for (int i = 0; i < clients; ++i) (void)co_await in.receive();
}

struct PostgresLedger : testing::Test {
  void SetUp() override {
    server = postgres_server::shared();
    if (server == nullptr) GTEST_SKIP() << postgres_server::why_not();
    how.schema = server->new_schema();
    how.lock_limit = 60s;
  }
  ledger books(actor_system& sys) const {
    return ledger{event_sourced<ledger_state>(
        sys, [server = server, how = how] { return open_postgres_journal(server->connection(), how); },
        {.snapshot_every = 100})};
  }
  postgres_server* server = nullptr;
  postgres_journal_options how;
};

TEST_F(PostgresLedger, HasEachAcknowledgedTransferOnceWhenTheServerIsKilledUnderItsClients) {
  constexpr int clients = 8, rounds = 3;
  std::map<std::string, transfer> acknowledged;
  for (int round = 0; round < rounds; ++round) {
    std::vector<client_notes> notes(clients);
    {
      actor_system run(quiet(2));
      const auto l = books(run);
      for (const char* name : {"a", "b", "c"})
        ASSERT_TRUE(*run.run(tell<open_account>, l, open_account{std::string("o") + name, name, "EUR"}));
      ASSERT_TRUE(*run.run(tell<open_account>, l, open_account{"ow", "world", "EUR", true}));
      auto [in, out] = make_mailbox<int>(bounded(clients));
      std::vector<actor> all;
      for (int c = 0; c < clients; ++c)
        all.push_back(
            run.spawn(order_until_it_fails, l, round * clients + c, &notes[static_cast<std::size_t>(c)], out));
      { const auto none_left = std::move(out); } // clients that end early are not waited for
      const auto ready = run.spawn(await_all, std::move(in), clients);
      EXPECT_TRUE(ready.wait().normal());
      server->stop(SIGKILL);
      for (auto& a : all) EXPECT_TRUE(a.wait().normal());
    }
    ASSERT_TRUE(server->start()) << postgres_server::why_not();
    for (const auto& n : notes) {
      for (const auto& key : n.acknowledged) acknowledged.emplace(key, n.asked.at(key));
    }
    actor_system run(quiet(2));
    const auto l = books(run);
    for (const auto& [key, order] : acknowledged) {
      const auto again = *run.run(tell<transfer>, l, order);
      ASSERT_TRUE(again) << again.error().text;
      EXPECT_TRUE(again->repeated) << "an acknowledged transfer was lost: " << key;
    }
    const auto totals = *run.run(tell<read_totals>, l, read_totals{});
    ASSERT_TRUE(totals);
    for (const auto& t : *totals) EXPECT_TRUE(t.sum == 0 && t.negative == 0);
  }
  EXPECT_GT(acknowledged.size(), static_cast<std::size_t>(rounds * clients)) << "there was something to lose";
  auto log = open_postgres_journal(server->connection(), how);
  ASSERT_TRUE(log) << log.error().message();
  EXPECT_TRUE((*log)->verify());
}

TEST_F(PostgresLedger, GoesOnByItselfAfterItsConnectionWasCutBetweenOrders) {
  actor_system run(quiet(2));
  const auto l = books(run);
  ASSERT_TRUE(*run.run(tell<open_account>, l, open_account{"oa", "a", "EUR"}));
  ASSERT_TRUE(*run.run(tell<open_account>, l, open_account{"ow", "world", "EUR", true}));
  server->cut(how.schema);
  const auto done = *run.run(tell<transfer>, l, transfer{"t1", "world", "a", 30});
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ((*run.run(tell<read_account>, l, read_account{"a"}))->balance, 30);
}

} // namespace
} // namespace greenroom::money::postgres_ledger_test
#endif
