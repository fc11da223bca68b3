#include <greenroom/http/websocket.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/websocket_rig.hpp>

namespace greenroom::http::websocket_test {
namespace {

using namespace test;

// -- messages ---------------------------------------------------------------------------------------------

TEST(Websocket, ReceivesMessagesHoweverTheirBytesAreSplit) {
  const auto bytes = text_frame("one") + frame(text_op, "tw") + frame(fin | ping_op, "p") + frame(fin | cont, "o") +
                     frame(fin | binary_op, std::string(300, 'x')) + close_frame(1000, "bye");
  socket_rig r;
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    if (i != 0) r.connect();
    journal seen;
    const auto who = r.start(listen_to, &seen);
    r.put(std::string_view(bytes).substr(0, i));
    r.put(std::string_view(bytes).substr(i));
    ASSERT_EQ(seen, (journal{"text 'one'", "text 'two'", "binary 300 bytes", "closed 1000"})) << "split at " << i;
    ASSERT_EQ(r.hear(), "pong 'p', close 1000 '', end") << "split at " << i;
    ASSERT_TRUE(who.finished());
  }
}

TEST(Websocket, TakesWhatCameBehindTheHandshakeFirst) {
  journal seen;
  socket_rig r;
  const auto bytes = text_frame("early") + text_frame("cut");
  const auto who = r.sys.spawn(listen_to, r.socket({}, bytes.substr(0, bytes.size() - 1)), &seen);
  r.settle();
  EXPECT_EQ(seen, (journal{"text 'early'"}));
  r.put(bytes.substr(bytes.size() - 1));
  EXPECT_EQ(seen, (journal{"text 'early'", "text 'cut'"}));
}

task<> send_some(websocket ws, journal* seen) {
  auto sent = co_await ws.send_text("h\xc3\xa9llo");
  seen->push_back(sent ? "sent" : std::string(sent.error().message()));
  sent = co_await ws.send_binary(std::string("\0\xff", 2));
  sent = co_await ws.send_text("");
  sent = co_await ws.send_binary(std::string(70'000, 'b'));
  seen->push_back(sent ? "sent" : std::string(sent.error().message()));
  sent = co_await ws.ping("there?");
  sent = co_await ws.send_text("\xff");
  seen->push_back(std::string(sent.error().message()));
  sent = co_await ws.ping(std::string(126, 'p'));
  seen->push_back(std::string(sent.error().message()));
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2000, 5000}) {
    auto closed = co_await ws.close(static_cast<std::uint16_t>(code));
    if (closed || !closed.error().is(errc::invalid_argument)) seen->push_back("closed with " + std::to_string(code));
  }
  auto closed = co_await ws.close(1000, "\xe2\x82");
  seen->push_back(std::string(closed.error().message()));
  seen->push_back(ws.is_open() ? "open" : "not open");
}

TEST(Websocket, SendsEachMessageInOneFrameAndRefusesWhatMayNotBeSent) {
  for (const auto role : {websocket_role::server, websocket_role::client}) {
    journal seen;
    socket_rig r(role);
    const auto who = r.start(send_some, &seen);
    frame_teller peer(role == websocket_role::server ? websocket_role::client : websocket_role::server);
    while (!r.ended) peer.feed(r.take()); // the long one takes two turns
    EXPECT_EQ(peer.told(), "text 'h\xc3\xa9llo', binary '" + std::string("\0\xff", 2) +
                               "', text '', binary 70000 bytes, ping 'there?', close 1001 ''");
    EXPECT_EQ(seen, (journal{"sent", "sent", "a text for a websocket is not UTF-8: send it as binary",
                             "the payload of a websocket's ping must have at most 125 bytes",
                             "the reason for closing a websocket is not UTF-8", "open"}));
  }
}

TEST(Websocket, AnswersEachPingInOrderAndLetsPongsBe) {
  journal seen;
  socket_rig r;
  const auto who = r.start(listen_to, &seen);
  r.put(frame(fin | pong_op, "unasked") + frame(fin | ping_op, "a") + frame(fin | ping_op, "") +
        frame(fin | ping_op, std::string(125, 'c')));
  EXPECT_EQ(r.hear(), "pong 'a', pong '', pong 125 bytes");
  EXPECT_TRUE(seen.empty());
}

TEST(Websocket, HoldsFewPongsForAPeerThatTakesNoneAndSendsTheNewest) {
  journal seen;
  socket_rig r(websocket_role::server, 4'096);
  const auto who = r.start(listen_to, &seen);
  for (int i = 0; i < 2'000; ++i) r.put(frame(fin | ping_op, "number " + std::to_string(i)));
  std::string heard;
  for (std::string part = r.take(); !part.empty(); part = r.take()) heard += part;
  const auto told = tell(heard, websocket_role::client);
  EXPECT_LT(heard.size(), 3u * 4'096) << "what the network holds, and what the socket does";
  EXPECT_TRUE(told.starts_with("pong 'number 0', pong 'number 1', ")) << told;
  EXPECT_TRUE(told.ends_with("pong 'number 1999'")) << told.substr(told.size() - 60);
}

// -- the close handshake ----------------------------------------------------------------------------------

struct close_row {
  std::string bytes;
  std::string seen;
  std::string heard;
};

TEST(Websocket, AnswersAClosingWithItsCodeAndEndsTheConnectionAsServer) {
  const std::vector<close_row> table{
      {close_frame(1000, "done"), "closed 1000", "close 1000 '', end"},
      {close_frame(1001), "closed 1001", "close 1001 '', end"},
      {close_frame(4321, "own"), "closed 4321", "close 4321 '', end"},
      {frame(fin | close_op, ""), "closed 1005", "close 1005 '', end"},
      {close_frame(1000) + text_frame("late"), "closed 1000", "close 1000 '', end"},
      {close_frame(1000) + close_frame(1001), "closed 1000", "close 1000 '', end"},
      {close_frame(1000) + frame(fin | ping_op, ""), "closed 1000", "close 1000 '', end"},
      {frame(text_op, "half") + close_frame(1000), "closed 1000", "close 1000 '', end"}};
  for (const auto& row : table) {
    journal seen;
    socket_rig r;
    const auto who = r.start(listen_to, &seen);
    r.put(row.bytes);
    EXPECT_EQ(seen, journal{row.seen});
    EXPECT_EQ(r.hear(), row.heard) << row.seen;
    EXPECT_TRUE(who.finished());
  }
}

TEST(Websocket, LetsTheServerEndTheConnectionAsClient) {
  journal seen;
  socket_rig r(websocket_role::client);
  const auto who = r.start(listen_to, &seen);
  r.put(close_frame(1000, "", false));
  EXPECT_EQ(r.hear(), "close 1000 '', end") << "it sends no more";
  EXPECT_TRUE(seen.empty()) << "but waits for the server's end";
  r.peer->shutdown_send();
  r.settle();
  EXPECT_EQ(seen, journal{"closed 1000"});

  r.connect();
  journal again;
  const auto other = r.start(listen_to, &again);
  r.put(close_frame(1000, "", false));
  r.advance(4'999ms);
  EXPECT_TRUE(again.empty());
  r.advance(1ms);
  EXPECT_EQ(again, journal{"closed 1000"}) << "for close_time at most";
}

task<> close_with(websocket ws, std::string reason, journal* seen) {
  const auto closed = co_await ws.close(4000, std::move(reason));
  seen->push_back(closed ? "in order " + std::to_string(ws.peer_code()) : shown(closed.error(), ws));
  auto m = co_await ws.receive();
  seen->push_back(m ? "message" : std::string(to_string(m.error().code())));
  const auto sent = co_await ws.send_text("late");
  seen->push_back(sent ? "sent" : std::string(to_string(sent.error().code())));
  const auto again = co_await ws.close();
  seen->push_back(again ? "in order" : std::string(to_string(again.error().code())));
}

TEST(Websocket, ClosesInOrderWhenThePeerAnswers) {
  journal seen;
  socket_rig r;
  const auto who = r.start(close_with, "enough", &seen);
  EXPECT_EQ(r.hear(), "close 4000 'enough'");
  r.put(text_frame("under way") + frame(fin | ping_op, "") + frame(text_op, "half"));
  EXPECT_TRUE(seen.empty()) << "what comes in between is dropped";
  r.put(close_frame(4000));
  EXPECT_EQ(seen, (journal{"in order 4000", "closed", "closed", "in order"}));
  EXPECT_EQ(r.hear(), "end");
}

TEST(Websocket, TakesAClosingOfThePeerAtTheSameTimeForItsAnswer) {
  journal seen;
  socket_rig r;
  r.put(close_frame(1001));
  const auto who = r.start(close_with, "", &seen);
  EXPECT_EQ(seen.front(), "in order 1001");
  EXPECT_EQ(r.hear(), "close 4000 '', end") << "one close frame, not two";
}

TEST(Websocket, ClosesAllTheSameWhenThePeerDoesNotAnswer) {
  journal seen;
  socket_rig r;
  const auto who = r.start(close_with, "", &seen);
  r.advance(4'000ms);
  r.put(text_frame("still here"));
  r.advance(999ms);
  EXPECT_TRUE(seen.empty());
  r.advance(1ms);
  EXPECT_EQ(seen, (journal{"timed_out 1006", "timed_out", "timed_out", "timed_out"}));
  EXPECT_EQ(r.hear(), "close 4000 '', end");

  r.connect();
  journal ended;
  const auto other = r.start(close_with, "", &ended);
  r.leave();
  EXPECT_EQ(ended.front(), "io 1006");
}

TEST(Websocket, AsClientWaitsForTheServersEndBehindItsAnswer) {
  journal seen;
  socket_rig r(websocket_role::client);
  const auto who = r.start(close_with, "bye", &seen);
  r.put(close_frame(4000, "", false));
  EXPECT_EQ(r.hear(), "close 4000 'bye', end");
  EXPECT_TRUE(seen.empty());
  r.peer->shutdown_send();
  r.settle();
  EXPECT_EQ(seen.front(), "in order 4000");
}

// -- faults -----------------------------------------------------------------------------------------------

struct fault_row {
  std::string bytes;
  errc code;
  std::string heard;
};

TEST(Websocket, TellsThePeerItsFaultAndGivesItAsAnError) {
  const websocket_limits most{.message = 100, .frame = 80};
  const std::vector<fault_row> table{
      {text_frame("a", false), errc::parse, "close 1002 'the client has not masked a frame', end"},
      {frame(fin | 0x40 | text_op, "a"), errc::parse, "close 1002 62 bytes, end"},
      {frame(fin | 3, "a"), errc::parse, "close 1002 'a frame has the reserved opcode 3', end"},
      {frame(ping_op, ""), errc::parse, "close 1002 'a close, ping or pong comes in fragments', end"},
      {frame(fin | cont, ""), errc::parse, "close 1002 47 bytes, end"},
      {close_frame(1005), errc::parse, "close 1002 52 bytes, end"},
      {close_frame(1000, "\xff"), errc::parse, "close 1007 'the reason in a close frame is not UTF-8', end"},
      {text_frame("\xff"), errc::parse, "close 1007 'a text message is not UTF-8', end"},
      {frame(fin | text_op, std::string(81, 'a')), errc::limit, "close 1009 50 bytes, end"},
      {frame(text_op, std::string(80, 'a')) + frame(cont, std::string(21, 'a')), errc::limit,
       "close 1009 47 bytes, end"}};
  for (const auto& row : table) {
    journal seen;
    socket_rig r;
    const auto who = r.start(most, listen_to, &seen);
    r.put(text_frame("fine") + row.bytes + text_frame("never heard"));
    EXPECT_EQ(seen, journal{"text 'fine'"}) << "the peer has yet to read why";
    EXPECT_EQ(r.hear(), row.heard) << row.heard;
    r.put("more that is not read");
    r.leave();
    EXPECT_EQ(seen, (journal{"text 'fine'", std::string(to_string(row.code)) + " 1006"})) << row.heard;
  }
}

TEST(Websocket, WaitsOnlySoLongForAPeerToReadItsFault) {
  journal seen;
  socket_rig r;
  const auto who = r.start(listen_to, &seen);
  r.put(frame(fin | cont, ""));
  r.advance(4'999ms);
  EXPECT_TRUE(seen.empty());
  r.advance(1ms);
  EXPECT_EQ(seen, journal{"parse 1006"});
  EXPECT_TRUE(who.finished());
}

TEST(Websocket, ReadsOnlySoMuchBehindAFault) {
  journal seen;
  socket_rig r;
  const auto who = r.start(listen_to, &seen);
  r.put(frame(fin | cont, ""));
  int rounds = 0;
  for (; seen.empty() && rounds < 100; ++rounds) r.put(std::string(65'536, 'x'));
  EXPECT_EQ(seen, journal{"parse 1006"});
  EXPECT_EQ(rounds, 17) << "1 MiB and one more";
}

task<> receive_thrice(websocket ws, journal* seen) {
  for (int i = 0; i < 3; ++i) {
    auto m = co_await ws.receive();
    seen->push_back(m ? "message" : std::string(m.error().message()));
  }
  auto now = ws.try_receive();
  seen->push_back(now ? "message" : std::string(now.error().message()));
  const auto closed = co_await ws.close();
  seen->push_back(closed ? "in order" : std::string(closed.error().message()));
}

TEST(Websocket, GivesItsFirstErrorAgainAndAgain) {
  journal seen;
  socket_rig r;
  const auto who = r.start(receive_thrice, &seen);
  r.leave();
  const auto& why = seen.front();
  EXPECT_TRUE(why.starts_with("the websocket has failed: memory:")) << why;
  EXPECT_TRUE(why.ends_with(": the connection ended without a close frame")) << why;
  EXPECT_EQ(seen, journal(5, why));
}

TEST(Websocket, EndsWithIoWhenTheConnectionBreaks) {
  journal seen;
  socket_rig r;
  const auto who = r.start(listen_to, &seen);
  r.put(text_frame("a") + frame(text_op, "b"));
  memory_transport::reset(*r.peer);
  r.settle();
  EXPECT_EQ(seen, (journal{"text 'a'", "io 1006"}));
}

task<> read_reason(websocket ws, journal* seen) {
  auto m = co_await ws.receive();
  seen->push_back(std::string(m.error().message()));
  seen->push_back(std::string(ws.peer_reason()));
}

TEST(Websocket, KeepsThePeersWordsOutOfItsOwnSentences) {
  journal seen;
  socket_rig r;
  const auto who = r.start(read_reason, &seen);
  r.put(close_frame(4100, "line\nline"));
  EXPECT_TRUE(seen.front().ends_with(": the peer has closed it with code 4100")) << seen.front();
  EXPECT_EQ(seen.back(), "line\nline");
}

TEST(Websocket, IsNotMadeWithALimitThatCannotBe) {
  socket_rig r;
  EXPECT_THROW((void)r.socket({.fragments = 0}), usage_error);
}

// -- real sockets -----------------------------------------------------------------------------------------

task<> echo_one(listener* door) {
  auto io = co_await door->accept();
  websocket ws(std::move(io).value(), websocket_role::server);
  for (;;) {
    auto m = co_await ws.receive();
    if (!m) co_return;
    const auto sent = co_await ws.send_binary(std::move(m->data));
    if (!sent) co_return;
  }
}

task<bool> talk_to_echo(std::uint16_t port) {
  auto connecting = this_actor::system().net().connect({"127.0.0.1", port});
  auto io = co_await std::move(connecting);
  websocket ws(std::move(io).value(), websocket_role::client);
  for (const std::size_t n : {0u, 1u, 125u, 126u, 70'000u, 1'048'576u}) {
    const std::string data(n, 'x');
    const auto sent = co_await ws.send_binary(data);
    auto back = co_await ws.receive();
    if (!sent || !back || back->data != data) co_return false;
  }
  const auto closed = co_await ws.close();
  co_return closed.has_value();
}

TEST(Websocket, CarriesMessagesOverTcp) {
  actor_system sys(quiet(2));
  auto door = sys.net().listen({"127.0.0.1", 0}).value();
  const auto server = sys.spawn(echo_one, door.get());
  EXPECT_TRUE(sys.run(talk_to_echo, door->port()).value());
  EXPECT_TRUE(server.wait().normal());
}

/// All of the message is there before it is asked for, and is as long as what is read at once.
task<std::size_t> receive_what_was_sent(transport* net, listener* door) {
  auto out = co_await net->connect({"127.0.0.1", door->port()});
  auto in = co_await door->accept();
  websocket client(std::move(out).value(), websocket_role::client);
  websocket server(std::move(in).value(), websocket_role::server);
  std::size_t got = 0;
  for (const std::size_t n : {65'536u - 14u, 524'288u - 14u, 1'048'576u - 14u, 1'048'576u}) {
    const auto sent = co_await client.send_binary(std::string(n, 'x'));
    auto m = co_await server.receive();
    got += sent && m ? m->data.size() : 0;
  }
  co_return got;
}

TEST(Websocket, GivesAMessageThatTheLastReadOfATryHasCompleted) {
  memory_transport net(4'194'304);
  actor_system sys(quiet(1), environment{.net = &net});
  auto door = net.listen({"127.0.0.1", 0}).value();
  auto limited = sys.run([](transport* n, listener* d) { return with_timeout(5s, receive_what_was_sent(n, d)); }, &net,
                         door.get());
  ASSERT_TRUE(limited) << "it waits for what is there";
  EXPECT_EQ(*limited, 2'686'976u - 42);
}

} // namespace
} // namespace greenroom::http::websocket_test
