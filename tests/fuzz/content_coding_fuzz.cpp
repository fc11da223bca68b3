// Content codings: what is encoded comes back, however it is split; what is decoded does not depend on how it is split either, and never becomes
// more than is allowed. An input is a coded body, and with other choices a plain one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/internal/content_coding.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using progress = content_decoder::progress;

constexpr coding codings[] = {coding::gzip, coding::deflate, coding::identity};

/// The ratio is judged at each step, of which there are more when the bytes are split: where it counts only the two that must hold do.
decode_limits chosen(unsigned n) {
  decode_limits most;
  most.output = (n & 1) != 0 ? 100 : 16'384;
  if ((n & 2) != 0) most.ratio = 4;
  if ((n & 2) != 0) most.ratio_from = 64;
  return most;
}

/// A decoder and what it makes of the bytes that it is fed.
class decoding {
public:
  decoding(coding c, const decode_limits& most, std::size_t room) : most_(most), decoder_(c, most), room_(room) {}

  void feed(std::string_view bytes) {
    fed_ += bytes.size();
    while (code_ == nothing) {
      const auto before = bytes.size();
      const auto had = out_.size();
      const auto now = decoder_.decode(bytes, out_, room_);
      require(bytes.size() <= before, "a decoder takes no more than there is");
      require(out_.size() >= had && out_.size() - had <= room_, "it appends no more than there is room for");
      require(out_.size() <= most_.output, "a body is within its limit");
      if (!now) {
        require(now.error().code() == errc::parse || now.error().code() == errc::limit, "the code is known");
        require(now.error().code() == errc::parse || out_.size() > most_.ratio_from || out_.size() == most_.output,
                "a limit is only named when it is reached");
        code_ = static_cast<int>(now.error().code());
        require(!decoder_.decode(bytes, out_, room_) && !decoder_.finish(), "a refusal is for good");
      } else if (*now == progress::more) {
        return require(bytes.empty(), "all is taken before more is asked for");
      } else {
        require(out_.size() - had == room_, "it is full when the room is used");
      }
    }
  }
  bool whole() const { return code_ == nothing && decoder_.finish().has_value(); }
  bool limited() const { return code_ == static_cast<int>(errc::limit); }
  const std::string& out() const { return out_; }
  std::string told() const { return std::to_string(code_) + (whole() ? " whole " : " ") + out_; }
  std::size_t fed() const { return fed_; }

private:
  static constexpr int nothing = -1;
  const decode_limits& most_;
  content_decoder decoder_;
  std::string out_;
  std::size_t room_;
  std::size_t fed_ = 0;
  int code_ = nothing;
};

void try_decoding(coding c, std::string_view text, unsigned choice, const cuts& at, std::size_t room) {
  const auto most = chosen(choice);
  decoding whole(c, most, SIZE_MAX);
  whole.feed(text);
  decoding split(c, most, room);
  for (const auto piece : at.of(text)) split.feed(piece);
  if ((choice & 2) == 0)
    require_same(split.told(), whole.told(), "the body does not depend on how its bytes are split");
  for (const auto* each : {&whole, &split}) {
    const auto made = each->out().size();
    require(c == coding::identity || each->limited() || made <= most.ratio_from ||
                made <= (each->fed() + 1) * most.ratio,
            "a body is not longer than the ratio allows");
  }
  if (c == coding::identity && !whole.limited()) require_same(whole.out(), text, "identity changes nothing");
}

void try_encoding(coding c, std::string_view text, unsigned choice, const cuts& at, std::size_t room) {
  content_encoder encoder(c, static_cast<int>(choice % 9) + 1);
  const decode_limits ample{.output = 1 << 20, .ratio = 2'000};
  decoding follows(c, ample, SIZE_MAX);
  std::string coded;
  std::size_t sent = 0;
  std::size_t plain = 0;
  for (const auto piece : at.of(text)) {
    encoder.encode(piece, coded);
    plain += piece.size();
    if ((choice & 16) == 0) continue;
    encoder.flush(coded);
    follows.feed(std::string_view(coded).substr(sent));
    sent = coded.size();
    require_same(follows.out(), text.substr(0, plain), "after a flush all that went in can be decoded");
  }
  encoder.finish(coded);

  decoding back(c, ample, room);
  for (const auto piece : at.of(coded)) back.feed(piece);
  require(back.whole(), "what is encoded is taken");
  require_same(back.out(), text, "and comes back");
  if (c == coding::identity) return;
  const auto length = choice * coded.size() / 256;
  decoding part(c, ample, SIZE_MAX);
  part.feed(std::string_view(coded).substr(0, length));
  require(!part.whole() && text.starts_with(part.out()), "a part of it is a beginning, and not whole");
  decoding more(c, ample, SIZE_MAX);
  more.feed(coded + coded);
  require(more.whole() == (c == coding::gzip), "only gzip has bodies in a row");
  if (c == coding::gzip) require_same(more.out(), std::string(text) + std::string(text), "and they are one");
}

/// The elements of an Accept-Encoding mean the same in any order, and over any number of lines.
void try_choice(std::string_view text) {
  const auto choice = choose_coding(std::vector<field>{{"Accept-Encoding", text}});
  require(!choice || available(*choice), "what is chosen is available");
  auto elements = fuzz::split(text, ',');
  std::vector<field> lines;
  for (const auto& each : elements) lines.push_back({"accept-encoding", each});
  std::reverse(lines.begin(), lines.end());
  require(choose_coding(lines) == choice, "the order of codings means nothing");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 600));
  const auto form = from.choice();
  const auto choice = from.choice();
  const auto room = from.choice();
  const cuts at(from);
  const auto c = codings[form % std::size(codings)];
  if (!available(c)) return 0;
  if (form % 2 == 0) {
    try_decoding(c, from.text(), choice, at, room == 0 ? SIZE_MAX : room);
  } else {
    try_encoding(c, from.text(), choice, at, room == 0 ? SIZE_MAX : room);
  }
  try_choice(from.text().substr(0, 60));
  return 0;
}
