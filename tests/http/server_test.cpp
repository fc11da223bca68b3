#include <greenroom/http/server.hpp>

#include <string>

#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::server_test {
namespace {

using namespace test;

response hello() { return text("Hello, World!"); }
response echo(request r) { return {200, "application/octet-stream", r.take_body()}; }
response show_name(request r) { return text("<" + std::string(r.parameter("name")) + ">"); }
response show_query(request r) { return text(r.query_value("q").value_or("none")); }

task<response> slow_task(request r) {
  co_await sleep_for(std::chrono::milliseconds(std::atoi(r.query_value("ms").value_or("3000").c_str())));
  co_return text("Success: task completed\n");
}

// -- answers ----------------------------------------------------------------------------------------------

TEST(Server, AnswersAGetWithStatusDateAndLength) {
  rig r;
  r.front.get("/hello", hello);
  r.start();
  const auto got = r.ask(get("/hello"));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "Hello, World!");
  EXPECT_EQ(got.head.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(got.field("Date"), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(got.field("Content-Length"), "13");
  EXPECT_EQ(got.field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(got.field("Connection"), "none");
}

TEST(Server, HeadGetsTheFieldsOfAGetWithoutTheBody) {
  rig r;
  r.front.get("/hello", hello);
  r.start();
  auto c = r.connect();
  r.say(c, "HEAD /hello HTTP/1.1\r\nHost: here\r\n\r\n" + get("/hello"));
  const auto head = r.hear(c, true);
  EXPECT_EQ(head.field("Content-Length"), "13");
  EXPECT_EQ(r.hear(c).body, "Hello, World!"); // follows at once: there was no body in between
}

TEST(Server, ServesMethodsOfOnesOwnAndKnowsNoOthers) {
  rig r;
  routes group;
  group.route(method("PURGE"), "/{name}", show_name);
  r.front.route(method("QUERY"), "/search", echo).mount("/cache", group);
  r.start();
  EXPECT_EQ(r.ask("QUERY /search HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nall").body, "all");
  EXPECT_EQ(r.ask("PURGE /cache/7 HTTP/1.1\r\nHost: x\r\n\r\n").body, "<7>");
  const auto elsewhere = r.ask("PURGE /search HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(elsewhere.status, 405);
  EXPECT_EQ(elsewhere.field("Allow"), "OPTIONS, QUERY");
  for (const auto* const unknown : {"purge", "PURGES", "COPY", "CONNECT"})
    EXPECT_EQ(r.ask(std::string(unknown) + " /cache/7 HTTP/1.1\r\nHost: x\r\n\r\n").status, 501) << unknown;
}

TEST(Server, SendsNoBodyWithAStatusThatHasNone) {
  rig r;
  r.front.get("/reset", [] { return text("ignored", 205); }).get("/none", [] { return text("ignored", 204); });
  r.start();
  auto c = r.connect();
  r.say(c, get("/reset") + get("/none") + get("/nothing"));
  const auto reset = r.hear(c);
  EXPECT_EQ(reset.status, 205);
  EXPECT_EQ(reset.field("Content-Length"), "0");
  const auto none = r.hear(c);
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.field("Content-Length"), "none");
  EXPECT_EQ(r.hear(c).status, 404);
}

TEST(Server, GivesTheHandlerParametersQueryAndBody) {
  rig r;
  r.front.get("/people/{name}", show_name).get("/search", show_query).post("/echo", echo);
  r.start();
  EXPECT_EQ(r.ask(get("/people/a%20b")).body, "<a b>");
  EXPECT_EQ(r.ask(get("/search?x=1&q=a+b")).body, "a b");
  EXPECT_EQ(r.ask(post("/echo", "some bytes")).body, "some bytes");
  EXPECT_EQ(
      r.ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n"
            "Trailer: x\r\n\r\n")
          .body,
      "hello!");
}

TEST(Server, KeepsTheConnectionUntilTheClientSaysClose) {
  rig r;
  r.front.get("/hello", hello);
  r.start();
  auto c = r.connect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(r.say_and_hear(c, get("/hello")).status, 200);
  r.say(c, get("/hello", "Connection: close\r\n") + get("/hello"));
  const auto all = r.hear_all(c);
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(all.find("200 OK", 12), std::string::npos) << "what follows a close is not answered";
  EXPECT_EQ(r.front.stats().connections_accepted, 1u);
}

TEST(Server, ClosesBehindHttp10UnlessAskedToKeep) {
  rig r;
  r.front.get("/hello", hello);
  r.start();
  auto c = r.connect();
  r.say(c, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(r.hear(c).field("Connection"), "keep-alive");
  r.say(c, "GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_NE(r.hear_all(c).find("Connection: close"), std::string::npos);
}

TEST(Server, TheLastAnswerArrivesWhateverTheClientSendsBehindItsLastRequest) {
  rig r;
  r.front.post("/echo", echo);
  r.start();
  const std::string body(1'000'000, 'x');
  for (const auto* version : {"1.0", "1.1"}) {
    auto c = r.connect();
    r.say(c, std::string("POST /echo HTTP/") + version +
                 "\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n" + body);
    r.settle();
    r.say(c, "\r\n"); // as old clients do
    r.settle();
    EXPECT_EQ(r.hear(c).body.size(), body.size()) << version;
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  rig r;
  r.front.get("/hello", hello).get("/task", slow_task).post("/echo", echo).get("/people/{name}", show_name);
  r.start();
  auto c = r.connect();
  r.say(c, get("/people/1") + get("/task?ms=100") + post("/echo", "3") + get("/nothing") + get("/people/5"));
  EXPECT_EQ(r.hear(c).body, "<1>"); // is sent although the next one waits
  r.advance(101ms);
  EXPECT_EQ(r.hear(c).body, "Success: task completed\n");
  EXPECT_EQ(r.hear(c).body, "3");
  EXPECT_EQ(r.hear(c).status, 404);
  EXPECT_EQ(r.hear(c).body, "<5>");
}

TEST(Server, ServesARequestThatComesByteByByte) {
  rig r;
  r.front.post("/echo", echo);
  r.start();
  auto c = r.connect();
  for (const char byte : post("/echo", "slowly")) {
    r.say(c, std::string(1, byte));
    r.settle();
  }
  EXPECT_EQ(r.hear(c).body, "slowly");
}

TEST(Server, AnswersAThousandPipelinedRequestsOfAClientThatReadsLate) {
  rig r;
  r.front.post("/echo", echo);
  r.start();
  auto c = r.connect();
  std::string all;
  const std::string body(1'000, 'x');
  for (int i = 0; i < 1'000; ++i) all += post("/echo", body);
  const auto sending =
      r.sys.spawn([](raw_client* who, std::string what) { return who->say(std::move(what)); }, &c, all);
  r.settle();
  EXPECT_FALSE(sending.finished()) << "the server must not take in what it cannot answer";
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(r.hear(c).body, body) << i;
  EXPECT_TRUE(sending.wait().normal());
}

TEST(Server, KeepsForEachConnectionWhatComesWhileItsRequestIsAnswered) {
  rig r;
  r.front.get("/task", slow_task).post("/echo", echo).get("/people/{name}", show_name);
  r.start();
  auto one = r.connect();
  auto two = r.connect();
  r.say(one, get("/task?ms=100"));
  r.settle();
  for (const auto* part : {"GET /people/o", "ne HTTP/1.1\r\nHo", "st: here\r\n\r\n"}) {
    r.say(one, part);
    r.settle();
    EXPECT_EQ(r.say_and_hear(two, post("/echo", "of another connection")).body, "of another connection");
  }
  r.advance(101ms);
  EXPECT_EQ(r.hear(one).body, "Success: task completed\n");
  EXPECT_EQ(r.hear(one).body, "<one>");
}

TEST(Server, AnswersAClientThatHasEndedItsSendingUnlessThatTakesAWait) {
  rig r;
  r.front.get("/task", supervised(1h, slow_task)).get("/people/{name}", show_name);
  r.start();
  auto quick = r.connect();
  r.say(quick, get("/people/1") + get("/people/2"));
  quick.end_sending();
  EXPECT_EQ(r.hear(quick).body, "<1>");
  EXPECT_EQ(r.hear(quick).body, "<2>");
  EXPECT_EQ(r.hear_all(quick), "");
  auto slow = r.connect();
  r.say(slow, get("/task"));
  r.settle();
  slow.end_sending();
  EXPECT_EQ(r.hear_all(slow), "");
  EXPECT_EQ(r.front.stats().abandoned, 1u);
  auto both = r.connect();
  r.say(both, get("/people/1") + get("/task") + get("/people/2"));
  both.end_sending();
  EXPECT_EQ(r.hear(both).body, "<1>");
  EXPECT_EQ(r.hear_all(both), "");
  EXPECT_EQ(r.front.stats().abandoned, 2u);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST(Server, SendsALargeAnswerToASlowReader) {
  rig r;
  r.front.get("/large", [] { return text(std::string(5 << 20, 'a')); });
  r.start();
  auto c = r.connect();
  r.say(c, get("/large"));
  r.settle();
  EXPECT_EQ(r.hear(c).body.size(), 5u << 20);
}

// -- refusals ---------------------------------------------------------------------------------------------

struct refused_case {
  const char* bytes;
  int status;
  const char* sentence;
};

TEST(Server, RefusesWithASentenceAndCloses) {
  limits small;
  small.request_line = 100;
  small.head = 300;
  small.body = 10;
  rig r({.limits = small});
  r.front.post("/echo", echo);
  r.start();
  const std::string long_target(200, 'x');
  const std::string long_field(400, 'y');
  const std::pair<std::string, int> cases[] = {
      {"rubbish\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400}, // no Host
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", 413},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n", 413},
      {"GET /" + long_target + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: " + long_field + "\r\n\r\n", 431},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: magic\r\n\r\n", 417},
  };
  for (const auto& [bytes, status] : cases) {
    auto c = r.connect();
    r.say(c, bytes + get("/nothing")); // nothing that follows is served
    r.settle();
    c.end_sending();
    const auto all = r.hear_all(c);
    EXPECT_EQ(all.substr(9, 3), std::to_string(status)) << bytes;
    EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos) << bytes;
    EXPECT_GT(all.size() - all.find("\r\n\r\n"), 20u) << "a sentence for people: " << all;
    EXPECT_EQ(all.find("\nHTTP/1.1 "), std::string::npos) << "one answer only: " << all;
  }
  EXPECT_EQ(r.front.stats().refused, std::size(cases));
}

TEST(Server, RefusesAHeadWithoutABody) {
  rig r;
  r.front.get("/hello", hello);
  r.start();
  for (const auto* bytes : {"HEAD /hello HTTP/1.1\r\n\r\n", "HEAD /hello HTTP/2.0\r\nHost: x\r\n\r\n",
                            "HEAD /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
                            "HEAD  / HTTP/1.1\r\n", "HEAD /hello\n"}) {
    auto c = r.connect();
    r.say(c, bytes);
    r.settle();
    c.end_sending();
    const auto all = r.hear_all(c);
    EXPECT_NE(all.find("Content-Length: "), std::string::npos);
    EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
  }
}

TEST(Server, SaysWhatIsWrongWithThePathOrTheMethod) {
  rig r;
  r.front.get("/hello", hello).post("/hello", echo);
  r.start();
  auto c = r.connect();
  EXPECT_EQ(r.say_and_hear(c, get("/nothing")).status, 404);
  const auto wrong = r.say_and_hear(c, "DELETE /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_NE(wrong.field("Allow").find("GET"), std::string::npos);
  EXPECT_NE(wrong.field("Allow").find("POST"), std::string::npos);
  const auto asked = r.say_and_hear(c, "OPTIONS /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(asked.status, 204);
  EXPECT_NE(asked.field("Allow").find("HEAD"), std::string::npos);
  EXPECT_EQ(asked.field("Content-Length"), "none");
  EXPECT_EQ(r.say_and_hear(c, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
  EXPECT_EQ(r.say_and_hear(c, get("/hello")).status, 200) << "the connection is still good";
}

TEST(Server, AsksForTheBodyOnlyWhenItIsWanted) {
  rig r;
  r.front.post("/echo", echo);
  r.start();
  auto c = r.connect();
  const std::string head = " HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(r.say_and_hear(c, "POST /echo" + head).status, 100);
  EXPECT_EQ(r.say_and_hear(c, "data").body, "data");
  r.say(c, "POST /nothing" + head);
  const auto all = r.hear_all(c);
  EXPECT_EQ(all.substr(9, 3), "404");
  EXPECT_NE(all.find("Connection: close"), std::string::npos) << "whether the body comes is not known";
}

TEST(Server, AnswersSlowClientsWith408AndIdleOnesWithNothing) {
  rig r({.limits = {.head_time = 10s, .body_time = 30s, .idle_time = 75s}});
  r.front.post("/echo", echo);
  r.start();
  auto idle = r.connect();
  auto slow_head = r.connect();
  auto slow_body = r.connect();
  r.say(slow_head, "GET / HT");
  r.say(slow_body, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nda");
  r.settle();
  r.advance(9s);
  r.say(slow_head, "TP"); // a byte now and then gains nothing
  r.settle();
  EXPECT_EQ(r.front.stats().refused, 0u);
  r.advance(2s);
  EXPECT_EQ(r.hear(slow_head).status, 408);
  r.advance(20s);
  const auto late = r.hear(slow_body);
  EXPECT_EQ(late.status, 408);
  EXPECT_NE(late.body.find("the body did not arrive within 30 s"), std::string::npos);
  EXPECT_EQ(r.front.stats().connections_open, 2u) << "the slow body's lingers, the slow head's did so long enough";
  r.advance(45s);
  EXPECT_EQ(r.hear_all(idle), "");
  EXPECT_EQ(r.front.stats().connections_open, 0u);
  EXPECT_EQ(r.sys.live_timers(), 0u);
}

TEST(Server, CountsTheTimeOfARequestFromItsOwnFirstByte) {
  rig r({.limits = {.head_time = 10s}});
  r.front.get("/people/{name}", show_name);
  r.start();
  auto c = r.connect();
  for (const auto* part : {"\r", "\n"}) { // the empty line before a request is no part of it
    r.say(c, part);
    r.settle();
  }
  r.advance(20s);
  r.say(c, "GET /people/1 HTTP/1.1\r\n");
  r.settle();
  r.advance(9s);
  EXPECT_EQ(r.say_and_hear(c, "Host: here\r\n\r\n").body, "<1>");
}

TEST(Server, ClosesOnAClientThatTakesNothing) {
  rig r({.limits = {.write_time = 30s}});
  r.front.get("/large", [] { return text(std::string(5 << 20, 'a')); });
  r.start();
  auto c = r.connect();
  r.say(c, get("/large"));
  r.settle();
  r.advance(29s);
  EXPECT_EQ(r.front.stats().connections_open, 1u);
  r.advance(2s);
  EXPECT_EQ(r.front.stats().connections_open, 0u);
}

TEST(Server, TurnsAwayConnectionsBeyondItsLimit) {
  rig r({.limits = {.connections = 2}});
  r.front.get("/hello", hello);
  r.start();
  auto one = r.connect();
  auto two = r.connect();
  r.settle();
  auto three = r.connect();
  r.settle();
  const auto all = r.hear_all(three);
  EXPECT_EQ(all.substr(9, 3), "503");
  EXPECT_NE(all.find("2 connections already, its limit"), std::string::npos);
  EXPECT_EQ(r.say_and_hear(one, get("/hello")).status, 200);
  one.leave();
  r.settle();
  EXPECT_EQ(r.ask(get("/hello")).status, 200);
  EXPECT_EQ(r.front.stats().connections_turned_away, 1u);
}

} // namespace
} // namespace greenroom::http::server_test
