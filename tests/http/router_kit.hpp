// What the tests of the router share: a router whose routes are known by their patterns.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/internal/route.hpp>
#include <greenroom/http/internal/router.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::internal::test {

using values = std::vector<std::pair<std::string, std::string>>;

class table {
public:
  table() = default;
  table(std::initializer_list<std::string_view> patterns) {
    for (const auto each : patterns) add(each);
  }

  void add(std::string_view pattern, method m = method::get) {
    auto& r = routes_.emplace_back(std::make_unique<route>());
    r->method = m;
    r->pattern = pattern;
    routes.add(m, pattern, r.get());
  }
  /// Says what is wrong with a pattern.
  std::string fault(std::string_view pattern, method m = method::get) {
    try {
      add(pattern, m);
    } catch (const usage_error& e) {
      return e.what();
    }
    return "none";
  }
  router::match find(std::string_view path, method m = method::get) {
    const auto found = routes.find(m, path, parameters_);
    got.clear();
    for (const auto& p : parameters_) got.emplace_back(p.name, p.value);
    return found;
  }
  /// The pattern that a path leads to, or what else comes out.
  std::string leads(std::string_view path, method m = method::get) {
    const auto found = find(path, m);
    if (found.bad_path) return "bad";
    if (found.found != nullptr) return found.found->pattern;
    return found.path_exists ? "not " + std::string(to_string(m)) : "nowhere";
  }
  /// The method of the route that serves.
  std::string_view serves(std::string_view path, method m) {
    const auto found = find(path, m);
    return found.found != nullptr ? to_string(found.found->method) : "none";
  }

  router routes;
  values got; // the parameters of the last path

private:
  std::vector<std::unique_ptr<route>> routes_;
  router::parameter_list parameters_;
};

} // namespace greenroom::http::internal::test
