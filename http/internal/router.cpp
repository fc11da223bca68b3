#include <greenroom/http/internal/router.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/route_pattern.hpp>
#include <greenroom/http/url.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::internal {
struct router::node {
  struct end {
    method how;
    const route* target = nullptr;
    std::string pattern;
    bool bare = false;
  };

  using literal = std::pair<std::string, std::unique_ptr<node>>;

  static constexpr std::size_t few = 8; // so many are looked through, more searched by halves
  static std::vector<literal>::const_iterator place_of(std::string_view text, const std::vector<literal>& in) noexcept {
    return std::lower_bound(in.begin(), in.end(), text,
                            [](const literal& l, std::string_view t) { return l.first < t; });
  }

  std::vector<std::vector<literal>> literals; // those of each length, which tells most of them apart, in order
  std::vector<std::pair<parameter_type, std::unique_ptr<node>>> typed; // in the order in which they are tried
  std::unique_ptr<node> parameter;
  std::unique_ptr<node> rest;
  std::string name;        // of the parameter or the rest that leads here, as
  std::string made_by;     // this pattern calls it
  std::vector<end> ends;   // one for each method that has a route: few, so a walk is quick
  std::string allow;       // empty where no pattern ends
  bool bare_below = false; // known of the root only: a look for such a route may succeed

  const end* own(const method& m) const noexcept {
    const auto it = std::find_if(ends.begin(), ends.end(), [&m](const end& e) { return e.how == m; });
    return it == ends.end() ? nullptr : &*it;
  }
  const end* of(const method& m) const noexcept {
    const auto* const found = own(m);
    return found == nullptr && m == method::head ? own(method::get) : found;
  }
  bool ends_here() const noexcept { return !allow.empty(); }
  bool takes_bare(const method& m) const noexcept {
    const auto* const found = of(m);
    return found != nullptr && found->bare;
  }

  node* find_literal(std::string_view text) const noexcept {
    if (text.size() >= literals.size()) return nullptr;
    const auto& same_length = literals[text.size()];
    auto it = same_length.begin();
    if (same_length.size() > few) {
      it = place_of(text, same_length);
    } else { // the first character tells most of the others apart, without a call
      while (it != same_length.end() && !text.empty() && (it->first[0] != text[0] || it->first != text)) ++it;
    }
    return it != same_length.end() && it->first == text ? it->second.get() : nullptr;
  }
  node& add_literal(std::string_view text, std::unique_ptr<node> next) {
    if (text.size() >= literals.size()) literals.resize(text.size() + 1);
    auto& same_length = literals[text.size()];
    return *same_length.emplace(place_of(text, same_length), text, std::move(next))->second;
  }

  /// The node that a segment leads to, or null.
  node* next(const segment& s) const noexcept {
    if (s.is == segment::kind::rest) return rest.get();
    if (s.is == segment::kind::parameter && s.type == parameter_type::any) return parameter.get();
    if (s.is == segment::kind::parameter) {
      const auto same = std::find_if(typed.begin(), typed.end(), [&s](const auto& t) { return t.first == s.type; });
      return same == typed.end() ? nullptr : same->second.get();
    }
    return find_literal(s.text);
  }
  node& make_next(const segment& s, std::string_view pattern) {
    if (auto* const there = next(s)) return *there;
    auto made = std::make_unique<node>();
    made->made_by = pattern;
    if (s.is == segment::kind::literal) return add_literal(s.text, std::move(made));
    made->name = s.text;
    if (s.is == segment::kind::rest) return *(rest = std::move(made));
    if (s.type == parameter_type::any) return *(parameter = std::move(made));
    const auto behind = std::find_if(typed.begin(), typed.end(), [&s](const auto& t) { return t.first > s.type; });
    return *typed.emplace(behind, s.type, std::move(made))->second;
  }
  std::string allowed_with(const method& added) const {
    std::set<method> served{added, method::options}; // OPTIONS is answered by the server itself
    for (const auto& each : ends) served.insert(each.how);
    if (served.contains(method::get)) served.insert(method::head);
    std::string all;
    for (const auto& each : served) all.append(all.empty() ? "" : ", ").append(each.name());
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
    if (const auto* const next = from.find_literal(decoded)) {
      if (const auto* const end = after(*next)) return end;
    }
    for (const auto& [type, next] : from.typed) {
      if (!fits(type, decoded)) continue;
      if (const auto* const end = after(*next)) return take(*next, decoded, type), end;
    }
    if (from.parameter && !text.empty()) {
      if (const auto* const end = after(*from.parameter))
        return take(*from.parameter, decoded, parameter_type::any), end;
    }
    if (!from.rest || !from.rest->ends_here()) return nullptr; // no end: add() ran out of memory
    take(*from.rest, decode(left, storage), parameter_type::rest);
    return from.rest.get();
  }

  void take(const node& of, std::string_view value, parameter_type type) {
    parameters.push_back({of.name, std::string(value), type});
  }

  /// Requires: sound escapes.
  std::string_view decode(std::string_view text, std::string& storage) const {
    if (!escaped || text.find('%') == text.npos) return text;
    storage = percent_decode(text).value();
    return storage;
  }

  parameter_list& parameters;
  const bool escaped; // there is an escape somewhere in the path
};

router::router() : root_(std::make_unique<node>()) {}
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;
router::~router() = default;

void router::add(const method& m, std::string_view pattern, const route* r, bool bare) {
  const auto segments = parse_pattern(pattern);
  const auto* seen = root_.get();
  for (auto s = segments.begin(); s != segments.end() && seen != nullptr; ++s) {
    seen = seen->next(*s);
    if (seen == nullptr || s->is == segment::kind::literal || seen->name == s->text) continue;
    refuse_pattern(pattern,
                   fmt::format("it calls a parameter '{}' that '{}' calls '{}' at the same place; use one name",
                               s->text, seen->made_by, seen->name));
  }
  if (seen != nullptr) {
    if (const auto* const taken = seen->own(m)) {
      refuse_pattern(pattern,
                     fmt::format("{} has a route for the same paths already: '{}'", to_string(m), taken->pattern));
    }
  }
  if (!m.is_common() && std::ranges::find(own_methods_, m) == own_methods_.end()) own_methods_.push_back(m);
  auto* at = root_.get();
  for (const auto& s : segments) at = &at->make_next(s, pattern);
  auto allow = at->allowed_with(m);
  bare = bare && segments.back().is == segment::kind::rest;
  at->ends.push_back({m, r, std::string(pattern), bare});
  at->allow = std::move(allow);
  root_->bare_below = root_->bare_below || bare;
}

router::match router::find(const method& m, std::string_view path, parameter_list& parameters) const {
  parameters.clear();
  match result;
  if (path.empty() || path.front() != '/') return result;
  const bool escaped = path.find('%') != path.npos;
  result.bad_path = escaped && !escapes_are_whole(path);
  if (result.bad_path) return result;
  const auto* end = search{parameters, escaped}.walk(*root_, path.substr(1));
  if (end == nullptr && root_->bare_below && path.back() != '/') {
    end = search{parameters, escaped}.walk(*root_, std::string(path.substr(1)) + '/');
    if (end != nullptr && !end->takes_bare(m)) {
      parameters.clear();
      end = nullptr;
    }
  }
  if (end == nullptr) return result;
  result.path_exists = true;
  result.allow = end->allow;
  if (const auto* const chosen = end->of(m)) {
    result.found = chosen->target;
    std::reverse(parameters.begin(), parameters.end());
  } else {
    parameters.clear();
  }
  return result;
}

} // namespace greenroom::http::internal
