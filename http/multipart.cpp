#include <greenroom/http/multipart.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/disposition.hpp>
#include <greenroom/http/internal/parameters.hpp>

namespace greenroom::http {
namespace {

using internal::same_word;

constexpr std::size_t longest_boundary = 70;

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

bool is_boundary(std::string_view text) noexcept {
  static constexpr std::string_view others = "'()+_,-./:=? ";
  if (text.empty() || text.size() > longest_boundary || text.back() == ' ') return false;
  return std::ranges::all_of(text, [](char c) {
    const char lower = internal::to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
  });
}

error bad_content_type(errc code, std::string_view why) {
  return error(code, fmt::format("cannot read the form: its Content-Type {}", why));
}

/// Says how many bytes in front can be no part of a delimiter.
std::size_t undelimited(std::string_view bytes, std::string_view delimiter) noexcept {
  for (auto cr = bytes.find('\r'); cr != bytes.npos; cr = bytes.find('\r', cr + 1)) {
    if (delimiter.starts_with(bytes.substr(cr, delimiter.size()))) return cr;
  }
  return bytes.size();
}

} // namespace

result<std::string> boundary_of(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  if (!same_word(internal::trimmed(type), "multipart/form-data"))
    return bad_content_type(errc::unsupported, "is not multipart/form-data");
  auto rest = content_type.substr(type.size());
  std::optional<std::string> boundary;
  internal::parameter p;
  for (;;) {
    const auto outcome = internal::next_parameter(rest, p);
    if (outcome == internal::parameter_outcome::malformed)
      return bad_content_type(errc::parse,
                              "has a malformed parameter: put a boundary with special characters into quotes");
    if (outcome == internal::parameter_outcome::none) break;
    if (!same_word(p.name, "boundary")) continue;
    if (boundary) return bad_content_type(errc::parse, "names two boundaries");
    boundary = std::move(p.value);
  }
  if (!boundary) return bad_content_type(errc::parse, "names no boundary");
  if (!is_boundary(*boundary))
    return bad_content_type(errc::parse,
                            fmt::format("names a boundary that does not consist of 1 to {} of the characters "
                                        "that RFC 2046 allows",
                                        longest_boundary));
  return *std::move(boundary);
}

multipart_parser::multipart_parser(std::string_view boundary, const multipart_limits& most) : most_(most) {
  if (!is_boundary(boundary))
    throw usage_error("cannot read a multipart body: its boundary is none: take what boundary_of() returns");
  delimiter_.append("\r\n--").append(boundary);
}

result<multipart_parser::event> multipart_parser::next(std::string_view& bytes) {
  if (failure_) return *failure_;
  data_ = {};
  while (!bytes.empty()) {
    auto now = step(bytes);
    if (!now || *now != event::need_more) return now;
  }
  return event::need_more;
}

/// Takes something off; need_more means that there is no event yet.
result<multipart_parser::event> multipart_parser::step(std::string_view& bytes) {
  if (at_ == at::preamble || at_ == at::data) {
    const bool in_part = at_ == at::data;
    const auto what = scan(bytes);
    if (what == found::nothing) return event::need_more;
    if (what == found::delimiter) {
      at_ = at::delimited;
      return in_part ? event::part_end : event::need_more;
    }
    if (!in_part) return count_outside(std::exchange(data_, {}).size());
    if (data_.size() > most_.part_data - data_bytes_)
      return fail(errc::limit, fmt::format("its data is longer than the limit of {} bytes", most_.part_data));
    data_bytes_ += data_.size();
    return event::data;
  }
  if (at_ == at::head) return take_head(bytes);
  if (at_ == at::epilogue) return count_outside(std::exchange(bytes, {}).size());
  const char c = bytes.front();
  bytes.remove_prefix(1);
  return after_delimiter(c);
}

/// Looks for the delimiter; what is in front of it becomes data_. A delimiter holds no CR but its first byte, so that bytes which
/// began like one and went on otherwise hold no second beginning.
multipart_parser::found multipart_parser::scan(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (matched_ == 0) {
      data_ = bytes.substr(0, undelimited(bytes, delimiter_));
      bytes.remove_prefix(data_.size());
      if (!data_.empty()) return found::text;
    }
    while (!bytes.empty() && matched_ < delimiter_.size() && bytes.front() == delimiter_[matched_]) {
      bytes.remove_prefix(1);
      ++matched_;
    }
    if (matched_ == delimiter_.size()) {
      matched_ = unsent_ = 0;
      return found::delimiter;
    }
    if (bytes.empty()) break;
    data_ = std::string_view(delimiter_).substr(unsent_, matched_ - unsent_);
    matched_ = unsent_ = 0;
    if (!data_.empty()) return found::text;
  }
  return found::nothing;
}

/// Takes what follows a delimiter on its line. Source: RFC 2046 section 5.1.1, transport-padding and close-delimiter.
result<multipart_parser::event> multipart_parser::after_delimiter(char c) {
  switch (at_) {
  case at::delimited:
    if (c == '-') {
      at_ = at::dash;
      return event::need_more;
    }
    at_ = at::padding;
    [[fallthrough]];
  case at::padding:
    if (is_space(c)) return count_outside(1);
    if (c == '\n') return fail(errc::parse, "the line of a boundary ends with LF alone");
    if (c != '\r') return fail(errc::parse, "something else follows a boundary on its line");
    at_ = at::line_end;
    return event::need_more;
  case at::line_end:
    if (c != '\n') return fail(errc::parse, "the line of a boundary holds a CR that ends no line");
    return begin_part();
  case at::dash:
    if (c != '-') return fail(errc::parse, "something else follows a boundary on its line");
    at_ = at::closed;
    return event::end;
  case at::closed:
    if (is_space(c)) return count_outside(1);
    if (c != '\r') return fail(errc::parse, "something else follows the last boundary on its line");
    at_ = at::last_line_end;
    return event::need_more;
  default: // last_line_end
    if (c != '\n') return fail(errc::parse, "the line of the last boundary holds a CR that ends no line");
    at_ = at::epilogue;
    return event::need_more;
  }
}

result<multipart_parser::event> multipart_parser::begin_part() {
  if (parts_ == most_.parts)
    return fail(errc::limit, fmt::format("there are more parts than the limit of {}", most_.parts));
  ++parts_;
  at_ = at::head;
  head_.clear();
  line_ = 0;
  fields_.clear();
  content_type_ = {};
  return event::need_more;
}

result<multipart_parser::event> multipart_parser::take_head(std::string_view& bytes) {
  const auto lf = bytes.find('\n');
  const auto line = bytes.substr(0, lf == bytes.npos ? lf : lf + 1);
  if (line.size() > most_.part_head - head_.size())
    return fail(errc::limit, fmt::format("its header section is longer than the limit of {} bytes", most_.part_head));
  head_ += line;
  bytes.remove_prefix(line.size());
  if (lf == bytes.npos) return event::need_more;
  if (head_.size() < line_ + 2 || head_[head_.size() - 2] != '\r')
    return fail(errc::parse, "a line of its header section ends with LF alone");
  if (head_.size() != line_ + 2) {
    // "--b: c" could be a field. Who looks for boundaries before anything else sees one there, and another part behind it.
    if (std::string_view(head_).substr(line_).starts_with(std::string_view(delimiter_).substr(2)))
      return fail(errc::parse, "a line of its header section begins with the boundary");
    line_ = head_.size();
    return event::need_more;
  }
  at_ = at::data;
  data_bytes_ = 0;
  // A part without any data may end right here: then the empty line is the end of line that belongs to the delimiter.
  matched_ = unsent_ = 2;
  return read_fields();
}

result<multipart_parser::event> multipart_parser::read_fields() {
  std::string_view left = head_;
  for (left.remove_suffix(2); !left.empty();) {
    const auto line = left.substr(0, left.find('\n') - 1);
    left.remove_prefix(line.size() + 2);
    const auto name = line.substr(0, internal::span_of_name(line));
    if (name.empty() || name.size() == line.size() || line[name.size()] != ':')
      return fail(errc::parse, "a line of its header section is not of the form name: value");
    const auto value = internal::trimmed(line.substr(name.size() + 1));
    if (internal::span_of_value(value) != value.size())
      return fail(errc::parse, "the value of a header field holds a control character");
    fields_.push_back({name, value});
  }
  return read_known_fields();
}

result<multipart_parser::event> multipart_parser::read_known_fields() {
  std::optional<std::string_view> disposition;
  std::optional<std::string_view> type;
  for (const auto& f : fields_) {
    if (same_word(f.name, "content-disposition")) {
      if (disposition) return fail(errc::parse, "it has two Content-Dispositions");
      disposition = f.value;
    } else if (same_word(f.name, "content-type")) {
      if (type) return fail(errc::parse, "it has two Content-Types");
      type = f.value;
    } else if (same_word(f.name, "content-transfer-encoding") && !same_word(f.value, "binary") &&
               !same_word(f.value, "8bit") && !same_word(f.value, "7bit")) {
      return fail(errc::unsupported, "it has a Content-Transfer-Encoding: send the bytes as they are");
    }
  }
  if (!disposition) return fail(errc::parse, "it has no Content-Disposition");
  internal::disposition read;
  if (const auto fault = internal::parse_disposition(*disposition, read); !fault.empty())
    return fail(errc::parse, fault);
  name_ = std::move(read.name);
  file_name_ = std::move(read.file_name);
  content_type_ = type.value_or("");
  return event::part_begin;
}

result<multipart_parser::event> multipart_parser::count_outside(std::size_t n) {
  if (n > most_.outside - outside_)
    return fail(errc::limit, fmt::format("more than the limit of {} bytes belong to no part", most_.outside));
  outside_ += n;
  return event::need_more;
}

result<void> multipart_parser::finish() const {
  if (failure_) return *failure_;
  if (at_ == at::closed || at_ == at::epilogue) return {};
  if (at_ == at::last_line_end) return refusal(errc::parse, "the line of the last boundary ends with CR alone");
  return refusal(errc::parse, "the body stops before its last boundary");
}

error multipart_parser::fail(errc code, std::string_view why) { return failure_.emplace(refusal(code, why)); }

error multipart_parser::refusal(errc code, std::string_view why) const {
  const bool inside = at_ == at::head || at_ == at::data;
  const auto place =
      parts_ == 0 ? "in front of the first part" : fmt::format("{}part {}", inside ? "" : "behind ", parts_);
  return error(code, fmt::format("cannot read the multipart body: {}: {}", place, why));
}

result<std::vector<form_part>> parse_multipart(std::string_view content_type, std::string_view body,
                                               const multipart_limits& most) {
  const auto boundary = boundary_of(content_type);
  if (!boundary) return boundary.error();
  multipart_parser parser(*boundary, most);
  std::vector<form_part> parts;
  for (;;) {
    const auto event = parser.next(body);
    if (!event) return event.error();
    switch (*event) {
    case multipart_parser::event::part_begin: {
      auto& part = parts.emplace_back();
      part.name = parser.name();
      part.file_name = parser.file_name();
      part.content_type = parser.content_type();
      break;
    }
    case multipart_parser::event::data: parts.back().data += parser.data(); break;
    case multipart_parser::event::need_more: {
      const auto finished = parser.finish();
      if (!finished) return finished.error();
      return parts;
    }
    default: break;
    }
  }
}

} // namespace greenroom::http
