// request<M>: a message M that wants an answer, as a serving actor receives it. M names the type of its answer:
//
//   struct deposit { account_id to; money amount; using reply = balance; };
//   task<> account(mailbox<request<deposit>> in) {
//     while (auto r = co_await in.receive()) r->reply(apply(r->message));
//   }
//
// It is made by ask(), see ask.hpp. Each is answered once: reply(), fail() and forward() consume it, and one that is dropped
// unanswered, by an exception, a kill or the end of its mailbox, fails at once with errc::no_reply.
// Thread safety: a request is used by one thread at a time; it may be moved to another actor and answered there, or later.
// Lifetime: answered or dropped before the asker's system is destroyed.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <greenroom/actors/detail/reply_slot.hpp>
#include <greenroom/runtime/detail/end_word.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {

/// A message type that names its reply; `using reply = void` for an answer without a value.
template <class M>
concept has_reply = requires {
  typename M::reply;
};

namespace detail {
[[noreturn]] GREENROOM_EXPORT void throw_request_consumed(const char* what);
/// A context that has ended already, for requests that nobody waits for any more.
GREENROOM_EXPORT context ended_context();
} // namespace detail

/// Thread safety and lifetime: see the file comment. Cost: one word beside the message.
template <has_reply M>
class request {
public:
  using message_type = M;
  using reply_type = typename M::reply;

  request(request&& other) noexcept : message(std::move(other.message)), slot_(std::move(other.slot_)) {}
  request& operator=(request&& other) noexcept {
    if (this != &other) {
      drop();
      message = std::move(other.message);
      slot_ = other.slot_.take();
    }
    return *this;
  }
  ~request() { drop(); }

  /// What is asked.
  M message;

  /// Answers: with a value, an error, or a result of the reply type; without argument where the reply is void.
  /// Returns false if the asker has given up; the answer is then dropped and counted as late. Waits: never.
  /// Errors: usage_error if the request was consumed before.
  template <class U = reply_type>
    requires std::convertible_to<U&&, result<reply_type>>
  bool reply(U&& value) { return answer("reply", std::forward<U>(value)); }
  bool reply() requires std::is_void_v<reply_type> { return answer("reply", result<void>()); }

  /// Answers that it failed. As reply().
  bool fail(error why) { return answer("fail", std::move(why)); }

  /// Hands the request to another server, whose answer the asker then gets. Waits: never; to wait for room, send it as any item:
  /// `co_await to.send(std::move(r))`. Errors: errc::full, errc::closed; the asker has then been given the same error.
  /// usage_error if the request was consumed before.
  result<void> forward(const address<request>& to) {
    check("forward");
    auto sent = to.try_send(std::move(*this));
    if (sent) return {};
    sent.item().settle(sent.error(), false);
    return sent.error();
  }

  /// Returns a context of the asker's that ends when it waits no more: its context has ended, its time is over, or it was cancelled or killed. For
  /// servers that want to stop work that nobody waits for: `co_await within(r.context(), work(r.message))`. The answer does not end it.
  /// Requires: called by an actor. Cost: one allocation, and a timer unless the asker's context has the same deadline.
  greenroom::context context() const {
    check("context");
    auto work = slot_->work_context();
    return work ? *std::move(work) : detail::ended_context();
  }
  /// Returns whether the asker still waits; one that does not need no work done.
  bool wanted() const { return check("wanted"), slot_->wanted(); }
  /// Returns when the asker gives up.
  time_point deadline() const { return check("deadline"), slot_->deadline; }
  /// Returns the id of the actor that asks.
  std::uint64_t from() const { return check("from"), slot_->from; }

  /// For ask().
  request(M&& m, detail::reply_slot<reply_type>* slot) noexcept : message(std::move(m)), slot_(slot) {}

private:
  static_assert(std::is_nothrow_move_constructible_v<M>, "a message must be nothrow move constructible");

  void check(const char* what) const {
    if (slot_ == nullptr) detail::throw_request_consumed(what);
  }

  template <class U>
  bool answer(const char* what, U&& value) {
    check(what);
    auto& asker_system = *slot_->home;
    if (settle(std::forward<U>(value), true)) return true;
    detail::count_ask(asker_system, detail::ask_event::late);
    return false;
  }

  /// Leaves the answer with the asker, if it still waits, and consumes the request.
  template <class U>
  bool settle(U&& value, bool given) {
    slot_->answer.emplace(std::forward<U>(value)); // may throw: the request is still there then
    slot_->given = given;
    auto* const slot = slot_.take();
    if (slot->leave_answered()) return true;
    delete slot;
    return false;
  }

  void drop() noexcept {
    if (slot_ != nullptr) settle(errc::no_reply, false);
  }

  detail::end_word<detail::reply_slot<reply_type>, detail::end_kind::share> slot_; // null once consumed
};

} // namespace greenroom
