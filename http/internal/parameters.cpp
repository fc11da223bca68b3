#include <greenroom/http/internal/parameters.hpp>

#include <cstddef>

#include <greenroom/http/internal/characters.hpp>

namespace greenroom::http::internal {
namespace {

/// Takes a quoted text off, of which the first quote was seen.
bool take_quoted(std::string_view& rest, std::string& value, backslash rule) {
  for (std::size_t i = 1; i < rest.size(); ++i) {
    char c = rest[i];
    if (c == '"') {
      rest.remove_prefix(i + 1);
      return true;
    }
    if (c == '\\' && i + 1 < rest.size() && (rule == backslash::escapes || rest[i + 1] == '"' || rest[i + 1] == '\\'))
      c = rest[++i];
    if (!is(c, value_char)) return false;
    value += c;
  }
  return false;
}

} // namespace

parameter_outcome next_parameter(std::string_view& rest, parameter& found, backslash rule) {
  do {
    rest = trimmed(rest);
    if (rest.empty()) return parameter_outcome::none;
    if (rest.front() != ';') return parameter_outcome::malformed;
    rest = trimmed(rest.substr(1));
  } while (rest.empty() || rest.front() == ';');
  found = {.name = rest.substr(0, span_of(rest, token_char)), .value = {}};
  rest.remove_prefix(found.name.size());
  if (found.name.empty() || !rest.starts_with('=')) return parameter_outcome::malformed;
  rest.remove_prefix(1);
  found.quoted = rest.starts_with('"');
  if (found.quoted)
    return take_quoted(rest, found.value, rule) ? parameter_outcome::found : parameter_outcome::malformed;
  found.value = rest.substr(0, span_of(rest, token_char));
  rest.remove_prefix(found.value.size());
  return found.value.empty() ? parameter_outcome::malformed : parameter_outcome::found;
}

} // namespace greenroom::http::internal
