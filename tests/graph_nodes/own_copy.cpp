// As if it had been linked to Greenroom, and so had a copy of its own.
#include <cstdlib>

#include <greenroom/actors/node_plugin.hpp>

namespace {
const char own_copy = 0;
void add_nothing(greenroom::node_library&) { std::abort(); }
} // namespace

extern "C" GREENROOM_EXPORT const greenroom::detail::node_plugin* greenroom_node_plugin() noexcept {
  static const greenroom::detail::node_plugin self{greenroom::detail::build_facts, greenroom::detail::record_sizes,
                                                   &own_copy, &add_nothing};
  return &self;
}
