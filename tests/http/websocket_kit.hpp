// What the tests of WebSockets share: frames as any peer might send them, right or wrong, and what comes of bytes, told in words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/internal/websocket_frames.hpp>

namespace greenroom::http::test {

enum : unsigned { fin = 0x80, cont = 0, text_op = 1, binary_op = 2, close_op = 8, ping_op = 9, pong_op = 10 };

/// How a length is written: as short as it can be, or in that many bytes more.
enum class length_form : std::uint8_t { shortest, none, two, eight };

/// The head of a frame whose payload may be something else. Not made with the code under test.
inline std::string head(unsigned first, std::uint64_t length, bool masked, length_form form = length_form::shortest) {
  if (form == length_form::shortest) {
    form = length < 126 ? length_form::none : length < 65'536 ? length_form::two : length_form::eight;
  }
  std::string h(1, static_cast<char>(first));
  const unsigned mask = masked ? 0x80 : 0;
  const unsigned seven = form == length_form::none  ? static_cast<unsigned>(length)
                         : form == length_form::two ? 126
                                                    : 127;
  h += static_cast<char>(mask | seven);
  const int bytes = form == length_form::none ? 0 : form == length_form::two ? 2 : 8;
  for (int i = bytes - 1; i >= 0; --i) h += static_cast<char>(length >> (8 * i) & 0xff);
  return masked ? h + "\x11\x82\xf3\x04" : h;
}

/// A frame with that first byte; a client's, so masked, unless said otherwise.
inline std::string frame(unsigned first, std::string_view payload, bool masked = true,
                         length_form form = length_form::shortest) {
  constexpr std::array<unsigned char, 4> key{0x11, 0x82, 0xf3, 0x04};
  auto f = head(first, payload.size(), masked, form);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    const auto plain = static_cast<unsigned char>(payload[i]);
    f += static_cast<char>(masked ? plain ^ key[i % 4] : plain);
  }
  return f;
}
inline std::string text_frame(std::string_view payload, bool masked = true) {
  return frame(fin | text_op, payload, masked);
}
inline std::string close_frame(unsigned code, std::string_view reason = "", bool masked = true) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return frame(fin | close_op, payload.append(reason), masked);
}

/// Tells what a reader makes of the bytes that it is fed.
class frame_teller {
public:
  explicit frame_teller(websocket_role me, const websocket_limits& most = {}) : most_(most), reader_(me, most_) {}

  void feed(std::string_view bytes) {
    using event = internal::frame_reader::event;
    for (;;) {
      const auto before = bytes.size();
      const auto what = reader_.read(bytes);
      switch (what) {
      case event::more: EXPECT_TRUE(bytes.empty()) << "it must take all that it can"; return;
      case event::message: note(reader_.is_text() ? "text" : "binary", shown(reader_.take_message())); break;
      case event::ping: note("ping", shown(std::string(reader_.payload()))); break;
      case event::pong: note("pong", shown(std::string(reader_.payload()))); break;
      case event::close:
        note("close", std::to_string(reader_.code()) + " " + shown(std::string(reader_.reason())));
        break;
      case event::failed:
        if (!failed_) note("failed", std::to_string(reader_.fault().code) + " " + reader_.fault().why);
        failed_ = true;
        return;
      }
      ASSERT_LT(bytes.size(), before) << "no progress";
    }
  }
  std::string told() const {
    return failed_ || reader_.between_messages() ? told_ : told_.empty() ? "unfinished" : told_ + ", unfinished";
  }

private:
  void note(std::string_view what, const std::string& of) {
    if (!told_.empty()) told_ += ", ";
    told_.append(what).append(" ").append(of);
  }
  static std::string shown(const std::string& data) {
    return data.size() <= 40 ? "'" + data + "'" : std::to_string(data.size()) + " bytes";
  }

  websocket_limits most_;
  internal::frame_reader reader_;
  std::string told_;
  bool failed_ = false;
};

inline std::string tell(std::string_view bytes, websocket_role me, const websocket_limits& most = {}) {
  frame_teller t(me, most);
  t.feed(bytes);
  return t.told();
}

/// The same, and that it does not depend on how the bytes are split.
inline std::string tell_however_split(std::string_view bytes, websocket_role me = websocket_role::server,
                                      const websocket_limits& most = {}) {
  const auto whole = tell(bytes, me, most);
  frame_teller single(me, most);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    single.feed(bytes.substr(i, 1));
    if (bytes.size() > 2'000) continue; // each split of these would take too long
    frame_teller two(me, most);
    two.feed(bytes.substr(0, i));
    two.feed(bytes.substr(i));
    EXPECT_EQ(two.told(), whole) << "split at " << i;
  }
  EXPECT_EQ(single.told(), whole) << "byte by byte";
  return whole;
}

} // namespace greenroom::http::test
