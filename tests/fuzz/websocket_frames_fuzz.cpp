// WebSocket frames: what comes of them does not depend on how their bytes are split, and is what a slow reader makes of them, to the code of a
// refusal; and a text that is put into a frame comes back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/http/internal/utf8.hpp>
#include <greenroom/http/internal/websocket_frames.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using event = frame_reader::event;

websocket_limits chosen(unsigned n) {
  websocket_limits most;
  if ((n & 1) != 0) most.message = 40;
  if ((n & 2) != 0) most.frame = 16;
  if ((n & 4) != 0) most.fragments = 2;
  return most;
}

std::string told_close(std::uint16_t code, std::string_view reason) {
  return fmt::format("close {} {}\n", code, reason);
}

/// A reader and what it makes of the bytes that it is fed.
class reading {
public:
  reading(websocket_role me, const websocket_limits& most) : most_(most), reader_(me, most) {}

  void feed(std::string_view bytes) {
    fed_ += bytes.size();
    for (;;) {
      const auto before = bytes.size();
      const auto now = reader_.read(bytes);
      require(bytes.size() <= before, "a reader takes no more than there is");
      if (now == event::more) return require(bytes.empty(), "all is taken before more is asked for");
      if (now == event::failed) return note_fault();
      require(bytes.size() < before, "an event takes bytes");
      note(now);
    }
  }
  std::string told() const {
    return events_ + (fault_.empty() && reader_.between_messages() ? "between messages" : fault_);
  }
  std::uint16_t code() const { return fault_.empty() ? std::uint16_t{0} : reader_.fault().code; }
  const std::string& events() const { return events_; }

private:
  void note(event now) {
    if (now == event::message) {
      const bool text = reader_.is_text();
      const auto message = reader_.take_message();
      require(message.size() <= most_.message && message.size() <= fed_, "a message is within its limit");
      require(!text || is_utf8(message), "a text is UTF-8");
      events_.append(text ? "text " : "binary ").append(message).append("\n");
    } else if (now == event::close) {
      const auto code = reader_.code();
      require(code == close_code::none ? reader_.payload().empty() : may_be_sent(code), "a code may be sent");
      require(is_utf8(reader_.reason()), "a reason is UTF-8");
      events_ += told_close(code, reader_.reason());
    } else {
      events_.append(now == event::ping ? "ping " : "pong ").append(reader_.payload()).append("\n");
    }
    require(reader_.payload().size() <= most_control, "what a control frame carries is within its limit");
  }
  void note_fault() {
    const auto& f = reader_.fault();
    fault_ = fmt::format("failed {} {}", f.code, f.why);
    require(!f.why.empty() && std::none_of(f.why.begin(), f.why.end(), is_control), "a refusal is one sentence");
    require(may_be_sent(f.code), "its code may be sent");
    std::string_view ping("\x89\x00", 2);
    require(reader_.read(ping) == event::failed && ping.size() == 2, "a refusal is for good");
  }

  const websocket_limits& most_;
  frame_reader reader_;
  std::string events_;
  std::string fault_;
  std::size_t fed_ = 0;
};

/// Says whether a text may become UTF-8 with more bytes behind it.
bool may_become_utf8(std::string_view text) {
  while (const auto n = utf8_length(text)) text.remove_prefix(n);
  if (text.size() > 3) return false;
  for (const char second : {'\x80', '\x90', '\xa0', '\xbf'}) {
    auto longer = std::string(text);
    if (text.size() == 1) longer += second;
    if (text.empty() || utf8_length(longer) != 0 || utf8_length(longer + "\x80") != 0 ||
        utf8_length(longer + "\x80\x80") != 0)
      return true;
  }
  return false;
}

/// Reads frames one after the other, each as a whole, as RFC 6455 describes them.
class slow_reader {
public:
  slow_reader(websocket_role me, const websocket_limits& most) : most_(most), masked_(me == websocket_role::server) {}

  void read(std::string_view bytes) {
    left_ = bytes;
    while (code == 0 && !left_.empty() && frame()) {}
  }
  std::string events;
  std::uint16_t code = 0; // of the refusal

private:
  unsigned at(std::size_t i) const { return static_cast<unsigned char>(left_[i]); }
  bool fail(std::uint16_t with) { return code = with, false; }

  bool frame() {
    const unsigned opcode = at(0) & 15;
    const bool final = at(0) >= 0x80;
    const bool control = opcode >= 8;
    if ((at(0) & 0x70) != 0 || (opcode > 2 && opcode < 8) || opcode > 10 || (control && !final)) return fail(1002);
    if (!control && (opcode == 0) != in_message_) return fail(1002);
    if (left_.size() < 2) return false;
    const unsigned short_length = at(1) & 0x7f;
    if ((at(1) >= 0x80) != masked_ || (control && short_length > 125) || (opcode == 8 && short_length == 1))
      return fail(1002);
    const std::size_t more = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
    const std::size_t head = 2 + more + (masked_ ? 4 : 0);
    if (left_.size() < head) return false;
    std::uint64_t length = more == 0 ? short_length : 0;
    for (std::size_t i = 0; i < more; ++i) length = length * 256 + at(2 + i);
    if (length > INT64_MAX || (more == 2 && length < 126) || (more == 8 && length < 65'536)) return fail(1002);
    std::string payload(left_.substr(head, length));
    for (std::size_t i = 0; masked_ && i < payload.size(); ++i)
      payload[i] = static_cast<char>(static_cast<unsigned char>(payload[i]) ^ at(head - 4 + i % 4));
    left_.remove_prefix(head);
    const bool whole = payload.size() == length;
    left_.remove_prefix(payload.size());
    return control ? whole && take_control(opcode, payload) : take_data(opcode, final, length, payload);
  }
  bool take_control(unsigned opcode, std::string_view payload) {
    if (opcode != 8) return events.append(opcode == 9 ? "ping " : "pong ").append(payload).append("\n"), true;
    if (payload.empty()) return events += told_close(close_code::none, ""), true;
    const unsigned high = static_cast<unsigned char>(payload[0]);
    const auto with = static_cast<std::uint16_t>(high * 256 + static_cast<unsigned char>(payload[1]));
    const bool known = with >= 1000 && with <= 1014 && with != 1004 && with != 1005 && with != 1006;
    if (!known && (with < 3000 || with > 4999)) return fail(1002);
    if (!is_utf8(payload.substr(2))) return fail(1007);
    return events += told_close(with, payload.substr(2)), true;
  }
  bool take_data(unsigned opcode, bool final, std::uint64_t length, const std::string& payload) {
    if (opcode != 0) {
      text_ = opcode == 1;
      message_.clear();
      fragments_ = 0;
      in_message_ = true;
    }
    if (length > most_.frame || message_.size() + length > most_.message || ++fragments_ > most_.fragments)
      return fail(1009);
    message_ += payload;
    if (text_ && !may_become_utf8(message_)) return fail(1007);
    if (payload.size() != length) return false;
    if (!final) return true;
    in_message_ = false;
    if (text_ && !is_utf8(message_)) return fail(1007);
    return events.append(text_ ? "text " : "binary ").append(message_).append("\n"), true;
  }

  const websocket_limits& most_;
  std::string_view left_;
  std::string message_;
  std::size_t fragments_ = 0;
  bool in_message_ = false;
  bool text_ = false;
  const bool masked_;
};

/// Puts a text into frames that are made here, and reads them as the other end.
void require_carried(std::string_view text, unsigned choice, const cuts& at) {
  const mask_key key{static_cast<unsigned char>(choice), 0x80, 0, 0xff};
  const bool from_client = (choice & 1) != 0;
  const auto framed = [&](std::string payload, frame_kind kind) {
    make_frame(payload, kind, from_client ? &key : nullptr);
    return payload;
  };
  const auto code = static_cast<std::uint16_t>((choice & 2) != 0 ? 1000 : 4999);
  const auto ping = text.substr(0, most_control);
  const auto closing = close_payload(code, text);
  require(closing.size() <= most_control, "what a close frame carries is within its limit");
  const std::string_view reason = std::string_view(closing).substr(2);
  const auto all = framed(std::string(text), frame_kind::binary) + framed(std::string(ping), frame_kind::ping) +
                   framed(closing, frame_kind::close) + framed(std::string(text), frame_kind::text);
  const websocket_limits ample;
  reading back(from_client ? websocket_role::server : websocket_role::client, ample);
  for (const auto piece : at.of(all)) back.feed(piece);
  auto expected = "binary " + std::string(text) + "\nping " + std::string(ping) + "\n";
  if (is_utf8(text)) {
    require(text.starts_with(reason) && is_utf8(reason), "a reason is cut between characters");
    require(reason.size() == text.size() || reason.size() + 4 > most_close_reason, "and as late as possible");
    expected += told_close(code, reason) + "text " + std::string(text) + "\n";
    require(back.code() == 0, "frames that are made here are taken");
  } else if (is_utf8(reason)) {
    expected += told_close(code, reason);
  }
  require_same(back.events(), expected, "what is put into frames comes back");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http;
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 600)); // enough for the smaller limits
  const auto choice = from.choice();
  const auto most = chosen(choice);
  const auto me = (choice & 8) != 0 ? websocket_role::server : websocket_role::client;
  const auto form = from.choice();
  const cuts at(from);

  reading whole(me, most);
  whole.feed(from.text());
  reading split(me, most);
  for (const auto piece : at.of(from.text())) split.feed(piece);
  require_same(split.told(), whole.told(), "the messages do not depend on how the bytes are split");

  slow_reader slow(me, most);
  slow.read(from.text());
  require_same(whole.events(), slow.events, "a slow reader finds the same");
  require(whole.code() == slow.code, "and refuses for the same reason");
  require_carried(from.text(), form, at);
  return 0;
}
