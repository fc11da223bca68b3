// How a trace travels from actor to actor. What it reads and writes on the wire is in tests/http/trace_test.cpp, its spans in span_test.cpp.
#include <greenroom/runtime/trace.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/span.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::trace_test {
namespace {

using namespace test;

using ids = std::vector<std::string>;

std::string trace_here() { return std::string(current_trace().trace_id()); }
spawn_options under(actor_system& sys, const trace_context& trace) { return {.ctx = sys.context().with_value(trace)}; }

enum class way { receive, receive_for, select, poll };
constexpr way all_ways[] = {way::receive, way::receive_for, way::select, way::poll};

/// Notes for each item in which trace it was handled.
task<> note_traces(mailbox<int> in, way how, std::shared_ptr<ids> seen) {
  for (;;) {
    std::optional<int> item;
    if (how == way::receive) {
      item = co_await in.receive();
    } else if (how == way::receive_for) {
      auto got = co_await in.receive_for(1h);
      if (got) item = *got;
    } else if (how == way::select) {
      auto s = co_await select(in.receive(), after(1h));
      item = s.get<0>();
    } else {
      auto got = in.try_receive();
      for (; !got && got.error().is(errc::empty); got = in.try_receive()) co_await yield();
      if (got) item = *got;
    }
    if (!item) co_return;
    co_await yield(); // another turn, same item
    seen->push_back(trace_here());
  }
}

task<> send_all(address<int> out, int count, bool at_once) {
  for (int i = 0; i < count; ++i) {
    if (at_once) {
      (void)out.try_send(i);
    } else {
      (void)co_await out.send(i);
    }
  }
}

/// Sends some items of a trace and some of none, and returns what their receiver saw.
ids seen_by_receiver(mailbox_limits limits, way how, bool receiver_first, const trace_context& trace) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(limits);
  const auto seen = std::make_shared<ids>();
  actor reader;
  if (receiver_first) {
    reader = sys.spawn(note_traces, in, how, seen);
    (void)sys.run(settle);
  }
  const auto first = sys.spawn(under(sys, trace), send_all, out, 2, false);
  (void)sys.run(settle);
  if (!receiver_first) reader = sys.spawn(note_traces, in, how, seen);
  (void)first.wait();
  (void)sys.spawn(send_all, std::move(out), 2, false).wait();
  in = {};
  (void)reader.wait();
  return *seen;
}

TEST(TraceContext, GoesWithEachItemOnEveryWayThroughAMailbox) {
  for (const bool sampled : {false, true}) {
    const auto trace = begin_trace(sampled);
    const std::string id(trace.trace_id());
    for (const auto limits : {rendezvous(), bounded(1), bounded(8), unbounded()}) {
      for (const auto how : all_ways) {
        for (const bool receiver_first : {true, false}) {
          EXPECT_EQ(seen_by_receiver(limits, how, receiver_first, trace), (ids{id, id, "", ""}))
              << "capacity " << limits.capacity << ", way " << static_cast<int>(how)
              << (receiver_first ? ", receiver first" : ", sender first");
        }
      }
    }
  }
}

TEST(TraceContext, ReachesAReceiverThatWaitsWhenTheSenderDoesNotWait) {
  one_worker sys;
  const auto trace = begin_trace(false);
  auto [in, out] = make_mailbox<int>(bounded(4));
  const auto seen = std::make_shared<ids>();
  const auto reader = sys.spawn(note_traces, std::move(in), way::receive, seen);
  await_wait(sys, reader, "receive");
  (void)sys.spawn(under(sys, trace), send_all, out, 2, true).wait();
  EXPECT_TRUE(out.try_send(7)) << "from outside of actors";
  out = {};
  (void)reader.wait();
  const std::string id(trace.trace_id());
  EXPECT_EQ(*seen, (ids{id, id, ""}));
}

TEST(TraceContext, StaysWithItsItemWhenOthersAreDropped) {
  one_worker sys;
  const auto old = begin_trace(false);
  const auto kept = begin_trace(false);
  auto [in, out] = make_mailbox<int>(bounded(2, overflow::drop_oldest));
  EXPECT_TRUE(out.try_send(0)); // queued before the mailbox has seen a trace
  (void)sys.spawn(under(sys, old), send_all, out, 1, true).wait();
  (void)sys.spawn(under(sys, kept), send_all, out, 1, true).wait(); // drops the first
  EXPECT_TRUE(out.try_send(1));                                     // drops that of `old`
  out = {};
  const auto seen = std::make_shared<ids>();
  (void)sys.spawn(note_traces, std::move(in), way::receive, seen).wait();
  EXPECT_EQ(*seen, (ids{std::string(kept.trace_id()), ""}));
}

TEST(TraceContext, IsGoneWhenTheNextItemIsAskedFor) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(4));
  auto [other_in, other_out] = make_mailbox<int>(bounded(4));
  const auto seen = std::make_shared<ids>();
  const auto asks = [](mailbox<int> from, mailbox<int> other, std::shared_ptr<ids> to) -> task<> {
    (void)co_await from.receive();
    to->push_back(trace_here());
    (void)other.try_receive(); // another mailbox, and nothing in it: the item is still in hand
    to->push_back(trace_here());
    (void)from.try_receive();
    to->push_back(trace_here());
  };
  const auto trace = begin_trace(false);
  const auto who = sys.spawn(asks, std::move(in), std::move(other_in), seen);
  (void)sys.spawn(under(sys, trace), send_all, std::move(out), 1, false).wait();
  (void)who.wait();
  const std::string id(trace.trace_id());
  EXPECT_EQ(*seen, (ids{id, id, ""}));
}

TEST(TraceContext, OfTheContextHoldsWhereNoItemIsInHand) {
  one_worker sys;
  const auto own = begin_trace(false);
  const auto foreign = begin_trace(false);
  auto [in, out] = make_mailbox<int>(bounded(4));
  (void)sys.spawn(under(sys, foreign), send_all, out, 1, false).wait();
  const auto seen = std::make_shared<ids>();
  const auto body = [](mailbox<int> from, std::shared_ptr<ids> to) -> task<> {
    to->push_back(trace_here());
    (void)co_await from.receive();
    to->push_back(trace_here());
    (void)from.try_receive();
    to->push_back(trace_here());
  };
  (void)sys.spawn(under(sys, own), body, std::move(in), seen).wait();
  EXPECT_EQ(*seen, (ids{std::string(own.trace_id()), std::string(foreign.trace_id()), std::string(own.trace_id())}));
}

task<> note_trace(std::shared_ptr<ids> seen) {
  seen->push_back(trace_here());
  co_return;
}

TEST(TraceContext, GoesToActorsThatAreStartedWithAnItemInHand) {
  one_worker sys;
  const auto trace = begin_trace(false);
  auto [in, out] = make_mailbox<int>(bounded(4));
  const auto seen = std::make_shared<ids>();
  const auto starts = [](mailbox<int> from, std::shared_ptr<ids> to) -> task<> {
    while (const auto item = co_await from.receive()) {
      const auto independent = spawn(note_trace, to);
      (void)co_await independent.join();
      auto scoped = with_scope(
          [](scope& s, std::shared_ptr<ids> where) -> task<> {
            s.spawn(note_trace, where);
            co_return;
          },
          to);
      (void)co_await std::move(scoped);
    }
  };
  (void)sys.spawn(under(sys, trace), send_all, out, 1, false).wait();
  EXPECT_TRUE(out.try_send(0));
  out = {};
  (void)sys.spawn(starts, std::move(in), seen).wait();
  const std::string id(trace.trace_id());
  EXPECT_EQ(*seen, (ids{id, id, "", ""}));
}

TEST(TraceContext, EndsForAStartedActorWithTheItemsThatItTakes) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(4));
  EXPECT_TRUE(out.try_send(0));
  const auto seen = std::make_shared<ids>();
  const auto starts = [](mailbox<int> from, std::shared_ptr<ids> to) -> task<> {
    const auto started = spawn(note_traces, std::move(from), way::receive, std::move(to));
    co_return;
  };
  (void)sys.spawn(under(sys, begin_trace(false)), starts, std::move(in), seen).wait();
  out = {};
  while (sys.live_actors() != 0) std::this_thread::yield();
  EXPECT_EQ(*seen, ids{""});
}

TEST(TraceContext, IsLeftOutWhileUntraced) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(bounded(4));
  const auto sends = [](address<int> to) -> task<> {
    {
      const untraced none;
      EXPECT_EQ(trace_here(), "");
      (void)to.try_send(1);
    }
    EXPECT_NE(trace_here(), "");
    co_return;
  };
  (void)sys.spawn(under(sys, begin_trace(false)), sends, std::move(out)).wait();
  const auto seen = std::make_shared<ids>();
  (void)sys.spawn(note_traces, std::move(in), way::receive, seen).wait();
  EXPECT_EQ(*seen, ids{""});
}

// -- many at a time ---------------------------------------------------------------------------------------

struct numbered {
  int number = 0;
  std::string trace;
};

task<> relay(mailbox<numbered> in, address<numbered> out) {
  while (auto item = co_await in.receive()) {
    co_await yield();
    (void)co_await out.send(std::move(*item));
  }
}
task<> count_strangers(mailbox<numbered> in, std::shared_ptr<std::pair<int, int>> seen) {
  while (const auto item = co_await in.receive()) {
    ++seen->first;
    if (item->trace != trace_here()) ++seen->second;
  }
}
task<> send_own(address<numbered> out, int count) {
  for (int i = 0; i < count; ++i) {
    numbered item;
    item.number = i;
    item.trace = trace_here();
    (void)co_await out.send(std::move(item));
  }
}

TEST(TraceContext, TracesOfManySendersDoNotMixInActorsThatTheyShare) {
  actor_system sys(quiet(4));
  auto [in, out] = make_mailbox<numbered>(bounded(8));
  auto [next_in, next_out] = make_mailbox<numbered>(rendezvous());
  const auto seen = std::make_shared<std::pair<int, int>>();
  for (int i = 0; i < 3; ++i) (void)sys.spawn(relay, in, next_out);
  const auto last = sys.spawn(count_strangers, std::move(next_in), seen);
  in = {};
  next_out = {};
  constexpr int senders = 64;
  for (int i = 0; i < senders; ++i) {
    (void)(i % 4 == 0 ? sys.spawn(send_own, out, 50) // of no trace
                      : sys.spawn(under(sys, begin_trace(i % 2 == 0)), send_own, out, 50));
  }
  out = {};
  (void)last.wait();
  EXPECT_EQ(seen->first, senders * 50);
  EXPECT_EQ(seen->second, 0);
}

// -- values -----------------------------------------------------------------------------------------------

TEST(TraceContext, DefaultConstructedIsInNone) {
  const trace_context none;
  EXPECT_FALSE(none);
  EXPECT_FALSE(none.sampled());
  EXPECT_EQ(none.trace_id(), "");
  EXPECT_EQ(none.traceparent(), "");
  EXPECT_FALSE(current_trace());
}

TEST(TraceContext, ChildHasItsOwnSpanBelowThatOfItsParent) {
  const auto top = begin_trace(true).for_request("order-17");
  const auto part = top.child();
  EXPECT_EQ(part.trace_id(), top.trace_id());
  EXPECT_EQ(part.parent_id(), top.span_id());
  EXPECT_NE(part.span_id(), top.span_id());
  EXPECT_EQ(part.request_id(), "order-17");
  EXPECT_EQ(top.parent_id(), "");
}

} // namespace
} // namespace greenroom::trace_test
