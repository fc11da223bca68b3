#include <greenroom/http/internal/request_parser.hpp>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/field_line.hpp>
#include <greenroom/http/internal/host.hpp>
#include <greenroom/http/internal/lies_in.hpp>

namespace greenroom::http::internal {
namespace {

// Room for what most browsers send; the largest size that malloc serves from its fast lists.
constexpr std::size_t first_head_room = 1'000;
constexpr std::size_t first_field_room = 16;
// So much is taken over at once; what turns out to be no part of the header section is given back.
constexpr std::size_t head_block = 1000;
// An idle connection keeps so much of a name at most.
constexpr std::size_t longest_host_kept = 62;
// A body's room is made for what is there, not for what is announced: announcing costs a client nothing.
constexpr std::uint64_t first_body_room = 65'536;

/// Moves a view along with the bytes that it looks at; one that looks elsewhere stays.
void rebase(std::string_view& view, std::string_view from, const char* to) noexcept {
  if (!lies_in(view, from)) return;
  view = {to + (view.data() - from.data()), view.size()};
}

/// Says whether a segment of the path is "." or "..", whether or not its dots, and the slashes around it, are encoded. Browsers resolve
/// these; who sends them hopes for a handler that makes the name of a file of them. Requires: sound escapes.
bool has_dot_segment(std::string_view path) noexcept {
  if (path.find('.') == path.npos && path.find('%') == path.npos) return false; // most paths
  std::size_t length = 0;
  bool dots = true;
  for (std::size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == '%') {
      c = static_cast<char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
      i += 2;
    }
    if (c != '/') {
      dots &= c == '.';
      ++length;
      continue;
    }
    if (dots && (length == 1 || length == 2)) return true;
    length = 0;
    dots = true;
  }
  return dots && (length == 1 || length == 2);
}

} // namespace

/// What the header section says about the length of the message, and where in it we are.
struct request_parser::framing {
  std::uint64_t left = 0; // of a body of known length
  std::uint64_t most_body = 0;
  std::uint32_t line = 0; // where the current line of the head begins
  bool in_fields = false; // the request line is done
  transfer_coding coding;
  bool has_length = false;
  bool has_type = false;
  bool expects_continue = false;
  bool says_close = false;
  bool says_keep_alive = false;
  std::uint8_t hosts = 0;
  refusal why;
  chunk_decoder chunks;
  std::string body; // as far as it has come, since it was taken last

  static void* operator new(std::size_t bytes) { return greenroom::detail::frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { greenroom::detail::frame_free(p, bytes); }
};

request_parser::request_parser(const limits& l, bool secure, const std::vector<method>* own) noexcept
    : limits_(&l), own_methods_(own), secure_(secure) {}
request_parser::~request_parser() = default;

const refusal& request_parser::why() const noexcept { return framing_->why; }
bool request_parser::has_body() const noexcept { return framing_->coding.chunked || framing_->left != 0; }
bool request_parser::expects_continue() const noexcept { return framing_->expects_continue && has_body(); }

bool request_parser::keep_alive() const noexcept {
  if (framing_->says_close) return false;
  return data_->minor_version >= 1 || framing_->says_keep_alive;
}

void request_parser::limit_body(std::uint64_t most) {
  framing_->most_body = most;
  framing_->chunks.limit_body(most);
  check_announced();
}

bool request_parser::check_announced() {
  const auto announced = framing_->left;
  const auto most = framing_->most_body;
  if (announced <= most) return true;
  return fail_beyond(413, fmt::format("the body of {} bytes is longer", announced), most, "bytes"), false;
}

request request_parser::take() {
  if (!framing_->body.empty()) data_->body = take_body();
  if (framing_->coding.chunked) data_->trailers = take_trailers();
  auto whole = take_head();
  end_body();
  return whole;
}

std::string request_parser::take_body() noexcept { return std::exchange(framing_->body, {}); }

request request_parser::take_head() { return request(std::move(data_)); }

std::unique_ptr<detail::trailer_section> request_parser::take_trailers() { return framing_->chunks.take_trailers(); }

void request_parser::end_body() noexcept {
  state_ = state::idle;
  line_skipped_ = false;
  framing_.reset();
}

void request_parser::release() noexcept {
  if (state_ != state::idle) return;
  data_.reset();
  framing_.reset();
}

void request_parser::fail(int status, std::string_view reason) {
  framing_->why = {status, std::string(reason)};
  state_ = state::failed;
}

void request_parser::fail_beyond(int status, std::string_view what, std::uint64_t limit, std::string_view unit) {
  fail(status, fmt::format("{} than the limit of {} {}", what, limit, unit));
}

std::size_t request_parser::parse(std::string_view bytes) {
  const auto whole = bytes.size();
  if (state_ == state::idle || state_ == state::head) {
    while (!bytes.empty() && (state_ == state::idle || state_ == state::head)) bytes.remove_prefix(parse_head(bytes));
    return whole - bytes.size();
  }
  if (state_ == state::head_done) begin_body();
  if (state_ != state::body) return 0;
  if (framing_->coding.chunked) {
    const auto now = framing_->chunks.decode(bytes, framing_->body, *limits_, framing_->why);
    if (now == chunk_decoder::outcome::done) state_ = state::complete;
    if (now == chunk_decoder::outcome::failed) state_ = state::failed;
  } else {
    const auto n = std::min<std::uint64_t>(framing_->left, bytes.size());
    framing_->body.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    framing_->left -= n;
    if (framing_->left == 0) state_ = state::complete;
  }
  return whole - bytes.size();
}

void request_parser::begin_body() {
  if (!check_announced()) return;
  state_ = has_body() ? state::body : state::complete;
  if (framing_->left != 0) framing_->body.reserve(std::min(framing_->left, first_body_room));
}

/// Takes a block of bytes, or those of them that belong to the header section.
std::size_t request_parser::parse_head(std::string_view bytes) {
  if (!data_) begin();
  state_ = state::head;
  auto& head = data_->head;
  const auto before = head.size();
  bytes = bytes.substr(0, head_block);
  append(bytes);
  // Only whole lines are looked into, so that nothing is looked at again when the rest of a line comes.
  const auto last = bytes.rfind('\n');
  if (last == bytes.npos) {
    check_length(head.size());
    return bytes.size();
  }
  const auto lines = std::string_view(head).substr(0, before + last + 1);
  auto& line = framing_->line;
  while (state_ == state::head && line < lines.size()) {
    const auto rest = lines.substr(line);
    const auto plain = span_of_value(rest);
    const bool clean = rest.substr(plain, 2) == "\r\n";
    const auto length = clean ? plain + 2 : rest.find('\n') + 1;
    line += static_cast<std::uint32_t>(length);
    if (check_length(line)) parse_line(rest.substr(0, length), clean);
  }
  if (state_ == state::head) {
    check_length(head.size());
    return bytes.size();
  }
  head.resize(line); // the rest is the body's or the next request's
  const auto taken = line - before;
  if (state_ == state::idle) skip_line();
  return taken;
}

void request_parser::begin() {
  // Not make_unique: it would fill both with zeros first.
  data_ = std::make_unique_for_overwrite<detail::request_data>();
  framing_ = std::make_unique_for_overwrite<framing>();
  data_->head.reserve(first_head_room);
  data_->fields.reserve(first_field_room);
  data_->secure = secure_;
}

/// The empty line before a request is no part of it.
void request_parser::skip_line() {
  line_skipped_ = true;
  data_->head.clear();
  framing_->line = 0;
}

/// Compares what has come with the limits. The lower limit decides, so that the answer does not depend on how the bytes are split.
bool request_parser::check_length(std::size_t length) {
  const auto longest_line = limits_->request_line + 2;
  if (!framing_->in_fields && length > longest_line && longest_line <= limits_->head) {
    const bool all_method = span_of(data_->head, token_char) >= longest_line; // Source: RFC 9112 section 3
    return fail_beyond(all_method ? 501 : 414, all_method ? "the method is longer" : "the request line is longer",
                       limits_->request_line, "bytes"),
           false;
  }
  if (length > limits_->head) return fail_beyond(431, "the header section is longer", limits_->head, "bytes"), false;
  return true;
}

void request_parser::append(std::string_view bytes) {
  auto& d = *data_;
  if (d.head.capacity() - d.head.size() < bytes.size()) {
    greenroom::detail::pooled_string roomier;
    roomier.reserve(std::max(2 * d.head.capacity(), d.head.size() + bytes.size()));
    roomier = d.head;
    for (auto& f : d.fields) {
      rebase(f.name, d.head, roomier.data());
      rebase(f.value, d.head, roomier.data());
    }
    for (auto* view : {&d.target, &d.path, &d.query, &d.host}) rebase(*view, d.head, roomier.data());
    d.head.swap(roomier);
  }
  d.head.append(bytes);
}

/// `line` with its end; `clean` says that it ends with CR LF and holds no other control character than HTAB.
void request_parser::parse_line(std::string_view line, bool clean) {
  if (line.size() < 2 || line[line.size() - 2] != '\r') return fail(400, "a line ends with LF alone, not with CR LF");
  line.remove_suffix(2);
  if (framing_->in_fields) return line.empty() ? finish_head() : parse_field(line, clean);
  if (!line.empty()) {
    framing_->in_fields = true;
    return parse_request_line(line);
  }
  if (line_skipped_) return fail(400, "more than one empty line stands before the request");
  state_ = state::idle; // Source: RFC 9112 section 2.2
}

void request_parser::parse_request_line(std::string_view line) {
  const auto method_end = span_of(line, token_char);
  if (method_end == 0 || method_end == line.size() || line[method_end] != ' ')
    return fail(400, "the request line does not begin with a method and one space");
  const auto name = line.substr(0, method_end);
  const auto rest = line.substr(method_end + 1);
  const auto target_end = rest.find(' ');
  if (target_end == std::string_view::npos || target_end == 0)
    return fail(400, "the request line must have a method, a target and a version, with one space between them");
  if (!parse_version(rest.substr(target_end + 1))) return;
  if (parse_method(name)) parse_target(rest.substr(0, target_end));
}

bool request_parser::parse_method(std::string_view name) {
  if (const auto common = method_of(name); common && *common != method::connect) {
    data_->method = *common;
    return true;
  }
  const auto own_methods = own_methods_ != nullptr ? std::span(*own_methods_) : std::span<const method>();
  const auto own = std::ranges::find(own_methods, name, &method::name);
  if (own == own_methods.end())
    return fail(501, fmt::format("this server does not know the method {}", name.substr(0, 32))), false;
  data_->method = *own;
  return true;
}

bool request_parser::parse_version(std::string_view version) {
  const bool well_formed = version.size() == 8 && version.substr(0, 5) == "HTTP/" && is(version[5], digit_char) &&
                           version[6] == '.' && is(version[7], digit_char);
  if (!well_formed) return fail(400, "the request line does not end with one space and HTTP/1.1 or HTTP/1.0"), false;
  if (version[5] != '1') return fail(505, fmt::format("this server speaks HTTP/1.1 and 1.0, not {}", version)), false;
  data_->minor_version = version[7] == '0' ? 0 : 1; // a later minor version is served as 1.1: RFC 9110 section 6.2
  return true;
}

bool request_parser::parse_target(std::string_view target) {
  auto& d = *data_;
  d.target = target;
  if (target.front() == '/' && all_of(target, path_char)) { // most of them
    d.path = target;
    return true;
  }
  if (!all_of(target, target_char))
    return fail(400, "the target holds a space, a control character, '#' or a byte beyond ASCII"), false;
  if (!escapes_are_whole(target))
    return fail(
               400,
               "the target holds a '%' that is not followed by two hexadecimal digits, or that stands for a zero byte"),
           false;
  if (target == "*") {
    if (d.method != method::options) return fail(400, "the target * goes with OPTIONS only"), false;
    d.path = target;
    return true;
  }
  if (target.front() != '/') { // absolute-form
    const auto scheme_end = target.find("://");
    const auto scheme = target.substr(0, std::min(scheme_end, target.size()));
    const bool https = same_word(scheme, "https");
    if (scheme_end == std::string_view::npos || (!https && !same_word(scheme, "http")))
      return fail(400, "the target is neither a path that begins with '/' nor an http address"), false;
    if (https != secure_) { // Source: RFC 9110 section 7.4
      return fail(421, https ? "an https address is not served on a connection without TLS"
                             : "an http address is not served on a connection with TLS"),
             false;
    }
    target.remove_prefix(scheme_end + 3);
    d.host = target.substr(0, target.find_first_of("/?"));
    if (!is_host(d.host)) return fail(400, "the target names no valid host"), false;
    target.remove_prefix(d.host.size());
  }
  const auto mark = target.find('?');
  d.path = target.substr(0, mark);
  if (mark != std::string_view::npos) d.query = target.substr(mark + 1);
  // Source: RFC 9110 section 4.2.3: no path is the path "/", but for OPTIONS, which then asks for the server as a whole.
  if (target.empty() && d.method == method::options) d.path = "*";
  if (d.path.empty()) d.path = "/";
  if (has_dot_segment(d.path))
    return fail(400, "the path has a segment . or .., which a client resolves itself"), false;
  return true;
}

void request_parser::parse_field(std::string_view line, bool clean) {
  const auto name_length = field_name_length(line);
  if (name_length == 0 || !clean) return fail(400, why_no_field(line));
  if (data_->fields.size() == limits_->fields)
    return fail_beyond(431, "the header section has more", limits_->fields, "fields");
  data_->fields.push_back(split_field(line, name_length));
  note_field(data_->fields.back());
}

/// Says whether a Host field may have this value, which may be empty so far. That of the request before has been looked at.
bool request_parser::is_valid_host(std::string_view value) {
  if (value.empty() || value == host_before_) return true;
  if (!is_host(value)) return false;
  if (value.size() <= longest_host_kept) host_before_ = value;
  return true;
}

void request_parser::note_field(const field& f) {
  auto& seen = *framing_;
  switch (f.name.size()) { // most names are told apart by their length
  case 4:
    if (!same_word(f.name, "host")) return;
    if (++seen.hosts > 1) return fail(400, "there is more than one Host field");
    if (!is_valid_host(f.value)) return fail(400, "the Host field names no valid host");
    if (data_->host.empty()) data_->host = f.value;
    return;
  case 6:
    if (!same_word(f.name, "expect") || data_->minor_version == 0) return;
    for_each_element(f.value, [this, &seen](std::string_view expectation) {
      if (!same_word(expectation, "100-continue")) fail(417, "this server meets no expectation but 100-continue");
      seen.expects_continue = true;
    });
    return;
  case 10:
    if (!same_word(f.name, "connection")) return;
    for_each_element(f.value, [&seen](std::string_view option) {
      seen.says_close |= same_word(option, "close");
      seen.says_keep_alive |= same_word(option, "keep-alive");
    });
    return;
  case 12: // of two, one program may heed the first and another one the last
    if (!same_word(f.name, "content-type")) return;
    if (std::exchange(seen.has_type, true)) return fail(400, "there is more than one Content-Type field");
    return;
  case 14: {
    if (!same_word(f.name, "content-length")) return;
    if (std::exchange(seen.has_length, true)) return fail(400, "there is more than one Content-Length field");
    const auto length = read_content_length(f.value);
    if (!length) return fail(400, "the Content-Length is not one number of at most 64 bits");
    seen.left = *length;
    return;
  }
  case 17:
    if (!same_word(f.name, "transfer-encoding")) return;
    if (const char* const fault = seen.coding.read(f.value)) fail(400, fault);
    return;
  default: return;
  }
}

void request_parser::finish_head() {
  auto& seen = *framing_;
  if (data_->minor_version == 1 && seen.hosts == 0) return fail(400, "there is no Host field");
  // Source: RFC 9110 section 4.2.1: an http URI without a host is to be rejected. An absolute target has one.
  if (seen.hosts != 0 && data_->host.empty()) return fail(400, "the Host field is empty");
  if (seen.coding.given) {
    if (seen.has_length) return fail(400, "there are both a Content-Length and a Transfer-Encoding field");
    if (data_->minor_version == 0) return fail(400, "an HTTP/1.0 request cannot have a Transfer-Encoding");
    // Source: RFC 9112 section 6.3: first of all the length must be known, then the coding.
    if (!seen.coding.chunked) return fail(400, "the Transfer-Encoding does not end with chunked");
    if (seen.coding.other) return fail(501, "this server decodes no Transfer-Encoding but chunked");
  }
  seen.most_body = limits_->body;
  state_ = state::head_done;
}

} // namespace greenroom::http::internal
