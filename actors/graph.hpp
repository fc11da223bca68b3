// graph: a service as nodes and typed edges, checked as a whole before any of it starts. graph_service.hpp runs it.
//
//   graph g("shop");
//   auto intake = g.add("intake", read_orders, std::string("orders.csv"));       // an actor: task<> read_orders(std::string, address<order>)
//   auto pricer = g.add("pricing", {.replicas = 4}, price);                      // task<> price(mailbox<order>, address<quote>)
//   auto ledger = g.add("ledger", book);                                         // task<> book(mailbox<quote>)
//   g.connect(intake, pricer, bounded(256));                                     // the one pair of ports that fits
//   g.connect(pricer.out<0>(), ledger.in<0>(), bounded(64));                     // or by number
//   auto shop = run(sys, std::move(g));
//
// A node is a coroutine function. Its mailbox<T> parameters are its inputs, its address<T> parameters its outputs; the others are
// given to add(), in order, and copied for each start (see made_by for what cannot be). Outputs send, inputs receive: an output of T fits an input of T.
// An edge is the mailbox of its input. Edges that lead to the same input share it, so they have the same limits. An output has one edge, or
// several that are all made by broadcast().
// A node ends by itself when its inputs have ended. So when the nodes without inputs have ended, or the service is drained, the end runs along
// the edges, behind the last item. A node that fails is started anew (node_options), and goes on with what is queued.
// Thread safety: owner only. Lifetime: moved into the service.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/actors/detail/graph_junctions.hpp>

namespace greenroom {

/// A name with the place where it is given. Thread safety: as a value.
struct node_name {
  /// Converts from any text, and notes where that was.
  template <std::convertible_to<std::string> Text>
  node_name(Text&& t, std::source_location w = std::source_location::current())
      : text(std::forward<Text>(t)), where(w) {}
  std::string text;           ///< the name
  std::source_location where; ///< the place, for errors
};

/// An input of a node, for items of type T.
template <class T>
struct input_port {
  std::size_t node;   ///< index of the node
  std::size_t number; ///< which of its inputs, from 0
  const void* graph;  ///< which it belongs to
};
/// An output of a node, for items of type T.
template <class T>
struct output_port {
  std::size_t node;   ///< index of the node
  std::size_t number; ///< which of its outputs, from 0
  const void* graph;  ///< which it belongs to
};
/// A way in from outside: service::to() gives its address.
template <class T>
struct entry_port {
  std::size_t number; ///< which of the graph's entries, from 0
  const void* graph;  ///< which it belongs to
};

/// A node of a graph; the types are those of its ports.
template <class Inputs, class Outputs>
struct graph_node {
  std::size_t index; ///< which of the graph's nodes, from 0
  const void* graph; ///< which it belongs to
  /// Returns the input that is the I-th mailbox parameter of the function, from 0.
  template <std::size_t I>
  auto in() const noexcept {
    static_assert(I < Inputs::size,
                  "graph: the node has no such input: they count from 0, in the order of its mailbox parameters");
    return input_port<typename detail::element<I, Inputs>::type>{index, I, graph};
  }
  /// Returns the output that is the I-th address parameter of the function, from 0.
  template <std::size_t I>
  auto out() const noexcept {
    static_assert(I < Outputs::size,
                  "graph: the node has no such output: they count from 0, in the order of its address parameters");
    return output_port<typename detail::element<I, Outputs>::type>{index, I, graph};
  }
};

/// What is wrong with a graph: all of it at once, each fault with what to do. what() has a line for each.
class GREENROOM_EXPORT graph_error : public std::logic_error {
public:
  /// Names a graph and what is wrong with it.
  graph_error(const std::string& graph, std::vector<std::string> faults);
  /// Returns a sentence for each fault.
  const std::vector<std::string>& faults() const noexcept { return *faults_; }

private:
  std::shared_ptr<const std::vector<std::string>> faults_;
};

/// Which options an edge has beside its limits.
struct edge_options {
  /// Why a cycle with this edge cannot fill up, although all of its edges wait: the check then lets it pass.
  std::string allow_cycle = {};
  /// Its items overtake those of the edges to the same input that are not urgent. The two kinds have a mailbox each.
  bool urgent = false;
};

/// How a graph is run. Thread safety: as a value.
struct graph_options {
  /// Of all restarts; one more stops the service as failed.
  restart_intensity intensity = {10, std::chrono::seconds(10)};
};

namespace detail {
/// Makes a node of the graph's own: with so many inputs or outputs as there are partners.
using junction_maker = std::function<node_record(std::string name, std::source_location where, std::size_t partners)>;

struct edge_record {
  std::size_t from, output;
  std::size_t to, input;
  mailbox_limits limits;
  edge_options how = {};
  bool is_copy = false;
  junction_maker by_key = nullptr;         // each replica of `to` has a mailbox of its own
  std::optional<std::size_t> replica = {}; // of `to`, behind such a junction
};
struct entry_record {
  std::size_t to, input;
  mailbox_limits limits;
  bool takes_dead_letters = false; // closed by the end of the nodes, not by a drain
  std::string name = {};           // may be ""
};
/// Nodes with a supervisor of their own, below that of the graph.
struct group_record {
  std::string name;
  supervisor_options how;
  std::vector<std::size_t> nodes;
};
/// A graph without its types.
struct graph_plan {
  std::string name;
  std::vector<node_record> nodes;
  std::vector<edge_record> edges;
  std::vector<entry_record> entries;
  std::vector<group_record> groups = {};
  graph_options how = {};
};

template <class Wanted, class... T>
inline constexpr std::size_t times_in = (std::size_t{std::is_same_v<Wanted, T>} + ... + 0);
/// Finds the one pair of equal types among outputs and inputs.
template <class... Out, class... In>
consteval std::size_t fitting_pairs(type_list<Out...>, type_list<In...>) {
  return (times_in<Out, In...> + ... + 0);
}
template <class... Out, class... In>
consteval std::pair<std::size_t, std::size_t> fitting_pair(type_list<Out...>, type_list<In...>) {
  std::pair<std::size_t, std::size_t> found{};
  std::size_t o = 0;
  const auto try_output = [&]<class T>(std::type_identity<T>) {
    std::size_t i = 0;
    ((std::is_same_v<T, In> ? void(found = {o, i}) : void(), ++i), ...);
    ++o;
  };
  (try_output(std::type_identity<Out>()), ...);
  return found;
}

} // namespace detail

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT graph {
public:
  /// `how` holds unless run() is told otherwise.
  explicit graph(std::string name, graph_options how = {});
  graph(const graph& other);
  graph(graph&&) noexcept = default;
  graph& operator=(graph other) noexcept;
  ~graph() = default;

  /// Adds a node. Errors: at compile time, if the function is no task<> or `others` do not fit its other parameters.
  template <class F, class... Others>
    requires(!std::same_as<std::remove_cvref_t<F>, node_options>)
  auto add(node_name name, F fn, Others... others) {
    return add(std::move(name), node_options(), std::move(fn), std::move(others)...);
  }
  template <class F, class... Others>
  auto add(node_name name, node_options how, F fn, Others... others) {
    using parameters = typename detail::signature<F>::parameters;
    using ports = detail::ports_of<parameters>;
    static_assert(
        ports::others == sizeof...(Others),
        "graph::add: give the function's parameters that are no ports, neither mailbox<T> nor address<T>, in order");
    using added = graph_node<typename ports::inputs, typename ports::outputs>;
    if constexpr (ports::others == sizeof...(Others)) {
      std::tuple<Others...> given(std::move(others)...);
      return added{add_node(detail::make_node(std::move(name.text), name.where, how, std::move(fn), std::move(given))),
                   identity_.get()};
    } else {
      return added{0, nullptr};
    }
  }

  /// Has an output of `from` send to an input of `to`: the one pair of ports with equal types. Errors: at compile time, if there is none
  /// or more than one; then name them.
  template <class I1, class O1, class I2, class O2>
  void connect(graph_node<I1, O1> from, graph_node<I2, O2> to, mailbox_limits limits, edge_options how = {}) {
    constexpr auto pairs = detail::fitting_pairs(O1(), I2());
    static_assert(pairs != 0, "graph::connect: no output of the first node has the type of an input of the second");
    static_assert(pairs <= 1,
                  "graph::connect: several pairs of ports fit: name them, connect(a.out<1>(), b.in<0>(), ...)");
    if constexpr (pairs == 1) {
      constexpr auto at = detail::fitting_pair(O1(), I2());
      connect(from.template out<at.first>(), to.template in<at.second>(), limits, std::move(how));
    }
  }
  template <class T>
  void connect(output_port<T> from, input_port<std::type_identity_t<T>> to, mailbox_limits limits,
               edge_options how = {}) {
    check_own(from.graph);
    check_own(to.graph);
    add_edge({from.node, from.number, to.node, to.number, limits, std::move(how)});
  }

  /// Has an output send a copy of each item to this input too, and to all others it is broadcast to. Waits for the slowest of them, as their limits say.
  template <std::copy_constructible T>
  void broadcast(output_port<T> from, input_port<std::type_identity_t<T>> to, mailbox_limits limits,
                 edge_options how = {}) {
    check_own(from.graph);
    check_own(to.graph);
    add_edge({from.node, from.number, to.node, to.number, limits, std::move(how), true});
  }

  /// Has an output send each item to the replica of `to` that its key belongs to: the items of a key stay in order, and are handled one
  /// after the other. Each replica has a mailbox of its own, with these limits; one that is full holds up the others.
  template <class T, class Key>
  void connect_by_key(output_port<T> from, input_port<std::type_identity_t<T>> to, mailbox_limits limits, Key key_of,
                      edge_options how = {}) {
    static_assert(std::is_invocable_v<Key&, const T&>,
                  "graph::connect_by_key: the key function must take a const item");
    static_assert(std::is_copy_constructible_v<Key>, "graph::connect_by_key: the key function must be copyable");
    static_assert(std::is_default_constructible_v<std::hash<std::remove_cvref_t<std::invoke_result_t<Key&, const T&>>>>,
                  "graph::connect_by_key: there is no std::hash for the key");
    check_own(from.graph);
    check_own(to.graph);
    add_edge({from.node, from.number, to.node, to.number, limits, std::move(how), false,
              [key_of](std::string name, std::source_location where, std::size_t partners) {
                return detail::make_partition<T>(std::move(name), where, partners, key_of);
              }});
  }

  /// Lets items in from outside: service::to() gives the address, and service::entry() by its name, if it has one.
  template <class T>
  entry_port<T> entry(input_port<T> to, mailbox_limits limits, std::string name = {}) {
    check_own(to.graph);
    return {add_entry({.to = to.node, .input = to.number, .limits = limits, .name = std::move(name)}), identity_.get()};
  }

  /// Has this input take the items that nodes could not handle: see queue_fate. They are sent without waiting; if there is no room the log alone has them.
  /// The input closes when all nodes that may send there have ended; those behind it cannot.
  void dead_letters(input_port<dead_letter> to, mailbox_limits limits) {
    check_own(to.graph);
    add_entry({.to = to.node, .input = to.number, .limits = limits, .takes_dead_letters = true});
  }

  /// Gives nodes a supervisor of their own, below that of the graph: when one fails, the others are restarted as its strategy says, and if that
  /// was too often, all of them as one child of the graph's. Of `how`, strategy and intensity count.
  template <class... I, class... O>
  void group(std::string name, supervisor_options how, graph_node<I, O>... nodes) {
    (check_own(nodes.graph), ...);
    add_group({std::move(name), how, {nodes.index...}});
  }

  /// Names the ports of a node for errors and pictures: its inputs, then its outputs, in the order of its parameters.
  template <class I, class O>
  void name_ports(graph_node<I, O> node, std::vector<std::string> names) {
    check_own(node.graph);
    set_port_names(node.index, std::move(names));
  }

  /// Returns all that is wrong with the graph, each fault with what to do about it; run() refuses unless there is nothing.
  std::vector<std::string> faults() const;
  /// Returns what may be meant so, but often is not: paths that part and meet again at different inputs of one node, which can stop for ever if that
  /// node receives from them in a fixed order.
  std::vector<std::string> warnings() const;

  /// For graph_service.hpp and graph_file.hpp. Errors: usage_error if it was moved from.
  explicit graph(detail::graph_plan plan);
  /// Returns the graph without its types. Errors: usage_error if it was moved from.
  const detail::graph_plan& plan() const;
  /// Returns what is the same for a graph and its copies.
  const void* identity() const noexcept { return identity_.get(); }

private:
  detail::graph_plan& own_plan();
  /// Errors: usage_error for a node or port of another graph.
  void check_own(const void* of) const;
  std::size_t add_node(detail::node_record made);
  void add_edge(detail::edge_record made);
  std::size_t add_entry(detail::entry_record made);
  void add_group(detail::group_record made);
  void set_port_names(std::size_t node, std::vector<std::string> names);

  std::unique_ptr<detail::graph_plan> plan_; // null: moved from
  std::shared_ptr<const char> identity_;     // copies have the same: the ports of one are good for the other
};

} // namespace greenroom
