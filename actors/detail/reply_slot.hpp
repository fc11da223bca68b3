// The place where the two ends of an ask meet: the asker waits in it, the request answers into it. One for each ask, so that an
// answer cannot reach any other; freed by the end that leaves last.
// Thread safety: as noted at the fields. Lifetime: see phase.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/detail/frame_pool.hpp>
#include <greenroom/runtime/detail/request_counters.hpp>
#include <greenroom/runtime/detail/wait_places.hpp>
#include <greenroom/runtime/detail/waiter.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::detail {

struct reply_slot_base : reply_place {
  enum class phase : std::uint8_t {
    open,     // both ends live
    answered, // the request is gone, its answer is here; the asker frees the slot
    given_up  // the asker is gone; the request frees the slot
  };

  reply_slot_base(actor_cell& who, time_point until) noexcept
      : home(who.home), from(who.id), deadline(until), context(who.context) {}
  reply_slot_base(const reply_slot_base&) = delete;
  reply_slot_base& operator=(const reply_slot_base&) = delete;
  ~reply_slot_base() {
    if (lent != nullptr) release(*lent);
  }

  // Constant after construction.
  runtime_core* const home;
  const std::uint64_t from;
  const time_point deadline;

  spin_lock lock;
  phase state = phase::open;    // guarded by lock, as are the following
  wait_queue asker;             // the asker, while it waits
  context_node* context;        // the asker's, which lives while it waits here; null once it has given up
  context_node* lent = nullptr; // what the server works under, counted; null if it never asked for one

  /// The request leaves its answer. False if nobody wants it, and then the caller frees the slot; else it is not to be touched again.
  bool leave_answered() noexcept {
    actor_cell* wake = nullptr;
    {
      std::lock_guard guard(lock);
      if (state == phase::given_up) return false;
      state = phase::answered;
      if (auto* w = asker.claim_front()) wake = w->cell; // else it has not begun to wait, or something else woke it
    }
    if (wake != nullptr) make_ready(*wake);
    return true;
  }

  /// The asker leaves without an answer, which ends what the server does under a context of it. False if there is an answer after all, and
  /// then the slot is the caller's.
  bool give_up(errc why) noexcept {
    context_node* work = nullptr;
    {
      std::lock_guard guard(lock);
      if (state == phase::answered) return false;
      state = phase::given_up;
      context = nullptr;
      work = std::exchange(lent, nullptr); // outlives the slot, which the request may free now
    }
    if (work != nullptr) {
      cancel(*work, why);
      release(*work);
    }
    return true;
  }

  bool wanted() noexcept {
    std::lock_guard guard(lock);
    return state == phase::open;
  }

  /// Returns a context of the asker's that ends when it leaves, if it still waits. Called by the request, so by one thread at a time.
  std::optional<greenroom::context> work_context() {
    context_node* of = nullptr;
    {
      std::lock_guard guard(lock);
      if (context == nullptr) return std::nullopt;
      of = lent != nullptr ? lent : context;
      add_ref(*of);
      if (of == lent) return greenroom::context(of, greenroom::context::adopt{});
    }
    const greenroom::context askers(of, greenroom::context::adopt{});
    auto work = deadline < askers.deadline() ? askers.with_deadline(deadline) : askers.with_cancel().ctx;
    std::lock_guard guard(lock);
    if (context == nullptr) return std::nullopt; // it has left meanwhile
    lent = &work.node();
    add_ref(*lent);
    return work;
  }
};

template <class R>
struct reply_slot : reply_slot_base {
  static_assert(alignof(std::optional<result<R>>) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                "a reply type must not be over-aligned: its place comes from the pool of frames");
  using reply_slot_base::reply_slot_base;
  static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { frame_free(p, bytes); }

  // Written by the request before it leaves, read by the asker after that: the lock orders the two.
  std::optional<result<R>> answer;
  bool given = false; // the server gave it: it was not dropped or forwarded in vain
};

/// The asker's end. Empty until the request is made, and after the asker has given up.
template <class R>
class asker_end {
public:
  asker_end() noexcept = default;
  asker_end(const asker_end&) = delete;
  asker_end& operator=(const asker_end&) = delete;
  ~asker_end() {
    if (slot_ == nullptr || give_up(errc::cancelled)) return;
    if (!delivered_ && slot_->given) count_ask(*slot_->home, ask_event::late);
    delete slot_;
  }

  reply_slot<R>* make(actor_cell& asker, time_point deadline) { return slot_ = new reply_slot<R>(asker, deadline); }
  reply_slot<R>* slot() const noexcept { return slot_; }

  /// False if the answer came before; it is in the slot then.
  bool give_up(errc why) noexcept {
    if (!slot_->give_up(why)) return false;
    slot_ = nullptr;
    return true;
  }

  /// The asker has it: from now on an answer in the slot is not late.
  void delivered() noexcept { delivered_ = true; }

private:
  reply_slot<R>* slot_ = nullptr;
  bool delivered_ = false;
};

/// Waits for the answer.
template <class R>
struct reply_action : waiter {
  static constexpr wait_kind kind = wait_kind::reply;
  explicit reply_action(asker_end<R>* e) noexcept : end(e) {}
  spin_lock& queue_lock() noexcept { return end->slot()->lock; }
  wait_queue& queue() noexcept { return end->slot()->asker; }
  const void* place() const noexcept { return static_cast<const reply_place*>(end->slot()); }
  bool try_locked(actor_cell*&) const noexcept { return end->slot()->state == reply_slot_base::phase::answered; }
  result<R> take(std::uint8_t outcome) {
    if (outcome == fired_timeout && end->give_up(errc::timed_out)) return errc::timed_out;
    return *std::move(end->slot()->answer); // which may have come just after the time
  }

  asker_end<R>* end;
};

} // namespace greenroom::detail
