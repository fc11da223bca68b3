// Random races of answers, time-outs, drops, cancellations and kills: each ask ends once, with its own answer or an error.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iostream>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::ask_race_test {
namespace {

using namespace test;

struct probe {
  std::uint64_t id;
  using reply = std::uint64_t;
};
using probe_address = address<request<probe>>;
using probe_mailbox = mailbox<request<probe>>;

constexpr std::uint64_t answer_to(std::uint64_t id) { return id * 3 + 1; }

struct tally {
  std::atomic<std::uint64_t> next_id{1};
  std::atomic<std::uint64_t> attempts{0}; // answers given, by reply() or fail()
  std::atomic<std::uint64_t> values{0};   // answers that arrived
  std::atomic<std::uint64_t> failures{0}; // errors of fail() that arrived
  std::atomic<std::uint64_t> silences{0}; // no_reply
  std::atomic<std::uint64_t> refusals{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> wrong{0};
};

using dice = std::minstd_rand;
std::uint64_t roll(dice& d, std::uint64_t below) { return d() % below; }

void answer(request<probe>& r, tally& t, bool well) {
  t.attempts.fetch_add(1);
  if (well) {
    r.reply(answer_to(r.message.id));
  } else {
    r.fail(errc::io);
  }
}

task<> serve(probe_mailbox in, weak_address<request<probe>> others, tally* t, std::uint64_t seed) {
  dice d(static_cast<dice::result_type>(seed));
  std::vector<request<probe>> parked;
  while (auto r = co_await in.receive()) {
    switch (roll(d, 10)) {
    case 0: break; // dropped
    case 1: answer(*r, *t, false); break;
    case 2: parked.push_back(*std::move(r)); break;
    case 3:
      co_await yield();
      answer(*r, *t, true);
      break;
    case 4:
      co_await sleep_for(std::chrono::microseconds(roll(d, 300)));
      answer(*r, *t, true);
      break;
    case 5:
      if (auto to = others.lock()) {
        (void)r->forward(to); // perhaps to itself
        break;
      }
      [[fallthrough]];
    default: answer(*r, *t, true);
    }
    if (parked.size() > 4) {
      for (auto& late : parked) answer(late, *t, true);
      parked.clear();
    }
    if (roll(d, 100) == 0) throw std::runtime_error("a server that fails");
  }
}

task<> ask_often(probe_address to, tally* t, std::uint64_t seed, int times) {
  dice d(static_cast<dice::result_type>(seed));
  for (int i = 0; i < times; ++i) {
    const auto id = t->next_id.fetch_add(1);
    const auto limit = std::chrono::microseconds(roll(d, 4) == 0 ? roll(d, 200) : 5'000);
    const auto r = co_await ask(to, probe{id}, limit);
    if (r) {
      t->values.fetch_add(1);
      if (*r != answer_to(id)) t->wrong.fetch_add(1);
    } else {
      const auto code = r.error().code();
      (code == errc::io          ? t->failures
       : code == errc::no_reply  ? t->silences
       : code == errc::timed_out ? t->timeouts
                                 : t->refusals)
          .fetch_add(1);
    }
  }
}

/// One round: clients that ask, of which some are cancelled or killed at some moment, and servers that fail.
task<> round_of_asks(probe_mailbox in, probe_address out, tally* t, std::uint64_t seed) {
  dice d(static_cast<dice::result_type>(seed));
  std::vector<actor> clients;
  std::vector<actor> servers;
  for (int i = 0; i < 3; ++i) servers.push_back(spawn(serve, in, weak_address(out), t, seed * 31 + roll(d, 1'000'000)));
  for (int i = 0; i < 24; ++i) clients.push_back(spawn(ask_often, out, t, seed * 57 + roll(d, 1'000'000), 20));
  for (int i = 0; i < 12; ++i) {
    for (auto n = roll(d, 60); n > 0; --n) co_await yield();
    const auto& victim = clients[roll(d, clients.size())];
    roll(d, 2) == 0 ? victim.cancel() : victim.kill();
    auto& server = servers[roll(d, servers.size())];
    if (roll(d, 4) == 0) server.kill();
    if (server.finished()) server = spawn(serve, in, weak_address(out), t, seed * 91 + roll(d, 1'000'000));
  }
  for (const auto& c : clients) (void)co_await c.join();
  out = {};
  in.close();
  for (const auto& s : servers) (void)co_await s.join();
}

class AskRaces : public testing::TestWithParam<std::size_t> {};

TEST_P(AskRaces, EachAskEndsOnceWithItsOwnAnswer) {
  const auto wanted = from_environment("GREENROOM_ASK_RACES", 25'000);
  const auto seed = from_environment("GREENROOM_SEED", std::random_device()());
  std::cout << "seed " << seed << '\n';
  actor_system sys(quiet(GetParam()));
  tally t;
  for (std::uint64_t n = 0; sys.requests().started < wanted; ++n) {
    auto [in, out] = make_mailbox<request<probe>>(bounded(static_cast<std::int64_t>(n % 5) * 4));
    ASSERT_TRUE(sys.run(round_of_asks, std::move(in), std::move(out), &t, seed + n));
  }
  while (sys.live_actors() != 0) std::this_thread::yield(); // "run" itself ends after its value is there
  const auto s = sys.requests();
  EXPECT_EQ(t.wrong, 0U);
  EXPECT_EQ(s.pending(), 0U);
  EXPECT_EQ(s.answered, t.values);
  EXPECT_EQ(s.timed_out, t.timeouts);
  EXPECT_EQ(s.failed, t.failures + t.silences + t.refusals);
  EXPECT_EQ(t.attempts, t.values + t.failures + s.late) << "an answer neither arrived nor was counted as late";
  EXPECT_EQ(sys.live_timers(), 0U);
  std::cout << s.started << " asks: " << s.answered << " answered, " << s.failed << " failed, " << s.timed_out
            << " timed out, " << s.cancelled << " cancelled; " << s.late << " late answers\n";
}

INSTANTIATE_TEST_SUITE_P(Workers, AskRaces, testing::Values(1, 2, 3, 4));

} // namespace
} // namespace greenroom::ask_race_test
