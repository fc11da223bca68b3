// The border as the CAF-facing sources see it.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <greenroom/runtime/internal/border.hpp>

namespace greenroom::internal {

class caf_border : public border {
public:
  virtual caf::actor_system& system() noexcept = 0;
  void take_ids(std::span<std::uint64_t> ids) noexcept final;
};

} // namespace greenroom::internal
