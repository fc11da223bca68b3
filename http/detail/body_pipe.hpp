// The bytes of a body on their way between a connection and the actor that answers its request: one puts in and waits while much is
// under way, the other takes out and waits while there is nothing. It counts bytes, where a mailbox counts items.
// Thread safety: one actor at each end, any thread. Lifetime: shared by its two ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/detail/trailer_section.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/detail/queued_op.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::detail {

class GREENROOM_EXPORT body_pipe {
public:
  /// So much may be under way before whoever puts in has to wait. Units: bytes.
  static constexpr std::size_t room = 65'536;

  /// A pipe that `waits_for_reader` has no room until its reader asks for the first time.
  explicit body_pipe(bool waits_for_reader = false) noexcept : asked_(!waits_for_reader) {}
  body_pipe(const body_pipe&) = delete;
  body_pipe& operator=(const body_pipe&) = delete;

  // -- for whoever puts in --------------------------------------------------------------------------------
  bool has_room() noexcept;
  /// Returns whether something was asked for, and whoever asked is still there.
  bool wanted() noexcept;
  /// Returns whether nothing more will be taken.
  bool abandoned() noexcept;
  /// Puts in all of `bytes`, whether or not there is room. Errors: closed when nobody takes them any more.
  result<void> put(std::string bytes);
  /// Says that this was all, apart from what follows a body.
  void end(std::unique_ptr<trailer_section> behind = {}) noexcept;
  /// Says that the rest will not come. What was put in before is still given out.
  void fail(error why) noexcept;

  // -- for whoever takes out ------------------------------------------------------------------------------
  /// Says that something is wanted.
  void ask() noexcept;
  /// Takes what is there; "" if that is nothing, as at the end. Errors: that of fail(), when all is taken.
  result<std::string> take();
  /// Returns whether all was put in, and taken out.
  bool drained() noexcept;
  /// Returns what follows the body, and stays; null if that is nothing, and before the end.
  const trailer_section* trailers() noexcept;
  /// Says that no more will be taken; what is there is dropped.
  void leave() noexcept;

  // -- waits, also select cases ---------------------------------------------------------------------------
  struct pipe_action : greenroom::detail::waiter {
    static constexpr auto kind = greenroom::detail::wait_kind::outside;
    pipe_action(body_pipe* p, bool filling) noexcept : pipe(p), fills(filling) {}
    greenroom::detail::spin_lock& queue_lock() noexcept { return pipe->lock_; }
    greenroom::detail::wait_queue& queue() noexcept { return fills ? pipe->putting_ : pipe->taking_; }
    const void* place() const noexcept { return pipe; }
    bool try_locked(greenroom::detail::actor_cell*&) const noexcept {
      return fills ? pipe->has_room_locked() : pipe->can_take_locked();
    }
    void take(std::uint8_t) const noexcept {}
    body_pipe* pipe;
    bool fills;
  };
  /// Waits until there is room, or nobody takes any more. A null pipe is a case of a select that is switched off.
  static auto with_room(body_pipe* pipe) noexcept { return greenroom::detail::queued_op(pipe_action(pipe, true)); }
  /// Waits until there is something to take, or the end.
  static auto with_bytes(body_pipe* pipe) noexcept { return greenroom::detail::queued_op(pipe_action(pipe, false)); }

private:
  bool has_room_locked() const noexcept { return (asked_ && bytes_.size() < room) || left_; }
  bool can_take_locked() const noexcept { return !bytes_.empty() || ended_; }
  void wake_locked(greenroom::detail::wait_queue& who) noexcept;

  greenroom::detail::spin_lock lock_;
  greenroom::detail::wait_queue putting_; // guarded by lock_, as is all that follows
  greenroom::detail::wait_queue taking_;
  std::string bytes_;
  std::optional<error> failure_;
  std::unique_ptr<trailer_section> trailers_; // set once, with ended_
  bool asked_;
  bool ended_ = false; // nothing more is put in
  bool left_ = false;  // nothing more is taken out
};

} // namespace greenroom::http::detail
