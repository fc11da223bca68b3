// The cases of a select while it is under way: what each can do alone, or while all are locked.
// Thread safety: used by the actor that awaits the select; claimers touch a case as actor_cell.hpp says. Lifetime: in the select.
#pragma once

#include <concepts>
#include <mutex>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/detail/queued_op.hpp>

namespace greenroom {

/// The value of a case that carries none.
struct nothing {
  friend bool operator==(nothing, nothing) noexcept = default;
};

namespace detail {

struct time_case {
  time_point when;
};
struct default_case {};

/// One case under way: a queue case here, a timer or the default below.
template <class Case>
struct case_state;

template <class Action>
struct case_state<queued_op<Action>> : Action {
  explicit case_state(queued_op<Action>&& described) : Action(std::move(described).release()) {}
  explicit case_state(const queued_op<Action>& described) requires std::copy_constructible<Action>
      : Action(described.action()) {}
  bool can_win() const noexcept { return this->place() != nullptr; }
  spin_lock* lock_of() noexcept { return this->place() == nullptr ? nullptr : &this->queue_lock(); }
  void get_ready() noexcept {
    if constexpr (requires(Action & a) { a.prepare(); }) {
      if (this->place() != nullptr) this->prepare();
    }
  }
  bool must_ask() const noexcept {
    if constexpr (requires(const Action& a) { a.must_ask(); }) {
      return this->place() != nullptr && Action::must_ask();
    } else {
      return false;
    }
  }
  bool looks_ready() const noexcept {
    if constexpr (requires(const Action& a) { a.looks_ready(); }) {
      return this->place() != nullptr && Action::looks_ready();
    } else {
      return can_win();
    }
  }
  void ask() noexcept {
    if constexpr (requires(Action & a) { a.ask_locked(); }) {
      if (this->place() != nullptr) this->ask_locked();
    }
  }
  // Requires of these: can_win().
  bool try_now(actor_cell*& wake) { return this->try_locked(wake); }
  bool try_alone(actor_cell*& wake) {
    std::lock_guard guard(this->queue_lock());
    return this->try_locked(wake);
  }
  void link() noexcept {
    if (this->place() != nullptr) this->queue().push_back(*this);
  }
  void unlink() noexcept {
    if (this->linked()) this->queue().unlink(*this);
  }
  void lose() noexcept {
    if constexpr (requires(Action & a) { a.leave(); }) this->leave();
  }
  auto value() {
    if constexpr (std::is_void_v<decltype(this->take(this->index))>) {
      this->take(this->index);
      return nothing();
    } else {
      return this->take(this->index);
    }
  }
};

template <>
struct case_state<time_case> : waiter {
  explicit case_state(time_case described) noexcept : when(described.when) {}
  bool can_win() const noexcept { return when != never; }
  spin_lock* lock_of() noexcept { return nullptr; }
  void get_ready() noexcept {}
  bool must_ask() const noexcept { return false; }
  bool looks_ready() const noexcept { return can_win(); }
  void ask() noexcept {}
  bool try_now(actor_cell*&) noexcept { // looks at the clock once
    if (!looked) due = when <= now_of(*cell->home);
    looked = true;
    return due;
  }
  bool try_alone(actor_cell*& wake) noexcept { return try_now(wake); }
  void link() noexcept {}
  void unlink() noexcept {}
  void lose() noexcept {}
  nothing value() const noexcept { return {}; }

  time_point when;
  bool looked = false;
  bool due = false;
  wait_timer timer;
};

template <>
struct case_state<default_case> : waiter {
  explicit case_state(default_case) noexcept {}
  bool can_win() const noexcept { return false; } // against others: the select itself sees to it
  spin_lock* lock_of() noexcept { return nullptr; }
  void get_ready() noexcept {}
  bool must_ask() const noexcept { return false; }
  bool looks_ready() const noexcept { return false; }
  void ask() noexcept {}
  bool try_now(actor_cell*&) const noexcept { return false; }
  bool try_alone(actor_cell*&) const noexcept { return false; }
  void link() noexcept {}
  void unlink() noexcept {}
  void lose() noexcept {}
  nothing value() const noexcept { return {}; }
};

/// Is told what a select waits for. Thread safety: owner only.
class case_reader {
public:
  virtual void operator()(wait_kind kind, const void* place) = 0;

protected:
  ~case_reader() = default;
};

/// Lists the cases of a select that waits, for reports: what the wait record of its actor points to.
struct select_cases {
  void (*list)(const select_cases&, case_reader&);
};

template <class Action>
void list_case(const case_state<queued_op<Action>>& state, case_reader& reader) {
  if (state.place() != nullptr) reader(Action::kind, state.place());
}
inline void list_case(const case_state<time_case>& state, case_reader& reader) {
  if (state.when != never) reader(wait_kind::sleep, nullptr);
}
inline void list_case(const case_state<default_case>&, case_reader&) {}

/// Cases that are likely to be ready: those of mailboxes. Most others are there to be waited for.
template <class Case>
inline constexpr bool may_have_items = false;
template <class Action>
inline constexpr bool may_have_items<queued_op<Action>> = requires(Action& a) {
  a.prepare();
};

template <class Case>
using case_value = decltype(std::declval<case_state<Case>&>().value());

} // namespace detail

} // namespace greenroom
