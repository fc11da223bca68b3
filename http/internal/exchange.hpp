// One request while it is answered: what its connection and its request actor share. The connection starts it, waits for its end and
// enforces its deadline; the actor runs the handler and leaves the answer here. Whoever is done first leaves, the last frees it:
// after a time-out the client has its answer while the handler still unwinds.
// Most answers are whole, and are taken when the actor has ended. One that goes on (a streamed body, another protocol) is taken when its
// head is given, and the actor goes on.
// Thread safety: as noted. Lifetime: counted, one for the connection and one for the actor.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <greenroom/http/detail/answer_marks.hpp>
#include <greenroom/http/detail/body_pipe.hpp>
#include <greenroom/http/internal/presence.hpp>
#include <greenroom/http/internal/route.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/detail/actor_extras.hpp>
#include <greenroom/runtime/detail/context_node.hpp>
#include <greenroom/runtime/detail/frame_pool.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http::internal {

class server_core;
struct lane;

class exchange final : public greenroom::detail::exit_listener {
public:
  /// Makes the request actor, under a context that ends with `parent` or when the caller says so. `body`: whence the handler reads
  /// the body of the request, or null. The handler is not called when the actor has its first turn so long after `now` that it is
  /// to be refused, see lateness.
  exchange(server_core& server, const route& to, request r, std::shared_ptr<detail::body_pipe> body, lane& in,
           time_point now, time_point deadline);
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;
  void start();
  /// Ends the context of the request.
  void cancel(error cause) noexcept { greenroom::detail::cancel(context_, std::move(cause)); }
  /// Logs that the answer is late, and what the actor did last; some times a second at most unless lines of level debug are wanted.
  void log_late() const;
  /// The connection goes: cancels the actor if it has not ended, which then unwinds by itself.
  void abandon(error cause) noexcept;
  bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  /// Takes the request back if its actor has not had its first turn; it then does nothing.
  bool withdraw() noexcept { return claim_start(); }
  /// Returns whether the actor has had its first turn.
  bool begun() const noexcept { return start_claimed_.load(std::memory_order_relaxed); }
  /// Gives the connection to the request actor, whose answer is an upgrade.
  void hand_over(std::shared_ptr<stream> io, std::string rest);

  struct end_action : greenroom::detail::waiter {
    static constexpr auto kind = greenroom::detail::wait_kind::outside;
    end_action(exchange* x, bool head) noexcept : of(x), or_head(head) {} // null: it never ends
    greenroom::detail::spin_lock& queue_lock() noexcept { return of->lock_; }
    greenroom::detail::wait_queue& queue() noexcept { return of->waiting_; }
    const void* place() const noexcept { return of; }
    bool try_locked(greenroom::detail::actor_cell*&) const noexcept {
      return of->ended() || (or_head && of->head_given_);
    }
    void take(std::uint8_t) const noexcept {}
    exchange* of;
    bool or_head;
  };
  /// Waits for the end of the request actor; also a select case.
  auto end() noexcept { return greenroom::detail::queued_op(end_action(this, false)); }
  /// The same, or for the head of an answer that goes on.
  auto end_or_head() noexcept { return greenroom::detail::queued_op(end_action(this, true)); }

  /// A case of a select that never wins.
  static auto no_change() noexcept { return greenroom::detail::queued_op(end_action(nullptr, false)); }

  struct connection_action : greenroom::detail::waiter {
    static constexpr auto kind = greenroom::detail::wait_kind::outside;
    explicit connection_action(exchange& x) noexcept : of(&x) {}
    greenroom::detail::spin_lock& queue_lock() noexcept { return of->lock_; }
    greenroom::detail::wait_queue& queue() noexcept { return of->waiting_; }
    const void* place() const noexcept { return of; }
    bool try_locked(greenroom::detail::actor_cell*&) const noexcept { return of->io_ != nullptr; }
    void take(std::uint8_t) const noexcept {}
    exchange* of;
  };

  const route& to() const noexcept { return route_; }
  /// Gives an answer in place of the handler's what middlewares want on each.
  response marked(response answer) const;
  /// Returns the trace that the request belongs to, if a middleware has said so.
  trace_context trace() const { return marks_ ? marks_->trace() : trace_context(); }
  time_point made() const noexcept { return made_; }
  time_point deadline() const noexcept { return deadline_; }
  detail::body_pipe* body_in() const noexcept { return in_.get(); } ///< of the request; null if it is held as a whole
  detail::body_pipe* body_out() const noexcept {
    return out_.get();
  } ///< of the answer; requires that its head is given
  // Constant once it has ended.
  const exit_reason& why() const noexcept { return why_; }
  bool came_too_late() const noexcept { return !answer_; } ///< for its handler to be called; requires why().normal()
  const response& answer() const noexcept {
    return *answer_;
  } ///< requires the same, and that it did not; or that its head is given
  /// Returns whether its answer goes on, or went on, behind a head. Requires: ended, or end_or_head() has won.
  bool goes_on_behind_head() const noexcept { return head_given_; }

  // Owned by the connection, as nothing else here: an idle one need not have them.
  time_point take_back_at = never;       ///< if its actor has not begun by then
  time_point look_for_client_at = never; ///< where nothing would tell that it has left
  std::uint64_t body_sent = 0;           ///< of an answer that goes on

  static void* operator new(std::size_t bytes) { return greenroom::detail::frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { greenroom::detail::frame_free(p, bytes); }

private:
  friend class orphan_list;

  ~exchange();
  static task<> run(exchange* x);
  static task<> go_on(exchange* x);
  bool begin() noexcept;
  bool claim_start() noexcept {
    return !start_claimed_.exchange(true, std::memory_order_relaxed);
  } // orders nothing else
  bool goes_on() const noexcept;
  task<response> ask_handler(request r);
  void give_head();
  void wake_locked() noexcept;
  void release() noexcept;
  void on_exit(greenroom::detail::actor_cell& cell, const exit_reason& why) noexcept override;

  std::optional<presence> stays_;   // set if the actor outlives its connection; the first member, hence the last to go
  exchange* orphan_prev_ = nullptr; // guarded by the list's lock, as is the following
  exchange* orphan_next_ = nullptr;

  // Constant after construction.
  server_core& server_;
  lane& lane_;
  const route& route_;
  const time_point made_;
  const bool head_only_;   // a request for HEAD, whose answer does not go on
  const bool may_upgrade_; // HTTP/1.1
  const std::shared_ptr<detail::body_pipe> in_;
  const std::shared_ptr<detail::answer_marks> marks_; // null where there is no middleware
  greenroom::detail::context_node& context_;          // counted; behind these, as making it is the last that may fail
  const time_point deadline_;

  actor actor_; // set by start(), constant then
  std::atomic<std::uint32_t> refs_{2};
  std::atomic<bool> start_claimed_{false}; // by the actor's first turn, or by a connection that takes the request back
  // Owned by the request actor until the head is given, or the end.
  std::optional<request> request_;
  std::optional<response> answer_;
  std::shared_ptr<detail::body_pipe> out_;
  exit_reason why_;

  greenroom::detail::spin_lock lock_;
  // Set under lock_, or where there was no actor. Release, against the acquire in ended(): who sees it sees the answer.
  std::atomic<bool> ended_{false};
  // Guarded by lock_, as is all that follows.
  bool head_given_ = false;    // constant once set, or once ended
  std::shared_ptr<stream> io_; // of an upgrade, on its way from the connection to the actor
  std::string rest_;
  greenroom::detail::wait_queue waiting_; // the connection; of an upgrade also the actor
};

/// The connection's hold on an exchange: lets go of it, and cancels it if it has not ended.
/// Thread safety: owner only.
class held_exchange {
public:
  held_exchange() noexcept = default;
  held_exchange(const held_exchange&) = delete;
  held_exchange& operator=(const held_exchange&) = delete;
  ~held_exchange() { drop(errc::cancelled); }

  void hold(exchange* started) noexcept { it_ = started; }
  void drop(error cause) noexcept {
    if (it_ != nullptr) std::exchange(it_, nullptr)->abandon(std::move(cause));
  }
  explicit operator bool() const noexcept { return it_ != nullptr; }
  exchange* operator->() const noexcept { return it_; }

private:
  exchange* it_ = nullptr;
};

} // namespace greenroom::http::internal
