// As if it had been built for the same version, but with headers from another day.
#include <cstdlib>

#include <greenroom/actors/node_plugin.hpp>

namespace {
void add_nothing(greenroom::node_library&) { std::abort(); }
} // namespace

extern "C" GREENROOM_EXPORT const greenroom::detail::node_plugin* greenroom_node_plugin() noexcept {
  static const greenroom::detail::node_plugin self{greenroom::detail::build_facts, greenroom::detail::record_sizes + 1,
                                                   &greenroom::detail::one_runtime, &add_nothing};
  return &self;
}
