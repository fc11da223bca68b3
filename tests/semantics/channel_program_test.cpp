// Go's channel programs: chains, sieves, and many actors that mix their ways of sending and receiving. Source: go/test/chan,
// go/test/ken and runtime/chan_test.go, as facts. power_series_test.cpp has the longest of them.
#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <optional>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/semantics/go_kit.hpp>

namespace greenroom::channel_program_test {
namespace {

using namespace go_kit;

/// Returns when the last actor has ended by itself, its ends being gone; hangs if one does not.
void await_the_end_of_all(const actor_system& sys) {
  while (sys.live_actors() != 0) std::this_thread::yield();
}

// -- goroutines -------------------------------------------------------------------------------------

task<> pass_on(mailbox<int> from, address<int> to) {
  const auto item = co_await from.receive();
  EXPECT_TRUE(co_await to.send(*item + 1));
}

task<int> pass_through_a_chain(int length) {
  auto right = make_mailbox<int>(rendezvous());
  auto first = right.out;
  auto in = right.in;
  for (int i = 0; i < length; ++i) {
    auto next = make_mailbox<int>(rendezvous());
    spawn(pass_on, in, next.out);
    in = next.in;
  }
  EXPECT_TRUE(co_await first.send(0));
  const auto last = co_await in.receive();
  co_return *last;
}

// Go: test/chan/goroutines
TEST(GoChannel, TenThousandActorsInAChainPassOneItemAndEnd) {
  actor_system sys(quiet(2));
  EXPECT_EQ(sys.run(pass_through_a_chain, 10'000).value(), 10'000);
  await_the_end_of_all(sys);
}

// -- sieve1 -----------------------------------------------------------------------------------------

task<> count_from_two(address<int> out) {
  for (int i = 2;; ++i) {
    const auto sent = co_await out.send(i);
    if (!sent) co_return;
  }
}
task<> drop_multiples(mailbox<int> in, address<int> out, int prime) {
  while (const auto i = co_await in.receive()) {
    if (*i % prime == 0) continue;
    const auto sent = co_await out.send(*i);
    if (!sent) co_return;
  }
}

task<> sift(std::vector<int>* primes) {
  auto ends = make_mailbox<int>(rendezvous());
  spawn(count_from_two, std::move(ends.out));
  auto in = std::move(ends.in);
  while (primes->size() < 25) {
    const auto prime = co_await in.receive();
    primes->push_back(*prime);
    auto next = make_mailbox<int>(rendezvous());
    spawn(drop_multiples, std::move(in), std::move(next.out), *prime);
    in = std::move(next.in);
  }
}

const std::vector<int> primes_below_100{2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31, 37, 41,
                                        43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97};

// Go: test/chan/sieve1
TEST(GoChannel, GrowingChainOfFiltersFindsThePrimesAndEndsWithItsReader) {
  actor_system sys(quiet(2));
  std::vector<int> primes;
  EXPECT_TRUE(sys.run(sift, &primes));
  EXPECT_EQ(primes, primes_below_100);
  await_the_end_of_all(sys);
}

// -- sieve2 -----------------------------------------------------------------------------------------

task<> count_up(address<int> out, int from, int step) {
  for (int n = from;; n += step) {
    const auto sent = co_await out.send(n);
    if (!sent) co_return;
  }
}

/// Takes whatever comes at once, so that its sender never waits for its receiver.
task<> keep_for_later(mailbox<int> in, address<int> out) {
  std::deque<int> kept;
  for (;;) {
    const auto to = kept.empty() ? address<int>() : out; // an empty end never wins
    const int oldest = kept.empty() ? 0 : kept.front();
    auto s = co_await select(in.receive(), to.send(oldest));
    if (s.index() == 0) {
      const auto item = s.get<0>();
      if (!item) co_return;
      kept.push_back(*item);
    } else {
      if (!s.get<1>()) co_return;
      kept.pop_front();
    }
  }
}

/// A rising sequence of which the head has been taken already.
struct rising {
  int head;
  mailbox<int> rest;
  friend bool operator<(const rising& a, const rising& b) { return a.head > b.head; } // the smallest on top
};

/// Merges the odd multiples of all primes that come in, each from its square on, into one rising sequence.
task<> merge_multiples(mailbox<int> primes, address<int> composites) {
  std::priority_queue<rising> all;
  while (const auto prime = co_await primes.receive()) {
    auto own = make_mailbox<int>(bounded(10));
    spawn(count_up, std::move(own.out), *prime * *prime, 2 * *prime);
    const auto square = co_await own.in.receive();
    int last = 0;
    while (!all.empty() && all.top().head <= *square) {
      auto least = all.top();
      all.pop();
      if (least.head != last && least.head != *square) {
        last = least.head;
        const auto sent = co_await composites.send(last);
        if (!sent) co_return;
      }
      const auto following = co_await least.rest.receive();
      least.head = *following;
      all.push(least);
    }
    const auto sent = co_await composites.send(*square);
    if (!sent) co_return;
    const auto second = co_await own.in.receive();
    all.push(rising{*second, own.in});
  }
}

/// Gives the odd candidates that are no composite, to the reader and back to the merger.
task<> sift_composites(mailbox<int> candidates, mailbox<int> composites, address<int> primes, address<int> out) {
  auto candidate = co_await candidates.receive();
  while (const auto composite = co_await composites.receive()) {
    while (*candidate < *composite) {
      EXPECT_TRUE(co_await primes.send(*candidate));
      const auto sent = co_await out.send(*candidate);
      if (!sent) co_return;
      candidate = co_await candidates.receive();
    }
    if (*candidate == *composite) candidate = co_await candidates.receive();
  }
}

mailbox<int> start_sieve() {
  auto out = make_mailbox<int>(bounded(10));
  auto composites = make_mailbox<int>(bounded(50));
  auto primes = make_mailbox<int>(bounded(10));
  auto found = make_mailbox<int>(bounded(10));
  auto candidates = make_mailbox<int>(bounded(50));
  for (const int p : {2, 3}) EXPECT_TRUE(out.out.try_send(p));
  EXPECT_TRUE(primes.out.try_send(3));
  spawn(count_up, std::move(candidates.out), 5, 2);
  spawn(merge_multiples, std::move(primes.in), std::move(composites.out));
  // The merger needs primes much later than they are found: without this they would wait for each other.
  spawn(keep_for_later, std::move(found.in), std::move(primes.out));
  spawn(sift_composites, std::move(candidates.in), std::move(composites.in), std::move(found.out), std::move(out.out));
  return std::move(out.in);
}

task<> take_from_the_sieve(std::vector<int>* primes) {
  const auto in = start_sieve();
  while (primes->size() < 25) {
    const auto prime = co_await in.receive();
    primes->push_back(*prime);
  }
}

// Go: test/chan/sieve2
TEST(GoChannel, MergingSieveFeedsItsPrimesBackAndEndsWithItsReader) {
  for (const std::size_t workers : {1U, 2U}) {
    actor_system sys(quiet(workers));
    std::vector<int> primes;
    EXPECT_TRUE(sys.run(take_from_the_sieve, &primes));
    EXPECT_EQ(primes, primes_below_100);
    await_the_end_of_all(sys);
  }
}

// -- ken/chan ---------------------------------------------------------------------------------------

constexpr int values_each = 76;
constexpr std::size_t ways = 4;

struct tally {
  std::atomic<int> sent{0};
  std::atomic<int> received{0};
  std::atomic<std::uint64_t> seed{0};
};

/// The two ends of a channel, each with the number that comes next. An end that is through is empty, and never wins.
struct numbered_out {
  address<int> to;
  int next = 0;
  int end = 0;
  void count(tally* t, const send_result<int>& sent) {
    EXPECT_TRUE(sent.has_value());
    ++t->sent;
    if (++next == end) to = {};
  }
};
struct numbered_in {
  mailbox<int> from;
  int next = 0;
  int end = 0;
  void count(tally* t, std::optional<int> got) {
    EXPECT_EQ(got, next);
    ++t->received;
    if (++next == end) from = {};
  }
};
using outs = std::array<numbered_out, ways>;
using ins = std::array<numbered_in, ways>;

task<> dawdle(xoshiro* random, std::uint64_t most) {
  for (auto n = random->below(most); n > 0; --n) co_await yield();
}

task<> send_all(numbered_out out, tally* t) {
  xoshiro random(t->seed++);
  while (out.to) {
    co_await dawdle(&random, 10);
    const auto sent = co_await out.to.send(out.next);
    out.count(t, sent);
  }
}
task<> receive_all(numbered_in in, tally* t) {
  xoshiro random(t->seed++);
  while (in.from) {
    co_await dawdle(&random, 10);
    const auto item = co_await in.from.receive();
    in.count(t, item);
  }
}

template <class Selected, std::size_t... I>
void count_winner(Selected& s, ins& in, outs& out, tally* t, std::index_sequence<I...>) {
  ((s.index() == I ? in[I].count(t, s.template get<I>()) : void()), ...);
  ((s.index() == ways + I ? out[I].count(t, s.template get<ways + I>()) : void()), ...);
}

task<> select_all(ins in, outs out, tally* t) {
  xoshiro random(t->seed++);
  const auto open = [](const auto& end) {
    if constexpr (requires { end.to; }) {
      return static_cast<bool>(end.to);
    } else {
      return static_cast<bool>(end.from);
    }
  };
  while (std::any_of(in.begin(), in.end(), open) || std::any_of(out.begin(), out.end(), open)) {
    co_await dawdle(&random, 5);
    auto s = co_await select(in[0].from.receive(), in[1].from.receive(), in[2].from.receive(), in[3].from.receive(),
                             out[0].to.send(out[0].next), out[1].to.send(out[1].next), out[2].to.send(out[2].next),
                             out[3].to.send(out[3].next));
    count_winner(s, in, out, t, std::make_index_sequence<ways>());
  }
}

struct numbered {
  outs out;
  ins in;
};
numbered make_numbered(std::int64_t capacity) {
  numbered made;
  for (std::size_t i = 0; i < ways; ++i) {
    auto ends = make_mailbox<int>(bounded(capacity));
    const int first = 100 * static_cast<int>(i + 1);
    made.out[i] = {std::move(ends.out), first, first + values_each};
    made.in[i] = {std::move(ends.in), first, first + values_each};
  }
  return made;
}

void spawn_senders(std::vector<actor>* all, const outs& out, tally* t) {
  for (const auto& o : out) all->push_back(spawn(send_all, o, t));
}
void spawn_receivers(std::vector<actor>* all, const ins& in, tally* t) {
  for (const auto& i : in) all->push_back(spawn(receive_all, i, t));
}

/// Nine sets of four channels, each used in another way.
task<> mix_all_ways(std::int64_t capacity, tally* t) {
  std::vector<actor> all;
  {
    auto direct = make_numbered(capacity);
    spawn_senders(&all, direct.out, t);
    spawn_receivers(&all, direct.in, t);
    auto to_select = make_numbered(capacity);
    spawn_senders(&all, to_select.out, t);
    all.push_back(spawn(select_all, to_select.in, outs(), t));
    auto from_select = make_numbered(capacity);
    all.push_back(spawn(select_all, ins(), from_select.out, t));
    spawn_receivers(&all, from_select.in, t);
    auto between = make_numbered(capacity);
    all.push_back(spawn(select_all, ins(), between.out, t));
    all.push_back(spawn(select_all, between.in, outs(), t));
    auto there = make_numbered(capacity);
    auto back = make_numbered(capacity);
    all.push_back(spawn(select_all, back.in, there.out, t));
    all.push_back(spawn(select_all, there.in, back.out, t));
    auto first = make_numbered(capacity);
    auto middle = make_numbered(capacity);
    auto last = make_numbered(capacity);
    spawn_senders(&all, first.out, t);
    all.push_back(spawn(select_all, first.in, middle.out, t));
    all.push_back(spawn(select_all, middle.in, last.out, t));
    spawn_receivers(&all, last.in, t);
  }
  for (auto& a : all) {
    const auto why = co_await a.join();
    EXPECT_TRUE(why.normal()) << why.to_string();
  }
}

// Go: test/ken/chan
TEST(GoChannel, MixedSelectsAndDirectCallsKeepEverySequenceWhole) {
  for (const std::size_t workers : {1U, 2U, 4U}) {
    actor_system sys(seeded(workers));
    SCOPED_TRACE(seed_of(sys));
    tally t;
    t.seed = sys.settings().seed;
    for (const int capacity : {0, 1, 10, 100}) EXPECT_TRUE(sys.run(mix_all_ways, std::int64_t{capacity}, &t));
    EXPECT_EQ(t.sent, 4 * 9 * 4 * values_each); // 10,944
    EXPECT_EQ(t.received, t.sent);
  }
}

// -- many receivers ---------------------------------------------------------------------------------

task<> count_items(mailbox<int> in, std::vector<std::atomic<int>>* seen) {
  while (const auto item = co_await in.receive()) ++(*seen)[static_cast<std::size_t>(*item)];
}
task<> send_numbers(address<int> out, int count) {
  for (int i = 0; i < count; ++i) EXPECT_TRUE(co_await out.send(i));
}

// Go: test/ken/chan1
TEST(GoChannel, CompetingReceiversGetEachItemOnce) {
  actor_system sys(quiet(2));
  std::vector<std::atomic<int>> seen(1'000);
  auto [in, out] = make_mailbox<int>(bounded(2));
  for (int i = 0; i < 10; ++i) (void)sys.spawn(count_items, in, &seen);
  EXPECT_TRUE(sys.run(send_numbers, std::move(out), 1'000));
  await_the_end_of_all(sys);
  for (const auto& times : seen) EXPECT_EQ(times, 1);
}

task<> work(mailbox<int> in, address<int> out) {
  while (const auto v = co_await in.receive()) {
    if (*v % 37 == 0) co_await yield(); // mixes the order
    EXPECT_TRUE(co_await out.send(*v));
  }
}
task<long> hand_out(address<int> out, int items) {
  constexpr std::array<int, 10> primes{2, 3, 7, 11, 13, 17, 19, 23, 27, 31};
  long sum = 0;
  for (int i = 0; i < items; ++i) {
    const int v = primes[static_cast<std::size_t>(i) % primes.size()] * (i % 1'000);
    sum += v;
    EXPECT_TRUE(co_await out.send(v));
  }
  co_return sum;
}
task<> hand_out_and_note(address<int> out, int items, long* sum) { *sum = co_await hand_out(std::move(out), items); }

task<> share_work(int items) {
  auto work_ends = make_mailbox<int>(bounded(23 * 3));
  auto results = make_mailbox<int>(bounded(23 * 3));
  for (int i = 0; i < 23; ++i) spawn(work, work_ends.in, results.out);
  results.out = {};
  work_ends.in = {};
  long expected = 0;
  const auto producer = spawn(hand_out_and_note, std::move(work_ends.out), items, &expected);
  long sum = 0;
  int count = 0;
  while (const auto v = co_await results.in.receive()) { // ends with the last worker
    sum += *v;
    ++count;
  }
  co_await producer.join();
  EXPECT_EQ(sum, expected);
  EXPECT_EQ(count, items);
}

// Go: runtime/chan_test MultiConsumer
TEST(GoChannel, ManyWorkersHandleEachItemOnceAndResultsEndWithTheLastWorker) {
  actor_system sys(quiet(2));
  EXPECT_TRUE(sys.run(share_work, 271'828));
}

} // namespace
} // namespace greenroom::channel_program_test
