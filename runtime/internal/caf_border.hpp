// The border as the CAF-facing sources see it.
#pragma once

#include <atomic>
#include <memory>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/execution_unit.hpp>

#include <greenroom/runtime/internal/border.hpp>

namespace greenroom::detail {
class runtime_core;
}

namespace greenroom::internal {

/// What caf_counters_of() reports. Counted by whoever adds to it: a CAF handle may outlive the system.
struct caf_totals {
  std::atomic<std::size_t> identities{0};
  std::atomic<std::size_t> held{0}; // identities that their actor holds: its end is not known to CAF yet
  std::atomic<std::size_t> pending_asks{0};
  std::atomic<std::uint64_t> late_responses{0};
  std::atomic<std::uint64_t> dropped_messages{0};
};

class caf_border : public border {
public:
  virtual caf::actor_system& system() noexcept = 0;
  /// Returns where CAF actors that this worker wakes are queued; null: with CAF's own scheduler. On the worker's thread.
  virtual caf::execution_unit* unit_of(const worker&) noexcept { return nullptr; }
  void settle() noexcept final;
  void take_ids(std::span<std::uint64_t> ids) noexcept final;
  const std::shared_ptr<caf_totals>& totals() const noexcept { return totals_; }

private:
  const std::shared_ptr<caf_totals> totals_ = std::make_shared<caf_totals>();
};

caf_border& border_of(const detail::runtime_core& core) noexcept;

/// Returns the unit to hand to CAF when this thread sends to an actor of `home`; null where it is no worker of that system.
caf::execution_unit* unit_here(const caf::actor_system& home) noexcept;

} // namespace greenroom::internal
