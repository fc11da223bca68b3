// Sends and receives under random short deadlines: a send says "sent" if and only if its item was received, once.
// STRESS_ITEMS sets the number of sends; 10000000 for the full run. STRESS_SEED repeats one.
#include <atomic>
#include <cstdint>
#include <random>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/random.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::deadline_test {
namespace {

using namespace test;

const auto sends = from_environment("STRESS_ITEMS", 200'000);
constexpr std::uint64_t senders = 8;
constexpr std::uint64_t receivers = 6;

struct counts {
  std::vector<std::atomic<std::uint8_t>> sent = std::vector<std::atomic<std::uint8_t>>(sends);
  std::vector<std::atomic<std::uint8_t>> received = std::vector<std::atomic<std::uint8_t>>(sends);
  std::atomic<std::uint64_t> gave_up = 0;
};

std::chrono::microseconds some_time(xoshiro& random) { return std::chrono::microseconds(random.below(201)); }

task<> send_share(address<std::uint64_t> out, std::uint64_t me, std::uint64_t seed, counts* c) {
  xoshiro random(seed + me);
  for (auto n = me; n < sends; n += senders) {
    auto item = n;
    bool ok = false;
    if (random.below(2) == 0) {
      auto sent = co_await out.send_for(std::move(item), some_time(random));
      ok = sent.has_value();
      EXPECT_EQ(ok ? n : sent.item(), n);
    } else {
      auto s = co_await select(out.send(std::move(item)), after(some_time(random)));
      ok = s.index() == 0 && s.get<0>().has_value();
    }
    if (ok) {
      c->sent[n] = 1;
    } else {
      ++c->gave_up;
    }
  }
}

task<> receive_share(mailbox<std::uint64_t> in, std::uint64_t me, std::uint64_t seed, counts* c) {
  xoshiro random(seed + 1'000 + me);
  for (;;) {
    if (random.below(2) == 0) {
      auto got = co_await in.receive_for(some_time(random));
      if (got) {
        ++c->received[*got];
      } else if (got.error().is(errc::closed)) {
        co_return;
      }
    } else {
      auto s = co_await select(in.receive(), after(some_time(random)));
      if (s.index() == 1) continue;
      if (!s.get<0>()) co_return;
      ++c->received[*s.get<0>()];
    }
  }
}

class Deadlines : public testing::TestWithParam<std::tuple<std::int64_t, std::size_t>> {};

TEST_P(Deadlines, SentMeansReceivedOnce) {
  const auto [capacity, workers] = GetParam();
  const auto seed = from_environment("STRESS_SEED", std::random_device{}());
  SCOPED_TRACE(testing::Message() << "STRESS_SEED=" << seed);
  counts c;
  actor_system sys(quiet(workers));
  auto [in, out] = make_mailbox<std::uint64_t>(bounded(capacity));
  std::vector<actor> all;
  for (std::uint64_t i = 0; i < receivers; ++i) all.push_back(sys.spawn(receive_share, in, i, seed, &c));
  for (std::uint64_t i = 0; i < senders; ++i) all.push_back(sys.spawn(send_share, out, i, seed, &c));
  out = {};
  in = {};
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < sends; ++i) wrong += c.sent[i] != c.received[i];
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(sys.live_timers(), 0u);
  RecordProperty("gave_up", std::to_string(c.gave_up));
}

INSTANTIATE_TEST_SUITE_P(All, Deadlines, testing::Combine(testing::Values(0, 2), testing::Values(1u, 2u, 4u)));

} // namespace
} // namespace greenroom::deadline_test
