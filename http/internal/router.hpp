// Finds the route of a request: a tree with one level for each segment of the path.
// The path alone chooses the pattern, segment by segment: a literal goes before {a:uuid}, then come {a:uint}, {a:int}, {a:slug}, {a} and
// {rest...}; a branch that leads nowhere, or whose type the segment does not fit, is left again. Only then does the method choose the route: one that is missing there is not
// looked for under another pattern, which means another thing.
// A path that ends with '/' is another path than the one that does not: "/files/{rest...}" takes "/files/", with an empty
// rest, but "/files" only if that route asks for it and no other takes it. Segments are compared decoded, and an encoded slash does not split.
// Thread safety: routes are added by one thread; then find() any thread. Lifetime: the routes outlive the router, and the
// router what find() has given.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/detail/route_parameter.hpp>
#include <greenroom/http/message.hpp>

namespace greenroom::http::internal {

struct route;

class router {
public:
  using parameter_list = std::vector<detail::route_parameter>;

  struct match {
    const route* found = nullptr;
    bool path_exists = false;
    bool bad_path = false;  // an escape in it is malformed or stands for a zero byte; nothing was looked for
    std::string_view allow; // the methods of an existing path: "GET, HEAD, OPTIONS"
  };

  router();
  router(router&& other) noexcept;
  router& operator=(router&& other) noexcept;
  ~router();

  /// Adds a route. The literal segments of the pattern may hold escapes; "%7B" is a brace.
  /// Errors: usage_error with a sentence for a pattern that is malformed or taken, and for one that calls a parameter otherwise
  /// than another does at the same place. The table is then as it was.
  /// With `bare` a pattern "/files/{rest...}" also takes "/files", with an empty rest, where nothing else does.
  void add(const method& m, std::string_view pattern, const route* r, bool bare = false);

  /// Finds the route, and makes `parameters` those of the route, in the order of the path; none if there is no route.
  /// Cost: one step for each segment of the path, and for each branch that is left again, of which there are at most as
  /// many as patterns. Allocates for parameters and escapes only.
  match find(const method& m, std::string_view path, parameter_list& parameters) const;

  /// The methods of routes that are none of the common nine: what else this server knows.
  const std::vector<method>& own_methods() const noexcept { return own_methods_; }

private:
  struct node;
  struct search;

  std::unique_ptr<node> root_;
  std::vector<method> own_methods_;
};

} // namespace greenroom::http::internal
