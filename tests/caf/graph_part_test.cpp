// One graph in two systems, as if in two processes, over loopback.
#ifdef GREENROOM_HAS_NODES
#include <greenroom/actors/graph_deployment.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/trace.hpp>
#include <greenroom/runtime/transport.hpp>

using namespace std::chrono_literals;

namespace split_shop {

struct order {
  int number = 0;
  std::string sku;
  using reply = std::string; // a receipt
};
template <class Inspector>
bool inspect(Inspector& f, order& x) {
  return f.object(x).fields(f.field("number", x.number), f.field("sku", x.sku));
}

} // namespace split_shop

namespace greenroom::graph_part_test {
namespace {

using split_shop::order;
using numbers = std::shared_ptr<std::vector<int>>;
using count = std::shared_ptr<std::atomic<int>>;

constexpr auto limit = 60s; // for a hang

template <class Done>
void wait_for(Done done) {
  const auto until = std::chrono::steady_clock::now() + limit;
  bool is = done(); // once true: it may not stay so
  while (!is && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
    is = done();
  }
  ASSERT_TRUE(is);
}

/// A port that was free a moment ago.
std::uint16_t free_port(actor_system& sys) { return sys.net().listen({"127.0.0.1", 0}).value()->port(); }

task<> send_orders(int from, int to, address<order> out, count sent) {
  for (int n = from; n <= to; ++n) {
    order next{n, "sku " + std::to_string(n)};
    const auto went = co_await out.send(std::move(next));
    if (!went) co_return;
    ++*sent;
  }
}
task<> idle_source(address<order> out) {
  (void)out;
  co_await sleep_until(never);
}
task<> note(mailbox<order> in, numbers all, count handled) {
  while (const auto next = co_await in.receive()) {
    if (next->sku == "sku " + std::to_string(next->number)) all->push_back(next->number);
    ++*handled;
  }
}
task<result<void>> drain(service s, duration how_long) { return s.drain(how_long); }

options quiet() {
  options how;
  how.log_level = "off";
  return how;
}

/// orders -> book, apart.
struct shop {
  shop() {
    where.add({.name = "shop"});
    where.add({.name = "bank", .port = free_port(shop_sys)}).place("book", "bank");
  }
  graph make(int from, int to, mailbox_limits limits = bounded(8)) const {
    graph g("shop");
    const auto orders = g.add("orders", send_orders, from, to, sent);
    const auto book = g.add("book", note, booked, handled);
    g.connect(orders, book, limits);
    return g;
  }

  deployment where;
  count sent = std::make_shared<std::atomic<int>>(0), handled = std::make_shared<std::atomic<int>>(0);
  numbers booked = std::make_shared<std::vector<int>>();
  actor_system shop_sys{quiet()}, bank_sys{quiet()};
};

std::vector<int> one_to(int last) {
  std::vector<int> all;
  for (int n = 1; n <= last; ++n) all.push_back(n);
  return all;
}

TEST(GraphPart, ItemsAreHandledElsewhereInTheirOrderAndADrainHandlesWhatIsLeft) {
  shop s;
  const auto bank = run(s.bank_sys, s.make(1, 1000), s.where, "bank").value();
  const auto front = run(s.shop_sys, s.make(1, 1000), s.where, "shop").value();
  EXPECT_TRUE(front.self().wait().normal()); // its nodes have ended, and all has crossed
  EXPECT_TRUE(s.bank_sys.run(drain, bank, limit));
  EXPECT_EQ(*s.booked, one_to(1000));
  const auto here = front.look(), there = bank.look();
  EXPECT_EQ(here.nodes[1].inputs[0].items, (item_counts{.accepted = 1000, .handled = 1000}));
  EXPECT_EQ(there.nodes[1].inputs[0].items, (item_counts{.accepted = 1000, .handled = 1000}));
}

TEST(GraphPart, SendersWaitUntilTheOtherNodeIsUp) {
  shop s;
  const auto front = run(s.shop_sys, s.make(1, 5000, bounded(4)), s.where, "shop").value();
  graph_look look; // all by one: a sender waits for a moment, too, until a batch is taken to be carried
  wait_for([&] {
    look = front.look();
    return look.nodes[1].inputs[0].blocked_senders == 1 && look.nodes[0].actors[0].doing == "blocked sending to 'book'";
  });
  EXPECT_LE(*s.sent, 4 + 256);
  EXPECT_EQ(look.places.at(1).state, place_look::condition::down);
  EXPECT_TRUE(look.nodes[1].elsewhere);
  EXPECT_TRUE(look.edges[0].crosses);

  const auto bank = run(s.bank_sys, s.make(1, 5000, bounded(4)), s.where, "bank").value();
  EXPECT_TRUE(front.self().wait().normal());
  EXPECT_TRUE(s.bank_sys.run(drain, bank, limit));
  EXPECT_EQ(*s.booked, one_to(5000));
}

TEST(GraphPart, AnEdgeThatRejectsDoesSoHereWhileTheOtherNodeIsDown) {
  shop s;
  const auto front = run(s.shop_sys, s.make(1, 5000, bounded(4, overflow::reject)), s.where, "shop").value();
  wait_for([&] { return front.look().nodes[0].actors[0].state == node_state::ended; });
  EXPECT_LT(*s.sent, 5000); // it gave up when it was told that there is no room
  const auto drained = s.shop_sys.run(drain, front, 1ms);
  ASSERT_FALSE(drained);
  EXPECT_EQ(drained.error().message(), "graph 'shop' is not drained: what is to cross to input 0 of 'book' on bank "
                                       "still run(s); wait longer, or stop() it");
  front.stop();
  front.self().wait();
}

TEST(GraphPart, APartThatIsDrainedAndComesBackGoesOnWithWhatTheOthersHaveKept) {
  shop s;
  const auto front = run(s.shop_sys, s.make(1, 20'000), s.where, "shop").value();
  for (int life = 1; life <= 3; ++life) {
    actor_system bank_sys(quiet());
    const auto bank = run(bank_sys, s.make(1, 1), s.where, "bank").value();
    const int before = *s.handled;
    wait_for([&] { return *s.handled > before; });
    if (life < 3) {
      EXPECT_TRUE(bank_sys.run(drain, bank, limit));
    } else {
      EXPECT_TRUE(front.self().wait().normal());
      EXPECT_TRUE(bank_sys.run(drain, bank, limit));
    }
  }
  // No item is missing; what the drained part was about to say of its last batch may have come too late, so that it came again.
  EXPECT_EQ(std::set<int>(s.booked->begin(), s.booked->end()).size(), 20'000U);
}

task<> serve(mailbox<request<order>> in, int answers) {
  while (auto asked = co_await in.receive()) {
    if (asked->message.number == 0) {
      asked->fail({errc::invalid_argument, "an order has a number"});
    } else {
      asked->reply("receipt " + std::to_string(asked->message.number * answers));
    }
  }
}
task<result<std::string>> buy(address<request<order>> to, int number, duration how_long) {
  order wanted{number, "x"};
  co_return co_await ask(to, std::move(wanted), how_long);
}

TEST(GraphPart, RequestsCrossByAnEntryAndAreAnsweredOrFailInTime) {
  shop s;
  graph g("till");
  const auto front = g.add("front", idle_source);
  const auto back = g.add("back", note, s.booked, s.handled);
  const auto till = g.add("till", serve, 2);
  const auto orders = g.entry(till.in<0>(), bounded(8), "orders");
  g.connect(front, back, bounded(8));
  deployment where;
  where.add({.name = "shop"});
  where.add({.name = "bank", .port = free_port(s.shop_sys)}).place("till", "bank");

  const auto here = run(s.shop_sys, g, where, "shop").value();
  const auto to = here.to(orders);
  const auto late = s.shop_sys.run(buy, to, 1, 20ms);
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().is(errc::timed_out));

  const auto there = run(s.bank_sys, g, where, "bank").value();
  EXPECT_EQ(s.shop_sys.run(buy, to, 4, limit).value(), "receipt 8");
  EXPECT_EQ(s.shop_sys.run(buy, here.entry<request<order>>("orders").value(), 5, limit).value(), "receipt 10");
  const auto refused = s.shop_sys.run(buy, to, 0, limit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "an order has a number");
  EXPECT_EQ(here.look().places.at(1).state, place_look::condition::up);
  EXPECT_EQ(there.look().places.at(0).state, place_look::condition::unknown); // shop has no address
}

task<> relay(mailbox<order> in, address<order> out, count handled) {
  while (auto next = co_await in.receive()) {
    ++*handled;
    (void)co_await out.send(std::move(*next));
  }
}

TEST(GraphPart, CopiesKeysAndUrgentItemsCrossToo) {
  shop s;
  const auto relayed = std::make_shared<std::atomic<int>>(0);
  const auto make = [&] {
    graph g("ways");
    const auto orders = g.add("orders", send_orders, 1, 200, s.sent);
    const auto left = g.add("left", relay, relayed);
    const auto right = g.add("right", relay, relayed);
    const auto keys = g.add("keys", {.replicas = 3}, relay, relayed);
    const auto book = g.add("book", note, s.booked, s.handled);
    g.broadcast(orders.out<0>(), left.in<0>(), bounded(8));
    g.broadcast(orders.out<0>(), right.in<0>(), bounded(8));
    g.connect_by_key(left.out<0>(), keys.in<0>(), bounded(8), [](const order& o) { return o.number; });
    g.connect(keys, book, bounded(8), {.urgent = true});
    g.connect(right, book, bounded(8));
    return g;
  };
  deployment where;
  where.add({.name = "a", .port = free_port(s.shop_sys)}).add({.name = "b", .port = free_port(s.bank_sys)});
  where.place("right", "b").place("keys", "b").place("book", "b");
  const auto b = run(s.bank_sys, make(), where, "b").value();
  const auto a = run(s.shop_sys, make(), where, "a").value();
  wait_for([&] { return *s.handled == 400; });
  EXPECT_EQ(*relayed, 600);
  const auto of_keys = b.look().nodes[3];
  ASSERT_EQ(of_keys.inputs.size(), 3U);
  for (const auto& replica : of_keys.inputs) EXPECT_GT(replica.items.accepted, 0U) << replica.name;
  EXPECT_TRUE(s.shop_sys.run(drain, a, limit));
  EXPECT_TRUE(s.bank_sys.run(drain, b, limit));
  EXPECT_TRUE(a.look().conserved() && b.look().conserved());
  EXPECT_EQ(s.booked->size(), 400U);
}

TEST(GraphPart, OtherTypesOnTheOtherNodeAreSaidAndNothingIsLost) {
  shop s;
  const auto front = run(s.shop_sys, s.make(1, 3), s.where, "shop").value();
  {
    graph other("shop");
    const auto source = other.add("orders", [](address<int> out) -> task<> { (void)co_await out.send(1); });
    const auto sink = other.add("book", [](mailbox<int> in) -> task<> {
      while (const auto n = co_await in.receive()) continue;
    });
    other.connect(source, sink, bounded(8));
    const auto bank = run(s.bank_sys, std::move(other), s.where, "bank").value();
    wait_for([&] { return !front.look().places.at(1).trouble.empty(); });
    wait_for([&] {
      return front.look().places.at(1).trouble ==
             "input 0 of 'book' takes i32, version 1: i32: run the same program on all nodes";
    });
    EXPECT_TRUE(s.bank_sys.run(drain, bank, limit));
  }
  actor_system bank_sys(quiet());
  const auto bank = run(bank_sys, s.make(1, 3), s.where, "bank").value();
  EXPECT_TRUE(front.self().wait().normal());
  EXPECT_TRUE(bank_sys.run(drain, bank, limit));
  EXPECT_EQ(*s.booked, one_to(3));
}

task<> send_texts(address<order> out) {
  for (int n = 1; n <= 9; ++n) {
    order next{n, n == 5 ? std::string(5 << 20, 'x') : "sku " + std::to_string(n)};
    (void)co_await out.send(std::move(next));
  }
}

TEST(GraphPart, AnItemThatIsTooLargeFailsAndTheOthersCross) {
  shop s;
  graph g("shop");
  const auto texts = g.add("orders", send_texts);
  const auto book = g.add("book", note, s.booked, s.handled);
  g.connect(texts, book, bounded(16));
  const auto bank = run(s.bank_sys, g, s.where, "bank").value();
  const auto front = run(s.shop_sys, g, s.where, "shop").value();
  EXPECT_TRUE(front.self().wait().normal());
  EXPECT_TRUE(s.bank_sys.run(drain, bank, limit));
  EXPECT_EQ(*s.booked, (std::vector<int>{1, 2, 3, 4, 6, 7, 8, 9}));
  EXPECT_EQ(front.look().nodes[1].inputs[0].items, (item_counts{.accepted = 9, .handled = 8, .failed = 1}));
}

TEST(GraphPart, APortThatIsTakenIsAnError) {
  shop s;
  const auto bank = run(s.bank_sys, s.make(1, 1), s.where, "bank").value();
  const auto again = run(s.shop_sys, s.make(1, 1), s.where, "bank");
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().message().starts_with("cannot listen: 127.0.0.1:")) << again.error().message();
}

} // namespace
} // namespace greenroom::graph_part_test
#endif
