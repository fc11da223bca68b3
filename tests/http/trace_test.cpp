#include <greenroom/http/trace.hpp>

#include <cstdint>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <greenroom/http/body.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::trace_test {
namespace {

using namespace test;

constexpr std::string_view sound = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// -- traceparent ------------------------------------------------------------------------------------------

TEST(TraceContext, ReadsAndWritesTraceparent) {
  const auto read = trace_context::parse(sound).value();
  EXPECT_EQ(read.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(read.span_id(), "00f067aa0ba902b7");
  EXPECT_EQ(read.parent_id(), "");
  EXPECT_TRUE(read.sampled());
  EXPECT_EQ(read.traceparent(), sound);
}

TEST(TraceContext, GivesPartsOfItsWorkASpanOfTheirOwn) {
  const auto part = trace_context::parse(sound, "a=1")
                        .value()
                        .child({'1', '2', '3', '4', '5', '6', '7', '8', '9', '0', 'a', 'b', 'c', 'd', 'e', 'f'});
  EXPECT_EQ(part.traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-1234567890abcdef-01");
  EXPECT_EQ(part.parent_id(), "00f067aa0ba902b7");
  EXPECT_EQ(part.state(), "a=1");
}

TEST(TraceContext, HandsOnNoFlagThatItDoesNotKnow) {
  const auto read = [](std::string flags) {
    return trace_context::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-" + flags).value().traceparent();
  };
  EXPECT_EQ(read("ff").substr(53), "01");
  EXPECT_EQ(read("fe").substr(53), "00");
  EXPECT_EQ(read("03").substr(53), "01");
}

TEST(TraceContext, RefusesWhatIsMalformed) {
  for (const std::string bad : {
           "",
           "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
           " 0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
       })
    EXPECT_FALSE(trace_context::parse(bad)) << bad;
}

TEST(TraceContext, ReadsLaterVersionsAsFarAsTheyAreKnown) {
  const std::string later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(trace_context::parse(later).value().traceparent(), sound);
  EXPECT_EQ(trace_context::parse(later + "-what-the-future-will-be-like").value().traceparent(), sound);
  EXPECT_EQ(trace_context::parse(later + "-").value().traceparent(), sound);
  EXPECT_FALSE(trace_context::parse(later + ".what-the-future-will-be-like"));
}

// -- tracestate -------------------------------------------------------------------------------------------

std::string state_of(const std::string& field) { return trace_context::parse(sound, field).value().state(); }

TEST(TraceContext, HandsOnTracestate) {
  EXPECT_EQ(state_of("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"), "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  EXPECT_EQ(state_of(" a=1 ,\t, 0t-_*/@b=x y ,"), "a=1,0t-_*/@b=x y");
  EXPECT_EQ(state_of(""), "");
}

TEST(TraceContext, DropsTracestateThatIsMalformedButNotTheTrace) {
  for (const std::string bad :
       {"a", "=1", "a=", "A=1", "1=1", "a=1=2", "a@=1", "@b=1", "a@1=1", "a=\x7f", "a=1,b", "a b=1"})
    EXPECT_EQ(state_of(bad), "") << bad;
  EXPECT_EQ(state_of(std::string(257, 'a') + "=1"), "");
  EXPECT_EQ(state_of("a=" + std::string(257, 'x')), "");
  EXPECT_EQ(state_of("a@" + std::string(15, 'x') + "=1"), "");
}

TEST(TraceContext, BoundsTracestate) {
  std::string all;
  for (int i = 0; i < 32; ++i) all += (i == 0 ? "k" : ",k") + std::to_string(i) + "=v";
  EXPECT_EQ(state_of(all), all);
  EXPECT_EQ(state_of(all + ",k33=v"), "") << "33 members";
  const std::string longest = "long=" + std::string(200, 'x');
  const std::string usual = "usual=" + std::string(100, 'y');
  EXPECT_EQ(state_of("a=1," + longest + "," + usual), "a=1," + longest + "," + usual);
  EXPECT_EQ(state_of("a=1," + longest + "," + longest + "," + usual + ",b=2"), "a=1," + usual + ",b=2");
  std::string many = usual;
  for (int i = 0; i < 9; ++i) many += "," + std::to_string(i) + "@s=" + std::string(100, 'z');
  const auto kept = state_of(many);
  EXPECT_LE(kept.size(), 512u);
  EXPECT_EQ(kept, many.substr(0, kept.size())) << "the first ones are the latest";
  EXPECT_GT(kept.size(), 400u);
}

// -- the middleware ---------------------------------------------------------------------------------------

std::string trace_here() {
  const auto* const trace = this_actor::context().value<trace_context>();
  return trace == nullptr ? "none"
                          : trace->traceparent() + ' ' + std::string(trace->parent_id()) + ' ' + trace->state();
}

response show() { return text(std::string(current_request_id()) + '|' + trace_here()); }
task<> show_in_scope(std::string* to) {
  *to = show().body();
  co_return;
}
task<response> show_later(request) {
  std::string seen;
  (void)co_await with_scope(
      [](scope& s, std::string* to) -> task<> { // an actor of its own
        s.spawn(show_in_scope, to);
        co_return;
      },
      &seen);
  co_return text(seen);
}

TEST(TraceRequests, TakesOverWhatTheClientSends) {
  rig r;
  r.front.use(trace_requests()).get("/", show);
  r.start();
  const auto answer = r.ask(get("/", "X-Request-Id: order-17!\r\ntraceparent: " + std::string(sound) +
                                         "\r\ntracestate: a=1\r\nTraceState: b=2,c=3\r\n"));
  EXPECT_EQ(answer.field("X-Request-Id"), "order-17!");
  EXPECT_EQ(answer.field("traceparent"), "none") << "a trace goes on to those who are asked, not back";
  EXPECT_TRUE(answer.body.starts_with("order-17!|00-4bf92f3577b34da6a3ce929d0e0e4736-")) << answer.body;
  EXPECT_TRUE(answer.body.ends_with("-01 00f067aa0ba902b7 a=1,b=2,c=3")) << answer.body;
  EXPECT_EQ(answer.body.find("-00f067aa0ba902b7-"), std::string::npos) << "the span is our own: " << answer.body;
}

TEST(TraceRequests, MakesNewOnesWhereThereAreNone) {
  rig r;
  r.front.use(trace_requests()).get("/", show);
  r.start();
  std::set<std::string> ids;
  std::set<std::string> traces;
  auto c = r.connect();
  for (int i = 0; i < 100; ++i) {
    const auto answer = r.say_and_hear(c, get("/"));
    const auto id = answer.field("X-Request-Id");
    EXPECT_EQ(id.size(), 32u) << id;
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), id.npos) << id;
    ids.insert(id);
    const auto trace = answer.body.substr(33, 55);
    EXPECT_EQ(answer.body, id + '|' + trace + "  ");
    EXPECT_EQ(trace_context::parse(trace).value().traceparent(), trace);
    EXPECT_TRUE(trace.ends_with("-00"));
    traces.insert(trace.substr(3, 32));
  }
  EXPECT_EQ(ids.size(), 100u);
  EXPECT_EQ(traces.size(), 100u);
}

TEST(TraceRequests, TakesNothingThatIsMalformedOrThereTwice) {
  rig r;
  r.front.use(trace_requests()).get("/", show);
  r.start();
  for (const std::string bad : {"X-Request-Id: a b\r\n", "X-Request-Id: \r\n", "X-Request-Id: a\r\nX-Request-Id: a\r\n",
                                "X-Request-Id: a,b\r\n", "X-Request-Id: caf\xc3\xa9\r\n", "X-Request-Id: \"a\"\r\n"})
    EXPECT_EQ(r.ask(get("/", bad)).field("X-Request-Id").size(), 32u) << bad;
  EXPECT_EQ(r.ask(get("/", "X-Request-Id: " + std::string(128, 'a') + "\r\n")).field("X-Request-Id").size(), 128u);
  EXPECT_EQ(r.ask(get("/", "X-Request-Id: " + std::string(129, 'a') + "\r\n")).field("X-Request-Id").size(), 32u);
  const auto line = "traceparent: " + std::string(sound) + "\r\n";
  EXPECT_NE(r.ask(get("/", line)).body.find("4bf92f35"), std::string::npos);
  EXPECT_EQ(r.ask(get("/", line + line)).body.find("4bf92f35"), std::string::npos);
  EXPECT_EQ(r.ask(get("/", line.substr(0, line.size() - 4) + "\r\n")).body.find("4bf92f35"), std::string::npos);
}

TEST(TraceRequests, MayIgnoreWhatTheClientSends) {
  rig r;
  r.front.use(trace_requests({.take_request_id = false, .take_trace = false, .sample = 1})).get("/", show);
  r.start();
  const auto answer = r.ask(get("/", "X-Request-Id: mine\r\ntraceparent: " + std::string(sound) + "\r\n"));
  EXPECT_EQ(answer.field("X-Request-Id").size(), 32u);
  EXPECT_EQ(answer.body.find("4bf92f35"), std::string::npos);
  EXPECT_TRUE(answer.body.ends_with("-01  ")) << "sampled: " << answer.body;
}

TEST(TraceRequests, ReachesActorsThatTheHandlerStartsAndStreamedBodies) {
  rig r;
  r.front.use(trace_requests()).get("/later", show_later).get("/stream", [](request) {
    return streamed("text/plain", [](body_writer out) -> task<> {
      co_await sleep_for(1ms);
      auto sent = co_await out.write(std::string(current_request_id()) + ".");
      (void)sent;
    });
  });
  r.start();
  EXPECT_TRUE(r.ask(get("/later", "X-Request-Id: seven\r\n")).body.starts_with("seven|00-"));
  auto c = r.connect();
  r.say(c, get("/stream", "X-Request-Id: eight\r\n"));
  r.settle();
  r.advance(2ms);
  EXPECT_NE(r.hear_until(c, "0\r\n\r\n").find("eight."), std::string::npos);
}

TEST(TraceRequests, IsAroundHandlersThatAreNoCoroutines) {
  rig r;
  r.front.use(trace_requests()).get("/", [](request q) -> task<response> {
    if (current_request_id() != "nine") throw std::runtime_error("outside");
    return show_later(std::move(q));
  });
  r.start();
  EXPECT_TRUE(r.ask(get("/", "X-Request-Id: nine\r\n")).body.starts_with("nine|"));
}

TEST(TraceRequests, LeavesAnIdentifierThatTheHandlerGave) {
  rig r;
  r.front.use(trace_requests()).get("/", [] { return text("").header("X-Request-Id", "own"); });
  r.start();
  const auto answer = r.ask(get("/"));
  EXPECT_EQ(answer.field("X-Request-Id"), "own");
  EXPECT_EQ(answer.head.find("X-Request-Id"), answer.head.rfind("X-Request-Id"));
}

TEST(TraceRequests, LetsACancellationPass) {
  rig r;
  r.front.use(trace_requests()).get("/slow", supervised(2s, [](request) -> task<response> {
                                      co_await sleep_for(1h);
                                      co_return text("never");
                                    }));
  r.start();
  auto c = r.connect();
  r.say(c, get("/slow"));
  r.advance(2001ms);
  EXPECT_EQ(r.hear(c).status, 503);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  EXPECT_EQ(r.front.stats().failed, 0u);
}

TEST(TraceRequests, GivesTheSameIdentifiersWithTheSameSeed) {
  const auto ids_with = [](std::uint64_t seed) {
    memory_transport net;
    auto how = quiet(1);
    how.seed = seed;
    actor_system sys{how, environment{.net = &net}};
    server front(sys, {.port = 0});
    front.use(trace_requests()).get("/", show);
    EXPECT_TRUE(front.start());
    raw_client c(sys.run(
                        [](transport* through, std::uint16_t port) {
                          return through->connect({"127.0.0.1", port});
                        },
                        &net, front.port())
                     .value());
    (void)sys.run([](raw_client* who) { return who->say(get("/")); }, &c);
    return sys.run([](raw_client* who) { return who->hear(); }, &c).value().body;
  };
  const auto first = ids_with(42);
  EXPECT_EQ(first.size(), 32 + 1 + 55 + 2u);
  EXPECT_EQ(first, ids_with(42));
  EXPECT_NE(first, ids_with(43));
}

TEST(TraceRequests, KnowsNoRequestOutsideOfOne) {
  EXPECT_EQ(current_request_id(), "");
  rig r;
  EXPECT_EQ(r.sys
                .run([]() -> task<std::string> {
                  co_return std::string(current_request_id()) + '.' + traceparent_of(this_actor::context());
                })
                .value(),
            ".");
}

TEST(TraceRequests, RefusesAShareThatIsNone) {
  EXPECT_THROW(trace_requests({.sample = -0.1}), usage_error);
  EXPECT_THROW(trace_requests({.sample = 1.1}), usage_error);
  EXPECT_THROW(trace_requests({.sample = std::numeric_limits<double>::quiet_NaN()}), usage_error);
}

} // namespace
} // namespace greenroom::http::trace_test
