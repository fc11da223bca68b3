// The flight recorder of one actor system: a ring of events for each worker and one for all other threads, and the last texts.
// Thread safety: any thread, but for ring(). Lifetime: shared with the loggers that tell it lines; it keeps none after forget_core().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/runtime/detail/flight_ring.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/exit_reason.hpp>
#include <greenroom/runtime/flight_recorder.hpp>
#include <greenroom/runtime/internal/line_ring.hpp>
#include <greenroom/runtime/log.hpp>

namespace greenroom::internal {

class recorder final : public detail::line_keeper {
public:
  /// Requires: opts.flight_events is not 0.
  explicit recorder(const detail::runtime_core& core);

  /// Returns the ring of a worker, for its thread only.
  detail::flight_ring& ring(std::size_t worker) noexcept { return *rings_[worker]; }

  void note_spawn(const detail::actor_cell& cell) noexcept;
  void note_end(const detail::actor_cell& cell, exit_kind how) noexcept;
  void keep(log_level level, std::string_view text, log_origin origin) noexcept override;
  void keep_item(detail::flight_ring& ring, const std::type_info& type, const detail::mailbox_base* from,
                 std::string text) noexcept;

  flight_log read(const flight_query& wanted) const;
  /// Returns flight_log::in_brief() of one actor, for the log; "" if nothing is known, or if there were many of late.
  std::string brief(std::uint64_t actor) const;
  void forget_core() noexcept {
    std::lock_guard guard(outside_); // a logger that outlives the system may just be using it
    core_.store(nullptr, std::memory_order_relaxed);
  }

private:
  void note(flight_kind kind, const detail::actor_cell& cell, std::uint64_t where) noexcept;
  bool may_tell(std::uint32_t now) const noexcept;

  std::atomic<const detail::runtime_core*> core_;           // null: it is gone; written under outside_
  const std::size_t most_bytes_;                            // of the text of an item
  std::vector<std::unique_ptr<detail::flight_ring>> rings_; // one for each worker, and the last for other threads
  mutable detail::eager_spin_lock outside_;                 // for who writes to the last ring
  line_ring lines_;
  line_ring items_;
  mutable std::atomic<std::uint64_t> told_{0}; // the second in which brief() was last asked for, above how often
};

} // namespace greenroom::internal
