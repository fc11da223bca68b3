// The router: any patterns and paths; what is found fits, what is not found fits nowhere, and a path that is written otherwise leads to the
// same. An input is lines: a digit or a colon for the method and a pattern in each, then an empty line, then paths.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/internal/route_pattern.hpp>
#include <greenroom/http/internal/router.hpp>
#include <greenroom/http/url.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using strings = std::vector<std::string>;
using values = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t most_routes = 16;
constexpr std::size_t most_paths = 8;

/// The method that a line begins with; ':' stands for one of somebody's own.
method method_for(std::string_view line) {
  static const method all[] = {method::get,   method::head,    method::post,  method::put,     method::delete_,
                               method::patch, method::options, method::trace, method::connect, method("PURGE")};
  return line.empty() ? method::get : all[(static_cast<unsigned char>(line[0]) - '0') % std::size(all)];
}

/// What a router finds.
struct answer {
  std::string told;
  std::optional<std::size_t> route;
  bool exists = false;
  bool bad = false;
  values parameters;
};

class table {
public:
  void add(std::string_view line) {
    const auto m = method_for(line);
    const auto pattern = std::string(line.substr(std::min<std::size_t>(1, line.size())));
    const auto before = ask(method::get, pattern);
    try {
      router_.add(m, pattern, mark(patterns_.size()));
      patterns_.emplace_back(m, split(pattern, '/'));
    } catch (const usage_error&) {
      require_same(ask(method::get, pattern).told, before.told, "a pattern that is refused changes nothing");
    }
  }
  void look_for(std::string_view line) const {
    const auto m = method_for(line);
    const auto path = std::string(line.substr(std::min<std::size_t>(1, line.size())));
    const auto got = ask(m, path);
    require(got.bad == (path.starts_with('/') && !is_sound(path)), "a path with malformed escapes is called bad");
    if (got.bad || !path.starts_with('/')) return require(!got.exists, "and leads nowhere");
    if (path.find('\0') != path.npos) return; // the parser lets none through, and encoded it is refused
    const auto segments = split(path, '/');
    if (got.route) {
      const auto& [of, pattern] = patterns_[*got.route];
      require(of == m || (of == method::get && m == method::head), "the route found is one for the method");
      const auto fit = match(pattern, segments);
      require(fit.has_value(), "the route found fits the path");
      require(*fit == got.parameters, "and its parameters are the parts of the path");
    }
    const auto fits = [&segments](const auto& each) { return match(each.second, segments).has_value(); };
    require(got.exists == std::any_of(patterns_.begin(), patterns_.end(), fits), "a path exists if a pattern fits");
    require_same(ask(m, encoded(segments)).told, got.told, "a path that is encoded otherwise leads to the same");
  }
  bool full() const { return patterns_.size() == most_routes; }

private:
  answer ask(method m, std::string_view path) const {
    router::parameter_list parameters;
    const auto found = router_.find(m, path, parameters);
    answer a;
    a.exists = found.path_exists;
    a.bad = found.bad_path;
    for (auto& [name, value, type] : parameters) {
      require(type == detail::parameter_type::any || type == detail::parameter_type::rest || !value.empty(),
              "a parameter with a type has a value");
      a.told.append(name).append("=").append(value).append("\n");
      a.parameters.emplace_back(name, value);
    }
    if (found.found != nullptr) {
      a.route = static_cast<std::size_t>(reinterpret_cast<const char*>(found.found) - marks);
      a.told += std::to_string(*a.route);
    }
    require(found.path_exists == !found.allow.empty(), "an existing path has methods");
    require(found.found == nullptr ||
                (", " + std::string(found.allow) + ",").find(", " + std::string(to_string(m))) != std::string::npos,
            "the method that is served is allowed");
    return a.told.append(found.path_exists ? " exists " : " nowhere ").append(found.allow), a;
  }

  static bool is_sound(std::string_view path) {
    return percent_decode(path).has_value() && path.find("%00") == path.npos;
  }
  static std::string plain(std::string_view text) { return percent_decode(text).value_or("malformed"); }
  static std::string encoded(const strings& segments) {
    std::string all;
    for (std::size_t i = 1; i < segments.size(); ++i) all += "/" + percent_encode(plain(segments[i]));
    return all;
  }
  static bool fits(std::string_view type_name, std::string_view value) {
    using detail::parameter_type;
    for (const auto type : {parameter_type::uuid, parameter_type::uint, parameter_type::int_, parameter_type::slug}) {
      if (name_of(type) == type_name) return internal::fits(type, value);
    }
    return false;
  }
  /// The parameters of a path that fits the pattern.
  static std::optional<values> match(const strings& pattern, const strings& path) {
    values got;
    for (std::size_t i = 1; i < pattern.size(); ++i) {
      const auto& p = pattern[i];
      if (i >= path.size()) return std::nullopt;
      if (p.starts_with('{') && p.ends_with("...}")) {
        std::string rest = plain(path[i]);
        for (auto j = i + 1; j < path.size(); ++j) rest += "/" + plain(path[j]);
        got.emplace_back(p.substr(1, p.size() - 5), rest);
        return got;
      }
      if (p.starts_with('{')) {
        const auto inside = p.substr(1, p.size() - 2);
        const auto colon = inside.find(':');
        const auto value = plain(path[i]);
        if (value.empty() || (colon != inside.npos && !fits(inside.substr(colon + 1), value))) return std::nullopt;
        got.emplace_back(inside.substr(0, colon), value);
      } else if (plain(p) != plain(path[i])) {
        return std::nullopt;
      }
    }
    if (pattern.size() != path.size()) return std::nullopt;
    return got;
  }

  // The router only hands routes out; their addresses tell them apart.
  static constexpr char marks[most_routes] = {};
  static const route* mark(std::size_t i) { return reinterpret_cast<const route*>(marks + i); }

  router router_;
  std::vector<std::pair<method, strings>> patterns_;
};

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const greenroom::fuzz::input from(data, std::min<std::size_t>(size, 512)); // enough for the few routes and paths
  greenroom::http::internal::table routes;
  bool in_paths = false;
  std::size_t paths = 0;
  for (const auto& line : greenroom::fuzz::split(from.text(), '\n')) {
    if (line.empty()) {
      in_paths = true;
    } else if (!in_paths) {
      if (!routes.full()) routes.add(line);
    } else if (++paths <= greenroom::http::internal::most_paths) {
      routes.look_for(line);
    }
  }
  return 0;
}
