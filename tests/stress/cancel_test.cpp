// Actors are cancelled and killed at random in every kind of wait while others go on with the same mailboxes.
// STRESS_ITEMS sets how many are struck; STRESS_SEED repeats a run.
#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/random.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::cancel_test {
namespace {

using namespace test;

const auto strikes = from_environment("STRESS_ITEMS", 3'000);

/// What all share. Items are counted by whoever completed the send or the receive.
struct world {
  std::array<mailbox<int>, 3> in;
  std::array<address<int>, 3> out;
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> received = 0;
  actor patient; // never ends before the others
};

/// One random wait.
task<> wait_somehow(world* w, xoshiro* random) {
  const auto which = random->below(3);
  const auto& in = w->in[which];
  const auto& out = w->out[random->below(3)];
  const auto short_time = std::chrono::microseconds(random->below(300));
  int item = 1;
  switch (random->below(11)) {
  case 0:
    if (const auto got = co_await in.receive()) ++w->received;
    break;
  case 1: {
    const auto sent = co_await out.send(std::move(item));
    w->sent += sent.has_value();
    break;
  }
  case 2: {
    const auto got = co_await in.receive_for(short_time);
    w->received += got.has_value();
    break;
  }
  case 3: {
    const auto sent = co_await out.send_for(std::move(item), short_time);
    w->sent += sent.has_value();
    break;
  }
  case 4: {
    auto s = co_await select(in.receive(), out.send(std::move(item)), after(short_time), w->patient.join());
    if (s.index() == 0) w->received += s.get<0>().has_value();
    if (s.index() == 1) w->sent += s.get<1>().has_value();
    break;
  }
  case 5: {
    auto s = co_await select(w->in[0].receive(), w->in[1].receive(), w->in[2].receive());
    w->received += s.index() == 0   ? s.get<0>().has_value()
                   : s.index() == 1 ? s.get<1>().has_value()
                                    : s.get<2>().has_value();
    break;
  }
  case 6: co_await sleep_for(short_time); break;
  case 7: co_await w->patient.join(); break;
  case 8: co_await blocking([] { std::this_thread::yield(); }); break;
  case 9: {
    const auto limited = this_actor::context().with_timeout(short_time);
    auto s = co_await select(limited.done(), in.receive());
    if (s.index() == 1) w->received += s.get<1>().has_value();
    break;
  }
  default: co_await yield();
  }
}

task<> live(world* w, std::uint64_t seed) {
  xoshiro random(seed);
  for (;;) co_await wait_somehow(w, &random);
}

/// Swallows cancellation: only a kill ends it.
task<> live_stubbornly(world* w, std::uint64_t seed) {
  xoshiro random(seed);
  for (;;) {
    try {
      co_await wait_somehow(w, &random);
    } catch (const cancelled&) {}
  }
}

/// Actors that are not struck. They keep the mailboxes moving.
task<> send_always(address<int> out, world* w, const std::atomic<bool>* over) {
  while (!*over) {
    const auto sent = co_await out.send_for(1, 1ms);
    w->sent += sent.has_value();
  }
}
task<> receive_always(mailbox<int> in, world* w, const std::atomic<bool>* over) {
  while (!*over) {
    const auto got = co_await in.receive_for(1ms);
    w->received += got.has_value();
  }
}

class Strikes : public testing::TestWithParam<std::tuple<bool, std::size_t>> {};

TEST_P(Strikes, HurtNobodyElseAndLoseNothing) {
  const auto [with_kills, workers] = GetParam();
  const auto seed = from_environment("STRESS_SEED", std::random_device{}());
  SCOPED_TRACE(testing::Message() << "STRESS_SEED=" << seed);
  actor_system sys(quiet(workers));
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> kills = 0;
  world w;
  std::vector<actor> others;
  const std::array<mailbox_limits, 3> limits{rendezvous(), bounded(1), bounded(16)};
  for (std::size_t i = 0; i < 3; ++i) {
    auto ends = make_mailbox<int>(limits[i]);
    w.in[i] = ends.in;
    w.out[i] = ends.out;
  }
  auto hold = make_mailbox<int>(rendezvous());
  w.patient = sys.spawn([](mailbox<int> in) -> task<> { co_await in.receive(); }, hold.in);
  for (std::size_t i = 0; i < 3; ++i) {
    others.push_back(sys.spawn(send_always, w.out[i], &w, &over));
    others.push_back(sys.spawn(receive_always, w.in[i], &w, &over));
  }

  // Each thread strikes its own victims, so that ends, strikes and spawns meet from several sides.
  const auto strike = [&](std::uint64_t part) {
    xoshiro random(seed + part);
    std::vector<actor> victims(20);
    for (auto& v : victims) v = sys.spawn(live, &w, random.next());
    for (std::uint64_t i = 0; i < strikes / 2; ++i) {
      auto& victim = victims[random.below(victims.size())];
      const bool kill = with_kills && random.below(2) == 0;
      if (kill) {
        ++kills;
        victim.kill();
      } else {
        victim.cancel();
        if (random.below(4) == 0) std::this_thread::yield();
      }
      if (kill || random.below(2) == 0) victim.wait();
      victim = kill || !with_kills || random.below(2) == 0 ? sys.spawn(live, &w, random.next()) : actor();
      if (!victim) {
        victim = sys.spawn(live_stubbornly, &w, random.next());
        victim.cancel(); // swallowed
        ++kills;
        victim.kill();
        victim.wait();
        victim = sys.spawn(live, &w, random.next());
      }
    }
    for (auto& v : victims) {
      v.cancel();
      v.wait();
    }
  };
  std::thread second(strike, 2);
  strike(1);
  second.join();
  over = true;
  for (auto& a : others) EXPECT_TRUE(a.wait().normal());
  hold.out = {};
  EXPECT_TRUE(w.patient.wait().normal());
  while (sys.live_actors() != 0) std::this_thread::yield(); // victims that were struck and not waited for
  std::uint64_t queued = 0;
  for (auto& in : w.in) {
    while (in.try_receive()) ++queued;
  }
  // Who is killed with an item in hand loses it; who is killed after its item was taken does not count it.
  const auto difference = static_cast<std::int64_t>(w.sent) - static_cast<std::int64_t>(w.received + queued);
  EXPECT_LE(std::abs(difference), static_cast<std::int64_t>(kills));
  EXPECT_EQ(sys.live_timers(), 0u);
  EXPECT_TRUE(sys.stop().complete());
}

std::string name_of(const testing::TestParamInfo<Strikes::ParamType>& info) {
  return (std::get<0>(info.param) ? "KillsWorkers" : "CancelsWorkers") + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(All, Strikes, testing::Combine(testing::Bool(), testing::Values(1u, 2u, 4u)), name_of);

} // namespace
} // namespace greenroom::cancel_test
