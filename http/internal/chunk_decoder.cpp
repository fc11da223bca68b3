#include <greenroom/http/internal/chunk_decoder.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/http/internal/field_line.hpp>

namespace greenroom::http::internal {
namespace {

chunk_decoder::outcome fail(refusal& why, int status, std::string reason) {
  why = {status, std::move(reason)};
  return chunk_decoder::outcome::failed;
}

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

} // namespace

chunk_decoder::outcome chunk_decoder::decode(std::string_view& bytes, std::string& body, const limits& most,
                                             refusal& why) {
  while (!bytes.empty()) {
    if (at_ == at::data) {
      const auto n = std::min<std::uint64_t>(left_, bytes.size());
      body.append(bytes.substr(0, n));
      bytes.remove_prefix(n);
      left_ -= n;
      if (left_ == 0) at_ = at::data_cr;
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    const auto now = take(c, most, why);
    if (now != outcome::more) return now;
  }
  return outcome::more;
}

chunk_decoder::outcome chunk_decoder::take(char c, const limits& most, refusal& why) {
  switch (at_) {
  case at::data_cr:
    if (c != '\r') return fail(why, 400, "the data of a chunk is not followed by an end of line");
    at_ = at::data_lf;
    return outcome::more;
  case at::data_lf:
    if (c != '\n') return fail(why, 400, "the data of a chunk is not followed by an end of line");
    at_ = at::size_start;
    return outcome::more;
  case at::trailer_start:
  case at::trailer_name:
  case at::trailer_value:
  case at::trailer_end:
  case at::last_end:
    if (++counted_ > most.head)
      return fail(why, 431, fmt::format("the trailer section is longer than the limit of {} bytes", most.head));
    return take_trailer(c, most, why);
  default: return take_size(c, most, why);
  }
}

chunk_decoder::outcome chunk_decoder::take_size(char c, const limits& most, refusal& why) {
  if (at_ == at::size_start) left_ = 0, counted_ = 0, digits_ = 0;
  if (++counted_ > most.chunk_line)
    return fail(why, 400,
                fmt::format("the line with a chunk's size is longer than the limit of {} bytes", most.chunk_line));
  if (at_ == at::size_end) {
    if (c != '\n') return fail(why, 400, "the line with a chunk's size holds a CR that ends no line");
    at_ = left_ == 0 ? at::trailer_start : at::data;
    counted_ = 0;
    return outcome::more;
  }
  if (at_ != at::size_start && at_ != at::size) {
    if (c != '\r' && !is(c, value_char)) return fail(why, 400, "a chunk extension holds a control character");
    at_ = after(at_, c);
    if (at_ == at::malformed) return fail(why, 400, "a chunk extension is not of the form ;name or ;name=value");
    return outcome::more;
  }
  if (const int digit = hex_value(c); digit >= 0) {
    if (++digits_ > 16) return fail(why, 400, "the size of a chunk has more than 16 digits");
    left_ = left_ * 16 + static_cast<unsigned>(digit);
    at_ = at::size;
    return outcome::more;
  }
  if (at_ == at::size_start) return fail(why, 400, "a chunk does not begin with its size in hexadecimal digits");
  if (c != '\r' && c != ';' && !is_space(c))
    return fail(why, 400, "the size of a chunk is followed by neither an extension nor an end of line");
  const std::uint64_t longest = most_body_.value_or(most.body);
  if (left_ > longest - total_) // no sum: it could overflow
    return fail(why, 413, fmt::format("the body is longer than the limit of {} bytes", longest));
  total_ += left_;
  at_ = c == '\r' ? at::size_end : c == ';' ? at::name_start : at::size_gap;
  return outcome::more;
}

/// What follows a byte of the extensions; `malformed` where it must not stand. Nobody uses them, but who reads a quote or a gap otherwise
/// sees another end of the line. Source: RFC 9112 section 7.1.1.
chunk_decoder::at chunk_decoder::after(at now, char c) noexcept {
  const bool space = is_space(c);
  const bool token = is(c, token_char);
  switch (now) {
  case at::name_start: return space ? now : token ? at::name : at::malformed;
  case at::value_start: return space ? now : token ? at::value : c == '"' ? at::quoted : at::malformed;
  case at::quoted: return c == '"' ? at::quote_end : c == '\\' ? at::escaped : c != '\r' ? now : at::malformed;
  case at::escaped: return c != '\r' ? at::quoted : at::malformed;
  default: break;
  }
  if (c == ';') return at::name_start;
  if (c == '=' && (now == at::name || now == at::name_gap)) return at::value_start;
  if (space) return now == at::name || now == at::name_gap ? at::name_gap : at::size_gap;
  if (token && (now == at::name || now == at::value)) return now;
  return c == '\r' && now != at::size_gap && now != at::name_gap ? at::size_end : at::malformed;
}

chunk_decoder::outcome chunk_decoder::take_trailer(char c, const limits& most, refusal& why) {
  if (at_ == at::trailer_start && c == '\r') {
    at_ = at::last_end;
    return outcome::more;
  }
  if (at_ != at::last_end) {
    if (!trailers_) trailers_ = std::make_unique<detail::trailer_section>();
    trailers_->lines += c;
  }
  switch (at_) {
  case at::trailer_start:
    at_ = at::trailer_name;
    if (!is(c, token_char)) return fail(why, 400, "a trailer field does not begin with a name");
    if (++trailer_lines_ > most.fields)
      return fail(why, 431, fmt::format("there are more trailer fields than the limit of {}", most.fields));
    return outcome::more;
  case at::trailer_name:
    if (c == ':') {
      at_ = at::trailer_value;
    } else if (!is(c, token_char)) {
      return fail(why, 400,
                  "the name of a trailer field holds a character that is not allowed, or no colon follows it");
    }
    return outcome::more;
  case at::trailer_value:
    if (c == '\r') {
      at_ = at::trailer_end;
    } else if (!is(c, value_char)) {
      return fail(why, 400, "the value of a trailer field holds a control character");
    }
    return outcome::more;
  default:
    if (c != '\n') return fail(why, 400, "the trailer section holds a CR that ends no line");
    if (at_ == at::last_end) return outcome::done;
    at_ = at::trailer_start;
    return outcome::more;
  }
}

std::unique_ptr<detail::trailer_section> chunk_decoder::take_trailers() {
  if (!trailers_) return nullptr;
  trailers_->fields.reserve(trailer_lines_);
  for (std::string_view rest = trailers_->lines; !rest.empty();) {
    const auto end = rest.find('\r');
    const auto line = rest.substr(0, end);
    trailers_->fields.push_back(split_field(line, field_name_length(line)));
    rest.remove_prefix(end + 2);
  }
  return std::move(trailers_);
}

} // namespace greenroom::http::internal
