// select: waits for the first of several cases: receive, send, a time, the end of a context, a permit, or none at all.
//
//   auto s = co_await select(in.receive(), out.send(std::move(v)), after(1s));
//   if (s.index() == 0) use(s.get<0>());
//
// Describing a case does nothing; a case that loses has taken nothing and moved nothing. Among cases that are ready at once
// each is equally likely to win. otherwise() wins when nothing else is ready, so that select never waits. A case on an empty
// mailbox or address never wins.
// Thread safety: awaited by an actor, once. Lifetime: the ends and items named in the cases outlive the select, which may have a name.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <mutex>
#include <tuple>
#include <utility>
#include <variant>

#include <greenroom/runtime/detail/mailbox_actions.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>
#include <greenroom/runtime/detail/select_case.hpp>

namespace greenroom {

/// Which case won, and its value.
/// Thread safety: owner only.
template <class... Values>
class selected {
public:
  /// For select().
  template <std::size_t I, class Value>
  selected(std::in_place_index_t<I> at, Value&& value) : won_(at, std::forward<Value>(value)) {}
  /// Returns the position of the case in the call of select(). Units: cases, from 0.
  std::size_t index() const noexcept { return won_.index(); }
  /// Returns the value of case I. Errors: std::bad_variant_access if another case won.
  template <std::size_t I>
  auto& get() & {
    return std::get<I>(won_);
  }
  template <std::size_t I>
  auto get() && {
    return std::get<I>(std::move(won_));
  }

private:
  std::variant<Values...> won_;
};

/// The same where all cases have values of one type: any of them is then made in the same way.
/// Thread safety: owner only.
template <class Value, std::same_as<Value>... Others>
class selected<Value, Others...> {
public:
  /// For select().
  template <std::size_t I>
  selected(std::in_place_index_t<I>, Value&& value) : selected(I, std::move(value)) {}
  selected(std::size_t index, Value&& value) : index_(index), value_(std::move(value)) {}
  /// Returns the position of the case in the call of select(). Units: cases, from 0.
  std::size_t index() const noexcept { return index_; }
  /// Returns the value of case I. Errors: std::bad_variant_access if another case won.
  template <std::size_t I>
  Value& get() & {
    return check<I>(), value_;
  }
  template <std::size_t I>
  Value get() && {
    return check<I>(), std::move(value_);
  }

private:
  template <std::size_t I>
  void check() const {
    static_assert(I <= sizeof...(Others), "there are fewer cases");
    if (index_ != I) throw std::bad_variant_access();
  }
  std::size_t index_;
  Value value_;
};

namespace detail {

/// The cases of a select: an array where all are of one kind, so that which of them wins is no matter of branches.
template <class... Cases>
struct cases_of {
  static constexpr bool one_kind = false;
  using type = std::tuple<case_state<Cases>...>;
};
template <class Case, std::same_as<Case>... Others>
struct cases_of<Case, Others...> {
  static constexpr bool one_kind = true;
  using type = std::array<case_state<Case>, 1 + sizeof...(Others)>;
};

template <class... Cases>
class [[nodiscard("a select does nothing until it is awaited")]] select_op : select_cases {
  static constexpr std::size_t count = sizeof...(Cases);
  static_assert(count > 0, "select needs at least one case");
  static_assert(count <= 64, "select takes at most 64 cases");
  static constexpr bool has_mailbox = (may_have_items<Cases> || ...);
  /// What wins if no case is ready.
  static constexpr std::uint8_t fallback = [] {
    constexpr std::array<bool, count> is_default{std::is_same_v<Cases, default_case>...};
    for (std::size_t i = 0; i < count; ++i) {
      if (is_default[i]) return static_cast<std::uint8_t>(i);
    }
    return fired_nothing;
  }();
  using indices = std::index_sequence_for<Cases...>;
  using states = typename cases_of<Cases...>::type;
  static constexpr bool of_one_kind = cases_of<Cases...>::one_kind;

public:
  template <class... Described>
    requires(sizeof...(Described) == count && (std::constructible_from<case_state<Cases>, Described> && ...))
  explicit select_op(Described && ... cases)
      : select_cases{[](const select_cases& self, case_reader& reader) {
          std::apply([&reader](const auto&... state) { (list_case(state, reader), ...); },
                     static_cast<const select_op&>(self).states_);
        }},
        states_(begun(std::forward<Described>(cases)...)) {}
  /// Errors: usage_error if it has begun, or was moved from.
  select_op(select_op && other) : select_cases(other), states_(std::move(other.described())) {}
  select_op& operator=(const select_op&) = delete;
  ~select_op() {
    if (cell_ != nullptr && outcome_ == fired_nothing) clean_up();
  }

  bool await_ready() {
    check_new();
    cell_ = this_turn.cell;
    each([](auto& state) { state.get_ready(); });
    if (cell_->cancel_pending()) {
      outcome_ = fired_cancel;
      return budget_left();
    }
    number(indices());
    actor_cell* wake = nullptr;
    try {
      outcome_ = find_ready(wake);
    } catch (...) {
      outcome_ = fired_cancel; // there is no wait to clean up
      throw;
    }
    if (outcome_ == fired_nothing) return false; // the locks are held until await_suspend
    if (wake != nullptr) make_ready(*wake);
    return budget_left();
  }

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) noexcept {
    static_assert(is_task_promise<Promise>, "select can be awaited only inside a greenroom task<>");
    park_at(*cell_, at, at.promise());
    if (outcome_ != fired_nothing) {
      requeue(*cell_);
      return;
    }
    auto& me = *cell_;
    suspending_.lock();
    note_wait(me, wait_kind::select, static_cast<const select_cases*>(this));
    each([](auto& state) { state.link(); });
    if (!me.arm()) {
      each([](auto& state) { state.unlink(); });
      locks_.unlock();
      suspending_.unlock();
      me.fired = fired_cancel;
      requeue(me);
      return;
    }
    each([&me](auto& state) { start_timer(state, me); });
    locks_.unlock();
    suspending_.unlock(); // the last access: clean_up() waits for it, whoever ends the wait
  }

  auto await_resume() {
    if (outcome_ == fired_nothing) {
      outcome_ = cell_->fired;
      clean_up();
    }
    each([this](auto& state) {
      if (state.index != outcome_) state.lose();
    });
    if (outcome_ == fired_cancel) throw_cancelled(*cell_);
    return won();
  }

private:
  /// The distinct locks of the cases in address order, which is the rank order among queue locks.
  struct lock_set {
    std::array<spin_lock*, count> locks{};
    std::size_t used = 0;

    void collect(states& all) {
      std::apply([this](auto&... state) { (add(state.lock_of()), ...); }, all);
    }
    void add(spin_lock* l) noexcept {
      if (l == nullptr) return;
      std::size_t at = used; // of the first that is not before it
      while (at > 0 && !before(locks[at - 1], l)) --at;
      if (at < used && locks[at] == l) return;
      for (auto i = used; i > at; --i) locks[i] = locks[i - 1];
      locks[at] = l;
      ++used;
    }
    /// Pointers into different objects have no order but that of their numbers.
    static bool before(const spin_lock* a, const spin_lock* b) noexcept {
      return reinterpret_cast<std::uintptr_t>(a) < reinterpret_cast<std::uintptr_t>(b);
    }
    void lock() noexcept {
      for (std::size_t i = 0; i < used; ++i) locks[i]->lock();
    }
    void unlock() noexcept {
      for (std::size_t i = used; i > 0; --i) locks[i - 1]->unlock();
    }
  };

  template <std::size_t... I>
  void number(std::index_sequence<I...>) noexcept {
    ((std::get<I>(states_).index = static_cast<std::uint8_t>(I), std::get<I>(states_).cell = cell_), ...);
  }
  template <class F>
  void each(F f) noexcept {
    std::apply([&f](auto&... state) { (f(state), ...); }, states_);
  }

  template <class... Described>
  static states begun(Described && ... cases) {
    if constexpr (of_one_kind) {
      return {case_state<Cases>(std::forward<Described>(cases))...};
    } else {
      return states(std::forward<Described>(cases)...);
    }
  }
  void check_new() const {
    if (cell_ != nullptr || outcome_ != fired_nothing) throw_awaited_twice();
  }
  states& described() {
    check_new();
    outcome_ = fired_cancel;
    return states_;
  }

  bool anyone_must_ask() noexcept {
    bool any = false;
    each([&any](const auto& state) { any |= state.must_ask(); });
    return any;
  }

  /// Completes one case, the default if no other can; if there is none, all are locked when it returns.
  std::uint8_t find_ready(actor_cell * &wake) {
    // Mostly a mailbox has something, which can be taken alone; that nothing is ready can be said only while all are locked.
    if (has_mailbox && !anyone_must_ask()) {
      const auto won = first_of_random_order([](const auto& state) { return state.looks_ready(); },
                                             [&wake](auto& state) { return state.try_alone(wake); });
      if (won != fired_nothing) return won;
    }
    locks_.collect(states_);
    std::unique_lock guard(locks_);
    each([](auto& state) { state.ask(); });
    auto won = first_of_random_order([](const auto& state) { return state.can_win(); },
                                     [&wake](auto& state) { return state.try_now(wake); });
    if (won == fired_nothing) won = fallback;
    if (won == fired_nothing) guard.release();
    return won;
  }

  /// Asks each case that is eligible once, in an order drawn anew, until one can complete; returns which.
  template <class Eligible, class F>
  std::uint8_t first_of_random_order(Eligible eligible, F can_complete) {
    std::array<std::uint8_t, count> left;
    std::uint32_t n = 0;
    each([&left, &n, eligible](const auto& state) {
      left[n] = state.index;
      n += eligible(state) ? 1 : 0;
    });
    for (; n > 0; --n) {
      auto& drawn = left[random_below(n)];
      const auto i = drawn;
      drawn = left[n - 1];
      if (asked(i, can_complete, indices())) return i;
    }
    return fired_nothing;
  }
  template <class F, std::size_t... I>
  bool asked(std::size_t wanted, F & can_complete, std::index_sequence<I...>) {
    if constexpr (of_one_kind) return can_complete(states_[wanted]);
    bool done = false;
    (void)((I == wanted && (done = can_complete(std::get<I>(states_)), true)) || ...);
    return done;
  }

  template <class State>
  static void start_timer(State & state, actor_cell & me) noexcept {
    if constexpr (std::is_same_v<State, case_state<time_case>>) {
      if (state.when == never) return;
      state.timer.cell = &me;
      state.timer.outcome = state.index;
      timers_of(*me.home).arm(state.timer, state.when);
    }
  }

  /// Leaves all queues and timers, after await_suspend, perhaps still under way on the worker that we left, is done with them.
  void clean_up() noexcept {
    suspending_.lock();
    suspending_.unlock();
    locks_.lock();
    each([](auto& state) { state.unlink(); });
    locks_.unlock();
    each([](auto& state) {
      if constexpr (requires { state.timer; }) state.timer.disarm();
    });
  }

  using answer = selected<case_value<Cases>...>;
  template <std::size_t I = 0>
  answer won() {
    if constexpr (of_one_kind) {
      return answer(outcome_, states_[outcome_].value());
    } else {
      if constexpr (I + 1 < count) {
        if (I != outcome_) return won<I + 1>();
      }
      return answer(std::in_place_index<I>, std::get<I>(states_).value());
    }
  }

  states states_;
  lock_set locks_;
  actor_cell* cell_ = nullptr;
  spin_lock suspending_; // held by await_suspend from the first link to its last access
  std::uint8_t outcome_ = fired_nothing;
};

} // namespace detail

/// Waits for the first of the cases. Waits: suspends the actor until one case can complete, never with otherwise().
/// Cancellation: throws `cancelled`; no case has happened. Order: none among ready cases, each is as likely as any other.
/// Cost: one lock for each case that looks ready, until one is; if none is, one for each distinct mailbox named.
template <class... Cases>
auto select(Cases&&... cases) {
  return detail::select_op<std::remove_cvref_t<Cases>...>(std::forward<Cases>(cases)...);
}

/// A case that wins once `limit` has passed, counted from this call.
template <class Rep, class Period>
detail::time_case after(std::chrono::duration<Rep, Period> limit) noexcept {
  return {detail::deadline_in(limit)};
}
/// A case that wins at `when`.
inline detail::time_case at(time_point when) noexcept { return {when}; }
/// A case that wins when no other is ready.
inline detail::default_case otherwise() noexcept { return {}; }

} // namespace greenroom
