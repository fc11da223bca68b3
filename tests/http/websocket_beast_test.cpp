// The same bytes through Boost.Beast's WebSocket, in both roles: it takes our handshakes and frames, and we take its.
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <gtest/gtest.h>

#include <greenroom/http/internal/websocket_frames.hpp>
#include <greenroom/http/internal/websocket_handshake.hpp>
#include <greenroom/runtime/random.hpp>
#include <greenroom/tests/http/parser_kit.hpp>
#include <greenroom/tests/http/websocket_kit.hpp>

namespace greenroom::http::beast_test {

namespace net = boost::asio;
namespace beast = boost::beast;

/// A connection of Beast's whose other side is two strings.
class two_strings {
public:
  using executor_type = net::io_context::executor_type;
  explicit two_strings(net::io_context& loop) : loop_(&loop) {}
  executor_type get_executor() const noexcept { return loop_->get_executor(); }

  template <class Buffers>
  std::size_t read_some(const Buffers& into, beast::error_code& why) {
    if (to_beast.empty() && refill) refill();
    if (to_beast.empty()) return why = net::error::eof, 0;
    const auto n = net::buffer_copy(into, net::buffer(to_beast));
    to_beast.erase(0, n);
    why = {};
    return n;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& from, beast::error_code& why) {
    const auto before = from_beast.size();
    const auto n = net::buffer_size(from);
    from_beast.resize(before + n);
    net::buffer_copy(net::buffer(from_beast.data() + before, n), from);
    why = {};
    return n;
  }

  // Beast asks for these two, but does not call them.
  template <class Buffers>
  std::size_t read_some(const Buffers& into) {
    beast::error_code why;
    return read_some(into, why);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& from) {
    beast::error_code why;
    return write_some(from, why);
  }

  std::string to_beast;
  std::string from_beast;
  std::function<void()> refill; // called when Beast wants more than there is

private:
  net::io_context* loop_;
};

void teardown(beast::role_type, two_strings&, beast::error_code& why) { why = {}; }
void beast_close_socket(two_strings&) {}

namespace {

using namespace test;
using internal::frame_kind;
namespace ws = beast::websocket;

/// Beast as the server of our handshake, or as a client that we answer.
struct other_end {
  explicit other_end(websocket_role ours) : me(ours), socket(loop) {
    ours == websocket_role::client ? accept_us() : ask_us();
    socket.binary(true);
    socket.read_message_max(1'048'576);
  }

  void accept_us() {
    websocket_options how;
    const auto key = internal::new_key();
    bytes().to_beast = internal::upgrade_request("there:8080", "/chat", key, how).value();
    beast::error_code why;
    socket.accept(why);
    EXPECT_FALSE(why) << why.message();
    auto answer = std::exchange(bytes().from_beast, {});
    ASSERT_TRUE(answer.ends_with("\r\n\r\n"));
    answer.resize(answer.size() - 4);
    const auto agreed = internal::check_upgrade(answer, key, how);
    EXPECT_TRUE(agreed) << agreed.error().message();
  }
  void ask_us() {
    bytes().refill = [this] {
      const auto asked = internal::test::read_one(std::exchange(bytes().from_beast, {}));
      const auto answer = internal::answer_upgrade(asked, {});
      EXPECT_TRUE(answer.accepted()) << answer.why;
      bytes().to_beast = "HTTP/1.1 101 Switching Protocols\r\n";
      for (const auto& [name, value] : answer.fields) bytes().to_beast += name + ": " + value + "\r\n";
      bytes().to_beast += "\r\n";
    };
    beast::error_code why;
    socket.handshake("there:8080", "/chat", why);
    EXPECT_FALSE(why) << why.message();
    bytes().refill = nullptr;
  }
  two_strings& bytes() { return socket.next_layer(); }

  std::string framed(frame_kind kind, std::string payload) const {
    const auto key = internal::random_mask();
    internal::make_frame(payload, kind, me == websocket_role::client ? &key : nullptr);
    return payload;
  }

  /// What Beast makes of bytes that we send, in the words of frame_teller.
  std::string reads(std::string sent) {
    std::string told;
    const auto note = [&told](std::string_view what, std::string_view of) {
      if (!told.empty()) told += ", ";
      told.append(what).append(" '").append(of).append("'");
    };
    socket.control_callback([&note](ws::frame_type kind, beast::string_view of) {
      if (kind != ws::frame_type::close) note(kind == ws::frame_type::ping ? "ping" : "pong", {of.data(), of.size()});
    });
    bytes().to_beast = std::move(sent);
    for (;;) {
      beast::flat_buffer message;
      beast::error_code why;
      socket.read(message, why);
      if (why == ws::error::closed) {
        const auto code = socket.reason().code == 0 ? close_code::none : socket.reason().code;
        note("close", std::to_string(code) + " " + std::string(socket.reason().reason.c_str()));
        return told;
      }
      if (why == net::error::eof) return told;
      if (why) return told + (told.empty() ? "failed" : ", failed");
      const auto data = message.cdata();
      note(socket.got_text() ? "text" : "binary", {static_cast<const char*>(data.data()), data.size()});
    }
  }

  const websocket_role me;
  net::io_context loop;
  ws::stream<two_strings> socket;
};

/// The same of ours, for frames of the role that we play.
std::string we_read(std::string_view bytes, websocket_role sender) {
  const auto reader = sender == websocket_role::server ? websocket_role::client : websocket_role::server;
  websocket_limits most;
  internal::frame_reader frames(reader, most);
  std::string told;
  const auto note = [&told](std::string_view what, std::string_view of) {
    if (!told.empty()) told += ", ";
    told.append(what).append(" '").append(of).append("'");
  };
  using event = internal::frame_reader::event;
  for (;;) {
    switch (frames.read(bytes)) {
    case event::more: return told;
    case event::message: note(frames.is_text() ? "text" : "binary", frames.take_message()); break;
    case event::ping: note("ping", frames.payload()); break;
    case event::pong: note("pong", frames.payload()); break;
    case event::close: note("close", std::to_string(frames.code()) + " " + std::string(frames.reason())); return told;
    case event::failed: return told + (told.empty() ? "failed" : ", failed");
    }
  }
}

constexpr websocket_role both[] = {websocket_role::server, websocket_role::client};

std::string random_text(xoshiro& random) {
  const std::vector<std::string> parts{"a", "longer words in between ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
  std::string text;
  for (auto n = random.below(30); n > 0; --n) text += parts[random.below(parts.size())];
  return text;
}

TEST(WebsocketBeast, ReadsWhatWeSend) {
  const auto seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  xoshiro random(seed);
  for (const auto role : both) {
    for (int round = 0; round < 100; ++round) {
      other_end there(role);
      std::string sent;
      for (auto n = random.below(8); n > 0; --n) {
        const auto length = random.below(3) == 0 ? random.below(200'000) : random.below(300);
        switch (random.below(3)) {
        case 0: sent += there.framed(frame_kind::text, random_text(random)); break;
        case 1: sent += there.framed(frame_kind::ping, random_text(random).substr(0, 1)); break;
        default: sent += there.framed(frame_kind::binary, std::string(length, static_cast<char>('a' + n))); break;
        }
      }
      sent += there.framed(frame_kind::close, internal::close_payload(3000, "over"));
      const auto ours = we_read(sent, role);
      ASSERT_TRUE(ours.ends_with("close '3000 over'"));
      ASSERT_EQ(there.reads(sent), ours);
    }
  }
}

TEST(WebsocketBeast, SendsWhatWeRead) {
  const auto seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  xoshiro random(seed);
  for (const auto role : both) {
    for (int round = 0; round < 100; ++round) {
      other_end there(role);
      std::string expected;
      const auto expect = [&expected](std::string what, std::string of) {
        expected += what.append(" '").append(of).append("', ");
      };
      const auto theirs = role == websocket_role::server ? websocket_role::client : websocket_role::server;
      for (auto n = random.below(6); n > 0; --n) {
        const auto text = random_text(random);
        const bool is_text = random.below(2) == 0;
        there.socket.text(is_text);
        there.socket.auto_fragment(random.below(2) == 0);
        there.socket.write_buffer_bytes(8 + random.below(64)); // the sizes of its fragments
        there.socket.write(net::buffer(text));
        expect(is_text ? "text" : "binary", text);
        there.socket.ping("p");
        expect("ping", "p");
      }
      there.socket.text(true);
      there.socket.write_some(false, net::buffer(std::string_view("to be ")));
      there.socket.pong("q");
      there.socket.write_some(true, net::buffer(std::string_view("continued")));
      expect("pong", "q");
      expect("text", "to be continued");
      beast::error_code why;
      there.socket.close({ws::close_code::going_away, "leaving"}, why); // and finds no answer
      const auto told = we_read(there.bytes().from_beast, theirs);
      ASSERT_EQ(told, expected + "close '1001 leaving'");
    }
  }
}

/// Frames of a few kinds, sound and not: both must read the same up to a fault, and agree that it is one.
TEST(WebsocketBeast, AgreesOnWhatIsAFault) {
  const auto seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  xoshiro random(seed);
  int failed = 0;
  for (const auto role : both) {
    const bool masked = role == websocket_role::client;
    for (int round = 0; round < 1'500; ++round) {
      std::string sent;
      for (auto n = 1 + random.below(4); n > 0; --n) {
        constexpr unsigned kinds[] = {cont,    text_op, text_op, binary_op,      close_op,
                                      ping_op, pong_op, 3,       0x40 | text_op, 11};
        const auto kind = kinds[random.below(std::size(kinds))];
        const bool is_final = random.below(kind >= 8 ? 8 : 2) != 0;
        auto payload = random.below(3) == 0 ? std::string(random.below(140), 'x') : random_text(random);
        if (random.below(6) == 0 && !payload.empty()) payload.resize(payload.size() - 1); // cuts a character
        if (kind >= 8 && random.below(4) != 0) payload.resize(std::min<std::size_t>(payload.size(), 20));
        if (kind == cont && payload.empty()) payload = "."; // behind half a character Beast takes that for a sound end
        if (kind == close_op) { // Beast takes codes above 4999, and not 1014, which was registered later
          const auto code = random.below(20);
          payload = "\x03" + std::string(1, static_cast<char>(0xe8 + (code == 14 ? 0 : code)));
          payload.resize(random.below(8) != 0 ? 2 : random.below(2));
        }
        constexpr length_form forms[] = {length_form::shortest, length_form::two, length_form::eight};
        const auto form = random.below(10) == 0 ? forms[random.below(3)] : length_form::shortest;
        sent += frame((is_final ? 0x80U : 0U) | kind, payload, masked != (random.below(40) == 0), form);
      }
      other_end there(role);
      const auto ours = we_read(sent, role);
      failed += ours.ends_with("failed");
      ASSERT_EQ(there.reads(sent), ours) << testing::PrintToString(sent);
    }
  }
  EXPECT_GT(failed, 500) << "else it compares little";
}

} // namespace
} // namespace greenroom::http::beast_test
