// supervisor_spec: says what a supervisor keeps running, and how; supervisor.hpp starts it.
//
//   supervisor_spec shop("shop", {.strategy = rest_for_one, .intensity = {3, 10s}});
//   shop.child("ledger", book, std::move(orders), db);                           // started first, stopped last
//   shop.child("pricing", {.restart = transient}, price, quotes, to_ledger);
//   shop.child("clients", supervisor_spec("clients", {.strategy = dynamic}));    // a supervisor below
//
// A child is an actor: a coroutine function and its arguments. Each start has fresh copies of the arguments, so a mailbox<T> lives on
// over restarts, with what is queued (see child_options::queue), and so do the addresses that the child sends to: the supervisor holds
// them as long as the child may be started again. A child that ends and is not to be restarted, or is forgotten, gives them up: its mailboxes close, and
// those it sends to lose a sender. That goes for arguments that are mailboxes or addresses, not for those inside of captures and structs. A child whose mailboxes
// have all ended is not restarted, whatever its kind: it would have nothing to do. What cannot be copied is made anew for each start: made_by(function).
// Thread safety: owner only until it is started. Lifetime: owns all of it. Source: Erlang/OTP, supervisor.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include <greenroom/actors/dead_letter.hpp>
#include <greenroom/actors/detail/child_start.hpp>
#include <greenroom/actors/restart.hpp>
#include <greenroom/runtime/spawn.hpp>

namespace greenroom {

/// Which children are started anew when one is.
enum class restart_strategy : std::uint8_t {
  one_for_one,  ///< only the one that ended
  one_for_all,  ///< all: the others are stopped first, in reverse order of their starts
  rest_for_one, ///< it and those started after it
  dynamic       ///< only the one that ended; children come and go at run time, are many, and stop all at once
};
using enum restart_strategy;

/// Returns "one_for_one" and so on; "" for a number that is none of them.
GREENROOM_EXPORT const char* to_string(restart_strategy strategy) noexcept;

/// Whether a supervisor ends when its significant children have, by themselves and for good.
enum class auto_shutdown : std::uint8_t { off, any_significant, all_significant };

/// How a child is started, stopped and restarted. Thread safety: as a value.
struct child_options {
  /// After which ends it is started anew.
  restart_kind restart = permanent;
  /// The pause before that.
  greenroom::backoff backoff = {};
  /// What becomes of its items then.
  queue_fate queue = queue_fate::drop_poison;
  /// How often an item may be in hand with queue_fate::keep; 1 or more.
  std::uint32_t deliveries = 3;
  /// How long it may take to end when it is stopped, before it is killed; 0 kills at once. None: 5 s, for a supervisor no limit.
  std::optional<duration> grace = std::nullopt;
  /// Its start is over only when it calls this_child::ready(): the next child starts then. One that ends before has not started; if it
  /// ended normally, it has declined.
  bool reports_ready = false;
  /// How long that may take, before it is killed and counts as not started; without effect unless it reports. Shorter than the period of the
  /// intensity, or a child that hangs at each restart is tried for ever. None: 4 s, for a supervisor no limit.
  std::optional<duration> start_limit = std::nullopt;
  /// See auto_shutdown; not for permanent ones.
  bool significant = false;
};

/// How a supervisor goes about restarts. Thread safety: as a value.
struct supervisor_options {
  restart_strategy strategy = one_for_one;       ///< who is restarted with a child
  restart_intensity intensity = {};              ///< how many restarts are too many
  auto_shutdown shuts_down = auto_shutdown::off; ///< whether it ends with its significant children
};

namespace detail {
struct child_spec {
  std::string name;
  child_options how;
  std::shared_ptr<child_start> start;
  bool is_supervisor = false;
  std::string declared_at = {}; // in a file; else `start` says it
};
} // namespace detail

/// An argument made anew for each start of a child: `made_by([] { return std::make_unique<connection>(); })`.
template <std::copy_constructible F>
struct made_by {
  F make; ///< makes the argument
  /// Takes the function that makes the argument.
  explicit made_by(F f) : make(std::move(f)) {}
};

class supervisor_spec;

namespace detail {
struct supervisor_plan;

template <class A>
struct fresh_argument {
  using type = A;
  static const A& of(const A& kept) noexcept { return kept; }
};
template <class F>
struct fresh_argument<made_by<F>> {
  using type = std::remove_cvref_t<std::invoke_result_t<F&>>;
  static type of(made_by<F>& kept) { return kept.make(); }
};

template <class A>
inline constexpr bool is_mailbox = false;
template <class T>
inline constexpr bool is_mailbox<mailbox<T>> = true;
template <class A>
inline constexpr bool is_port = is_mailbox<A>;
template <class T>
inline constexpr bool is_port<address<T>> = true;

/// The function and the arguments of a child, for all of its starts. The actor that runs shares them, so that the ends among them count as its own in the
/// search for deadlocks: they are used again only when it has ended.
template <class F, class... Args>
struct child_arguments {
  struct share final : kept_arguments {
    explicit share(const std::shared_ptr<child_arguments>& all) noexcept : of(all) {
      shown = all.get();
      bytes = sizeof(child_arguments);
      destroy = [](kept_arguments* self) noexcept { delete static_cast<share*>(self); };
    }
    const std::shared_ptr<child_arguments> of;
  };

  child_arguments(const F& f, std::tuple<Args...>&& a) : fn(f), args(std::move(a)) {}
  // None once given up.
  std::optional<F> fn;
  std::optional<std::tuple<Args...>> args;
};

template <class F, class... Args>
class child_start_of : public child_start {
  using target = spawn_target<typename fresh_argument<Args>::type...>;
  using arguments = child_arguments<F, Args...>;

public:
  child_start_of(const F& fn, std::tuple<Args...>&& args, std::source_location at)
      : child_start(at), kept_(std::make_shared<arguments>(fn, std::move(args))) {}

  started begin() override {
    if (!kept_->args) throw_given_up();
    auto shared = std::make_unique<typename arguments::share>(kept_);
    auto made = std::apply(
        [this](auto&... kept) {
          return target(*kept_->fn).begin(typename fresh_argument<Args>::type(fresh_argument<Args>::of(kept))...);
        },
        *kept_->args);
    shared->next = made.kept;
    made.kept = shared.release();
    return made;
  }
  bool has_nothing_to_do() const override {
    if constexpr ((is_mailbox<Args> || ...)) {
      return !kept_->args || std::apply([](const auto&... kept) { return (is_over(kept) && ...); }, *kept_->args);
    } else {
      return false;
    }
  }
  std::size_t drop_queued() override {
    std::size_t dropped = 0;
    if (kept_->args) std::apply([&dropped](auto&... kept) { ((dropped += drop_in(kept)), ...); }, *kept_->args);
    return dropped;
  }
  bool gave_up() const noexcept override { return !kept_->args; }

private:
  void give_up_ports() noexcept override {
    if constexpr ((is_port<Args> || ...)) {
      kept_->args.reset();
      kept_->fn.reset();
    }
  }

  template <class A>
  static std::size_t drop_in(A& kept) {
    if constexpr (is_mailbox<A>) {
      return kept ? kept.discard() : 0;
    } else {
      return 0;
    }
  }

  /// An input is over when nothing will come out of it any more; what is no input has no say.
  template <class A>
  static bool is_over(const A& kept) {
    if constexpr (is_mailbox<A>) {
      return kept.closed() && kept.size_approx() == 0;
    } else {
      return true;
    }
  }

  const std::shared_ptr<arguments> kept_;
};

/// The start of a child that has inputs: its items are followed.
template <class F, class... Args>
class working_start final : public child_start {
  using work = std::shared_ptr<child_work>;

public:
  working_start(std::source_location at, work of, F fn, std::tuple<Args...> args)
      : child_start(at, of),
        inner_(run_child<F, typename fresh_argument<Args>::type...>,
               std::tuple_cat(std::tuple<work, F>(of, std::move(fn)), std::move(args)), at) {}

  started begin() override { return inner_.begin(); }
  std::size_t drop_queued() override { return inner_.drop_queued(); }
  bool gave_up() const noexcept override { return inner_.gave_up(); }
  bool has_nothing_to_do() const override { return inner_.has_nothing_to_do(); }

private:
  void give_up_ports() noexcept override { inner_.give_up(); }

  child_start_of<task<> (*)(work, F, typename fresh_argument<Args>::type...), work, F, Args...> inner_;
};

template <class A>
void add_input([[maybe_unused]] child_work& work, [[maybe_unused]] const A& argument) {
  if constexpr (is_mailbox<A>) {
    if (argument) work.add_input(input_of(argument));
  }
}

template <class F, class... Args>
std::shared_ptr<child_start> make_start(std::source_location at, const F& fn, std::tuple<Args...>&& args) {
  static_assert((std::is_copy_constructible_v<Args> && ...),
                "supervisor: the arguments of a child are copied for each start; wrap one that cannot be copied in "
                "made_by(function)");
  static_assert(std::is_invocable_r_v<task<>, const F&, typename fresh_argument<Args>::type...>,
                "supervisor: the arguments do not fit the parameters of the child's function, a coroutine that returns "
                "greenroom::task<>; mind that a mailbox<T> is a receive end and an address<T> a send end");
  if constexpr ((is_mailbox<Args> || ...)) {
    const auto work = std::make_shared<child_work>();
    std::apply([&work](const auto&... a) { (add_input(*work, a), ...); }, args);
    return std::make_shared<working_start<F, Args...>>(at, work, fn, std::move(args));
  } else {
    return std::make_shared<child_start_of<F, Args...>>(fn, std::move(args), at);
  }
}

/// What a child runs, with the place of the call; converts from any coroutine function that takes Args.
template <class... Args>
class child_target {
  using fitting = std::function<std::shared_ptr<child_start>(std::tuple<Args...>&&, std::source_location)>;

public:
  template <class F>
    requires(a_type<F> && !std::same_as<std::remove_cvref_t<F>, child_target> &&
             !std::same_as<std::remove_cvref_t<F>, child_options> &&
             !std::same_as<std::remove_cvref_t<F>, supervisor_spec>)
  child_target(F&& fn, std::source_location where = std::source_location::current())
      : make_([fn = std::decay_t<F>(std::forward<F>(fn))](std::tuple<Args...>&& args, std::source_location at) {
          return make_start(at, fn, std::move(args));
        }),
        where_(where) {}
  template <class... A>
  std::shared_ptr<child_start> make(A&&... args) const {
    return make_(std::tuple<Args...>(std::forward<A>(args)...), where_);
  }

private:
  fitting make_;
  std::source_location where_;
};
template <class... Args>
using child_target_for = child_target<std::type_identity_t<std::decay_t<Args>>...>;

} // namespace detail

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT supervisor_spec {
public:
  /// Errors: usage_error if the intensity is out of range.
  explicit supervisor_spec(std::string name, supervisor_options how = {});
  supervisor_spec(supervisor_spec&&) noexcept;
  supervisor_spec& operator=(supervisor_spec&&) noexcept;
  ~supervisor_spec();

  /// Adds a child that runs `fn(args...)`. Its name is for logs, and for calls to the supervisor. Errors: usage_error for options out of
  /// range, a name that is empty or taken, or a dynamic supervisor, which begins without children.
  /// Cost: the name is kept once per system and text, for the life of the system.
  template <class... Args>
  supervisor_spec& child(std::string name, child_options how, detail::child_target_for<Args...> fn, Args&&... args) {
    return add({std::move(name), how, fn.make(std::forward<Args>(args)...), false});
  }
  template <class... Args>
  supervisor_spec& child(std::string name, detail::child_target_for<Args...> fn, Args&&... args) {
    return add({std::move(name), {}, fn.make(std::forward<Args>(args)...), false});
  }
  /// Adds a supervisor as a child: a tree. It counts as started when all of its own children have. Errors: as above.
  supervisor_spec& child(std::string name, child_options how, supervisor_spec below,
                         std::source_location where = std::source_location::current());
  supervisor_spec& child(std::string name, supervisor_spec below,
                         std::source_location where = std::source_location::current()) {
    return child(std::move(name), {}, std::move(below), where);
  }

  /// Sends what becomes a dead letter here, without waiting: see queue_fate. A letter for which there is no room is lost; the log has it. Supervisors below
  /// have their own, or none. The supervisor holds the address as long as it lives.
  supervisor_spec& dead_letters(address<dead_letter> to);

  /// For supervisor.hpp.
  std::shared_ptr<const detail::supervisor_plan> plan() const noexcept { return plan_; }

private:
  supervisor_spec& add(detail::child_spec fresh);

  std::shared_ptr<detail::supervisor_plan> plan_;
};

} // namespace greenroom
