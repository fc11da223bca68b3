// The border as the CAF-facing sources see it.
#pragma once

#include <atomic>
#include <memory>

#include <greenroom/runtime/internal/border.hpp>
#include <greenroom/runtime/internal/caf_version.hpp>

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
  /// Returns where the CAF actors of `home` that this worker wakes are queued; null: with CAF's own scheduler. On the worker's
  /// thread.
  virtual caf_unit* unit_of(const worker&, const caf::actor_system& /*home*/) noexcept { return nullptr; }
  void settle() noexcept final;
  void take_ids(std::span<std::uint64_t> ids) noexcept final;
  // CAF's jobs come to our workers only where these take the place of its scheduler.
  void run_job(void*, worker&) noexcept override {}
  void drop_job(void*) noexcept override {}
  const std::shared_ptr<caf_totals>& totals() const noexcept { return totals_; }

private:
  const std::shared_ptr<caf_totals> totals_ = std::make_shared<caf_totals>();
};

/// The actors live in a CAF system of our own.
class own_border : public caf_border {
public:
  void start() final { system_ = std::make_unique<caf::actor_system>(config_); }
  void stop() noexcept final;
  caf::actor_system& system() noexcept final { return *system_; }

protected:
  caf::actor_system_config& config() noexcept { return config_; }

private:
  [[maybe_unused]] const bool types_known_ = announce_core_types(); // before the configuration
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

/// Makes a border whose CAF actors run on our workers; null where CAF keeps its scheduler to itself, from 1.0 on.
std::unique_ptr<caf_border> make_border_on(worker_team& team);

caf_border& border_of(const detail::runtime_core& core) noexcept;

/// Returns the unit to hand to CAF when this thread sends to an actor of `home`; null where it is no worker of that system.
caf_unit* unit_here(const caf::actor_system& home) noexcept;

} // namespace greenroom::internal
