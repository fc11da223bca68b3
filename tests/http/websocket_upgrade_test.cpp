#include <greenroom/http/websocket_upgrade.hpp>

#include <optional>
#include <string>
#include <utility>

#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::websocket_upgrade_test {
namespace {

using namespace test;

task<> echo(websocket ws, int* open) {
  struct count {
    int* of;
    explicit count(int* n) : of(n) { ++*of; }
    ~count() { --*of; }
  };
  const count here(open);
  for (;;) {
    auto m = co_await ws.receive();
    if (!m) co_return;
    if (!ws.protocol().empty()) m->data = std::string(ws.protocol()) + ": " + m->data;
    auto sent = co_await ws.send_text(std::move(m->data));
    if (!sent) co_return;
  }
}

struct upgrading : testing::Test {
  upgrading() {
    r.front.get(
        "/echo",
        [](request q, int* n) {
          websocket_options how;
          how.protocols = {"loud"};
          return accept_websocket(q, how, echo, n);
        },
        &open);
    r.start();
  }
  result<websocket> join(websocket_options how = {}) {
    return r.sys.run(
        [](rig* from, websocket_options with) -> task<result<websocket>> {
          auto io = co_await from->net.connect({"127.0.0.1", from->front.port()});
          if (!io) co_return io.error();
          auto shaking = websocket_handshake(*std::move(io), "here", "/echo", std::move(with));
          co_return co_await std::move(shaking);
        },
        &r, std::move(how));
  }
  std::string say(websocket& ws, std::string what) {
    return r.sys
        .run(
            [](websocket* to, std::string words) -> task<std::string> {
              auto sent = co_await to->send_text(std::move(words));
              if (!sent) co_return std::string(sent.error().message());
              auto back = co_await to->receive();
              if (!back) co_return std::string(back.error().message());
              co_return back->data;
            },
            &ws, std::move(what))
        .value();
  }
  int open = 0;
  rig r;
};

using AcceptWebsocket = upgrading;

TEST_F(AcceptWebsocket, MakesTheConnectionAWebsocketOfTheRequestActor) {
  auto ws = join();
  ASSERT_TRUE(ws) << ws.error().message();
  EXPECT_EQ(say(*ws, "hello"), "hello");
  r.advance(29s); // beyond the time limit of a request, if it were one
  EXPECT_EQ(say(*ws, "still there"), "still there");
  r.advance(31s); // a ping, which nobody answers
  r.advance(21s);
  EXPECT_EQ(open, 0);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
}

TEST_F(AcceptWebsocket, AgreesOnAProtocol) {
  websocket_options how;
  how.protocols = {"quiet", "loud"};
  auto ws = join(how);
  ASSERT_TRUE(ws) << ws.error().message();
  EXPECT_EQ(ws->protocol(), "loud");
  EXPECT_EQ(say(*ws, "hello"), "loud: hello");
}

TEST_F(AcceptWebsocket, EndsWithItsClient) {
  {
    auto ws = join();
    ASSERT_TRUE(ws);
    EXPECT_EQ(say(*ws, "hello"), "hello");
    EXPECT_EQ(open, 1);
    EXPECT_EQ(r.front.stats().in_flight, 1u);
  }
  r.settle();
  EXPECT_EQ(open, 0);
  EXPECT_EQ(r.front.stats().in_flight, 0u);
  EXPECT_EQ(r.front.stats().connections_open, 0u);
  EXPECT_EQ(r.front.stats().failed, 0u);
}

TEST_F(AcceptWebsocket, TellsItsClientThatTheServerGoesAway) {
  auto ws = join();
  ASSERT_TRUE(ws);
  EXPECT_EQ(say(*ws, "hello"), "hello");
  server_stop_report report;
  auto stop = r.sys.spawn([](server* s, server_stop_report* to) -> task<> { *to = co_await s->stopped(1h); }, &r.front,
                          &report);
  r.settle();
  EXPECT_TRUE(stop.finished());
  EXPECT_TRUE(report.complete()) << report.to_string();
  EXPECT_EQ(open, 0);
  (void)r.sys.run([](websocket* from) -> task<> { (void)co_await from->receive(); }, &*ws);
  EXPECT_EQ(ws->peer_code(), close_code::going_away);
}

TEST_F(AcceptWebsocket, RefusesWhatIsNoHandshake) {
  const auto plain = r.ask(get("/echo"));
  EXPECT_EQ(plain.status, 426);
  EXPECT_EQ(plain.field("Upgrade"), "websocket");
  EXPECT_EQ(plain.field("Connection"), "Upgrade");
  const std::string shake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(r.ask(get("/echo", shake + "Origin: http://elsewhere\r\n")).status, 403);
  EXPECT_EQ(r.ask(get("/echo", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")).status,
            400);
  EXPECT_EQ(open, 0);
}

} // namespace
} // namespace greenroom::http::websocket_upgrade_test
