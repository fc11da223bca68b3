// What becomes of a child's items when it fails: of those that are queued, and of the one in hand.
#include <greenroom/actors/supervisor.hpp>

#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test {
namespace {

// -- one child ----------------------------------------------------------------------------------------------

struct diary {
  std::string got;
  int failures = 0; // still to come, at negative numbers
  std::optional<actor> who;
};
using diary_ptr = std::shared_ptr<diary>;

/// Notes the numbers; fails at negative ones, or has somebody kill it there.
task<> choosy(mailbox<int> in, diary_ptr d, bool waits_for_its_killer) {
  d->who = this_actor::self();
  while (const auto n = co_await in.receive()) {
    if (*n < 0 && d->failures > 0) {
      --d->failures;
      if (waits_for_its_killer) co_await sleep_for(24h);
      throw std::runtime_error("a negative number");
    }
    d->got += std::to_string(*n) + " ";
  }
}

struct fate_case {
  queue_fate fate;
  int failures;
  const char* got;
  std::size_t letters;
  const char* in_hand; // what the supervisor says of it in the end
};

constexpr fate_case fate_cases[] = {
    {queue_fate::drop_poison, 1, "1 2 3 ", 0, "item 2 of input 0 in hand (int: -1, which is lost)"},
    {queue_fate::dead_letter, 1, "1 2 3 ", 1, "item 2 of input 0 in hand (int: -1, which is a dead letter now)"},
    {queue_fate::drop, 1, "1 ", 0, "item 2 of input 0 in hand (int: -1, which is lost)"},
    {queue_fate::keep, 1, "1 -1 2 3 ", 0, "item 2 of input 0 in hand (int: -1, which comes again, delivery 2 of 3)"},
    {queue_fate::keep, 2, "1 -1 2 3 ", 0, "item 3 of input 0 in hand (int: -1, which comes again, delivery 3 of 3)"},
    {queue_fate::keep, 9, "1 2 3 ", 1, "item 4 of input 0 in hand (int: -1, which is a dead letter now)"},
};

task<> meets_its_fate(const fate_case* c, bool by_kill) {
  const auto d = std::make_shared<diary>();
  d->failures = c->failures;
  auto work = make_mailbox<int>(bounded(16));
  auto letters = make_mailbox<dead_letter>(bounded(16));
  supervisor_spec spec("top", {.intensity = {10, 1h}});
  spec.child("a", {.queue = c->fate}, choosy, std::move(work.in), d, by_kill);
  spec.dead_letters(letters.out);
  for (const int n : {1, -1, 2, 3}) (void)work.out.try_send(n);
  const auto top = co_await started(std::move(spec));
  for (int i = 0; i < 10; ++i) {
    co_await settle_all();
    if (by_kill && d->who) std::exchange(d->who, std::nullopt)->kill();
  }
  co_await settle_all();
  if (by_kill) {
    // The last kill met it idle.
    require(d->got.starts_with("1 "), d->got);
    co_await stop(top);
    co_return;
  }
  require_equal<std::string>(d->got, c->got, "what came through");
  const auto known = co_await top.children();
  require_equal<std::string>(known->at(0).last_item, c->in_hand, "what it had in hand");
  require_equal(letters.in.size_approx(), c->letters, "letters");
  if (const auto letter = letters.in.try_receive()) {
    require(letter->as<int>() != nullptr && *letter->as<int>() == -1 && letter->as<long>() == nullptr, "another item");
    require_equal<std::string>(letter->type + letter->text + letter->child, "int-1a", "the letter");
    require(letter->why.to_string().find("a negative number") != std::string::npos, letter->why.to_string());
    require_equal<std::size_t>(letter->deliveries, c->fate == queue_fate::keep ? 3 : 1, "deliveries");
  }
  co_await stop(top);
}

TEST(QueueFate, OfItemsInHandAndQueuedIsAsDeclared) {
  for (const auto& c : fate_cases) {
    SCOPED_TRACE(std::string(to_string(c.fate)) + " after " + std::to_string(c.failures));
    play([&c] { return meets_its_fate(&c, false); });
  }
}

task<> killed_with_an_item() {
  const auto d = std::make_shared<diary>();
  d->failures = 1;
  auto work = make_mailbox<int>(rendezvous());
  supervisor_spec spec("top");
  spec.child("a", {.queue = queue_fate::keep}, choosy, std::move(work.in), d, true);
  const auto top = co_await started(std::move(spec));
  (void)co_await work.out.send(-5);
  co_await settle_all();
  d->who->kill();
  co_await settle_all();
  require_equal<std::string>(d->got, "-5 ", "what came, though there is no queue");
  co_await stop(top);
}

TEST(QueueFate, KeptItemOfAKilledChildComesAgainOverARendezvousToo) { play(killed_with_an_item); }

task<> stopped_with_an_item() {
  const auto d = std::make_shared<diary>();
  d->failures = 1;
  auto work = make_mailbox<int>(bounded(4));
  auto letters = make_mailbox<dead_letter>(bounded(4));
  supervisor_spec spec("top");
  spec.child("a", {.queue = queue_fate::dead_letter}, choosy, std::move(work.in), d, true);
  spec.dead_letters(letters.out);
  const auto top = co_await started(std::move(spec));
  (void)co_await work.out.send(-5);
  co_await settle_all();
  co_await stop(top);
  const auto letter = letters.in.try_receive();
  require(letter && *letter->as<int>() == -5, "no letter");
}

TEST(QueueFate, ItemInHandAtTheStopIsADeadLetterToo) { play(stopped_with_an_item); }

task<> no_room() {
  const auto d = std::make_shared<diary>();
  d->failures = 9;
  auto work = make_mailbox<int>(bounded(4));
  auto letters = make_mailbox<dead_letter>(bounded(1));
  supervisor_spec spec("top", {.intensity = {5, 1h}});
  spec.child("a", {.queue = queue_fate::dead_letter}, choosy, std::move(work.in), d, false);
  spec.dead_letters(letters.out);
  const auto top = co_await started(std::move(spec));
  for (const int n : {-1, -2}) (void)work.out.try_send(n);
  co_await settle_all();
  const auto known = co_await top.children();
  require_equal<std::string>(known->at(0).last_item,
                             "item 2 of input 0 in hand (int: -2, which is lost, as there is no room for one more dead "
                             "letter)",
                             "what it had in hand");
  co_await stop(top);
}

TEST(QueueFate, DeadLetterWithoutRoomIsLostAndTold) { play(no_room); }

// -- several children on one mailbox ----------------------------------------------------------------------

/// Each number may fail its worker once.
task<> crashing_worker(mailbox<int> in, std::shared_ptr<std::multiset<int>> done,
                       std::shared_ptr<std::set<int>> spared) {
  while (const auto n = co_await in.receive()) {
    if (*n % 3 == 0 && spared->insert(*n).second) throw std::runtime_error("not the first time");
    co_await yield();
    done->insert(*n);
  }
}

task<> share_the_work() {
  const auto done = std::make_shared<std::multiset<int>>();
  const auto spared = std::make_shared<std::set<int>>();
  auto work = make_mailbox<int>(bounded(4));
  supervisor_spec spec("top", {.intensity = {1'000, 1h}});
  for (const char* const name : {"a", "b", "c"}) {
    spec.child(name, {.restart = transient, .queue = queue_fate::keep}, crashing_worker, mailbox<int>(work.in), done,
               spared);
  }
  work.in = {};
  const auto top = co_await started(std::move(spec));
  for (int n = 0; n < 50; ++n) (void)co_await work.out.send(n);
  work.out = {};
  co_await settle_all();
  require_equal<std::size_t>(done->size(), 50, "numbers that were handled");
  for (int n = 0; n < 50; ++n) require_equal<std::size_t>(done->count(n), 1, "times of " + std::to_string(n));
  co_await stop(top);
}

TEST(QueueFate, KeptItemsAreHandledOnceByWorkersThatShareAMailboxAndFail) { play(share_the_work, 100); }

// -- items of several kinds ---------------------------------------------------------------------------------

/// An item that holds an address of the mailbox it is in: its end takes that mailbox's lock.
struct self_addressed {
  address<self_addressed> home;
  std::string text;
  self_addressed(address<self_addressed> to, std::string t) : home(std::move(to)), text(std::move(t)) {}
};

task<> takes_them(mailbox<self_addressed> in, int* count) {
  while (const auto one = co_await in.receive()) {
    if (++*count == 2) throw std::runtime_error("at the second");
  }
}

task<> items_with_ends() {
  int count = 0;
  auto ends = make_mailbox<self_addressed>(bounded(8));
  supervisor_spec spec("top");
  spec.child("a", {.restart = transient, .queue = queue_fate::keep}, takes_them, std::move(ends.in), &count);
  for (int i = 0; i < 3; ++i) (void)ends.out.try_send(self_addressed(ends.out, std::string(100, 'x')));
  ends.out = {}; // only the items hold the mailbox open
  const auto top = co_await started(std::move(spec));
  co_await settle_all();
  require_equal(count, 4, "deliveries");
  const auto known = co_await top.children();
  require(known->at(0).last_item.find("self_addressed") != std::string::npos &&
              known->at(0).last_item.find(": ") == std::string::npos,
          known->at(0).last_item);
  require(known->at(0).state == child_state::ended, "it has not seen the end of its mailbox");
  co_await stop(top);
}

TEST(QueueFate, CopyOfAnItemMayHoldTheLastAddressOfItsMailbox) { play(items_with_ends); }

struct order {
  int number = 0;
  std::string what;
  order(int n, std::string w) : number(n), what(std::move(w)) {}
  friend std::ostream& operator<<(std::ostream& out, const order& o) { return out << '#' << o.number << ' ' << o.what; }
};

task<> chokes_on_orders(mailbox<order> in) {
  (void)co_await in.receive();
  throw std::runtime_error("no");
}

task<> told_of(queue_fate fate, std::string wanted) {
  auto ends = make_mailbox<order>(bounded(8));
  supervisor_spec spec("top", {.intensity = {5, 1h}});
  spec.child("a", {.restart = transient, .queue = fate, .deliveries = 1}, chokes_on_orders, std::move(ends.in));
  const auto top = co_await started(std::move(spec));
  (void)co_await ends.out.send(order(7, "tea"));
  co_await settle_all();
  const auto known = co_await top.children();
  const auto& told = known->at(0).last_item;
  require(told.find(wanted) != std::string::npos, told);
  co_await stop(top);
}

TEST(QueueFate, ReportShowsTheItemIfACopyIsKept) {
  play([] { return told_of(queue_fate::keep, "::order: #7 tea, which is lost)"); });
  play([] { return told_of(queue_fate::drop_poison, "item 1 of input 0 in hand (an item, which is lost)"); });
}

// -- declarations that cannot be -----------------------------------------------------------------------------

task<> takes_pointers(mailbox<std::unique_ptr<int>> in) { (void)co_await in.receive(); }

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "none";
}

TEST(QueueFate, ThatNeedsCopiesIsRefusedForItemsThatCannotBeCopied) {
  for (const auto fate : {queue_fate::keep, queue_fate::dead_letter}) {
    const auto said = refusal([fate] {
      supervisor_spec("top").child("a", {.queue = fate}, takes_pointers, mailbox<std::unique_ptr<int>>(bounded(1)));
    });
    EXPECT_NE(said.find(std::string("child 'a': queue_fate::") + to_string(fate) + " needs a copy"), said.npos) << said;
    EXPECT_NE(said.find("std::unique_ptr<int"), said.npos) << said;
  }
  EXPECT_EQ(
      refusal([] { supervisor_spec("top").child("a", takes_pointers, mailbox<std::unique_ptr<int>>(bounded(1))); }),
      "none");
  const auto said = refusal([] {
    supervisor_spec("top").child("a", {.deliveries = 0}, takes_pointers, mailbox<std::unique_ptr<int>>(bounded(1)));
  });
  EXPECT_NE(said.find("deliveries must be 1 or more"), said.npos) << said;
}

task<> nobody_takes_letters() {
  auto ends = make_mailbox<order>(bounded(8));
  supervisor_spec spec("top");
  spec.child("a", {.queue = queue_fate::dead_letter}, chokes_on_orders, std::move(ends.in));
  const auto top = co_await supervise(std::move(spec));
  require(!top && std::string(top.error().message()).find("nobody takes these") != std::string::npos,
          top ? "it runs" : std::string(top.error().message()));
}

TEST(QueueFate, DeadLettersThatNobodyTakesAreRefusedAtTheStart) { play(nobody_takes_letters); }

// -- graphs ---------------------------------------------------------------------------------------------------

const input_look& input(const graph_look& look, const std::string& node) {
  for (const auto& n : look.nodes) {
    if (n.name == node) return n.inputs.at(0);
  }
  throw std::out_of_range(node);
}

task<> numbers(int to, address<int> out) {
  for (int i = 1; i <= to; ++i) (void)co_await out.send(i);
}
task<> no_sevens(mailbox<int> in, address<int> out) {
  while (const auto n = co_await in.receive()) {
    if (*n % 7 == 0) throw std::runtime_error("a seven");
    (void)co_await out.send(*n);
  }
}
task<> add_all(mailbox<int> in, std::shared_ptr<int> sum) {
  while (const auto n = co_await in.receive()) *sum += *n;
}
task<> add_letters(mailbox<dead_letter> in, std::shared_ptr<int> sum) {
  while (const auto letter = co_await in.receive()) *sum += *letter->as<int>();
}

task<> clinic(queue_fate fate, std::size_t replicas) {
  const auto sum = std::make_shared<int>(0);
  const auto in_letters = std::make_shared<int>(0);
  graph g("clinic");
  const auto source = g.add("source", numbers, 50);
  const auto middle = g.add("middle", {.replicas = replicas, .queue = fate, .deliveries = 2}, no_sevens);
  const auto sink = g.add("sink", add_all, sum);
  const auto doctor = g.add("doctor", add_letters, in_letters);
  g.connect(source, middle, bounded(4));
  g.connect(middle, sink, bounded(4));
  g.dead_letters(doctor.in<0>(), bounded(64));
  auto s = co_await run(std::move(g), {.intensity = {1'000, 1h}});
  const auto why =
      co_await s->self().join(); // by itself: the doctor sees the end when all who may send letters have ended
  require(why.normal(), why.to_string());
  require_equal(*sum + *in_letters, 50 * 51 / 2, "all numbers");
  require_equal(*in_letters, 7 + 14 + 21 + 28 + 35 + 42 + 49, "those in letters");
  const auto look = s->look();
  require(look.conserved(), look.to_json());
  const item_counts wanted{
      .accepted = 50, .handled = 43, .failed = 7, .redelivered = fate == queue_fate::keep ? 7U : 0U};
  require(input(look, "middle").items == wanted, look.to_json());
  require(look.to_dot().find("[label=\"dead letters\", style=dashed]") != std::string::npos, look.to_dot());
  require(
      look.to_metrics().find("greenroom_edge_items_total{graph=\"clinic\",node=\"middle\",input=\"0\",replica=\"0\","
                             "became=\"failed\"} 7\n") != std::string::npos,
      look.to_metrics());
}

TEST(QueueFate, NodeOfAGraphTakesTheDeadLettersOfAllOthers) {
  for (const std::size_t replicas : {1, 3}) {
    play([replicas] { return clinic(queue_fate::dead_letter, replicas); }, 30);
    play([replicas] { return clinic(queue_fate::keep, replicas); }, 30);
  }
}

task<> note_all(mailbox<int> in, std::shared_ptr<std::multiset<int>> seen) {
  while (const auto n = co_await in.receive()) {
    co_await yield();
    seen->insert(*n);
  }
}

/// Kills nodes at random while items pass: none is lost, though some may come twice.
task<> at_least_once() {
  const auto seen = std::make_shared<std::multiset<int>>();
  graph g("kept");
  const auto source = g.add("source", numbers, 60);
  const auto sink = g.add("sink", {.replicas = 2, .queue = queue_fate::keep, .deliveries = 1'000}, note_all, seen);
  g.connect(source, sink, bounded(2));
  auto s = co_await run(std::move(g), {.intensity = {10'000, 1h}});
  xoshiro random(seen->size() + 1);
  for (int i = 0; i < 40; ++i) {
    const auto nodes = co_await s->top().children();
    if (!nodes) break;
    for (const auto& one : *nodes) {
      if (one.name.starts_with("sink") && one.who && random.below(2) == 0) one.who.kill();
    }
    for (int k = 0; k < 3; ++k) co_await yield();
  }
  const auto why = co_await s->self().join();
  require(why.normal(), why.to_string());
  for (int n = 1; n <= 60; ++n) require(seen->count(n) >= 1, std::to_string(n) + " is lost");
  const auto look = s->look();
  require(look.conserved() && input(look, "sink").items.failed == 0, look.to_json());
}

TEST(QueueFate, KeptItemsSurviveKillsAtRandom) { play(at_least_once, 100); }

TEST(QueueFate, FaultsOfAGraphNameWhatCannotBe) {
  const auto sum = std::make_shared<int>(0);
  graph g("wrong");
  const auto source = g.add("source", numbers, 50);
  const auto middle = g.add("middle", {.queue = queue_fate::dead_letter, .deliveries = 0}, no_sevens);
  const auto sink = g.add("sink", add_all, sum);
  g.connect(source, middle, bounded(4).expiring(0s));
  g.connect(middle, sink, rendezvous().expiring(1s));
  std::string all;
  for (const auto& f : g.faults()) all += f + "\n";
  EXPECT_EQ(all,
            "items on the way to input 0 of 'middle' expire at once: give expiring() a time above 0\n"
            "an edge that leads to input 0 of 'sink' has no queue in which items could expire: give it a capacity "
            "of 1 or more\n"
            "node 'middle': deliveries must be 1 or more\n"
            "what node 'middle' cannot handle is to become a dead letter, but nobody takes these: name an input by "
            "dead_letters(), or take queue_fate::drop_poison\n");

  graph twice("twice");
  const auto in = std::make_shared<int>(0);
  const auto a = twice.add("a", {.queue = queue_fate::dead_letter}, add_letters, in);
  const auto b = twice.add("b", add_letters, in);
  const auto p = twice.add("p", {.queue = queue_fate::keep}, takes_pointers);
  twice.dead_letters(a.in<0>(), bounded(4));
  twice.dead_letters(b.in<0>(), bounded(4));
  (void)twice.entry(p.in<0>(), bounded(4));
  all.clear();
  for (const auto& f : twice.faults()) all += f + "\n";
  EXPECT_NE(all.find("2 inputs are to take the dead letters"), all.npos) << all;
  EXPECT_NE(all.find("node 'a' takes dead letters, or lies behind"), all.npos) << all;
  EXPECT_NE(all.find("queue_fate::keep needs a copy of the item in hand, but input 0 of 'p'"), all.npos) << all;
}

task<> slow_sum(mailbox<int> in, std::shared_ptr<int> sum) {
  while (const auto n = co_await in.receive()) {
    co_await sleep_for(100ms);
    *sum += *n;
  }
}

task<> too_late() {
  const auto sum = std::make_shared<int>(0);
  graph g("stale");
  const auto sink = g.add("sink", slow_sum, sum);
  const auto in = g.entry(sink.in<0>(), bounded(8).expiring(150ms));
  auto s = co_await run(std::move(g));
  const auto to = s->to(in);
  for (const int n : {1, 10, 100, 1'000}) (void)co_await to.send(n);
  const auto done = co_await s->drain(1s);
  require(done.has_value(), "not drained");
  require_equal(*sum, 11, "the sum of those that came in time");
  const auto look = s->look();
  require(input(look, "sink").items == item_counts{.accepted = 4, .handled = 2, .expired = 2}, look.to_json());
}

TEST(QueueFate, ItemsThatWaitTooLongOnAnEdgeAreCountedAsExpired) { play(too_late); }

} // namespace
} // namespace greenroom::test
