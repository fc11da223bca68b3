// What becomes of a child's items when it fails: of those that are queued, and of the one in hand.
#include <greenroom/actors/supervisor.hpp>

#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::queue_fate_test {
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
    {queue_fate::keep, 1, "1 -1 2 3 ", 0,
     "item 2 of input 0 in hand (int: -1, which is queued again, for delivery 2 of 3)"},
    {queue_fate::keep, 2, "1 -1 2 3 ", 0,
     "item 3 of input 0 in hand (int: -1, which is queued again, for delivery 3 of 3)"},
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
    play([&c] { return meets_its_fate(&c, true); });
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
                             "item 2 of input 0 in hand (int: -2, which is lost, as nobody had room for one more dead "
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

struct untold {
  int n = 0;
  friend std::ostream& operator<<(std::ostream& out, const untold& u) {
    if (u.n < 0) throw std::runtime_error("it breaks whoever looks at it");
    return out << u.n;
  }
};

task<> chokes_on_untold(mailbox<untold> in, int* count) {
  while (const auto one = co_await in.receive()) {
    ++*count;
    if (one->n < 0) throw std::runtime_error("no");
  }
}

task<> breaks_the_printer() {
  int count = 0;
  auto ends = make_mailbox<untold>(bounded(8));
  auto letters = make_mailbox<dead_letter>(bounded(8));
  supervisor_spec spec("top");
  spec.child("a", {.restart = transient, .queue = queue_fate::dead_letter}, chokes_on_untold, std::move(ends.in),
             &count);
  spec.dead_letters(letters.out);
  const auto top = co_await started(std::move(spec));
  for (const int n : {1, -1, 2}) (void)ends.out.try_send(untold{n});
  co_await settle_all();
  require_equal(count, 3, "items");
  const auto letter = letters.in.try_receive();
  require(letter && letter->text.empty() && letter->as<untold>()->n == -1, "no letter");
  co_await stop(top);
}

TEST(QueueFate, ItemThatCannotBePrintedHarmsNobody) { play(breaks_the_printer); }

// -- ends that lead to no restart, or to none yet ------------------------------------------------------------

task<> fails_before_it_is_ready(mailbox<int> in) {
  (void)co_await in.receive();
  throw std::runtime_error("too early");
}

task<> never_up() {
  auto work = make_mailbox<int>(bounded(4));
  auto letters = make_mailbox<dead_letter>(bounded(4));
  (void)work.out.try_send(1);
  supervisor_spec spec("top");
  spec.dead_letters(letters.out);
  const auto top = co_await started(std::move(spec));
  child_options how{.restart = temporary, .queue = queue_fate::dead_letter, .reports_ready = true};
  const auto made = co_await top.start_child("a", how, fails_before_it_is_ready, std::move(work.in));
  require(!made, "it runs");
  const auto letter = letters.in.try_receive();
  require(letter && *letter->as<int>() == 1, "no letter");
  co_await stop(top);
}

TEST(QueueFate, ItemOfAChildThatDoesNotComeUpIsALetterToo) { play(never_up); }

struct worker {
  int seen = 0;
  task<> run(mailbox<int> in) {
    while (const auto n = co_await in.receive()) seen += *n;
  }
};

task<> member_function() {
  worker w;
  auto work = make_mailbox<int>(bounded(4));
  supervisor_spec spec("top");
  spec.child("a", {.restart = transient}, &worker::run, &w, std::move(work.in));
  const auto top = co_await started(std::move(spec));
  (void)co_await work.out.send(5);
  co_await settle_all();
  require_equal(w.seen, 5, "seen");
  co_await stop(top);
}

TEST(QueueFate, ChildMayBeAMemberFunction) { play(member_function); }

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

} // namespace
} // namespace greenroom::test::queue_fate_test
