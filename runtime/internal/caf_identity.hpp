// A lightweight actor as CAF knows it.
// Locks: CAF calls enqueue() while it holds the mutex of this very actor (a link to one that has ended), so nothing on that way
// may attach, detach, link or clean up.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <caf/system_messages.hpp>

#include <greenroom/runtime/caf.hpp>
#include <greenroom/runtime/detail/actor_extras.hpp>
#include <greenroom/runtime/internal/caf_border.hpp>

namespace greenroom::internal {

struct pending_ask;

/// References: the actor's record holds the identity (actor_extras::caf_side) until the actor has ended, so that monitors and links
/// work while no handle exists; the identity holds the record for good.
class caf_identity final : public caf_actor_base, public detail::exit_listener {
public:
  caf_identity(caf::actor_config& config, detail::actor_cell& cell, std::shared_ptr<caf_totals> totals);
  ~caf_identity() override;

  /// Returns the identity of an actor, made now if need be. One that has ended gets an identity that has ended, too.
  static caf::strong_actor_ptr of(detail::actor_cell& cell);

  const char* name() const override { return cell_.name; }
  using caf::abstract_actor::enqueue;
  enqueue_result enqueue(caf::mailbox_element_ptr what, caf_unit* host) override;
  void on_exit(detail::actor_cell& cell, const exit_reason& why) noexcept override;

  void open(std::shared_ptr<const detail::caf_port> port);
  const std::shared_ptr<caf_totals>& totals() const noexcept { return totals_; }

private:
  friend struct pending_ask;

  static std::shared_ptr<caf_identity> make(detail::actor_cell& cell);
  caf::strong_actor_ptr pointer() { return caf::actor_cast<caf::strong_actor_ptr>(static_cast<abstract_actor*>(this)); }
  void accept(caf::mailbox_element& what, bool alive);
  void obey(const caf::exit_msg& order);
  void take_response(caf::message_id id, caf::message&& content);
  std::shared_ptr<const detail::caf_port> port_for(const caf::message& content, bool request);

  // Constant after construction.
  detail::actor_cell& cell_; // counted
  const std::shared_ptr<caf_totals> totals_;

  detail::spin_lock lock_;
  // Guarded by lock_.
  pending_ask* ask_ = nullptr; // one at most: an actor waits for one thing at a time
  std::uint64_t last_request_ = 0;
  std::vector<std::shared_ptr<const detail::caf_port>> ports_; // of distinct types
};

/// An ask under way; lives in the frame of the asking actor.
struct pending_ask {
  explicit pending_ask(caf_identity& asker);
  pending_ask(const pending_ask&) = delete;
  pending_ask& operator=(const pending_ask&) = delete;
  ~pending_ask();

  detail::spin_lock& lock() noexcept { return owner.lock_; }
  /// Ends the ask; returns the answer if it came.
  std::optional<caf::message> close() noexcept;

  caf_identity& owner;
  caf::message_id id; // constant after construction
  // Guarded by lock().
  detail::wait_queue waiters;
  std::optional<caf::message> answer;
};

/// The wait for an answer; nothing is taken when the limit passed first.
struct answer_action : detail::waiter {
  static constexpr detail::wait_kind kind = detail::wait_kind::outside;
  explicit answer_action(pending_ask& a) noexcept : ask(&a) {}
  detail::spin_lock& queue_lock() noexcept { return ask->lock(); }
  detail::wait_queue& queue() noexcept { return ask->waiters; }
  const void* place() const noexcept { return ask; }
  bool try_locked(detail::actor_cell*&) const noexcept { return ask->answer.has_value(); }
  std::optional<caf::message> take(std::uint8_t) const noexcept { return ask->close(); }

  pending_ask* ask;
};

} // namespace greenroom::internal
