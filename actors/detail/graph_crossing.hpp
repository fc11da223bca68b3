// How items of a type cross when the two ends of an edge run in different processes: what has to know the type, and no more, since each type of item in
// each graph is compiled with it. The rest stands in internal/graph_part.hpp and graph_arrivals.hpp.
// Thread safety: as actors. Lifetime: counted.
#pragma once

#include <any>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/detail/graph_parts.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/actors/wire.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::detail {

// -- which types can cross --------------------------------------------------------------------------

template <class T>
consteval bool can_cross();
template <class... T>
consteval bool all_can_cross(std::tuple<T...>*) {
  return (can_cross<T>() && ...);
}
template <class... T>
consteval bool all_can_cross(std::variant<T...>*) {
  return (can_cross<T>() && ...);
}
template <class A, class B>
consteval bool all_can_cross(std::pair<A, B>*) {
  return can_cross<A>() && can_cross<B>();
}
template <class A, std::size_t N>
consteval bool all_can_cross(std::array<A, N>*) {
  return can_cross<A>();
}

/// Whether visit_wire() compiles for T, as far as the signature of its inspect() says.
template <class T>
consteval bool can_cross() {
  if constexpr (!std::is_object_v<T> || wire_stays<T>) {
    return false;
  } else if constexpr (wire_inspected<wire_writer, T> && wire_inspected<wire_reader, T>) {
    return std::default_initializable<T>;
  } else if constexpr (std::is_enum_v<T> || std::is_arithmetic_v<T> || std::same_as<T, std::string> ||
                       std::same_as<T, std::monostate>) {
    return true;
  } else if constexpr (wire_is_optional<T>) {
    return can_cross<typename T::value_type>();
  } else if constexpr (wire_is_variant<T> || wire_is_tuple<T>) {
    return all_can_cross(static_cast<T*>(nullptr));
  } else if constexpr (wire_is_duration<T> || wire_is_time_point<T>) {
    return std::is_arithmetic_v<typename T::rep>;
  } else if constexpr (wire_sequence<T>) {
    return std::default_initializable<T> && can_cross<typename wire_element<typename T::value_type>::type>();
  } else {
    return false;
  }
}

// -- what crosses -----------------------------------------------------------------------------------

struct crossing_item {
  std::string trace; // "": it belongs to none
  std::string bytes;
};

/// What must be the same on both sides, as a text and as a number. Of requests also the reply's.
struct crossing_type {
  std::string text; // "shop::order, version 1: {sku:text}"
  std::uint64_t fingerprint = 0;
};
GREENROOM_EXPORT crossing_type crossing_type_of(const wire_type& item, const wire_type* reply);

/// Returns an item as bytes, with the trace that the running actor works for.
GREENROOM_EXPORT crossing_item with_current_trace(std::string bytes);

/// The way to an input on another node. Thread safety: any thread.
class GREENROOM_EXPORT way_out {
public:
  virtual ~way_out();
  /// Waits until all have been taken, over however many connections. Requires: one call at a time.
  virtual task<> deliver(std::vector<crossing_item> items) = 0;
  /// Sends a message, and gives the answer. Waits: as long as the caller's context lets it.
  virtual task<result<std::string>> call(std::string bytes) = 0;
  /// Throws if one item is too large to cross: as a node that cannot handle it.
  static void check_size(std::size_t bytes);

  static constexpr std::size_t most_items = 256;                          // of a batch
  static constexpr std::size_t most_bytes = 64 * 1024;                    // from which on a batch takes no more
  static constexpr std::size_t most_item_bytes = (4 << 20) - (256 << 10); // a frame has to hold it, with all else
  static constexpr std::int64_t most_calls = 256;                         // that wait for their answer
  const std::shared_ptr<semaphore> calls = std::make_shared<semaphore>(most_calls);
};

// -- items ------------------------------------------------------------------------------------------

/// Stands for a node that is elsewhere. `in` is a mailbox<T>.
template <class T>
task<> cross_out(std::any in, std::shared_ptr<way_out> way) {
  const auto from = std::any_cast<mailbox<T>>(in);
  in.reset();
  while (auto item = co_await from.receive()) {
    std::vector<crossing_item> batch;
    std::size_t bytes = 0, last = 0;
    for (;;) {
      auto packed = wire_encode(*item);
      last = packed.size();
      if (last > way_out::most_item_bytes) break; // those before it cross
      bytes += last;
      batch.push_back(with_current_trace(std::move(packed)));
      if (batch.size() == way_out::most_items || bytes >= way_out::most_bytes) break;
      auto more = from.try_receive();
      if (!more) break;
      item.emplace(*std::move(more));
    }
    auto sending = way->deliver(std::move(batch));
    co_await std::move(sending);
    way_out::check_size(last);
  }
}

/// Brings an item from another node to an input. `to` is an address<T>. One that rejects is asked again: the sender was told already that its item is
/// on its way.
template <class T>
task<result<void>> put_item(const std::any* to, const std::string* bytes) {
  auto item = wire_decode<T>(*bytes);
  if (!item) co_return item.error();
  const auto& input = *std::any_cast<address<T>>(to);
  auto sent = co_await input.send(std::move(*item));
  while (!sent && sent.error().is(errc::full)) {
    co_await sleep_for(std::chrono::milliseconds(2));
    sent = input.try_send(std::move(sent.item()));
  }
  if (!sent) co_return sent.error();
  co_return result<void>();
}

// -- requests ---------------------------------------------------------------------------------------

template <class M>
task<> call_out(request<M> asked, std::shared_ptr<way_out> way, permit held) {
  auto bytes = wire_encode(asked.message);
  auto calling = way->call(std::move(bytes));
  auto answer = co_await within(asked.context(), std::move(calling));
  held.release();
  if (!answer) {
    asked.fail(answer.error());
  } else if constexpr (std::is_void_v<typename M::reply>) {
    asked.reply();
  } else {
    asked.reply(wire_decode<typename M::reply>(*answer));
  }
}

/// As cross_out().
template <class M>
task<> cross_calls_out(std::any in, std::shared_ptr<way_out> way) {
  const auto from = std::any_cast<mailbox<request<M>>>(in);
  in.reset();
  for (;;) {
    auto held = co_await way->calls->acquire();
    auto asked = co_await from.receive();
    if (!asked) co_return;
    way_out::check_size(wire_encode(asked->message).size());
    spawn({.name = "crossing request"}, call_out<M>, std::move(*asked), way, std::move(held));
  }
}

/// Asks an input for another node. `to` is an address<request<M>>.
template <class M>
task<result<std::string>> ask_input(std::any to, std::string bytes) {
  auto message = wire_decode<M>(bytes);
  if (!message) co_return message.error();
  const auto input = std::any_cast<address<request<M>>>(to);
  to.reset();
  const auto answer = co_await ask_until(input, std::move(*message), never);
  if (!answer) co_return answer.error();
  if constexpr (std::is_void_v<typename M::reply>) {
    co_return std::string();
  } else {
    co_return wire_encode(*answer);
  }
}

// -- which of them, without the type ----------------------------------------------------------------

struct crossing_kind {
  crossing_type (*type)();
  task<> (*out)(std::any in, std::shared_ptr<way_out> way);
  task<result<void>> (*put)(const std::any* to, const std::string* bytes); // of items
  task<result<std::string>> (*ask)(std::any to, std::string bytes);        // of requests; else null
};

template <class T>
struct crossing_of {
  static constexpr bool possible = can_cross<T>() && std::is_nothrow_move_constructible_v<T>;
  static crossing_type type() { return crossing_type_of(wire_type_of<T>(), nullptr); }
  static constexpr crossing_kind kind() { return {&type, &cross_out<T>, &put_item<T>, nullptr}; }
};

template <class M>
struct crossing_of<request<M>> {
  static consteval bool reply_can_cross() {
    if constexpr (std::is_void_v<typename M::reply>) {
      return true;
    } else {
      return can_cross<typename M::reply>();
    }
  }
  static constexpr bool possible = can_cross<M>() && reply_can_cross();
  static crossing_type type() {
    wire_type reply{"void", 1, ""};
    if constexpr (!std::is_void_v<typename M::reply>) reply = wire_type_of<typename M::reply>();
    return crossing_type_of(wire_type_of<M>(), &reply);
  }
  static constexpr crossing_kind kind() { return {&type, &cross_calls_out<M>, nullptr, &ask_input<M>}; }
};

/// Returns how items of type T cross; null if they cannot.
template <class T>
const crossing_kind* crossing_kind_of() {
  if constexpr (crossing_of<T>::possible) {
    static constexpr crossing_kind kind = crossing_of<T>::kind();
    return &kind;
  } else {
    return nullptr;
  }
}

} // namespace greenroom::detail
