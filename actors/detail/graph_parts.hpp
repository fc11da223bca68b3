// What graph.hpp is made of: the ports of a coroutine function, and the record of a node, without its types.
// Thread safety: owner only. Lifetime: of the graph, then of the service.
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <greenroom/actors/supervisor_spec.hpp>
#include <greenroom/runtime/detail/type_name.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {

/// How the actors of a node are run and restarted. Thread safety: as a value.
struct node_options {
  /// How many actors run the function; they share its inputs, each item going to one of them.
  std::size_t replicas = 1;
  restart_kind restart = transient;             ///< after which ends it is started anew
  greenroom::backoff backoff = {};              ///< the pause before that
  std::optional<duration> grace = std::nullopt; ///< see child_options
  queue_fate queue = queue_fate::drop_poison;   ///< what becomes of its items then
  std::uint32_t deliveries = 3;                 ///< how often an item may be in hand with queue_fate::keep
};

namespace detail {

// -- the ports of a function ------------------------------------------------------------------------------

template <class... T>
struct type_list {
  static constexpr std::size_t size = sizeof...(T);
};

/// The parameters of a node function, without references.
template <class F>
struct signature_of {
  static_assert(
      sizeof(F) == 0,
      "graph: a node is a coroutine function that returns greenroom::task<>: a function that is not overloaded, or a "
      "lambda that is not generic");
  using parameters = type_list<>;
};
template <class... P>
struct signature_of<task<void>(P...)> {
  using parameters = type_list<std::decay_t<P>...>;
};

template <class F>
struct plain_signature {
  using type = F;
};
template <class R, class... P, bool N>
struct plain_signature<R (*)(P...) noexcept(N)> {
  using type = R(P...);
};
template <class R, class C, class... P, bool N>
struct plain_signature<R (C::*)(P...) const noexcept(N)> {
  using type = R(P...);
};
template <class R, class C, class... P, bool N>
struct plain_signature<R (C::*)(P...) noexcept(N)> {
  using type = R(P...);
};

template <class F>
struct signature : signature_of<typename plain_signature<F>::type> {};
template <class F>
  requires requires { &F::operator(); }
struct signature<F> : signature_of<typename plain_signature<decltype(&F::operator())>::type> {};

/// Keeps the item types of those P that are Port<T>.
template <template <class> class Port, class Found, class... P>
struct ports_among {
  using type = Found;
};
template <template <class> class Port, class... T, class First, class... P>
struct ports_among<Port, type_list<T...>, First, P...> : ports_among<Port, type_list<T...>, P...> {};
template <template <class> class Port, class... T, class Item, class... P>
struct ports_among<Port, type_list<T...>, Port<Item>, P...> : ports_among<Port, type_list<T..., Item>, P...> {};

template <class List>
struct ports_of;
template <class... P>
struct ports_of<type_list<P...>> {
  using inputs = typename ports_among<mailbox, type_list<>, P...>::type;
  using outputs = typename ports_among<address, type_list<>, P...>::type;
  static constexpr std::size_t others = sizeof...(P) - inputs::size - outputs::size;
};

template <std::size_t I, class List>
struct element;
template <std::size_t I, class... T>
struct element<I, type_list<T...>> {
  using type = std::tuple_element_t<I, std::tuple<T...>>;
};

// -- a node without its types -----------------------------------------------------------------------------

/// Both ends of a mailbox of some type.
struct wire {
  std::any in;  // mailbox<T>
  std::any out; // address<T>
  child_input input;
};

template <class T>
wire make_wire(mailbox_limits limits) {
  const mailbox<T> in(limits);
  return {in, in.address(), input_of(in)};
}

/// What a node's actors are wired to: the wires of its inputs and outputs, in the order of its parameters.
struct node_wires {
  std::shared_ptr<child_work> work;
  std::vector<const wire*> inputs;
  std::vector<const wire*> outputs;
};

struct node_record;
struct crossing_kind; // graph_crossing.hpp
struct port_record {
  std::string type;
  const item_kind* kind;
  std::string name = {}; // may be ""
  // Of an input.
  wire (*make)(mailbox_limits limits) = nullptr;
  node_record (*make_merger)(std::string name, std::source_location where) = nullptr; // lets urgent items overtake
  const crossing_kind* crossing = nullptr; // how its items come from another process; null: they cannot
  // Of an output; null: its items cannot be copied.
  node_record (*make_copier)(std::string name, std::source_location where, std::size_t partners) = nullptr;
};

struct node_record {
  std::string name;
  std::source_location where;
  node_options how;
  std::vector<port_record> inputs;
  std::vector<port_record> outputs;
  std::function<std::shared_ptr<child_start>(const node_wires&)> start;
  std::string declared_at = {}; // in a file; else `where` says it
  bool is_junction = false;     // made by the graph: a broadcast, a partition
  std::size_t beside = 0;       // of a junction: the node in whose process it runs
};

template <class F, class... Args>
std::shared_ptr<child_start> start_of_node(std::source_location at, const node_wires& wires, F fn, Args... args) {
  static_assert(std::is_copy_constructible_v<F> && (std::is_copy_constructible_v<Args> && ...),
                "graph: function and arguments of a node are copied for each start; wrap an argument that cannot be "
                "copied in made_by(function)");
  static_assert(std::is_invocable_v<F&, typename fresh_argument<Args>::type...>,
                "graph: the arguments given do not fit the node function's parameters that are no ports; ports are "
                "taken by value");
  return std::make_shared<working_start<F, Args...>>(at, wires.work, std::move(fn),
                                                     std::tuple<Args...>(std::move(args)...));
}

// -- the parameters of a node's function --------------------------------------------------------------------

enum class parameter_kind : std::uint8_t { other, input, output };
template <class P>
inline constexpr auto kind_of_parameter = parameter_kind::other;
template <class T>
inline constexpr auto kind_of_parameter<mailbox<T>> = parameter_kind::input;
template <class T>
inline constexpr auto kind_of_parameter<address<T>> = parameter_kind::output;

/// Counts the parameters of a kind before the I-th.
template <parameter_kind Kind, std::size_t I, class... P>
consteval std::size_t count_before() {
  constexpr parameter_kind kinds[] = {kind_of_parameter<P>..., parameter_kind::other};
  std::size_t n = 0;
  for (std::size_t i = 0; i < I; ++i) n += kinds[i] == Kind ? 1U : 0U;
  return n;
}

/// Returns the I-th of the parameters P: a port from the wires, anything else from the arguments of add(), in order.
template <std::size_t I, class... P, class Others>
auto node_argument(const node_wires& wires, const Others& others) {
  using type = std::tuple_element_t<I, std::tuple<P...>>;
  constexpr auto kind = kind_of_parameter<type>;
  constexpr auto at = count_before<kind, I, P...>();
  if constexpr (kind == parameter_kind::input) {
    return std::any_cast<type>(wires.inputs[at]->in);
  } else if constexpr (kind == parameter_kind::output) {
    return std::any_cast<type>(wires.outputs[at]->out);
  } else {
    return std::get<at>(others);
  }
}

/// Makes a node_record::start of a function with parameters P.
template <class F, class... P, class... Others>
auto node_starter(type_list<P...>, std::source_location at, F fn, std::tuple<Others...> others) {
  return [at, fn, others](const node_wires& wires) -> std::shared_ptr<child_start> {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return start_of_node(at, wires, fn, node_argument<I, P...>(wires, others)...);
    }
    (std::index_sequence_for<P...>());
  };
}

} // namespace detail
} // namespace greenroom
