// What a user of CAF says in another way from version to version, in one form, for the tests.
#pragma once

#include <string>
#include <utility>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <greenroom/runtime/internal/caf_version.hpp>

namespace greenroom::test {

/// From 0.18 on CAF must know the types of all messages before its first configuration.
inline const bool caf_types_known = [] {
  internal::announce_core_types();
#if GREENROOM_CAF >= 1800
  caf::io::middleman::init_global_meta_objects();
#endif
  return true;
}();

#if GREENROOM_CAF >= 1800
template <class R, class... Args>
using takes = caf::result<R>(Args...);
using registry_name = std::string;
#else
/// The signature of a typed actor: it answers Args with an R.
template <class R, class... Args>
using takes = typename caf::replies_to<Args...>::template with<R>;
/// What names an actor in the registry: ten characters at most.
inline caf::atom_value registry_name(const std::string& text) { return caf::atom_from_string(text); }
#endif

// Below what tells the versions apart is what they can do.

/// Sends as `self`.
template <class Self, class Handle, class... Args>
void say(Self&& self, const Handle& to, Args... args) {
  if constexpr (requires { self->mail(std::move(args)...); }) {
    self->mail(std::move(args)...).send(to);
  } else {
    self->send(to, std::move(args)...);
  }
}

/// Sends as nobody.
template <class... Args>
void post(const caf::actor& to, Args... args) {
  const auto whom = caf::actor_cast<caf::strong_actor_ptr>(to);
  whom->enqueue(internal::make_element(nullptr, caf::make_message_id(), {}, caf::make_message(std::move(args)...)),
                nullptr);
}

/// Returns the handle of a request that waits as long as it takes.
template <class Self, class Handle, class... Args>
[[nodiscard]] auto request(Self&& self, const Handle& to, Args... args) {
  if constexpr (requires { self->mail(std::move(args)...); }) {
    return self->mail(std::move(args)...).request(to, caf::infinite);
  } else {
    return self->request(to, caf::infinite, std::move(args)...);
  }
}

/// Has `self` drop what it does not know, without a word on the console.
inline void drop_unknown(caf::event_based_actor* self) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored                                                                                         \
    "-Wdeprecated-declarations" // from 1.0 on, where what takes its place cannot stand in a list of handlers
  self->set_default_handler(caf::drop);
#pragma GCC diagnostic pop
}

} // namespace greenroom::test
