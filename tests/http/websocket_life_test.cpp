#include <greenroom/http/websocket.hpp>

#include <array>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/websocket_rig.hpp>

namespace greenroom::http::websocket_life_test {
namespace {

using namespace test;

// -- the end of its actor ---------------------------------------------------------------------------------

task<> leave_at_once(websocket) { co_return; }
task<> fail_at_once(websocket) {
  co_await yield();
  throw std::runtime_error("a fault of the user's code");
}

TEST(WebsocketLife, SaysThatItGoesAwayWheneverNobodyHasClosedIt) {
  for (const auto role : {websocket_role::server, websocket_role::client}) {
    socket_rig r(role);
    (void)r.start(leave_at_once);
    EXPECT_EQ(r.hear(), "close 1001 '', end");
    r.connect();
    (void)r.start(fail_at_once);
    EXPECT_EQ(r.hear(), "close 1001 '', end");
    for (const bool kill : {false, true}) {
      r.connect();
      journal seen;
      const auto who = r.start(listen_to, &seen);
      kill ? who.kill() : who.cancel();
      r.settle();
      EXPECT_EQ(r.hear(), "close 1001 '', end") << kill;
      EXPECT_TRUE(who.finished());
    }
  }
}

TEST(WebsocketLife, SaysItThoughInputWasLeftUnread) {
  socket_rig r;
  r.put(text_frame("never read"));
  (void)r.start(leave_at_once);
  EXPECT_EQ(r.hear(), "close 1001 '', end") << "closing on unread input would reset the connection";
}

TEST(WebsocketLife, SaysNothingOutsideAnActorOrWhenThereIsNoRoom) {
  socket_rig r;
  { const auto unused = r.socket(); }
  EXPECT_EQ(r.hear(), "end");
  { const websocket none; }
  socket_rig full(websocket_role::server, 1);
  (void)full.start(leave_at_once);
  EXPECT_EQ(full.take(), "\x88") << "nothing follows that it could be taken for";
  EXPECT_TRUE(full.ended);
}

task<> send_bytes(websocket ws, std::size_t bytes, journal* seen) {
  const auto sent = co_await ws.send_binary(std::string(bytes, 'b'));
  seen->push_back(sent ? "sent" : shown(sent.error(), ws));
}

TEST(WebsocketLife, PutsNoCloseFrameIntoAFrameThatIsHalfSent) {
  for (const bool kill : {false, true}) {
    journal seen;
    socket_rig r(websocket_role::server, 1'000);
    const auto who = r.start(send_bytes, 3'000u, &seen);
    kill ? who.kill() : who.cancel();
    r.settle();
    EXPECT_TRUE(who.finished());
    EXPECT_EQ(r.take(), head(fin | binary_op, 3'000, false) + std::string(996, 'b'));
    EXPECT_TRUE(r.ended);
    EXPECT_TRUE(seen.empty());
  }
}

TEST(WebsocketLife, FinishesTheFrameBeforeItsLastOneWhereThereIsRoom) {
  journal seen;
  socket_rig r(websocket_role::server, 1'000);
  const auto who = r.start(send_bytes, 1'500u, &seen);
  (void)r.peer->try_read(std::as_writable_bytes(std::span(*std::make_unique<std::array<char, 1'000>>())));
  who.cancel(); // before it sees the room
  r.settle();
  EXPECT_EQ(r.take(), std::string(504, 'b') + close_frame(1001, "", false));
}

// -- cancellation -----------------------------------------------------------------------------------------

/// What a part of an actor does with a socket that belongs to the whole.
using step = task<> (*)(websocket*, journal*);

/// Runs the part for a second, then goes on with the socket.
task<> interrupt(websocket ws, step what, journal* seen) {
  const auto done = co_await with_timeout(1s, what(&ws, seen));
  seen->push_back(done ? "done" : std::string(to_string(done.error().code())));
  const auto sent = co_await ws.send_text("next");
  seen->push_back(sent ? "sent" : shown(sent.error(), ws));
  auto m = co_await ws.receive();
  seen->push_back(m ? shown(*m) : shown(m.error(), ws));
}

task<> receive_part(websocket* ws, journal* seen) {
  auto m = co_await ws->receive();
  seen->push_back(m ? shown(*m) : shown(m.error(), *ws));
}
task<> send_part(websocket* ws, journal* seen) {
  const auto sent = co_await ws->send_text(std::string(1'500, 't'));
  seen->push_back(sent ? "long sent" : shown(sent.error(), *ws));
}
task<> close_part(websocket* ws, journal* seen) {
  const auto closed = co_await ws->close(1000, "cut");
  seen->push_back(closed ? "closed" : shown(closed.error(), *ws));
}

TEST(WebsocketLife, GoesOnBehindACancelledReceiveAndLosesNothing) {
  journal seen;
  socket_rig r;
  const auto who = r.start(interrupt, receive_part, &seen);
  const auto bytes = text_frame("half and half");
  r.put(bytes.substr(0, 10));
  r.advance(1s);
  EXPECT_EQ(seen, (journal{"timed_out", "sent"}));
  EXPECT_EQ(r.hear(), "text 'next'");
  r.put(bytes.substr(10));
  EXPECT_EQ(seen.back(), "text 'half and half'");
}

TEST(WebsocketLife, FinishesTheFrameOfACancelledSendBeforeTheNext) {
  journal seen;
  socket_rig r(websocket_role::server, 1'000);
  const auto who = r.start(interrupt, send_part, &seen);
  r.advance(1s);
  EXPECT_EQ(seen, journal{"timed_out"}) << "the next one waits for room";
  frame_teller peer(websocket_role::client);
  while (peer.told().find("next") == std::string::npos) {
    const auto part = r.take();
    ASSERT_FALSE(part.empty());
    peer.feed(part);
  }
  EXPECT_EQ(peer.told(), "text 1500 bytes, text 'next'");
  EXPECT_EQ(seen, (journal{"timed_out", "sent"}));
}

task<> send_twice(websocket* ws, journal* seen) {
  auto first = with_timeout(500ms, send_part(ws, seen));
  const auto done = co_await std::move(first);
  seen->push_back(done ? "done" : "first cut");
  const auto sent = co_await ws->send_text("second");
  seen->push_back(sent ? "second sent" : "second not sent");
}

TEST(WebsocketLife, DoesNotBeginAMessageWhoseSendWasCancelledBehindAnother) {
  journal seen;
  socket_rig r(websocket_role::server, 1'000);
  const auto who = r.start(interrupt, send_twice, &seen);
  r.advance(500ms);
  r.advance(500ms);
  EXPECT_EQ(seen, (journal{"first cut", "timed_out"}));
  frame_teller peer(websocket_role::client);
  for (std::string part = r.take(); !part.empty(); part = r.take()) peer.feed(part);
  EXPECT_EQ(peer.told(), "text 1500 bytes, text 'next'");
}

TEST(WebsocketLife, IsClosedBehindACancelledClose) {
  journal seen;
  socket_rig r;
  const auto who = r.start(interrupt, close_part, &seen);
  r.advance(1s);
  EXPECT_EQ(seen, (journal{"timed_out", "closed 1006"}));
  EXPECT_EQ(r.hear(), "close 1000 'cut'") << "one close frame, and nothing behind it";
  r.put(text_frame("dropped") + close_frame(1000));
  EXPECT_EQ(seen.back(), "closed 1000");
  EXPECT_EQ(r.hear(), "end");
}

TEST(WebsocketLife, SendsOneCloseFrameWhenItsActorIsCancelledWhileItCloses) {
  journal seen;
  socket_rig r;
  const auto who = r.start(interrupt, close_part, &seen);
  who.cancel();
  r.settle();
  EXPECT_EQ(r.hear(), "close 1000 'cut', end");
}

task<> lingering_part(websocket* ws, journal* seen) {
  for (;;) {
    auto m = co_await ws->receive();
    if (!m) seen->push_back(shown(m.error(), *ws));
    if (!m) co_return;
  }
}

TEST(WebsocketLife, MayBeCancelledWhileThePeerReadsItsFault) {
  journal seen;
  socket_rig r;
  const auto who = r.start(interrupt, lingering_part, &seen);
  r.put(frame(fin | cont, ""));
  r.advance(1s);
  EXPECT_EQ(seen, (journal{"timed_out", "parse 1006"}));
  r.advance(4s);
  EXPECT_EQ(seen.back(), "parse 1006");
  EXPECT_TRUE(who.finished());
}

TEST(WebsocketLife, EndsWithItsSystem) {
  journal seen;
  socket_rig r;
  const auto who = r.start(listen_to, &seen);
  EXPECT_TRUE(r.sys.stop(1s).complete());
  EXPECT_EQ(who.wait().kind(), exit_kind::cancelled);
  std::array<std::byte, 64> part;
  const auto n = r.peer->try_read(part);
  ASSERT_TRUE(n);
  EXPECT_EQ(tell({reinterpret_cast<const char*>(part.data()), *n}, websocket_role::client), "close 1001 ''");
}

} // namespace
} // namespace greenroom::http::websocket_life_test
