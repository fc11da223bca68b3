#include <greenroom/http/internal/disposition.hpp>

#include <utility>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/parameters.hpp>
#include <greenroom/http/internal/utf8.hpp>
#include <greenroom/http/url.hpp>

namespace greenroom::http::internal {
namespace {

/// Says whether such a character stands for itself in an extended value, or begins an escape.
bool is_extended_char(char c) noexcept {
  return is(c, token_char) && c != '*' && c != '\''; // of the token characters these alone are not allowed
}

/// Reads UTF-8'language'text%20with%20escapes. Source: RFC 8187 section 3.2.1.
std::optional<std::string> parse_extended(std::string_view text) {
  constexpr std::string_view charset = "utf-8'";
  if (!same_word(text.substr(0, charset.size()), charset)) return std::nullopt;
  text.remove_prefix(charset.size());
  const auto quote = text.find('\'');
  if (quote == text.npos) return std::nullopt;
  for (const char c : text.substr(0, quote)) {
    if (!is(c, token_char) || c == '%') return std::nullopt;
  }
  text.remove_prefix(quote + 1);
  for (const char c : text) {
    if (!is_extended_char(c)) return std::nullopt;
  }
  auto decoded = percent_decode(text);
  if (!decoded || !is_utf8(*decoded) || has_controls(*decoded)) return std::nullopt;
  return decoded;
}

} // namespace

std::string_view parse_disposition(std::string_view value, disposition& into) {
  const auto type = value.substr(0, span_of(value, token_char));
  if (!same_word(type, "form-data")) return "its Content-Disposition is not form-data";
  std::optional<std::string> name;
  std::optional<std::string> plain;
  std::optional<std::string> extended;
  parameter p;
  auto rest = value.substr(type.size());
  for (;;) {
    switch (next_parameter(rest, p, backslash::escapes_quotes_alone)) {
    case parameter_outcome::malformed: return "its Content-Disposition is malformed";
    case parameter_outcome::none:
      if (!name) return "its Content-Disposition has no name";
      into = {std::move(*name), extended ? std::move(extended) : std::move(plain)};
      return {};
    case parameter_outcome::found: break;
    }
    if (same_word(p.name, "name")) {
      if (name) return "its Content-Disposition has two names";
      name = std::move(p.value);
    } else if (same_word(p.name, "filename")) {
      if (plain) return "its Content-Disposition has two file names";
      plain = std::move(p.value);
    } else if (same_word(p.name, "filename*")) {
      if (extended) return "its Content-Disposition has two file names of the form filename*";
      if (!p.quoted) extended = parse_extended(p.value);
      if (!extended) return "the filename* of its Content-Disposition is no escaped text in UTF-8";
    } else if (same_word(p.name, "name*")) {
      return "its Content-Disposition has a name*, which forms must not have";
    }
  }
}

} // namespace greenroom::http::internal
