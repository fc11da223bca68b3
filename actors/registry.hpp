// registry: finds addresses and actors by name, within one process. Prefer to hand addresses over as arguments: then the compiler
// checks them. A registry is for what is known only at run time: names in requests, plug-ins, tools.
//
//   registry names;
//   auto added = names.add("ledger", to_ledger);
//   result<address<deposit>> found = names.find<address<deposit>>("ledger");
//
// Thread safety: any thread; copies share the table. Lifetime: entries are weak: a name keeps no mailbox open, and goes when the
// mailbox closes or the actor ends. There is no global registry: make one for each system and pass it on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {
namespace detail {

/// What a name stands for.
struct GREENROOM_EXPORT registry_entry {
  explicit registry_entry(std::type_index t) noexcept : type(t) {}
  virtual ~registry_entry();
  virtual bool alive() const noexcept = 0;

  const std::type_index type;
  std::uint64_t added_by = 0; // the actor's id; 0: no actor. Constant once in the table, as is its name
  std::string added_by_name;
};

template <class Thing>
struct registry_entry_of;

template <class T>
struct registry_entry_of<address<T>> final : registry_entry {
  explicit registry_entry_of(const address<T>& a) noexcept : registry_entry(typeid(address<T>)), thing(a) {}
  bool alive() const noexcept override { return !thing.lock().closed(); }
  address<T> get() const noexcept { return thing.lock(); }
  const weak_address<T> thing;
};

template <>
struct registry_entry_of<actor> final : registry_entry {
  explicit registry_entry_of(const actor& a) noexcept : registry_entry(typeid(actor)), thing(a) {}
  bool alive() const noexcept override { return thing && !thing.finished(); }
  actor get() const noexcept { return thing; }
  const actor thing;
};

} // namespace detail

/// One name as registry::list() shows it.
struct registered_name {
  std::string name;       ///< as it was added
  std::string type;       ///< "greenroom::address<deposit>", "greenroom::actor"
  std::uint64_t added_by; ///< id of the actor that added it; 0: no actor
};

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT registry {
public:
  registry();

  /// Gives a name to an address or an actor. Errors: errc::already_exists, naming the holder; errc::closed if the mailbox or the actor
  /// has ended already; errc::invalid_argument for an empty name.
  template <class T>
  result<void> add(std::string name, const address<T>& to) {
    return add_entry(std::move(name), std::make_shared<detail::registry_entry_of<address<T>>>(to));
  }
  result<void> add(std::string name, const actor& who) {
    return add_entry(std::move(name), std::make_shared<detail::registry_entry_of<actor>>(who));
  }

  /// Finds an address<T> or an actor. The address is a strong one: the mailbox stays open while it is held.
  /// Errors: errc::not_found, naming the nearest name; errc::type_mismatch, naming both types.
  template <class Thing>
  result<Thing> find(std::string_view name) const {
    const auto entry = find_entry(name, typeid(Thing));
    if (!entry) return entry.error();
    auto thing = static_cast<const detail::registry_entry_of<Thing>&>(**entry).get();
    if (!thing) return no_such_name(name); // it ended just now
    return thing;
  }

  /// Takes a name back; false if there is none such. What it stood for is not touched.
  bool remove(std::string_view name);

  /// Lists the names in alphabetical order.
  std::vector<registered_name> list() const;

private:
  struct table;
  using entry_pointer = std::shared_ptr<detail::registry_entry>;
  result<void> add_entry(std::string name, entry_pointer entry);
  result<entry_pointer> find_entry(std::string_view name, std::type_index type) const;
  error no_such_name(std::string_view name) const;

  std::shared_ptr<table> table_;
};

} // namespace greenroom
