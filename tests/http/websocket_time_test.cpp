#include <greenroom/http/websocket.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/internal/websocket_handshake.hpp>
#include <greenroom/tests/http/websocket_rig.hpp>

namespace greenroom::http::websocket_time_test {
namespace {

using namespace test;

// -- signs of life ----------------------------------------------------------------------------------------

TEST(WebsocketTime, PingsAnIdlePeerAndGivesItUpWithoutASignOfLife) {
  for (const auto role : {websocket_role::server, websocket_role::client}) {
    journal seen;
    socket_rig r(role);
    const auto who = r.start(listen_to, &seen);
    r.advance(29'999ms);
    EXPECT_EQ(r.hear(), "");
    r.advance(1ms);
    EXPECT_EQ(r.hear(), "ping ''");
    r.advance(19'999ms);
    EXPECT_TRUE(seen.empty());
    r.advance(1ms);
    EXPECT_EQ(seen, journal{"timed_out 1006"});
    EXPECT_EQ(r.hear(), "end") << "nobody is there to read a close frame";
  }
}

TEST(WebsocketTime, TakesAnyByteForASignOfLife) {
  const websocket_limits most{.message_time = 1h};
  journal seen;
  socket_rig r;
  const auto who = r.start(most, listen_to, &seen);
  const auto pong = frame(fin | pong_op, "");
  const auto message = text_frame("long");
  for (const std::string& sign : {pong, message, message.substr(0, 3), message.substr(3)}) {
    r.advance(29'999ms);
    EXPECT_EQ(r.hear(), "") << "the time counts from the last byte";
    r.advance(1ms);
    EXPECT_EQ(r.hear(), "ping ''");
    r.advance(19'000ms);
    r.put(sign);
  }
  EXPECT_EQ(seen, (journal{"text 'long'", "text 'long'"}));
}

TEST(WebsocketTime, DoesNotPingAPeerThatTalks) {
  journal seen;
  socket_rig r;
  const auto who = r.start(listen_to, &seen);
  for (int i = 0; i < 20; ++i) {
    r.advance(20s);
    r.put(text_frame("a"));
  }
  EXPECT_EQ(r.hear(), "");
  EXPECT_EQ(seen.size(), 20u);
}

task<> ping_once(websocket ws, journal* seen) {
  const auto sent = co_await ws.ping("now");
  seen->push_back(sent ? "sent" : "not sent");
  auto m = co_await ws.receive();
  seen->push_back(m ? "message" : shown(m.error(), ws));
}

TEST(WebsocketTime, HoldsThePeerToThePingsOfTheUserToo) {
  journal seen;
  socket_rig r;
  const auto who = r.start(ping_once, &seen);
  EXPECT_EQ(r.hear(), "ping 'now'");
  r.advance(20s);
  EXPECT_EQ(seen, (journal{"sent", "timed_out 1006"}));
}

// -- slow peers -------------------------------------------------------------------------------------------

TEST(WebsocketTime, GivesAMessageSoLongFromItsFirstByteToItsLast) {
  const websocket_limits most{.ping_after = 1h, .message_time = 10'000ms};
  for (const auto& begin : {frame(text_op, "begun"), std::string("\x81"), head(fin | binary_op, 20, true) + "abc"}) {
    journal seen;
    socket_rig r;
    const auto who = r.start(most, listen_to, &seen);
    r.advance(1min);
    r.put(begin);
    r.advance(9'999ms);
    EXPECT_EQ(r.hear(), "");
    r.advance(1ms);
    EXPECT_EQ(r.hear(), "close 1008 47 bytes, end");
    r.leave();
    EXPECT_EQ(seen, journal{"timed_out 1006"});
  }
}

TEST(WebsocketTime, IsNotFooledByAPeerThatTricklesBytes) {
  const websocket_limits most{.message_time = 10'000ms};
  journal seen;
  socket_rig r;
  const auto who = r.start(most, listen_to, &seen);
  r.put(text_frame("in time"));
  r.put(frame(text_op, ""));
  for (int i = 0; i < 9; ++i) {
    r.advance(1s);
    r.put(frame(cont, "x") + frame(fin | ping_op, ""));
  }
  r.put(frame(fin | cont, "."));
  EXPECT_EQ(seen, (journal{"text 'in time'", "text 'xxxxxxxxx.'"}));
  r.put(frame(text_op, ""));
  for (int i = 0; i < 10; ++i) {
    r.advance(1s);
    r.put(frame(cont, "x"));
  }
  r.leave();
  EXPECT_EQ(seen.back(), "timed_out 1006");
}

task<> work_then_listen(websocket ws, journal* seen) {
  auto m = co_await ws.receive();
  co_await sleep_for(1min); // the user is busy, and does not read
  for (;;) {
    m = co_await ws.receive();
    seen->push_back(m ? shown(*m) : shown(m.error(), ws));
    if (!m) co_return;
  }
}

TEST(WebsocketTime, DoesNotBlameThePeerForAUserThatDoesNotRead) {
  const websocket_limits most{.ping_after = 1h, .message_time = 10'000ms};
  journal seen;
  socket_rig r;
  const auto who = r.start(most, work_then_listen, &seen);
  r.put(text_frame("go") + frame(text_op, "be"));
  r.put(frame(cont, "g"));
  r.advance(1min);
  EXPECT_TRUE(seen.empty()) << "it could not send the rest before";
  r.advance(9s);
  r.put(frame(fin | cont, "un"));
  EXPECT_EQ(seen, journal{"text 'begun'"});
  r.put(frame(text_op, "slow"));
  r.advance(10s);
  r.leave();
  EXPECT_EQ(seen.back(), "timed_out 1006") << "the limit holds again";
}

TEST(WebsocketTime, FindsAPongThatCameWhileTheUserDidNotRead) {
  const websocket_limits most{.ping_after = 1'000ms, .pong_time = 1'000ms};
  journal seen;
  socket_rig r;
  const auto who = r.start(most, work_then_listen, &seen);
  r.advance(1s);
  EXPECT_EQ(r.hear(), "ping ''");
  r.put(text_frame("go") + frame(fin | pong_op, ""));
  r.advance(1min);
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(r.hear(), "ping ''") << "it asks anew";
  r.put(frame(fin | pong_op, ""));
  r.put(text_frame("alive"));
  EXPECT_EQ(seen, journal{"text 'alive'"});
}

task<> send_long(websocket ws, std::size_t bytes, journal* seen) {
  const auto sent = co_await ws.send_binary(std::string(bytes, 'b'));
  seen->push_back(sent ? "sent" : shown(sent.error(), ws));
  auto m = co_await ws.receive();
  seen->push_back(m ? shown(*m) : shown(m.error(), ws));
}

TEST(WebsocketTime, WaitsForASlowReaderAndGivesUpOneThatTakesNothing) {
  journal seen;
  socket_rig r(websocket_role::server, 1'000);
  const auto who = r.start(send_long, 5'000u, &seen);
  std::size_t taken = 0;
  for (int i = 0; i < 4; ++i) { // each byte taken counts
    r.advance(29'999ms);
    EXPECT_TRUE(seen.empty());
    taken += r.take(1).size();
  }
  r.advance(29'999ms);
  EXPECT_TRUE(seen.empty());
  r.advance(1ms);
  EXPECT_EQ(seen, (journal{"timed_out 1006", "timed_out 1006"}));
  EXPECT_EQ(taken, 4u);
  taken += r.take().size();
  EXPECT_EQ(taken, 1'004u) << "what the network held; no close frame within a frame";
  EXPECT_TRUE(r.ended);
}

TEST(WebsocketTime, DeliversAllToASlowReader) {
  journal seen;
  socket_rig r(websocket_role::server, 1'000);
  const auto who = r.start(send_long, 5'000u, &seen);
  frame_teller peer(websocket_role::client);
  for (int i = 0; i < 60; ++i) {
    r.advance(20s);
    peer.feed(r.take(100));
  }
  EXPECT_EQ(peer.told().substr(0, 17), "binary 5000 bytes");
  EXPECT_EQ(seen.front(), "sent");
}

TEST(WebsocketTime, DropsAPeerThatTakesNoAnswersToItsPings) {
  journal seen;
  socket_rig r(websocket_role::server, 64);
  const auto who = r.start(listen_to, &seen);
  for (int i = 0; i < 40; ++i) {
    r.advance(1s);
    if (seen.empty()) r.put(frame(fin | ping_op, "0123456789"));
  }
  ASSERT_FALSE(seen.empty()) << "it sends, but does not read";
  EXPECT_EQ(seen.front(), "timed_out 1006");
}

// -- the client's handshake -------------------------------------------------------------------------------

task<> open_as_client(std::unique_ptr<stream>* io, websocket_options how, journal* seen) {
  auto opening = websocket_handshake(std::move(*io), "here:80", "/chat", std::move(how));
  auto made = co_await std::move(opening);
  seen->push_back(made ? "open '" + std::string(made->protocol()) + "'" : std::string(made.error().message()));
  if (!made) co_return;
  auto m = co_await made->receive();
  seen->push_back(m ? shown(*m) : shown(m.error(), *made));
}

struct client_rig : socket_rig {
  client_rig() : socket_rig(websocket_role::client) {
    how.protocols = {"a"};
    who = sys.spawn(open_as_client, &ours, how, &seen);
    settle();
    asked = take();
    const auto at = asked.find("Sec-WebSocket-Key: ") + 19;
    accept = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
             internal::accept_key(asked.substr(at, 24)) + "\r\nSec-WebSocket-Protocol: a\r\n\r\n";
  }
  ~client_rig() { (void)sys.stop(); }

  websocket_options how;
  journal seen;
  actor who;
  std::string asked;
  std::string accept;
};

TEST(WebsocketClient, OpensHoweverTheAnswerIsSplitAndTakesWhatFollowsIt) {
  const auto length = client_rig().accept.size() + text_frame("hello", false).size();
  for (std::size_t i = 0; i < length; i += 3) {
    client_rig r;
    EXPECT_TRUE(r.asked.starts_with("GET /chat HTTP/1.1\r\nHost: here:80\r\n")) << r.asked;
    const auto bytes = r.accept + text_frame("hello", false);
    r.put(std::string_view(bytes).substr(0, i));
    r.put(std::string_view(bytes).substr(i));
    ASSERT_EQ(r.seen, (journal{"open 'a'", "text 'hello'"})) << "split at " << i;
  }
}

TEST(WebsocketClient, SaysWhyItCouldNotOpen) {
  const auto outcome = [](std::string_view answer, duration wait) {
    client_rig r;
    r.put(answer);
    r.advance(wait);
    if (wait == 0s) r.leave();
    EXPECT_EQ(r.seen.size(), 1u);
    return r.seen.empty() ? "nothing" : r.seen.front();
  };
  EXPECT_EQ(outcome("HTTP/1.1 403 Forbidden\r\n\r\n", 0s), "cannot open a websocket: the server answers 403 Forbidden");
  EXPECT_TRUE(outcome("HTTP/1.1 101", 0s).ends_with(": the server ended the connection"));
  EXPECT_TRUE(outcome("HTTP/1.1 101", 10s).ends_with(": the server has not answered in time"));
  EXPECT_TRUE(outcome("", 10s).ends_with(": the server has not answered in time"));
  EXPECT_TRUE(outcome(std::string(20'000, 'x'), 0s).ends_with(" is longer than the limit of 16384 bytes"));
}

TEST(WebsocketClient, MayBeCancelledWhileItOpens) {
  client_rig r;
  EXPECT_EQ(cancel_in(r.sys, r.who, "io").kind(), exit_kind::cancelled);
  EXPECT_EQ(r.hear(), "end");
}

} // namespace
} // namespace greenroom::http::websocket_time_test
