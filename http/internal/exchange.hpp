// One request while it is answered: what its connection and its request actor share. The connection starts it, waits for its end and
// enforces its deadline; the actor runs the handler and leaves the answer here. Whoever is done first leaves, the last frees it:
// after a time-out the client has its answer while the handler still unwinds.
// Thread safety: as noted. Lifetime: counted, one for the connection and one for the actor.
#pragma once

#include <atomic>
#include <optional>
#include <utility>

#include <greenroom/http/internal/presence.hpp>
#include <greenroom/http/internal/route.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/detail/actor_extras.hpp>
#include <greenroom/runtime/detail/context_node.hpp>
#include <greenroom/runtime/detail/frame_pool.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>

namespace greenroom::http::internal {

class server_core;

class exchange final : public greenroom::detail::exit_listener {
public:
  /// Starts the request actor, under a context that ends with `parent` or when the caller says so.
  exchange(server_core& server, const route& to, request r, greenroom::detail::context_node& parent,
           time_point deadline);
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;
  void start();
  /// Ends the context of the request.
  void cancel(error cause) noexcept { greenroom::detail::cancel(context_, std::move(cause)); }
  /// The connection goes: cancels the actor if it has not ended, which then unwinds by itself.
  void abandon(error cause) noexcept;
  bool ended() noexcept;

  struct end_action : greenroom::detail::waiter {
    static constexpr auto kind = greenroom::detail::wait_kind::outside;
    explicit end_action(exchange& x) noexcept : of(&x) {}
    greenroom::detail::spin_lock& queue_lock() noexcept { return of->lock_; }
    greenroom::detail::wait_queue& queue() noexcept { return of->waiting_; }
    const void* place() const noexcept { return of; }
    void check() const noexcept {}
    bool try_locked(greenroom::detail::actor_cell*&) const noexcept { return of->ended_; }
    void take(std::uint8_t) const noexcept {}
    exchange* of;
  };
  /// Waits for the end of the request actor; also a select case.
  auto end() noexcept { return greenroom::detail::operation(end_action(*this)); }

  const route& to() const noexcept { return route_; }
  time_point deadline() const noexcept { return deadline_; }
  // Constant once it has ended.
  const exit_reason& why() const noexcept { return why_; }
  response& answer() noexcept { return *answer_; } ///< Requires: why().normal().

  static void* operator new(std::size_t bytes) { return greenroom::detail::frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { greenroom::detail::frame_free(p, bytes); }

private:
  friend class orphan_list;

  ~exchange();
  static task<> run(exchange* x);
  void release() noexcept;
  void on_exit(greenroom::detail::actor_cell& cell, const exit_reason& why) noexcept override;

  std::optional<presence> stays_;   // set if the actor outlives its connection; the first member, hence the last to go
  exchange* orphan_prev_ = nullptr; // guarded by the list's lock, as is the following
  exchange* orphan_next_ = nullptr;

  // Constant after construction.
  server_core& server_;
  const route& route_;
  greenroom::detail::context_node& context_; // counted
  const time_point deadline_;

  actor actor_; // set by start(), constant then
  std::atomic<std::uint32_t> refs_{2};
  // Owned by the request actor until the end.
  std::optional<request> request_;
  std::optional<response> answer_;
  exit_reason why_;

  greenroom::detail::spin_lock lock_;
  bool ended_ = false; // guarded by lock_, as is the following
  greenroom::detail::wait_queue waiting_;
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
