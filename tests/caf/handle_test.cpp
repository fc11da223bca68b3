// Lightweight actors as CAF sees them: handles, exit messages, requests and plain messages.
#include <string>
#include <tuple>
#include <vector>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/tests/caf/kit.hpp>

namespace greenroom::test::handle_test {
namespace {

class CafHandle : public testing::TestWithParam<mode> {
protected:
  world w{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Modes, CafHandle, testing::Values(mode::own, mode::attached), name_of);

TEST_P(CafHandle, HasTheIdOfTheActorAndIsTheSameEachTime) {
  running_server server(w);
  EXPECT_EQ(server.handle.id(), server.who.id());
  EXPECT_EQ(server.handle.node(), w.caf().node());
  EXPECT_EQ(caf::actor_cast<caf::abstract_actor*>(caf_handle(server.who)),
            caf::actor_cast<caf::abstract_actor*>(server.handle));
  EXPECT_EQ(w.counters().identities, 1U);
}

TEST_P(CafHandle, OfNoActorIsAUsageError) { EXPECT_THROW((void)caf_handle(actor()), usage_error); }

TEST_P(CafHandle, AnswersRequestsOfAScopedActor) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  EXPECT_EQ(ask(self, server.handle, number{41}).value, 42);
}

caf::behavior asks_for(caf::event_based_actor* self, caf::actor whom, caf::actor tell) {
  request(self, whom, number{1}).then([=](number n) { say(self, tell, n); });
  return {[](caf::unit_t) {}};
}

TEST_P(CafHandle, AnswersRequestsOfABehaviour) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  w.caf().spawn(asks_for, server.handle, caf::actor(self));
  number got = 0;
  self->receive([&](number n) { got = n; });
  EXPECT_EQ(got, 2);
}

TEST_P(CafHandle, StandsInTheRegistryUntilTheActorEnds) {
  running_server server(w);
  auto& registry = w.caf().registry();
  registry.put(server.handle.id(), caf::actor_cast<caf::strong_actor_ptr>(server.handle));
  EXPECT_EQ(registry.get<caf::actor>(server.handle.id()), server.handle);
  server.who.kill();
  (void)server.who.wait();
  w.sys().stop(); // returns when CAF has been told
  EXPECT_EQ(registry.get(server.handle.id()), nullptr);
}

TEST_P(CafHandle, KillDestroysTheFrame) {
  running_server server(w);
  caf::anon_send_exit(server.handle, caf::exit_reason::kill);
  EXPECT_TRUE(server.gone.wait());
  EXPECT_EQ(server.who.wait().kind(), exit_kind::killed);
}

task<> note_cause(event* ready, std::string* cause) {
  try {
    co_await park(ready, nullptr);
  } catch (const cancelled& c) {
    *cause = c.cause.message();
    throw;
  }
}

TEST_P(CafHandle, UserShutdownUnwindsTheFrameAndNamesItsSender) {
  event ready;
  std::string cause;
  const auto who = w.sys().spawn(note_cause, &ready, &cause);
  ASSERT_TRUE(ready.wait());
  caf::scoped_actor self(w.caf());
  self->send_exit(caf_handle(who), caf::exit_reason::user_shutdown);
  EXPECT_EQ(who.wait().kind(), exit_kind::cancelled);
  EXPECT_NE(cause.find("CAF actor " + std::to_string(caf::actor(self).id()) + "@"), std::string::npos) << cause;
  EXPECT_NE(cause.find("user_shutdown"), std::string::npos) << cause;
}

TEST_P(CafHandle, NormalExitMessageChangesNothing) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  self->send_exit(server.handle, caf::exit_reason::normal);
  EXPECT_EQ(ask(self, server.handle, number{1}).value, 2);
}

TEST_P(CafHandle, OfAnEndedActorRefusesRequestsAtOnce) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  EXPECT_EQ(ask(self, server.handle, number{0}).value, 1);
  (void)server.who.wait();
  EXPECT_EQ(ask(self, server.handle, number{1}).why, caf::sec::request_receiver_down);
  EXPECT_EQ(ask(self, caf_handle(server.who), number{1}).why, caf::sec::request_receiver_down);
}

TEST_P(CafHandle, RefusesRequestsThatNoMailboxAccepts) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  EXPECT_EQ(ask(self, server.handle, std::string("what?")).why, caf::sec::unexpected_message);
  EXPECT_EQ(ask(self, server.handle, number{1}).value, 2);
}

TEST_P(CafHandle, CountsDroppedMessages) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  say(self, server.handle, std::string("what?"));
  EXPECT_EQ(ask(self, server.handle, number{1}).value, 2);
  EXPECT_EQ(w.counters().dropped_messages, 1U);
}

TEST_P(CafHandle, DroppedRequestIsAnErrorAtOnce) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  const auto got = ask(self, server.handle, number{1000});
  EXPECT_EQ(got.why, caf::sec::request_receiver_down);
  EXPECT_NE(internal::text_of(w.caf(), got.why).find("without a reply"), std::string::npos)
      << internal::text_of(w.caf(), got.why);
}

TEST_P(CafHandle, RequestsQueuedAtTheEndAreErrorsAtOnce) {
  event ready;
  // Nobody receives: what is queued is dropped with the frame.
  constexpr auto deaf = [](event* r) -> task<> {
    auto [in, out] = make_mailbox<number_request>(bounded(64));
    caf_accept(out);
    co_await park(r, nullptr);
  };
  const auto who = w.sys().spawn(deaf, &ready);
  ASSERT_TRUE(ready.wait());
  caf::scoped_actor self(w.caf());
  const auto handle = caf_handle(who);
  auto pending = request(self, handle, number{1});
  who.kill();
  caf::error got;
  std::move(pending).receive([](number) {}, [&](caf::error& why) { got = std::move(why); });
  EXPECT_EQ(got, caf::sec::request_receiver_down);
}

TEST_P(CafHandle, FailAnswersWithItsText) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  const auto got = ask(self, server.handle, number{2000});
  EXPECT_EQ(got.why, caf::sec::runtime_error);
  EXPECT_EQ(got.why.context().get_as<std::string>(0), "too much");
}

using typed_server = caf::typed_actor<takes<number, number>>;

TEST_P(CafHandle, ServesAsATypedHandle) {
  running_server server(w);
  caf::scoped_actor self(w.caf());
  EXPECT_EQ(ask(self, typed_caf_handle<typed_server>(server.who), number{6}).value, 7);
}

// -- what an actor accepts ------------------------------------------------------------------------

task<> collect(event* ready, event* done, std::vector<std::string>* got, std::size_t count) {
  auto [in, out] = make_mailbox<std::string>(bounded(64));
  caf_accept(out);
  ready->set();
  while (got->size() < count) got->push_back(*co_await in.receive());
  done->set();
}

TEST_P(CafHandle, PutsMessagesIntoTheAcceptedMailboxInOrder) {
  event ready;
  event done;
  std::vector<std::string> got;
  const auto who = w.sys().spawn(collect, &ready, &done, &got, std::size_t{3});
  ASSERT_TRUE(ready.wait());
  caf::scoped_actor self(w.caf());
  const auto handle = caf_handle(who);
  say(self, handle, "one");
  say(self, handle, "two");
  // A request to a mailbox of plain messages is answered with nothing, as by a behaviour that returns void.
  bool answered = false;
  request(self, handle, "three").receive([&] { answered = true; }, [](caf::error&) {});
  EXPECT_TRUE(answered);
  ASSERT_TRUE(done.wait());
  EXPECT_EQ(got, (std::vector<std::string>{"one", "two", "three"}));
}

task<> full(event* ready) {
  auto [in, out] = make_mailbox<number_request>(bounded(1));
  auto [plain, plain_out] = make_mailbox<std::string>(bounded(1));
  caf_accept(out);
  caf_accept(plain_out);
  (void)co_await plain_out.send("in the way");
  co_await park(ready, nullptr);
}

TEST_P(CafHandle, FullMailboxRefusesRequestsAndCountsMessages) {
  event ready;
  const auto who = w.sys().spawn(full, &ready);
  ASSERT_TRUE(ready.wait());
  const auto handle = caf_handle(who);
  caf::scoped_actor self(w.caf());
  auto queued = request(self, handle, number{1});
  const auto got = ask(self, handle, number{2});
  EXPECT_EQ(got.why, caf::sec::runtime_error);
  EXPECT_NE(internal::text_of(w.caf(), got.why).find("full"), std::string::npos) << internal::text_of(w.caf(), got.why);
  say(self, handle, "one too many");
  EXPECT_EQ(ask(self, handle, 1.5).why, caf::sec::unexpected_message); // behind the message
  EXPECT_EQ(w.counters().dropped_messages, 1U);
  who.kill();
  caf::error why;
  std::move(queued).receive([](number) {}, [&](caf::error& e) { why = std::move(e); });
  EXPECT_EQ(why, caf::sec::request_receiver_down);
}

task<> closes(event* ready, event* closed) {
  {
    auto [in, out] = make_mailbox<number_request>(bounded(1));
    caf_accept(out);
  }
  {
    auto [in, out] = make_mailbox<std::string>(bounded(1));
    caf_accept(out);
    out = {}; // CAF does not keep the mailbox open
    if (!co_await in.receive()) closed->set();
  }
  co_await park(ready, nullptr);
}

TEST_P(CafHandle, AcceptKeepsNoMailboxOpen) {
  event ready;
  event closed;
  const auto who = w.sys().spawn(closes, &ready, &closed);
  ASSERT_TRUE(closed.wait());
  ASSERT_TRUE(ready.wait());
  caf::scoped_actor self(w.caf());
  EXPECT_EQ(ask(self, caf_handle(who), number{1}).why, caf::sec::request_receiver_down);
}

task<> accepts_again(event* ready, event* done, std::string* got) {
  auto [first, first_out] = make_mailbox<std::string>(bounded(1));
  auto [second, second_out] = make_mailbox<std::string>(bounded(1));
  caf_accept(first_out);
  caf_accept(second_out);
  ready->set();
  *got = *co_await second.receive();
  done->set();
}

TEST_P(CafHandle, LaterAcceptOfTheSameTypeTakesOver) {
  event ready;
  event done;
  std::string got;
  const auto who = w.sys().spawn(accepts_again, &ready, &done, &got);
  ASSERT_TRUE(ready.wait());
  post(caf_handle(who), "hello");
  ASSERT_TRUE(done.wait());
  EXPECT_EQ(got, "hello");
}

task<> many_shapes(event* ready) {
  using sum = caf_request<std::tuple<number, number>, number>;
  using split = caf_request<std::string, std::tuple<std::string, std::string>>;
  using check = caf_request<bool, void>;
  auto [sums, sums_out] = make_mailbox<sum>(bounded(4));
  auto [splits, splits_out] = make_mailbox<split>(bounded(4));
  auto [checks, checks_out] = make_mailbox<check>(bounded(4));
  caf_accept(sums_out);
  caf_accept(splits_out);
  caf_accept(checks_out);
  ready->set();
  auto first = co_await sums.receive();
  first->reply(std::get<0>(first->message) + std::get<1>(first->message));
  auto second = co_await splits.receive();
  second->reply({second->message, "tail"});
  auto third = co_await checks.receive();
  third->reply();
  third->reply(); // does nothing
  auto fourth = co_await checks.receive();
  EXPECT_FALSE(fourth->pending()); // a plain message: nobody waits
  fourth->reply();
}

TEST_P(CafHandle, TakesAndAnswersNoneOneOrSeveralValues) {
  event ready;
  const auto who = w.sys().spawn(many_shapes, &ready);
  ASSERT_TRUE(ready.wait());
  const auto handle = caf_handle(who);
  caf::scoped_actor self(w.caf());
  EXPECT_EQ(ask(self, handle, number{40}, number{2}).value, 42);
  std::string got;
  request(self, handle, "head").receive([&](std::string& a, std::string& b) { got = a + b; }, [](caf::error&) {});
  EXPECT_EQ(got, "headtail");
  bool nothing_came = false;
  request(self, handle, true).receive([&] { nothing_came = true; }, [](caf::error&) {});
  EXPECT_TRUE(nothing_came);
  say(self, handle, false);
  EXPECT_TRUE(who.wait().normal());
}

task<> answers_for_another(mailbox<number_request> in) {
  auto request = co_await in.receive();
  request->reply(request->message * 2);
}

task<> hands_on(event* ready, address<number_request> to) {
  auto [in, out] = make_mailbox<number_request>(bounded(4));
  caf_accept(out);
  ready->set();
  auto request = co_await in.receive();
  (void)co_await to.send(*std::move(request));
}

TEST_P(CafHandle, RequestMayBeAnsweredByAnotherActorAfterTheEnd) {
  event ready;
  auto [in, out] = make_mailbox<number_request>(bounded(4));
  const auto front = w.sys().spawn(hands_on, &ready, std::move(out));
  ASSERT_TRUE(ready.wait());
  caf::scoped_actor self(w.caf());
  auto pending = request(self, caf_handle(front), number{21});
  EXPECT_TRUE(front.wait().normal());
  w.sys().spawn(answers_for_another, std::move(in));
  number got = 0;
  std::move(pending).receive([&](number n) { got = n; }, [](caf::error&) {});
  EXPECT_EQ(got, 42);
}

TEST_P(CafHandle, TakesPartInComposedActors) {
  running_server inner(w);
  running_server outer(w);
  caf::scoped_actor self(w.caf());
  [&](const auto& second, const auto& first) {
    if constexpr (requires { second* first; }) {
      EXPECT_EQ(ask(self, second * first, number{5}).value, 7);
    } else {
      GTEST_SKIP() << "CAF has no composed actors from 1.0 on";
    }
  }(outer.handle, inner.handle);
}

} // namespace
} // namespace greenroom::test::handle_test
