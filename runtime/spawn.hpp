// spawn: starts an actor from a coroutine function and its arguments.
//
//   auto [in, out] = make_mailbox<order>(bounded(64));
//   actor a = spawn(pricing, std::move(in), quotes);                      // inside an actor
//   actor b = sys.spawn({.name = "pricing"}, pricing, orders, quotes);    // from outside
//
// Function and arguments are copied or moved into the actor and outlive its frames, so capturing lambdas and reference
// parameters are safe here, and only here.
// Thread safety: any thread. Lifetime: the actor lives until its function ends.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/detail/refers_to_nothing.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// A literal, so that naming an actor costs nothing.
class actor_name {
public:
  /// Converts from a literal, and from nothing else.
  template <std::size_t N>
  consteval actor_name(const char (&literal)[N]) noexcept : literal_(literal) {}
  template <std::convertible_to<std::string_view> Text>
  constexpr actor_name(const Text&) noexcept : literal_(nullptr) {
    static_assert(sizeof(Text) == 0,
                  "an actor's name must be a string literal; put one made at run time into spawn_options::made_name");
  }
  /// Returns the literal.
  constexpr const char* literal() const noexcept { return literal_; }

private:
  const char* literal_;
};

/// How an actor is started. Thread safety: as a value.
struct spawn_options {
  /// The name for logs and reports.
  actor_name name = "actor";
  /// A name made at run time; used if not empty. Cost: kept once per system and text, for the life of the system.
  std::string made_name = {};
  /// The context to run under: its end cancels the actor. None: only the end of the system does, whoever spawns. Use a scope for
  /// children that must not outlive their parent.
  std::optional<context> ctx = std::nullopt;
};

namespace detail {

/// A root task that was made but not yet launched.
struct started {
  std::coroutine_handle<task_promise<void>> root;
  kept_arguments* kept = nullptr;
  bool may_refer = true; // to variables of who spawns
};

struct launch_request {
  runtime_core& core;
  started made;
  const spawn_options* options = nullptr; // null: defaults
  std::source_location site;
  context_node* ctx = nullptr;       // overrides options
  exit_listener* listener = nullptr; // must live until told
  const char* name = nullptr;        // overrides options; must live as long as the system
  // When it has its first turn: soon, before those that were spawned earlier; in order with those that are woken, so that what is spawned
  // meanwhile cannot hold it up; or after all that are ready now.
  enum class turn : std::uint8_t { soon, in_order, last };
  turn first = turn::soon;
  bool follows_trace = true; // works for the trace of who starts it until it takes an item: not what is there for all
  bool supervised = false;   // ctx is of new_supervised_child()
};
/// Returns the system's own copy of a name, for launch_request::name. Cost: kept once per text, for the life of the system.
GREENROOM_EXPORT const char* intern_name(runtime_core& core, const std::string& name);
/// Makes the actor and submits it; destroys what was made if the system is stopping, and the actor is then born finished.
GREENROOM_EXPORT actor launch(const launch_request& request);
/// The system of the running actor. Errors: usage_error outside actors.
GREENROOM_EXPORT runtime_core& core_here(const char* what);

/// True when a parameter P made from an argument A needs the argument no more: a view or a reference would.
template <class P, class A>
inline constexpr bool takes_over = !std::is_reference_v<P> && (std::is_same_v<P, A> || std::is_scalar_v<A>);

template <class F, class... A>
struct parameters_of : std::false_type {}; // unknown: generic, overloaded, or a member pointer
template <class R, class... P, class... A>
  requires(sizeof...(P) == sizeof...(A))
struct parameters_of<R (*)(P...), A...> : std::bool_constant<(takes_over<P, A> && ...)> {};
template <class R, class... P, class... A>
  requires(sizeof...(P) == sizeof...(A))
struct parameters_of<R (*)(P...) noexcept, A...> : std::bool_constant<(takes_over<P, A> && ...)> {};
template <class R, class C, class... P, class... A>
  requires(sizeof...(P) == sizeof...(A))
struct parameters_of<R (C::*)(P...) const, A...> : std::bool_constant<std::is_empty_v<C> && (takes_over<P, A> && ...)> {
};

/// True when the frame itself holds all that the coroutine refers to, so that nothing need be kept beside it.
template <class F, class... A>
constexpr bool self_contained() {
  if constexpr (std::is_pointer_v<F>) {
    return parameters_of<F, A...>::value;
  } else if constexpr (requires { &F::operator(); }) {
    return parameters_of<decltype(&F::operator()), A...>::value;
  } else {
    return false;
  }
}

template <class F, class... Args>
struct kept_call : kept_arguments {
  template <class G, class... A>
  explicit kept_call(G&& g, A&&... a) : fn(std::forward<G>(g)), args(std::forward<A>(a)...) {
    shown = this;
    bytes = sizeof(kept_call);
    destroy = [](kept_arguments* self) noexcept { delete static_cast<kept_call*>(self); };
  }
  F fn;
  std::tuple<Args...> args;
};

// Clang 16 tries an options' `{.name = "x"}` as a callable of the type "reference to void", too.
template <class T>
concept a_type = requires(std::remove_reference_t<T>* p) {
  p;
};

/// A callable with the place of the call; converts from any coroutine function that takes Args.
template <class... Args>
class spawn_target {
public:
  template <class F>
    requires(a_type<F> && !std::same_as<std::remove_cvref_t<F>, spawn_options> &&
             !std::same_as<std::remove_cvref_t<F>, spawn_target>)
  spawn_target(F&& f, std::source_location where = std::source_location::current())
  noexcept : begin_(&begin_with<F>), site(where) {
    if constexpr (std::is_function_v<std::remove_reference_t<F>>) {
      function_ = reinterpret_cast<void (*)()>(&f);
    } else {
      object_ = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
    }
  }
  started begin(Args&&... args) const { return begin_(*this, std::forward<Args>(args)...); }

private:
  template <class F>
  static started begin_with(const spawn_target& self, Args&&... args) {
    using function = std::decay_t<F>;
    static_assert(
        std::is_invocable_v<function&, std::decay_t<Args>...>,
        "spawn: the arguments do not fit the parameters of the actor's function; mind that a mailbox<T> is a receive "
        "end and an address<T> a send end, and neither converts into the other");
    if constexpr (std::is_invocable_v<function&, std::decay_t<Args>...>) {
      static_assert(std::is_same_v<std::invoke_result_t<function&, std::decay_t<Args>...>, task<void>>,
                    "spawn: the actor's function must be a coroutine that returns greenroom::task<>");
      constexpr bool stateless = std::is_pointer_v<function> || std::is_empty_v<function>;
      constexpr bool may_refer = !stateless || !(refers_to_nothing<std::decay_t<Args>> && ...);
      if constexpr (self_contained<function, std::decay_t<Args>...>()) {
        return {detail::invoke(self.template callable<F>(), std::decay_t<Args>(std::forward<Args>(args))...).release(),
                nullptr, may_refer};
      } else {
        using kept = kept_call<function, std::decay_t<Args>...>;
        auto call = std::make_unique<kept>(self.template callable<F>(), std::forward<Args>(args)...);
        auto root =
            std::apply([&call](auto&... a) { return detail::invoke(call->fn, std::move(a)...).release(); }, call->args);
        return {root, call.release(), may_refer};
      }
    }
  }
  template <class F>
  F&& callable() const noexcept {
    if constexpr (std::is_function_v<std::remove_reference_t<F>>) {
      return *reinterpret_cast<std::remove_reference_t<F>*>(function_);
    } else {
      return static_cast<F&&>(*static_cast<std::remove_reference_t<F>*>(object_));
    }
  }

  union {
    void* object_ = nullptr;
    void (*function_)();
  };
  started (*begin_)(const spawn_target&, Args&&...);

public:
  std::source_location site;
};

template <class... Args>
using target_for = spawn_target<std::type_identity_t<Args>...>;

} // namespace detail

/// Starts `fn(args...)` as an actor of the running actor's system, independent of it: who must not outlive its parent is spawned by
/// a scope. Waits: never. Errors: usage_error outside actors; in a system that is stopping the actor is born finished.
template <class... Args>
actor spawn(detail::target_for<Args...> fn, Args&&... args) {
  return detail::launch({detail::core_here("spawn"), fn.begin(std::forward<Args>(args)...), nullptr, fn.site});
}
template <class... Args>
actor spawn(const spawn_options& options, detail::target_for<Args...> fn, Args&&... args) {
  return detail::launch({detail::core_here("spawn"), fn.begin(std::forward<Args>(args)...), &options, fn.site});
}

} // namespace greenroom
