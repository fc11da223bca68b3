// delivery: what crosses between a reliable_address (or a reliable_outbox) and an inbox: items with their numbers, and the receipt for them. Programs name
// it as the type of the address between the two:
//
//   auto to_orders = start_inbox<order>(sys, take_order);                  // address<request<delivery<order>>>
//   there.publish("orders", to_orders);
//
// A sender has one delivery under way at a time, and each begins with the first item that is not yet dealt with. So items can be missing before a delivery only
// where they were given up, or where the receiver has forgotten; and what the receiver has had is known by one number for each sender.
// Thread safety: as values. Lifetime: own what they hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <greenroom/actors/wire.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// An item with its number. Thread safety: as a value.
template <class T>
struct numbered {
  std::uint64_t number = 0; ///< from 1; those of a sender ascend
  T item{};                 ///< what is delivered
};

/// How far a receiver has got with the items of a sender. Thread safety: as a value.
struct receipt {
  /// Names what the receiver remembers its senders by. If it is another one than before, the receiver has forgotten: what was under way may be taken twice.
  std::uint64_t memory = 0;
  /// The epoch that the receiver goes by. A later one than that of the delivery: a newer life of the sender was heard, and nothing of the delivery was taken.
  std::uint64_t epoch = 0;
  std::uint64_t done = 0;    ///< all items up to this number are dealt with
  std::uint16_t refused = 0; ///< errc of why the first item behind `done` was refused; 0: it was not tried
  std::string why = {};      ///< that, in a sentence
};

/// Items of one sender, in order. Thread safety: as a value.
template <class T>
struct delivery {
  std::string sender;             ///< its name, from 1 to 200 bytes; no two senders that live have the same
  std::uint64_t epoch = 0;        ///< of its numbers: a later life of the sender has a greater one
  std::vector<numbered<T>> items; ///< by number; what is missing between two was given up, or is for others
  using reply = receipt;
};

/// A change of what is delivered is a change of the delivery.
template <class T>
inline constexpr std::uint32_t wire_version<delivery<T>> = wire_version<T>;

/// The longest name of a sender. Units: bytes.
inline constexpr std::size_t longest_sender = 200;

/// Checks the name of a sender. Errors: invalid_argument.
GREENROOM_EXPORT result<void> check_sender(const std::string& name);

/// How it crosses.
template <class Inspector, class T>
bool inspect(Inspector& f, numbered<T>& x) {
  return f.object(x).fields(f.field("number", x.number), f.field("item", x.item));
}
/// How it crosses.
template <class Inspector>
bool inspect(Inspector& f, receipt& x) {
  return f.object(x).fields(f.field("memory", x.memory), f.field("epoch", x.epoch), f.field("done", x.done),
                            f.field("refused", x.refused), f.field("why", x.why));
}
/// How it crosses.
template <class Inspector, class T>
bool inspect(Inspector& f, delivery<T>& x) {
  return f.object(x).fields(f.field("sender", x.sender), f.field("epoch", x.epoch), f.field("items", x.items));
}

} // namespace greenroom
