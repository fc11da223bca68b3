// The parser of answers: what it makes of an answer does not depend on how its bytes are split, nothing goes beyond a limit, and the body is
// the one that the framing of the standard gives, as it is read here once more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/internal/response_parser.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using state = response_parser::state;

answer_limits chosen(unsigned n) {
  answer_limits most;
  if ((n & 1) != 0) most.head = 64;
  if ((n & 2) != 0) most.fields = 3;
  most.body = (n & 4) != 0 ? 16 : 65'536;
  most.to_head = (n & 8) != 0;
  return most;
}

/// What the fields say of the framing.
struct framing {
  explicit framing(const detail::response_data& d) : persistent(d.minor_version == 1) {
    bool close = false;
    for (const auto& f : d.fields) {
      const auto name = lower(f.name);
      if (name == "content-length") ++lengths, length = std::string(f.value);
      if (name == "transfer-encoding") ++codings, chunked = lower(f.value) == "chunked";
      if (name != "connection") continue;
      for (auto option : split(lower(f.value), ',')) {
        option.erase(option.find_last_not_of(" \t") + 1);
        option.erase(0, option.find_first_not_of(" \t"));
        close |= option == "close";
        persistent |= option == "keep-alive";
      }
    }
    persistent &= !close;
  }
  int lengths = 0;
  int codings = 0;
  bool chunked = false;
  bool persistent;
  std::string length;
};

std::string shown(const detail::response_data& d) {
  std::string all = std::to_string(d.minor_version) + " " + std::to_string(d.status) + " ";
  all.append(d.reason).append("\n");
  for (const auto& f : d.fields) all.append(f.name).append("=").append(f.value).append("\n");
  return all;
}

/// A parser and what it makes of the bytes that it is fed.
class reading {
public:
  reading(const answer_limits& most, bool takes) : most_(most), parser_(most), takes_(takes) {}

  void feed(std::string_view bytes) {
    const bool done = parser_.at() == state::complete || parser_.at() == state::failed;
    const auto took = parser_.parse(bytes);
    require(took <= bytes.size() && (!done || took == 0), "a parser takes what belongs to the answer");
    require(took == bytes.size() || parser_.at() == state::complete || parser_.at() == state::failed,
            "all is taken until the answer ends");
    left_ += bytes.substr(took);
    fed_ += bytes.size();
    require(parser_.begun() == (fed_ != 0), "it knows whether anything has come");
    look();
  }
  void end() {
    parser_.end_of_input();
    require(parser_.at() == state::complete || parser_.at() == state::failed, "an answer ends with its connection");
    look();
  }
  bool complete() const { return parser_.at() == state::complete; }
  const detail::response_data& head() const { return *head_; }
  const std::string& body() const { return body_; }
  const std::string& left() const { return left_; }
  bool keep_alive() const { return parser_.keep_alive(); }

  /// How much there is of an answer before a fault depends on the reads.
  std::string told() const {
    if (parser_.at() == state::failed) return std::string(parser_.why().message());
    auto all = head_ ? shown(*head_) : "no head\n";
    all.append(parser_.at() == state::complete ? "complete " : "more ").append(body_).append("\nleft ").append(left_);
    return all + (complete() && parser_.keep_alive() ? " keep" : " close");
  }

private:
  void look() {
    if (parser_.at() == state::failed) {
      const auto why = parser_.why().message();
      require(!why.empty() && std::none_of(why.begin(), why.end(), is_control), "a refusal is one sentence");
      return require(parser_.parse("HTTP/1.1 200 \r\n\r\n") == 0, "and for good");
    }
    if (parser_.at() == state::head)
      return require(parser_.head().head.size() <= most_.head, "a head is within its limit");
    if (!head_) look_at_head();
    if (takes_ || complete()) body_ += parser_.take_content();
    require(body_.size() <= most_.body && body_.size() <= fed_, "a body is within its limit and what came");
  }
  void look_at_head() {
    head_ = parser_.take_head();
    const auto& d = *head_;
    require(parser_.status() == d.status && d.status >= 200 && d.status <= 599, "the final answer has a final status");
    require(d.head.size() <= most_.head && d.head.find("\r\n\r\n") == d.head.size() - 4, "the head ends once");
    require(static_cast<std::size_t>(std::count(d.head.begin(), d.head.end(), '\n')) == d.fields.size() + 2 &&
                static_cast<std::size_t>(std::count(d.head.begin(), d.head.end(), '\r')) == d.fields.size() + 2,
            "each line is the status line, a field or the end");
    require(d.head.starts_with(std::string("HTTP/1.")) && d.head.substr(9, 3) == std::to_string(d.status),
            "the status line begins the head");
    require(d.fields.size() <= most_.fields, "there are no more fields than allowed");
    for (const auto& f : d.fields) require_sound_field(f.name, f.value);
    const framing by(d);
    require(by.lengths + by.codings <= 1 || (by.lengths == 0 && by.chunked), "the framing leaves no doubt");
  }

  const answer_limits& most_;
  response_parser parser_;
  std::unique_ptr<detail::response_data> head_;
  std::string body_;
  std::string left_;
  std::size_t fed_ = 0;
  const bool takes_;
};

/// Takes the chunks apart of a body that was accepted, and what stands behind it.
std::string content_of(std::string_view& bytes) {
  std::string content;
  for (;;) {
    const auto size =
        std::stoull(std::string(bytes.substr(0, bytes.find_first_not_of("0123456789abcdefABCDEF"))), nullptr, 16);
    bytes.remove_prefix(bytes.find("\r\n") + 2);
    if (size == 0) break;
    content += bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
  bytes.remove_prefix(bytes.starts_with("\r\n") ? 2 : bytes.find("\r\n\r\n") + 4);
  return content;
}

/// Reads an answer that was accepted once more, by its framing alone.
void require_same_body(std::string_view bytes, const answer_limits& most, const reading& read) {
  while (bytes.substr(9, 1) == "1") bytes.remove_prefix(bytes.find("\r\n\r\n") + 4); // interim answers
  const auto& d = read.head();
  require(bytes.starts_with(d.head), "the final answer follows the interim ones");
  bytes.remove_prefix(d.head.size());
  const framing by(d);
  std::string body;
  bool closes = false;
  if (most.to_head || d.status == 204 || d.status == 304) {
    // none
  } else if (by.codings != 0) {
    body = content_of(bytes);
  } else if (by.lengths != 0) {
    body = bytes.substr(0, std::stoull(by.length));
    require(body.size() == std::stoull(by.length), "a body is as long as announced");
    bytes.remove_prefix(body.size());
  } else {
    closes = true;
    body = bytes;
    bytes = {};
  }
  require_same(read.body(), body, "others see the same body");
  require_same(read.left(), bytes, "and the same behind it");
  require(read.keep_alive() == (by.persistent && !closes),
          "the connection is kept where both ends know where the answer ends");
}

/// The same answer, written anew.
std::string written(const reading& read) {
  const auto& d = read.head();
  auto all = "HTTP/1." + std::to_string(d.minor_version) + " " + std::to_string(d.status) + " ";
  all.append(d.reason).append("\r\n");
  for (const auto& f : d.fields) all.append(f.name).append(":").append(f.value).append("\r\n");
  all += "\r\n";
  if (framing(d).codings == 0 || read.body().empty()) {
    all += read.body();
    return framing(d).codings == 0 ? all : all + "0\r\n\r\n";
  }
  for (const char c : read.body()) all.append("1\r\n").append(1, c).append("\r\n"); // in the smallest chunks
  return all + "0\r\n\r\n";
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 500)); // enough for the smaller limits
  const auto most = chosen(from.choice());
  const auto form = from.choice();
  const bool ends = form % 2 == 0;
  const cuts at(from);
  const auto text = from.text();

  reading whole(most, false);
  whole.feed(text);
  reading split(most, false);
  for (const auto piece : at.of(text)) split.feed(piece);
  if (text.empty()) split.feed({});
  if (ends) {
    whole.end();
    split.end();
  }
  require_same(split.told(), whole.told(), "the answer does not depend on how its bytes are split");

  if (form % 4 >= 2 && whole.complete()) {
    auto wide = most;
    wide.body = 65'536; // a body that is taken out as it comes is not measured as a whole
    reading streamed(wide, true);
    for (const auto piece : at.of(text)) streamed.feed(piece);
    if (ends) streamed.end();
    require_same(streamed.told(), whole.told(), "a body that is taken out as it comes is the same");
  }

  if (!whole.complete()) return 0;
  require_same_body(text, most, whole);
  const answer_limits ample{.head = 65'536, .to_head = most.to_head};
  reading again(ample, false);
  const auto anew = written(whole);
  for (const auto piece : at.of(anew)) again.feed(piece);
  if (!whole.keep_alive() && !again.complete()) again.end();
  require(again.complete(), "an answer that is written anew is taken");
  require_same(shown(again.head()), shown(whole.head()), "and read again");
  require_same(again.body(), whole.body(), "with its body");
  return 0;
}
