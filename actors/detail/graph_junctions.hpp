// The nodes that a graph makes itself, where edges part or meet: copies for all, a partition by keys, urgent items first.
// Thread safety: owner only. Lifetime: as any node.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/actors/detail/graph_crossing.hpp>
#include <greenroom/actors/detail/graph_parts.hpp>
#include <greenroom/runtime/select.hpp>

namespace greenroom::detail {

/// Sends each item to the replica that its key belongs to: the node on an edge of connect_by_key().
template <class T, class Key>
task<> send_by_key(mailbox<T> in, std::vector<address<T>> to, Key key_of) {
  using key = std::remove_cvref_t<std::invoke_result_t<Key&, const T&>>;
  while (auto item = co_await in.receive()) {
    const auto spread =
        static_cast<std::uint64_t>(std::hash<key>()(std::invoke(key_of, std::as_const(*item)))) * 0x9e3779b97f4a7c15;
    (void)co_await to[(spread >> 32) % to.size()].send(std::move(*item));
  }
}

/// Lets urgent items overtake: the node before an input that has both kinds of edges.
template <class T>
task<> urgent_first(mailbox<T> urgent, mailbox<T> others, address<T> out) {
  for (;;) {
    if (auto next = urgent.try_receive()) {
      (void)co_await out.send(std::move(*next));
    } else if (next.error().is(errc::closed)) {
      auto left = co_await others.receive();
      if (!left) co_return;
      (void)co_await out.send(std::move(*left));
    } else if (auto other = others.try_receive()) {
      (void)co_await out.send(std::move(*other));
    } else if (other.error().is(errc::closed)) {
      auto left = co_await urgent.receive();
      if (!left) co_return;
      (void)co_await out.send(std::move(*left));
    } else {
      auto first = co_await select(urgent.receive(), others.receive());
      auto& item = first.index() == 0 ? first.template get<0>() : first.template get<1>();
      if (item) (void)co_await out.send(std::move(*item));
    }
  }
}

/// Copies each item to all: the node behind the edges of broadcast().
template <class T>
task<> copy_to_all(mailbox<T> in, std::vector<address<T>> to) {
  while (const auto item = co_await in.receive()) {
    for (std::size_t i = 0; i < to.size(); ++i) {
      T copy(*item);
      (void)co_await to[i].send(std::move(copy)); // one that has gone does not keep the others from theirs
    }
  }
}

template <class T>
node_record make_merger(std::string name, std::source_location where);
template <class T>
node_record make_copier(std::string name, std::source_location where, std::size_t partners);

template <class T>
port_record port_of_type(bool is_input) {
  port_record port{type_name(typeid(T)), &kind_of_item<T>()};
  if (is_input) {
    port.make = &make_wire<T>;
    port.make_merger = &make_merger<T>;
    port.crossing = crossing_kind_of<T>();
  } else if constexpr (std::copy_constructible<T>) {
    port.make_copier = &make_copier<T>;
  }
  return port;
}
template <class... T>
std::vector<port_record> list_ports(type_list<T...>, [[maybe_unused]] bool are_inputs) {
  return {port_of_type<T>(are_inputs)...};
}

template <class T>
node_record make_junction(std::string name, std::source_location where, std::size_t in, std::size_t out) {
  return {std::move(name),
          where,
          {.restart = permanent},
          std::vector<port_record>(in, port_of_type<T>(true)),
          std::vector<port_record>(out, port_of_type<T>(false)),
          {},
          "",
          true};
}
template <class T>
std::vector<address<T>> all_outputs(const node_wires& wires) {
  std::vector<address<T>> to;
  for (const auto* w : wires.outputs) to.push_back(std::any_cast<address<T>>(w->out));
  return to;
}
template <class T>
node_record make_copier(std::string name, std::source_location where, std::size_t partners) {
  auto made = make_junction<T>(std::move(name), where, 1, partners);
  made.start = [where](const node_wires& wires) {
    return start_of_node(where, wires, &copy_to_all<T>, std::any_cast<mailbox<T>>(wires.inputs[0]->in),
                         all_outputs<T>(wires));
  };
  return made;
}
template <class T, class Key>
node_record make_partition(std::string name, std::source_location where, std::size_t partners, Key key_of) {
  auto made = make_junction<T>(std::move(name), where, 1, partners);
  made.start = [where, key_of](const node_wires& wires) {
    return start_of_node(where, wires, &send_by_key<T, Key>, std::any_cast<mailbox<T>>(wires.inputs[0]->in),
                         all_outputs<T>(wires), key_of);
  };
  return made;
}

template <class T>
node_record make_merger(std::string name, std::source_location where) {
  auto made = make_junction<T>(std::move(name), where, 2, 1);
  made.start = [where](const node_wires& wires) {
    return start_of_node(where, wires, &urgent_first<T>, std::any_cast<mailbox<T>>(wires.inputs[0]->in),
                         std::any_cast<mailbox<T>>(wires.inputs[1]->in),
                         std::any_cast<address<T>>(wires.outputs[0]->out));
  };
  return made;
}

/// Makes the record of a node. Requires: `others` are the parameters of `fn` that are no ports.
template <class F, class... Others>
node_record make_node(std::string name, std::source_location where, const node_options& how, F fn,
                      std::tuple<Others...> others) {
  using parameters = typename signature<F>::parameters;
  using ports = ports_of<parameters>;
  return {std::move(name),
          where,
          how,
          list_ports(typename ports::inputs(), true),
          list_ports(typename ports::outputs(), false),
          node_starter(parameters(), where, std::move(fn), std::move(others))};
}

} // namespace greenroom::detail
