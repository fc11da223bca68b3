// What the tests of the public WebSocket share: one over a network in memory, in manual time, on one worker, with a peer that speaks bytes.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/websocket.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/http/websocket_kit.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::http::test {

using namespace greenroom::test;

/// What an actor under test has seen, in order; read by the test while all actors wait. Declared before the rig: it outlives the actor.
using journal = std::vector<std::string>;

inline std::string shown(const websocket_message& m) {
  const auto kind = std::string(m.is_text ? "text" : "binary");
  return kind + (m.data.size() <= 40 ? " '" + m.data + "'" : " " + std::to_string(m.data.size()) + " bytes");
}
/// "closed 1000": the code of the error and that of the peer.
inline std::string shown(const error& why, const websocket& ws) {
  return std::string(to_string(why.code())) + " " + std::to_string(ws.peer_code());
}

/// Notes each message, and at last why there are no more.
inline task<> listen_to(websocket ws, journal* seen) {
  for (;;) {
    auto m = co_await ws.receive();
    seen->push_back(m ? shown(*m) : shown(m.error(), ws));
    if (!m) co_return;
  }
}

struct socket_rig {
  explicit socket_rig(websocket_role role = websocket_role::server, std::size_t capacity = 65'536)
      : me(role), net(capacity) {
    connect();
  }

  /// Ends the actors before the peer goes, which they would note.
  ~socket_rig() { (void)sys.stop(); }

  /// A new pair of ends in place of the old one.
  void connect() {
    auto door = net.listen({"127.0.0.1", 0}).value();
    peer = sys.run(
                  [](transport* through, std::uint16_t port) {
                    return through->connect({"127.0.0.1", port});
                  },
                  &net, door->port())
               .value();
    ours = door->try_accept().value();
    ended = false;
  }

  websocket socket(const websocket_limits& limits = {}, std::string input = {}) {
    return websocket(std::move(ours), me, limits, "", std::move(input));
  }
  /// Starts an actor on the socket and lets it run until it waits.
  template <class... Args>
  actor start(const websocket_limits& limits, task<> (*fn)(websocket, Args...), std::type_identity_t<Args>... args) {
    auto who = sys.spawn(fn, socket(limits), std::move(args)...);
    settle();
    return who;
  }
  template <class... Args>
  actor start(task<> (*fn)(websocket, Args...), std::type_identity_t<Args>... args) {
    return start(websocket_limits(), fn, std::move(args)...);
  }

  /// The peer sends, and what is due runs.
  void put(std::string_view bytes) {
    ASSERT_NE(peer, nullptr);
    if (!bytes.empty()) {
      const auto n = peer->try_write(std::as_bytes(std::span(bytes)));
      EXPECT_TRUE(n && *n == bytes.size()) << "the peer cannot send";
    }
    settle();
  }
  /// What the peer has heard since it last listened, up to `most` bytes; `ended` says whether the connection is over.
  std::string take(std::size_t most = SIZE_MAX) {
    std::string all;
    std::array<std::byte, 4'096> part;
    while (all.size() < most) {
      const auto n = peer->try_read(std::span(part).first(std::min(part.size(), most - all.size())));
      if (!n && n.error().is(errc::empty)) break;
      if (!n || *n == 0) {
        ended = true;
        break;
      }
      all.append(reinterpret_cast<const char*>(part.data()), *n);
    }
    settle();
    return all;
  }
  /// The same in words.
  std::string hear() {
    const auto theirs = me == websocket_role::server ? websocket_role::client : websocket_role::server;
    auto told = tell(take(), theirs);
    if (ended) told += told.empty() ? "end" : ", end";
    return told;
  }
  /// A frame as this peer sends it.
  std::string from_peer(unsigned first, std::string_view payload) const {
    return frame(first, payload, me == websocket_role::server);
  }
  void leave() {
    peer.reset();
    settle();
  }
  void settle() { (void)sys.run(greenroom::test::settle); }
  /// Lets time pass, and a little more: timers may be late by 65 us.
  void advance(duration by) {
    time.advance(by + 100us);
    settle();
  }

  const websocket_role me;
  manual_clock time;
  memory_transport net;
  actor_system sys{quiet(1), environment{.time = &time, .net = &net}};
  std::unique_ptr<stream> ours;
  std::unique_ptr<stream> peer;
  bool ended = false;
};

} // namespace greenroom::http::test
