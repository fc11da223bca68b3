// Graphs from TOML files: the functions are compiled and registered, how they are wired can change without a rebuild.
//
//   node_library nodes;
//   nodes.add("read", read_orders).add("price", price).add("book", book, db);   // others of their arguments are given here
//   auto g = load_graph(nodes, "shop.toml");                                      // result<graph>
//   auto shop = run(sys, *std::move(g));
//
//   [graph]
//   name = "shop"
//
//   [nodes.intake]
//   run = "read"
//   settings = { file = "orders.csv" }       # for a function that takes a node_settings
//
//   [nodes.pricing]
//   run = "price"
//   replicas = 4                             # 1 if not given
//   restart = "transient"                    # permanent, transient or temporary
//
//   [[edges]]
//   from = "intake"                          # or "intake.0", its first output, if it has more
//   to = "pricing"
//   capacity = 256                           # 0: rendezvous; "unbounded"
//   when_full = "wait"                       # wait, reject, drop_newest or drop_oldest
//   broadcast = false                        # as are urgent, allow_cycle and by_key, options of an edge: see graph.hpp
//
// A file has no entries, groups and port names: what comes from outside, from an HTTP front say, needs a graph that is written.
// Thread safety: owner only. Lifetime: the graph needs the library no more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include <greenroom/actors/graph.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// What a file says to one node: a parameter of its function, the last one that is no port.
class GREENROOM_EXPORT node_settings {
public:
  /// Returns what is set, or `otherwise`. Errors: usage_error for a number that is none, which ends the node.
  std::string text(const std::string& key, std::string otherwise) const;
  std::int64_t number(const std::string& key, std::int64_t otherwise) const;

  std::map<std::string, std::string> values;
};

/// The functions that files may name. Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT node_library {
public:
  /// Registers a node function. `others` are its parameters that are no ports, less a last one that is a node_settings.
  /// Errors: usage_error for a name that is taken; at compile time if `others` do not fit.
  template <class F, class... Others>
  node_library& add(const std::string& name, F fn, Others... others) {
    using parameters = typename detail::signature<F>::parameters;
    constexpr auto wanted = detail::ports_of<parameters>::others;
    static_assert(
        wanted == sizeof...(Others) || wanted == sizeof...(Others) + 1,
        "node_library::add: give the function's parameters that are no ports, in order, less a last node_settings");
    return add_maker(name, [fn, given = std::tuple<Others...>(std::move(others)...)](
                               std::string node, std::source_location where, const node_options& how,
                               const node_settings& s) {
      if constexpr (wanted == sizeof...(Others)) {
        return detail::make_node(std::move(node), where, how, fn, given);
      } else {
        return detail::make_node(std::move(node), where, how, fn, std::tuple_cat(given, std::tuple<node_settings>(s)));
      }
    });
  }
  /// Registers a function that gives the key of an item of type T, for edges by key. Errors: usage_error for a name that is taken.
  template <class T, class Key>
  node_library& add_key(const std::string& name, Key key_of) {
    return add_key_maker(name, detail::type_name(typeid(T)),
                         [key_of](std::string node, std::source_location where, std::size_t partners) {
                           return detail::make_partition<T>(std::move(node), where, partners, key_of);
                         });
  }

  /// For load_graph().
  using maker =
      std::function<detail::node_record(std::string, std::source_location, const node_options&, const node_settings&)>;
  struct key_maker {
    std::string type;
    detail::junction_maker make;
  };
  const std::map<std::string, maker>& makers() const noexcept { return makers_; }
  const std::map<std::string, key_maker>& key_makers() const noexcept { return key_makers_; }

private:
  node_library& add_maker(const std::string& name, maker m);
  node_library& add_key_maker(const std::string& name, std::string type, detail::junction_maker make);

  std::map<std::string, maker> makers_;
  std::map<std::string, key_maker> key_makers_;
};

/// Reads a graph; it is not checked yet, run() does that. Waits: blocks the thread.
/// Errors: not_found or io when the file cannot be read; parse, with all that is wrong with it, each with file, line and column: unknown tables,
/// keys, functions and ports, values out of range, ports whose types differ; unsupported in a build without TOML.
GREENROOM_EXPORT result<graph> load_graph(const node_library& nodes, const std::filesystem::path& file);

} // namespace greenroom
