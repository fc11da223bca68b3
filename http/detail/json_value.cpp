#include <greenroom/http/detail/json_value.hpp>

#include <charconv>
#include <cmath>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include <greenroom/http/internal/utf8.hpp>

namespace greenroom::http::detail {
namespace {

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      const auto length = internal::utf8_length(text.substr(i));
      if (length == 0) {
        out += "\xef\xbf\xbd"; // U+FFFD
      } else {
        out.append(text, i, length);
      }
      i += length == 0 ? 1 : length;
      continue;
    }
    ++i;
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (c >= 0x20 && c != 0x7f) {
        out += static_cast<char>(c);
      } else {
        out.append("\\u00").append(1, digits[c >> 4]).append(1, digits[c & 15]);
      }
    }
  }
}

} // namespace

double json_number::value() const noexcept {
  double d = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), d);
  // Only what is too small for a double: what is too large is no json_number.
  if (read.ec == std::errc::result_out_of_range) d = text.starts_with('-') ? -0.0 : 0.0;
  return d;
}

std::string json_value::shown() const {
  return std::visit(overloaded{[](std::nullptr_t) -> std::string { return "null"; },
                               [](bool b) -> std::string { return b ? "true" : "false"; },
                               [](const std::string&) -> std::string { return "a string"; },
                               [](const array&) -> std::string { return "an array"; },
                               [](const object&) -> std::string { return "an object"; },
                               [](const json_number& n) { return shortened(n.text); },
                               [](auto number) { return fmt::format("{}", number); }},
                    is);
}

void append_pointer(std::string& to, std::string_view name) {
  to += '/';
  for (const char c : name) {
    if (c == '~') {
      to += "~0";
    } else if (c == '/') {
      to += "~1";
    } else {
      to += c;
    }
  }
}

void append_pointer(std::string& to, std::size_t index) { fmt::format_to(std::back_inserter(to), "/{}", index); }

std::string shortened(std::string_view text) {
  constexpr std::size_t most = 200; // bytes: many a path, and little to send back
  std::string told(text.substr(0, most));
  for (auto& c : told) { // what it goes into is one line, and may come into a log
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text.size() <= most ? told : told + "...";
}

json_writer& json_writer::key(std::string_view name) {
  text(name);
  out_ += ':';
  first_ = true;
  return *this;
}

json_writer& json_writer::text(std::string_view value) {
  begin();
  out_ += '"';
  append_escaped(out_, value);
  out_ += '"';
  return *this;
}

json_writer& json_writer::integer(std::int64_t value) {
  begin();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

json_writer& json_writer::integer(std::uint64_t value) {
  begin();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

json_writer& json_writer::real(double value, bool single) {
  if (!std::isfinite(value)) throw usage_error(fmt::format("http: a JSON text cannot hold the number {}", value));
  begin(); // the shortest text that reads back as the same number
  if (single) {
    fmt::format_to(std::back_inserter(out_), "{}", static_cast<float>(value));
  } else {
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  return *this;
}

json_writer& json_writer::value(const json_value& v) {
  std::visit(overloaded{[this](std::nullptr_t) { null(); }, [this](bool b) { boolean(b); },
                        [this](const std::string& s) { text(s); },
                        [this](const json_value::array& all) {
                          open_array();
                          for (const auto& each : all) value(each);
                          close_array();
                        },
                        [this](const json_value::object& all) {
                          open_object();
                          for (const auto& each : all) key(each.name).value(each.value);
                          close_object();
                        },
                        [this](const json_number& n) { raw(n.text); }, [this](auto n) { number(n); }},
             v.is);
  return *this;
}

} // namespace greenroom::http::detail
