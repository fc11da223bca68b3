// The request parser: what it makes of pipelined requests does not depend on how their bytes are split; nothing goes beyond a limit; and what
// it accepts satisfies the standard as it is read here once more, slowly.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/internal/request_parser.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using state = request_parser::state;

limits chosen(unsigned n) {
  limits most;
  most.request_line = (n & 1) != 0 ? 64 : 8'192;
  most.head = (n & 2) != 0 ? 256 : 8'192;
  most.fields = (n & 4) != 0 ? 3 : 100;
  most.body = (n & 8) != 0 ? 16 : 65'536;
  most.chunk_line = (n & 16) != 0 ? 18 : 256;
  return most;
}

/// Where a view of a request may look: into its head, or at a constant.
void require_within(std::string_view view, std::string_view head, bool constant = false) {
  const auto begin = reinterpret_cast<std::uintptr_t>(head.data());
  const auto at = reinterpret_cast<std::uintptr_t>(view.data());
  if (view.empty() || (constant && (view == "/" || view == "*"))) return;
  require(at >= begin && at - begin <= head.size() && view.size() <= head.size() - (at - begin),
          "a view lies within the head of its request");
}

/// Says whether a segment of the path is "." or "..".
bool has_dots(std::string_view path) {
  auto text = lower(path);
  for (auto at = text.find("%2"); at != text.npos; at = text.find("%2", at + 1)) {
    if (text.substr(at, 3) == "%2e") text.replace(at, 3, ".");
    if (text.substr(at, 3) == "%2f") text.replace(at, 3, "/");
  }
  text += '/';
  return text.find("/./") != text.npos || text.find("/../") != text.npos;
}

void require_sound_fields(detail::request_data& d, const limits& most) {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  require(d.fields.size() <= most.fields, "there are no more fields than allowed");
  for (const auto& f : d.fields) {
    require_within(f.name, d.head);
    require_within(f.value, d.head);
    require_sound_field(f.name, f.value);
    const auto name = lower(f.name);
    hosts += name == "host";
    lengths += name == "content-length";
    codings += name == "transfer-encoding";
    require(name != "transfer-encoding" || lower(f.value) == "chunked", "the only coding is chunked");
  }
  require(hosts == 1 || (hosts == 0 && d.minor_version == 0), "there is one Host field");
  require(lengths + codings <= 1 && (codings == 0 || d.minor_version == 1), "the framing leaves no doubt");
}

/// Looks at a request whose header section is complete.
void require_sound_head(detail::request_data& d, const limits& most) {
  require(d.head.size() <= most.head && d.head.find("\r\n") <= most.request_line, "the head is within its limits");
  require(d.head.find("\r\n\r\n") == d.head.size() - 4, "the head ends with its first empty line");
  for (auto at = d.head.find('\n'); at != d.head.npos; at = d.head.find('\n', at + 1))
    require(at != 0 && d.head[at - 1] == '\r', "each line ends with CR LF");
  require(static_cast<std::size_t>(std::count(d.head.begin(), d.head.end(), '\r')) == d.fields.size() + 2,
          "each line is the request line, a field or the end");
  require(d.head.starts_with(std::string(to_string(d.method)) + " " + std::string(d.target) + " HTTP/1."),
          "the request line begins the head");
  for (const auto view : {d.target, d.query, d.host}) require_within(view, d.head);
  require_within(d.path, d.head, true);
  require(std::none_of(d.target.begin(), d.target.end(),
                       [](char c) { return is_control(c) || c == ' ' || c == '#' || (c & 0x80) != 0; }),
          "a target consists of the characters that are allowed");
  require(d.path.starts_with('/') || (d.path == "*" && d.method == method::options), "a path begins with a slash");
  require(!has_dots(d.path), "a path has no dot segments");
  require(d.minor_version <= 1 && d.method != method::connect, "version and method are served");
  require_sound_fields(d, most);
}

/// The same request, written anew; never longer than it was.
std::string written(const request& r) {
  std::string all(to_string(r.method()));
  all.append(" ").append(r.target()).append(" HTTP/1.").append(std::to_string(r.minor_version())).append("\r\n");
  bool chunked = false;
  for (const auto& f : r.headers()) {
    all.append(f.name).append(":").append(f.value).append("\r\n");
    chunked |= lower(f.name) == "transfer-encoding";
  }
  all += "\r\n";
  if (!chunked) return all.append(r.body());
  for (const char c : r.body()) all.append("1\r\n").append(1, c).append("\r\n"); // in the smallest chunks
  return all + "0\r\n\r\n";
}

/// All that a handler can see of a request.
std::string shown(const request& r) {
  std::string all(to_string(r.method()));
  all.append(" ").append(r.target()).append(" = ").append(r.host()).append(" ").append(r.path());
  all.append(" ? ").append(r.query()).append(" 1.").append(std::to_string(r.minor_version())).append("\n");
  for (const auto& f : r.headers()) all.append(f.name).append("=").append(f.value).append("\n");
  return all.append(std::to_string(r.body().size())).append(":").append(r.body()).append("\n");
}

/// A parser and what it makes of the bytes that it is fed.
class reading {
public:
  explicit reading(const limits& most) : most_(most), parser_(most) {}

  void feed(std::string_view bytes) {
    do {
      const auto before = parser_.at();
      const auto took = parser_.parse(bytes);
      require(took <= bytes.size(), "a parser takes no more than there is");
      bytes.remove_prefix(took);
      require(took != 0 || bytes.empty() || parser_.at() != before || before == state::failed, "there is progress");
      look(took);
      if (parser_.at() == state::failed) return;
    } while (!bytes.empty() || parser_.at() == state::head_done);
  }
  /// What a connection does between two reads.
  void idle() { parser_.release(); }
  std::string told() const { return told_ + std::to_string(static_cast<int>(parser_.at())) + refusal_; }
  const std::vector<request>& requests() const { return requests_; }

private:
  void look(std::size_t took) {
    const auto now = parser_.at();
    if (now == state::failed) return look_at_refusal();
    body_bytes_ += in_body_ ? took : 0;
    if (now == state::idle) return;
    auto& d = parser_.data();
    require(d.head.capacity() <= 2 * (most_.head + 1'000), "the room for a head is bounded");
    if (now == state::head) return require(d.head.size() <= most_.head, "a head that is read is within its limit");
    if (now == state::head_done) {
      require_sound_head(d, most_);
      require(parser_.is_head() == (d.method == method::head), "is_head() is right");
      told_ += parser_.keep_alive() ? "keep " : "close ";
      told_ += parser_.expects_continue() ? "expects " : "";
      in_body_ = true;
      body_bytes_ = 0;
      may_have_body_ = parser_.has_body();
    }
    require(d.body.size() <= std::min(most_.body, body_bytes_), "a body is within its limit and what came");
    require(d.body.capacity() <= 65'600 + 2 * d.body.size(), "room is made for what came, not for what is announced");
    require(may_have_body_ || d.body.empty(), "there is no body where there is none");
    if (now == state::complete) take();
  }
  void take() {
    require(parser_.parse("GET") == 0 && parser_.at() == state::complete, "nothing is taken before take()");
    in_body_ = false;
    requests_.push_back(parser_.take());
    require(parser_.at() == state::idle, "a new request begins");
    auto& r = requests_.back();
    require_sound_head(r.data(), most_);
    for (const auto& f : r.headers()) {
      if (lower(f.name) != "content-length") continue;
      require(std::stoull(std::string(f.value)) == r.body().size() && body_bytes_ == r.body().size(),
              "a body is as long as announced");
    }
    told_ += shown(r);
  }
  void look_at_refusal() {
    const auto& why = parser_.why();
    require(parser_.parse("GET / HTTP/1.1\r\n\r\n") == 0 && parser_.at() == state::failed, "a refusal is for good");
    constexpr int known[] = {400, 413, 414, 417, 421, 431, 501, 505};
    require(std::count(std::begin(known), std::end(known), why.status) == 1, "the status of a refusal is known");
    require(!why.reason.empty() && why.reason.find_first_of("\r\n") == why.reason.npos, "a refusal is one sentence");
    refusal_ = " " + std::to_string(why.status) + " " + why.reason;
  }

  const limits& most_;
  request_parser parser_;
  std::vector<request> requests_;
  std::string told_;
  std::string refusal_;
  std::size_t body_bytes_ = 0;
  bool in_body_ = false;
  bool may_have_body_ = false;
};

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, size);
  const auto most = chosen(from.choice());
  const bool idles = from.choice() % 2 == 1;
  const cuts at(from);

  reading whole(most);
  whole.feed(from.text());
  reading split(most);
  for (const auto piece : at.of(from.text())) {
    split.feed(piece);
    if (idles) split.idle();
  }
  require_same(split.told(), whole.told(), "the requests do not depend on how their bytes are split");

  // All of them once more, each written anew and with the empty line before it that is allowed.
  reading again(most);
  std::string before;
  std::string after;
  for (const auto& r : whole.requests()) {
    again.feed("\r\n" + written(r));
    before += shown(r);
  }
  for (const auto& r : again.requests()) after += shown(r);
  require_same(after, before, "requests that are written anew are read again");
  return 0;
}
