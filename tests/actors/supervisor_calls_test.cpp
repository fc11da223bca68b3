// Calls to a supervisor, and what becomes of a child's mailboxes and addresses.
#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::supervisor_calls_test {
namespace {

std::string text_of(const result<void>& r) { return r ? "done" : std::string(greenroom::to_string(r.error().code())); }
std::string text_of(const result<actor>& r) {
  return r ? (*r ? "runs" : "declined") : std::string(greenroom::to_string(r.error().code()));
}

task<> administration() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.strategy = one_for_all});
  spec.child("a", performer, s, std::string("a"));
  const auto top = co_await started(std::move(spec));
  const auto counts = [](supervisor sup) -> task<std::string> {
    const auto c = co_await sup.count_children();
    co_return std::to_string(c->children) + "/" + std::to_string(c->running);
  };
  auto outcome = co_await top.start_child("b", performer, s, std::string("b"));
  require_equal<std::string>(text_of(outcome), "runs", "start b");
  outcome = co_await top.start_child("b", performer, s, std::string("b"));
  require_equal<std::string>(text_of(outcome), "already_exists", "start b twice");
  require(std::string(outcome.error().message()).find("which runs") != std::string::npos,
          "it does not say that b runs");
  auto now = co_await counts(top);
  require_equal<std::string>(now, "2/2", "counts");
  auto done = co_await top.remove_child("b");
  require_equal<std::string>(text_of(done), "already_exists", "remove b while it runs");
  outcome = co_await top.restart_child("b");
  require_equal<std::string>(text_of(outcome), "already_exists", "restart b while it runs");
  done = co_await top.terminate_child(std::string("b"));
  require_equal<std::string>(text_of(done), "done", "terminate b");
  done = co_await top.terminate_child(std::string("b"));
  require_equal<std::string>(text_of(done), "done", "terminate b twice");
  now = co_await counts(top);
  require_equal<std::string>(now, "2/1", "counts after terminate");
  outcome = co_await top.start_child("b", performer, s, std::string("b"));
  require_equal<std::string>(text_of(outcome), "already_exists", "start b while it is kept");
  outcome = co_await top.restart_child("b");
  require_equal<std::string>(text_of(outcome), "runs", "restart b");
  co_await settle_all();
  require_equal(s->starts["b"], 2, "starts of b");
  done = co_await top.terminate_child(s->who["b"]);
  require_equal<std::string>(text_of(done), "done", "terminate b by its actor");
  done = co_await top.terminate_child(s->who["b"]);
  require_equal<std::string>(text_of(done), "not_found", "terminate an actor that does not run");
  done = co_await top.remove_child("b");
  require_equal<std::string>(text_of(done), "done", "remove b");
  const std::vector<std::string> unknown{"b", ""};
  for (const auto& name : unknown) {
    done = co_await top.remove_child(name);
    require_equal<std::string>(text_of(done), "not_found", "remove what is not there");
    done = co_await top.terminate_child(name);
    require_equal<std::string>(text_of(done), "not_found", "terminate what is not there");
    outcome = co_await top.restart_child(name);
    require_equal<std::string>(text_of(outcome), "not_found", "restart what is not there");
  }
  const child_options bad{.significant = true};
  outcome = co_await top.start_child("c", bad, performer, s, std::string("c"));
  require_equal<std::string>(text_of(outcome), "invalid_argument", "start with bad options");
  const auto below = co_await top.find("a");
  require(!below && below.error().is(errc::type_mismatch), "a is no supervisor");
  outcome = co_await top.start_child("t", {.restart = temporary}, performer, s, std::string("t"));
  done = co_await top.terminate_child(std::string("t"));
  require_equal<std::string>(text_of(done), "done", "terminate t");
  now = co_await counts(top);
  require_equal<std::string>(now, "1/1", "a terminated temporary child is forgotten");
  co_await stop(top);
  done = co_await top.terminate_child(std::string("a"));
  require(!done && (done.error().is(errc::closed) || done.error().is(errc::no_reply)),
          "a call to an ended supervisor succeeds");
}

TEST(SupervisorCalls, AnswerWhatWasDoneOrWhyNot) { play(administration); }

TEST(SupervisorCalls, OfNoSupervisorAreUsageErrors) {
  play(
      []() -> task<> {
        const supervisor none;
        bool thrown = false;
        try {
          (void)co_await none.children();
        } catch (const usage_error&) {
          thrown = true;
        }
        require(thrown, "a call through an empty handle is no usage_error");
      },
      1);
}

task<> subtree_at_run_time() {
  const auto s = std::make_shared<cast>();
  const auto top = co_await started(supervisor_spec("top"));
  supervisor_spec pool("pool", {.strategy = dynamic, .intensity = {1, 1h}});
  const auto made = co_await top.start_child("pool", std::move(pool));
  require(made.has_value(), "the pool did not start");
  auto below = co_await top.find("pool");
  require(below.has_value(), "the pool is not found");
  (void)co_await below->start_child("a", performer, s, std::string("a"));
  co_await settle_all();
  co_await end(s, "a", ending::failed);
  co_await end(s, "a", ending::failed);                 // the pool gives up, and begins anew, without children
  const auto counts = co_await below->count_children(); // through the old handle
  require(counts.has_value(), "the handle has not survived the restart");
  require_equal<std::size_t>(counts->children, 0, "children of the pool");
  co_await stop(top);
}

TEST(SupervisorCalls, HandleOfOneBelowStaysGoodOverItsRestarts) { play(subtree_at_run_time); }

task<> ten_thousand() {
  const auto s = std::make_shared<cast>();
  const auto top = co_await started(supervisor_spec("top", {.strategy = dynamic}));
  for (int i = 0; i < 10'000; ++i) {
    (void)co_await top.start_child(
        "t", {.restart = temporary},
        [](stage st) -> task<> {
          ++st->starts["t"];
          co_return;
        },
        s);
  }
  co_await settle_all();
  require_equal(s->starts["t"], 10'000, "starts");
  const auto counts = co_await top.count_children();
  require_equal<std::size_t>(counts->children, 0, "children");
  co_await stop(top);
}

TEST(SupervisorCalls, TenThousandTemporaryChildrenLeaveNothing) { play(ten_thousand, 1); }

// -- mailboxes and addresses ---------------------------------------------------------------------------------

task<> doubles_and_chokes(mailbox<int> in, address<int> out, bool* broken) {
  while (const auto n = co_await in.receive()) {
    if (*n < 0) {
      *broken = true;
      throw std::runtime_error("a negative number");
    }
    (void)co_await out.send(*n * 2);
  }
}

task<> over_a_restart(queue_fate fate) {
  auto in = make_mailbox<int>(bounded(16));
  auto out = make_mailbox<int>(bounded(16));
  bool broken = false;
  supervisor_spec spec("top", {.intensity = {5, 5s}});
  spec.child("doubles", {.restart = transient, .queue = fate}, doubles_and_chokes, std::move(in.in), std::move(out.out),
             &broken);
  const auto top = co_await started(std::move(spec));
  for (const int n : {1, -1, 2, 3}) (void)in.out.try_send(n);
  co_await settle_all();
  require(broken, "it has not choked");
  (void)in.out.try_send(4);
  co_await settle_all();
  std::string got;
  while (auto n = out.in.try_receive()) got += std::to_string(*n) + " ";
  require_equal<std::string>(got, fate == queue_fate::drop_poison ? "2 4 6 8 " : "2 8 ", "what came through");
  in.out = {}; // no sender is left: the child ends normally, for good, and gives up its address
  co_await settle_all();
  const auto after = co_await out.in.receive();
  require(!after, "the mailbox behind a child that has ended for good is still open");
  const auto again = co_await top.restart_child("doubles");
  require(!again && std::string(again.error().message()).find("given up") != std::string::npos,
          "it runs without ports");
  co_await stop(top);
}

TEST(SupervisorPorts, MailboxLivesOnOverARestartWithItsQueueUnlessThatIsToBeDropped) {
  play([] { return over_a_restart(queue_fate::drop_poison); });
  play([] { return over_a_restart(queue_fate::drop); });
}

task<> senders_see_the_end() {
  auto in = make_mailbox<int>(bounded(1));
  supervisor_spec spec("top");
  spec.child(
      "once", {.restart = temporary}, [](mailbox<int> box) -> task<> { (void)co_await box.receive(); },
      std::move(in.in));
  const auto top = co_await started(std::move(spec));
  (void)co_await in.out.send(1);
  (void)co_await in.out.send(2);
  const auto sent = co_await in.out.send(3);
  require(!sent && sent.error().is(errc::closed), "the mailbox of a child that has ended for good takes messages");
  co_await stop(top);
}

TEST(SupervisorPorts, MailboxClosesWhenTheChildEndsForGood) { play(senders_see_the_end); }

task<> anew_each_time() {
  const auto s = std::make_shared<cast>();
  supervisor_spec spec("top", {.intensity = {5, 5s}});
  int made = 0;
  spec.child(
      "a",
      [](std::unique_ptr<int> own, stage st) -> task<> {
        st->log.push_back("with " + std::to_string(*own));
        st->who["a"] = this_actor::self();
        co_await sleep_for(24h);
      },
      made_by([&made] { return std::make_unique<int>(++made); }), s);
  const auto top = co_await started(std::move(spec));
  co_await settle_all();
  co_await end(s, "a", ending::killed);
  require_equal<std::string>(s->story(), "with 1, with 2", "the starts");
  co_await stop(top);
}

TEST(SupervisorPorts, ArgumentsThatCannotBeCopiedAreMadeAnewForEachStart) { play(anew_each_time); }

struct tenant {
  std::string name;
};

task<> inherits() {
  std::string seen = "nothing";
  bool deadline = true;
  const auto ctx = this_actor::context().with_value(tenant{"starter"}).with_timeout(1s);
  const auto start_under = [](std::string* to, bool* timed) -> task<supervisor> {
    supervisor_spec spec("top");
    spec.child(
        "a",
        [](std::string* out, bool* has_deadline) -> task<> {
          if (const auto* t = this_actor::context().value<tenant>()) *out = t->name;
          *has_deadline = this_actor::context().deadline() != never;
          co_await sleep_for(24h);
        },
        to, timed);
    co_return co_await started(std::move(spec));
  };
  auto top = co_await within(ctx, start_under(&seen, &deadline));
  require(top.has_value(), "it did not start");
  co_await sleep_for(2s); // the starter's context has ended
  const auto counts = co_await top->count_children();
  require_equal<std::size_t>(counts->running, 1, "children that run after the starter's deadline");
  require_equal<std::string>(seen, "nothing", "value of the starter that the child sees");
  require(!deadline, "the child has the starter's deadline");
  co_await stop(*top);
}

TEST(Supervisor, ChildrenInheritFromItAndNotFromWhoStartedIt) { play(inherits); }

} // namespace
} // namespace greenroom::test::supervisor_calls_test
