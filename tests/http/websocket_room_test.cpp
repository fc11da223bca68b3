// A socket among other things that an actor waits for: its mailbox, cases of its own, and a room whose members talk to each other.
#include <greenroom/http/websocket.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/websocket_rig.hpp>

namespace greenroom::http::websocket_room_test {
namespace {

using namespace test;

// -- receive_or -------------------------------------------------------------------------------------------

task<> listen_to_both(websocket ws, mailbox<std::string> news, journal* seen) {
  for (;;) {
    auto next = co_await ws.receive_or(news);
    if (!next) {
      seen->push_back(shown(next.error(), ws));
      co_return;
    }
    if (next->message) {
      seen->push_back(shown(*next->message));
    } else if (next->item) {
      seen->push_back("news '" + *next->item + "'");
    } else {
      seen->push_back("no more news");
      co_return;
    }
  }
}

TEST(WebsocketRoom, ReceivesFromAMailboxToo) {
  journal seen;
  socket_rig r;
  auto [in, out] = make_mailbox<std::string>(bounded(4));
  const auto who = r.start(listen_to_both, std::move(in), &seen);
  r.put(text_frame("a"));
  EXPECT_TRUE(out.try_send("b"));
  r.settle();
  r.put(frame(fin | ping_op, "p") + text_frame("c") + text_frame("d"));
  EXPECT_EQ(seen, (journal{"text 'a'", "news 'b'", "text 'c'", "text 'd'"}));
  EXPECT_EQ(r.hear(), "pong 'p'");
  out.close();
  r.settle();
  EXPECT_EQ(seen.back(), "no more news");
  EXPECT_EQ(r.hear(), "close 1001 '', end");
}

TEST(WebsocketRoom, SeesThePeersEndBesideAMailbox) {
  journal seen;
  socket_rig r;
  auto [in, out] = make_mailbox<std::string>(rendezvous());
  const auto who = r.start(listen_to_both, std::move(in), &seen);
  EXPECT_TRUE(out.try_send("who waits takes it"));
  r.settle();
  r.put(close_frame(1000));
  EXPECT_EQ(seen, (journal{"news 'who waits takes it'", "closed 1000"}));
  EXPECT_TRUE(out.closed());
}

TEST(WebsocketRoom, KeepsItsTimesBesideAMailbox) {
  journal seen;
  socket_rig r;
  auto [in, out] = make_mailbox<std::string>(bounded(4));
  const auto who = r.start(listen_to_both, std::move(in), &seen);
  for (int i = 0; i < 3; ++i) {
    r.advance(15s);
    EXPECT_TRUE(out.try_send("news"));
    r.settle();
  }
  EXPECT_EQ(r.hear(), "ping ''") << "what comes from the mailbox is no sign of the peer";
  r.advance(5s);
  EXPECT_EQ(seen.back(), "timed_out 1006");
}

TEST(WebsocketRoom, TakesTurnsWhereBothSidesGoOnAndOn) {
  journal seen;
  socket_rig r;
  auto [in, out] = make_mailbox<std::string>(bounded(100));
  std::string flood;
  for (int i = 0; i < 100; ++i) {
    flood += text_frame("m");
    EXPECT_TRUE(out.try_send("n"));
  }
  r.put(flood);
  const auto who = r.start(listen_to_both, std::move(in), &seen);
  ASSERT_EQ(seen.size(), 200u);
  int balance = 0;
  for (std::size_t i = 0; i < 100; ++i) balance += seen[i].starts_with("news") ? 1 : -1;
  EXPECT_EQ(balance, 0);
}

TEST(WebsocketRoom, SeesTheEndOfAMailboxBehindAFlood) {
  journal seen;
  socket_rig r;
  auto [in, out] = make_mailbox<std::string>(bounded(1));
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += text_frame("m");
  r.put(flood);
  out.close();
  const auto who = r.start(listen_to_both, std::move(in), &seen);
  EXPECT_EQ(seen.back(), "no more news");
  EXPECT_LT(seen.size(), 4u);
}

TEST(WebsocketRoom, LosesNothingWhenTheWaitForBothIsCancelled) {
  journal seen;
  socket_rig r;
  auto [in, out] = make_mailbox<std::string>(bounded(4));
  const auto who = r.start(listen_to_both, in, &seen);
  EXPECT_EQ(cancel_in(r.sys, who, "select").kind(), exit_kind::cancelled);
  EXPECT_TRUE(out.try_send("kept"));
  EXPECT_EQ(in.try_receive().value(), "kept");
  EXPECT_EQ(r.hear(), "close 1001 '', end");
}

// -- a select of one's own --------------------------------------------------------------------------------

task<> select_all(websocket ws, mailbox<int> left, mailbox<std::string> right, journal* seen) {
  for (;;) {
    auto m = ws.try_receive();
    if (m) {
      seen->push_back(shown(*m));
    } else if (!m.error().is(errc::empty)) {
      seen->push_back(shown(m.error(), ws));
      co_return;
    }
    const auto input = ws.readable(); // before try_receive() has said empty it wins at once, if more is at hand
    const auto output = ws.writable();
    auto s = co_await select(input, output, at(ws.due()), left.receive(), right.receive());
    if (s.index() == 3) seen->push_back("left " + std::to_string(s.get<3>().value_or(-1)));
    if (s.index() == 4) seen->push_back("right " + s.get<4>().value_or("none"));
  }
}

TEST(WebsocketRoom, IsThreeCasesOfASelect) {
  journal seen;
  socket_rig r(websocket_role::server, 64);
  auto [left, to_left] = make_mailbox<int>(bounded(4));
  auto [right, to_right] = make_mailbox<std::string>(bounded(4));
  const auto who = r.start(select_all, std::move(left), std::move(right), &seen);
  EXPECT_TRUE(to_left.try_send(7));
  r.settle();
  EXPECT_TRUE(to_right.try_send("r"));
  r.settle();
  r.put(text_frame("a") + text_frame("b") + text_frame("c"));
  EXPECT_EQ(seen, (journal{"left 7", "right r", "text 'a'", "text 'b'", "text 'c'"}));
  for (int i = 0; i < 4; ++i) r.put(frame(fin | ping_op, "0123456789012345678901234567890123456789"));
  std::string pongs;
  for (std::string part = r.take(); !part.empty(); part = r.take()) pongs += part;
  EXPECT_EQ(pongs.size(), 4u * 42) << "the rest goes when there is room";
  r.advance(30s);
  EXPECT_EQ(r.hear(), "ping ''");
  r.advance(20s);
  EXPECT_EQ(seen.back(), "timed_out 1006");
}

// -- a room -----------------------------------------------------------------------------------------------

struct entry {
  entry(int who, address<std::string> to) : member(who), news(std::move(to)) {}
  int member;
  address<std::string> news;
};
struct remark {
  remark(int who, std::string words) : member(who), text(std::move(words)) {}
  int member;
  std::string text;
};
struct departure {
  explicit departure(int who) : member(who) {}
  int member;
};
using room_event = std::variant<entry, remark, departure>;

/// Sends each remark to all. It never waits for a member: one that reads too slowly misses old remarks.
task<> room(mailbox<room_event> in) {
  std::map<int, address<std::string>> members;
  while (auto event = co_await in.receive()) {
    if (auto* e = std::get_if<entry>(&*event)) {
      members.emplace(e->member, std::move(e->news));
    } else if (auto* d = std::get_if<departure>(&*event)) {
      members.erase(d->member);
    } else {
      const auto& said = std::get<remark>(*event);
      for (auto& [id, news] : members) (void)news.try_send(std::to_string(said.member) + ": " + said.text);
    }
  }
}

/// One member: what the client says goes to the room, what the room says to the client.
task<> member(websocket ws, int id, address<room_event> to_room) {
  auto [news, to_me] = make_mailbox<std::string>(bounded(8, overflow::drop_oldest));
  room_event event = entry(id, std::move(to_me));
  auto told = co_await to_room.send(std::move(event));
  while (told) {
    auto next = co_await ws.receive_or(news);
    if (!next || (!next->message && !next->item)) break;
    if (next->message) {
      event = remark(id, std::move(next->message->data));
      told = co_await to_room.send(std::move(event));
      continue;
    }
    const auto sent = co_await ws.send_text(*std::move(next->item));
    if (!sent) break;
  }
  event = departure(id);
  told = co_await to_room.send(std::move(event));
}

/// A client that says what comes from its mailbox and notes what it hears.
task<> talk(websocket ws, mailbox<std::string> lines, journal* heard) {
  for (;;) {
    auto next = co_await ws.receive_or(lines);
    if (!next) co_return;
    if (next->message) {
      heard->push_back(next->message->data);
    } else if (next->item) {
      const auto sent = co_await ws.send_text(*std::move(next->item));
      if (!sent) co_return;
    } else {
      const auto closed = co_await ws.close(close_code::normal, "bye");
      heard->push_back(closed ? "closed in order" : "closed");
      co_return;
    }
  }
}

/// Both ends are real: members are servers' sockets, and these are their clients'.
struct two_clients {
  two_clients() {
    auto [in, out] = make_mailbox<room_event>(bounded(16));
    sys.spawn(room, std::move(in));
    door = std::move(out);
    for (int id = 0; id < 2; ++id) join(id);
    settle();
  }
  ~two_clients() { (void)sys.stop(); }

  void join(int id) {
    auto listening = net.listen({"127.0.0.1", 0}).value();
    auto io = sys.run(
                     [](transport* through, std::uint16_t port) {
                       return through->connect({"127.0.0.1", port});
                     },
                     &net, listening->port())
                  .value();
    sys.spawn(member, websocket(listening->try_accept().value(), websocket_role::server), id, door);
    auto [lines, say] = make_mailbox<std::string>(bounded(64));
    to_say[id] = std::move(say);
    clients[id] = sys.spawn(talk, websocket(std::move(io), websocket_role::client), std::move(lines), &heard[id]);
  }
  void settle() { (void)sys.run(greenroom::test::settle); }

  memory_transport net;
  actor_system sys{quiet(1), environment{.net = &net}};
  address<room_event> door;
  std::map<int, address<std::string>> to_say;
  std::map<int, journal> heard;
  std::map<int, actor> clients;
};

TEST(WebsocketRoom, SendsWhatOneClientSaysToAll) {
  two_clients all;
  EXPECT_TRUE(all.to_say[0].try_send("hello"));
  all.settle();
  EXPECT_TRUE(all.to_say[1].try_send("hi"));
  all.settle();
  const journal both{"0: hello", "1: hi"};
  EXPECT_EQ(all.heard[0], both);
  EXPECT_EQ(all.heard[1], both);
  all.to_say[0].close();
  all.settle();
  EXPECT_EQ(all.heard[0].back(), "closed in order");
  EXPECT_TRUE(all.clients[0].finished());
  EXPECT_TRUE(all.to_say[1].try_send("still there?"));
  all.settle();
  EXPECT_EQ(all.heard[1].back(), "1: still there?");
  EXPECT_EQ(all.heard[0].size(), 3u);
}

TEST(WebsocketRoom, DoesNotWaitForAMemberThatDoesNotRead) {
  two_clients all;
  auto listening = all.net.listen({"127.0.0.1", 0}).value();
  auto deaf = all.sys
                  .run(
                      [](transport* through, std::uint16_t port) {
                        return through->connect({"127.0.0.1", port});
                      },
                      &all.net, listening->port())
                  .value();
  all.sys.spawn(member, websocket(listening->try_accept().value(), websocket_role::server), 2, all.door);
  all.settle();
  const std::string line(20'000, 'x');
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(all.to_say[0].try_send(line));
    all.settle();
  }
  EXPECT_EQ(all.heard[1].size(), 40u);
}

} // namespace
} // namespace greenroom::http::websocket_room_test
