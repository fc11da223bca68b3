// How a trace goes through what is built of actors: graphs with their junctions, items that come again, dead letters and asks.
#include <greenroom/runtime/trace.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/graph_service.hpp>
#include <greenroom/runtime/span.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::trace_test {
namespace {

using namespace test;

/// What was seen where: "node trace" for each item, by any thread.
struct sightings {
  void add(const std::string& where) {
    const std::lock_guard guard(mutex);
    all.push_back(where + " " + std::string(current_trace().trace_id()));
  }
  std::vector<std::string> sorted() {
    const std::lock_guard guard(mutex);
    auto copy = all;
    std::sort(copy.begin(), copy.end());
    return copy;
  }
  std::mutex mutex;
  std::vector<std::string> all; // guarded by mutex
};
using notes = std::shared_ptr<sightings>;

struct kept_spans final : span_sink {
  void ended(span what) noexcept override {
    const std::lock_guard guard(mutex);
    all.push_back(std::move(what));
  }
  std::mutex mutex;
  std::vector<span> all; // guarded by mutex
};

task<> pass_on(mailbox<int> in, address<int> out, notes seen) {
  while (const auto n = co_await in.receive()) {
    seen->add("pass_on");
    (void)co_await out.send(*n);
  }
}
task<> look_at_all(mailbox<int> in, std::string name, notes seen) {
  while (const auto n = co_await in.receive()) seen->add(name + std::to_string(*n));
}
task<> send_numbers(address<int> out, int first, int count) {
  for (int i = 0; i < count; ++i) (void)co_await out.send(first + i);
}
task<result<void>> drain(service s) { return s.drain(5s); }

spawn_options under(actor_system& sys, const trace_context& trace) { return {.ctx = sys.context().with_value(trace)}; }

TEST(TraceContext, GoesThroughTheJunctionsOfAGraph) {
  one_worker sys;
  const auto seen = std::make_shared<sightings>();
  graph g("junctions");
  const auto first = g.add("first", pass_on, seen);
  const auto second = g.add("second", pass_on, seen);
  const auto copies = g.add("copies", look_at_all, std::string("copy"), seen);
  const auto keyed = g.add("keyed", {.replicas = 2}, look_at_all, std::string("keyed"), seen);
  g.broadcast(first.out<0>(), second.in<0>(), bounded(4));
  g.broadcast(first.out<0>(), copies.in<0>(), bounded(4));
  g.connect_by_key(second.out<0>(), keyed.in<0>(), bounded(4), [](const int& n) { return n; });
  const auto entry = g.entry(first.in<0>(), bounded(4));
  const auto s = run(sys, std::move(g)).value();
  const auto one = begin_trace(false);
  const auto two = begin_trace(false);
  (void)sys.spawn(under(sys, one), send_numbers, s.to(entry), 1, 1).wait();
  (void)sys.spawn(under(sys, two), send_numbers, s.to(entry), 2, 1).wait();
  ASSERT_TRUE(sys.run(drain, s));
  const auto a = " " + std::string(one.trace_id());
  const auto b = " " + std::string(two.trace_id());
  std::vector<std::string> wanted{"copy1" + a,   "copy2" + b,   "keyed1" + a,  "keyed2" + b,
                                  "pass_on" + a, "pass_on" + a, "pass_on" + b, "pass_on" + b};
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(seen->sorted(), wanted);
}

TEST(TraceContext, OfAnUrgentItemIsNotThatOfTheOneItOvertakes) {
  one_worker sys;
  const auto seen = std::make_shared<sightings>();
  graph g("urgent");
  const auto usual = g.add("usual", pass_on, std::make_shared<sightings>());
  const auto hurry = g.add("hurry", pass_on, std::make_shared<sightings>());
  const auto sink = g.add("sink", look_at_all, std::string("n"), seen);
  g.connect(usual.out<0>(), sink.in<0>(), bounded(8));
  g.connect(hurry.out<0>(), sink.in<0>(), bounded(8), {.urgent = true});
  const auto entry = g.entry(usual.in<0>(), bounded(8));
  const auto urgent_entry = g.entry(hurry.in<0>(), bounded(8));
  const auto s = run(sys, std::move(g)).value();
  const auto trace = begin_trace(false);
  (void)sys.spawn(under(sys, trace), send_numbers, s.to(entry), 1, 3).wait();
  (void)sys.spawn(send_numbers, s.to(urgent_entry), 7, 3).wait(); // of no trace
  ASSERT_TRUE(sys.run(drain, s));
  const auto id = " " + std::string(trace.trace_id());
  EXPECT_EQ(seen->sorted(), (std::vector<std::string>{"n1" + id, "n2" + id, "n3" + id, "n7 ", "n8 ", "n9 "}));
}

task<> fail_always(mailbox<int> in, notes seen) {
  while (const auto n = co_await in.receive()) {
    seen->add("try");
    throw std::runtime_error("never");
  }
}
task<> look_at_letters(mailbox<dead_letter> in, notes seen) {
  while (const auto letter = co_await in.receive()) seen->add("letter");
}

TEST(TraceContext, StaysWithAnItemThatComesAgainAndBecomesADeadLetter) {
  one_worker sys;
  const auto spans = std::make_shared<kept_spans>();
  send_spans_to(sys, spans);
  const auto seen = std::make_shared<sightings>();
  graph g("clinic");
  const auto fails = g.add("fails", {.queue = queue_fate::keep, .deliveries = 2}, fail_always, seen);
  const auto doctor = g.add("doctor", look_at_letters, seen);
  const auto entry = g.entry(fails.in<0>(), bounded(4));
  g.dead_letters(doctor.in<0>(), bounded(4));
  const auto s = run(sys, std::move(g)).value();
  const auto trace = begin_trace(true);
  (void)sys.spawn(under(sys, trace), send_numbers, s.to(entry), 1, 1).wait();
  while (seen->sorted().size() < 3) std::this_thread::yield();
  ASSERT_TRUE(sys.run(drain, s));
  const auto id = " " + std::string(trace.trace_id());
  EXPECT_EQ(seen->sorted(), (std::vector<std::string>{"letter" + id, "try" + id, "try" + id}));
  const std::lock_guard guard(spans->mutex);
  ASSERT_EQ(spans->all.size(), 3u);
  EXPECT_TRUE(spans->all[0].failed);
  EXPECT_TRUE(spans->all[1].failed);
  EXPECT_NE(spans->all[0].place.span_id(), spans->all[1].place.span_id());
  EXPECT_EQ(spans->all[0].place.parent_id(), trace.span_id());
  EXPECT_EQ(spans->all[1].place.parent_id(), trace.span_id());
  EXPECT_FALSE(spans->all[2].failed);
  EXPECT_EQ(spans->all[2].place.parent_id(), spans->all[1].place.span_id()) << "the letter is what the failure caused";
}

TEST(TraceContext, OfWhoStartsAGraphIsNotThatOfItsNodes) {
  one_worker sys;
  const auto seen = std::make_shared<sightings>();
  const auto source = [](address<int> out, notes to) -> task<> {
    to->add("source");
    (void)co_await out.send(1);
  };
  graph g("started");
  const auto a = g.add("source", source, seen);
  const auto b = g.add("sink", look_at_all, std::string("sink"), seen);
  g.connect(a, b, bounded(1));
  const auto starts = [](graph of) -> task<> {
    auto started = run(std::move(of));
    auto s = co_await std::move(started);
    (void)co_await s->self().join();
  };
  (void)sys.spawn(under(sys, begin_trace(false)), starts, std::move(g)).wait();
  EXPECT_EQ(seen->sorted(), (std::vector<std::string>{"sink1 ", "source "}));
}

struct question {
  using reply = std::string;
};

TEST(TraceContext, GoesToTheServerOfAnAskAndStaysWithTheAsker) {
  for (const auto limits : {rendezvous(), bounded(1)}) {
    one_worker sys;
    auto [in, out] = make_mailbox<request<question>>(limits);
    const auto answers = [](mailbox<request<question>> from) -> task<> {
      while (auto r = co_await from.receive()) (void)r->reply(std::string(current_trace().trace_id()));
    };
    (void)sys.spawn(answers, std::move(in));
    std::vector<std::string> got;
    const auto asks = [](address<request<question>> to, std::vector<std::string>* into) -> task<> {
      const auto answer = co_await ask(to, question(), 1h);
      into->push_back(answer.value());
      into->emplace_back(current_trace().trace_id());
    };
    const auto trace = begin_trace(false);
    (void)sys.spawn(under(sys, trace), asks, out, &got).wait();
    (void)sys.spawn(asks, std::move(out), &got).wait();
    const std::string id(trace.trace_id());
    EXPECT_EQ(got, (std::vector<std::string>{id, id, "", ""}));
  }
}

TEST(TraceContext, OfARequestThatIsForwardedReachesTheServerThatAnswersIt) {
  one_worker sys;
  auto [in, out] = make_mailbox<request<question>>(bounded(2));
  auto [next_in, next_out] = make_mailbox<request<question>>(bounded(2));
  const auto forwards = [](mailbox<request<question>> from, address<request<question>> to) -> task<> {
    while (auto r = co_await from.receive()) (void)r->forward(to);
  };
  const auto answers = [](mailbox<request<question>> from) -> task<> {
    while (auto r = co_await from.receive()) (void)r->reply(std::string(current_trace().trace_id()));
  };
  (void)sys.spawn(forwards, std::move(in), std::move(next_out));
  (void)sys.spawn(answers, std::move(next_in));
  std::string got;
  const auto asks = [](address<request<question>> to, std::string* into) -> task<> {
    const auto answer = co_await ask(to, question(), 1h);
    *into = answer.value();
  };
  const auto trace = begin_trace(true);
  (void)sys.spawn(under(sys, trace), asks, std::move(out), &got).wait();
  EXPECT_EQ(got, trace.trace_id());
}

} // namespace
} // namespace greenroom::trace_test
