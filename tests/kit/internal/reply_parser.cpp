#include <greenroom/testkit/internal/reply_parser.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace greenroom::testkit::internal {
namespace {

constexpr std::size_t longest_size_line = 1'024;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_token_char(char c) noexcept {
  return is_digit(c) || is_alpha(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_text(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return c == '\t' || (u >= 0x20 && u != 0x7f);
  });
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The number, if `text` is one throughout and fits.
std::optional<std::uint64_t> number(std::string_view text, int base) {
  const auto fits = [base](char c) { return is_digit(c) || (base == 16 && lower(c) >= 'a' && lower(c) <= 'f'); };
  std::uint64_t n = 0;
  if (text.empty() || !std::all_of(text.begin(), text.end(), fits)) return std::nullopt;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  if (failure != std::errc()) return std::nullopt;
  return n;
}

} // namespace

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}
bool is_field_value(std::string_view text) noexcept { return is_text(text) && trimmed(text) == text; }
bool equal_without_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}
bool list_has(std::string_view list, std::string_view one) noexcept {
  for (;;) {
    const auto comma = std::min(list.find(','), list.size());
    if (equal_without_case(trimmed(list.substr(0, comma)), one)) return true;
    if (comma == list.size()) return false;
    list.remove_prefix(comma + 1);
  }
}

std::string shown(std::string_view text) {
  constexpr std::size_t most = 80;
  std::string out = "'";
  for (const char c : text.substr(0, most)) {
    const auto u = static_cast<unsigned char>(c);
    out += u >= 0x20 && u < 0x7f ? std::string(1, c) : fmt::format("\\x{:02x}", u);
  }
  return out + (text.size() > most ? "...'" : "'");
}

reply_parser::outcome reply_parser::fail(errc code, std::string text) {
  why_ = error(code, std::move(text));
  return outcome::failed;
}

reply_parser::outcome reply_parser::take(std::string_view& bytes) {
  begun_ = begun_ || !bytes.empty();
  auto o = at_ == at::done ? outcome::done : outcome::more;
  while (o == outcome::more && !bytes.empty()) o = step(bytes);
  return o;
}

reply_parser::outcome reply_parser::step(std::string_view& bytes) {
  if (at_ == at::body || at_ == at::body_to_end || at_ == at::chunk) return take_body(bytes);
  const bool in_head = at_ != at::chunk_size && at_ != at::chunk_end;
  const auto end = bytes.find('\n');
  const bool whole = end != std::string_view::npos;
  const auto n = whole ? end + 1 : bytes.size();
  if (line_.size() + n > (in_head ? most_.head - head_ : longest_size_line)) {
    if (in_head) return fail(errc::limit, fmt::format("the head of the answer is larger than {} bytes", most_.head));
    return fail(errc::parse, fmt::format("a chunk's size line is longer than {} bytes", longest_size_line));
  }
  line_.append(bytes.substr(0, n));
  bytes.remove_prefix(n);
  if (at_ == at::chunk_end && !std::string_view("\r\n").starts_with(line_)) {
    return fail(errc::parse, fmt::format("no line end follows a chunk, but {}", shown(line_)));
  }
  if (!whole) return outcome::more;
  if (in_head) head_ += line_.size();
  line_.pop_back();
  if (!line_.ends_with('\r')) {
    return fail(errc::parse, fmt::format("a line ends with LF alone, without CR: {}", shown(line_)));
  }
  line_.pop_back();
  const auto o = take_line();
  line_.clear();
  return o;
}

reply_parser::outcome reply_parser::take_line() {
  switch (at_) {
  case at::status_line: return take_status_line();
  case at::field: return line_.empty() ? end_of_head() : take_field(true);
  case at::chunk_size: return take_chunk_size();
  case at::chunk_end: return at_ = at::chunk_size, outcome::more;
  default: return line_.empty() ? finish() : take_field(false);
  }
}

reply_parser::outcome reply_parser::take_status_line() {
  const std::string_view line = line_;
  const auto code = line.size() < 13 ? 0 : number(line.substr(9, 3), 10).value_or(0);
  const bool known = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  const bool well_formed = known && code >= 100 && code <= 599 && line[12] == ' ' && is_text(line.substr(13));
  if (!well_formed) {
    return fail(errc::parse, fmt::format("the status line is malformed: {}", shown(line)));
  }
  old_ = line[7] == '0';
  reply_.status = static_cast<int>(code);
  reply_.reason = line.substr(13);
  at_ = at::field;
  return outcome::more;
}

reply_parser::outcome reply_parser::take_field(bool keep) {
  const std::string_view line = line_;
  const auto colon = std::min(line.find(':'), line.size());
  const auto name = line.substr(0, colon);
  if (colon == line.size() || !is_token(name) || !is_text(line.substr(colon))) {
    return fail(errc::parse, fmt::format("a header field is malformed: {}", shown(line)));
  }
  if (keep) reply_.fields.emplace_back(name, trimmed(line.substr(colon + 1)));
  return outcome::more;
}

reply_parser::outcome reply_parser::end_of_head() {
  if (reply_.status == 101) return fail(errc::parse, "the server switches protocols, which nobody asked for");
  if (reply_.status < 200) { // interim: the answer is still to come
    reply_ = {};
    at_ = at::status_line;
    return outcome::more;
  }
  bool close = false;
  bool keep = false;
  for (const auto& [name, value] : reply_.fields) {
    if (!equal_without_case(name, "Connection")) continue;
    close = close || list_has(value, "close");
    keep = keep || list_has(value, "keep-alive");
  }
  keeps_ = !close && (!old_ || keep);
  return read_framing();
}

reply_parser::outcome reply_parser::read_framing() {
  const std::string* length = nullptr;
  const std::string* coding = nullptr;
  for (const auto& [name, value] : reply_.fields) {
    const bool is_length = equal_without_case(name, "Content-Length");
    if (!is_length && !equal_without_case(name, "Transfer-Encoding")) continue;
    auto& which = is_length ? length : coding;
    if (which != nullptr) return fail(errc::parse, fmt::format("the field {} comes twice", name));
    which = &value;
  }
  if (length != nullptr && coding != nullptr) {
    return fail(errc::parse, "the answer has both Content-Length and Transfer-Encoding");
  }
  if (reply_.status == 204 && (length != nullptr || coding != nullptr)) {
    return fail(errc::parse, "an answer 204 must have neither Content-Length nor Transfer-Encoding");
  }
  if (coding != nullptr) {
    if (old_) return fail(errc::parse, "an answer of HTTP/1.0 must not have Transfer-Encoding");
    if (!equal_without_case(*coding, "chunked")) {
      return fail(errc::unsupported, fmt::format("the transfer coding is not chunked but {}", shown(*coding)));
    }
  }
  if (length != nullptr) {
    if (const auto o = read_length(*length); o == outcome::failed) return o;
  }
  if (to_head_ || reply_.status == 204 || reply_.status == 304) return finish();
  if (coding != nullptr) {
    at_ = at::chunk_size;
  } else if (length == nullptr) {
    at_ = at::body_to_end;
    keeps_ = false;
  } else if (left_ > most_.body) {
    return fail(errc::limit, fmt::format("the body has {} bytes, more than {}", left_, most_.body));
  } else if (left_ == 0) {
    return finish();
  } else {
    at_ = at::body;
  }
  return outcome::more;
}

reply_parser::outcome reply_parser::read_length(std::string_view text) {
  const auto n = number(text, 10);
  if (!n) return fail(errc::parse, fmt::format("Content-Length is no number: {}", shown(text)));
  left_ = *n;
  return outcome::more;
}

reply_parser::outcome reply_parser::take_chunk_size() {
  const std::string_view line = line_;
  const auto digits = std::min(line.find(';'), line.size());
  const auto size = number(line.substr(0, digits), 16);
  if (!size || !is_text(line)) return fail(errc::parse, fmt::format("a chunk's size is malformed: {}", shown(line)));
  if (*size > most_.body - reply_.body.size()) {
    return fail(errc::limit, fmt::format("the body has more than {} bytes", most_.body));
  }
  left_ = *size;
  at_ = *size == 0 ? at::trailer : at::chunk;
  return outcome::more;
}

reply_parser::outcome reply_parser::take_body(std::string_view& bytes) {
  if (at_ == at::body_to_end) {
    if (bytes.size() > most_.body - reply_.body.size()) {
      return fail(errc::limit, fmt::format("the body has more than {} bytes", most_.body));
    }
    reply_.body.append(std::exchange(bytes, {}));
    return outcome::more;
  }
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  reply_.body.append(bytes.substr(0, n));
  bytes.remove_prefix(n);
  left_ -= n;
  if (left_ != 0) return outcome::more;
  if (at_ == at::body) return finish();
  at_ = at::chunk_end;
  return outcome::more;
}

reply_parser::outcome reply_parser::end() {
  switch (at_) {
  case at::done: return outcome::done;
  case at::body_to_end: return finish();
  case at::body:
    return fail(errc::io, fmt::format("the connection ended within the body, with {} of {} bytes missing", left_,
                                      left_ + reply_.body.size()));
  case at::status_line:
  case at::field:
    return fail(errc::io, begun_ ? "the connection ended within the head of the answer"
                                 : "the connection ended before the answer began");
  default:
    return fail(errc::io, fmt::format("the connection ended within a chunked body, after {} bytes of content",
                                      reply_.body.size()));
  }
}

} // namespace greenroom::testkit::internal
