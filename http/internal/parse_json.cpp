// The one place that knows which parser reads JSON.
#include <greenroom/http/detail/json_value.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#ifdef GREENROOM_HAS_JSON
#include <nlohmann/json.hpp>
#endif

namespace greenroom::http::detail {

#ifdef GREENROOM_HAS_JSON
namespace {

using library = nlohmann::json;

/// Replaces all but the beginning of what was read last, which may be as long as the document.
std::string without_token(std::string text) {
  constexpr std::size_t most = 40;
  constexpr std::string_view before = "last read: '";
  const auto begin = text.find(before);
  if (begin == text.npos) return text;
  const auto expected = text.rfind("'; expected ");
  const auto end = expected == text.npos || expected < begin ? text.size() - 1 : expected;
  const auto from = begin + before.size();
  if (end - from > most) text.replace(from + most, end - from - most, "...");
  return text;
}

/// Takes what a client can use of "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing value - ...".
std::string sentence_of(std::string text) {
  if (text.find("number overflow") != text.npos) return "the number is beyond what a double can hold";
  for (const std::string_view lead : {"] ", ": ", "syntax error "}) {
    const auto at = text.find(lead);
    if (at != text.npos && at < 80) text.erase(0, at + lead.size());
  }
  return without_token(std::move(text));
}

/// Returns "line 1, column 2" for the place of a byte, both from 1. The parser's own is wrong behind the end of a line.
std::string place_of(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, byte);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto start = before.rfind('\n'); // of the line, less one
  return fmt::format("line {}, column {}", line, start == before.npos ? byte + 1 : byte - start);
}

/// Builds the document from what the parser tells.
class builder {
public:
  builder(std::string_view text, std::size_t depth) noexcept : text_(text), depth_(depth) {}

  bool null() { return put({nullptr}); }
  bool boolean(bool v) { return put({v}); }
  bool number_integer(library::number_integer_t v) { // of a text with a minus
    return v == 0 ? put({json_number{"-0"}}) : put({std::int64_t{v}});
  }
  bool number_unsigned(library::number_unsigned_t v) {
    return std::in_range<std::int64_t>(v) ? put({static_cast<std::int64_t>(v)}) : put({std::uint64_t{v}});
  }
  bool number_float(library::number_float_t, const std::string& text) {
    json_number n{text};
    // The parser has put the locale's decimal point into its copy.
    const auto point = n.text.find_first_not_of("0123456789+-eE");
    if (point != n.text.npos) n.text[point] = '.';
    return put({std::move(n)});
  }
  bool string(std::string& v) { return put({std::move(v)}); }
  bool binary(library::binary_t&) { return false; } // there is none in JSON
  bool start_object(std::size_t) { return open({json_value::object()}); }
  bool key(std::string& name) {
    std::get<json_value::object>(open_.back().is).push_back({std::move(name), {nullptr}});
    return true;
  }
  bool end_object() {
    const auto& all = std::get<json_value::object>(open_.back().is);
    if (const auto* const name = twice(all)) {
      why_ =
          fmt::format("the name '{}' stands twice in the object at '{}'", shortened(*name), pointer(open_.size() - 1));
      return false;
    }
    return close();
  }
  bool start_array(std::size_t) { return open({json_value::array()}); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t read, const std::string&, const library::exception& e) {
    why_ = fmt::format("{}: {}", place_of(text_, read == 0 ? 0 : read - 1), sentence_of(e.what()));
    return false;
  }

  json_value take() { return std::move(root_); }
  const std::string& why() const noexcept { return why_; }

private:
  bool open(json_value container) {
    if (open_.size() == depth_) {
      why_ = fmt::format("it is nested more than {} deep, the limit, at '{}'", depth_,
                         pointer(std::min<std::size_t>(depth_, 8)));
      return false;
    }
    open_.push_back(std::move(container));
    return true;
  }
  bool close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    return put(std::move(done));
  }
  bool put(json_value v) {
    if (open_.empty()) {
      root_ = std::move(v);
    } else if (auto* const list = std::get_if<json_value::array>(&open_.back().is)) {
      list->push_back(std::move(v));
    } else {
      std::get<json_value::object>(open_.back().is).back().value = std::move(v);
    }
    return true;
  }
  /// The path of the container at that depth.
  std::string pointer(std::size_t depth) const {
    std::string path;
    for (std::size_t i = 0; i < depth; ++i) {
      if (const auto* const list = std::get_if<json_value::array>(&open_[i].is))
        append_pointer(path, list->size());
      else
        append_pointer(path, std::get<json_value::object>(open_[i].is).back().name);
    }
    return shortened(path);
  }
  /// Sorted, so that an object with many names costs no more than it must.
  static const std::string* twice(const json_value::object& all) {
    std::vector<const std::string*> names;
    names.reserve(all.size());
    for (const auto& each : all) names.push_back(&each.name);
    std::sort(names.begin(), names.end(), [](const auto* a, const auto* b) { return *a < *b; });
    const auto same =
        std::adjacent_find(names.begin(), names.end(), [](const auto* a, const auto* b) { return *a == *b; });
    return same == names.end() ? nullptr : *same;
  }

  const std::string_view text_;
  const std::size_t depth_;
  std::vector<json_value> open_;
  json_value root_;
  std::string why_;
};

} // namespace

bool can_parse_json() noexcept { return true; }

result<json_value> parse_json(std::string_view text, std::size_t depth) {
  if (const auto zero = text.find('\0'); zero != text.npos) // which the parser takes for the end
    return error(errc::parse, fmt::format("{}: a zero byte, which no JSON text holds", place_of(text, zero)));
  if (text.starts_with("\xef\xbb\xbf")) // which the parser skips, and the next one may refuse
    return error(errc::parse, fmt::format("{}: a byte order mark, which no JSON text begins with", place_of(text, 0)));
  builder made(text, depth);
  if (!library::sax_parse(text.begin(), text.end(), &made)) return error(errc::parse, made.why());
  return made.take();
}

#else

bool can_parse_json() noexcept { return false; }

result<json_value> parse_json(std::string_view, std::size_t) {
  return error(errc::unsupported, "cannot read JSON: this build was made without a parser; install nlohmann-json3-dev "
                                  "and build it anew");
}

#endif

} // namespace greenroom::http::detail
