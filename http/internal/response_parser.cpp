#include <greenroom/http/internal/response_parser.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>

namespace greenroom::http::internal {
namespace {

// Interim answers before the final one. Few servers send more than 100 and 103; more only keep a caller waiting.
constexpr std::uint8_t most_interim = 8;
// A body's room is made for what is there, not for what is announced: announcing costs a server nothing.
constexpr std::uint64_t first_body_room = 65'536;
constexpr std::string_view version_start = "HTTP/1.";

limits for_chunks(const answer_limits& most) noexcept {
  limits l;
  l.head = most.head;
  l.fields = most.fields;
  l.body = most.body;
  return l;
}

} // namespace

response_parser::response_parser(const answer_limits& most)
    : most_(most), chunk_limits_(for_chunks(most)), data_(std::make_unique<detail::response_data>()) {}

void response_parser::fail(errc code, std::string reason) {
  why_ = error(code, "the answer is refused: " + std::move(reason));
  state_ = state::failed;
}

void response_parser::fail_beyond(std::string_view what, std::size_t limit, std::string_view unit) {
  fail(errc::limit, fmt::format("{} than the limit of {} {}", what, limit, unit));
}

std::size_t response_parser::parse(std::string_view bytes) {
  const auto whole = bytes.size();
  begun_ |= !bytes.empty();
  while (!bytes.empty() && state_ == state::head) bytes.remove_prefix(parse_head(bytes));
  if (!bytes.empty() && state_ == state::body) parse_body(bytes);
  return whole - bytes.size();
}

void response_parser::end_of_input() {
  if (state_ == state::complete || state_ == state::failed) return;
  if (state_ == state::body && framing_ == framing::until_close) {
    state_ = state::complete;
    return;
  }
  if (!begun_) {
    why_ = error(errc::io, "the server closed the connection without an answer");
  } else if (state_ == state::head) {
    why_ = error(errc::io, "the connection ended within the header section of the answer");
  } else if (framing_ == framing::length) {
    why_ = error(errc::io, fmt::format("the connection ended {} bytes before the end of the answer's body", left_));
  } else {
    why_ = error(errc::io, "the connection ended before the last chunk of the answer's body");
  }
  state_ = state::failed;
}

void response_parser::break_off(const error& why) {
  why_ = why;
  state_ = state::failed;
}

// -- the header section -----------------------------------------------------------------------------------

/// Takes one line, or as much of it as there is.
std::size_t response_parser::parse_head(std::string_view bytes) {
  auto& head = data_->head;
  const auto end = bytes.find('\n');
  bytes = bytes.substr(0, end == bytes.npos ? end : end + 1);
  const auto room = most_.head + 1 - head.size();
  const auto taken = std::min(room, bytes.size());
  head.append(bytes.substr(0, taken));
  // Looked at before its line is complete: what is no HTTP, a greeting of some other protocol, has perhaps no lines.
  const auto start = std::string_view(head).substr(0, version_start.size());
  if (!version_start.starts_with(start)) return fail(errc::parse, "it does not begin with HTTP/1.1 or HTTP/1.0"), taken;
  if (head.size() > most_.head) return fail_beyond("the header section is longer", most_.head, "bytes"), taken;
  if (end == bytes.npos) return taken;
  auto line = std::string_view(head).substr(line_);
  if (line.size() < 2 || line[line.size() - 2] != '\r')
    return fail(errc::parse, "a line ends with LF alone, not with CR LF"), taken;
  line.remove_suffix(2);
  const bool first = line_ == 0;
  line_ = head.size();
  if (first) {
    parse_status_line(line);
  } else if (line.empty()) {
    finish_head();
  }
  return taken;
}

bool response_parser::parse_status_line(std::string_view line) {
  auto& d = *data_;
  const auto version = line.substr(version_start.size(), 2);
  const auto code = line.substr(std::min<std::size_t>(9, line.size()), 3);
  const bool well_formed = version.size() == 2 && is(version[0], digit_char) && version[1] == ' ' && code.size() == 3 &&
                           all_of(code, digit_char) && (line.size() == 12 || line[12] == ' ') &&
                           span_of_value(line) == line.size();
  if (!well_formed)
    return fail(errc::parse, "the status line is not a version, a number of three digits and a reason"), false;
  d.minor_version = version[0] == '0' ? 0 : 1;
  d.status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  if (d.status < 100 || d.status > 599) return fail(errc::parse, fmt::format("there is no status {}", code)), false;
  return true;
}

void response_parser::finish_head() {
  auto& d = *data_;
  if (!parse_fields()) return;
  if (d.status == 101) return fail(errc::parse, "it switches to another protocol, which nobody asked for");
  if (d.status < 200) { // an interim answer: the final one follows
    if (++interim_ > most_interim) return fail_beyond("there are more", most_interim, "interim answers");
    d.head.clear();
    d.fields.clear();
    line_ = 0;
    coding_ = {};
    has_length_ = says_close_ = says_keep_alive_ = false;
    left_ = 0;
    return;
  }
  status_ = d.status;
  if (!choose_framing()) return;
  keep_alive_ = framing_ != framing::until_close && !says_close_ && (d.minor_version >= 1 || says_keep_alive_);
  const bool empty = framing_ == framing::none || (framing_ == framing::length && left_ == 0);
  state_ = empty ? state::complete : state::body;
}

bool response_parser::parse_fields() {
  auto& d = *data_;
  auto rest = std::string_view(d.head);
  const auto status_end = rest.find('\n') + 1;
  d.reason = trimmed(rest.substr(12, status_end - 14));
  rest.remove_prefix(status_end);
  while (rest.size() > 2) { // the empty line stays
    const auto end = rest.find('\n') + 1;
    const auto line = rest.substr(0, end - 2);
    rest.remove_prefix(end);
    const auto name_length = field_name_length(line);
    if (name_length == 0 || span_of_value(line) != line.size()) return fail(errc::parse, why_no_field(line)), false;
    if (d.fields.size() == most_.fields)
      return fail_beyond("the header section has more", most_.fields, "fields"), false;
    d.fields.push_back(split_field(line, name_length));
    if (const char* const fault = note_field(d.fields.back())) return fail(errc::parse, fault), false;
  }
  return true;
}

const char* response_parser::note_field(const field& f) {
  if (same_word(f.name, "connection")) {
    for_each_element(f.value, [this](std::string_view option) {
      says_close_ |= same_word(option, "close");
      says_keep_alive_ |= same_word(option, "keep-alive");
    });
  } else if (same_word(f.name, "content-length")) {
    if (std::exchange(has_length_, true)) return "there is more than one Content-Length field";
    const auto length = read_content_length(f.value);
    if (!length) return "the Content-Length is not one number of at most 64 bits";
    left_ = *length;
  } else if (same_word(f.name, "transfer-encoding")) {
    return coding_.read(f.value);
  }
  return nullptr;
}

/// Source: RFC 9112 section 6.3.
bool response_parser::choose_framing() {
  const auto status = data_->status;
  if (coding_.given) {
    if (has_length_) return fail(errc::parse, "there are both a Content-Length and a Transfer-Encoding field"), false;
    if (data_->minor_version == 0)
      return fail(errc::parse, "an HTTP/1.0 answer cannot have a Transfer-Encoding"), false;
    if (!coding_.chunked || coding_.other)
      return fail(errc::parse, "no Transfer-Encoding but chunked is decoded, and none was asked for"), false;
  }
  if (most_.to_head || status == 204 || status == 304) return true;
  framing_ = coding_.given ? framing::chunked : has_length_ ? framing::length : framing::until_close;
  if (framing_ == framing::length && left_ > most_.body)
    return fail_beyond(fmt::format("its body of {} bytes is longer", left_), most_.body, "bytes"), false;
  return true;
}

// -- the body ---------------------------------------------------------------------------------------------

void response_parser::parse_body(std::string_view& bytes) {
  if (framing_ == framing::chunked) {
    refusal why;
    const auto now = chunks_.decode(bytes, body_, chunk_limits_, why);
    if (now == chunk_decoder::outcome::done) state_ = state::complete;
    if (now == chunk_decoder::outcome::failed)
      fail(why.status == 413 || why.status == 431 ? errc::limit : errc::parse, std::move(why.reason));
    return;
  }
  if (framing_ == framing::length) {
    if (body_.empty()) body_.reserve(std::min(left_, first_body_room));
    const auto n = std::min<std::uint64_t>(left_, bytes.size());
    body_.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    left_ -= n;
    if (left_ == 0) state_ = state::complete;
    return;
  }
  if (bytes.size() > most_.body - std::min(body_.size(), most_.body))
    return fail_beyond("the body is longer", most_.body, "bytes");
  body_.append(bytes);
  bytes = {};
}

} // namespace greenroom::http::internal
