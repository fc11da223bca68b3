#include <greenroom/runtime/detail/timer_wheel.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::detail::timer_wheel_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds tick{1 << 16};
constexpr time_point origin{123'456'789'012'345ns};

time_point at(std::int64_t ticks) { return origin + ticks * tick; }

struct named : timer_node {
  int name = 0;
};

std::vector<int> names_due(timer_wheel& wheel, time_point now) {
  std::vector<int> names;
  wheel.advance(now, [&](timer_node& node) { names.push_back(static_cast<named&>(node).name); });
  return names;
}

using names = std::vector<int>;

TEST(TimerWheel, StartsEmpty) {
  timer_wheel wheel(origin);
  EXPECT_TRUE(wheel.empty());
  EXPECT_EQ(wheel.next_expiry(), never);
  EXPECT_EQ(names_due(wheel, origin + 24h), names{});
}

TEST(TimerWheel, FiresAtTheTickAfterAndNeverEarly) {
  timer_wheel wheel(origin);
  named node;
  wheel.arm(node, at(5) + 1ns);
  EXPECT_TRUE(node.armed());
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(wheel.next_expiry(), at(6));
  EXPECT_EQ(names_due(wheel, at(5) + 1ns), names{});
  EXPECT_EQ(names_due(wheel, at(6) - 1ns), names{});
  EXPECT_EQ(names_due(wheel, at(6)), names{0});
  EXPECT_FALSE(node.armed());
  EXPECT_EQ(wheel.next_expiry(), never);
}

TEST(TimerWheel, PastAndPresentAreDueAtTheNextAdvance) {
  timer_wheel wheel(origin);
  names_due(wheel, at(100));
  named past{{}, 1}, present{{}, 2}, before_origin{{}, 3};
  wheel.arm(past, at(3));
  wheel.arm(present, at(100));
  wheel.arm(before_origin, origin - 1h);
  EXPECT_LE(wheel.next_expiry(), at(100));
  EXPECT_EQ(names_due(wheel, at(100)), (names{1, 2, 3}));
}

TEST(TimerWheel, OrderIsByTickThenByArming) {
  timer_wheel wheel(origin);
  std::deque<named> nodes(6);
  for (int i = 0; i != 6; ++i) nodes[static_cast<std::size_t>(i)].name = i;
  wheel.arm(nodes[0], at(5'000));
  wheel.arm(nodes[1], at(4'999));
  wheel.arm(nodes[2], at(5'000));
  wheel.arm(nodes[3], at(2));
  names_due(wheel, at(1));
  wheel.arm(nodes[4], at(5'000) - 1ns);
  EXPECT_EQ(names_due(wheel, at(4'990)), names{3});
  wheel.arm(nodes[5], at(5'000)); // now at a lower level than its elders were
  EXPECT_EQ(names_due(wheel, at(9'999)), (names{1, 0, 2, 4, 5}));
}

TEST(TimerWheel, CancelTellsWhetherTheNodeWasArmed) {
  timer_wheel wheel(origin);
  named a{{}, 1}, b{{}, 2};
  EXPECT_FALSE(wheel.cancel(a));
  wheel.arm(a, at(70));
  wheel.arm(b, at(70));
  EXPECT_TRUE(wheel.cancel(a));
  EXPECT_FALSE(a.armed());
  EXPECT_FALSE(wheel.cancel(a));
  EXPECT_EQ(names_due(wheel, at(70)), names{2});
  EXPECT_FALSE(wheel.cancel(b));
  EXPECT_EQ(wheel.next_expiry(), never);
}

TEST(TimerWheel, RearmingMovesEarlierAndLater) {
  timer_wheel wheel(origin);
  named node;
  wheel.arm(node, at(1'000));
  wheel.arm(node, at(10));
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(names_due(wheel, at(10)), names{0});
  wheel.arm(node, at(20));
  wheel.arm(node, at(2'000));
  EXPECT_EQ(names_due(wheel, at(1'999)), names{});
  EXPECT_EQ(names_due(wheel, at(2'000)), names{0});
}

TEST(TimerWheel, EveryLevelsBoundaryIsExact) {
  for (const std::int64_t start : {0, 1, 62, 63, 64, 4'094, 4'095, 4'096, 262'143}) {
    for (unsigned level = 1; level != 8; ++level) {
      const std::int64_t edge = std::int64_t{1} << (6 * level);
      for (const std::int64_t wait : {edge - 1, edge, edge + 1, 2 * edge - 1, 63 * edge, 64 * edge - 1}) {
        if (start + wait > (never - origin) / tick) continue;
        SCOPED_TRACE(::testing::Message() << "from tick " << start << " wait " << wait);
        timer_wheel wheel(origin);
        named node;
        names_due(wheel, at(start));
        wheel.arm(node, at(start + wait));
        ASSERT_EQ(names_due(wheel, at(start + wait) - 1ns), names{});
        ASSERT_EQ(wheel.next_expiry(), at(start + wait));
        ASSERT_EQ(names_due(wheel, at(start + wait)), names{0});
      }
    }
  }
}

TEST(TimerWheel, NextExpiryLeadsToTheTimerInFewSteps) {
  timer_wheel wheel(origin);
  named node;
  const time_point when = origin + 1'000h;
  wheel.arm(node, when);
  time_point now = origin;
  int steps = 0;
  for (; node.armed(); ++steps) {
    ASSERT_GT(wheel.next_expiry(), now);
    now = wheel.next_expiry();
    ASSERT_LT(now, when + tick);
    names_due(wheel, now);
  }
  EXPECT_GE(now, when);
  EXPECT_LE(steps, 8);
}

TEST(TimerWheel, NeverCountsButIsNotReached) {
  for (const time_point start : {time_point{}, origin, never - tick}) {
    timer_wheel wheel(start);
    named node;
    wheel.arm(node, never);
    EXPECT_TRUE(node.armed());
    EXPECT_EQ(wheel.size(), 1u);
    EXPECT_GT(wheel.next_expiry(), start);
    EXPECT_EQ(names_due(wheel, never - 1ns), names{});
    EXPECT_GT(wheel.next_expiry(), start);
    EXPECT_TRUE(wheel.cancel(node));
    EXPECT_EQ(wheel.next_expiry(), never);
  }
}

TEST(TimerWheel, TimeThatStepsBackCountsAsTheLastOne) {
  timer_wheel wheel(origin);
  named node;
  names_due(wheel, at(100));
  wheel.arm(node, at(101));
  EXPECT_EQ(names_due(wheel, at(3)), names{});
  EXPECT_EQ(names_due(wheel, at(101)), names{0});
}

TEST(TimerWheel, ReceiverMayRearmTheNodeItGets) {
  timer_wheel wheel(origin);
  named node;
  wheel.arm(node, at(10));
  const auto again = [&](timer_node& n) { wheel.arm(n, at(5)); };
  EXPECT_EQ(wheel.advance(at(20), again), 1u); // a time that has passed waits for the next advance
  EXPECT_TRUE(node.armed());
  EXPECT_EQ(wheel.advance(at(20), again), 1u);
  EXPECT_EQ(names_due(wheel, at(20)), names{0});
}

TEST(TimerWheel, ReceiverMayCancelAndRearmOtherDueNodes) {
  timer_wheel wheel(origin);
  std::deque<named> nodes(5);
  for (int i = 0; i != 5; ++i) {
    nodes[static_cast<std::size_t>(i)].name = i;
    wheel.arm(nodes[static_cast<std::size_t>(i)], at(10 * i));
  }
  names seen;
  wheel.advance(at(30), [&](timer_node& node) {
    seen.push_back(static_cast<named&>(node).name);
    if (seen.size() > 1) return;
    EXPECT_TRUE(wheel.cancel(nodes[1]));
    wheel.arm(nodes[2], at(35));
    wheel.arm(nodes[4], at(36));
    wheel.arm(nodes[0], at(37));
  });
  EXPECT_EQ(seen, (names{0, 3}));
  EXPECT_EQ(wheel.size(), 3u);
  EXPECT_EQ(names_due(wheel, at(40)), (names{2, 4, 0}));
}

TEST(TimerWheel, ThrowingReceiverLeavesTheRestDue) {
  timer_wheel wheel(origin);
  named a{{}, 1}, b{{}, 2}, c{{}, 3};
  wheel.arm(a, at(1));
  wheel.arm(b, at(2));
  wheel.arm(c, at(2));
  EXPECT_THROW(wheel.advance(at(9), [](timer_node&) { throw std::runtime_error("receiver"); }), std::runtime_error);
  EXPECT_EQ(wheel.size(), 2u);
  EXPECT_LE(wheel.next_expiry(), at(9));
  EXPECT_TRUE(wheel.cancel(b));
  EXPECT_EQ(names_due(wheel, at(9)), names{3});
}

// A wheel beside a sorted multimap, whose equal keys stay in the order of insertion.
class model_run {
public:
  explicit model_run(unsigned seed) : random_(seed) {
    for (std::size_t i = 0; i != nodes_.size(); ++i) nodes_[i].name = static_cast<int>(i);
  }

  ~model_run() {
    for (named& node : nodes_) wheel_.cancel(node);
  }

  void step() {
    const auto choice = random_() % 16;
    if (choice < 8) {
      arm(nodes_[random_() % nodes_.size()]);
    } else if (choice < 12) {
      named& node = nodes_[random_() % nodes_.size()];
      ASSERT_EQ(wheel_.cancel(node), forget(node));
    } else {
      ASSERT_NO_FATAL_FAILURE(advance(choice == 15 ? wheel_.next_expiry() : now_ + random_wait()));
    }
    ASSERT_EQ(wheel_.size(), model_.size());
    ASSERT_EQ(wheel_.empty(), model_.empty());
  }

private:
  // Any magnitude up to three days is as likely as any other.
  nanoseconds random_wait() {
    const auto bits = random_() % 49;
    return nanoseconds(static_cast<std::int64_t>((std::uint64_t{random_()} << 32 | random_()) & ((1ull << bits) - 1)));
  }

  std::int64_t tick_of(time_point when) const { return (when - origin + tick - 1ns) / tick; }

  bool forget(named& node) {
    const auto found = where_.find(&node);
    if (found == where_.end()) return false;
    model_.erase(found->second);
    where_.erase(found);
    return true;
  }

  void arm(named& node) {
    const auto direction = random_() % 8;
    const time_point when = direction == 0 ? now_ - 1ms : direction == 1 ? now_ : now_ + random_wait();
    wheel_.arm(node, when);
    forget(node);
    const auto due = std::max(tick_of(when), (now_ - origin) / tick);
    where_[&node] = model_.emplace(due, &node);
  }

  void advance(time_point to) {
    if (to == never) return;
    now_ = std::max(now_, to);
    const auto last = (now_ - origin) / tick;
    std::vector<named*> due;
    for (auto i = model_.begin(); i != model_.end() && i->first <= last; ++i) due.push_back(i->second);
    for (named* node : due) forget(*node);
    std::vector<named*> seen;
    wheel_.advance(to, [&](timer_node& node) {
      seen.push_back(&static_cast<named&>(node));
      if (random_() % 4 == 0) arm(*seen.back());
    });
    ASSERT_EQ(seen, due);
    const time_point next = wheel_.next_expiry();
    if (model_.empty()) {
      ASSERT_EQ(next, never);
    } else {
      ASSERT_LE(next, origin + model_.begin()->first * tick);
      const bool waiting = model_.begin()->first > last;
      ASSERT_EQ(next > now_, waiting);
    }
  }

  std::mt19937 random_;
  timer_wheel wheel_{origin};
  time_point now_ = origin;
  std::vector<named> nodes_{300};
  std::multimap<std::int64_t, named*> model_;
  std::map<named*, std::multimap<std::int64_t, named*>::iterator> where_;
};

TEST(TimerWheel, BehavesAsASortedMultimapUnderRandomOperations) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  for (unsigned run = 0; run != 10; ++run) {
    model_run model(seed + run);
    for (int i = 0; i != 100'000; ++i) ASSERT_NO_FATAL_FAILURE(model.step()) << "run " << run << " step " << i;
  }
}

} // namespace
} // namespace greenroom::detail::timer_wheel_test
