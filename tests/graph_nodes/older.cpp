// As if it had been built for an older version.
#include <cstdlib>

#include <greenroom/actors/node_plugin.hpp>

namespace {
void add_nothing(greenroom::node_library&) { std::abort(); }
} // namespace

extern "C" GREENROOM_EXPORT const greenroom::detail::node_plugin* greenroom_node_plugin() noexcept {
  static const greenroom::detail::node_plugin self{"greenroom 0.0.9, g++ 11", 0, nullptr, &add_nothing};
  return &self;
}
