// The border in its three kinds: CAF's actors on our workers (caf_workers.cpp), on threads of CAF's own, or in a system of the
// host's.
#include <greenroom/runtime/internal/caf_border.hpp>

#include <memory>

#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/internal/worker.hpp>

namespace greenroom::internal {
namespace {

/// CAF's actors run on threads of CAF's own, beside whatever runs ours.
class beside_border final : public own_border {
public:
  explicit beside_border(std::size_t threads) { use_threads_of_caf(config(), threads); }
};

/// The actors live in a CAF system of the host, beside CAF's own workers.
class host_border final : public caf_border {
public:
  explicit host_border(caf::actor_system& host) : host_(host) {}
  void start() override {}
  void stop() noexcept override {}
  caf::actor_system& system() noexcept override { return host_; }

private:
  caf::actor_system& host_;
};

} // namespace

void own_border::stop() noexcept {
  delete system_.get(); // not reset(): CAF's actors may ask for the system until its end
  (void)system_.release();
}

void caf_border::settle() noexcept {
  auto& held = totals_->held;
  for (auto n = held.load(); n != 0; n = held.load()) held.wait(n);
}

void caf_border::take_ids(std::span<std::uint64_t> ids) noexcept {
  for (auto& id : ids) id = system().next_actor_id();
}

caf_border& border_of(const detail::runtime_core& core) noexcept { return static_cast<caf_border&>(*core.caf); }

caf_unit* unit_here(const caf::actor_system& home) noexcept {
  const auto& turn = detail::this_turn;
  if (turn.worker == nullptr) return nullptr;
  return border_of(*turn.core).unit_of(*static_cast<const worker*>(turn.worker), home);
}

std::unique_ptr<border> make_border(worker_team* team, void* caf_host) {
  if (caf_host != nullptr) return std::make_unique<host_border>(*static_cast<caf::actor_system*>(caf_host));
  if (team == nullptr) return std::make_unique<beside_border>(1); // another executor: a test's, as a rule
  if (auto on_workers = make_border_on(*team)) return on_workers;
  return std::make_unique<beside_border>(team->workers());
}

} // namespace greenroom::internal
