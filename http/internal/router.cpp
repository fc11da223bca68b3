#include <greenroom/http/internal/router.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/url.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::internal {
namespace {

constexpr std::size_t index_of(method m) noexcept { return static_cast<std::size_t>(m); }
constexpr auto method_count = index_of(method::connect) + 1;

struct segment {
  enum class kind { literal, parameter, rest };

  kind is = kind::literal;
  std::string text; // of a literal, decoded, or the name of the parameter
};

[[noreturn]] void refuse(std::string_view pattern, std::string_view why) {
  throw usage_error(fmt::format("http route '{}': {}", pattern, why));
}

bool is_identifier(std::string_view text) noexcept {
  return !text.empty() && !is(text.front(), digit_char) && std::all_of(text.begin(), text.end(), [](char c) {
    return c == '_' || is(c, digit_char) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
  });
}

segment parse_literal(std::string_view text, std::string_view pattern) {
  auto decoded = percent_decode(text);
  if (!decoded) refuse(pattern, "it holds a '%' that is not followed by two hexadecimal digits; a '%' itself is %25");
  if (decoded->find('\0') != std::string::npos) refuse(pattern, "it holds a zero byte, which no path may");
  return {segment::kind::literal, *std::move(decoded)};
}

segment parse_parameter(std::string_view text, bool last, std::string_view pattern) {
  const bool whole = text.size() >= 2 && text.front() == '{' && text.back() == '}';
  auto name = whole ? text.substr(1, text.size() - 2) : text;
  if (!whole || name.find_first_of("{}") != name.npos)
    refuse(pattern,
           "a parameter in braces must be a whole segment, as in /users/{id}/orders; a brace itself is %7B or %7D");
  const bool rest = name.size() >= 3 && name.substr(name.size() - 3) == "...";
  if (rest) name.remove_suffix(3);
  if (!is_identifier(name)) {
    refuse(pattern, fmt::format("'{}' is no name for a parameter; use letters, digits and '_', no digit first", name));
  }
  if (rest && !last)
    refuse(pattern, fmt::format("{{{}...}} takes the rest of the path and must be its last segment", name));
  return {rest ? segment::kind::rest : segment::kind::parameter, std::string(name)};
}

std::vector<segment> parse(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') refuse(pattern, "a pattern must begin with '/'");
  if (pattern.find_first_of("?# ") != pattern.npos)
    refuse(pattern, "a pattern is a path, without query, '#' or spaces; write a space as %20");
  std::vector<segment> segments;
  for (auto left = pattern;;) {
    left.remove_prefix(1);
    const auto slash = left.find('/');
    const auto text = left.substr(0, slash);
    const bool last = slash == left.npos;
    const bool braces = text.find_first_of("{}") != text.npos;
    auto next = braces ? parse_parameter(text, last, pattern) : parse_literal(text, pattern);
    const auto same_name = [&next](const segment& s) { return s.is != segment::kind::literal && s.text == next.text; };
    if (braces && std::any_of(segments.begin(), segments.end(), same_name))
      refuse(pattern, fmt::format("it has two parameters called '{}'", next.text));
    segments.push_back(std::move(next));
    if (last) return segments;
    left.remove_prefix(slash);
  }
}

} // namespace

struct router::node {
  struct end {
    const route* target = nullptr;
    std::string pattern;
  };

  std::map<std::string, std::unique_ptr<node>, std::less<>> literals;
  std::unique_ptr<node> parameter;
  std::unique_ptr<node> rest;
  std::string name;    // of the parameter or the rest that leads here, as
  std::string made_by; // this pattern calls it
  std::array<end, method_count> ends;
  std::string allow; // empty where no pattern ends

  const route* of(method m) const noexcept {
    const auto* const own = ends[index_of(m)].target;
    return own == nullptr && m == method::head ? of(method::get) : own;
  }
  bool ends_here() const noexcept { return !allow.empty(); }

  /// The node that a segment leads to, or null.
  node* next(const segment& s) const noexcept {
    if (s.is == segment::kind::parameter) return parameter.get();
    if (s.is == segment::kind::rest) return rest.get();
    const auto it = literals.find(s.text);
    return it == literals.end() ? nullptr : it->second.get();
  }
  node& make_next(const segment& s, std::string_view pattern) {
    if (auto* const there = next(s)) return *there;
    auto made = std::make_unique<node>();
    made->made_by = pattern;
    if (s.is == segment::kind::literal) return *(literals[s.text] = std::move(made));
    made->name = s.text;
    return *((s.is == segment::kind::rest ? rest : parameter) = std::move(made));
  }
  std::string allowed_with(method added) const {
    std::string all;
    for (std::size_t i = 0; i < method_count; ++i) {
      const auto each = static_cast<method>(i);
      const bool served = of(each) != nullptr || each == added || (each == method::head && added == method::get);
      if (!served && each != method::options) continue; // which the server answers by itself
      if (!all.empty()) all += ", ";
      all += to_string(each);
    }
    return all;
  }
};

/// One walk through the tree. The parameters are taken on the way back, innermost first, when the branch is known to be right.
struct router::search {
  const node* walk(const node& from, std::string_view left) {
    const auto slash = left.find('/');
    const auto text = left.substr(0, slash);
    const auto after = [&](const node& next) -> const node* {
      if (slash != left.npos) return walk(next, left.substr(slash + 1));
      return next.ends_here() ? &next : nullptr;
    };
    std::string storage;
    const auto decoded = decode(text, storage);
    if (const auto it = from.literals.find(decoded); it != from.literals.end()) {
      if (const auto* const end = after(*it->second)) return end;
    }
    if (from.parameter && !text.empty()) {
      if (const auto* const end = after(*from.parameter)) {
        parameters.emplace_back(from.parameter->name, decoded);
        return end;
      }
    }
    if (!from.rest || !from.rest->ends_here()) return nullptr; // no end: add() ran out of memory
    parameters.emplace_back(from.rest->name, decode(left, storage));
    return from.rest.get();
  }

  /// Requires: sound escapes.
  static std::string_view decode(std::string_view text, std::string& storage) {
    if (text.find('%') == text.npos) return text;
    storage = percent_decode(text).value();
    return storage;
  }

  parameter_list& parameters;
};

router::router() : root_(std::make_unique<node>()) {}
router::~router() = default;

void router::add(method m, std::string_view pattern, const route* r) {
  const auto segments = parse(pattern);
  const auto* seen = root_.get();
  for (auto s = segments.begin(); s != segments.end() && seen != nullptr; ++s) {
    seen = seen->next(*s);
    if (seen == nullptr || s->is == segment::kind::literal || seen->name == s->text) continue;
    refuse(pattern, fmt::format("it calls a parameter '{}' that '{}' calls '{}' at the same place; use one name",
                                s->text, seen->made_by, seen->name));
  }
  if (seen != nullptr) {
    const auto& taken = seen->ends[index_of(m)];
    if (taken.target != nullptr) {
      refuse(pattern, fmt::format("{} has a route for the same paths already: '{}'", to_string(m), taken.pattern));
    }
  }
  auto* at = root_.get();
  for (const auto& s : segments) at = &at->make_next(s, pattern);
  auto allow = at->allowed_with(m);
  at->ends[index_of(m)] = {r, std::string(pattern)};
  at->allow = std::move(allow);
}

router::match router::find(method m, std::string_view path, parameter_list& parameters) const {
  parameters.clear();
  match result;
  if (path.empty() || path.front() != '/') return result;
  result.bad_path = !escapes_are_whole(path);
  if (result.bad_path) return result;
  const auto* const end = search{parameters}.walk(*root_, path.substr(1));
  if (end == nullptr) return result;
  result.path_exists = true;
  result.allow = end->allow;
  result.found = end->of(m);
  if (result.found != nullptr) {
    std::reverse(parameters.begin(), parameters.end());
  } else {
    parameters.clear();
  }
  return result;
}

} // namespace greenroom::http::internal
