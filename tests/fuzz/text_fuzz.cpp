// Small readers of texts: UTF-8 in pieces and as a whole against a table of its characters, base64 against its writer, names of files, and the
// parameters behind a value.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <greenroom/http/file_name.hpp>
#include <greenroom/http/internal/base64.hpp>
#include <greenroom/http/internal/disposition.hpp>
#include <greenroom/http/internal/parameters.hpp>
#include <greenroom/http/internal/sha1.hpp>
#include <greenroom/http/internal/utf8.hpp>
#include <greenroom/http/internal/websocket_frames.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;

/// Decodes one character after the other, and looks at their numbers.
bool decodes(std::string_view text) {
  while (!text.empty()) {
    const unsigned first = static_cast<unsigned char>(text[0]);
    const std::size_t n = first < 0x80   ? 1
                          : first < 0xc0 ? 0
                          : first < 0xe0 ? 2
                          : first < 0xf0 ? 3
                          : first < 0xf8 ? 4
                                         : 0;
    if (n == 0 || text.size() < n) return false;
    unsigned number = n == 1 ? first : first & (0xffU >> (n + 1));
    for (std::size_t i = 1; i < n; ++i) {
      const unsigned next = static_cast<unsigned char>(text[i]);
      if ((next & 0xc0) != 0x80) return false;
      number = number << 6 | (next & 63);
    }
    constexpr unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (number < least[n] || number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff)) return false;
    text.remove_prefix(n);
  }
  return true;
}

void try_utf8(std::string_view text, const cuts& at) {
  const bool sound = decodes(text);
  require(is_utf8(text) == sound, "a text is UTF-8 if its characters are");
  utf8_check check;
  bool so_far = true;
  for (const auto piece : at.of(text)) {
    require(!check.take(piece) || so_far, "a fault is for good");
    so_far = check.take("");
  }
  require((so_far && check.may_end()) == sound, "in pieces it is the same");
  if (sound) require(utf8_count(text) <= text.size(), "it has no more characters than bytes");
}

void try_base64(std::string_view text) {
  const auto written = base64(text);
  require(written.size() == (text.size() + 2) / 3 * 4, "base64 has four characters for three bytes");
  const auto back = base64_decode(written);
  require(back.has_value(), "what is written as base64 is taken");
  require_same(*back, text, "and comes back");
  if (const auto bytes = base64_decode(text)) require_same(base64(*bytes), text, "each sequence of bytes has one text");
}

void try_file_name(std::string_view text) {
  const auto safe = safe_file_name(text);
  const bool plain = !text.empty() && text.size() <= 255 && text != "." && text != ".." && decodes(text) &&
                     text.find('/') == text.npos && text.find('\\') == text.npos;
  require(!safe || plain, "a name that is safe leads nowhere else");
  if (safe) require_same(*safe, text, "and is not changed");
  if (safe) require(std::none_of(text.begin(), text.end(), is_control), "it has no control characters");
  require(safe || !plain || has_controls(text), "others are not refused");
}

void try_parameters(std::string_view text, backslash rule) {
  auto rest = text;
  std::string again;
  std::string before;
  parameter p;
  auto outcome = next_parameter(rest, p, rule);
  for (auto left = text.size(); outcome == parameter_outcome::found; outcome = next_parameter(rest, p, rule)) {
    require(rest.size() < left, "each parameter takes something off");
    left = rest.size();
    require(is_token(p.name) && (p.quoted || is_token(p.value)), "names, and values without quotes, are tokens");
    for (const char c : p.value) require(!is_control(c) || c == '\t', "a value holds no control character");
    before.append(p.name).append("=").append(p.value).append("\n");
    again.append(" ; ;").append(p.name).append("=\"");
    for (const char c : p.value) again.append(c == '"' || c == '\\' ? "\\" : "").append(1, c);
    again += '"';
  }
  if (outcome == parameter_outcome::none) require(rest.empty(), "parameters are walked to their end");
  std::string after;
  for (rest = again; next_parameter(rest, p, rule) == parameter_outcome::found;) {
    after.append(p.name).append("=").append(p.value).append("\n");
  }
  require(rest.empty(), "parameters that are written anew are taken");
  require_same(after, before, "and are the same");
}

void try_disposition(std::string_view text) {
  disposition read;
  const auto fault = parse_disposition(text, read);
  if (!fault.empty()) return require(read.name.empty() && !read.file_name, "what is refused is not read");
  const auto is_sound = [](std::string_view s) {
    return std::none_of(s.begin(), s.end(), [](char c) { return is_control(c) && c != '\t'; });
  };
  require(is_sound(read.name) && is_sound(read.file_name.value_or("")), "names hold no control character");
  require(read.name.size() + read.file_name.value_or("").size() <= text.size(), "and are no longer than what was sent");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 300)); // longer than the longest name
  const auto rule = from.choice() % 2 == 0 ? backslash::escapes : backslash::escapes_quotes_alone;
  const cuts at(from);
  const auto text = from.text();
  try_utf8(text, at);
  try_base64(text);
  try_file_name(text);
  try_parameters(text, rule);
  try_disposition(text);
  return 0;
}
