// How the items of an edge cross when its two ends run in different processes: the actor that stands where the items leave, in place of the
// node that is elsewhere, and the one where they arrive.
//
// Items cross in batches, one at a time: a batch is asked with, and answered by how many of it the input took. What is not answered is sent again, and
// what arrives again is passed over; so the connection may break without an item lost or doubled. Requests cross each for itself.
// Thread safety: as actors. Lifetime: counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <source_location>
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
struct crossing_batch {
  std::string from;         // the node that sends
  std::uint64_t life = 0;   // of its part of the graph
  std::uint64_t number = 0; // in that life: the same if it is sent again
  std::uint64_t type = 0;   // fingerprint() of what the sender takes the items for
  std::vector<crossing_item> items;
  using reply = std::uint32_t; // how many were taken, the first ones
};
struct crossing_call {
  std::uint64_t type = 0;
  std::string bytes;         // of the message
  using reply = std::string; // the answer's
};
template <class Inspector>
bool inspect(Inspector& f, crossing_item& x) {
  return f.object(x).fields(f.field("trace", x.trace), f.field("bytes", x.bytes));
}
template <class Inspector>
bool inspect(Inspector& f, crossing_batch& x) {
  return f.object(x).fields(f.field("from", x.from), f.field("life", x.life), f.field("number", x.number),
                            f.field("type", x.type), f.field("items", x.items));
}
template <class Inspector>
bool inspect(Inspector& f, crossing_call& x) {
  return f.object(x).fields(f.field("type", x.type), f.field("bytes", x.bytes));
}

/// What must be the same on both sides, as a text and as a number. Of requests also the reply's.
struct crossing_type {
  std::string text; // "shop::order, version 1: {sku:text}"
  std::uint64_t fingerprint = 0;
};
GREENROOM_EXPORT crossing_type crossing_type_of(const wire_type& item, const wire_type* reply);

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

/// The way from other nodes to an input here. Thread safety: by the one actor at its end.
class GREENROOM_EXPORT way_in {
public:
  explicit way_in(std::string input, crossing_type type);

  const std::string input; // for sentences
  const crossing_type type;
  // One of the two is used. The addresses keep them open until the way ends.
  const mailbox<request<crossing_batch>> batches;
  const address<request<crossing_batch>> to_batches;
  const mailbox<request<crossing_call>> asked;
  const address<request<crossing_call>> to_asked;

  /// Returns why items of that type cannot be taken, if they cannot.
  result<void> check_type(std::uint64_t fingerprint) const;

private:
  friend class crossing_receipt;
  struct progress {
    std::uint64_t life = 0;
    std::uint64_t number = 0;
    std::uint32_t taken = 0;
  };
  std::map<std::string, progress> seen_; // by who sends
};

/// One batch, until it is answered; whatever ends the work on it, the answer says how far that came.
class GREENROOM_EXPORT crossing_receipt {
public:
  crossing_receipt(std::shared_ptr<way_in> way, request<crossing_batch> asked);
  crossing_receipt(const crossing_receipt&) = delete;
  crossing_receipt& operator=(const crossing_receipt&) = delete;
  ~crossing_receipt();

  /// Returns the next item, and has the actor work for its trace; null if there is none.
  const std::string* next();
  /// The input has it.
  void took() noexcept { ++seen_->taken; }
  /// It cannot have it, nor those behind it.
  void refuse(error why);

private:
  const std::shared_ptr<way_in> way_;
  request<crossing_batch> asked_;
  way_in::progress* seen_ = nullptr; // null once refused
  bool traced_ = false;              // the actor works for the trace of an item
};

// -- the actors -------------------------------------------------------------------------------------

template <class T>
crossing_item pack_item(const T& item) {
  const auto trace = current_trace();
  return {trace ? trace.traceparent() : std::string(), wire_encode(item)};
}

/// Stands for a node that is elsewhere.
template <class T>
task<> cross_out(mailbox<T> in, std::shared_ptr<way_out> way) {
  while (auto item = co_await in.receive()) {
    std::vector<crossing_item> batch;
    std::size_t bytes = 0, last = 0;
    for (;;) {
      auto packed = pack_item(*item);
      last = packed.bytes.size();
      if (last > way_out::most_item_bytes) break; // those before it cross
      bytes += last;
      batch.push_back(std::move(packed));
      if (batch.size() == way_out::most_items || bytes >= way_out::most_bytes) break;
      auto more = in.try_receive();
      if (!more) break;
      item.emplace(*std::move(more));
    }
    auto sending = way->deliver(std::move(batch));
    co_await std::move(sending);
    way_out::check_size(last);
  }
}

/// Brings the items from other nodes to an input. One that rejects is asked again: the sender was told already that its item is on its way.
template <class T>
task<> cross_in(mailbox<request<crossing_batch>> from, address<T> to, std::shared_ptr<way_in> way) {
  while (auto asked = co_await from.receive()) {
    crossing_receipt receipt(way, std::move(*asked));
    while (const auto* const bytes = receipt.next()) {
      auto item = wire_decode<T>(*bytes);
      if (!item) {
        receipt.refuse(item.error());
        continue;
      }
      auto sent = co_await to.send(std::move(*item));
      while (!sent && sent.error().is(errc::full)) {
        co_await sleep_for(std::chrono::milliseconds(2));
        sent = to.try_send(std::move(sent.item()));
      }
      if (sent) {
        receipt.took();
      } else {
        receipt.refuse(sent.error());
      }
    }
  }
}

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

template <class M>
task<> cross_calls_out(mailbox<request<M>> in, std::shared_ptr<way_out> way) {
  for (;;) {
    auto held = co_await way->calls->acquire();
    auto asked = co_await in.receive();
    if (!asked) co_return;
    way_out::check_size(wire_encode(asked->message).size());
    spawn({.name = "crossing request"}, call_out<M>, std::move(*asked), way, std::move(held));
  }
}

template <class M>
task<result<typename M::reply>> ask_input(address<request<M>> to, M message) {
  co_return co_await ask_until(to, std::move(message), never);
}

template <class M>
task<> call_in(request<crossing_call> asked, M message, address<request<M>> to) {
  auto asking = ask_input<M>(std::move(to), std::move(message));
  const auto answer = co_await within(asked.context(), std::move(asking));
  if (!answer) {
    asked.fail(answer.error());
  } else if constexpr (std::is_void_v<typename M::reply>) {
    asked.reply(std::string());
  } else {
    asked.reply(wire_encode(*answer));
  }
}

template <class M>
task<> cross_calls_in(mailbox<request<crossing_call>> from, address<request<M>> to, std::shared_ptr<way_in> way) {
  while (auto asked = co_await from.receive()) {
    if (const auto fits = way->check_type(asked->message.type); !fits) {
      asked->fail(fits.error());
      continue;
    }
    auto message = wire_decode<M>(asked->message.bytes);
    if (!message) {
      asked->fail(message.error());
      continue;
    }
    spawn({.name = "crossing request"}, call_in<M>, std::move(*asked), std::move(*message), to);
  }
}

// -- which of them, without the type ----------------------------------------------------------------

struct crossing_kind {
  bool asks; // its items are requests
  crossing_type (*type)();
  std::shared_ptr<child_start> (*start_out)(std::source_location at, const node_wires& wires,
                                            std::shared_ptr<way_out> way);
  std::shared_ptr<child_start> (*start_in)(std::source_location at, const node_wires& wires,
                                           std::shared_ptr<way_in> way);
};

template <class T>
struct crossing_of {
  static constexpr bool possible = can_cross<T>() && std::is_nothrow_move_constructible_v<T>;
  static constexpr bool asks = false;
  static crossing_type type() { return crossing_type_of(wire_type_of<T>(), nullptr); }
  static std::shared_ptr<child_start> start_out(std::source_location at, const node_wires& wires,
                                                std::shared_ptr<way_out> way) {
    return start_of_node(at, wires, &cross_out<T>, std::any_cast<mailbox<T>>(wires.inputs[0]->in), std::move(way));
  }
  static std::shared_ptr<child_start> start_in(std::source_location at, const node_wires& wires,
                                               std::shared_ptr<way_in> way) {
    return start_of_node(at, wires, &cross_in<T>, way->batches, std::any_cast<address<T>>(wires.outputs[0]->out), way);
  }
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
  static constexpr bool asks = true;
  static crossing_type type() {
    wire_type reply{"void", 1, ""};
    if constexpr (!std::is_void_v<typename M::reply>) reply = wire_type_of<typename M::reply>();
    return crossing_type_of(wire_type_of<M>(), &reply);
  }
  static std::shared_ptr<child_start> start_out(std::source_location at, const node_wires& wires,
                                                std::shared_ptr<way_out> way) {
    return start_of_node(at, wires, &cross_calls_out<M>, std::any_cast<mailbox<request<M>>>(wires.inputs[0]->in),
                         std::move(way));
  }
  static std::shared_ptr<child_start> start_in(std::source_location at, const node_wires& wires,
                                               std::shared_ptr<way_in> way) {
    return start_of_node(at, wires, &cross_calls_in<M>, way->asked,
                         std::any_cast<address<request<M>>>(wires.outputs[0]->out), way);
  }
};

/// Returns how items of type T cross; null if they cannot.
template <class T>
const crossing_kind* crossing_kind_of() {
  if constexpr (crossing_of<T>::possible) {
    using of = crossing_of<T>;
    static constexpr crossing_kind kind{of::asks, &of::type, &of::start_out, &of::start_in};
    return &kind;
  } else {
    return nullptr;
  }
}

} // namespace greenroom::detail
