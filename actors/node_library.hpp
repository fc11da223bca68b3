// node_library: the functions that graph files may name, compiled into the program or loaded from libraries beside it (node_plugin.hpp).
//
//   node_library nodes;
//   nodes.add("read", read_orders).add("price", price).add("book", book, db);   // others of their arguments are given here
//   nodes.load("libmore_nodes.so").value();
//
// Thread safety: owner only. Lifetime: a value; what is made of it needs it no more. A library that was loaded stays with the process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <source_location>
#include <string>
#include <tuple>
#include <typeinfo>
#include <utility>

#include <greenroom/actors/graph.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// What a file says to one node: a parameter of its function, the last one that is no port.
/// Thread safety: as a value.
class GREENROOM_EXPORT node_settings {
public:
  /// Returns what is set, or `otherwise`. Errors: usage_error for a number that is none, which ends the node.
  std::string text(const std::string& key, std::string otherwise) const;
  /// The same for numbers. Errors: usage_error for one that is none, which ends the node.
  std::int64_t number(const std::string& key, std::int64_t otherwise) const;

  std::map<std::string, std::string> values; ///< as they stand in the file
};

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT node_library {
public:
  /// Registers a node function. `others` are its parameters that are no ports, less a last one that is a node_settings. Actors of such nodes say
  /// that they were spawned here.
  /// Errors: usage_error for a name that is taken; at compile time if `others` do not fit.
  template <class F, class... Others>
  node_library& add(const node_name& name, F fn, Others... others) {
    using parameters = typename detail::signature<F>::parameters;
    constexpr auto wanted = detail::ports_of<parameters>::others;
    static_assert(
        wanted == sizeof...(Others) || wanted == sizeof...(Others) + 1,
        "node_library::add: give the function's parameters that are no ports, in order, less a last node_settings");
    return add_maker(name.text, [fn, given = std::tuple<Others...>(std::move(others)...), where = name.where](
                                    std::string node, const node_options& how, const node_settings& s) {
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
    return add_key_maker(name, typeid(T), [key_of](std::string node, std::source_location where, std::size_t partners) {
      return detail::make_partition<T>(std::move(node), where, partners, key_of);
    });
  }

  /// Registers what a library of nodes has, see node_plugin.hpp; one that was loaded before is fine. Waits: blocks the thread.
  /// Errors: not_found or io, there is no such file or it cannot be linked; unsupported, it is no library of nodes or was built for another
  /// greenroom; already_exists, naming both that have the function; failed, its registration threw. Nothing of it is registered then.
  result<void> load(const std::filesystem::path& library);

  /// For load_graph() and graph_command().
  using maker =
      std::function<detail::node_record(std::string name, const node_options& how, const node_settings& settings)>;
  /// A node function.
  struct function {
    maker make;       ///< makes a node of it
    std::string from; ///< the library; "": the program itself
  };
  /// A function that gives keys.
  struct key_function {
    const std::type_info* of;    ///< the type of its items
    detail::junction_maker make; ///< makes a junction of it
    std::string from;            ///< the library; "": the program itself
  };
  /// Returns all node functions by their names.
  const std::map<std::string, function>& functions() const noexcept { return functions_; }
  /// Returns all functions of keys by their names.
  const std::map<std::string, key_function>& keys() const noexcept { return keys_; }

private:
  node_library& add_maker(const std::string& name, maker m);
  node_library& add_key_maker(const std::string& name, const std::type_info& of, detail::junction_maker make);

  std::map<std::string, function> functions_;
  std::map<std::string, key_function> keys_;
  std::map<const void*, std::string> loaded_; // libraries, by what they export
  std::string from_;                          // whose functions are being registered
};

} // namespace greenroom
