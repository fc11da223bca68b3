// Random programs over mailboxes, select and scopes against what they promise, under 10,000 schedules each.
#include <greenroom/testkit/explore.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::testkit::models_test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 10'000;

struct item {
  int sender;
  int number;
};

/// What senders and receivers have seen, by their own account.
struct ledger {
  std::map<int, std::vector<int>> sent;    // accepted, by sender
  std::vector<std::vector<item>> received; // by receiver
  std::uint64_t handed_back = 0;
};
using books = std::shared_ptr<ledger>;

// -- mailbox ----------------------------------------------------------------------------------------------

task<> send_some(address<item> out, int me, int count, std::uint64_t seed, books b) {
  xoshiro random(seed);
  for (int i = 0; i < count; ++i) {
    const item next{me, i};
    result<void> outcome;
    switch (random.below(3)) {
    case 0: {
      const auto sent = co_await out.send(next);
      if (!sent) outcome = sent.error();
      break;
    }
    case 1: {
      const auto sent = out.try_send(next);
      if (!sent) outcome = sent.error();
      break;
    }
    default: {
      const auto sent = co_await out.send_for(next, 1ms);
      if (!sent) outcome = sent.error();
    }
    }
    if (outcome)
      b->sent[me].push_back(i);
    else
      ++b->handed_back;
  }
}

task<> receive_all(mailbox<item> in, std::size_t me, std::uint64_t seed, books b) {
  xoshiro random(seed);
  for (;;) {
    if (random.below(2) == 0) {
      const auto got = co_await in.receive_for(1ms);
      if (got)
        b->received[me].push_back(*got);
      else if (got.error().is(errc::closed))
        co_return;
    } else {
      const auto got = co_await in.receive();
      if (!got) co_return;
      b->received[me].push_back(*got);
    }
  }
}

task<> senders_and_receivers(scope& s, std::uint64_t seed, books b) {
  xoshiro random(seed);
  const auto capacity = static_cast<std::int64_t>(random.below(4));
  auto [in, out] = make_mailbox<item>(capacity == 0 ? rendezvous() : bounded(capacity));
  const int senders = 1 + static_cast<int>(random.below(3));
  const std::size_t receivers = 1 + random.below(3);
  b->received.resize(receivers);
  for (std::size_t i = 0; i < receivers; ++i) s.spawn(receive_all, in, i, random.next(), b);
  for (int i = 0; i < senders; ++i) s.spawn(send_some, out, i, 1 + static_cast<int>(random.below(5)), random.next(), b);
  co_return;
}

/// Every item that was sent was received once, by one receiver, and in the order of its sender.
void check(const ledger& b) {
  std::map<int, std::vector<int>> got;
  for (const auto& one : b.received) {
    std::map<int, int> last;
    for (const auto& each : one) {
      const auto [it, is_first] = last.try_emplace(each.sender, -1);
      require(each.number > it->second, "an item overtook another of its sender");
      it->second = each.number;
      got[each.sender].push_back(each.number);
    }
  }
  for (auto& [sender, numbers] : got) std::sort(numbers.begin(), numbers.end());
  for (const auto& [sender, numbers] : b.sent) {
    require(got[sender] == numbers, "of sender " + std::to_string(sender) + " " + std::to_string(numbers.size()) +
                                        " items were sent and " + std::to_string(got[sender].size()) + " received");
  }
  require(got.size() <= b.sent.size(), "an item was received that nobody has sent");
}

task<> mailbox_model(std::uint64_t seed) {
  auto b = std::make_shared<ledger>();
  const auto ended = co_await with_scope(senders_and_receivers, seed, b);
  require(ended.has_value(), ended ? "" : std::string(ended.error().message()));
  check(*b);
}

TEST(Model, MailboxesLoseNothingAndKeepTheOrderOfEachSender) {
  const auto found = explore({.runs = seeds, .world = {.time_races = true}}, mailbox_model);
  EXPECT_TRUE(found.nothing()) << found.to_string();
  EXPECT_EQ(found.runs, seeds);
  EXPECT_EQ(found.trace_hash, explore({.runs = seeds, .world = {.time_races = true}}, mailbox_model).trace_hash)
      << "the same seeds, the same runs";
}

// -- select -----------------------------------------------------------------------------------------------

/// Passes items on between two mailboxes with selects that may take, give, or give up; each item it holds is one it has taken.
task<> exchange_by_select(mailbox<item> in, address<item> out, std::uint64_t seed) {
  xoshiro random(seed);
  std::vector<item> held;
  bool open = true;
  while (open || !held.empty()) {
    item next = held.empty() ? item{-1, -1} : held.front();
    if (held.empty()) {
      auto s = co_await select(in.receive(), after(std::chrono::microseconds(100 + random.below(400))));
      if (s.index() != 0) continue;
      const auto got = s.template get<0>();
      if (got)
        held.push_back(*got);
      else
        open = false;
    } else if (!open) {
      const auto sent = co_await out.send(next);
      require(sent.has_value(), "nobody takes it");
      held.erase(held.begin());
    } else {
      auto s = co_await select(in.receive(), out.send(std::move(next)));
      if (s.index() == 1) {
        require(s.template get<1>().has_value(), "nobody takes it");
        held.erase(held.begin());
      } else {
        const auto got = s.template get<0>();
        if (got)
          held.push_back(*got);
        else
          open = false;
      }
    }
  }
}

task<> send_all(address<item> out, int me, int count, books b) {
  for (int i = 0; i < count; ++i) {
    const item next{me, i};
    const auto sent = co_await out.send(next);
    require(sent.has_value(), "nobody takes it");
    b->sent[me].push_back(i);
  }
}

task<> chain_of_selects(scope& s, std::uint64_t seed, books b) {
  xoshiro random(seed);
  const auto make = [&random] { return make_mailbox<item>(random.below(2) == 0 ? rendezvous() : bounded(1)); };
  auto [in, out] = make();
  const int senders = 1 + static_cast<int>(random.below(2));
  for (int i = 0; i < senders; ++i) s.spawn(send_all, out, i, 1 + static_cast<int>(random.below(4)), b);
  out = {};
  const auto links = 1 + random.below(2);
  for (std::uint64_t i = 0; i < links; ++i) {
    auto [next_in, next_out] = make();
    s.spawn(exchange_by_select, in, std::move(next_out), random.next());
    in = std::move(next_in);
  }
  b->received.resize(1);
  s.spawn(receive_all, std::move(in), std::size_t{0}, random.next(), b);
  co_return;
}

task<> select_model(std::uint64_t seed) {
  auto b = std::make_shared<ledger>();
  const auto ended = co_await with_scope(chain_of_selects, seed, b);
  require(ended.has_value(), ended ? "" : std::string(ended.error().message()));
  check(*b);
}

TEST(Model, SelectsTakeAndGiveWhatTheySayAndNothingElse) {
  const auto found = explore({.runs = seeds, .world = {.time_races = true}}, select_model);
  EXPECT_TRUE(found.nothing()) << found.to_string();
  EXPECT_EQ(found.runs, seeds);
}

// -- scope ------------------------------------------------------------------------------------------------

struct family {
  int alive = 0;
  bool over = false;
};
struct presence {
  explicit presence(std::shared_ptr<family> f) : of(std::move(f)) { ++of->alive; }
  presence(const presence&) = delete;
  presence& operator=(const presence&) = delete;
  ~presence() { --of->alive; }
  std::shared_ptr<family> of;
};

task<> live(scope& s, int depth, std::uint64_t seed, std::shared_ptr<family> f);

task<> grow(int depth, std::uint64_t seed, std::shared_ptr<family> f) {
  const presence here(f);
  require(!f->over, "a child was started after its scope had ended");
  xoshiro random(seed);
  switch (depth == 0 ? random.below(4) : 4) {
  case 0: co_return;
  case 1: co_await sleep_for(std::chrono::microseconds(random.below(2'000))); co_return;
  case 2: co_await yield(); throw std::runtime_error("as planned");
  case 3: co_await sleep_for(1h); co_return; // until somebody fails
  default: break;
  }
  const auto limited = co_await with_timeout(std::chrono::microseconds(500 + random.below(3'000)),
                                             with_scope(live, depth, random.next(), f));
  (void)limited;
}

task<> live(scope& s, int depth, std::uint64_t seed, std::shared_ptr<family> f) {
  xoshiro random(seed);
  const auto children = random.below(4);
  for (std::uint64_t i = 0; i < children; ++i) s.spawn(grow, depth - 1, random.next(), f);
  if (random.below(3) == 0) s.cancel();
  co_return;
}

task<> scope_model(std::uint64_t seed) {
  auto f = std::make_shared<family>();
  const auto ended = co_await with_scope(live, 3, seed, f);
  (void)ended;
  f->over = true;
  require(f->alive == 0, std::to_string(f->alive) + " outlived the scope");
}

TEST(Model, NobodyOutlivesItsScope) {
  const auto found = explore({.runs = seeds, .world = {.time_races = true}}, scope_model);
  EXPECT_TRUE(found.nothing()) << found.to_string();
  EXPECT_EQ(found.runs, seeds);
}

} // namespace
} // namespace greenroom::testkit::models_test
