// JSON: a document is taken if it is one by RFC 8259, as a slow reader that is written from its grammar judges, and what is read is written as a
// text that says the same. An input is a document.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <greenroom/http/detail/json_value.hpp>
#include <greenroom/http/internal/utf8.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::detail {
namespace {

using namespace fuzz;

constexpr std::string_view digits = "0123456789";

/// Each function takes its production off the front, and says whether it was there.
class grammar {
public:
  grammar(std::string_view text, std::size_t depth) : left_(text), depth_(depth) {}

  bool document() {
    space();
    return value(0) && (space(), left_.empty());
  }

private:
  void space() { left_.remove_prefix(std::min(left_.size(), left_.find_first_not_of(" \t\r\n"))); }
  bool token(std::string_view expected) {
    if (!left_.starts_with(expected)) return false;
    left_.remove_prefix(expected.size());
    return true;
  }
  std::string_view run(std::string_view of) {
    const auto all = left_.substr(0, left_.find_first_not_of(of));
    left_.remove_prefix(all.size());
    return all;
  }
  bool value(std::size_t depth) {
    std::string ignored;
    if (left_.starts_with('"')) return string(ignored);
    if (left_.starts_with('{') || left_.starts_with('[')) return depth < depth_ && container(depth + 1);
    return token("null") || token("true") || token("false") || number();
  }
  bool container(std::size_t depth) {
    const bool object = left_.front() == '{';
    const std::string_view end = object ? "}" : "]";
    std::set<std::string> names;
    left_.remove_prefix(1);
    space();
    if (token(end)) return true;
    do {
      space();
      std::string name;
      if (object && !(string(name) && names.insert(name).second && (space(), token(":")))) return false;
      space();
      if (!value(depth)) return false;
      space();
    } while (token(","));
    return token(end);
  }
  bool number() {
    const std::string all(left_);
    token("-");
    if (!token("0") && run(digits).empty()) return false;
    if (token(".") && run(digits).empty()) return false;
    if (token("e") || token("E")) {
      if (!token("+")) token("-");
      if (run(digits).empty()) return false;
    }
    return std::isfinite(std::strtod(all.substr(0, all.size() - left_.size()).c_str(), nullptr));
  }
  bool string(std::string& to) {
    if (!token("\"")) return false;
    while (!token("\"")) {
      const auto length = internal::utf8_length(left_);
      if (length == 0 || static_cast<unsigned char>(left_[0]) < 0x20) return false;
      if (left_[0] == '\\') {
        left_.remove_prefix(1);
        if (!escape(to)) return false;
      } else {
        to += left_.substr(0, length);
        left_.remove_prefix(length);
      }
    }
    return true;
  }
  bool escape(std::string& to) {
    if (token("u")) {
      auto c = four();
      if (!c) return false;
      if (*c >= 0xd800 && *c < 0xdc00) {
        const auto low = token("\\u") ? four() : std::nullopt;
        if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
        c = 0x10000 + (*c - 0xd800) * 0x400 + (*low - 0xdc00);
      } else if (*c >= 0xdc00 && *c <= 0xdfff) {
        return false; // no character, so that it cannot become UTF-8
      }
      return append(to, *c), true;
    }
    constexpr std::string_view escapes = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const auto at = left_.empty() ? escapes.npos : escapes.find(left_[0]);
    if (at == escapes.npos) return false;
    to += meanings[at];
    left_.remove_prefix(1);
    return true;
  }
  std::optional<unsigned> four() {
    const std::string hex(left_.substr(0, 4));
    if (hex.size() != 4 || hex.find_first_not_of("0123456789abcdefABCDEF") != hex.npos) return std::nullopt;
    left_.remove_prefix(4);
    return static_cast<unsigned>(std::strtoul(hex.c_str(), nullptr, 16));
  }
  static void append(std::string& to, unsigned c) {
    const auto put = [&to](unsigned byte) { to += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (c < 0x80) return put(c);
    if (c < 0x800) {
      put(0xc0 | c >> 6);
    } else {
      put(c < 0x10000 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
      if (c >= 0x10000) put(0x80 | (c >> 12 & 63));
      put(0x80 | (c >> 6 & 63));
    }
    put(0x80 | (c & 63));
  }

  std::string_view left_;
  const std::size_t depth_;
};

/// Says whether two documents are the same, each number to the last digit.
bool same(const json_value& a, const json_value& b) {
  if (const auto* const list = std::get_if<json_value::array>(&a.is)) {
    const auto* const other = std::get_if<json_value::array>(&b.is);
    return other != nullptr && std::equal(list->begin(), list->end(), other->begin(), other->end(), same);
  }
  if (const auto* const all = std::get_if<json_value::object>(&a.is)) {
    const auto* const other = std::get_if<json_value::object>(&b.is);
    const auto alike = [](const json_member& x, const json_member& y) {
      return x.name == y.name && same(x.value, y.value);
    };
    return other != nullptr && std::equal(all->begin(), all->end(), other->begin(), other->end(), alike);
  }
  if (const auto* const text = std::get_if<std::string>(&a.is)) {
    const auto* const other = std::get_if<std::string>(&b.is);
    return other != nullptr && *text == *other && internal::is_utf8(*text);
  }
  if (const auto* const yes = std::get_if<bool>(&a.is)) {
    const auto* const other = std::get_if<bool>(&b.is);
    return other != nullptr && *yes == *other;
  }
  if (const auto* const number = std::get_if<json_number>(&a.is)) {
    const auto* const other = std::get_if<json_number>(&b.is);
    return other != nullptr && number->text == other->text &&
           number->value() == std::strtod(number->text.c_str(), nullptr);
  }
  return a.is.index() == b.is.index() && a.shown() == b.shown();
}

} // namespace
} // namespace greenroom::http::detail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::detail;
  if (!can_parse_json()) return 0;
  input from(data, std::min<std::size_t>(size, 400));
  const std::size_t depth = from.choice() % 2 == 0 ? 64 : 3;
  const auto text = from.text();
  const auto read = parse_json(text, depth);
  require(read.has_value() == grammar(text, depth).document(), "what is taken is JSON");
  if (!read) {
    const auto why = read.error().message();
    require(!why.empty() && why.size() < 1'000, "a refusal is a sentence, and not the document");
    require(std::none_of(why.begin(), why.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; }),
            "of one line");
    return 0;
  }
  const auto written = json_writer().value(*read).str();
  const auto again = parse_json(written, depth);
  require(again.has_value(), "what is written is read again");
  require(same(*read, *again), "as the same");
  require(written.find_first_of("\r\n") == written.npos, "a text that is written is one line");
  return 0;
}
