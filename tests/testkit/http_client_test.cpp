#include <greenroom/testkit/http_client.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/simulation.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::testkit::http_client_test {
namespace {

using namespace std::chrono_literals;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// -- against the server -----------------------------------------------------------------------------

http::response hello() { return http::text("Hello, World!"); }
http::response nothing_to_say() { return http::response(204); }
http::response echo(http::request r) {
  return http::response(201, std::string(r.header("Content-Type").value_or("none")), r.take_body())
      .header("X-Host", r.host());
}
task<http::response> slow() {
  co_await sleep_for(3s);
  co_return http::text("too late");
}

void check(const result<http_reply>& got, int status, const std::string& body) {
  require(got.has_value(), got ? "" : std::string(got.error().message()));
  require(got->status == status, "status " + std::to_string(got->status));
  require(got->body == body, "body " + got->body);
}

task<> ask_all(std::uint16_t port) {
  http_client c(this_actor::system().net(), {"127.0.0.1", port});
  auto got = co_await c.get("/hello");
  check(got, 200, "Hello, World!");
  require(got->reason == "OK" && got->field("content-TYPE") == "text/plain; charset=utf-8" && got->field("X") == "",
          "reason or fields");
  got = co_await c.send("HEAD", "/hello", {}, {});
  check(got, 200, "");
  require(got->field("Content-Length") == "13", "length of HEAD");
  got = co_await c.get("/nothing");
  check(got, 204, "");
  const std::string long_text(300'000, 'x');
  got = co_await c.post("/echo", long_text, "text/x");
  check(got, 201, long_text);
  require(got->field("Content-Type") == "text/x" && got->field("X-Host").starts_with("127.0.0.1"),
          "fields of POST: " + got->field("X-Host"));
  got = co_await c.post("/echo", "");
  check(got, 201, "");
  got = co_await c.get("/task");
  require(got && got->status == 503, "the slow one");
  got = co_await c.get("/nowhere");
  require(got && got->status == 404, "the missing one");
  require(c.connections() == 1, std::to_string(c.connections()) + " connections");
}

task<> ask_all_and_stop(http::server* front) {
  co_await ask_all(front->port());
  const auto report = co_await front->stopped(10s);
  require(report.complete(), report.to_string());
}

void add_routes(http::server& front) {
  front.get("/hello", hello).get("/nothing", nothing_to_say).post("/echo", echo).get("/task", supervised(2s, slow));
}

TEST(HttpClient, AsksAServerInASimulationOverOneConnection) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    simulation world;
    http::server front(world.system(), {.port = 0});
    add_routes(front);
    ASSERT_TRUE(front.start());
    random_schedule by(seed);
    const auto r = world.run(by, ask_all_and_stop, &front);
    ASSERT_TRUE(r.passed()) << "seed " << seed << ": " << r.why;
  }
}

TEST(HttpClient, AsksAServerOverTcp) {
  actor_system sys(test::quiet(2));
  http::server front(sys, {.port = 0});
  front.get("/hello", hello);
  ASSERT_TRUE(front.start());
  const auto done = sys.run(
      [](std::uint16_t port) -> task<> {
        http_client c(this_actor::system().net(), {"127.0.0.1", port});
        for (int i = 0; i < 3; ++i) {
          const auto got = co_await c.get("/hello");
          check(got, 200, "Hello, World!");
        }
        require(c.connections() == 1, "it did not keep the connection");
      },
      front.port());
  EXPECT_TRUE(done) << done.error().message();
}

// -- against bytes made by hand ----------------------------------------------------------------------

/// What a server of bytes does on one connection for each request that comes: parts of an answer, written one by one. Then it closes.
struct script {
  std::vector<std::vector<std::string>> answers;
  bool stays = false; ///< keeps the connection open until the client leaves
};

/// Waits for the end of a header section, and keeps all that came in `heard`.
task<bool> hear_request(stream* io, std::string* heard) {
  std::string part(4'096, '\0');
  while (heard->find("\r\n\r\n") == std::string::npos) {
    const auto n = co_await io->read_some(std::as_writable_bytes(std::span(part)));
    if (!n || *n == 0) co_return false;
    heard->append(part, 0, *n);
  }
  co_return true;
}

task<> serve_bytes(listener* at, std::vector<script> connections, std::string* all) {
  for (const auto& each : connections) {
    auto io = (co_await at->accept()).value();
    std::string heard;
    for (const auto& parts : each.answers) {
      heard.clear();
      const bool asked = co_await hear_request(io.get(), &heard);
      if (!asked) break;
      *all += heard;
      for (const auto& part : parts) {
        const auto put = co_await io->write_all(std::as_bytes(std::span(part)));
        if (!put) break;
        co_await yield();
      }
    }
    heard.clear();
    if (each.stays) co_await hear_request(io.get(), &heard);
  }
}

struct asked {
  std::string method = "GET";
  std::string body = {};
  duration after = {}; ///< when to ask: in virtual time, so that all others have done what they can
};

/// The answers, as text: "200 body", or the error's sentence.
struct played {
  std::vector<std::string> answers;
  std::vector<errc> codes; // errc{} for an answer
  std::string heard;
  std::uint64_t connections = 0;
};

task<> ask_in_turn(std::vector<script> connections, std::vector<asked> requests, http_client_limits most, played* out) {
  auto& net = this_actor::system().net();
  const auto at = net.listen({"here", 80}).value();
  const auto server = spawn(serve_bytes, at.get(), std::move(connections), &out->heard);
  {
    http_client c(net, {"here", 80}, most);
    for (const auto& each : requests) {
      if (each.after != 0s) co_await sleep_for(each.after);
      const auto got = co_await c.send(each.method, "/x", {}, each.body);
      out->answers.push_back(got ? std::to_string(got->status) + " " + got->body : std::string(got.error().message()));
      out->codes.push_back(got ? errc{} : got.error().code());
    }
    out->connections = c.connections();
  }
  at->close();
  server.cancel();
  co_await server.join();
}

played play(std::vector<script> connections, std::vector<asked> requests = {{}}, http_client_limits most = {},
            std::uint64_t seed = 1) {
  simulation world;
  random_schedule by(seed);
  played out;
  const auto r = world.run(by, ask_in_turn, std::move(connections), std::move(requests), most, &out);
  EXPECT_TRUE(r.passed()) << r.why;
  out.answers.resize(std::max<std::size_t>(out.answers.size(), 1));
  out.codes.resize(std::max<std::size_t>(out.codes.size(), 1));
  return out;
}
/// One answer to one request, on a connection that then ends or stays.
played play_one(const std::string& bytes, bool stays = true, asked request = {}, http_client_limits most = {}) {
  return play({{{{bytes}}, stays}}, {std::move(request)}, most);
}

TEST(HttpClient, ReadsEachKindOfBody) {
  EXPECT_EQ(play_one("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").answers[0], "200 hello");
  EXPECT_EQ(play_one("HTTP/1.1 200 \r\ncontent-length:0\r\n\r\n").answers[0], "200 ");
  EXPECT_EQ(play_one("HTTP/1.1 200 OK\r\n\r\nto the end", false).answers[0], "200 to the end");
  EXPECT_EQ(play_one("HTTP/1.0 200 OK\r\n\r\nold", false).answers[0], "200 old");
  EXPECT_EQ(play_one("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
                     "3;name=\"v\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")
                .answers[0],
            "200 abc0123456789");
  EXPECT_EQ(play_one("HTTP/1.1 204 No Content\r\n\r\n").answers[0], "204 ");
  EXPECT_EQ(play_one("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n").answers[0], "304 ");
  EXPECT_EQ(play_one("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", true, {.method = "HEAD"}).answers[0], "200 ");
  EXPECT_EQ(play_one("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!")
                .answers[0],
            "200 !");
}

TEST(HttpClient, ReadsAnAnswerThatIsSplitAtAnyByte) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x\r\ncde\r\n0\r\nT: "
                              "1\r\n\r\n";
  const std::string sized = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nabcde";
  for (const auto& whole : {chunked, sized}) {
    std::vector<std::string> bytes;
    for (std::size_t i = 1; i < whole.size(); ++i) {
      const auto got = play({{{{whole.substr(0, i), whole.substr(i)}}, true}});
      EXPECT_EQ(got.answers[0], "200 abcde") << "split at " << i;
    }
    for (const char c : whole) bytes.emplace_back(1, c);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      EXPECT_EQ(play({{{bytes}, true}}, {{}}, {}, seed).answers[0], "200 abcde") << "seed " << seed;
    }
  }
}

TEST(HttpClient, AnAnswerThatIsCutOffAnywhereIsAnError) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde";
  for (const auto& whole : {chunked, sized}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const auto got = play_one(whole.substr(0, i), false);
      EXPECT_EQ(got.codes[0], errc::io) << "cut at " << i << ": " << got.answers[0];
      EXPECT_TRUE(got.answers[0].starts_with("cannot GET http://here:80/x: the connection ended ")) << got.answers[0];
    }
  }
  EXPECT_TRUE(has(play_one(sized.substr(0, sized.size() - 2), false).answers[0], "with 2 of 5 bytes missing"));
}

TEST(HttpClient, RefusesWhatIsMalformedAndSaysWhat) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"HTP/1.1 200 OK\r\n", "the status line is malformed: 'HTP/1.1 200 OK'"},
      {"HTTP/2.0 200 OK\r\n", "the status line is malformed"},
      {"HTTP/1.1 20 OK\r\n", "the status line is malformed"},
      {"HTTP/1.1 2000 OK\r\n", "the status line is malformed"},
      {"HTTP/1.1 099 OK\r\n", "the status line is malformed"},
      {"HTTP/1.1 600 OK\r\n", "the status line is malformed"},
      {"HTTP/1.1 200\r\n", "the status line is malformed"},
      {"HTTP/1.1  200 OK\r\n", "the status line is malformed"},
      {"HTTP/1.1 200 O\x01K\r\n", "'HTTP/1.1 200 O\\x01K'"},
      {"\r\n", "the status line is malformed: ''"},
      {"HTTP/1.1 200 OK\n", "a line ends with LF alone"},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "the server switches protocols"},
      {ok + "no colon\r\n", "a header field is malformed: 'no colon'"},
      {ok + "A : b\r\n", "a header field is malformed"},
      {ok + ": b\r\n", "a header field is malformed"},
      {ok + "A: b\r\n folded\r\n", "a header field is malformed: ' folded'"},
      {ok + "A: b\rc\r\n", "a header field is malformed"},
      {ok + "Content-Length: 5x\r\n\r\n", "Content-Length is no number: '5x'"},
      {ok + "Content-Length: -5\r\n\r\n", "Content-Length is no number"},
      {ok + "Content-Length: +5\r\n\r\n", "Content-Length is no number"},
      {ok + "Content-Length:\r\n\r\n", "Content-Length is no number: ''"},
      {ok + "Content-Length: 5, 5\r\n\r\n", "Content-Length is no number"},
      {ok + "Content-Length: 18446744073709551616\r\n\r\n", "Content-Length is no number"},
      {ok + "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", "the field content-length comes twice"},
      {ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "both Content-Length and Transfer-Encoding"},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "an answer of HTTP/1.0 must not"},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "an answer 204 must have neither"},
      {chunked + "\r\n", "a chunk's size is malformed: ''"},
      {chunked + "g\r\n", "a chunk's size is malformed: 'g'"},
      {chunked + "0x5\r\n", "a chunk's size is malformed"},
      {chunked + "-1\r\n", "a chunk's size is malformed"},
      {chunked + " 5\r\n", "a chunk's size is malformed"},
      {chunked + "11111111111111111\r\n", "a chunk's size is malformed"},
      {chunked + "2\nab", "a line ends with LF alone"},
      {chunked + "2\r\nabc\r\n", "no line end follows a chunk, but 'c"},
      {chunked + std::string(2'000, '0'), "a chunk's size line is longer than 1024 bytes"},
      {chunked + "0\r\nno colon\r\n", "a header field is malformed: 'no colon'"},
  };
  for (const auto& [bytes, part] : wrong) {
    const auto got = play_one(bytes);
    EXPECT_EQ(got.codes[0], errc::parse) << bytes;
    EXPECT_TRUE(has(got.answers[0], part)) << got.answers[0] << " is not: " << part;
  }
  const auto coded = play_one(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n");
  EXPECT_EQ(coded.codes[0], errc::unsupported) << coded.answers[0];
}

TEST(HttpClient, RefusesWhatIsTooLarge) {
  const http_client_limits small{.head = 100, .body = 10};
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& head : {std::string(101, 'H'), ok + "A: " + std::string(90, 'b'),
                           "HTTP/1.1 100 Continue\r\n\r\n" + ok + "A: " + std::string(60, 'b') + "\r\n",
                           ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(60, 'b')}) {
    const auto got = play_one(head, true, {}, small);
    EXPECT_EQ(got.codes[0], errc::limit) << got.answers[0];
    EXPECT_TRUE(has(got.answers[0], "the head of the answer is larger than 100 bytes")) << got.answers[0];
  }
  for (const auto& body : {"Content-Length: 11\r\n\r\n", "\r\n01234567890", "Transfer-Encoding: chunked\r\n\r\nb\r\n",
                           "Transfer-Encoding: chunked\r\n\r\n9\r\n012345678\r\nffffffffffffffff\r\n"}) {
    const auto got = play_one(ok + body, true, {}, small);
    EXPECT_EQ(got.codes[0], errc::limit) << body << ": " << got.answers[0];
  }
  EXPECT_EQ(play_one(ok + "Content-Length: 10\r\n\r\n0123456789", true, {}, small).answers[0], "200 0123456789");
}

const std::string one_a = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
const std::string one_b = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb";
const std::string last_b = "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nb";

TEST(HttpClient, ASecondAnswerToOneRequestIsNotTakenForTheNext) {
  const auto together = play({{{{one_a + one_b}}, true}, {{{one_a}}, true}}, {{}, {}});
  EXPECT_EQ(together.codes[0], errc::parse);
  EXPECT_TRUE(has(together.answers[0], "the answer is followed by bytes that nobody asked for: 'HTTP/1.1 200 OK\\x0d"))
      << together.answers[0];
  EXPECT_EQ(together.answers[1], "200 a");
  const asked later{.after = 1s};
  const auto apart = play({{{{one_a, "", "", "", one_b}}, true}, {{{one_a}}, true}}, {{}, later, later});
  EXPECT_EQ(apart.answers[0], "200 a");
  EXPECT_EQ(apart.codes[1], errc::parse);
  EXPECT_TRUE(has(apart.answers[1], "on the idle connection came bytes that nobody asked for")) << apart.answers[1];
  EXPECT_EQ(apart.answers[2], "200 a") << "on a new connection";
}

TEST(HttpClient, KeepsTheConnectionOnlyWhileTheServerDoes) {
  auto got = play({{{{one_a}, {one_b}}, true}}, {{}, {}});
  EXPECT_EQ(got.answers, (std::vector<std::string>{"200 a", "200 b"}));
  EXPECT_EQ(got.connections, 1u);
  EXPECT_EQ(got.heard.substr(0, got.heard.size() / 2), "GET /x HTTP/1.1\r\nHost: here:80\r\n\r\n");
  got = play({{{{last_b}}, true}, {{{one_a}}, true}}, {{}, {}});
  EXPECT_EQ(got.answers, (std::vector<std::string>{"200 b", "200 a"}));
  EXPECT_EQ(got.connections, 2u);
  const std::string old = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\no";
  EXPECT_EQ(play({{{{old}}, true}, {{{one_a}}, true}}, {{}, {}}).connections, 2u);
  const std::string kept = "HTTP/1.0 200 OK\r\nConnection: x, keep-alive\r\nContent-Length: 1\r\n\r\no";
  EXPECT_EQ(play({{{{kept}, {kept}}, true}}, {{}, {}}).connections, 1u);
}

TEST(HttpClient, ReconnectsWhenTheServerHasClosedTheKeptConnection) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) { // closed before the next request is sent, or just after
    const auto got = play({{{{one_a}}, false}, {{{one_b}}, true}}, {{}, {}}, {}, seed);
    EXPECT_EQ(got.answers, (std::vector<std::string>{"200 a", "200 b"})) << "seed " << seed;
    EXPECT_EQ(got.connections, 2u);
  }
}

TEST(HttpClient, SendsAPostTwiceNeverAndAGetOnceMoreAtMost) {
  // The second request is read, then the connection ends without a byte of an answer.
  auto got = play({{{{one_a}, {}}, false}, {{{one_b}}, true}}, {{}, {"POST", "once"}});
  EXPECT_EQ(got.codes[1], errc::io) << got.answers[1];
  EXPECT_TRUE(has(got.answers[1], "cannot POST http://here:80/x: the connection ended before the answer began"));
  EXPECT_EQ(got.heard.find("POST"), got.heard.rfind("POST")) << "it was sent twice";
  got = play({{{{one_a}, {}}, false}, {{{}}, false}}, {{}, {}});
  EXPECT_EQ(got.codes[1], errc::io) << got.answers[1];
  EXPECT_EQ(got.connections, 2u);
}

TEST(HttpClient, ReadsAnAnswerThatComesBeforeTheRequestIsSent) {
  const std::string refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno";
  const auto got = play({{{{refusal}}, true}, {{{one_a}}, true}}, {{"POST", std::string(1'000'000, 'x')}, {}});
  EXPECT_EQ(got.answers[0], "413 no");
  EXPECT_EQ(got.answers[1], "200 a");
  EXPECT_EQ(got.connections, 2u) << "half a request is no beginning for the next";
}

TEST(HttpClient, AServerThatNeverAnswersIsLeftWhenTheTimeIsOver) {
  const auto got = play({{{{"HTTP/1.1 2"}}, true}, {{{one_a}}, true}}, {{}, {}}, {.time = 5s});
  EXPECT_EQ(got.codes[0], errc::timed_out);
  EXPECT_EQ(got.answers[0], "cannot GET http://here:80/x: no complete answer came within 5000 ms");
  EXPECT_EQ(got.answers[1], "200 a");
  EXPECT_EQ(play({{{{one_a}}, true}}, {{}}, {.time = duration::max()}).answers[0], "200 a") << "for ever is no time";
}

TEST(HttpClient, RefusesRequestsThatAreNotWellFormed) {
  simulation world;
  random_schedule by(1);
  const auto r = world.run(by, []() -> task<> {
    http_client c(this_actor::system().net(), {"here", 80});
    const std::vector<http_fields> wrong = {{{"A b", "c"}}, {{"A", "b\r\nC: d"}}, {{"content-length", "5"}}};
    for (const auto& fields : wrong) {
      const auto got = co_await c.send("GET", "/", fields, {});
      require(!got && got.error().is(errc::invalid_argument), "a wrong field was taken");
    }
    for (const auto* method : {"", "G T", "CONNECT", "GET\r\n"}) {
      const auto got = co_await c.send(method, "/", {}, {});
      require(!got && got.error().is(errc::invalid_argument), "a wrong method was taken");
    }
    for (const auto* target : {"", "/a b", "/a\r\nX: y"}) {
      const auto got = co_await c.get(target);
      require(!got && got.error().is(errc::invalid_argument), "a wrong target was taken");
    }
    const auto nobody = co_await c.get("/");
    require(!nobody && nobody.error().is(errc::io), "somebody answered");
    require(nobody.error().message() ==
                "cannot GET http://here:80/: cannot connect: here:80: Connection refused: nobody listens there",
            std::string(nobody.error().message()));
  });
  EXPECT_TRUE(r.passed()) << r.why;
}

} // namespace
} // namespace greenroom::testkit::http_client_test
